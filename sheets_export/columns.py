"""The columns of the table of corrections: what each is called and how its cell is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from b24app.core.figures import Correction, Grade, Group, Person
from b24app.core.figures import Kind as MeasureKind
from b24app.core.text import Lang, T, cut
from b24app.core.worktime import WorkCalendar

Cell = str | int | float
Kind = Literal["text", "moment", "hours", "number"]

TEXT_LIMIT = 50_000
"""Characters a cell of Google Sheets holds."""

STILL_OPEN = T("в работе", "in progress")
GIVEN_UP = T("отменена", "cancelled")
"""What stands for the month of a correction that was never finished."""
_SERIAL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 serial numbers of spreadsheets know no zone


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its code for good, its title, what it holds and how wide it is shown (in characters)."""

    code: str
    title: T
    kind: Kind
    of: Callable[[Correction, WorkCalendar, Lang], Cell]
    width: int = 12


def serial(moment: datetime, calendar: WorkCalendar) -> float:
    """Write a moment as spreadsheets do: days since 30.12.1899 on the company's clock."""
    return round((calendar.local(moment).replace(tzinfo=None) - _SERIAL_ZERO) / timedelta(days=1), 6)


def in_hours(time: timedelta) -> float:
    """Write a length of time as hours with two digits."""
    return round(time / timedelta(hours=1), 2)


def cells(correction: Correction, calendar: WorkCalendar, lang: Lang) -> tuple[Cell, ...]:
    """Make the row of a correction, in the order of `COLUMNS`; texts are cut to what a cell holds."""
    made = [column.of(correction, calendar, lang) for column in COLUMNS]
    return tuple([cut(cell, TEXT_LIMIT) if type(cell) is str else cell for cell in made])


def _text(of: Callable[[Correction], str]) -> Callable[[Correction, WorkCalendar, Lang], Cell]:
    return lambda correction, _calendar, _lang: of(correction)


def _number(of: Callable[[Correction], float]) -> Callable[[Correction, WorkCalendar, Lang], Cell]:
    return lambda correction, _calendar, _lang: of(correction)


def _moment(of: Callable[[Correction], datetime | None]) -> Callable[[Correction, WorkCalendar, Lang], Cell]:
    def cell(correction: Correction, calendar: WorkCalendar, _lang: Lang) -> Cell:
        moment = of(correction)
        return "" if moment is None else serial(moment, calendar)

    return cell


def _spent(group: Group, working: bool) -> Callable[[Correction, WorkCalendar, Lang], Cell]:
    def cell(correction: Correction, _calendar: WorkCalendar, _lang: Lang) -> Cell:
        spent = correction.times.get(group)
        if spent is None:
            return ""
        return in_hours(spent.working if working else spent.calendar)

    return cell


def _of_kind(kind: MeasureKind) -> Callable[[Correction, WorkCalendar, Lang], Cell]:
    return _number(lambda correction: correction.kinds.get(kind, 0))


def _graded(grade: Grade) -> Callable[[Correction, WorkCalendar, Lang], Cell]:
    return lambda correction, _calendar, _lang: "" if correction.grade is None else int(correction.grade == grade)


def _month(correction: Correction, calendar: WorkCalendar, lang: Lang) -> Cell:
    return correction.month(calendar) or (GIVEN_UP if correction.cancelled else STILL_OPEN).at(lang)


def _name(person: Person | None) -> str:
    return "" if person is None else person.name or f"№ {person.id}"


def _list(parts: Sequence[str]) -> str:
    return "; ".join(parts)


