"""What the engine works with, handed from hand to hand: store, clock, catalogue, the way to portals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import requests

from b24app import clock as clocks
from b24app.bitrix.addresses import Addresses
from b24app.bitrix.gate import Observer, Silent
from b24app.bitrix.oauth import OAuth
from b24app.bitrix.tempo import Tempo
from b24app.clock import Clock
from b24app.core.process import ProcessDef
from b24app.core.robot import Catalogue
from b24app.engine.inbox import Inbox
from b24app.engine.strangers import Strangers
from b24app.settings import Settings
from b24app.store.database import Database
from b24app.store.portals import Portal, Portals
from b24app.store.spool import Spool


class UnknownPortal(LookupError):
    """No portal of this number is stored."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """The tools of the engine. ``wake`` tells the workers that a portal has something to do; it may be lost."""

    settings: Settings
    database: Database
    portals: Portals
    spool: Spool
    clock: Clock
    catalogue: Catalogue
    processes: Mapping[str, ProcessDef]
    """The process files as loaded at start, by code."""
    portal_processes: Mapping[str, Mapping[str, ProcessDef]]
    """Process files of single portals, by ``member_id``: they stand beside or in place of the common ones."""
    oauth: OAuth
    addresses: Addresses
    session: Callable[[], requests.Session]
    """Makes an HTTP session that repeats nothing by itself; each thread takes its own."""
    wake: Callable[[int], None]
    observer: Observer = field(default_factory=Silent)
    pace: Clock = clocks.now
    """The clock of the request budget: portals count real seconds, whatever time the rest of the application lives in."""
    inbox: Inbox = field(init=False)
    strangers: Strangers = field(default_factory=Strangers)
    _tempos: dict[int, Tempo] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "inbox", Inbox(self.database, self.portals))

    def now(self) -> datetime:
        return self.clock()

    def tempo(self, portal_id: int) -> Tempo:
        """Give what this process knows of a portal's speed."""
        return self._tempos.setdefault(portal_id, Tempo())

    def portal(self, portal_id: int) -> Portal:
        """Return a portal as stored now; raises `UnknownPortal`."""
        with self.database.read() as connection:
            found = self.portals.by_id(connection, portal_id)
        if found is None:
            raise UnknownPortal(portal_id)
        return found

    def processes_of(self, portal: Portal) -> Mapping[str, ProcessDef]:
        """Return the process files that are meant for a portal, by code."""
        return {**self.processes, **self.portal_processes.get(portal.member_id, {})}
