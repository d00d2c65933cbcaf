"""The pivot tables of the summary: made once; afterwards only what they read is kept up to date."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

from b24app.core.text import Lang, T
from sheets_export.columns import BY_CODE
from sheets_export.reading import JSON, Found, Pivot


@dataclass(frozen=True, slots=True)
class Sum:
    """One value column of a pivot table; ``pattern`` is its number format."""

    code: str
    name: T
    function: str
    pattern: str = ""


SUMS = (
    Sum("key", T("Коррекций", "Corrections"), "COUNTA"),
    Sum("effort", T("Затраты всего, ч", "Total cost, h"), "SUM", "0.0"),
    Sum("bonus", T("Баллы", "Points"), "SUM"),
    Sum("grade_a", T("Доля A", "Share of A"), "AVERAGE", "0%"),
    Sum("grade_b", T("Доля B", "Share of B"), "AVERAGE", "0%"),
    Sum("grade_c", T("Доля C", "Share of C"), "AVERAGE", "0%"),
    Sum("overdue", T("Просрочка всего, дней", "Overdue in all, days"), "SUM"),
)

GROUPINGS: tuple[tuple[str, ...], ...] = (("responsible", "month"), ("month",))
"""By responsible and, within, by month; and by month alone, to the right of it."""

TOP = 2
"""The row of the summary the tables begin on."""


def anchors() -> tuple[tuple[int, int], ...]:
    """Give the cells the tables stand on: side by side, for they grow downwards."""
    second = len(GROUPINGS[0]) + len(SUMS) + 1
    return (TOP, 0), (TOP, second)


def formats() -> tuple[tuple[int, str], ...]:
    """Give the columns of the summary that need a number format, with its pattern."""
    made = []
    for codes, (_, left) in zip(GROUPINGS, anchors(), strict=True):
        made += [(left + len(codes) + n, value.pattern) for n, value in enumerate(SUMS) if value.pattern]
    return tuple(made)


def created(found: Found, last: int, lang: Lang) -> list[JSON]:
    """Make the requests that put both tables onto the summary."""
    assert found.summary is not None
    made = []
    for codes, (row, column) in zip(GROUPINGS, anchors(), strict=True):
        definition = {
            "source": source(found, last),
            "rows": [_group(code, found.places, lang) for code in codes],
            "values": [_value(value, found.places, lang) for value in SUMS],
            "valueLayout": "HORIZONTAL",
        }
        made.append(put(Pivot(found.summary, row, column, definition)))
    return made


def refreshed(found: Found, last: int) -> list[JSON]:
    """Make the requests for tables that read too little, too much, or columns that moved; none when all is well.

    Whatever people changed in a table (order, totals, filters, more columns) stays as they made it.
    """
    made = []
    for pivot in found.pivots:
        wanted = copy.deepcopy(pivot.definition)
        wanted["source"] = source(found, last)
        for part in wanted.get("rows", []):
            _aim(part, "label", _GROUPS, found.places)
        for part in wanted.get("values", []):
            _aim(part, "name", _NAMES, found.places)
        if _said(wanted) != _said(pivot.definition):
            made.append(put(Pivot(pivot.sheet, pivot.row, pivot.column, wanted)))
    return made


def put(pivot: Pivot) -> JSON:
    """Make the request that writes a definition to its cell and leaves everything else of the cell alone."""
    start = {"sheetId": pivot.sheet, "rowIndex": pivot.row, "columnIndex": pivot.column}
    rows = [{"values": [{"pivotTable": pivot.definition}]}]
    return {"updateCells": {"rows": rows, "start": start, "fields": "pivotTable"}}


def source(found: Found, last: int) -> JSON:
    """Give the range the tables read: from the heads to the last row, own columns of people too."""
    rows = {"startRowIndex": found.header, "endRowIndex": last + 1}
    return {"sheetId": found.sheet, **rows, "startColumnIndex": 0, "endColumnIndex": found.width}


def _group(code: str, places: Mapping[str, int], lang: Lang) -> JSON:
    named = {"sourceColumnOffset": places[code], "label": BY_CODE[code].title.at(lang)}
    return {**named, "showTotals": True, "sortOrder": "ASCENDING"}


def _value(value: Sum, places: Mapping[str, int], lang: Lang) -> JSON:
    return {"sourceColumnOffset": places[value.code], "summarizeFunction": value.function, "name": value.name.at(lang)}


_GROUPS = {text: code for codes in GROUPINGS for code in codes for text in (BY_CODE[code].title.ru, BY_CODE[code].title.en)}
_NAMES = {text: value.code for value in SUMS for text in (value.name.ru, value.name.en)}


def _aim(part: JSON, called: str, codes: Mapping[str, str], places: Mapping[str, int]) -> None:
    """Point a part of a table that carries our name at the column where that is now."""
    code = codes.get(part.get(called, ""))
    if code is not None:
        part["sourceColumnOffset"] = places[code]


def _said(definition: JSON) -> JSON:
    """Write a definition with the zeros Google leaves out."""
    starts = {"sheetId": 0, "startRowIndex": 0, "startColumnIndex": 0, **definition.get("source", {})}
    parts = {name: [{"sourceColumnOffset": 0, **part} for part in definition.get(name, [])] for name in ("rows", "values")}
    return {**definition, **parts, "source": starts}
