"""A pretend spreadsheet and the exporter pointed at it, with a clock that only waits on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import requests

from b24app.core.figures import Correction, Grade, Person, Source, Spent
from b24app.core.item import ItemRef
from b24app.core.text import Lang
from b24app.core.worktime import WorkCalendar
from sandbox.clock import SandboxClock
from sandbox.sheets_change import change
from sandbox.sheets_grid import JSON, Book, Sheet, Value
from sandbox.sheets_pivot import overlay
from sandbox.world import World
from sheets_export.columns import COLUMNS
from sheets_export.exporter import Exporter, ExportReport
from sheets_export.google import GoogleSheets
from sheets_export.reading import ExportState
from tests.builders import MOSCOW

OFFICE = WorkCalendar()
PEOPLE = (Person(7, "Иванов Иван"), Person(3, "Петрова Анна"), Person(9, "Сидоров Пётр"))


def correction(number: int, **changes: Any) -> Correction:
    """Make a correction; every third is still open, people and grades take turns."""
    grades: tuple[Grade, ...] = ("A", "B", "C")
    finished = None if number % 3 == 0 else datetime(2026, 4 + number % 3, 20, 17, 30, tzinfo=MOSCOW)
    values: dict[str, Any] = {
        "portal": "portal-1",
        "item": ItemRef(1046, number),
        "title": f"Разбор сделки № {number}",
        "source": Source("Продажи", f"Сделка {number}", f"https://firm.example/crm/deal/details/{number}/"),
        "responsible": PEOPLE[number % 3],
        "started_at": datetime(2026, 4, 1, 9, 15, tzinfo=MOSCOW),
        "finished_at": finished,
        "stage": "Финализация" if finished else "Согласование",
        "times": {"analysis": Spent(timedelta(hours=30), timedelta(hours=12)), "approval": Spent(timedelta(hours=2))},
        "grade": None if finished is None else grades[number % 3],
        "violations": ("нарушение сроков", "ошибка в документах"),
        "measures": ("дополнить регламент",),
        "officer": Person(12, "Качалова Ольга"),
        "bonus": Decimal("1.5"),
        "effort": timedelta(hours=2),
        "rounds": 2,
        "open_tasks": 0 if finished else 3,
        "days_overdue": number % 2,
    }
    return Correction(**{**values, **changes})


@dataclass
class Desk:
    """A spreadsheet, an exporter, what it remembers and how long it waited."""

    world: World
    clock: SandboxClock
    book: Book
    lang: Lang = "ru"
    state: ExportState = field(default_factory=ExportState)
    waits: list[timedelta] = field(default_factory=list)
    while_waiting: list[Callable[[], None]] = field(default_factory=list)

    def sleep(self, time: timedelta) -> None:
        self.waits.append(time)
        self.clock.advance(time)
        if self.while_waiting:
            self.while_waiting.pop(0)()

    def exporter(self, **options: Any) -> Exporter:
        session = requests.Session()
        url = f"http://{self.world.sheets_domain}"
        wire = GoogleSheets(session, self.book.id, url, self.clock.now, self.sleep)
        return Exporter(wire, OFFICE, self.lang, sleep=self.sleep, jitter=lambda: 0.5, **options)

    def export(self, *rows: Correction, full: bool = False) -> ExportReport:
        """Export and remember what the engine would keep: the state as JSON."""
        return self.export_all(rows, full)

    def export_all(self, rows: Iterable[Correction], full: bool = False) -> ExportReport:
        report = self.exporter().export(rows, self.state, full)
        self.state = ExportState.model_validate_json(report.state.model_dump_json())
        self.clock.advance(timedelta(minutes=15))
        return report

    @property
    def sheet(self) -> Sheet:
        assert self.state.sheet is not None
        return self.book.sheet(self.state.sheet)

    @property
    def heads(self) -> list[Value]:
        return self.sheet.cells[0]

    def column(self, code: str) -> int:
        """Find a column of ours by its head."""
        title = next(column.title for column in COLUMNS if column.code == code).at(self.lang)
        return self.heads.index(title)

    def values(self, code: str) -> list[Value]:
        """Give a column of ours without its head, as far as there are keys."""
        at = self.column(code)
        return [line[at] if at < len(line) else None for line in self.sheet.cells[1:]]

    def table(self) -> dict[Value, dict[Value, Value]]:
        """Give every row with a key as a mapping from heads, and see that no key stands twice."""
        rows = [line for line in self.sheet.cells[1:] if self.sheet.cells and self._at(line, self.column("key"))]
        made = {self._at(line, self.column("key")): dict(zip(self.heads, line, strict=False)) for line in rows}
        assert len(made) == len(rows)
        return made

    @staticmethod
    def _at(line: Sequence[Value], column: int) -> Value:
        return line[column] if column < len(line) else None

    def pivot(self, number: int = 0) -> list[list[Value]]:
        """Give a pivot table as people see it."""
        assert self.state.summary is not None
        summary = self.book.sheet(self.state.summary)
        (top, left) = sorted(summary.pivots)[number]
        width = len(summary.pivots[top, left]["rows"]) + len(summary.pivots[top, left]["values"])
        lines = [line[left : left + width] for line in overlay(self.book, summary)[top:]]
        return [line for line in lines if any(cell is not None for cell in line)]

    def methods(self) -> list[str]:
        """Name the methods that were called since last asked."""
        found = [record.method for record in self.world.sheets.requests]
        self.world.sheets.requests.clear()
        return found

    def cell(self, key: str, code: str) -> Value:
        """Give a cell by its row's key and its column's code."""
        return self.table()[key][self.heads[self.column(code)]]


def by_hand(desk: Desk, **request: JSON) -> None:
    """Do what people do in the browser."""
    change(desk.book, [request])


def sort_by(desk: Desk, code: str, order: str = "DESCENDING") -> None:
    area = {"sheetId": desk.sheet.id, "startRowIndex": 1}
    by_hand(desk, sortRange={"range": area, "sortSpecs": [{"dimensionIndex": desk.column(code), "sortOrder": order}]})


def move_column(desk: Desk, code: str, to: int) -> None:
    at = desk.column(code)
    span = {"sheetId": desk.sheet.id, "dimension": "COLUMNS", "startIndex": at, "endIndex": at + 1}
    by_hand(desk, moveDimension={"source": span, "destinationIndex": to})


def own_column(desk: Desk, at: int, head: str) -> None:
    desk.sheet.insert("COLUMNS", at, 1)
    desk.sheet.put(0, at, head)
