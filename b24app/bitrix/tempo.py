"""What a portal's answers tell of its speed: how long commands take, and which methods have used up their time.

A method that has spent its operating time in the window of ten minutes is blocked until parts of the window are forgotten
(429). The limit is set by the vendor; the documentation's example is 480 s. Page: limits.md.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from b24app.bitrix.replies import Timing

OPERATING_LIMIT = 480.0
SHARE = 0.95
"""How much of a method's operating time is used before the method rests."""
FIRST_GUESS: Mapping[str, float] = {"tasks.task.add": 0.4, "crm.item.update": 0.3}
"""Seconds a command is taken to last before the portal has told; `USUAL` for the rest."""
USUAL = 0.15
MEMORY = 0.8
"""How much of an estimate stays when a new duration comes in."""


@dataclass(frozen=True, slots=True)
class Spent:
    """The operating time of a method as last told, and when a part of it is forgotten."""

    seconds: float
    reset_at: datetime


@dataclass(slots=True)
class Tempo:
    """The tempo of one portal, shared by the threads of a process."""

    _seconds: dict[str, float] = field(default_factory=dict)
    _spent: dict[str, Spent] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, method: str, time: Timing) -> None:
        """Take in the ``time`` block of a command that worked."""
        with self._lock:
            if time.duration is not None:
                before = self._seconds.get(method, time.duration)
                self._seconds[method] = before * MEMORY + time.duration * (1 - MEMORY)
            if time.operating is not None and time.operating_reset_at is not None:
                self._spent[method] = Spent(time.operating, time.operating_reset_at)

    def blocked(self, method: str, until: datetime) -> None:
        """Take in that the portal has blocked a method."""
        with self._lock:
            self._spent[method] = Spent(float("inf"), until)

    def lasts(self, methods: Iterable[str]) -> float:
        """Estimate how long commands take one after the other, seconds."""
        return sum(self._seconds.get(method, FIRST_GUESS.get(method, USUAL)) for method in methods)

    def rests_until(self, method: str, now: datetime, more: float = 0.0) -> datetime | None:
        """Tell until when a method is better left alone, with ``more`` seconds of it already on their way."""
        spent = self._spent.get(method)
        if spent is None or spent.reset_at <= now:
            return None
        near = spent.seconds + more + self.lasts([method]) > OPERATING_LIMIT * SHARE
        return spent.reset_at if near else None

    def operating(self) -> Mapping[str, Spent]:
        """Give what is known of the operating time of each method."""
        with self._lock:
            return dict(self._spent)
