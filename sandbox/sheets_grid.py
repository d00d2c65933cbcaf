"""A spreadsheet: its sheets, their cells, and what happens to them when rows and columns come, go and move."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

JSON = dict[str, Any]
Dimension = Literal["ROWS", "COLUMNS"]
Access = Literal["writer", "reader", "none"]
Shift = Callable[[int], int | None]


@dataclass(frozen=True, slots=True)
class Formula:
    """What somebody entered with a leading ``=``; it is kept, not computed."""

    text: str


Value = str | int | float | bool | Formula | None


def _cleared(value: Value) -> Value:
    """Tell an empty text, which empties a cell, from zero and false, which are values."""
    return None if value == "" else value


class Refused(Exception):
    """What Google answers when it refuses: an HTTP status, its own word for it, and a sentence."""

    def __init__(self, message: str, status: int = 400, word: str = "INVALID_ARGUMENT") -> None:
        super().__init__(message)
        self.message, self.status, self.word = message, status, word

    def body(self) -> JSON:
        """Give the error envelope of Google's APIs."""
        return {"error": {"code": self.status, "message": self.message, "status": self.word}}


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells, ends excluded; None is open to the end of the grid."""

    top: int = 0
    bottom: int | None = None
    left: int = 0
    right: int | None = None

    @classmethod
    def of(cls, grid_range: JSON) -> Area:
        """Read a GridRange."""
        starts = grid_range.get("startRowIndex", 0), grid_range.get("startColumnIndex", 0)
        return cls(starts[0], grid_range.get("endRowIndex"), starts[1], grid_range.get("endColumnIndex"))

    def holds(self, row: int, column: int) -> bool:
        """Tell whether a cell lies inside."""
        within = self.bottom is None or row < self.bottom
        return self.top <= row and within and self.left <= column and (self.right is None or column < self.right)


@dataclass(slots=True, eq=False)
class Sheet:
    """One sheet; ``cells`` holds rows as far as they were written, the grid may be larger."""

    id: int
    title: str
    row_count: int = 1000
    column_count: int = 26
    frozen_rows: int = 0
    frozen_columns: int = 0
    hidden: bool = False
    cells: list[list[Value]] = field(default_factory=list)
    pivots: dict[tuple[int, int], JSON] = field(default_factory=dict)
    formats: list[tuple[Area, JSON]] = field(default_factory=list)
    metadata: list[JSON] = field(default_factory=list)
    column_metadata: dict[int, list[JSON]] = field(default_factory=dict)
    hidden_columns: set[int] = field(default_factory=set)
    widths: dict[int, int] = field(default_factory=dict)

    def at(self, row: int, column: int) -> Value:
        """Give what was entered into a cell."""
        return self.cells[row][column] if row < len(self.cells) and column < len(self.cells[row]) else None

    def put(self, row: int, column: int, value: Value) -> None:
        """Enter a value; raises `Refused` outside of the grid."""
        self.check(row + 1, column + 1)
        while len(self.cells) <= row:
            self.cells.append([])
        line = self.cells[row]
        line.extend([None] * (column + 1 - len(line)))
        line[column] = None if value == "" else value

    def put_line(self, row: int, left: int, values: Sequence[Value]) -> None:
        """Enter values side by side; None leaves a cell alone, an empty text clears it."""
        self.check(row + 1, left + len(values))
        self.cells.extend([] for _ in range(row + 1 - len(self.cells)))
        line = self.cells[row]
        line.extend([None] * (left + len(values) - len(line)))
        kept = line[left : left + len(values)]
        line[left : left + len(values)] = [
            old if new is None else new or _cleared(new) for old, new in zip(kept, values, strict=True)
        ]

    def check(self, rows: int, columns: int, said: str = "") -> None:
        """Raise `Refused` when the grid has fewer rows or columns than these."""
        if rows > self.row_count or columns > self.column_count:
            limits = f"Max rows: {self.row_count}, max columns: {self.column_count}"
            raise Refused(f"Range ({said or self.title}) exceeds grid limits. {limits}")

    def format_of(self, row: int, column: int) -> JSON:
        """Give the format entered for a cell; later ones win."""
        found: JSON = {}
        for area, entered in self.formats:
            if area.holds(row, column):
                found = {**found, **entered}
        return found

    def column(self, index: int) -> list[Value]:
        """Give a whole column as far as anything was written."""
        return [line[index] if index < len(line) else None for line in self.cells]

    def insert(self, dimension: Dimension, at: int, count: int) -> None:
        """Insert empty rows or columns before an index."""
        if dimension == "ROWS":
            if at < len(self.cells):
                self.cells[at:at] = [[] for _ in range(count)]
            self.row_count += count
        else:
            for line in self.cells:
                if at < len(line):
                    line[at:at] = [None] * count
            self.column_count += count
        self._shift(dimension, lambda old: old if old < at else old + count)

    def delete(self, dimension: Dimension, start: int, end: int) -> None:
        """Delete rows or columns; raises `Refused` when none would be left."""
        count = end - start
        if count >= (self.row_count if dimension == "ROWS" else self.column_count):
            raise Refused(f"You can't delete all the {dimension.lower()} on the sheet.")
        if dimension == "ROWS":
            del self.cells[start:end]
            self.row_count -= count
        else:
            for line in self.cells:
                del line[start:end]
            self.column_count -= count
        self._shift(dimension, lambda old: old if old < start else None if old < end else old - count)

    def move(self, dimension: Dimension, start: int, end: int, to: int) -> None:
        """Move rows or columns before an index, which is counted before the move."""
        order = list(range(self.row_count if dimension == "ROWS" else self.column_count))
        taken = order[start:end]
        rest = order[:start] + order[end:]
        place = to if to <= start else to - (end - start)
        order = rest[:place] + taken + rest[place:]
        if dimension == "ROWS":
            self.cells = [list(self.cells[old]) if old < len(self.cells) else [] for old in order]
        else:
            self.cells = [[line[old] if old < len(line) else None for old in order] for line in self.cells]
        self._shift(dimension, {old: new for new, old in enumerate(order)}.get)

    def copied(self) -> Sheet:
        """Copy the sheet; long columns of values are copied row by row, quickly."""
        return replace(
            self,
            cells=[list(line) for line in self.cells],
            pivots=copy.deepcopy(self.pivots),
            formats=list(self.formats),
            metadata=list(self.metadata),
            column_metadata={column: list(kept) for column, kept in self.column_metadata.items()},
            hidden_columns=set(self.hidden_columns),
            widths=dict(self.widths),
        )

    def _shift(self, dimension: Dimension, shift: Shift) -> None:
        by_row = dimension == "ROWS"
        moved = {place: (shift(place[0]), place[1]) if by_row else (place[0], shift(place[1])) for place in self.pivots}
        self.pivots = {
            (row, column): self.pivots[old] for old, (row, column) in moved.items() if row is not None and column is not None
        }
        if by_row:
            return
        self.column_metadata = {new: kept for old, kept in self.column_metadata.items() if (new := shift(old)) is not None}
        self.hidden_columns = {new for old in self.hidden_columns if (new := shift(old)) is not None}
        self.widths = {new: width for old, width in self.widths.items() if (new := shift(old)) is not None}
        self.formats = [(_shifted(area, shift), entered) for area, entered in self.formats]


def _shifted(area: Area, shift: Shift) -> Area:
    """Follow the first column of a format; its width stays."""
    left = shift(area.left)
    if left is None:
        return Area(area.top, area.top, 0, 0)
    return Area(area.top, area.bottom, left, None if area.right is None else left + area.right - area.left)


@dataclass(slots=True, eq=False)
class Book:
    """A spreadsheet; ``access`` is what it was shared with the caller for."""

    id: str
    title: str
    locale: str = "ru_RU"
    zone: str = "Europe/Moscow"
    access: Access = "writer"
    sheets: list[Sheet] = field(default_factory=list)
    next_metadata: int = 1

    @property
    def size(self) -> int:
        """How many cells there are, empty ones too."""
        return sum(sheet.row_count * sheet.column_count for sheet in self.sheets)

    def sheet(self, sheet_id: int) -> Sheet:
        """Find a sheet by its id; raises `Refused`."""
        found = next((sheet for sheet in self.sheets if sheet.id == sheet_id), None)
        if found is None:
            raise Refused(f"No grid with id: {sheet_id}")
        return found

    def titled(self, title: str) -> Sheet | None:
        """Find a sheet by its title; upper and lower case are one to Google."""
        return next((sheet for sheet in self.sheets if sheet.title.lower() == title.lower()), None)

    def pivots_of(self, sheet_id: int) -> Iterator[JSON]:
        """Give the pivot tables that read from a sheet."""
        for sheet in self.sheets:
            yield from (pivot for pivot in sheet.pivots.values() if pivot["source"].get("sheetId", 0) == sheet_id)

    def restore(self, kept: Book) -> None:
        """Take the sheets of a copy back."""
        self.sheets, self.next_metadata = kept.sheets, kept.next_metadata

    def copied(self) -> Book:
        """Copy everything that a refused change has to leave as it was."""
        return replace(self, sheets=[sheet.copied() for sheet in self.sheets])
