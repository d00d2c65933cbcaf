"""How our sheets are made: titles, heads, formats, and the marks by which they are found again."""

from __future__ import annotations

from collections.abc import Sequence

from b24app.core.text import Lang, T
from sheets_export import pivot
from sheets_export.columns import COLUMNS, KEY, PATTERNS, Column
from sheets_export.reading import (
    COLUMN_MARK,
    CORRECTIONS,
    JSON,
    SHEET_MARK,
    SUMMARY,
    ExportState,
    Found,
    Listed,
    free_id,
    free_title,
)

TITLE = T("Коррекции", "Corrections")
SUMMARY_TITLE = T("Сводка", "Summary")
SUMMARY_HEAD = T(
    "Сводка по коррекциям. Таблицы ниже можно менять: приложение только обновляет их источник.",
    "Summary of corrections. The tables below may be changed: the application only keeps their source up to date.",
)
FIRST_ID = 24_000
PIXELS = 8
"""The width of a character."""


def new_corrections(listed: Sequence[Listed], lang: Lang) -> tuple[list[JSON], ExportState]:
    """Make the requests for the sheet of corrections, and what is to be remembered of it."""
    sheet, title = free_id(FIRST_ID, listed), free_title(TITLE.at(lang), listed)
    grid = {"rowCount": 2, "columnCount": len(COLUMNS), "frozenRowCount": 1}
    requests: list[JSON] = [
        {"addSheet": {"properties": {"sheetId": sheet, "title": title, "gridProperties": grid}}},
        _mark({"sheetId": sheet}, SHEET_MARK, CORRECTIONS),
        *heads(sheet, 0, dict(enumerate(COLUMNS)), lang),
        {
            "updateDimensionProperties": {
                "range": _columns(sheet, 0),
                "properties": {"hiddenByUser": True},
                "fields": "hiddenByUser",
            }
        },
    ]
    return requests, ExportState(sheet=sheet, title=title)


def new_summary(listed: Sequence[Listed], lang: Lang) -> tuple[list[JSON], int, str]:
    """Make the requests for the sheet of the pivot tables; give its id and title."""
    sheet, title = free_id(FIRST_ID + 1, listed), free_title(SUMMARY_TITLE.at(lang), listed)
    head = {"userEnteredValue": {"stringValue": SUMMARY_HEAD.at(lang)}}
    start = {"sheetId": sheet, "rowIndex": 0, "columnIndex": 0}
    requests: list[JSON] = [
        {"addSheet": {"properties": {"sheetId": sheet, "title": title}}},
        _mark({"sheetId": sheet}, SHEET_MARK, SUMMARY),
        {"updateCells": {"rows": [{"values": [head]}], "start": start, "fields": "userEnteredValue"}},
    ]
    requests += [_format(sheet, pivot.TOP, column, "NUMBER", pattern) for column, pattern in pivot.formats()]
    return requests, sheet, title


def fresh(state: ExportState) -> Found:
    """Show a sheet that was just made, without any row yet."""
    assert state.sheet is not None
    return Found(
        sheet=state.sheet,
        title=state.title,
        rows=2,
        columns=len(COLUMNS),
        header=0,
        width=len(COLUMNS),
        places={column.code: at for at, column in enumerate(COLUMNS)},
        keys={},
        repeated=(),
        last=0,
        summary=state.summary,
        pivots=(),
    )


def heads(sheet: int, row: int, columns: dict[int, Column], lang: Lang) -> list[JSON]:
    """Make the requests that write heads, marks and formats of columns."""
    requests: list[JSON] = []
    for at, column in columns.items():
        cell = {
            "userEnteredValue": {"stringValue": column.title.at(lang)},
            "userEnteredFormat": {"textFormat": {"bold": True}},
        }
        start = {"sheetId": sheet, "rowIndex": row, "columnIndex": at}
        fields = "userEnteredValue,userEnteredFormat.textFormat.bold"
        requests.append({"updateCells": {"rows": [{"values": [cell]}], "start": start, "fields": fields}})
        requests.append(_mark({"dimensionRange": _columns(sheet, at)}, COLUMN_MARK, column.code))
        size = {"properties": {"pixelSize": column.width * PIXELS}, "fields": "pixelSize"}
        requests.append({"updateDimensionProperties": {"range": _columns(sheet, at), **size}})
        if column.kind in PATTERNS:
            requests.append(_format(sheet, row + 1, at, *PATTERNS[column.kind]))
    return requests


def more_columns(found: Found, columns: Sequence[Column], lang: Lang) -> list[JSON]:
    """Make the requests that add columns of ours at the right edge of the grid, where nobody's columns are."""
    wider = {"sheetId": found.sheet, "dimension": "COLUMNS", "length": len(columns)}
    return [
        {"appendDimension": wider},
        *heads(found.sheet, found.header, dict(enumerate(columns, found.columns)), lang),
    ]


def new_rows(found: Found, at: int, keys: Sequence[str]) -> list[JSON]:
    """Make the requests that insert rows with their keys before a row; both happen or neither.

    Where the table reaches the end of the grid an empty row is added first: rows are only inserted before another one.
    """
    span = {"sheetId": found.sheet, "dimension": "ROWS", "startIndex": at, "endIndex": at + len(keys)}
    start = {"sheetId": found.sheet, "rowIndex": at, "columnIndex": found.places[KEY.code]}
    rows = [{"values": [{"userEnteredValue": {"stringValue": key}}]} for key in keys]
    room = (
        [{"appendDimension": {"sheetId": found.sheet, "dimension": "ROWS", "length": 1}}]
        if found.last + 1 >= found.rows
        else []
    )
    return [
        *room,
        {"insertDimension": {"range": span, "inheritFromBefore": at > found.header + 1}},
        {"updateCells": {"rows": rows, "start": start, "fields": "userEnteredValue"}},
    ]


def _columns(sheet: int, at: int) -> JSON:
    return {"sheetId": sheet, "dimension": "COLUMNS", "startIndex": at, "endIndex": at + 1}


def _mark(location: JSON, key: str, value: str) -> JSON:
    mark = {"metadataKey": key, "metadataValue": value, "visibility": "DOCUMENT", "location": location}
    return {"createDeveloperMetadata": {"developerMetadata": mark}}


def _format(sheet: int, top: int, column: int, kind: str, pattern: str) -> JSON:
    place = {"sheetId": sheet, "startRowIndex": top, "startColumnIndex": column, "endColumnIndex": column + 1}
    cell = {"userEnteredFormat": {"numberFormat": {"type": kind, "pattern": pattern}}}
    return {"repeatCell": {"range": place, "cell": cell, "fields": "userEnteredFormat.numberFormat"}}
