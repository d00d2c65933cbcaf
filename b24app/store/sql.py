"""The few statements both databases write differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection


def insert_once(connection: Connection, table: sa.Table, values: Mapping[str, Any]) -> int | None:
    """Insert a row unless a unique constraint already holds one; return its id, or None when it was there."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table).values(**values).on_conflict_do_nothing()
    if "id" in table.c:
        found: int | None = connection.execute(statement.returning(table.c.id)).scalar()
        return found
    return 1 if connection.execute(statement).rowcount else None


def upsert(connection: Connection, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Insert a row or write ``values`` into the one with this key."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table).values(**key, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(values)))


def insert(connection: Connection, table: sa.Table, values: Mapping[str, Any]) -> int:
    """Insert a row and return its id."""
    found: int = connection.execute(sa.insert(table).values(**values).returning(table.c.id)).scalar_one()
    return found
