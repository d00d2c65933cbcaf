"""Stage entries: what the portal's stage history told, and entries made by running a stage again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.item import ItemRef
from b24app.store import tables as t
from b24app.store.sql import insert_all_once, insert_once, of_item


@dataclass(frozen=True, slots=True)
class StageEntry:
    """An entry into a stage, as read from the portal's history or made by running a stage again."""

    id: int
    item: ItemRef
    stage_id: str
    category_id: int
    at: datetime
    came_from: str | None
    returned: bool
    history_id: int | None
    key: str
    """Names it and what is decided at it: the same whenever, and into whichever database, it is read."""


def add(
    connection: Connection,
    portal_id: int,
    item: ItemRef,
    *,
    history_id: int | None,
    key: str = "",
    stage_id: str,
    category_id: int,
    at: datetime,
    seen_at: datetime,
    healed: bool = False,
    came_from: str | None = None,
    moved_by_action: int | None = None,
) -> int | None:
    """Store a stage entry; None when this history row is known already. ``key`` names one the history does not know of."""
    row = {
        "portal_id": portal_id,
        "entity_type_id": item.entity_type_id,
        "item_id": item.id,
        "history_id": history_id,
        "key": key if history_id is None else key_of(item.entity_type_id, history_id),
        "stage_id": stage_id,
        "category_id": category_id,
        "at": at,
        "seen_at": seen_at,
        "healed": healed,
        "came_from": came_from,
        "moved_by_action": moved_by_action,
    }
    return insert_once(connection, t.entries, row)


def key_of(entity_type_id: int, history_id: int) -> str:
    """Name a stage entry by its row of the portal's history."""
    return f"{entity_type_id}.{history_id}"


def add_all(connection: Connection, portal_id: int, rows: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Store stage entries read from the history, with the values of `add`; give the new ones' numbers by history id.

    Numbers grow in the order of ``rows``: work of an item is done in the order of its entries.
    """
    named = [{"portal_id": portal_id, "key": key_of(row["entity_type_id"], row["history_id"]), **row} for row in rows]
    found = insert_all_once(connection, t.entries, named, t.entries.c.history_id)
    return {history_id: entry_id for entry_id, history_id in found}


def last_stages(connection: Connection, portal_id: int, entity_type_id: int, item_ids: Iterable[int]) -> dict[int, str]:
    """Return the stage each of these items entered last, by item; items never seen are left out."""
    e = t.entries.c
    newest = (
        sa.select(sa.func.max(e.id))
        .where(e.portal_id == portal_id, e.entity_type_id == entity_type_id, e.item_id.in_(list(item_ids)))
        .group_by(e.item_id)
    )
    return {
        row.item_id: row.stage_id for row in connection.execute(sa.select(e.item_id, e.stage_id).where(e.id.in_(newest)))
    }


def known(connection: Connection, portal_id: int, entity_type_id: int, history_ids: Iterable[int]) -> set[int]:
    """Return which of these history rows are stored."""
    e = t.entries.c
    statement = sa.select(e.history_id).where(
        e.portal_id == portal_id, e.entity_type_id == entity_type_id, e.history_id.in_(list(history_ids))
    )
    return set(connection.execute(statement).scalars())


def get(connection: Connection, entry_id: int) -> StageEntry | None:
    row = connection.execute(sa.select(t.entries).where(t.entries.c.id == entry_id)).one_or_none()
    return None if row is None else _entry(row)


def history_of(connection: Connection, portal_id: int, item: ItemRef) -> list[StageEntry]:
    """Return what the portal's history tells of an item, oldest first; stages run again are left out."""
    where = of_item(t.entries, portal_id, item) & t.entries.c.history_id.is_not(None)
    return [_entry(row) for row in connection.execute(sa.select(t.entries).where(where).order_by(t.entries.c.id))]


def moved_by(connection: Connection, entry_id: int, action_id: int) -> None:
    """Note that a move of our own brought an item there."""
    connection.execute(sa.update(t.entries).where(t.entries.c.id == entry_id).values(moved_by_action=action_id))


def portal_of(connection: Connection, entry_id: int) -> int | None:
    """Return the portal a stage entry belongs to."""
    found: int | None = connection.execute(sa.select(t.entries.c.portal_id).where(t.entries.c.id == entry_id)).scalar()
    return found


_LAST = (
    sa.select(t.entries)
    .where(
        t.entries.c.portal_id == sa.bindparam("portal_id"),
        t.entries.c.entity_type_id == sa.bindparam("entity_type_id"),
        t.entries.c.item_id == sa.bindparam("item_id"),
    )
    .order_by(t.entries.c.id.desc())
    .limit(1)
)


def last(connection: Connection, portal_id: int, item: ItemRef) -> StageEntry | None:
    """Return the newest stage entry of an item."""
    here = {"portal_id": portal_id, "entity_type_id": item.entity_type_id, "item_id": item.id}
    row = connection.execute(_LAST, here).one_or_none()
    return None if row is None else _entry(row)


def _entry(row: sa.Row[Any]) -> StageEntry:
    return StageEntry(
        row.id,
        ItemRef(row.entity_type_id, row.item_id),
        row.stage_id,
        row.category_id,
        row.at,
        row.came_from,
        row.moved_by_action is not None,
        row.history_id,
        row.key,
    )
