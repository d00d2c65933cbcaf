"""What a portal's answers tell of its speed: how long commands take, and which methods have used up their time.

A method that has spent its operating time in the window of ten minutes is blocked until parts of the window are forgotten
(429). The limit is set by the vendor; the documentation's example is 480 s. Page: limits.md.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from b24app.bitrix.budget import Priority
from b24app.bitrix.replies import Timing

OPERATING_LIMIT = 480.0
SHARE = 0.95
"""How much of a method's operating time is used before the method rests."""
SHARE_OF_ANSWERS = 0.99
"""How much of it is used for robots the portal waits for: the last part is theirs."""
FIRST_GUESS: Mapping[str, float] = {"tasks.task.add": 0.4, "crm.item.update": 0.3}
"""Seconds a command is taken to last before the portal has told; `USUAL` for the rest."""
USUAL = 0.15
BLOCKED = timedelta(minutes=1)
"""How long a blocked method is left alone when nobody knows until when."""
MEMORY = 0.8
"""How much of an estimate stays when a new duration comes in."""


@dataclass(frozen=True, slots=True)
class Spent:
    """The operating time of a method as last told, and when a part of it is forgotten."""

    seconds: float
    reset_at: datetime


@dataclass(slots=True)
class Tempo:
    """The tempo of one portal, shared by the threads of a process; lanes hand its operating times on to each other."""

    _seconds: dict[str, float] = field(default_factory=dict)
    _spent: dict[str, Spent] = field(default_factory=dict)
    _news: bool = False
    """Whether something was told that has not been handed on."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, method: str, time: Timing) -> None:
        """Take in the ``time`` block of a command that worked."""
        with self._lock:
            if time.duration is not None:
                before = self._seconds.get(method, time.duration)
                self._seconds[method] = before * MEMORY + time.duration * (1 - MEMORY)
            if time.operating is not None and time.operating_reset_at is not None:
                self._spent[method] = Spent(time.operating, time.operating_reset_at)
                self._news = True

    def blocked(self, method: str, now: datetime, until: datetime | None = None) -> datetime:
        """Take in that the portal has blocked a method; return until when, as it says now, or said before."""
        with self._lock:
            known = self._spent.get(method)
            if until is None or until <= now:
                until = known.reset_at if known is not None and known.reset_at > now else now + BLOCKED
            self._spent[method] = Spent(OPERATING_LIMIT, until)
            self._news = True
        return until

    def lasts(self, methods: Iterable[str]) -> float:
        """Estimate how long commands take one after the other, seconds."""
        return sum(self._seconds.get(method, FIRST_GUESS.get(method, USUAL)) for method in methods)

    def rests_until(
        self, method: str, now: datetime, more: float = 0.0, priority: Priority = Priority.ENTRY
    ) -> datetime | None:
        """Tell until when a method is better left alone, with ``more`` seconds of it already on their way."""
        spent = self._spent.get(method)
        if spent is None or spent.reset_at <= now:
            return None
        share = SHARE_OF_ANSWERS if priority is Priority.ANSWER else SHARE
        near = spent.seconds + more + self.lasts([method]) > OPERATING_LIMIT * share
        return spent.reset_at if near else None

    def operating(self) -> Mapping[str, Spent]:
        """Give what is known of the operating time of each method."""
        with self._lock:
            return dict(self._spent)

    def take_over(self, told: Mapping[str, Spent]) -> None:
        """Take in what another process was told, where that is newer: the moment of forgetting only goes on."""
        with self._lock:
            for method, spent in told.items():
                known = self._spent.get(method)
                if known is None or (known.reset_at, known.seconds) < (spent.reset_at, spent.seconds):
                    self._spent[method] = spent

    def to_hand_on(self, now: datetime) -> Mapping[str, Spent] | None:
        """Give what the next worker has to know, once after something new was told; None when nothing was."""
        with self._lock:
            if not self._news:
                return None
            self._news = False  # what is noted from here on is news again
            return {method: spent for method, spent in self._spent.items() if spent.reset_at > now}

    def not_handed_on(self) -> None:
        """Take in that what `to_hand_on` gave could not be stored."""
        with self._lock:
            self._news = True


def as_rows(told: Mapping[str, Spent]) -> dict[str, list[float]]:
    """Write operating times as they are stored: seconds, and the unix time at which a part is forgotten."""
    return {method: [round(spent.seconds, 3), spent.reset_at.timestamp()] for method, spent in told.items()}


def from_rows(rows: Mapping[str, Sequence[float]]) -> dict[str, Spent]:
    """Read what `as_rows` wrote."""
    return {method: Spent(seconds, datetime.fromtimestamp(at, UTC)) for method, (seconds, at) in rows.items()}
