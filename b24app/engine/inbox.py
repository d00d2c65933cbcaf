"""The inbox of a process: callbacks that arrive together are written down in one transaction.

Each transaction costs a sync of the disk, and several that write at once wait for each other (SQLite's busy handler sleeps
up to 100 ms). So the first caller to come writes for all who came meanwhile; everybody returns when what he brought is
committed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.exc import DBAPIError

from b24app.store import queue
from b24app.store.database import Database
from b24app.store.portals import Portal, Portals

BELIEVED = 2.0
"""Seconds for which a portal whose application token fitted is not read again."""


@dataclass(slots=True)
class _Letter:
    """A callback on its way into the database: ``new`` and ``error`` say what became of it."""

    portal_id: int
    kind: str
    body: Mapping[str, Any]
    at: datetime
    key: str | None
    settled: bool = False
    new: bool = False
    wakes: bool = False
    error: DBAPIError | None = None


@dataclass(slots=True)
class Inbox:
    """Writes callbacks down for all threads of a process."""

    database: Database
    portals: Portals
    _waiting: list[_Letter] = field(default_factory=list)
    _door: threading.Lock = field(default_factory=threading.Lock)
    _pen: threading.Lock = field(default_factory=threading.Lock)
    _known: dict[str, tuple[float, Portal]] = field(default_factory=dict)

    def put(
        self, portal_id: int, kind: str, body: Mapping[str, Any], at: datetime, key: str | None = None
    ) -> tuple[bool, bool]:
        """Write a callback down; tell whether it is new, and whether its portal slept and is to be woken.

        Raises the ``DBAPIError`` that kept it from being written.
        """
        letter = _Letter(portal_id, kind, body, at, key)
        with self._door:
            self._waiting.append(letter)
        with self._pen:
            if not letter.settled:
                with self._door:
                    others, self._waiting = [x for x in self._waiting if x is not letter], []
                self._write_all([letter, *others])
        if letter.error is not None:
            raise letter.error
        return letter.new, letter.wakes

    def _write_all(self, letters: Sequence[_Letter]) -> None:
        """Write letters at once; one by one where that fails, so that each meets its own error."""
        try:
            self._write(letters)
        except DBAPIError as error:
            if len(letters) == 1:
                letters[0].error, letters[0].settled = error, True
                return
            for letter in letters:
                self._write_all([letter])

    def _write(self, letters: Sequence[_Letter]) -> None:
        with self.database.write() as connection:
            plain = [letter for letter in letters if letter.key is None]
            if plain:
                queue.receive_all(connection, [(x.portal_id, x.kind, x.body, x.at) for x in plain])
            new = {
                id(letter): letter.key is None
                or queue.receive(connection, letter.portal_id, letter.kind, letter.body, letter.at, letter.key)
                for letter in letters
            }
            woken = {letter.portal_id: letter.at for letter in letters if new[id(letter)]}
            slept = {number for number, at in woken.items() if self.portals.wake(connection, number, at)}
        for letter in letters:
            letter.new = new[id(letter)]
            letter.wakes = letter.new and letter.portal_id in slept
            letter.settled = True

    # senders -----------------------------------------------------------------------------------------------------------

    def known(self, member_id: str) -> Portal | None:
        """Return a portal as it was read at most `BELIEVED` seconds ago."""
        found = self._known.get(member_id)
        return found[1] if found is not None and time.monotonic() - found[0] < BELIEVED else None

    def ever_known(self, member_id: str) -> Portal | None:
        """Return a portal as it was last read, however long ago: for when the database cannot be asked."""
        found = self._known.get(member_id)
        return found[1] if found is not None else None

    def learn(self, portal: Portal) -> None:
        """Remember a portal for a moment."""
        self._known[portal.member_id] = (time.monotonic(), portal)

    def forget(self, member_id: str) -> None:
        self._known.pop(member_id, None)
