"""Charts as plain geometry, for templates to draw: bars one under the other, and columns side by side. Pure.

Lengths along a page are shares of its width in percent, so that a chart fits any screen and its words keep their size;
heights are pixels. How a chart looks is the style sheet's business (``figures.css``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

PLOT, HEAD, FOOT = 120, 18, 36
"""Pixels: the tallest column, the number over it, the month and the year under it."""
FEW = 12
"""So many columns have a name each; of more, only some do."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar or a column: from where and how long, along it."""

    kind: str
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class Row:
    """What a bar or a column shows: its name, what is written about it, and how much of each kind."""

    name: str
    said: str
    parts: Mapping[str, float]

    @property
    def whole(self) -> float:
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar lying under its name."""

    row: Row
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its middle, left edge and width in percent; ``top`` is where it ends, pieces count from above."""

    row: Row
    middle: float
    left: float
    width: float
    top: float
    pieces: tuple[Piece, ...]
    named: bool
    year: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns side by side; ``line`` goes through points of the same scale, from middle to middle."""

    columns: tuple[Column, ...]
    line: tuple[tuple[float, float, float, float], ...] = ()
    height: int = HEAD + PLOT + FOOT
    floor: int = HEAD + PLOT


def bars(rows: Sequence[Row]) -> tuple[Bar, ...]:
    """Lay bars out one under the other, the longest as wide as the page; rows with nothing have no pieces."""
    longest = max((row.whole for row in rows), default=0) or 1
    return tuple(Bar(row, tuple(_pieces(row, 100 / longest))) for row in rows)


def columns(rows: Sequence[Row], line: Sequence[float] = ()) -> Columns:
    """Lay columns out for months named ``2026-06``; ``line`` has a value for each, on the same scale."""
    tallest = max((*(row.whole for row in rows), *line), default=0) or 1
    share, every = 100 / max(len(rows), 1), -(-len(rows) // FEW) or 1
    found = []
    for number, row in enumerate(rows):
        middle = round((number + 0.5) * share, 3)
        width = min(round(share * 0.6, 3), 12.0)
        top = HEAD + PLOT - row.whole * PLOT / tallest
        year = row.name[:4] if number == 0 or row.name[:4] != rows[number - 1].name[:4] else ""
        pieces = tuple(Piece(p.kind, round(top + p.start, 1), p.length) for p in _pieces(row, PLOT / tallest))
        named = number % every == 0
        found.append(Column(row, middle, round(middle - width / 2, 3), width, round(top, 1), pieces, named, year))
    points = [(column.middle, round(HEAD + PLOT - at * PLOT / tallest, 1)) for column, at in zip(found, line, strict=False)]
    return Columns(tuple(found), tuple((*a, *b) for a, b in pairwise(points)))


def _pieces(row: Row, scale: float) -> list[Piece]:
    found, start = [], 0.0
    for kind, amount in row.parts.items():
        if amount > 0:
            found.append(Piece(kind, round(start, 3), round(amount * scale, 3)))
            start += amount * scale
    return found