COLUMNS: tuple[Column, ...] = (
    Column("key", T("Ключ (не менять)", "Key (do not change)"), "text", _text(lambda c: c.key), 24),
    Column("title", T("Коррекция", "Correction"), "text", _text(lambda c: c.title), 34),
    Column("link", T("Ссылка на коррекцию", "Link to the correction"), "text", _text(lambda c: c.link), 20),
    Column("pipeline", T("Воронка", "Pipeline"), "text", _text(lambda c: c.source.pipeline), 20),
    Column("source", T("Что проверено", "What was checked"), "text", _text(lambda c: c.source.title), 30),
    Column("source_link", T("Ссылка на источник", "Link to the source"), "text", _text(lambda c: c.source.link), 20),
    Column("stage", T("Стадия", "Stage"), "text", _text(lambda c: c.stage), 18),
    Column(
        "since", T("На стадии с", "At the stage since"), "moment", _moment(lambda c: c.stay.since if c.stay else None), 16
    ),
    Column("started", T("Дата старта", "Started"), "moment", _moment(lambda c: c.started_at), 16),
    Column("finished", T("Дата финализации", "Finished"), "moment", _moment(lambda c: c.finished_at), 16),
    Column("month", T("Месяц", "Month"), "text", _month),
    Column("responsible", T("Ответственный", "Responsible"), "text", _text(lambda c: _name(c.responsible)), 24),
    Column("responsible_id", T("№ ответственного", "Responsible no."), "number", _number(lambda c: c.responsible.id)),
    Column("officer", T("Сотрудник ОКК", "Quality officer"), "text", _text(lambda c: _name(c.officer)), 24),
    Column("grade", T("Результат", "Outcome"), "text", _text(lambda c: c.grade or "")),
    Column("grade_a", T("A: корректно", "A: correct"), "number", _graded("A")),
    Column("grade_b", T("B: есть что улучшить", "B: to be improved"), "number", _graded("B")),
    Column("grade_c", T("C: частично корректно", "C: partly correct"), "number", _graded("C")),
    Column("violations", T("Нарушения", "Violations"), "text", _text(lambda c: _list(c.violations)), 34),
    Column(
        "unforeseen",
        T("Новые условия и исключения", "New conditions and exceptions"),
        "text",
        _text(lambda c: c.unforeseen),
        34,
    ),
    Column("measures", T("Комплекс мер", "Measures"), "text", _text(lambda c: _list(c.measures)), 44),
    Column("measures_count", T("Мер принято", "Number of measures"), "number", _number(lambda c: len(c.measures))),
    Column("regulations", T("Мер: регламенты", "Measures: regulations"), "number", _of_kind("regulation")),
    Column("systems", T("Мер: Битрикс24 и системы", "Measures: Bitrix24 and systems"), "number", _of_kind("system")),
    Column("orders", T("Мер: обучение", "Measures: learning"), "number", _of_kind("order")),
    Column("bonus", T("Премиальные баллы", "Bonus points"), "number", _number(lambda c: float(c.bonus))),
    Column("effort", T("Затраты, ч", "Cost, h"), "hours", _number(lambda c: in_hours(c.effort))),
    Column("analysis", T("Анализ и формулирование, ч", "Analysis and measures, h"), "hours", _spent("analysis", False)),
    Column(
        "analysis_working",
        T("Анализ и формулирование, рабочих ч", "Analysis and measures, working h"),
        "hours",
        _spent("analysis", True),
    ),
    Column("approval", T("Согласование, ч", "Approval, h"), "hours", _spent("approval", False)),
    Column("approval_working", T("Согласование, рабочих ч", "Approval, working h"), "hours", _spent("approval", True)),
    Column("changes", T("Изменения и финализация, ч", "Changes and finalisation, h"), "hours", _spent("changes", False)),
    Column(
        "changes_working",
        T("Изменения и финализация, рабочих ч", "Changes and finalisation, working h"),
        "hours",
        _spent("changes", True),
    ),
    Column("rounds", T("Кругов согласования", "Rounds of approval"), "number", _number(lambda c: c.rounds)),
    Column("open_tasks", T("Открытых задач", "Open tasks"), "number", _number(lambda c: c.open_tasks)),
    Column("overdue", T("Дней просрочки", "Days overdue"), "number", _number(lambda c: c.days_overdue)),
)

KEY = COLUMNS[0]
BY_CODE: Mapping[str, Column] = {column.code: column for column in COLUMNS}
PATTERNS: Mapping[Kind, tuple[str, str]] = {"moment": ("DATE_TIME", "dd.mm.yyyy hh:mm"), "hours": ("NUMBER", "0.00")}
"""How Google and Excel show what is no plain text or number: the kind of format, and its pattern."""
