"""One invocation of a robot: what caused it, where the item stands, what the company settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from b24app.core.forms import FormDef
from b24app.core.item import ItemRef
from b24app.core.quality import Board, Corrections, Quality
from b24app.core.text import Lang, T
from b24app.core.worktime import WorkCalendar


@dataclass(frozen=True, slots=True)
class StageEntered:
    """The item entered a stage (or its stage is run again)."""

    again: bool = False


@dataclass(frozen=True, slots=True)
class RobotCalled:
    """An administrator's automation called the robot."""

    token: str
    waits: bool


@dataclass(frozen=True, slots=True)
class TimerDue:
    """A timer has come due; ``set_at`` is when it was set."""

    name: str
    due: datetime
    set_at: datetime


@dataclass(frozen=True, slots=True)
class TaskFinished:
    """The executor finished a task this application gave."""

    name: str
    task_id: int
    full_checklist: bool = False


@dataclass(frozen=True, slots=True)
class FieldsChanged:
    """Watched fields of the item changed; by the process file's names."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FormSubmitted:
    """Somebody filled in a form of the process; ``round`` counts how often the item has come to where it is asked for."""

    form: str
    answers: Mapping[str, Any]
    by: int
    round: int = 1
    name: str = ""
    """Who filled it in, as people call him."""


@dataclass(frozen=True, slots=True)
class PaymentConfirmed:
    """An integrated system confirmed a payment."""

    payment_id: str
    amount: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class AskedByPerson:
    """Somebody pressed a button: a rerun, a help request, a slot chosen."""

    user: str
    why: str


Cause = (
    StageEntered | RobotCalled | TimerDue | TaskFinished | FieldsChanged | FormSubmitted | PaymentConfirmed | AskedByPerson
)


@dataclass(frozen=True, slots=True)
class StagePoint:
    """One stage of the item's pipeline, in order; ``key`` is the process file's name for it, or the id."""

    key: str
    id: str
    name: T
    semantics: str = "process"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the item stands: its pipeline in order, the stage it is on and where it came from."""

    stage: str
    stages: tuple[StagePoint, ...] = ()
    came_from: str | None = None
    entry_id: int | None = None
    returned: bool = False
    passed: bool = False
    """The item has left this stage already: the entry was seen late, and nothing may hold the item for its sake."""
    process: str = ""

    def point(self, stage_id: str | None = None) -> StagePoint | None:
        """Return a stage by id (the current one when none is given)."""
        wanted = stage_id or self.stage
        return next((p for p in self.stages if p.id == wanted), None)

    def by_key(self, key: str) -> StagePoint | None:
        """Return a stage by the process file's name, or by id."""
        return next((p for p in self.stages if key in (p.key, p.id)), None)

    def position(self, stage_id: str) -> int:
        """Return a stage's place in the order; -1 for a stage outside the pipeline."""
        return next((n for n, p in enumerate(self.stages) if p.id == stage_id), -1)

    def back(self) -> StagePoint | None:
        """Return where a failed check sends the item: where it came from if that lies before, else the stage before.

        None on the first stage.
        """
        here = self.position(self.stage)
        if here <= 0:
            return None
        came = self.position(self.came_from) if self.came_from else -1
        if 0 <= came < here:
            return self.stages[came]
        return self.stages[here - 1]


@dataclass(frozen=True, slots=True)
class House:
    """What a portal's administrator settled, as far as decisions depend on it."""

    lang: Lang = "ru"
    calendar: WorkCalendar = field(default_factory=WorkCalendar)
    training: bool = True
    country: str = "RU"
    roles: Mapping[str, str] = field(default_factory=dict)
    """Roles of the process file: name -> ``responsible``, ``head_of(responsible)``, ``field(installer)``, ``user(7)``; empty
    for an open one, which means whoever stands in for it."""
    role_titles: Mapping[str, T] = field(default_factory=dict)
    """What people call the roles that have a title."""
    fallback: int | None = None
    """Who gets what nobody else can be found for; the administrator who installed the app unless set."""
    stand_ins: Mapping[str, int] = field(default_factory=dict)
    """Role -> user who stands in when the role finds nobody active."""
    sms: bool = False
    portal_url: str = ""
    labels: Mapping[str, T] = field(default_factory=dict)
    """Names of the process file's fields for people, by the fields' own names."""
    forms: Mapping[str, FormDef] = field(default_factory=dict)
    """The forms of the process, by name."""
    quality: Quality | None = None
    """What the process asks for where its items end."""
    corrections: Corrections | None = None
    """What the company agreed on corrections, where the process is about them."""
    boards: Mapping[str, Board] = field(default_factory=dict)
    """Projects of departments that were set up on the portal, by their Russian names."""
    employee_fields: frozenset[str] = frozenset({"installer"})
    """Fields that hold an employee, so that texts show a name and not a number."""


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation of a robot."""

    item: ItemRef
    at: datetime
    cause: Cause
    place: Place = Place("")
    house: House = House()
    reasons: tuple[T, ...] = ()
    """Why the checks before this step failed, where it runs because they did."""

    def say(self, text: T, /, **values: object) -> str:
        """Fill a text and put it into the portal's language."""
        return text.fill(**values).at(self.house.lang)
