"""Payments that were told of: each counts once, by the number its sender gave it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.item import ItemRef
from b24app.store import tables as t
from b24app.store.sql import insert_once


def remember_payment(
    connection: Connection, portal_id: int, payment_id: str, item: ItemRef, body: Mapping[str, Any], at: datetime
) -> bool:
    """Write a payment down; False when one of this number was told before."""
    row = {
        "portal_id": portal_id,
        "payment_id": payment_id,
        "entity_type_id": item.entity_type_id,
        "item_id": item.id,
        "body": dict(body),
        "at": at,
    }
    return insert_once(connection, t.payments, row) is not None


def payment(connection: Connection, portal_id: int, payment_id: str) -> tuple[ItemRef, Mapping[str, Any]] | None:
    """Return what was told of a payment: which item, and the message."""
    where = (t.payments.c.portal_id == portal_id) & (t.payments.c.payment_id == payment_id)
    row = connection.execute(sa.select(t.payments).where(where)).one_or_none()
    return None if row is None else (ItemRef(row.entity_type_id, row.item_id), row.body)
