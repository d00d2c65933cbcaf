"""Faults that can be switched on: refusals, broken answers, hang-ups, unreliable delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.errors import RestError

KINDS = (
    "query_limit",
    "operating",
    "overload",
    "error500",
    "html502",
    "cut_json",
    "hang_up",
    "lost_reply",
)
"""503, 429, 503 for ever, 500 as JSON, 502 as HTML, half a body, no answer, work done and no answer."""


@dataclass(slots=True)
class Fault:
    """One switched-on fault: skips ``after`` matching requests, then hits ``times`` of them (None = all)."""

    kind: str
    method: str = "*"
    after: int = 0
    times: int | None = 1
    hits: int = 0

    def matches(self, methods: Sequence[str]) -> bool:
        """Tell whether this request is meant, and count it."""
        if self.method != "*" and self.method.lower() not in {name.lower() for name in methods}:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.hits += 1
        return True


@dataclass(slots=True)
class Refusal:
    """A refusal of a command itself, also inside a batch: the next ``times`` of a method (None = all)."""

    method: str
    code: str
    description: str
    status: int = 400
    times: int | None = 1


@dataclass(slots=True)
class Faults:
    """The faults of one portal; delivery is spoiled by shares (0..1) and by turns."""

    active: list[Fault] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    drop_events: float = 0.0
    duplicate_events: float = 0.0
    delay_seconds: float = 0.0
    reorder_events: bool = False
    refuse_refresh: int = 0
    """How many refreshes are refused with invalid_grant; -1 = for ever."""
    oauth_down: int = 0
    """How many requests to the authorization host end in 500; -1 = for ever."""

    def add(self, kind: str, method: str = "*", *, after: int = 0, times: int | None = 1) -> Fault:
        """Switch a fault on; raises ``ValueError`` for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join(KINDS)}")
        fault = Fault(kind, method, after, times)
        self.active.append(fault)
        return fault

    def refuse(self, method: str, code: str, description: str = "", *, status: int = 400, times: int | None = 1) -> None:
        """Refuse the next commands of a method with any code, e.g. ``expired_token`` in the middle of a batch."""
        self.refusals.append(Refusal(method, code, description or code, status, times))

    def check(self, method: str) -> None:
        """Raise the refusal that waits for a method."""
        for refusal in self.refusals:
            if refusal.method.lower() == method.lower() and refusal.times != 0:
                refusal.times = None if refusal.times is None else refusal.times - 1
                raise RestError(refusal.code, refusal.description, refusal.status)

    def strike(self, methods: Sequence[str]) -> str:
        """Give the kind of fault that hits a request with these methods, or an empty text."""
        return next((fault.kind for fault in self.active if fault.matches(methods)), "")

    def takes(self, name: str) -> bool:
        """Use up one refusal of a counted fault."""
        left = int(getattr(self, name))
        if left > 0:
            setattr(self, name, left - 1)
        return left != 0

    def clear(self) -> None:
        """Switch everything off."""
        self.active.clear()
        self.refusals.clear()
        self.drop_events = self.duplicate_events = self.delay_seconds = 0.0
        self.reorder_events = False
        self.refuse_refresh = self.oauth_down = 0
