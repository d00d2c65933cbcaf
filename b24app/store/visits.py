"""Installers' hours held for orders, and visits booked in the calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.actions import AddVisit, ClaimSlot
from b24app.core.item import Busy, ItemRef
from b24app.store import tables as t
from b24app.store.sql import insert, insert_once, item_values, of_item


def claim(connection: Connection, portal_id: int, action: ClaimSlot, title: str, at: datetime) -> Busy | None:
    """Hold time for an item; return what stands in the way, or None when it is held.

    The portal's row is locked first, so that two claims at once are decided one after the other.
    """
    connection.execute(sa.select(t.portals.c.id).where(t.portals.c.id == portal_id).with_for_update())
    s = t.slots.c
    overlapping = sa.and_(s.portal_id == portal_id, s.user_id == action.user, s.start < action.end, s.end > action.start)
    for row in connection.execute(sa.select(t.slots).where(overlapping)):
        held_for = ItemRef(row.entity_type_id, row.item_id)
        if held_for != action.item:
            return Busy(row.start, row.end, "visit", row.title, held_for, row.user_id)
    release(connection, portal_id, action.item)
    row_values = {
        **item_values(portal_id, action.item),
        "user_id": action.user,
        "start": action.start,
        "end": action.end,
        "title": title,
        "claimed_at": at,
    }
    insert(connection, t.slots, row_values)
    return None


def release(connection: Connection, portal_id: int, item: ItemRef) -> None:
    connection.execute(sa.delete(t.slots).where(of_item(t.slots, portal_id, item)))


def held(connection: Connection, portal_id: int, users: Iterable[int], start: datetime, end: datetime) -> list[Busy]:
    """Return the time held of these users in a span."""
    s = t.slots.c
    where = sa.and_(s.portal_id == portal_id, s.user_id.in_(list(users)), s.start < end, s.end > start)
    return [
        Busy(row.start, row.end, "visit", row.title, ItemRef(row.entity_type_id, row.item_id), row.user_id)
        for row in connection.execute(sa.select(t.slots).where(where))
    ]


def booked(connection: Connection, portal_id: int, action_id: int, visit_id: int, action: AddVisit) -> None:
    row = {
        **item_values(portal_id, action.item),
        "action_id": action_id,
        "visit_id": visit_id,
        "user_id": action.user,
        "start": action.start,
        "end": action.end,
        "cancelled": False,
    }
    insert_once(connection, t.visits, row)


def cancelled(connection: Connection, portal_id: int, visit_id: int) -> None:
    where = (t.visits.c.portal_id == portal_id) & (t.visits.c.visit_id == visit_id)
    connection.execute(sa.update(t.visits).where(where).values(cancelled=True))


def own(connection: Connection, portal_id: int) -> set[int]:
    """Return the calendar's ids of the visits booked here and not cancelled."""
    return set(connection.execute(_OWN, {"portal_id": portal_id}).scalars())


_OWN = sa.select(t.visits.c.visit_id).where(t.visits.c.portal_id == sa.bindparam("portal_id"), sa.not_(t.visits.c.cancelled))
