"""The portal's things as values: items of the CRM, people, tasks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

LEAD, DEAL, CONTACT, COMPANY = 1, 2, 3, 4
FIRST_SMART = 128
"""Types from here on are smart processes: administrators make and delete them."""

Semantics = Literal["process", "success", "failure"]


@dataclass(frozen=True, slots=True, order=True)
class ItemRef:
    """One item of the CRM: a lead (1), a deal (2), an item of a smart process (its entityTypeId)."""

    entity_type_id: int
    id: int

    @property
    def binding(self) -> str:
        """The short code tasks are bound by: ``D_12``, ``L_3``, ``Tb0_5``.

        Source: api-reference/tasks/fields, field UF_CRM_TASK.
        """
        return f"{_PREFIXES.get(self.entity_type_id) or f'T{self.entity_type_id:x}'}_{self.id}"

    @property
    def timeline_type(self) -> str:
        """The ``ENTITY_TYPE`` of a timeline record: ``deal``, ``lead``, ``dynamic_176``."""
        return _TIMELINE.get(self.entity_type_id) or f"dynamic_{self.entity_type_id}"

    def __str__(self) -> str:
        return self.binding


_PREFIXES = {LEAD: "L", DEAL: "D", CONTACT: "C", COMPANY: "CO", 7: "Q", 31: "SI"}
_TIMELINE = {LEAD: "lead", DEAL: "deal", CONTACT: "contact", COMPANY: "company", 7: "quote"}


def ref_of_binding(code: str) -> ItemRef | None:
    """Read ``D_12`` back; None for anything else."""
    prefix, _, tail = code.rpartition("_")
    if not tail.isascii() or not tail.isdigit() or not prefix:
        return None
    for entity_type_id, known in _PREFIXES.items():
        if known == prefix:
            return ItemRef(entity_type_id, int(tail))
    if prefix[0] == "T":
        try:
            return ItemRef(int(prefix[1:], 16), int(tail))
        except ValueError:
            return None
    return None


@dataclass(frozen=True, slots=True)
class File:
    """A file of a file field: its id on the portal and where to read it."""

    id: str
    url: str = ""


Value = str | int | bool | Decimal | date | time | datetime | tuple[File, ...] | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Item:
    """An item as read from the portal; ``fields`` are keyed by the process file's own field names."""

    ref: ItemRef
    title: str
    stage_id: str
    category_id: int
    responsible_id: int
    contact_id: int | None = None
    company_id: int | None = None
    lead_id: int | None = None
    amount: Decimal = Decimal(0)
    currency: str = ""
    created_at: datetime | None = None
    moved_at: datetime | None = None
    moved_by: int | None = None
    fields: Mapping[str, Value] = field(default_factory=dict)

    def day(self, name: str) -> date | None:
        """Return a date field as a day; None when it is empty or not a date."""
        value = self.fields.get(name)
        if isinstance(value, datetime):
            return value.date()
        return value if isinstance(value, date) else None

    def clock_time(self, name: str) -> time | None:
        """Return a field as a time of day: ``9:30``, ``09.30`` or ``9`` are understood; None otherwise."""
        value = self.fields.get(name)
        if isinstance(value, time):
            return value
        return parse_time(value) if isinstance(value, str) else None

    def user(self, name: str) -> int | None:
        """Return an employee field as a user's id; None when it is empty."""
        value = self.fields.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None

    def text(self, name: str) -> str:
        """Return a field as text; empty when not set."""
        value = self.fields.get(name)
        return "" if value is None else str(value)


def parse_time(text: str) -> time | None:
    """Read a time of day as people type it: ``10:00``, ``9.30``, ``14-00``, ``8``; a range gives its beginning."""
    match = _CLOCK.match(text.lower())
    if match is None:
        return None
    hour, mark, second = int(match.group(1)), match.group(2) or "", int(match.group(3) or 0)
    minute = 0 if mark in ("-", "–") and hour < second <= 24 else second  # "10-12" is a range, "14-00" is not
    return time(hour, minute) if hour < 24 and minute < 60 else None


_CLOCK = re.compile(r"\s*(?:с |в |к |from |at )?\s*([0-9]{1,2})(?![0-9])(?:\s*([:.\-–])\s*([0-9]{1,2})(?![0-9]))?")


@dataclass(frozen=True, slots=True)
class Client:
    """A contact or a company with what is needed to reach it."""

    id: int
    name: str
    phones: tuple[str, ...] = ()
    is_company: bool = False


@dataclass(frozen=True, slots=True)
class Product:
    """One order line: what, how many, in which unit, at which price."""

    name: str
    quantity: Decimal
    unit: str = ""
    price: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class User:
    """An employee of the portal."""

    id: int
    name: str
    active: bool = True
    departments: tuple[int, ...] = ()
    email: str = ""
    phone: str = ""
    position: str = ""


@dataclass(frozen=True, slots=True)
class Department:
    """A department of the company structure; ``head`` is None where nobody was named."""

    id: int
    name: str
    parent: int | None = None
    head: int | None = None


@dataclass(frozen=True, slots=True)
class People:
    """Who works here and who is whose head."""

    users: Mapping[int, User] = field(default_factory=dict)
    departments: Mapping[int, Department] = field(default_factory=dict)

    def active(self, user_id: int | None) -> bool:
        """Tell whether a user exists and was not dismissed."""
        return user_id is not None and user_id in self.users and self.users[user_id].active

    def name(self, user_id: int | None) -> str:
        """Name a user; an unknown one is named by number, so that a text never lacks its subject."""
        if user_id is None:
            return "—"
        user = self.users.get(user_id)
        return user.name if user else f"№ {user_id}"

    def head_of(self, user_id: int) -> int | None:
        """Find the active head of a user: of his department, or of the nearest one above; never himself."""
        user = self.users.get(user_id)
        if user is None:
            return None
        for department_id in user.departments:
            head = self._climb(department_id, user_id)
            if head is not None:
                return head
        return None

    def _climb(self, department_id: int | None, user_id: int) -> int | None:
        seen: set[int] = set()
        while department_id is not None and department_id in self.departments and department_id not in seen:
            seen.add(department_id)
            department = self.departments[department_id]
            if department.head != user_id and self.active(department.head):
                return department.head
            department_id = department.parent
        return None


TaskStatus = Literal["pending", "in_progress", "awaiting_control", "completed", "deferred"]
TASK_STATUSES: Mapping[int, TaskStatus] = {
    2: "pending",
    3: "in_progress",
    4: "awaiting_control",
    5: "completed",
    6: "deferred",
}


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One line of a task's checklist."""

    id: int
    title: str
    done: bool


@dataclass(frozen=True, slots=True)
class Task:
    """A task as read from the portal."""

    id: int
    title: str
    status: TaskStatus
    responsible_id: int
    deadline: datetime | None = None
    closed_at: datetime | None = None
    closed_by: int | None = None
    changed_at: datetime | None = None
    xml_id: str = ""

    @property
    def finished(self) -> bool:
        """Whether the executor is done with it (completed, or waiting for control)."""
        return self.status in ("completed", "awaiting_control")


@dataclass(frozen=True, slots=True)
class Busy:
    """A span in which an employee is not free: another order's visit, an absence, a meeting."""

    start: datetime
    end: datetime
    kind: Literal["visit", "absent", "busy"]
    what: str = ""
    item: ItemRef | None = None
    user: int | None = None
    """Whose time it is; always set for slots of the ledger."""

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Tell whether this span and another share any time."""
        return self.start < end and start < self.end
