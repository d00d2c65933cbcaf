"""The clock of the pretend world: stands still until turned, or runs from a chosen moment."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """Tell an aware time that tests turn by hand; ``running`` lets it go on with the real clock."""

    def __init__(self, start: datetime, *, running: bool = False) -> None:
        if start.tzinfo is None:
            raise ValueError("the clock starts at an aware moment")
        self._base = start.astimezone(UTC)
        self._started = time.monotonic()
        self._running = running

    def __call__(self) -> datetime:
        return self.now()

    def now(self) -> datetime:
        """Give the present moment in UTC."""
        if not self._running:
            return self._base
        return self._base + timedelta(seconds=time.monotonic() - self._started)

    def run(self) -> None:
        """Go on with the real clock from the present moment."""
        self._base, self._started, self._running = self.now(), time.monotonic(), True

    def advance(self, by: timedelta) -> datetime:
        """Turn the clock forward (or back) and give the new moment."""
        return self.set(self.now() + by)

    def set(self, to: datetime) -> datetime:
        """Set the clock to an aware moment."""
        if to.tzinfo is None:
            raise ValueError("the clock is set to an aware moment")
        self._base = to.astimezone(UTC)
        self._started = time.monotonic()
        return self._base
