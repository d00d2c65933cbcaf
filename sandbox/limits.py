"""Limits of the cloud: the leaky bucket per client address, the operating time per method (limits.md)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.errors import RestError

if TYPE_CHECKING:
    from sandbox.portal import Portal

BASKETS = 10
CUT = 60.0
"""Seconds after which a request is cut off, whatever it has done by then."""


@dataclass(slots=True)
class Limits:
    """Switchable limits of one portal; both are off until somebody turns them on."""

    portal: Portal
    leaky: bool = False
    real_time: bool = False
    capacity: int = 50
    drain: float = 2.0
    operating_limit: float | None = None
    costs: dict[str, float] = field(default_factory=dict)
    takes_time: bool = False
    """Whether an answer really takes as long as the ``costs`` of its commands together."""
    late: float = 0.0
    """The share of such requests that are carried out at the end of that time, and not at its begin."""
    refused: int = 0
    blocked: int = 0
    slowest: float = 0.0
    _taken: float = 0.0
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)
    _spent: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)

    def hit(self, address: str) -> None:
        """Count one HTTP request of an address; raises 503 when its bucket is full."""
        self._taken = 0.0
        if not self.leaky:
            return
        now = time.monotonic() if self.real_time else self.portal.world.now().timestamp()
        level, seen = self._levels.get(address, (0.0, now))
        level = max(0.0, level - (now - seen) * self.drain)
        if level + 1 > self.capacity:
            self._levels[address] = (level, now)
            self.refused += 1
            raise RestError("QUERY_LIMIT_EXCEEDED", "Too many requests", 503)
        self._levels[address] = (level + 1, now)

    def spend(self, client: str, method: str) -> tuple[float, int]:
        """Book a method's operating time; give (seconds in the window, unix of the reset).

        Raises 429 when the method's window is already used up.
        """
        minute = int(self.portal.world.now().timestamp()) // 60
        window = self._spent.setdefault((client, method), {})
        for old in [basket for basket in window if basket <= minute - BASKETS]:
            del window[old]
        reset = (min(window, default=minute) + BASKETS) * 60
        if self.operating_limit is not None and sum(window.values()) >= self.operating_limit:
            self.blocked += 1
            raise RestError("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.", 429)
        window[minute] = window.get(minute, 0.0) + self.cost(method)
        self._taken += self.cost(method)
        return round(sum(window.values()), 6), reset

    def cost(self, method: str) -> float:
        """Give the seconds a command of a method takes."""
        return self.costs.get(method, 0.01)

    def lasted(self) -> float:
        """Give the seconds the request that ends now has to last, and begin to count anew; 0 unless time is real."""
        taken, self._taken = self._taken, 0.0
        if not self.takes_time:
            return 0.0
        self.slowest = max(self.slowest, taken)
        return min(taken, CUT)

    def ahead(self, methods: Sequence[str]) -> float:
        """Give the seconds to let pass before a request with these methods is carried out."""
        if not self.takes_time or self.portal.world.random.random() >= self.late:
            return 0.0
        return min(sum(self.cost(method) for method in methods), CUT)

    def reset_at(self, moment: datetime) -> int:
        """Give the default moment a window starting now is forgotten."""
        return (int(moment.timestamp()) // 60 + BASKETS) * 60
