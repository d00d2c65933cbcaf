"""The same tables as a workbook to download, where there is no Google account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

import xlsxwriter

from b24app.core.figures import (
    CANCELLED,
    Correction,
    Figures,
    altogether,
    by_month,
    by_pipeline,
    by_responsible,
    by_violation,
)
from b24app.core.text import Lang, T, cut, show
from b24app.core.worktime import WorkCalendar
from sheets_export.columns import COLUMNS, GIVEN_UP, PATTERNS, STILL_OPEN, Cell, cells, in_hours
from sheets_export.layout import SUMMARY_TITLE, TITLE

TEXT_LIMIT = 32_767
"""Characters a cell of Excel holds."""

MADE = T("Сводка по коррекциям на {at}", "Summary of corrections, {at}")
TOTAL = T("Всего", "Total")
NOT_NAMED = T("не указано", "not named")
MONTHS = T("Месяц финализации", "Month of finishing")
BLOCKS = (
    T("Ответственный", "Responsible"),
    MONTHS,
    T("Воронка", "Pipeline"),
    T("Вид нарушения", "Type of violation"),
)
HEADS: tuple[tuple[T, str], ...] = (
    (T("Коррекций", "Corrections"), "0"),
    (T("Завершено", "Finished"), "0"),
    (T("Мер", "Measures"), "0"),
    (T("Затраты, ч", "Cost, h"), "0.0"),
    (T("Баллы", "Points"), "General"),
    (T("Доля A", "Share of A"), "0%"),
    (T("Доля B", "Share of B"), "0%"),
    (T("Доля C", "Share of C"), "0%"),
    (T("В среднем, рабочих ч", "Mean, working h"), "0.0"),
    (T("Открытых задач", "Open tasks"), "0"),
    (T("Дней просрочки", "Days overdue"), "0"),
)


def workbook(rows: Iterable[Correction], calendar: WorkCalendar, lang: Lang, at: datetime) -> bytes:
    """Make an XLSX file: all rows with filters, and a summary; no text in it is ever a formula or a link."""
    corrections, out = list(rows), BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": calendar.local(at).replace(tzinfo=None)})
    formats = _Formats(book)
    _rows(book.add_worksheet(TITLE.at(lang)), formats, corrections, calendar, lang)
    _summary(book.add_worksheet(SUMMARY_TITLE.at(lang)), formats, corrections, calendar, lang, at)
    book.close()
    return out.getvalue()


@dataclass(slots=True)
class _Formats:
    book: Any

    def head(self) -> Any:
        return self.book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8F1EC", "border": 1})

    def title(self) -> Any:
        return self.book.add_format({"bold": True, "font_size": 14})

    def of(self, pattern: str, bold: bool = False) -> Any:
        return self.book.add_format({"num_format": pattern, "valign": "top", "bold": bold})


def _rows(sheet: Any, formats: _Formats, rows: Sequence[Correction], calendar: WorkCalendar, lang: Lang) -> None:
    head = formats.head()
    shown = [formats.of(PATTERNS[c.kind][1] if c.kind in PATTERNS else "General") for c in COLUMNS]
    for at, column in enumerate(COLUMNS):
        sheet.write_string(0, at, column.title.at(lang), head)
        sheet.set_column(at, at, column.width, None, {"hidden": column.code == "key"})
    for number, row in enumerate(rows, 1):
        for at, cell in enumerate(cells(row, calendar, lang)):
            _put(sheet, number, at, cell, shown[at])
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, len(rows)), len(COLUMNS) - 1)


def _put(sheet: Any, row: int, column: int, cell: Cell, shown: Any) -> None:
    if cell == "":
        sheet.write_blank(row, column, None, shown)  # an empty text would count in Excel's own sums and filters
    elif isinstance(cell, str):
        sheet.write_string(row, column, cut(cell, TEXT_LIMIT), shown)
    else:
        sheet.write_number(row, column, cell, shown)


def _summary(
    sheet: Any, formats: _Formats, rows: Sequence[Correction], calendar: WorkCalendar, lang: Lang, at: datetime
) -> None:
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, len(HEADS), 12)
    sheet.write_string(0, 0, MADE.fill(at=show(calendar.local(at), lang)).at(lang), formats.title())
    total, line = altogether(rows), 2
    grouped = (by_responsible(rows), by_month(rows, calendar), by_pipeline(rows), by_violation(rows))
    plain, bold = _line_formats(formats, False), _line_formats(formats, True)
    head = formats.head()
    for title, block in zip(BLOCKS, grouped, strict=True):
        for column, text in enumerate((title, *(text for text, _ in HEADS))):
            sheet.write_string(line, column, text.at(lang), head)
        for figures in block:
            line += 1
            _figures(sheet, line, _named(figures, lang, months=title is MONTHS), figures, plain)
        line += 1
        _figures(sheet, line, TOTAL.at(lang), total, bold)
        line += 2


def _named(figures: Figures, lang: Lang, *, months: bool) -> str:
    """Name a group; what never was finished has no month."""
    if not months:
        return figures.name or NOT_NAMED.at(lang)
    return {CANCELLED: GIVEN_UP.at(lang), "": STILL_OPEN.at(lang)}.get(figures.key, figures.key)


def _line_formats(formats: _Formats, bold: bool) -> list[Any]:
    return [formats.of(pattern, bold) for pattern in ("General", *(pattern for _, pattern in HEADS))]


def _figures(sheet: Any, line: int, name: str, figures: Figures, shown: Sequence[Any]) -> None:
    sheet.write_string(line, 0, name, shown[0])
    shares = [float(share) if figures.graded else "" for share in figures.shares.values()]
    made: list[Cell] = [
        figures.count,
        figures.finished,
        figures.measures,
        in_hours(figures.effort),
        float(figures.bonus),
        *shares,
        in_hours(figures.mean_working),
        figures.open_tasks,
        figures.days_overdue,
    ]
    for column, cell in enumerate(made, 1):
        _put(sheet, line, column, cell, shown[column])
