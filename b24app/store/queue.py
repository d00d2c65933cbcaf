"""What came in and what is to be done: the inbox, the cursors of the readers, and work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.item import ItemRef
from b24app.store import tables as t
from b24app.store.sql import insert_all_once, insert_once, of_item, upsert

WorkKind = Literal["entry", "call", "timer", "task", "change", "form", "payment", "ask", "rerun", "sms"]

PRIORITY: Mapping[str, int] = {
    "call": 0,
    "sms": 1,
    "ask": 1,
    "payment": 1,
    "form": 1,
    "entry": 2,
    "task": 2,
    "change": 2,
    "rerun": 2,
    "timer": 3,
}
"""Waiting robots first, then people's moves, then the clock."""
URGENT = 1
"""Work up to this priority is decided before actions of other work are carried out."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified callback that waits to be read."""

    id: int
    kind: str
    body: Mapping[str, Any]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work about one item."""

    id: int
    item: ItemRef
    key: str
    kind: WorkKind
    body: Mapping[str, Any]
    tries: int
    created_at: datetime
    happened_at: datetime
    priority: int = 2


# The inbox ------------------------------------------------------------------------------------------------------------


def receive(
    connection: Connection, portal_id: int, kind: str, body: Mapping[str, Any], at: datetime, key: str | None = None
) -> bool:
    """Write a callback down; False when the same one (by key) was there already."""
    row = {"portal_id": portal_id, "key": key, "kind": kind, "body": dict(body), "received_at": at}
    return insert_once(connection, t.inbox, row) is not None


def receive_all(connection: Connection, arrived: Sequence[tuple[int, str, Mapping[str, Any], datetime]]) -> None:
    """Write down callbacks that need not be told from earlier ones: portal, kind, body, time of each."""
    rows = [
        {"portal_id": portal_id, "key": None, "kind": kind, "body": dict(body), "received_at": at}
        for portal_id, kind, body, at in arrived
    ]
    connection.execute(_RECEIVE, rows)


_RECEIVE = sa.insert(t.inbox)


def arrivals(connection: Connection, portal_id: int, limit: int = 1000) -> list[Arrival]:
    """Return what came in and was not handled, oldest first."""
    statement = (
        sa.select(t.inbox)
        .where(t.inbox.c.portal_id == portal_id, t.inbox.c.handled_at.is_(None))
        .order_by(t.inbox.c.id)
        .limit(limit)
    )
    return [Arrival(row.id, row.kind, row.body, row.received_at) for row in connection.execute(statement)]


def somebody_waits(connection: Connection, portal_id: int) -> bool:
    """Tell whether a callback came in that more depends on than a reading: a robot's call, a text to be sent."""
    statement = sa.select(t.inbox.c.id).where(
        t.inbox.c.portal_id == portal_id, t.inbox.c.handled_at.is_(None), t.inbox.c.kind != "event"
    )
    return connection.execute(statement.limit(1)).first() is not None


def handled(connection: Connection, ids: Sequence[int], at: datetime) -> None:
    connection.execute(sa.update(t.inbox).where(t.inbox.c.id.in_(ids)).values(handled_at=at))


# Cursors --------------------------------------------------------------------------------------------------------------


def cursor(connection: Connection, portal_id: int, name: str) -> int | None:
    """Return how far a reader has come; None before its first reading."""
    found: int | None = connection.execute(_CURSOR, {"portal_id": portal_id, "name": name}).scalar()
    return found


_CURSOR = sa.select(t.cursors.c.value).where(
    t.cursors.c.portal_id == sa.bindparam("portal_id"), t.cursors.c.name == sa.bindparam("name")
)


def set_cursor(connection: Connection, portal_id: int, name: str, value: int) -> None:
    upsert(connection, t.cursors, {"portal_id": portal_id, "name": name}, {"value": value})


@dataclass(frozen=True, slots=True)
class Healed:
    """Stage entries the reading of the history found and no event told of: how many ever, and when the last one was."""

    entries: int = 0
    at: datetime | None = None


