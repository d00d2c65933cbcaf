"""One correction put together from what is kept of it: its card, history, forms, tasks and points. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from b24app.core import changes, commission
from b24app.core.figures import KINDS, Correction, Entry, Grade, Group, Person, Source, Spent, stage_times, stay_of
from b24app.core.forms import Submission
from b24app.core.item import ItemRef, People
from b24app.core.process import ProcessDef, StageDef
from b24app.core.text import Lang, T
from b24app.core.worktime import WorkCalendar

FIELDS = ("employee", "source", "source_title", "source_link", "source_process", "source_pipeline")
"""The fields of a correction its figures speak of, by the process file's names."""
GRADE_OF: Mapping[str, Grade] = {"correct": "A", "improvable": "B", "partial": "C"}
UNNAMED = T("Без названия", "Untitled")
NO_STAGE = T("Стадия вне процесса", "A stage outside of the process")


@dataclass(frozen=True, slots=True)
class Given:
    """A task given for a correction; ``rounds`` counts how often it was finished."""

    task_id: int | None
    open: bool
    deadline: datetime | None = None
    finished_at: datetime | None = None
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of a correction, each list oldest first; ``fields`` are those in `FIELDS`, employees as numbers."""

    item: ItemRef
    moves: tuple[Entry, ...]
    title: str = ""
    responsible: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)
    forms: tuple[Submission, ...] = ()
    tasks: tuple[Given, ...] = ()
    points: int = 0
    effort: timedelta = timedelta()

    def text(self, name: str) -> str:
        return str(self.fields.get(name) or "")


@dataclass(frozen=True, slots=True)
class Office:
    """The company a correction is figured for: its portal, process, people and clock.

    ``stages`` and ``groups`` are by ``STATUS_ID``, ``pipelines`` by the code of the process, ``violations`` by type.
    """

    portal: str
    url: str
    stages: Mapping[str, StageDef]
    groups: Mapping[str, Group]
    pipelines: Mapping[str, T]
    violations: Mapping[str, T]
    people: People
    calendar: WorkCalendar
    lang: Lang
    now: datetime


def groups_of(process: ProcessDef) -> Mapping[str, Group]:
    """Group the stages of a process of corrections, by key: before the votes, the votes, after them; its ends in none."""
    found: dict[str, Group] = {}
    group: Group = "analysis"
    for stage in process.stages:
        if stage.semantics != "process":
            continue
        votes = stage.form is not None and stage.form.name == commission.APPROVAL
        group = "approval" if votes else ("analysis" if group == "analysis" else "changes")
        found[stage.key] = group
    return found


def ended_at(record: Record, office: Office) -> datetime | None:
    """Tell when a correction came to the end it stands on; None while it is open, or opened again."""
    last = max(record.moves, key=lambda move: (move.at, move.id))
    stage = office.stages.get(last.stage)
    return last.at if stage is not None and stage.semantics != "process" else None


def times_of(record: Record, office: Office) -> Mapping[Group, Spent]:
    """Measure the time it stood in each group of stages; raises `UnclearHistory`."""
    return stage_times(record.moves, office.groups, ended_at(record, office), office.calendar)


def correction_of(record: Record, office: Office, times: Mapping[Group, Spent]) -> Correction:
    """Put a correction together; ``times`` are of `times_of`, empty where its history is unclear."""
    end = ended_at(record, office)
    last = max(record.moves, key=lambda move: (move.at, move.id))
    stage = office.stages.get(last.stage)
    employee = record.fields.get("employee")
    officer = Person(record.responsible, office.people.name(record.responsible)) if record.responsible else None
    cancelled = stage is not None and stage.semantics == "failure"
    kinds = changes.kinds_of(record.forms)
    who = employee if isinstance(employee, int) and employee > 0 else record.responsible
    return Correction(
        portal=office.portal,
        item=record.item,
        title=record.title or UNNAMED.at(office.lang),
        source=_source(record, office),
        responsible=Person(who, office.people.name(who or None)),
        started_at=min(move.at for move in record.moves),
        finished_at=end,
        cancelled=cancelled,
        stage=(stage.name if stage else NO_STAGE).at(office.lang),
        link=f"{office.url.rstrip('/')}/crm/type/{record.item.entity_type_id}/details/{record.item.id}/",
        times=times,
        stay=stay_of(record.moves, office.groups, office.now, office.calendar) if times and end is None else None,
        grade=None if cancelled else GRADE_OF.get(commission.outcome_of(record.forms)),
        violations=_violations(record, office),
        unforeseen=commission.unforeseen(record.forms),
        measures=changes.texts_of(record.forms),
        kinds={kind: kinds.count(kind) for kind in KINDS if kind in kinds},
        officer=officer,
        bonus=Decimal(record.points),
        effort=record.effort,
        rounds=commission.rounds_of(record.forms),
        open_tasks=sum(task.open for task in record.tasks),
        days_overdue=days_overdue(record.tasks, office.now, office.calendar),
    )


def _source(record: Record, office: Office) -> Source:
    known = office.pipelines.get(record.text("source_process"))
    pipeline = record.text("source_pipeline") or (known.at(office.lang) if known else "")
    return Source(pipeline, record.text("source_title"), record.text("source_link"))


def _violations(record: Record, office: Office) -> tuple[str, ...]:
    """Name the types of violations the last analysis found, each once."""
    rows = commission.rows(commission.newest(record.forms, commission.ANALYSIS), "violations")
    types = dict.fromkeys(str(row.get("type") or "") for row in rows)
    return tuple(office.violations[kind].at(office.lang) if kind in office.violations else kind for kind in types if kind)


def days_overdue(tasks: Iterable[Given], now: datetime, calendar: WorkCalendar) -> int:
    """Count the days on which any task was behind its deadline; the day of the deadline itself does not count."""
    late: set[date] = set()
    for task in tasks:
        end = now if task.open else task.finished_at
        if task.deadline is None or end is None or end <= task.deadline:
            continue
        due = calendar.today(task.deadline)
        late |= {due + timedelta(n) for n in range(1, (calendar.today(end) - due).days + 1)}
    return len(late)
