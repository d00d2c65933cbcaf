"""Clearing away what is old and settled, some rows at a time, so that nobody waits long for the database.

Stage entries stay: they keep a history row that is read twice from counting as new. So do tasks that are still open, with
the run and the action they came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.item import ItemRef
from b24app.store import tables as t
from b24app.store.given_tasks import FINISHED
from b24app.store.journal import OPEN

PORTION = 1000


def clear_inbox(connection: Connection, before: datetime, portion: int = PORTION) -> int:
    """Delete callbacks that were handled before a moment; return how many."""
    i = t.inbox.c
    return _delete(connection, t.inbox, i.handled_at < before, portion)


def clear_journal(connection: Connection, before: datetime, portion: int = PORTION) -> Mapping[str, int]:
    """Delete runs with their actions, settled work, ended timers and the audit from before a moment; return how many."""
    w, m, u = t.work.c, t.timers.c, t.audit.c
    return {
        "runs": _delete(connection, t.runs, (t.runs.c.at < before) & _nothing_hangs_on_it(), portion),
        "work": _delete(connection, t.work, (w.state != "ready") & (w.ended_at < before), portion),
        "timers": _delete(connection, t.timers, (m.state != "waiting") & (m.ended_at < before), portion),
        "audit": _delete(connection, t.audit, u.at < before, portion),
    }


def forget_item(connection: Connection, portal_id: int, item: ItemRef) -> Mapping[str, int]:
    """Delete the settled runs, work and timers of one item; return how many."""
    w, m = t.work.c, t.timers.c
    runs = _of(t.runs, portal_id, item) & _nothing_hangs_on_it()
    return {
        "runs": _delete(connection, t.runs, runs, None),
        "work": _delete(connection, t.work, _of(t.work, portal_id, item) & (w.state != "ready"), None),
        "timers": _delete(connection, t.timers, _of(t.timers, portal_id, item) & (m.state != "waiting"), None),
    }


def _of(table: sa.Table, portal_id: int, item: ItemRef) -> sa.ColumnElement[bool]:
    c = table.c
    return (c.portal_id == portal_id) & (c.entity_type_id == item.entity_type_id) & (c.item_id == item.id)


def _nothing_hangs_on_it() -> sa.ColumnElement[bool]:
    """Tell of a run that its actions are settled, none of its tasks is open and none of its timers waits."""
    a, m, k = t.actions.c, t.timers.c, t.tasks.c
    unsettled = sa.exists().where(a.run_id == t.runs.c.id, a.state.in_(OPEN))
    waiting = sa.exists().where(m.run_id == t.runs.c.id, m.state == "waiting")
    open_task = sa.exists().where(a.run_id == t.runs.c.id, k.action_id == a.id, k.status.not_in(FINISHED))
    return sa.not_(sa.or_(unsettled, waiting, open_task))


def _delete(connection: Connection, table: sa.Table, where: sa.ColumnElement[bool], portion: int | None) -> int:
    chosen = sa.select(table.c.id).where(where).order_by(table.c.id).limit(portion)
    return connection.execute(sa.delete(table).where(table.c.id.in_(chosen.scalar_subquery()))).rowcount
