"""The figures of corrections: where their time went, and sums over many of them for the head of quality."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from b24app.core.item import ItemRef
from b24app.core.worktime import WorkCalendar

Group = Literal["analysis", "approval", "changes"]
GROUPS: tuple[Group, ...] = ("analysis", "approval", "changes")
"""Analysis and formulation; approval; changes and finalisation."""

Grade = Literal["A", "B", "C"]
GRADES: tuple[Grade, ...] = ("A", "B", "C")
"""Correct; correct but to be improved; partly correct."""


Kind = Literal["regulation", "system", "order"]
KINDS: tuple[Kind, ...] = ("regulation", "system", "order")
"""Kinds of measures: changes of regulations; of processes in systems; orders to learn."""

CANCELLED = "cancelled"
"""The key of those that were cancelled, where months of finishing are keys."""


class UnclearHistory(ValueError):
    """A stage history that does not say where an item stood; no figure is made of it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An item entered a stage; ``id`` is the history row's own number and orders rows of one moment."""

    stage: str
    at: datetime
    id: int = 0


@dataclass(frozen=True, slots=True)
class Spent:
    """Time spent: by the calendar, and within the company's working hours."""

    calendar: timedelta = timedelta()
    working: timedelta = timedelta()

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.calendar + other.calendar, self.working + other.working)


NOTHING = Spent()


def stage_times(
    entries: Iterable[Entry], groups: Mapping[str, Group], end: datetime | None, calendar: WorkCalendar
) -> Mapping[Group, Spent]:
    """Measure the time an item stood in each group of stages; every return adds up.

    Time counts from the entry of a stage to the next one, and never after ``end``; without an end the stage the item
    stands on does not count yet. Stages in no group (the final ones) count nowhere. Rows may come in any order and
    twice. Raises `UnclearHistory` for a time without a zone, and for two stages entered at one moment under one number.
    """
    moves = _in_order(entries)
    until = None if end is None else _moment(end)
    left: list[datetime | None] = [*(move.at for move in moves[1:]), until]
    spent = dict.fromkeys(GROUPS, NOTHING)
    for move, leaves in zip(moves, left, strict=False):
        group = groups.get(move.stage)
        if group is not None and leaves is not None:
            spent[group] += _between(move.at, leaves if until is None else min(leaves, until), calendar)
    return spent


@dataclass(frozen=True, slots=True)
class Stay:
    """Where an open correction stands now: since when, and for how long so far; ``group`` is None for a stage in none.

    It grows all the time, so it is shown and never added to figures that are to stay what they were.
    """

    since: datetime
    group: Group | None
    spent: Spent


def stay_of(entries: Iterable[Entry], groups: Mapping[str, Group], now: datetime, calendar: WorkCalendar) -> Stay | None:
    """Tell how long an item has stood on its stage; None without a history. Raises `UnclearHistory`."""
    moves = _in_order(entries)
    if not moves:
        return None
    last = moves[-1]
    return Stay(last.at, groups.get(last.stage), _between(last.at, max(last.at, _moment(now)), calendar))


def _in_order(entries: Iterable[Entry]) -> list[Entry]:
    rows = {(_moment(entry.at), entry.id, entry.stage) for entry in entries}
    if len({(at, number) for at, number, _ in rows}) != len(rows):
        raise UnclearHistory("two stages were entered at one moment under one number")
    return [Entry(stage, at, number) for at, number, stage in sorted(rows)]


