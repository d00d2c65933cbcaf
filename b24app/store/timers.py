"""Timers: what waits for its time, and as long as what it lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.actions import CancelTimers, SetTimer, Step
from b24app.core.item import ItemRef
from b24app.store import tables as t
from b24app.store.sql import insert, item_values, of_item


@dataclass(frozen=True, slots=True)
class Timer:
    """A waiting (or ended) timer."""

    id: int
    key: str
    item: ItemRef
    name: str
    what: str
    due: datetime
    step: Step
    lives: str
    task: str
    state: str
    reason: str
    set_at: datetime
    entry_id: int | None


def put(
    connection: Connection, portal_id: int, run_id: int, entry_id: int | None, key: str, action: SetTimer, at: datetime
) -> None:
    """Set a timer under the key of its action; a waiting one of the same name on the item gives way."""
    replaced = of_item(t.timers, portal_id, action.item) & (t.timers.c.name == action.name) & (t.timers.c.state == "waiting")
    values = {"state": "cancelled", "reason": "replaced", "ended_at": at}
    connection.execute(sa.update(t.timers).where(replaced).values(**values))
    row = {
        **item_values(portal_id, action.item),
        "run_id": run_id,
        "entry_id": entry_id,
        "key": key,
        "name": action.name,
        "what": action.what,
        "due": action.due,
        "step": {"robot": action.step.robot, "props": dict(action.step.props)},
        "lives": action.lives,
        "task": action.task,
        "state": "waiting",
        "set_at": at,
    }
    insert(connection, t.timers, row)


def cancel(connection: Connection, portal_id: int, action: CancelTimers, at: datetime) -> int:
    where = of_item(t.timers, portal_id, action.item) & (t.timers.c.state == "waiting")
    if action.name:
        where &= t.timers.c.name == action.name
    if action.task:
        where &= (t.timers.c.task == action.task) & (t.timers.c.lives == "task")
    values = {"state": "cancelled", "reason": action.reason, "ended_at": at}
    return connection.execute(sa.update(t.timers).where(where).values(**values)).rowcount


def leave_stage(connection: Connection, portal_id: int, item: ItemRef, reason: str, at: datetime) -> int:
    """Cancel the timers that lived only as long as the item stood on its stage."""
    where = of_item(t.timers, portal_id, item) & (t.timers.c.state == "waiting") & (t.timers.c.lives == "entry")
    values = {"state": "cancelled", "reason": reason, "ended_at": at}
    return connection.execute(sa.update(t.timers).where(where).values(**values)).rowcount


def due(connection: Connection, portal_id: int, at: datetime, limit: int = 500) -> list[Timer]:
    """Return the timers that are to become work now."""
    return [_timer(row) for row in connection.execute(_DUE, {"portal_id": portal_id, "now": at, "most": limit})]


def work_key(key: str) -> str:
    """Name the work of a timer by its key: there is one at most."""
    return f"timer:{key}"


def not_taken_up() -> sa.ColumnElement[bool]:
    """Say that no work was put down yet for a timer: from then on the work is what waits."""
    w, m = t.work.c, t.timers.c
    key = sa.literal("timer:") + m.key
    return sa.not_(sa.exists().where(w.portal_id == m.portal_id, w.key == key))


_DUE = (
    sa.select(t.timers)
    .where(
        t.timers.c.portal_id == sa.bindparam("portal_id"),
        t.timers.c.state == "waiting",
        t.timers.c.due <= sa.bindparam("now"),
        not_taken_up(),
    )
    .order_by(t.timers.c.due, t.timers.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def next_due(connection: Connection, portal_id: int) -> datetime | None:
    """Return when the next timer of a portal comes due."""
    where = (t.timers.c.portal_id == portal_id) & (t.timers.c.state == "waiting") & not_taken_up()
    found: datetime | None = connection.execute(
        sa.select(sa.func.min(t.timers.c.due, type_=t.Moment())).where(where)
    ).scalar()
    return found


def get(connection: Connection, timer_id: int) -> Timer | None:
    row = connection.execute(sa.select(t.timers).where(t.timers.c.id == timer_id)).one_or_none()
    return None if row is None else _timer(row)


def fired(connection: Connection, timer_id: int, at: datetime) -> bool:
    """Mark a timer as fired; False when it was cancelled meanwhile."""
    where = (t.timers.c.id == timer_id) & (t.timers.c.state == "waiting")
    return connection.execute(sa.update(t.timers).where(where).values(state="fired", ended_at=at)).rowcount == 1


def listed(
    connection: Connection,
    *,
    portal_id: int | None = None,
    item: ItemRef | None = None,
    state: str = "waiting",
    limit: int = 200,
) -> list[tuple[int, Timer]]:
    """Return timers by due time, each with its portal."""
    statement = sa.select(t.timers).order_by(t.timers.c.due, t.timers.c.id).limit(limit)
    if portal_id is not None:
        statement = statement.where(t.timers.c.portal_id == portal_id)
    if item is not None:
        statement = statement.where(t.timers.c.entity_type_id == item.entity_type_id, t.timers.c.item_id == item.id)
    if state:
        statement = statement.where(t.timers.c.state == state)
    return [(row.portal_id, _timer(row)) for row in connection.execute(statement)]


def _timer(row: sa.Row[Any]) -> Timer:
    return Timer(
        id=row.id,
        key=row.key,
        item=ItemRef(row.entity_type_id, row.item_id),
        name=row.name,
        what=row.what,
        due=row.due,
        step=Step(row.step["robot"], row.step["props"]),
        lives=row.lives,
        task=row.task,
        state=row.state,
        reason=row.reason,
        set_at=row.set_at,
        entry_id=row.entry_id,
    )
