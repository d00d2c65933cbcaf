"""The portals that installed the application: their tokens, settings and what is known of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.portal import PortalSettings, Secrets
from b24app.store import tables as t
from b24app.store import timers
from b24app.store.leases import latest
from b24app.store.secrets import Vault
from b24app.store.sql import insert

SKEW = timedelta(minutes=5)
"""How far the clocks of a portal and of this machine may lie apart."""

PortalState = Literal["installing", "active", "reconnect", "removed"]
Operating = Mapping[str, Sequence[float]]
LONGEST_REST = timedelta(minutes=10)
"""A pause that ends later than this was begun before the clock was set back."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Access to a portal in the name of its technical administrator."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires: datetime
    user: int
    endpoint: str
    oauth_endpoint: str
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal as stored; secrets are decrypted and never shown."""

    id: int
    member_id: str
    state: PortalState
    reason: str
    grant: Grant
    application_tokens: tuple[str, ...] = field(repr=False)
    settings: PortalSettings
    secrets: Secrets = field(repr=False)
    registered: Mapping[str, str]
    installed_at: datetime
    renewed_at: datetime
    restored_at: datetime | None = None
    """When the database was last put in place from an older copy of it."""
    spare: str = field(default="", repr=False)
    """A refresh token of the same user from another chain of renewals; empty where there is none."""
    spare_at: datetime | None = None
    """When the spare came, or was used up."""

    @property
    def works(self) -> bool:
        """Whether work may be done for it now."""
        return self.state == "active"

    def doubts(self, happened: datetime) -> bool:
        """Tell whether what happened then may have been dealt with before, in rows that a restored copy does not have."""
        return self.restored_at is not None and happened <= self.restored_at + SKEW

    @property
    def host(self) -> str:
        """The portal's host, with its port when it has one of its own."""
        return self.grant.endpoint.split("://", 1)[-1].split("/", 1)[0]

    @property
    def url(self) -> str:
        """The address people open the portal at."""
        return self.grant.endpoint.rsplit("/rest", 1)[0]


@dataclass(frozen=True, slots=True)
class Reads:
    """How often a portal was woken, up to which wake-up it was read, when, and until when it is to be left alone."""

    wakes: int
    wakes_read: int
    read_at: datetime | None
    not_before: datetime | None

    def rests(self, at: datetime) -> bool:
        """Tell whether the portal is to be left alone now; no pause is longer than `LONGEST_REST`, whatever clocks did."""
        return self.not_before is not None and at < self.not_before <= at + LONGEST_REST


_READ = tuple(column for column in t.portals.c if column.name != "knowledge")
_HERE = t.portals.c.id == sa.bindparam("portal_id")
_BY_ID = sa.select(*_READ).where(_HERE)
_READS = sa.select(t.portals.c.wakes, t.portals.c.wakes_read, t.portals.c.read_at, t.portals.c.not_before).where(_HERE)
_SECRET = ("access_token", "refresh_token", "spare_token", "application_tokens", "secrets")
_SEALED = sa.select(t.portals.c.id, *(t.portals.c[name] for name in _SECRET)).order_by(t.portals.c.id)
_KNOWLEDGE = sa.select(sa.cast(t.portals.c.knowledge, sa.Text)).where(_HERE)
_SPENT = sa.select(t.portals.c.budget, t.portals.c.knowledge["licence"].as_string()).where(_HERE)
_SPENT_LOCKED = _SPENT.with_for_update()
_OWNER_LOCKED = sa.select(t.portals.c.lane_owner).where(_HERE).with_for_update()
_WRITE = sa.update(t.portals).where(_HERE)
_WAKE = _WRITE.values(wakes=t.portals.c.wakes + 1, woken_at=sa.bindparam("at")).returning(
    t.portals.c.wakes, t.portals.c.wakes_read
)
_TAKE_LANE = _WRITE.where(
    sa.or_(
        t.portals.c.lane_owner == "",
        t.portals.c.lane_owner == sa.bindparam("owner"),
        t.portals.c.lane_until < sa.bindparam("now"),
        t.portals.c.lane_until > sa.bindparam("latest"),  # taken before the clock was set back
        t.portals.c.lane_until.is_(None),
    )
)


