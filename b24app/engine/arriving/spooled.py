"""Brings callbacks from the spool into the database, once it takes them again.

Each may be brought twice, by two processes of a machine or after a death: robot calls and texts are known by their keys,
and an event is only a hint that something is to be read.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from b24app.engine.arriving.intake import BadCallback, NotStored, take_in
from b24app.engine.arriving.trust import UnknownSender, Unproven
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import audit
from b24app.store.secrets import WrongSecretKey
from b24app.store.spool import Spooled, came_at

EVERY = 1.0
"""Seconds between two tries."""
_log = log("spooled")


def bring_in(workshop: Workshop) -> bool:
    """Write down what lies in the spool; False while something has to stay there."""
    brought: list[Spooled] = []
    left = False
    workshop.spool.in_use = False  # before looking: what is kept from now on may come too late for this round
    try:
        for spooled in workshop.spool.waiting():
            try:
                settled = _take_in(workshop, spooled)
            except NotStored:
                left = True
                break
            if settled:
                workshop.spool.done(spooled)
                brought.append(spooled)
            left |= not settled
    except WrongSecretKey:
        _log.error("a spooled callback was sealed with another SECRET_KEY", folder=str(workshop.spool.folder))
        left = True
    workshop.spool.in_use |= left
    if brought:
        _note(workshop, brought)
    return not left


def _take_in(workshop: Workshop, spooled: Spooled) -> bool:
    """Take a callback in, or drop what nobody would have taken; False for one to be tried again."""
    try:
        take_in(workshop, spooled.kind, spooled.code, spooled.body, sleep=None)
    except NotStored:
        raise
    except (BadCallback, UnknownSender) as refused:
        if isinstance(refused, Unproven) and refused.why == "later":
            return False
        _log.warning("a spooled callback was turned away", kind=spooled.kind, error=type(refused).__name__)
    except Exception:  # noqa: BLE001 - a mistake of ours with one callback must not keep back the others
        _log.exception("a spooled callback stays where it is", file=spooled.name)
        return False
    return True


def _note(workshop: Workshop, brought: list[Spooled]) -> None:
    """Tell operators how long the database took nothing, and how much came meanwhile."""
    since, until = came_at(brought[0].name), came_at(brought[-1].name)
    facts = {"number": len(brought), "since": since.isoformat(), "until": until.isoformat()}
    _log.warning("callbacks kept on the disk were taken in", **facts)
    with workshop.database.write() as connection:
        audit.note(connection, None, workshop.now(), "application", "spool_emptied", "", **facts)


@dataclass(slots=True)
class Delivery:
    """Empties the spool from a thread of its own: after the start of a process, and whenever something came to lie there."""

    workshop: Workshop
    sleep: Callable[[float], None] = time.sleep
    thread: threading.Thread | None = None
    _looked: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> None:
        """Start the thread where there is something to do; costs next to nothing where there is not."""
        if self._looked and not self.workshop.spool.in_use:
            return
        with self._lock:
            if self.thread is None or not self.thread.is_alive():
                self._looked = True
                if self.workshop.spool.names():
                    self.thread = threading.Thread(target=self._empty, name="spooled", daemon=True)
                    self.thread.start()

    def _empty(self) -> None:
        while not self._tried():
            self.sleep(EVERY)

    def _tried(self) -> bool:
        try:
            return bring_in(self.workshop)
        except (DBAPIError, OSError) as trouble:
            _log.warning("the spool could not be emptied", error=type(trouble).__name__)
            return False
