"""What a robot may read before it decides, and the application's own memory of an item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, TypeVar, cast

from b24app.core.forms import Submission
from b24app.core.item import Busy, ChecklistItem, Client, Item, ItemRef, People, Product, Task
from b24app.core.quality import Quality
from b24app.core.text import T

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class OwnTask:
    """A task this application gave, and what became of it."""

    name: str
    title: str
    responsible: int
    purpose: str
    stage: str
    task_id: int | None
    open: bool
    opened_at: datetime
    finished_at: datetime | None = None
    deadline: datetime | None = None
    holds: str = "ignore"
    full_checklist: bool = False
    withdrawn: bool = False
    """Closed by the application because it was no longer needed, and not because its work was done."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry into a stage; ``returned`` tells that this application moved the item there."""

    id: int
    stage_id: str
    at: datetime
    returned: bool = False
    again: bool = False
    """Whether the stage was only run again."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit this application put into a calendar."""

    id: int
    user: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Ledger:
    """The application's own memory of an item."""

    tasks: tuple[OwnTask, ...] = ()
    entries: tuple[Entry, ...] = ()
    visit: Visit | None = None
    claimed: tuple[Busy, ...] = ()
    """The slot held for this item."""
    others: tuple[Busy, ...] = ()
    """Slots held for other items, of any employee."""
    sms_texts: frozenset[str] = frozenset()
    """Texts already sent to this item's client."""
    trained: frozenset[str] = frozenset()
    """Stages whose training comment was already written."""
    returns: Mapping[str, int] = field(default_factory=dict)
    """How often the item was returned from a stage, by stage id."""
    learned: frozenset[int] = frozenset()
    """Users who have learned the process and want no training."""

    def round(self, stage_ids: Iterable[str]) -> int:
        """Count how often the item has come to any of these stages; at least once."""
        wanted = frozenset(stage_ids)
        return max(1, sum(entry.stage_id in wanted and not entry.again for entry in self.entries))

    def open_task(self, name: str) -> OwnTask | None:
        """Return the open task of a name."""
        return next((task for task in self.tasks if task.open and task.name == name), None)

    def last_task(self, name: str) -> OwnTask | None:
        """Return the newest task of a name, open or not."""
        return next((task for task in reversed(self.tasks) if task.name == name), None)


class Need(Generic[V]):
    """Something to read before deciding; equal needs of many calls are read once."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class NeedItem(Need[Item | None]):
    """An item of the CRM; None when it was deleted."""

    ref: ItemRef


@dataclass(frozen=True, slots=True)
class NeedClient(Need[Client | None]):
    """A contact (entity type 3) or a company (4) with its phones."""

    ref: ItemRef


@dataclass(frozen=True, slots=True)
class NeedPeople(Need[People]):
    """The employees and the departments."""


@dataclass(frozen=True, slots=True)
class NeedTask(Need[Task | None]):
    """A task as it stands on the portal now; None when it is gone."""

    task_id: int


@dataclass(frozen=True, slots=True)
class NeedChecklist(Need[tuple[ChecklistItem, ...]]):
    """The checklist of a task, without its headings."""

    task_id: int


@dataclass(frozen=True, slots=True)
class NeedProducts(Need[tuple[Product, ...]]):
    """The order lines of an item."""

    ref: ItemRef


@dataclass(frozen=True, slots=True)
class NeedBusy(Need[tuple[Busy, ...]]):
    """When an employee is not free on a day, because of other items, absences or meetings.

    ``item`` itself does not count. ``date_field``, ``time_field`` and ``user_field`` name the fields by which orders book
    people.
    """

    user: int
    day: date
    item: ItemRef
    date_field: str
    time_field: str
    user_field: str


@dataclass(frozen=True, slots=True)
class NeedDealsOfLead(Need[tuple[int, ...]]):
    """The ids of the deals that came from a lead."""

    lead_id: int


@dataclass(frozen=True, slots=True)
class NeedLedger(Need[Ledger]):
    """What this application did for an item so far; always as of the very moment of the decision."""

    ref: ItemRef


@dataclass(frozen=True, slots=True)
class NeedForms(Need[tuple[Submission, ...]]):
    """All forms filled in for an item so far, oldest first; always as of the very moment of the decision."""

    ref: ItemRef


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another process of the portal: the number of its kind of items, and what is asked where they end."""

    code: str
    title: T
    entity_type_id: int
    quality: Quality | None = None


@dataclass(frozen=True, slots=True)
class NeedProcess(Need[Neighbour | None]):
    """A process by its code; None where the portal does not run it."""

    code: str


@dataclass(frozen=True, slots=True)
class News:
    """News posted about an item; ``post`` is its number on the portal, None while it is on its way."""

    post: int | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class NeedNews(Need[tuple[News, ...]]):
    """The news posted about an item, oldest first."""

    ref: ItemRef


@dataclass(frozen=True, slots=True)
class NeedReaders(Need[tuple[int, ...]]):
    """Who has confirmed that he read important news."""

    post_id: int


REMEMBERED = (NeedLedger, NeedForms, NeedProcess, NeedNews)
"""Needs the application's own memory answers; no portal is asked."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read, by need. Asking for what was not read is a mistake of the robot and raises `KeyError`."""

    values: Mapping[Need[Any], Any] = field(default_factory=dict)

    def __getitem__(self, need: Need[V]) -> V:
        return cast(V, self.values[need])

    def __contains__(self, need: Need[Any]) -> bool:
        return need in self.values

    def get(self, need: Need[V]) -> V | None:
        """Return what was read, or None while it has not been."""
        return cast("V | None", self.values.get(need))
