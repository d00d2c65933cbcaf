"""Whatever people do by hand between exports, in any order: no row doubled, none shifted, nothing of theirs lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.sheets_answer import spreadsheet
from sandbox.sheets_change import change
from sandbox.sheets_grid import Book, Refused, Sheet, Value
from sandbox.sheets_values import write
from sheets_export.columns import COLUMNS, cells
from sheets_export.exporter import Exporter
from sheets_export.incidents import SheetsRefused
from sheets_export.reading import COLUMN_MARK, JSON, ExportState
from tests.sheets_export.desk import OFFICE, correction


class Direct:
    """The pretend spreadsheet without a wire."""

    def __init__(self) -> None:
        self.book = Book("b", "Отчёты", sheets=[Sheet(0, "Лист1")])
        self.calls = 0

    def read(self, ranges: Sequence[str], fields: str) -> JSON:
        self.calls += 1
        try:
            return spreadsheet(self.book, ranges, False, fields, "")
        except Refused as refusal:
            raise SheetsRefused(detail=refusal.message) from refusal

    def change(self, requests: Sequence[JSON]) -> None:
        self.calls += 1
        change(self.book, list(requests))

    def write(self, ranges: Sequence[JSON]) -> None:
        self.calls += 1
        for part in ranges:
            write(self.book, part, "RAW")


NUMBERS = st.integers(0, 40)
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["export", "full", "sort", "move", "own", "rename", "retitle", "note", "forget"]), NUMBERS, NUMBERS
    ),
    min_size=2,
    max_size=12,
)


class Office:
    """People and the exporter at one spreadsheet."""

    def __init__(self) -> None:
        self.wire, self.state = Direct(), ExportState()
        self.exporter = Exporter(self.wire, OFFICE, "ru", sleep=lambda time: None, jitter=lambda: 0)
        self.rows: dict[str, Any] = {}
        self.own: dict[Value, str] = {}
        self.step = 0

    @property
    def sheet(self) -> Sheet:
        assert self.state.sheet is not None
        return self.wire.book.sheet(self.state.sheet)

    def at(self, code: str) -> int:
        return next(
            column
            for column, marks in self.sheet.column_metadata.items()
            if any(mark["metadataKey"] == COLUMN_MARK and mark["metadataValue"] == code for mark in marks)
        )

    def do(self, deed: str, n: int, m: int) -> None:
        self.step += 1
        if deed in ("export", "full") or self.state.sheet is None:
            for number in {n, m} if deed == "export" else {n, m, n + m}:
                row = correction(number, stage=f"шаг {self.step}")
                self.rows[row.key] = row
            chosen = [row for row in self.rows.values() if deed == "full" or row.stage == f"шаг {self.step}"]
            before = self.wire.calls
            self.state = self.exporter.export(chosen, self.state, deed == "full").state
            assert self.wire.calls - before <= 5
            return
        getattr(self, f"_{deed}")(n, m)

    def _sort(self, n: int, m: int) -> None:
        spec = {"dimensionIndex": n % self.sheet.column_count, "sortOrder": "DESCENDING" if m % 2 else "ASCENDING"}
        change(
            self.wire.book, [{"sortRange": {"range": {"sheetId": self.sheet.id, "startRowIndex": 1}, "sortSpecs": [spec]}}]
        )

    def _move(self, n: int, m: int) -> None:
        at, to = n % self.sheet.column_count, m % self.sheet.column_count
        span = {"sheetId": self.sheet.id, "dimension": "COLUMNS", "startIndex": at, "endIndex": at + 1}
        change(self.wire.book, [{"moveDimension": {"source": span, "destinationIndex": to}}])

    def _own(self, n: int, m: int) -> None:
        at = n % self.sheet.column_count
        self.sheet.insert("COLUMNS", at, 1)
        self.sheet.put(0, at, f"моё {self.step}")
        key = self.at("key")
        for row in range(1, len(self.sheet.cells)):
            if self.sheet.at(row, key):
                self.sheet.put(row, at, f"моё {self.step} {self.sheet.at(row, key)}")
        self.own[f"моё {self.step}"] = ""

    def _rename(self, n: int, m: int) -> None:
        self.sheet.title = f"Лист {n} '{m}'"

    def _retitle(self, n: int, m: int) -> None:
        at = self.at(COLUMNS[1 + n % (len(COLUMNS) - 1)].code)
        self.sheet.put(0, at, f"Столбец {m}")

    def _note(self, n: int, m: int) -> None:
        self.sheet.insert("ROWS", self.sheet.row_count, 1)
        self.sheet.put(self.sheet.row_count - 1, self.at("title"), f"заметка {self.step}")

    def _forget(self, n: int, m: int) -> None:
        self.state = ExportState()
        self.state = self.exporter.export([*self.rows.values()][:1] or [correction(n)], self.state, False).state
        self.rows.setdefault(correction(n).key, correction(n)) if not self.rows else None

    def seen(self) -> dict[Value, tuple[Value, ...]]:
        """Give our cells of every row with a key; no key stands twice."""
        key = self.at("key")
        rows = [row for row in range(1, len(self.sheet.cells)) if self.sheet.at(row, key)]
        made = {self.sheet.at(row, key): tuple(self.sheet.at(row, self.at(c.code)) for c in COLUMNS) for row in rows}
        assert len(made) == len(rows)
        return made


@given(DEEDS)
@settings(max_examples=40, deadline=None)
def test_rows_are_right_whatever_people_do(deeds: list[tuple[str, int, int]]) -> None:
    office = Office()
    office.do("export", 1, 2)
    for deed in deeds:
        office.do(*deed)

    expected = {
        key: tuple(cell if cell != "" else None for cell in cells(row, OFFICE, "ru")) for key, row in office.rows.items()
    }
    assert office.seen() == expected
    heads = office.sheet.cells[0]
    for own in office.own:
        at = heads.index(own)
        for row in range(1, len(office.sheet.cells)):
            kept = office.sheet.at(row, at)
            assert kept is None or kept == f"{own} {office.sheet.at(row, office.at('key'))}"


@given(DEEDS)
@settings(max_examples=25, deadline=None)
def test_the_pivot_reads_every_row_after_every_export(deeds: list[tuple[str, int, int]]) -> None:
    office = Office()
    office.do("export", 1, 2)
    for deed in deeds:
        office.do(*deed)
    office.do("export", 3, 4)

    assert office.state.summary is not None
    tables = office.wire.book.sheet(office.state.summary).pivots.values()
    key = office.at("key")
    last = max(row for row in range(len(office.sheet.cells)) if office.sheet.at(row, key))
    for table in tables:
        assert table["source"]["endRowIndex"] == last + 1
        assert table["values"][0]["sourceColumnOffset"] == key
    assert len(tables) == 2


def test_exporting_twice_changes_nothing() -> None:
    office = Office()
    office.do("full", 5, 6)
    before = office.sheet.copied()
    office.exporter.export([replace(row) for row in office.rows.values()], office.state, True)
    assert (office.sheet.cells, office.sheet.row_count) == (before.cells, before.row_count)
