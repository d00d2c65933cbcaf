"""Spreadsheets that are exported to: who exports now, what to remember for the next time, how the last time went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.store import tables as t
from b24app.store.leases import latest
from b24app.store.sql import insert_once


@dataclass(frozen=True, slots=True)
class ExportRow:
    """How the exports into a spreadsheet stand; ``full`` tells that the next one has to write every row."""

    state: Mapping[str, Any] = field(default_factory=dict)
    full: bool = True
    asked_at: datetime | None = None
    tried_at: datetime | None = None
    done_at: datetime | None = None
    not_before: datetime | None = None
    held_until: datetime | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    trouble: Mapping[str, Any] = field(default_factory=dict)


def export_row(connection: Connection, spreadsheet: str) -> ExportRow:
    """Return how a spreadsheet stands; one nobody exported to yet wants everything."""
    c = t.exports.c
    columns = (c.state, c.full, c.asked_at, c.tried_at, c.done_at, c.not_before, c.held_until, c.report, c.trouble)
    row = connection.execute(sa.select(*columns).where(c.spreadsheet == spreadsheet)).one_or_none()
    return ExportRow() if row is None else ExportRow(*row)


def all_anew(connection: Connection) -> None:
    """Have the next export into every spreadsheet write every row, and nobody hold one."""
    connection.execute(sa.update(t.exports).values(full=True, holder="", held_until=None))


def take(connection: Connection, spreadsheet: str, holder: str, at: datetime, lease: timedelta) -> bool:
    """Take the right to export to a spreadsheet, or keep it; False while a living exporter has it."""
    insert_once(connection, t.exports, {"spreadsheet": spreadsheet})
    c = t.exports.c
    free = sa.or_(c.holder == "", c.holder == holder, c.held_until <= at, c.held_until > latest(at, lease))
    statement = sa.update(t.exports).where(c.spreadsheet == spreadsheet, free)
    return connection.execute(statement.values(holder=holder, held_until=at + lease)).rowcount == 1


def leave(connection: Connection, spreadsheet: str, holder: str) -> None:
    _write(connection, spreadsheet, holder, holder="", held_until=None)


def begun(connection: Connection, spreadsheet: str, holder: str, at: datetime) -> None:
    """Note the beginning of an export; whoever asks from now on asks for the next one."""
    _write(connection, spreadsheet, holder, tried_at=at, asked_at=None, not_before=None)


def written(connection: Connection, spreadsheet: str, holder: str, state: Mapping[str, Any]) -> bool:
    """Keep what the exporter remembers; False when somebody else exports by now."""
    return _write(connection, spreadsheet, holder, state=dict(state))


def ended(
    connection: Connection, spreadsheet: str, holder: str, at: datetime, report: Mapping[str, Any], *, full: bool
) -> None:
    """Note an export that was done; ``full`` asks for a full one at once."""
    again = {"asked_at": at} if full else {}
    _write(connection, spreadsheet, holder, done_at=at, report=dict(report), trouble={}, full=full, **again)


def failed(
    connection: Connection,
    spreadsheet: str,
    holder: str,
    trouble: Mapping[str, Any],
    *,
    again: datetime | None,
    full: bool,
) -> None:
    """Note an export that was not done; ``again`` is when it is to be tried, at the next turn where it is None."""
    more: dict[str, Any] = {} if again is None else {"asked_at": again, "not_before": again}
    _write(connection, spreadsheet, holder, trouble=dict(trouble), **({"full": True} if full else {}), **more)


def ask(connection: Connection, spreadsheet: str, at: datetime, *, full: bool = False, now: bool = False) -> None:
    """Ask for an export as soon as may be; one asked for in full stays so. ``now`` heeds no pause that Google wanted."""
    insert_once(connection, t.exports, {"spreadsheet": spreadsheet})
    values: dict[str, Any] = {"asked_at": at, **({"full": True} if full else {}), **({"not_before": None} if now else {})}
    connection.execute(sa.update(t.exports).where(t.exports.c.spreadsheet == spreadsheet).values(**values))


def _write(connection: Connection, spreadsheet: str, mine: str, **values: Any) -> bool:
    c = t.exports.c
    statement = sa.update(t.exports).where(c.spreadsheet == spreadsheet, c.holder == mine)
    return connection.execute(statement.values(**values)).rowcount == 1
