"""The arithmetic of a leaky bucket by virtual scheduling (GCRA). Pure; the store keeps the one number it needs.

The portal blocks above 50 requests drained at 2 a second, per source address; whether the 51st still passes is
told differently in two places, so the application stays at 50. Page: limits.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

RATE = 2.0  # requests a second
BURST = 50  # requests at once from rest

SET_BACK = 60.0
"""Seconds ahead of a full bucket from which on a stored moment tells that the clock was set back since."""

_ROUNDING = 1e-6  # seconds; clock readings near 2e9 carry no more


def grant(tat: float, now: float, rate: float = RATE, burst: int = BURST, hits: int = 1) -> tuple[float, float]:
    """Ask for ``hits`` requests at ``now``; give the new ``tat`` and 0, or the old one and the seconds to wait.

    ``tat`` (theoretical arrival time) is the moment at which the bucket will be empty, in the unit and from the
    origin of ``now``; a portal never spoken to has 0. Raises ``ValueError`` for more hits than the bucket holds.
    """
    if not 1 <= hits <= burst:
        raise ValueError(f"{hits} requests never fit a bucket of {burst}")
    filled = max(tat, now) + hits / rate
    wait = filled - now - burst / rate
    if wait > _ROUNDING:
        return tat, wait
    return filled, 0.0


def believable(tat: float, now: float, rate: float = RATE, burst: int = BURST) -> float:
    """Give the stored ``tat``, or that of a full bucket where only a clock that was set back can have written it."""
    full = now + burst / rate
    return full if tat > full + SET_BACK else tat


# Priorities -----------------------------------------------------------------------------------------------------------


class Priority(IntEnum):
    """Who goes first where requests are short: each leaves a part of the bucket to those before it."""

    ANSWER = 0
    """Robots the portal waits for, people at a page, messages to send."""
    ENTRY = 1
    """Stage entries, finished tasks, changed fields, and reading the history."""
    TIMER = 2
    EXPORT = 3
    BACKFILL = 4


@dataclass(frozen=True, slots=True)
class Bucket:
    """The bucket of a portal's plan."""

    rate: float = RATE
    burst: int = BURST

    def room(self, priority: Priority) -> int:
        """Give how many requests a priority may have in the bucket at once.

        Nobody gets all of it: requests that were granted apart may arrive together, and pages of people who look at the
        portal right now ask it directly, from the same address.
        """
        return max(1, int(self.burst * _SHARES[priority]))


_SHARES = {
    Priority.ANSWER: 0.94,
    Priority.ENTRY: 0.84,
    Priority.TIMER: 0.7,
    Priority.EXPORT: 0.5,
    Priority.BACKFILL: 0.3,
}
ORDINARY = Bucket()
ENTERPRISE = Bucket(5.0, 250)


def bucket_of(licence: str) -> Bucket:
    """Tell the bucket by the licence as ``app.info`` names it (``ru_ent250``); page: limits.md."""
    return ENTERPRISE if "_ent" in licence.lower() else ORDINARY
