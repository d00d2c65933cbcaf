"""The few statements both databases write differently. They are built once: building costs more than running them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from b24app.core.item import ItemRef


def insert_once(connection: Connection, table: sa.Table, values: Mapping[str, Any]) -> int | None:
    """Insert a row unless a unique constraint already holds one; return its id, or None when it was there."""
    result = connection.execute(_insert_once(table, connection.dialect.name), dict(values))
    row = result.first()
    if row is None:
        return None
    return int(row[0]) if "id" in table.c else 1


def insert_all_once(
    connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], *also: sa.Column[Any]
) -> list[tuple[Any, ...]]:
    """Insert rows in their order, but for those a unique constraint holds already; give id and ``also`` of the new ones."""
    if not rows:
        return []
    statement = _insert_all_once(table, connection.dialect.name, also)
    return [tuple(row) for row in connection.execute(statement, [dict(row) for row in rows])]


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
def _insert_all_once(table: sa.Table, dialect: str, also: tuple[sa.Column[Any], ...]) -> sa.Executable:
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return make(table).on_conflict_do_nothing().returning(table.c.id, *also)


@cache
def _upsert(table: sa.Table, dialect: str, key: tuple[str, ...], values: tuple[str, ...]) -> sa.Executable:
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = make(table)
    written = {name: statement.excluded[name] for name in values}
    return statement.on_conflict_do_update(index_elements=list(key), set_=written)


# One item -------------------------------------------------------------------------------------------------------------


def of_item(table: sa.Table, portal_id: int, item: ItemRef) -> sa.ColumnElement[bool]:
    """Say that a row belongs to an item."""
    return sa.and_(table.c.portal_id == portal_id, table.c.entity_type_id == item.entity_type_id, table.c.item_id == item.id)


def here(table: sa.Table) -> sa.ColumnElement[bool]:
    """Say the same with parameters, for statements that are built once; `item_values` gives them."""
    names = ("portal_id", "entity_type_id", "item_id")
    return sa.and_(*(table.c[name] == sa.bindparam(name) for name in names))


def item_values(portal_id: int, item: ItemRef) -> dict[str, int]:
    """Give the columns that name an item."""
    return {"portal_id": portal_id, "entity_type_id": item.entity_type_id, "item_id": item.id}
