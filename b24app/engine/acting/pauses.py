"""How long an action waits: before it is tried again, and before anybody looks for what an unanswered request has made."""

from __future__ import annotations

import random
from datetime import timedelta

UNDER_WAY = timedelta(seconds=65)
"""How long after its sending a request may still be worked on: the portal cuts it off after 60 s (limits.md).

Nobody looks before that for what an unanswered one has made: not to find it would tell nothing.
"""
LONGEST_PAUSE = timedelta(minutes=10)


def pause(tries: int) -> timedelta:
    """Return a growing pause with jitter, so that what failed together does not come back together."""
    seconds = min(2.0 ** (tries - 1), LONGEST_PAUSE.total_seconds())
    return timedelta(seconds=seconds * random.uniform(0.5, 1.0))  # noqa: S311 - no secret depends on it
