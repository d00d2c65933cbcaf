"""Who may look after the installation: operators with the admin token, at a bounded pace."""

from __future__ import annotations

import hmac
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from b24app.core.item import ItemRef
from b24app.core.text import T
from b24app.engine.workshop import Workshop

MINUTE = timedelta(minutes=1)
CHANGES = 60  # per operator and minute
FAILURES = 10  # wrong tokens per address and minute


class Preview(Protocol):
    """What a rerun did, or would do."""

    @property
    def actions(self) -> list[dict[str, Any]]: ...
    @property
    def why(self) -> T: ...
    @property
    def run_ids(self) -> Any: ...


class Reruns(Protocol):
    """What runs robots once more."""

    def rerun_run(
        self, workshop: Workshop, run_id: int, who: str, why: str, *, dry_run: bool, force: bool, once: str = ""
    ) -> Preview: ...

    def rerun_entry(
        self, workshop: Workshop, entry_id: int, who: str, why: str, *, dry_run: bool, force: bool, once: str = ""
    ) -> Preview: ...

    def run_robot(
        self,
        workshop: Workshop,
        portal_id: int,
        item: ItemRef,
        code: str,
        props: Mapping[str, Any],
        who: str,
        why: str,
        *,
        dry_run: bool,
        once: str = "",
    ) -> Preview: ...


class Pace:
    """So many events a minute for each name, in this process; the clock is handed in."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: dict[str, deque[datetime]] = {}
        self._lock = threading.Lock()

    def full(self, name: str, now: datetime) -> bool:
        """Tell whether a name has used up its minute."""
        with self._lock:
            return len(self._recent(name, now)) >= self._limit

    def note(self, name: str, now: datetime) -> None:
        """Count an event."""
        with self._lock:
            self._recent(name, now).append(now)

    def _recent(self, name: str, now: datetime) -> deque[datetime]:
        if len(self._seen) > 10_000:  # somebody sends from everywhere; begin anew rather than grow
            self._seen.clear()
        seen = self._seen.setdefault(name, deque())
        while seen and now - seen[0] >= MINUTE:
            seen.popleft()
        return seen


@dataclass(frozen=True, slots=True)
class Door:
    """Checks the admin token in constant time and keeps guessing slow."""

    token: str
    failures: Pace

    def opens(self, given: str, address: str, now: datetime) -> bool:
        """Tell whether a token is right; an address that guessed too often is not listened to."""
        if self.failures.full(address, now):
            return False
        right = hmac.compare_digest(self.token.encode(), given.encode("utf-8", "replace"))
        if not right:
            self.failures.note(address, now)
        return right
