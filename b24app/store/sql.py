"""The few statements both databases write differently. They are built once: building costs more than running them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection


def insert_once(connection: Connection, table: sa.Table, values: Mapping[str, Any]) -> int | None:
    """Insert a row unless a unique constraint already holds one; return its id, or None when it was there."""
    result = connection.execute(_insert_once(table, connection.dialect.name), dict(values))
    row = result.first()
    if row is None:
        return None
    return int(row[0]) if "id" in table.c else 1


def upsert(connection: Connection, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Insert a row or write ``values`` into the one with this key."""
    statement = _upsert(table, connection.dialect.name, tuple(key), tuple(values))
    connection.execute(statement, {**key, **values})


def insert(connection: Connection, table: sa.Table, values: Mapping[str, Any]) -> int:
    """Insert a row and return its id."""
    found: int = connection.execute(_insert(table), dict(values)).scalar_one()
    return found


@cache
def _insert(table: sa.Table) -> sa.Executable:
    return sa.insert(table).returning(table.c.id)


@cache
def _insert_once(table: sa.Table, dialect: str) -> sa.Executable:
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = make(table).on_conflict_do_nothing()
    return statement.returning(*([table.c.id] if "id" in table.c else table.primary_key.columns))


@cache
def _upsert(table: sa.Table, dialect: str, key: tuple[str, ...], values: tuple[str, ...]) -> sa.Executable:
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = make(table)
    written = {name: statement.excluded[name] for name in values}
    return statement.on_conflict_do_update(index_elements=list(key), set_=written)
