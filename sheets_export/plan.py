"""What to write where: rows by their keys into exact ranges, nothing of anybody else's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from b24app.core.figures import Correction
from b24app.core.text import Lang
from b24app.core.worktime import WorkCalendar
from sheets_export import layout, pivot
from sheets_export.columns import COLUMNS, Cell, cells
from sheets_export.reading import JSON, Found, grown, letters, quoted

PAYLOAD = 2_000_000
"""Bytes of a request that Google recommends at most (developers.google.com/workspace/sheets/api/limits)."""

MOST_CHUNKS = 6
"""Writes of values in one export; larger tables are written in larger pieces, for the quota counts requests."""

KEYS_AT_ONCE = 25_000
"""New rows that one change inserts."""

Line = list[Cell | None]

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Chunk:
    """One write of values: the keys that are written by it, and ranges with values."""

    keys: tuple[str, ...]
    ranges: tuple[JSON, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in this order: changes of the sheet's shape (each all or nothing), then writes of values."""

    changes: tuple[tuple[JSON, ...], ...]
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A line for a row of the sheet; ``key`` is empty for one that is emptied."""

    at: int
    key: str
    line: Line
    size: int


def upsert(
    found: Found,
    rows: Iterable[Correction],
    calendar: WorkCalendar,
    lang: Lang,
    *,
    first: Sequence[JSON] = (),
    pivots: bool = False,
) -> Plan:
    """Plan an export: rows whose key stands in the sheet are written there, others are inserted under the last one.

    ``first`` goes before everything else in the first change; ``pivots`` makes the pivot tables. The order of rows
    and columns, the text of the heads, columns of other people and rows without a key are left as they are.
    """
    wanted = {row.key: row for row in rows}
    missing = [column for column in COLUMNS if column.code not in found.places]
    shape = list(first)
    if missing:
        shape += layout.more_columns(found, missing, lang)
        more = {column.code: found.columns + n for n, column in enumerate(missing)}
        found = grown(found, {**found.places, **more}, found.columns + len(missing))
    fresh = [key for key in wanted if key not in found.keys]
    at = {**found.keys, **{key: found.last + 1 + n for n, key in enumerate(fresh)}}
    lines = [_row(found, at[key], key, cells(row, calendar, lang)) for key, row in wanted.items()]
    lines += [_row(found, row, "", [""] * len(COLUMNS)) for row in found.repeated]
    return Plan(_changes(found, shape, fresh, lang, pivots), tuple(_chunks(found, lines)))


def _changes(
    found: Found, shape: list[JSON], fresh: Sequence[str], lang: Lang, pivots: bool
) -> tuple[tuple[JSON, ...], ...]:
    changes = []
    for start in range(0, len(fresh), KEYS_AT_ONCE):
        part = fresh[start : start + KEYS_AT_ONCE]
        changes.append([*shape, *layout.new_rows(found, found.last + 1 + start, part)])
        shape = []
    last = found.last + len(fresh)
    tables = pivot.refreshed(found, last)
    if pivots and last > found.header and found.summary is not None and not found.pivots:
        tables = pivot.created(found, last, lang)
    if changes:
        changes[-1] += tables
    elif shape or tables:
        changes.append([*shape, *tables])
    return tuple(tuple(change) for change in changes)


def _row(found: Found, at: int, key: str, made: Sequence[Cell]) -> _Row:
    """Lay a row's cells out where the columns stand; None leaves what others have between ours."""
    left, right = min(found.places.values()), max(found.places.values())
    line: Line = [None] * (right - left + 1)
    for column, cell in zip(COLUMNS, made, strict=True):
        line[found.places[column.code] - left] = cell
    return _Row(at, key, line, len(_JSON.encode(line).encode()))


def _chunks(found: Found, rows: list[_Row]) -> Iterator[Chunk]:
    rows.sort(key=lambda row: row.at)
    total, largest = sum(row.size for row in rows), max((row.size for row in rows), default=0)
    limit, size = max(PAYLOAD, total // MOST_CHUNKS + largest), 0
    part: list[_Row] = []
    for row in rows:
        if part and size + row.size > limit:
            yield _chunk(found, part)
            part, size = [], 0
        part.append(row)
        size += row.size
    if part:
        yield _chunk(found, part)


def _chunk(found: Found, rows: Sequence[_Row]) -> Chunk:
    """Write rows that stand under each other as one range."""
    left, right = letters(min(found.places.values())), letters(max(found.places.values()))
    ranges = []
    for _, run in groupby(enumerate(rows), lambda numbered: numbered[1].at - numbered[0]):
        block = [row for _, row in run]
        name = f"{quoted(found.title)}!{left}{block[0].at + 1}:{right}{block[-1].at + 1}"
        ranges.append({"range": name, "majorDimension": "ROWS", "values": [row.line for row in block]})
    return Chunk(tuple(row.key for row in rows if row.key), tuple(ranges))
