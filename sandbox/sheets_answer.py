"""What ``spreadsheets.get`` answers, cut down to the fields that were asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sandbox.sheets_change import properties
from sandbox.sheets_grid import JSON, Area, Book, Formula, Refused, Sheet, Value
from sandbox.sheets_pivot import overlay
from sandbox.sheets_values import find, shown

Mask = dict[str, "Mask"]
"""Field by field; an empty mask means everything below."""

_TOKEN = re.compile(r"[A-Za-z_*]+|[(),./]")


def mask_of(fields: str) -> Mask:
    """Read a field mask like ``sheets(properties,data.rowData)``; raises `Refused`."""
    tokens = _TOKEN.findall(fields)
    if "".join(tokens) != fields.replace(" ", ""):
        raise Refused(f"Invalid field mask: {fields}")
    mask, rest = _level(tokens)
    if rest:
        raise Refused(f"Invalid field mask: {fields}")
    return mask


def _level(tokens: list[str]) -> tuple[Mask, list[str]]:
    mask: Mask = {}
    while tokens and tokens[0] != ")":
        name, tokens = tokens[0], tokens[1:]
        below = mask.setdefault(name, {})
        while tokens and tokens[0] in "./":
            below, tokens = below.setdefault(tokens[1], {}), tokens[2:]
        if tokens and tokens[0] == "(":
            inner, tokens = _level(tokens[1:])
            below.update(inner)
            tokens = tokens[1:]
        if tokens and tokens[0] == ",":
            tokens = tokens[1:]
    return mask, tokens


def cut(body: Any, mask: Mask) -> Any:
    """Keep what a mask names."""
    if not mask or "*" in mask:
        return body
    if isinstance(body, list):
        return [cut(part, mask) for part in body]
    if not isinstance(body, dict):
        return body
    return {name: cut(value, mask[name]) for name, value in body.items() if name in mask}


def spreadsheet(book: Book, ranges: Sequence[str], with_grid: bool, fields: str, host: str) -> JSON:
    """Answer ``spreadsheets.get``; the grid comes when it is asked for, or when the field mask names it."""
    mask = mask_of(fields)
    wanted = "data" in mask.get("sheets", {}) or (mask == {"sheets": {}}) if fields else with_grid
    areas: dict[int, list[Area]] = {}
    for text in ranges:
        sheet, area = find(book, text)
        areas.setdefault(sheet.id, []).append(area)
    sheets = []
    for sheet in book.sheets:
        if ranges and sheet.id not in areas:
            continue
        sheets.append(_sheet(book, sheet, areas.get(sheet.id) or [Area()], wanted, mask))
    body = {
        "spreadsheetId": book.id,
        "properties": {"title": book.title, "locale": book.locale, "timeZone": book.zone},
        "sheets": sheets,
        "spreadsheetUrl": f"http://{host}/spreadsheets/d/{book.id}/edit",
    }
    found: JSON = cut(body, mask)
    return found


def _sheet(book: Book, sheet: Sheet, areas: Sequence[Area], with_grid: bool, mask: Mask) -> JSON:
    found: JSON = {"properties": properties(book, sheet)}
    if sheet.metadata:
        found["developerMetadata"] = [_kept(entry, {"sheetId": sheet.id}, "SHEET") for entry in sheet.metadata]
    if with_grid:
        data_mask = mask.get("sheets", {}).get("data", {})
        found["data"] = [_grid(book, sheet, area, data_mask) for area in areas]
    return found


def _kept(entry: JSON, location: JSON, kind: str) -> JSON:
    return {**entry, "location": {**location, "locationType": kind}}


def _grid(book: Book, sheet: Sheet, area: Area, mask: Mask) -> JSON:
    found: JSON = {name: at for name, at in (("startRow", area.top), ("startColumn", area.left)) if at}
    right = min(area.right or sheet.column_count, sheet.column_count)
    if not mask or "rowData" in mask:
        cell_mask = mask.get("rowData", {}).get("values", {})
        cells, bottom = overlay(book, sheet), min(area.bottom or sheet.row_count, sheet.row_count)
        lines = range(area.top, min(bottom, max(len(cells), *(row + 1 for row, _ in sheet.pivots), 0)))
        found["rowData"] = [_line(sheet, cells, row, area.left, right, cell_mask) for row in lines]
    if not mask or "columnMetadata" in mask:
        found["columnMetadata"] = [_column(sheet, column) for column in range(area.left, right)]
    return found


def _line(sheet: Sheet, cells: list[list[Value]], row: int, left: int, right: int, mask: Mask) -> JSON:
    line = cells[row] if row < len(cells) else []
    columns = range(left, min(right, max(len(line), *(c + 1 for r, c in sheet.pivots if r == row), 0)))
    made = [_cell(sheet, line[c] if c < len(line) else None, row, c, mask) for c in columns]
    while made and not made[-1]:
        made.pop()
    return {"values": made} if made else {}


def _cell(sheet: Sheet, value: Value, row: int, column: int, mask: Mask) -> JSON:
    found: JSON = {}
    if value is not None:
        if not mask or "effectiveValue" in mask:
            found["effectiveValue"] = _extended(value)
        if not mask or "userEnteredValue" in mask:
            found["userEnteredValue"] = {"formulaValue": value.text} if isinstance(value, Formula) else _extended(value)
        if not mask or "formattedValue" in mask:
            found["formattedValue"] = shown(value, sheet.format_of(row, column))
    if (row, column) in sheet.pivots and (not mask or "pivotTable" in mask):
        found["pivotTable"] = sheet.pivots[row, column]
    if not mask or "userEnteredFormat" in mask:
        entered = sheet.format_of(row, column)
        found |= {"userEnteredFormat": entered} if entered else {}
    return found


def _extended(value: Value) -> JSON:
    match value:
        case bool():
            return {"boolValue": value}
        case int() | float():
            return {"numberValue": value}
        case Formula():
            return {"errorValue": {"type": "N_A", "message": "the pretend Sheets computes no formulas"}}
        case _:
            return {"stringValue": value}


def _column(sheet: Sheet, column: int) -> JSON:
    span = {"sheetId": sheet.id, "dimension": "COLUMNS", "startIndex": column, "endIndex": column + 1}
    kept = [_kept(entry, {"dimensionRange": span}, "COLUMN") for entry in sheet.column_metadata.get(column, [])]
    hidden = {"hiddenByUser": True} if column in sheet.hidden_columns else {}
    return {"pixelSize": sheet.widths.get(column, 100), **hidden, **({"developerMetadata": kept} if kept else {})}
