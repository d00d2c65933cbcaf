"""Who was taught what, and who is to be spared."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.item import ItemRef
from b24app.store import tables as t
from b24app.store.sql import insert_once, item_values


def was_trained(connection: Connection, portal_id: int, item: ItemRef, stage: str, at: datetime) -> None:
    insert_once(connection, t.trained, {**item_values(portal_id, item), "stage": stage, "at": at})


def set_learned(connection: Connection, portal_id: int, user_id: int, learned: bool, at: datetime) -> None:
    """Remember that a user knows the process by heart, or no longer."""
    if learned:
        insert_once(connection, t.learned, {"portal_id": portal_id, "user_id": user_id, "at": at})
    else:
        where = (t.learned.c.portal_id == portal_id) & (t.learned.c.user_id == user_id)
        connection.execute(sa.delete(t.learned).where(where))


def learned_users(connection: Connection, portal_id: int) -> set[int]:
    return set(connection.execute(sa.select(t.learned.c.user_id).where(t.learned.c.portal_id == portal_id)).scalars())
