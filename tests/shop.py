"""A workshop for tests: a database in a file of its own, a clock that is turned by hand, a silent world."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from b24app.bitrix.addresses import Addresses
from b24app.bitrix.oauth import OAuth
from b24app.bitrix.transport import new_session
from b24app.core.portal import PortalSettings
from b24app.core.process import ProcessDef
from b24app.core.robot import Catalogue
from b24app.engine.workshop import Workshop
from b24app.settings import Settings
from b24app.store.database import Database, open_database
from b24app.store.portals import Grant, Portal, Portals, PortalState
from b24app.store.secrets import Vault
from b24app.store.spool import Spool
from b24app.store.tables import metadata
from robots import CATALOGUE

MEMBER = "3f1c0e5d7a9b4c2e8d6f0a1b2c3d4e5f"
TOKEN = "app-token-51f0"
PORTAL = "https://okna.bitrix24.ru"
OAUTH = "https://oauth.bitrix24.tech/rest/"
START = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)


def _session() -> requests.Session:
    return new_session("b24app/test")


@dataclass(slots=True)
class TurnedClock:
    """A clock that stands still until it is turned."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def turn(self, **how_far: float) -> None:
        self.at += timedelta(**how_far)


@dataclass(slots=True)
class Shop:
    """A workshop with what tests turn and look at."""

    workshop: Workshop
    clock: TurnedClock
    woken: list[int] = field(default_factory=list)

    def oauth_of(self, client_id: str, client_secret: str) -> OAuth:
        """Give the authorization server's client under other credentials."""
        return OAuth(_session(), client_id, client_secret, self.workshop.addresses, self.clock)

    def add_portal(self, member_id: str = MEMBER, token: str = TOKEN, state: PortalState = "active", **grant: Any) -> Portal:
        """Store a portal as if it had been installed."""
        granted = replace(
            Grant(
                access="access-1",
                refresh="refresh-1",
                expires=self.clock() + timedelta(hours=1),
                user=1,
                endpoint=f"{PORTAL}/rest/",
                oauth_endpoint=OAUTH,
                scope="crm,task",
            ),
            **grant,
        )
        with self.workshop.database.write() as connection:
            portals = self.workshop.portals
            found = portals.add(connection, member_id, granted, token, PortalSettings(), self.clock())
            portals.set_state(connection, found, state)
        return self.workshop.portal(found)


def shop(
    tmp_path: Path,
    *,
    catalogue: Catalogue = CATALOGUE,
    processes: dict[str, ProcessDef] | None = None,
    clock: Any = None,
    **settings: Any,
) -> Shop:
    """Open a shop whose database lies in a folder of the test."""
    clock = clock or TurnedClock()
    engine = open_database(f"sqlite:///{tmp_path / 'app.db'}")
    metadata.create_all(engine)
    given = {
        "public_url": "https://app.example",
        "client_id": "local.1",
        "client_secret": "client-secret",
        "secret_key": "0123456789abcdef",
        "admin_token": "operators-token-1",
        **settings,
    }
    chosen = Settings(**given)
    addresses = Addresses(chosen.oauth_hosts, chosen.allow_http)
    woken: list[int] = []
    vault = Vault(*chosen.secret_keys)
    workshop = Workshop(
        settings=chosen,
        database=Database(engine),
        portals=Portals(vault),
        spool=Spool(tmp_path / "spool", vault),
        clock=clock,
        catalogue=catalogue,
        processes=processes or {},
        portal_processes={},
        oauth=OAuth(_session(), chosen.client_id, chosen.client_secret, addresses, clock),
        addresses=addresses,
        session=_session,
        wake=woken.append,
        pace=clock,
    )
    return Shop(workshop, clock, woken)