def _moment(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise UnclearHistory(f"a time without a zone: {at.isoformat()}")
    return at.astimezone(UTC)


def _between(start: datetime, end: datetime, calendar: WorkCalendar) -> Spent:
    return Spent(max(end - start, timedelta()), calendar.working_time(start, end))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody named in a correction."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """What was analysed: the item the correction came from."""

    pipeline: str
    title: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction with all its figures.

    ``portal`` names the portal for good (its key in exported tables is made of it); ``effort`` is the elapsed time of
    all tasks of the correction; ``unforeseen`` tells of new conditions or exceptions that were met with;
    ``days_overdue`` counts days behind the agreed term, 0 when in time. A ``cancelled`` one ended at ``finished_at``
    without having been carried through: it is no finished correction, and has no grade.
    """

    portal: str
    item: ItemRef
    title: str
    source: Source
    responsible: Person
    started_at: datetime
    finished_at: datetime | None = None
    cancelled: bool = False
    stage: str = ""
    link: str = ""
    times: Mapping[Group, Spent] = field(default_factory=dict)
    stay: Stay | None = None
    """Where it stands while it is open."""
    grade: Grade | None = None
    violations: tuple[str, ...] = ()
    unforeseen: str = ""
    measures: tuple[str, ...] = ()
    kinds: Mapping[Kind, int] = field(default_factory=dict)
    """How many of the measures are of each kind."""
    officer: Person | None = None
    bonus: Decimal = Decimal(0)
    effort: timedelta = timedelta()
    rounds: int = 0
    open_tasks: int = 0
    days_overdue: int = 0

    @property
    def key(self) -> str:
        """What tells this correction from all others, of other portals too."""
        return f"{self.portal}/{self.item.binding}"

    @property
    def whole(self) -> Spent:
        """The time of all groups together."""
        return sum(self.times.values(), NOTHING)

    def month(self, calendar: WorkCalendar) -> str | None:
        """Return the month it was finished in on the company's calendar, as ``2026-06``; None for one that never was."""
        if self.finished_at is None or self.cancelled:
            return None
        return f"{calendar.local(self.finished_at):%Y-%m}"


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over the corrections that share one ``key``; shares are of the graded ones and make 1 together."""

    key: str
    name: str
    count: int
    finished: int
    cancelled: int
    unforeseen: int
    """In how many of them new conditions or exceptions were met with."""
    measures: int
    kinds: Mapping[Kind, int]
    effort: timedelta
    bonus: Decimal
    working: timedelta
    open_tasks: int
    days_overdue: int
    graded: int
    shares: Mapping[Grade, Decimal]

    @property
    def open(self) -> int:
        return self.count - self.finished - self.cancelled

    @property
    def mean_working(self) -> timedelta:
        """The working time one correction took on average."""
        return self.working / self.count if self.count else timedelta()


def by_responsible(corrections: Iterable[Correction]) -> tuple[Figures, ...]:
    """Sum up for each responsible person, in the order of their names; namesakes stay apart."""
    return _grouped(corrections, lambda c: ((str(c.responsible.id), c.responsible.name),))


def by_officer(corrections: Iterable[Correction]) -> tuple[Figures, ...]:
    """Sum up for each quality officer, in the order of their names; corrections nobody carries out are left out."""
    return _grouped(corrections, lambda c: ((str(c.officer.id), c.officer.name),) if c.officer else ())


def by_month(corrections: Iterable[Correction], calendar: WorkCalendar) -> tuple[Figures, ...]:
    """Sum up for each month of finishing, oldest first; then `CANCELLED` ones, and those still open under an empty key."""
    found = _grouped(corrections, lambda c: ((key := c.month(calendar) or (CANCELLED if c.cancelled else ""), key),))
    return tuple(sorted(found, key=lambda figures: (not figures.key, figures.key)))


def by_pipeline(corrections: Iterable[Correction]) -> tuple[Figures, ...]:
    """Sum up for each pipeline the corrections came from."""
    return _grouped(corrections, lambda c: ((c.source.pipeline, c.source.pipeline),))


def by_violation(corrections: Iterable[Correction]) -> tuple[Figures, ...]:
    """Sum up for each type of violation; a correction of two types counts in both."""
    return _grouped(corrections, lambda c: tuple((kind, kind) for kind in dict.fromkeys(c.violations)))


def altogether(corrections: Iterable[Correction]) -> Figures:
    """Sum up all corrections."""
    return _sum("", "", list(corrections))


def _grouped(
    corrections: Iterable[Correction], keys: Callable[[Correction], Sequence[tuple[str, str]]]
) -> tuple[Figures, ...]:
    members: dict[str, list[Correction]] = {}
    names: dict[str, str] = {}
    for correction in corrections:
        for key, name in keys(correction):
            members.setdefault(key, []).append(correction)
            names[key] = name
    return tuple(_sum(key, names[key], members[key]) for key in sorted(members, key=lambda key: (names[key], key)))


def _sum(key: str, name: str, members: Sequence[Correction]) -> Figures:
    grades = [member.grade for member in members if member.grade is not None]
    return Figures(
        key=key,
        name=name,
        count=len(members),
        finished=sum(member.finished_at is not None and not member.cancelled for member in members),
        cancelled=sum(member.cancelled for member in members),
        unforeseen=sum(bool(member.unforeseen) for member in members),
        measures=sum(len(member.measures) for member in members),
        kinds={kind: sum(member.kinds.get(kind, 0) for member in members) for kind in KINDS},
        effort=sum((member.effort for member in members), timedelta()),
        bonus=sum((member.bonus for member in members), Decimal(0)),
        working=sum((member.whole.working for member in members), timedelta()),
        open_tasks=sum(member.open_tasks for member in members),
        days_overdue=sum(member.days_overdue for member in members),
        graded=len(grades),
        shares={grade: Decimal(grades.count(grade)) / len(grades) if grades else Decimal(0) for grade in GRADES},
    )
