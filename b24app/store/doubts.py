"""Actions that may have been carried out before, in rows a restored copy of the database does not have."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.store import tables as t
from b24app.store.journal import OPEN

DOUBT = "doubt"
"""In the progress of an action that may have been carried out before: every step of it is looked up first."""
UNWEIGHED = "unweighed"
"""Beside it, as long as the portal was not asked what it shows of the item."""
OVER = "over"
"""Beside it, where the portal shows what was carried out later: what is not found is not made."""


def lanes_held(connection: Connection, at: datetime) -> set[int]:
    """Return the portals somebody alive works for."""
    c = t.portals.c
    return set(connection.execute(sa.select(c.id).where(c.lane_owner != "", c.lane_until > at)).scalars())


def raise_doubt(connection: Connection, portal_id: int, at: datetime) -> int:
    """Doubt what happened on a portal until now: it is read before anything else, and what is open is looked up first.

    Return how many actions that holds up.
    """
    values: dict[str, Any] = {"restored_at": at, "read_at": None, "not_before": None, "knowledge": {}, "operating": {}}
    connection.execute(sa.update(t.portals).where(t.portals.c.id == portal_id).values(values))
    open_ones = (t.actions.c.portal_id == portal_id) & t.actions.c.state.in_(OPEN)
    rows = connection.execute(sa.select(t.actions.c.id, t.actions.c.progress).where(open_ones)).all()
    for row in rows:
        doubtful = {"state": "unknown", "not_before": None, "progress": {**row.progress, DOUBT: True, UNWEIGHED: True}}
        connection.execute(sa.update(t.actions).where(t.actions.c.id == row.id).values(doubtful))
    return len(rows)


def unweighed(connection: Connection, portal_id: int) -> list[int | None]:
    """Return the work whose actions are in doubt and were not held against the portal yet; None for such without work."""
    a = t.actions.c
    where = (a.portal_id == portal_id) & (a.state == "unknown")
    rows = connection.execute(
        sa.select(t.runs.c.work_id, a.progress).join(t.runs, t.runs.c.id == a.run_id).where(where).order_by(a.id)
    )
    return list(dict.fromkeys(row.work_id for row in rows if row.progress.get(UNWEIGHED)))


def weighed(connection: Connection, portal_id: int) -> None:
    """Note that everything in doubt was held against the portal."""
    a = t.actions.c
    where = (a.portal_id == portal_id) & (a.state == "unknown")
    for row in connection.execute(sa.select(a.id, a.progress).where(where)).all():
        progress = {name: value for name, value in row.progress.items() if name != UNWEIGHED}
        connection.execute(sa.update(t.actions).where(a.id == row.id).values(progress=progress))