class Portals:
    """Queries about portals; each takes the connection of the transaction it belongs to."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def by_member(self, connection: Connection, member_id: str) -> Portal | None:
        row = connection.execute(sa.select(*_READ).where(t.portals.c.member_id == member_id)).one_or_none()
        return None if row is None else self._portal(row)

    def by_id(self, connection: Connection, portal_id: int) -> Portal | None:
        row = connection.execute(_BY_ID, {"portal_id": portal_id}).one_or_none()
        return None if row is None else self._portal(row)

    def all(self, connection: Connection) -> list[Portal]:
        return [self._portal(row) for row in connection.execute(sa.select(*_READ).order_by(t.portals.c.id))]

    def add(
        self,
        connection: Connection,
        member_id: str,
        grant: Grant,
        application_token: str,
        settings: PortalSettings,
        at: datetime,
    ) -> int:
        """Store a portal that was proved to be what it says."""
        values = {
            "member_id": member_id,
            "state": "installing",
            "reason": "",
            "application_tokens": self._vault.lock(json.dumps([application_token] if application_token else [])),
            "settings": settings.model_dump(mode="json"),
            "secrets": self._vault.lock(Secrets().model_dump_json()),
            "registered": {},
            "knowledge": {},
            "installed_at": at,
            **self._granted(grant, at),
        }
        return insert(connection, t.portals, values)

    def grant(self, connection: Connection, portal_id: int, grant: Grant, at: datetime) -> None:
        """Store a new pair of tokens; a portal that waited to be reconnected is active again."""
        self._write(connection, portal_id, **self._granted(grant, at))
        waiting = (t.portals.c.id == portal_id) & (t.portals.c.state == "reconnect")
        connection.execute(sa.update(t.portals).where(waiting).values(state="active", reason=""))

    def renewed(self, connection: Connection, portal_id: int, stale: str, grant: Grant, at: datetime) -> bool:
        """Store a refreshed pair unless somebody else stored another one since ``stale`` was read."""
        stored = self.by_id(connection, portal_id)
        if stored is None or stored.grant.access != stale:
            return False
        self._write(connection, portal_id, **self._granted(grant, at))
        return True

    def keep_spare(self, connection: Connection, portal_id: int, refresh: str, at: datetime) -> None:
        """Keep a refresh token of another chain for when the first one is refused; an empty one notes that it is used up."""
        self._write(connection, portal_id, spare_token=self._vault.lock(refresh) if refresh else None, spare_at=at)

    def accept_token(self, connection: Connection, portal_id: int, application_token: str) -> None:
        """Remember a new application token; the one before it stays good, as deliveries may be late."""
        stored = self.by_id(connection, portal_id)
        if stored is None or application_token in stored.application_tokens[:1]:
            return
        kept = [application_token, *(token for token in stored.application_tokens if token != application_token)][:2]
        self._write(connection, portal_id, application_tokens=self._vault.lock(json.dumps(kept)))

    def set_state(self, connection: Connection, portal_id: int, state: PortalState, reason: str = "") -> None:
        self._write(connection, portal_id, state=state, reason=reason)

    def set_endpoint(self, connection: Connection, portal_id: int, endpoint: str) -> None:
        """Store the address a portal has moved to."""
        self._write(connection, portal_id, endpoint=endpoint)

    def set_settings(self, connection: Connection, portal_id: int, settings: PortalSettings) -> None:
        self._write(connection, portal_id, settings=settings.model_dump(mode="json"))

    def set_secrets(self, connection: Connection, portal_id: int, secrets: Secrets) -> None:
        self._write(connection, portal_id, secrets=self._vault.lock(secrets.model_dump_json()))

    def set_registered(self, connection: Connection, portal_id: int, registered: Mapping[str, str]) -> None:
        """Store the hashes of what the portal was given; definitions cannot be read back from it."""
        self._write(connection, portal_id, registered=dict(registered))

    def knowledge(self, connection: Connection, portal_id: int) -> str:
        """Return what was read of the portal and is kept for a while, as JSON: people, stages, field types.

        It is long and asked for often; whoever reads it can tell by the text whether it is what he has read before.
        """
        return connection.execute(_KNOWLEDGE, {"portal_id": portal_id}).scalar() or "{}"

    def set_knowledge(self, connection: Connection, portal_id: int, knowledge: Mapping[str, Any]) -> None:
        self._write(connection, portal_id, knowledge=dict(knowledge))

    def locked_with_another_key(self, connection: Connection) -> list[int]:
        """Return the portals of which something is encrypted with another key than the first."""
        rows = connection.execute(_SEALED)
        return [row.id for row in rows if not all(map(self._vault.locked_lately, _secrets(row).values()))]

    def lock_again(self, connection: Connection) -> list[int]:
        """Encrypt with the first key what another one encrypted; return the portals; raises `WrongSecretKey`."""
        found = self.locked_with_another_key(connection)
        for portal_id in found:
            row = connection.execute(_SEALED.where(_HERE).with_for_update(), {"portal_id": portal_id}).one()
            anew = {name: self._vault.lock(self._vault.unlock(locked)) for name, locked in _secrets(row).items()}
            self._write(connection, portal_id, **anew)
        return found

    # waking and the lane -----------------------------------------------------------------------------------------

    def wake(self, connection: Connection, portal_id: int, at: datetime) -> bool:
        """Note that there is something to read or to do; tell whether the portal slept until now."""
        row = connection.execute(_WAKE, {"portal_id": portal_id, "at": at}).one_or_none()
        return row is not None and row.wakes == row.wakes_read + 1

    def pause(self, connection: Connection, portal_id: int, until: datetime, why: str = "") -> None:
        """Leave a portal alone until a moment: it asked for that, or it does not answer; ``why`` stays until it is read."""
        self._write(connection, portal_id, not_before=until, **({"reason": why} if why else {}))

    def was_read(self, connection: Connection, portal_id: int, wakes: int, at: datetime) -> None:
        """Note a reading that began after so many wake-ups."""
        self._write(connection, portal_id, wakes_read=wakes, read_at=at, not_before=None, reason="")

    def take_lane(
        self,
        connection: Connection,
        portal_id: int,
        owner: str,
        at: datetime,
        lease: timedelta,
        operating: Operating | None = None,
    ) -> bool:
        """Take the right to work for a portal, unless a living worker has it; ``operating`` is stored with it."""
        values = {"lane_owner": owner, "lane_until": at + lease, **_handed(operating)}
        asked = {"portal_id": portal_id, "owner": owner, "now": at, "latest": latest(at, lease)}
        return connection.execute(_TAKE_LANE, {**asked, **values}).rowcount == 1

    def has_lane(self, connection: Connection, portal_id: int, owner: str) -> bool:
        """Tell whether a worker has a portal's lane, and keep others from taking it until this transaction ends."""
        return bool(connection.execute(_OWNER_LOCKED, {"portal_id": portal_id}).scalar() == owner)

    def leave_lane(self, connection: Connection, portal_id: int, owner: str, operating: Operating | None = None) -> None:
        mine = (t.portals.c.id == portal_id) & (t.portals.c.lane_owner == owner)
        values = {"lane_owner": "", "lane_until": None, **_handed(operating)}
        connection.execute(sa.update(t.portals).where(mine).values(values))

    def operating(self, connection: Connection, portal_id: int) -> Operating:
        """Return the operating times the portal's last worker was told, as `b24app.bitrix.tempo.as_rows` writes them."""
        found = connection.execute(sa.select(t.portals.c.operating).where(t.portals.c.id == portal_id)).scalar()
        return dict(found or {})

    def free_lanes(self, connection: Connection) -> None:
        """Free all lanes, where it is known that nobody lives who has one."""
        connection.execute(sa.update(t.portals).values(lane_owner="", lane_until=None))

    def lane_taken(self, connection: Connection, portal_id: int) -> bool:
        """Tell whether a worker has a portal's lane now, or had it when it died."""
        c = t.portals.c
        return bool(connection.execute(sa.select(c.lane_owner).where(c.id == portal_id)).scalar())

    def reads(self, connection: Connection, portal_id: int) -> Reads:
        """Return how a portal's wake-ups and readings stand."""
        row = connection.execute(_READS, {"portal_id": portal_id}).one()
        return Reads(row.wakes, row.wakes_read, row.read_at, row.not_before)

    def due(self, connection: Connection, at: datetime, period: timedelta) -> list[int]:
        """Return the portals that have something to do now: a wake-up, a reading, a timer, an action, a piece of work."""
        p, m, a, w = t.portals.c, t.timers.c, t.actions.c, t.work.c
        open_actions = a.state.in_(("pending", "sending", "unknown"))
        something = sa.or_(
            p.wakes > p.wakes_read,
            p.read_at.is_(None),
            p.read_at <= at - period,
            p.read_at > at,  # the clock was set back
            sa.exists().where(m.portal_id == p.id, m.state == "waiting", m.due <= at, timers.not_taken_up()),
            sa.exists().where(a.portal_id == p.id, open_actions, sa.or_(a.not_before.is_(None), a.not_before <= at)),
            sa.exists().where(w.portal_id == p.id, w.state == "ready", sa.or_(w.not_before.is_(None), w.not_before <= at)),
        )
        allowed = sa.or_(p.not_before.is_(None), p.not_before <= at, p.not_before > at + LONGEST_REST)
        statement = sa.select(p.id).where(p.state == "active", allowed, something).order_by(p.id)
        return list(connection.execute(statement).scalars())

    def registered(self, connection: Connection) -> dict[int, Mapping[str, str]]:
        """Return what is noted of each portal that works or is being installed, by number, secrets left alone."""
        c = t.portals.c
        statement = sa.select(c.id, c.registered).where(c.state.in_(("installing", "active"))).order_by(c.id)
        return {row.id: row.registered for row in connection.execute(statement)}

    def spend(self, connection: Connection, portal_id: int) -> tuple[int, str]:
        """Return what `spent` does, locking the row where the database can."""
        return self.spent(connection, portal_id, lock=True)

    def spent(self, connection: Connection, portal_id: int, *, lock: bool = False) -> tuple[int, str]:
        """Return the budget's theoretical arrival time, microseconds, and the portal's licence."""
        row = connection.execute(_SPENT_LOCKED if lock else _SPENT, {"portal_id": portal_id}).one()
        return row[0], row[1] or ""

    def set_spent(self, connection: Connection, portal_id: int, budget: int) -> None:
        self._write(connection, portal_id, budget=budget)

    # ----------------------------------------------------------------------------------------------------------------

    def _write(self, connection: Connection, portal_id: int, **values: Any) -> None:
        connection.execute(_WRITE, {"portal_id": portal_id, **values})

    def _granted(self, grant: Grant, at: datetime) -> dict[str, Any]:
        return {
            "endpoint": grant.endpoint,
            "oauth_endpoint": grant.oauth_endpoint,
            "access_token": self._vault.lock(grant.access),
            "refresh_token": self._vault.lock(grant.refresh),
            "access_expires": grant.expires,
            "token_user": grant.user,
            "scope": grant.scope,
            "renewed_at": at,
        }

    def _portal(self, row: sa.Row[Any]) -> Portal:
        return Portal(
            id=row.id,
            member_id=row.member_id,
            state=row.state,
            reason=row.reason,
            grant=Grant(
                access=self._vault.unlock(row.access_token),
                refresh=self._vault.unlock(row.refresh_token),
                expires=row.access_expires,
                user=row.token_user,
                endpoint=row.endpoint,
                oauth_endpoint=row.oauth_endpoint,
                scope=row.scope,
            ),
            application_tokens=tuple(json.loads(self._vault.unlock(row.application_tokens))),
            settings=PortalSettings.model_validate(row.settings),
            secrets=Secrets.model_validate_json(self._vault.unlock(row.secrets)),
            registered=row.registered,
            installed_at=row.installed_at,
            renewed_at=row.renewed_at,
            restored_at=row.restored_at,
            spare=self._vault.unlock(row.spare_token) if row.spare_token else "",
            spare_at=row.spare_at,
        )


def _handed(operating: Operating | None) -> dict[str, Any]:
    return {} if operating is None else {"operating": dict(operating)}


def _secrets(row: sa.Row[Any]) -> dict[str, bytes]:
    return {name: locked for name in _SECRET if (locked := getattr(row, name)) is not None}
