"""What stands in a spreadsheet: which sheet is ours, where its columns and rows are, which pivot tables read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict

from b24app.core.text import LANGS
from sheets_export.columns import COLUMNS, KEY
from sheets_export.incidents import KeyColumnGone

JSON = dict[str, Any]

SHEET_MARK, COLUMN_MARK = "b24app.sheet", "b24app.column"
"""Keys of the developer metadata by which our sheets and columns are known, wherever people move them."""

CORRECTIONS, SUMMARY = "corrections", "summary"

_MARKS = "developerMetadata(metadataKey,metadataValue)"
_PROPERTIES = "properties(sheetId,title,gridProperties(rowCount,columnCount))"
INDEX_FIELDS = f"sheets({_PROPERTIES},{_MARKS},data(startColumn,columnMetadata({_MARKS})))"
SHEET_FIELDS = (
    f"sheets({_PROPERTIES},data(startRow,startColumn,rowData(values(effectiveValue,pivotTable)),columnMetadata({_MARKS})))"
)


class ExportState(BaseModel):
    """What is remembered between two exports, as JSON; all of it can be found again when it is lost."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sheet: int | None = None
    title: str = ""
    key_column: int = 0
    summary: int | None = None
    summary_title: str = ""
    pivots: bool = False
    """Whether the pivot tables were made once; people may have removed them since."""


@dataclass(frozen=True, slots=True)
class Pivot:
    """A pivot table that reads our sheet: the sheet and the cell it stands on, and its definition."""

    sheet: int
    row: int
    column: int
    definition: JSON


