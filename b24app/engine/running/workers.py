"""Workers: threads that drain portals. What wakes them may be lost or doubled; the rows tell what there is to do."""

from __future__ import annotations

import contextlib
import os
import queue
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from b24app.engine.running.lane import Lane
from b24app.engine.setup.install import settle_wanted, wanting
from b24app.engine.workshop import Workshop
from b24app.log import log, mask

SOON = 10.0
"""Seconds ahead within which a portal is woken to the moment; the clock's look every second sees to what is later."""
LEAST = 0.05
BROKEN = (10, 20)
"""Seconds for which a portal is left alone whose drain broke off by a mistake."""
_log = log("workers")


def worker_name() -> str:
    """Name a worker so that no two ever share a name: its machine, its process, a chance number."""
    return f"{socket.gethostname()[:24]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


def drain(workshop: Workshop, portal_id: int, owner: str, stopping: Callable[[], bool] = lambda: False) -> datetime | None:
    """Do all a portal has to do now; a mistake in it is logged, and the portal tried again after a pause.

    Return when something comes due by itself, where that is known. Once ``stopping`` tells so, nothing is begun any more:
    the rows keep what is left for the next worker.
    """
    if stopping():
        return None
    try:
        settle_wanted(workshop, portal_id)
        return Lane(workshop, portal_id, owner, stopping=stopping).drain().again
    except Exception as error:  # noqa: BLE001 - the worker loop: one portal that fails must not end the worker
        _log.exception("a drain broke off", portal=portal_id)
        _leave_alone(workshop, portal_id, error)
        return None


def _leave_alone(workshop: Workshop, portal_id: int, error: Exception) -> None:
    """Pause a portal whose drain broke off, and say why: it would break off at the same place every second.

    Operators are told when it cannot be read for long. Trouble of the database is none of the portal's.
    """
    if isinstance(error, SQLAlchemyError):
        return
    until = workshop.now() + timedelta(seconds=random.uniform(*BROKEN))  # noqa: S311 - jitter
    told = mask.text(f"{type(error).__name__}: {error}")[:300]
    with contextlib.suppress(SQLAlchemyError), workshop.database.write() as connection:
        workshop.portals.pause(connection, portal_id, until, told)


def inherit(workshop: Workshop) -> None:
    """Free what a process that died held, in the only process there is: it is not to be waited for."""
    with workshop.database.write() as connection:
        workshop.portals.free_lanes(connection)


def due_portals(workshop: Workshop) -> list[int]:
    """Return the portals that have something to do now, or want to be set up."""
    period = timedelta(seconds=workshop.settings.reader_period)
    with workshop.database.read() as connection:
        due = workshop.portals.due(connection, workshop.now(), period)
    return [*due, *(portal_id for portal_id in wanting(workshop) if portal_id not in due)]


@dataclass(slots=True)
class Workers:
    """A pool of threads inside one process; a portal is never in two of them at once."""

    workshop: Workshop
    threads: int = 4
    _waiting: queue.SimpleQueue[int | None] = field(default_factory=queue.SimpleQueue)
    _queued: set[int] = field(default_factory=set)
    _busy: set[int] = field(default_factory=set)
    _again: set[int] = field(default_factory=set)
    _later: dict[int, float] = field(default_factory=dict)
    """When portals are woken by themselves, by the process's stopwatch."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pool: list[threading.Thread] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start the threads and take up what was left lying."""
        self._stopping.clear()
        for number in range(self.threads):
            thread = threading.Thread(target=self._work, name=f"worker-{number}", daemon=True)
            thread.start()
            self._pool.append(thread)
        self.tick()

    def wake(self, portal_id: int) -> None:
        """Let a portal be drained soon: once more, if it is being drained now.

        In a process without working threads nothing is queued: the workers of other processes see the rows.
        """
        if not self._pool:
            return
        with self._lock:
            if portal_id in self._busy:
                self._again.add(portal_id)
            elif portal_id not in self._queued:
                self._queued.add(portal_id)
                self._waiting.put(portal_id)

    def tick(self) -> None:
        """Wake every portal that has something to do."""
        for portal_id in due_portals(self.workshop):
            self.wake(portal_id)

    def stop(self, seconds: float = 20) -> None:
        """Let every drain end after the step it is at and stop the threads; what is left is taken up at the next start."""
        self._stopping.set()
        for _ in self._pool:
            self._waiting.put(None)
        for thread in self._pool:
            thread.join(seconds)
        self._pool.clear()

    def _work(self) -> None:
        owner = worker_name()
        while (portal_id := self._next()) is not None:
            with self._lock:
                self._queued.discard(portal_id)
                self._later.pop(portal_id, None)
                self._busy.add(portal_id)
            due = drain(self.workshop, portal_id, owner, self._stopping.is_set)
            with self._lock:
                self._busy.discard(portal_id)
                again = portal_id in self._again
                self._again.discard(portal_id)
                wait = (due - self.workshop.now()).total_seconds() if due is not None else 0.0
                if 0 < wait <= SOON:
                    self._later[portal_id] = time.monotonic() + max(wait, LEAST)
            if again:
                self.wake(portal_id)

    def _next(self) -> int | None:
        """Wait for a portal to be woken, by whoever or by itself; None to end."""
        while True:
            with self._lock:
                now = time.monotonic()
                late = [portal_id for portal_id, at in self._later.items() if at <= now]
                for portal_id in late:
                    del self._later[portal_id]
                soonest = min(self._later.values(), default=None)
            for portal_id in late:
                self.wake(portal_id)
            with contextlib.suppress(queue.Empty):
                return self._waiting.get(timeout=None if soonest is None else soonest - now)
