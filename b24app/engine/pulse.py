"""A pulse keeps a lease alive while its holder lives."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from b24app.log import log

_log = log("pulse")


class Pulse:
    """Renews a lease while a worker lives, from a thread of its own; ``lost`` tells that somebody else has it now."""

    def __init__(self, renew: Callable[[], bool], every: float) -> None:
        self.lost = False
        self._renew = renew
        self._every = every
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        while not self._end.wait(self._every):
            try:
                self.lost = not self._renew()
            except SQLAlchemyError:  # a pool without a free connection is no `DBAPIError`
                _log.warning("a lease could not be renewed")
            if self.lost:
                return

    def stop(self) -> None:
        self._end.set()
        self._thread.join()
