"""Workers: threads that drain portals. What wakes them may be lost or doubled; the rows tell what there is to do."""

from __future__ import annotations

import queue
import socket
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from b24app.engine.install import settle_wanted, wanting
from b24app.engine.lane import Lane
from b24app.engine.workshop import Workshop
from b24app.log import log

_log = log("workers")


def worker_name() -> str:
    """Name a worker so that no two ever share a name."""
    return f"{socket.gethostname()[:24]}:{uuid.uuid4().hex[:12]}"


def drain(workshop: Workshop, portal_id: int, owner: str, stopping: Callable[[], bool] = lambda: False) -> None:
    """Do all a portal has to do now; a mistake in it is logged and tried again at the next tick.

    Once ``stopping`` tells so, nothing is begun any more: the rows keep what is left for the next worker.
    """
    if stopping():
        return
    try:
        settle_wanted(workshop, portal_id)
        Lane(workshop, portal_id, owner, stopping=stopping).drain()
    except Exception:  # noqa: BLE001 - the worker loop: one portal that fails must not end the worker
        _log.exception("a drain broke off", portal=portal_id)


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
        while (portal_id := self._waiting.get()) is not None:
            with self._lock:
                self._queued.discard(portal_id)
                self._busy.add(portal_id)
            drain(self.workshop, portal_id, owner, self._stopping.is_set)
            with self._lock:
                self._busy.discard(portal_id)
                again = portal_id in self._again
                self._again.discard(portal_id)
            if again:
                self.wake(portal_id)
