"""The page of the pretend Sheets: every spreadsheet with its sheets, pivot tables spread out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, abort, render_template

from sandbox.sheets_grid import Book, Sheet, Value
from sandbox.sheets_pivot import overlay
from sandbox.sheets_values import letters, shown

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from sandbox.world import World

MOST = 200
"""Rows of a sheet that are shown."""


def register(app: Flask, world: World) -> None:
    """Add the pages to the application."""

    @app.get("/")
    def every_book() -> ResponseReturnValue:
        return _page(list(world.sheets.books.values()))

    @app.get("/spreadsheets/d/<book_id>")
    @app.get("/spreadsheets/d/<book_id>/edit")
    def one_book(book_id: str) -> ResponseReturnValue:
        return _page([world.sheets.books.get(book_id) or abort(404)])


def _page(books: list[Book]) -> str:
    return render_template(
        "sheets/books.html", books=[(book, [_Shown(book, sheet) for sheet in book.sheets]) for book in books]
    )


class _Shown:
    """A sheet as a template reads it."""

    def __init__(self, book: Book, sheet: Sheet) -> None:
        grid = overlay(book, sheet)
        width = max((len(line) for line in grid), default=0)
        self.title, self.hidden, self.pivots = sheet.title, sheet.hidden, len(sheet.pivots)
        self.columns = [c for c in range(width) if c not in sheet.hidden_columns]
        self.letters = [(letters(column), sheet.widths.get(column, 100)) for column in self.columns]
        self.lines = [
            (row + 1, row < sheet.frozen_rows, [self._text(sheet, line, row, column) for column in self.columns])
            for row, line in enumerate(grid[:MOST])
        ]
        self.more = max(0, len(grid) - MOST)

    @staticmethod
    def _text(sheet: Sheet, line: list[Value], row: int, column: int) -> str:
        value = line[column] if column < len(line) else None
        return shown(value, sheet.format_of(row, column))