@dataclass(frozen=True, slots=True)
class Found:
    """The sheet of corrections as it stands; rows and columns count from 0."""

    sheet: int
    title: str
    rows: int
    columns: int
    """How many rows and columns the grid has."""
    header: int
    """The row of the heads."""
    width: int
    """Columns up to the last one with a head."""
    places: Mapping[str, int]
    """Where each of our columns stands, by code."""
    keys: Mapping[str, int]
    """The row of each key."""
    repeated: tuple[int, ...]
    """Rows whose key stands higher up already."""
    last: int
    """The last row with a key; the header where there is none."""
    summary: int | None
    pivots: tuple[Pivot, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """One sheet of the spreadsheet in short; ``role`` is ours or empty."""

    id: int
    title: str
    role: str
    key_column: int | None


def letters(index: int) -> str:
    """Name a column: 0 is A, 26 is AA."""
    name = ""
    while index >= 0:
        name, index = chr(ord("A") + index % 26) + name, index // 26 - 1
    return name


def quoted(title: str) -> str:
    """Write a sheet's title for a range in A1 notation."""
    return "'" + title.replace("'", "''") + "'"


def ranges(state: ExportState) -> list[str]:
    """Name what one read has to show: the heads, the keys, and the sheet with the pivot tables."""
    key, title = letters(state.key_column), quoted(state.title)
    wanted = [f"{title}!1:1", f"{title}!{key}:{key}"]
    return wanted if state.summary is None else [*wanted, quoted(state.summary_title)]


def index(answer: JSON) -> tuple[Listed, ...]:
    """Read the list of sheets."""
    found = []
    for sheet in answer.get("sheets", ()):
        marks = _marks(sheet)
        columns = {code: place for place, code in _column_marks(sheet.get("data", ()))}
        named = sheet["properties"]
        found.append(Listed(named.get("sheetId", 0), named["title"], marks.get(SHEET_MARK, ""), columns.get(KEY.code)))
    return tuple(found)


def place(listed: Sequence[Listed], state: ExportState) -> ExportState:
    """Find our sheets again by id, or by their marks; what is None afterwards is not there."""
    sheet, summary = _ours(listed, state.sheet, CORRECTIONS), _ours(listed, state.summary, SUMMARY)
    return ExportState(
        sheet=sheet.id if sheet else None,
        title=sheet.title if sheet else state.title,
        key_column=sheet.key_column or 0 if sheet else 0,
        summary=summary.id if summary else None,
        summary_title=summary.title if summary else state.summary_title,
        pivots=state.pivots and summary is not None,
    )


def _ours(listed: Sequence[Listed], known: int | None, role: str) -> Listed | None:
    by_id = next((sheet for sheet in listed if sheet.id == known), None)
    return by_id or next((sheet for sheet in listed if sheet.role == role), None)


def read(answer: JSON, state: ExportState) -> Found | ExportState | None:
    """Read our sheet: as `Found`; or where its keys are instead; or None when it is not under the remembered title.

    Raises `KeyColumnGone`.
    """
    sheets = {sheet["properties"].get("sheetId", 0): sheet for sheet in answer.get("sheets", ())}
    ours = sheets.get(state.sheet)
    if ours is None or (state.summary is not None and state.summary not in sheets):
        return None
    data = ours.get("data", ())
    cells = dict(_cells(data))
    heads = {column: text for (row, column), text in cells.items() if row == 0}
    places = _places(data, heads)
    if KEY.code not in places:
        raise KeyColumnGone(title=state.title)
    if places[KEY.code] != state.key_column:
        return state.model_copy(update={"key_column": places[KEY.code]})
    return _found(ours, state, places, heads, cells, _pivots(sheets.get(state.summary), state))


def _found(
    ours: JSON,
    state: ExportState,
    places: Mapping[str, int],
    heads: Mapping[int, str],
    cells: Mapping[tuple[int, int], str],
    pivots: tuple[Pivot, ...],
) -> Found:
    assert state.sheet is not None
    column = sorted((row, text) for (row, at), text in cells.items() if at == places[KEY.code])
    header = next((row for row, text in column if text in _titles(KEY.code)), 0)
    keys: dict[str, int] = {}
    repeated = []
    for row, text in column:
        if row <= header:
            continue
        if text in keys:
            repeated.append(row)
        else:
            keys[text] = row
    return Found(
        sheet=state.sheet,
        title=ours["properties"]["title"],
        rows=ours["properties"]["gridProperties"]["rowCount"],
        columns=ours["properties"]["gridProperties"]["columnCount"],
        header=header,
        width=max([*places.values(), *(at for at, text in heads.items() if text)]) + 1,
        places=places,
        keys=keys,
        repeated=tuple(repeated),
        last=max([header, *keys.values(), *repeated]),
        summary=state.summary,
        pivots=pivots,
    )


def _places(data: Iterable[JSON], heads: Mapping[int, str]) -> dict[str, int]:
    """Find our columns by their marks; those without a mark by the text of their heads."""
    known = {column.code for column in COLUMNS}
    places: dict[str, int] = {}
    for at, code in sorted(_column_marks(data)):
        if code in known:
            places.setdefault(code, at)
    for column in COLUMNS:
        free = (at for at, text in sorted(heads.items()) if text in _titles(column.code) and at not in places.values())
        if column.code not in places and (free_place := next(free, None)) is not None:
            places[column.code] = free_place
    return places


def _titles(code: str) -> tuple[str, ...]:
    return tuple(column.title.at(lang) for column in COLUMNS if column.code == code for lang in LANGS)


def _column_marks(data: Iterable[JSON]) -> Iterable[tuple[int, str]]:
    for block in data:
        for offset, column in enumerate(block.get("columnMetadata", ())):
            code = _marks(column).get(COLUMN_MARK)
            if code:
                yield block.get("startColumn", 0) + offset, code


def _marks(holder: JSON) -> dict[str, str]:
    return {mark["metadataKey"]: mark.get("metadataValue", "") for mark in holder.get("developerMetadata", ())}


def _cells(data: Iterable[JSON]) -> Iterable[tuple[tuple[int, int], str]]:
    for block in data:
        top, left = block.get("startRow", 0), block.get("startColumn", 0)
        for row, line in enumerate(block.get("rowData", ()), top):
            for column, cell in enumerate(line.get("values", ()), left):
                text = _text(cell.get("effectiveValue", {}))
                if text:
                    yield (row, column), text


def _text(value: JSON) -> str:
    return str(next(iter(value.values()), "")).strip()


def _pivots(summary: JSON | None, state: ExportState) -> tuple[Pivot, ...]:
    found = []
    for block in (summary or {}).get("data", ()):
        for row, line in enumerate(block.get("rowData", ()), block.get("startRow", 0)):
            for column, cell in enumerate(line.get("values", ()), block.get("startColumn", 0)):
                definition = cell.get("pivotTable")
                if definition and definition.get("source", {}).get("sheetId", 0) == state.sheet:
                    found.append(Pivot(state.summary or 0, row, column, definition))
    return tuple(found)


def free_title(wanted: str, listed: Iterable[Listed]) -> str:
    """Give a title nobody has: the wanted one, or the wanted one with a number."""
    taken = {sheet.title.lower() for sheet in listed}
    number = 1
    while (title := wanted if number == 1 else f"{wanted} {number}").lower() in taken:
        number += 1
    return title


def free_id(wanted: int, listed: Iterable[Listed]) -> int:
    """Give an id no sheet has, from a wanted one on."""
    taken = {sheet.id for sheet in listed}
    while wanted in taken:
        wanted += 1
    return wanted


def grown(found: Found, places: Mapping[str, int], columns: int) -> Found:
    """Show the sheet as it will be with more columns of ours."""
    return replace(found, places=places, columns=columns, width=max(found.width, *(at + 1 for at in places.values())))
