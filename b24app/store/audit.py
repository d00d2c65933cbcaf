"""The audit: who settled, repeated or deleted what by hand, and why; and what became of a portal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.store import tables as t
from b24app.store.sql import insert


def note(
    connection: Connection, portal_id: int | None, at: datetime, who: str, what: str, why: str = "", **details: Any
) -> None:
    """Write down who did what and why."""
    row = {"portal_id": portal_id, "at": at, "who": who, "what": what, "why": why, "details": details}
    insert(connection, t.audit, row)


def audited(connection: Connection, limit: int = 100) -> list[dict[str, Any]]:
    """Return the audit, newest first."""
    rows = connection.execute(sa.select(t.audit).order_by(t.audit.c.id.desc()).limit(limit)).mappings()
    return [dict(row) for row in rows]
