"""Pivot tables of the pretend Sheets: computed from their definition whenever somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.sheets_grid import JSON, Area, Book, Formula, Refused, Sheet, Value

Line = list[Value]


def overlay(book: Book, sheet: Sheet) -> list[Line]:
    """Give the cells of a sheet as people see them, pivot tables spread out."""
    if not sheet.pivots:
        return sheet.cells
    grid = [list(line) for line in sheet.cells]
    for (top, left), pivot in sheet.pivots.items():
        for row, line in enumerate(computed(book, pivot), top):
            while len(grid) <= row:
                grid.append([])
            grid[row].extend([None] * (left + len(line) - len(grid[row])))
            grid[row][left : left + len(line)] = line
    return grid


def check(book: Book, pivot: JSON) -> None:
    """Raise `Refused` for a definition that cannot be computed here."""
    if "source" not in pivot:
        raise Refused("Invalid pivotTable: no source")
    source = book.sheet(pivot["source"].get("sheetId", 0))
    area = Area.of(pivot["source"])
    width = (area.right or source.column_count) - area.left
    if (area.bottom or source.row_count) > source.row_count or area.left + width > source.column_count:
        raise Refused("Invalid pivotTable: the source range exceeds the grid")
    if pivot.get("columns") or pivot.get("filterSpecs") or pivot.get("criteria"):
        raise Refused("the pretend Sheets knows neither column groups nor filters of pivot tables")
    for value in pivot.get("values", []):
        if value.get("summarizeFunction") not in FUNCTIONS:
            raise Refused(f"the pretend Sheets does not know {value.get('summarizeFunction')!r}")
    for part in (*pivot.get("rows", []), *pivot.get("values", [])):
        if not 0 <= part.get("sourceColumnOffset", 0) < width:
            raise Refused("Invalid pivotTable: sourceColumnOffset is outside of the source range")


def computed(book: Book, pivot: JSON) -> list[Line]:
    """Compute a pivot table: heads, a line for each group and subgroup, totals where they are asked for."""
    try:
        source = book.sheet(pivot["source"].get("sheetId", 0))
    except Refused:
        return [["#REF!"]]
    area = Area.of(pivot["source"])
    lines = [[source.at(row, c) for c in range(source.column_count)] for row in range(area.top, _end(source, area))]
    lines = [line[area.left : area.right] for line in lines]
    width = (area.right or source.column_count) - area.left
    parts = (*pivot.get("rows", []), *pivot.get("values", []))
    if not lines or any(part.get("sourceColumnOffset", 0) >= width for part in parts):
        return [["#REF!"]]
    table = _Table(lines[0], pivot.get("rows", []), pivot.get("values", []), book.locale.startswith("ru"))
    return [table.head(), *table.body(lines[1:], 0, [])]


def _end(source: Sheet, area: Area) -> int:
    return source.row_count if area.bottom is None else min(area.bottom, source.row_count)


@dataclass(frozen=True, slots=True)
class _Table:
    names: Line
    groups: Sequence[JSON]
    values: Sequence[JSON]
    russian: bool

    def head(self) -> Line:
        groups: Line = [group.get("label") or self.names[group.get("sourceColumnOffset", 0)] for group in self.groups]
        return groups + [self._name(value) for value in self.values]

    def _name(self, value: JSON) -> Value:
        function, offset = value["summarizeFunction"], value.get("sourceColumnOffset", 0)
        return str(value.get("name") or f"{function} of {self.names[offset]}")

    def body(self, lines: Sequence[Line], level: int, above: Line) -> list[Line]:
        """Give the lines of one level of grouping, and its total."""
        if level == len(self.groups):
            return [[*above, *self.sums(lines)]]
        group = self.groups[level]
        members: dict[Value, list[Line]] = {}
        for line in lines:
            members.setdefault(line[group.get("sourceColumnOffset", 0)], []).append(line)
        made: list[Line] = []
        for name in sorted(members, key=_order, reverse=group.get("sortOrder") == "DESCENDING"):
            blanks: Line = [None] * level
            made += self.body(members[name], level + 1, ([*above, name] if not made else [*blanks, name]))
        if group.get("showTotals"):
            made.append([*self._total(above, level), *self.sums(lines)])
        return made

    def _total(self, above: Line, level: int) -> Line:
        word = ("Общий итог" if self.russian else "Grand Total") if level == 0 else ("Итого" if self.russian else "Total")
        blanks: Line = [None] * (len(self.groups) - 1)
        return [word, *blanks] if level == 0 else [f"{word}: {_text(above[-1])}", *blanks]

    def sums(self, lines: Sequence[Line]) -> Line:
        """Compute the values over some lines."""
        columns = [[line[value.get("sourceColumnOffset", 0)] for line in lines] for value in self.values]
        return [FUNCTIONS[value["summarizeFunction"]](column) for value, column in zip(self.values, columns, strict=True)]


def _order(value: Value) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return (0, float(value), "")
    return (2, 0, "") if value is None else (1, 0, _text(value).lower())


def _text(value: Value) -> str:
    return value.text if isinstance(value, Formula) else "" if value is None else str(value)


def _numbers(column: Sequence[Value]) -> list[float]:
    return [value for value in column if isinstance(value, int | float) and not isinstance(value, bool)]


def _average(column: Sequence[Value]) -> Value:
    numbers = _numbers(column)
    return sum(numbers) / len(numbers) if numbers else "#DIV/0!"


FUNCTIONS: Mapping[str, Callable[[Sequence[Value]], Value]] = {
    "SUM": lambda column: sum(_numbers(column)),
    "AVERAGE": _average,
    "COUNT": lambda column: len(_numbers(column)),
    "COUNTA": lambda column: sum(value is not None for value in column),
    "COUNTUNIQUE": lambda column: len({value for value in column if value is not None}),
    "MIN": lambda column: min(_numbers(column), default=0),
    "MAX": lambda column: max(_numbers(column), default=0),
}
