"""The requests of ``spreadsheets.batchUpdate`` that the pretend Sheets knows; all of a call happen, or none."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, cast

from sandbox import sheets_pivot
from sandbox.sheets_grid import JSON, Area, Book, Dimension, Formula, Refused, Sheet, Value

Change = Callable[[Book, JSON], JSON]
MOST_CELLS = 10_000_000
"""Cells of a spreadsheet at most, empty ones too (support.google.com/drive/answer/37603)."""


def change(book: Book, requests: list[JSON]) -> list[JSON]:
    """Do what is asked and give the replies; raises `Refused` naming the request, and nothing was done then."""
    if not requests:
        raise Refused("Must specify at least one request.")
    kept, replies = book.copied(), []
    for number, request in enumerate(requests):
        try:
            if len(request) != 1 or not set(request) <= set(CHANGES):
                raise Refused(f"the pretend Sheets knows no request {', '.join(request) or 'of no kind'}")
            ((kind, asked),) = request.items()
            replies.append(CHANGES[kind](book, asked))
            if book.size > MOST_CELLS:
                raise Refused(
                    "This action would increase the number of cells in the workbook above the limit of 10000000 cells."
                )
        except Refused as refusal:
            book.restore(kept)
            raise Refused(f"Invalid requests[{number}].{next(iter(request), '')}: {refusal.message}") from refusal
    return replies


def properties(book: Book, sheet: Sheet) -> JSON:
    """Give a sheet's properties; like Google, zeros are left out of the grid's."""
    grid = {"rowCount": sheet.row_count, "columnCount": sheet.column_count}
    frozen = {"frozenRowCount": sheet.frozen_rows, "frozenColumnCount": sheet.frozen_columns}
    found = {"sheetId": sheet.id, "title": sheet.title, "index": book.sheets.index(sheet), "sheetType": "GRID"}
    hidden = {"hidden": True} if sheet.hidden else {}
    return {**found, **hidden, "gridProperties": {**grid, **{name: count for name, count in frozen.items() if count}}}


def _add_sheet(book: Book, asked: JSON) -> JSON:
    wanted = asked.get("properties", {})
    taken = {sheet.id for sheet in book.sheets}
    sheet_id = wanted.get("sheetId", next(n for n in range(1, len(taken) + 2) if n not in taken))
    title = wanted.get("title") or f"Лист{len(book.sheets) + 1}"
    if sheet_id in taken:
        raise Refused(f"A sheet with id {sheet_id} already exists. Please enter another id.")
    _free_title(book, title)
    sheet = Sheet(sheet_id, title)
    book.sheets.insert(wanted.get("index", len(book.sheets)), sheet)
    _take_grid(sheet, wanted.get("gridProperties", {}))
    return {"addSheet": {"properties": properties(book, sheet)}}


def _free_title(book: Book, title: str) -> None:
    if book.titled(title) is not None:
        raise Refused(f'A sheet with the name "{title}" already exists. Please enter another name.')


def _take_grid(sheet: Sheet, grid: JSON) -> None:
    sheet.row_count = grid.get("rowCount", sheet.row_count)
    sheet.column_count = grid.get("columnCount", sheet.column_count)
    sheet.frozen_rows = grid.get("frozenRowCount", sheet.frozen_rows)
    sheet.frozen_columns = grid.get("frozenColumnCount", sheet.frozen_columns)
    if sheet.frozen_rows >= sheet.row_count or sheet.frozen_columns >= sheet.column_count:
        raise Refused("You can't freeze all visible rows or columns on the sheet.")
    sheet.cells = [line[: sheet.column_count] for line in sheet.cells[: sheet.row_count]]


def _delete_sheet(book: Book, asked: JSON) -> JSON:
    sheet = book.sheet(asked["sheetId"])
    if len(book.sheets) == 1:
        raise Refused("You can't remove all the sheets in a document.")
    book.sheets.remove(sheet)
    return {}


def _update_sheet(book: Book, asked: JSON) -> JSON:
    wanted, fields = asked["properties"], str(asked.get("fields", ""))
    sheet = book.sheet(wanted.get("sheetId", 0))
    if not fields:
        raise Refused("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)")
    if "title" in fields.split(","):
        if book.titled(wanted["title"]) is not sheet:
            _free_title(book, wanted["title"])
        sheet.title = wanted["title"]
    if "hidden" in fields.split(","):
        sheet.hidden = bool(wanted.get("hidden"))
    if "index" in fields.split(","):
        book.sheets.remove(sheet)
        book.sheets.insert(wanted.get("index", 0), sheet)
    if "gridProperties" in fields:
        _take_grid(sheet, wanted.get("gridProperties", {}))
    return {}


def _span(book: Book, asked: JSON) -> tuple[Sheet, Dimension, int, int]:
    sheet, dimension = book.sheet(asked.get("sheetId", 0)), asked.get("dimension")
    if dimension not in ("ROWS", "COLUMNS"):
        raise Refused("Invalid dimension")
    size = sheet.row_count if dimension == "ROWS" else sheet.column_count
    start, end = asked.get("startIndex", 0), asked.get("endIndex", size)
    if not 0 <= start < end:
        raise Refused(f"Invalid range: startIndex {start} endIndex {end}")
    return sheet, cast("Dimension", dimension), start, end


def _append(book: Book, asked: JSON) -> JSON:
    sheet = book.sheet(asked.get("sheetId", 0))
    at = sheet.row_count if asked["dimension"] == "ROWS" else sheet.column_count
    sheet.insert(asked["dimension"], at, asked["length"])
    return {}


def _insert(book: Book, asked: JSON) -> JSON:
    sheet, dimension, start, end = _span(book, asked["range"])
    if start >= (sheet.row_count if dimension == "ROWS" else sheet.column_count):
        raise Refused("range.startIndex is beyond the grid: append instead")
    if asked.get("inheritFromBefore") and start == 0:
        raise Refused("inheritFromBefore cannot be true when inserting at the beginning")
    sheet.insert(dimension, start, end - start)
    for pivot in book.pivots_of(sheet.id):
        _stretch(pivot["source"], dimension, start, end - start)
    return {}


def _stretch(source: JSON, dimension: str, at: int, count: int) -> None:
    """Follow rows and columns that came into (or before) the range a pivot table reads, as ranges of formulas do."""
    word = "Row" if dimension == "ROWS" else "Column"
    start, end = source.get(f"start{word}Index", 0), source.get(f"end{word}Index")
    if at <= start:
        source[f"start{word}Index"] = start + count
    if end is not None and at < end:
        source[f"end{word}Index"] = end + count


def _delete(book: Book, asked: JSON) -> JSON:
    sheet, dimension, start, end = _span(book, asked["range"])
    sheet.delete(dimension, start, end)
    edge = "endRowIndex" if dimension == "ROWS" else "endColumnIndex"
    for pivot in book.pivots_of(sheet.id):
        if edge in pivot["source"]:
            pivot["source"][edge] -= max(0, min(end, pivot["source"][edge]) - start)
    return {}


def _move(book: Book, asked: JSON) -> JSON:
    sheet, dimension, start, end = _span(book, asked["source"])
    sheet.move(dimension, start, end, asked["destinationIndex"])
    return {}


def _update_dimension(book: Book, asked: JSON) -> JSON:
    sheet, dimension, start, end = _span(book, asked["range"])
    fields, wanted = str(asked.get("fields", "")).split(","), asked["properties"]
    if dimension != "COLUMNS" or not {"hiddenByUser", "pixelSize"}.issuperset(fields):
        raise Refused("the pretend Sheets knows only hiddenByUser and pixelSize of columns")
    for column in range(start, end):
        if "hiddenByUser" in fields:
            (sheet.hidden_columns.add if wanted.get("hiddenByUser") else sheet.hidden_columns.discard)(column)
        if "pixelSize" in fields:
            sheet.widths[column] = wanted["pixelSize"]
    return {}


def _update_cells(book: Book, asked: JSON) -> JSON:
    place = asked.get("start") or asked.get("range") or {}
    sheet, fields = book.sheet(place.get("sheetId", 0)), str(asked.get("fields", ""))
    area = Area.of(asked["range"]) if "range" in asked else Area(place.get("rowIndex", 0), None, place.get("columnIndex", 0))
    if not fields:
        raise Refused("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)")
    rows = asked.get("rows", [])
    last = area.bottom if "range" in asked and area.bottom else area.top + len(rows)
    for row in range(area.top, last):
        cells = rows[row - area.top].get("values", []) if row - area.top < len(rows) else []
        right = area.right if "range" in asked and area.right else area.left + len(cells)
        sheet.check(row + 1, right)
        for column in range(area.left, right):
            cell = cells[column - area.left] if column - area.left < len(cells) else {}
            _set(book, sheet, row, column, cell, fields)
    return {}


def _set(book: Book, sheet: Sheet, row: int, column: int, cell: JSON, fields: str) -> None:
    if fields == "*" or "userEnteredValue" in fields:
        sheet.put(row, column, _value(cell.get("userEnteredValue") or {}))
    if (fields == "*" or "userEnteredFormat" in fields) and cell.get("userEnteredFormat"):
        sheet.formats.append((Area(row, row + 1, column, column + 1), cell["userEnteredFormat"]))
    if fields == "*" or "pivotTable" in fields:
        sheet.pivots.pop((row, column), None)
        if cell.get("pivotTable"):
            sheets_pivot.check(book, cell["pivotTable"])
            sheet.pivots[row, column] = copy.deepcopy(cell["pivotTable"])


def _value(extended: JSON) -> Value:
    if len(extended) > 1:
        raise Refused("a cell holds one value")
    if "formulaValue" in extended:
        return Formula(extended["formulaValue"])
    found: Any = next(iter(extended.values()), None)
    return cast("Value", found)


def _repeat(book: Book, asked: JSON) -> JSON:
    sheet, fields = book.sheet(asked["range"].get("sheetId", 0)), str(asked.get("fields", ""))
    if not fields.startswith("userEnteredFormat"):
        raise Refused("the pretend Sheets repeats formats only")
    sheet.formats.append((Area.of(asked["range"]), asked["cell"].get("userEnteredFormat", {})))
    return {}


def _sort(book: Book, asked: JSON) -> JSON:
    """Sort rows of a range; formulas and pivot tables do not move, empty cells come last."""
    sheet, area = book.sheet(asked["range"].get("sheetId", 0)), Area.of(asked["range"])
    left, right = area.left, area.right or sheet.column_count
    bottom = min(area.bottom or sheet.row_count, len(sheet.cells))
    rows = [[sheet.at(row, column) for column in range(left, right)] for row in range(area.top, bottom)]
    for spec in reversed(asked["sortSpecs"]):
        at = spec.get("dimensionIndex", 0) - left
        full, empty = [row for row in rows if row[at] is not None], [row for row in rows if row[at] is None]
        full.sort(key=lambda row, at=at: _order(row[at]), reverse=spec.get("sortOrder") == "DESCENDING")  # type: ignore[misc]
        rows = full + empty
    for number, row in enumerate(rows, area.top):
        for column, value in enumerate(row, left):
            sheet.put(number, column, value)
    return {}


def _order(value: Value) -> tuple[int, float, str]:
    number = isinstance(value, int | float)
    return (0, float(cast("float", value)), "") if number else (1, 0, str(value).lower())


def _metadata(book: Book, asked: JSON) -> JSON:
    entry = dict(asked["developerMetadata"])
    if not entry.get("metadataKey") or entry.get("visibility") not in ("DOCUMENT", "PROJECT"):
        raise Refused("developer metadata needs a key and a visibility")
    entry.setdefault("metadataId", book.next_metadata)
    book.next_metadata += 1
    location = entry.pop("location", {})
    if "dimensionRange" in location:
        sheet, dimension, start, end = _span(book, location["dimensionRange"])
        if dimension != "COLUMNS" or end != start + 1:
            raise Refused("the pretend Sheets keeps metadata of sheets and of single columns")
        sheet.check(0, end)
        sheet.column_metadata.setdefault(start, []).append(entry)
    else:
        book.sheet(location.get("sheetId", 0)).metadata.append(entry)
    return {"createDeveloperMetadata": {"developerMetadata": {**entry, "location": location}}}


CHANGES: Mapping[str, Change] = {
    "addSheet": _add_sheet,
    "deleteSheet": _delete_sheet,
    "updateSheetProperties": _update_sheet,
    "appendDimension": _append,
    "insertDimension": _insert,
    "deleteDimension": _delete,
    "moveDimension": _move,
    "updateDimensionProperties": _update_dimension,
    "updateCells": _update_cells,
    "repeatCell": _repeat,
    "sortRange": _sort,
    "createDeveloperMetadata": _metadata,
}
