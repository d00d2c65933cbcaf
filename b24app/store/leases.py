"""Short rights to do something for a portal alone, across threads, processes and machines.

A lease is a row among the cursors, with the moment it ends as its value: a holder that died is waited for no longer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from b24app.store import tables as t

CLOCKS_APART = timedelta(minutes=1)
"""By how much clocks may differ between those who take leases."""


def latest(at: datetime, lease: timedelta) -> datetime:
    """Return until when a lease may last at the most: a later end was written before the clock was set back."""
    return at + lease + CLOCKS_APART


def take_lease(connection: Connection, portal_id: int, name: str, at: datetime, lease: timedelta) -> int | None:
    """Take a lease unless somebody holds it; return what `leave_lease` wants, or None."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    until, value = _microseconds(at + lease), t.cursors.c.value
    free = (value <= _microseconds(at)) | (value > _microseconds(latest(at, lease)))
    insert = make(t.cursors).values(portal_id=portal_id, name=f"lease:{name}", value=until)
    statement = insert.on_conflict_do_update(index_elements=["portal_id", "name"], set_={"value": until}, where=free)
    taken = connection.execute(statement.returning(t.cursors.c.value)).first()  # an insert's row count means nothing
    return until if taken is not None else None


def keep_lease(connection: Connection, portal_id: int, name: str, held: int, at: datetime, lease: timedelta) -> int | None:
    """Make a lease last longer; return what `leave_lease` wants from now on, or None when it went to somebody else."""
    c, until = t.cursors.c, _microseconds(at + lease)
    mine = (c.portal_id == portal_id) & (c.name == f"lease:{name}") & (c.value == held)
    return until if connection.execute(sa.update(t.cursors).where(mine).values(value=until)).rowcount == 1 else None


def leave_lease(connection: Connection, portal_id: int, name: str, held: int) -> None:
    """Give a lease back; one that ended and went to somebody else is left alone."""
    c = t.cursors.c
    mine = (c.portal_id == portal_id) & (c.name == f"lease:{name}") & (c.value == held)
    connection.execute(sa.delete(t.cursors).where(mine))


def _microseconds(moment: datetime) -> int:
    return (moment - t.EPOCH) // timedelta(microseconds=1)
