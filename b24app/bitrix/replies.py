"""What a portal answers to a command that worked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_LATEST = 253_402_300_799  # the last second of year 9999


@dataclass(frozen=True, slots=True)
class Timing:
    """The ``time`` block: seconds, and moments in UTC; what the portal left out is ``None``.

    ``operating`` is the time this method has used up in the current ten-minute window, a sum and not the
    duration of this call. Page: limits.md.
    """

    duration: float | None = None
    operating: float | None = None
    operating_reset_at: datetime | None = None
    start: datetime | None = None
    finish: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one command; ``total`` and ``next`` only come with lists."""

    result: Any
    total: int | None = None
    next: int | None = None
    time: Timing = Timing()


def timing(block: object) -> Timing:
    """Read a ``time`` block, leaving out whatever is missing or is no number."""
    if not isinstance(block, dict):
        return Timing()
    return Timing(
        duration=_seconds(block.get("duration")),
        operating=_seconds(block.get("operating")),
        operating_reset_at=_moment(block.get("operating_reset_at")),
        start=_moment(block.get("start")),
        finish=_moment(block.get("finish")),
    )


def count(value: object) -> int | None:
    """Read ``total`` or ``next``; whatever is no whole number is ``None``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return None


def as_map(value: object) -> dict[str, Any]:
    """Read a map; PHP writes an empty one as ``[]``, and anything that is no map counts as empty."""
    return value if isinstance(value, dict) else {}


def as_rows(value: object) -> list[Any]:
    """Read a list; PHP writes one with gaps as a map, and anything that is neither counts as empty."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _moment(value: object) -> datetime | None:
    seconds = _seconds(value)
    if seconds is None or not 0 <= seconds <= _LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)
