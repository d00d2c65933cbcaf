"""How a portal's rows are doing: what waits for how long, and whether events keep coming."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.item import ItemRef
from b24app.store import tables as t
from b24app.store.journal import OPEN


@dataclass(frozen=True, slots=True)
class Unheralded:
    """Stage entries that no event told of: how many, and the first of them."""

    number: int
    item: ItemRef
    at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """Since when the oldest of what could be done now waits; None where nothing does."""

    callback: datetime | None
    work: datetime | None
    action: datetime | None


def last_event(connection: Connection, portal_id: int) -> datetime | None:
    """Return when the newest event kept in the inbox came."""
    i = t.inbox.c
    statement = sa.select(i.received_at).where(i.portal_id == portal_id, i.kind == "event").order_by(i.id.desc()).limit(1)
    found: datetime | None = connection.execute(statement).scalar()
    return found


def entries_after(connection: Connection, portal_id: int, after: datetime) -> Unheralded | None:
    """Count the stage entries people or automation made after a moment; None where there are none."""
    e = t.entries.c
    where = (e.portal_id == portal_id) & e.history_id.is_not(None) & (e.at > after)
    number = connection.execute(sa.select(sa.func.count()).where(where)).scalar_one()
    first = connection.execute(sa.select(t.entries).where(where).order_by(e.at, e.id).limit(1)).one_or_none()
    return None if first is None else Unheralded(number, ItemRef(first.entity_type_id, first.item_id), first.at)


def waiting_since(connection: Connection, portal_id: int, at: datetime) -> Waiting:
    """Return since when the oldest callback, piece of work and action wait; what was put off waits from then on."""
    i, w, a = t.inbox.c, t.work.c, t.actions.c
    put_off = sa.func.coalesce(w.not_before, w.created_at, type_=t.Moment())
    held = sa.func.coalesce(a.not_before, a.created_at, type_=t.Moment())

    def oldest(moment: sa.ColumnElement[datetime], where: sa.ColumnElement[bool]) -> datetime | None:
        statement = sa.select(sa.func.min(moment, type_=t.Moment())).where(where, moment <= at)
        found: datetime | None = connection.execute(statement).scalar()
        return found

    return Waiting(
        oldest(i.received_at, (i.portal_id == portal_id) & i.handled_at.is_(None)),
        oldest(put_off, (w.portal_id == portal_id) & (w.state == "ready")),
        oldest(held, (a.portal_id == portal_id) & a.state.in_(OPEN)),
    )