def note_healed(connection: Connection, portal_id: int, number: int, at: datetime) -> None:
    """Count stage entries that were found though no event told of them."""
    before = cursor(connection, portal_id, "healed") or 0
    set_cursor(connection, portal_id, "healed", before + number)
    set_cursor(connection, portal_id, "healed_at", (at - t.EPOCH) // timedelta(microseconds=1))


def healed(connection: Connection, portal_id: int) -> Healed:
    """Return what `note_healed` has counted."""
    at = cursor(connection, portal_id, "healed_at")
    if at is None:
        return Healed()
    return Healed(cursor(connection, portal_id, "healed") or 0, t.EPOCH + timedelta(microseconds=at))


# Work -----------------------------------------------------------------------------------------------------------------


def add_work(
    connection: Connection,
    portal_id: int,
    item: ItemRef,
    key: str,
    kind: WorkKind,
    body: Mapping[str, Any],
    at: datetime,
    priority: int | None = None,
    happened_at: datetime | None = None,
) -> int | None:
    """Put work down once; None when work of this key was there already.

    ``happened_at`` is when what it is about happened, where that is not now.
    """
    return insert_once(connection, t.work, _new(portal_id, item, key, kind, body, at, priority, happened_at))


def next_key(connection: Connection, portal_id: int, item: ItemRef, beginning: str) -> str:
    """Return a key for work of an item, with the number behind it that follows those of the same beginning."""
    keys = connection.execute(sa.select(t.work.c.key).where(of_item(t.work, portal_id, item))).scalars()
    taken = (int(key.removeprefix(beginning)) for key in keys if key.startswith(beginning))
    return f"{beginning}{max(taken, default=0) + 1}"


def add_entries_work(
    connection: Connection, portal_id: int, added: Sequence[tuple[ItemRef, str, int, datetime]], at: datetime
) -> None:
    """Put down the work of stage entries at once: item, key, number and time of each; what is there already stays."""
    rows = [
        _new(portal_id, item, key, "entry", {"entry_id": entry_id}, at, happened_at=happened)
        for item, key, entry_id, happened in added
    ]
    insert_all_once(connection, t.work, rows)


def _new(
    portal_id: int,
    item: ItemRef,
    key: str,
    kind: WorkKind,
    body: Mapping[str, Any],
    at: datetime,
    priority: int | None = None,
    happened_at: datetime | None = None,
) -> dict[str, Any]:
    return {
        "portal_id": portal_id,
        "entity_type_id": item.entity_type_id,
        "item_id": item.id,
        "key": key,
        "kind": kind,
        "body": dict(body),
        "priority": PRIORITY[kind] if priority is None else priority,
        "state": "ready",
        "happened_at": happened_at or at,
        "created_at": at,
    }


def ready_work(
    connection: Connection, portal_id: int, at: datetime, limit: int = 50, up_to: int | None = None
) -> list[Work]:
    """Return the next work, at most one per item: its oldest; none of an item with unsettled actions.

    ``up_to`` leaves out what is less urgent than this priority.

    Order between items is by priority, then by age. Work of one item is never overtaken by later work of the same item.
    """
    asked = {"portal_id": portal_id, "now": at, "most": limit}
    found = connection.execute(_READY, asked) if up_to is None else connection.execute(_URGENT, {**asked, "up_to": up_to})
    return [_work(row) for row in found]


def _ready() -> sa.Select[Any]:
    w, a, portal_id = t.work.c, t.actions.c, sa.bindparam("portal_id", type_=t.work.c.portal_id.type)
    oldest = (
        sa.select(sa.func.min(w.id).label("id"))
        .where(w.portal_id == portal_id, w.state == "ready")
        .group_by(w.entity_type_id, w.item_id)
        .subquery()
    )
    unsettled = sa.exists().where(
        a.portal_id == portal_id,
        a.entity_type_id == w.entity_type_id,
        a.item_id == w.item_id,
        a.state.in_(("pending", "sending", "unknown")),
    )
    return (
        sa.select(t.work)
        .join(oldest, oldest.c.id == w.id)
        .where(sa.or_(w.not_before.is_(None), w.not_before <= sa.bindparam("now")), sa.not_(unsettled))
        .order_by(w.priority, w.id)
        .limit(sa.bindparam("most", type_=sa.Integer))
    )


_READY = _ready()
_URGENT = _READY.where(t.work.c.priority <= sa.bindparam("up_to"))


def next_ready(connection: Connection, portal_id: int) -> datetime | None:
    """Return when the next work that was put off is to be tried again."""
    w = t.work.c
    where = (w.portal_id == portal_id) & (w.state == "ready") & w.not_before.is_not(None)
    found: datetime | None = connection.execute(sa.select(sa.func.min(w.not_before, type_=t.Moment())).where(where)).scalar()
    return found


def get_work(connection: Connection, work_id: int) -> Work | None:
    row = connection.execute(sa.select(t.work).where(t.work.c.id == work_id)).one_or_none()
    return None if row is None else _work(row)


def _work(row: sa.Row[Any]) -> Work:
    return Work(
        row.id,
        ItemRef(row.entity_type_id, row.item_id),
        row.key,
        row.kind,
        row.body,
        row.tries,
        row.created_at,
        row.happened_at,
        row.priority,
    )


def end_work(connection: Connection, work_id: int, at: datetime, error: str = "") -> None:
    """Settle work: done, or failed with what went wrong."""
    values = {"work_id": work_id, "state": "failed" if error else "done", "ended_at": at, "error": error}
    connection.execute(_END, values)


_END = sa.update(t.work).where(t.work.c.id == sa.bindparam("work_id"))


def put_off(connection: Connection, work_id: int, until: datetime, error: str, tries: int = 1) -> None:
    """Come back to work later, with so many tries more."""
    values = {"not_before": until, "error": error, "tries": t.work.c.tries + tries}
    connection.execute(sa.update(t.work).where(t.work.c.id == work_id).values(**values))


def put_in_order(connection: Connection, portal_id: int, item: ItemRef) -> None:
    """Let the waiting work of an item be done in the order in which what it is about happened; timers first at a moment."""
    mine = of_item(t.work, portal_id, item) & (t.work.c.state == "ready")
    rows = connection.execute(sa.select(t.work).where(mine).order_by(t.work.c.id)).mappings().all()
    wanted = sorted(rows, key=lambda row: (row["happened_at"], row["kind"] != "timer"))
    if wanted != list(rows):
        connection.execute(sa.delete(t.work).where(t.work.c.id.in_([row["id"] for row in rows])))
        connection.execute(sa.insert(t.work), [{name: row[name] for name in row if name != "id"} for row in wanted])


def retry_work(connection: Connection, work_id: int) -> bool:
    """Make failed work ready again, and note in it that a person wants it."""
    failed = (t.work.c.id == work_id) & (t.work.c.state == "failed")
    body = connection.execute(sa.select(t.work.c.body).where(failed)).scalar()
    values = {"state": "ready", "tries": 0, "not_before": None, "error": "", "ended_at": None}
    values["body"] = {**(body or {}), "retried": True}
    return connection.execute(sa.update(t.work).where(failed).values(**values)).rowcount == 1


def has_open_work(connection: Connection, portal_id: int) -> bool:
    statement = sa.select(t.work.c.id).where(t.work.c.portal_id == portal_id, t.work.c.state == "ready").limit(1)
    return connection.execute(statement).first() is not None
