"""Tasks: the status machine, control by the creator, rights, checklists, comments, time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.errors import RestError
from sandbox.registry import Caller
from sandbox.wire import JSON

if TYPE_CHECKING:
    from sandbox.portal import Portal

PENDING, WORKING, AWAITING_CONTROL, COMPLETED, DEFERRED = 2, 3, 4, 5, 6
UNDEFINED = "undefined"


@dataclass(slots=True, eq=False)
class ChecklistItem:
    """A row of a checklist; the roots (parent 0) are the checklists themselves."""

    id: int
    task_id: int
    parent_id: int
    title: str
    created_by: int
    sort: int = 0
    complete: bool = False
    important: bool = False
    members: JSON = field(default_factory=dict)
    toggled_by: int | None = None
    toggled_at: datetime | None = None


@dataclass(slots=True, eq=False)
class Comment:
    """A comment to a task."""

    id: int
    task_id: int
    author: int
    text: str
    at: datetime


@dataclass(slots=True, eq=False)
class Elapsed:
    """A record of time spent."""

    id: int
    task_id: int
    user_id: int
    seconds: int
    text: str
    at: datetime


@dataclass(slots=True, eq=False)
class Task:
    """A task; ``fields`` are kept under the names of the documentation's ``fields``."""

    id: int
    fields: JSON
    created: datetime
    changed: datetime
    status_changed: datetime
    status: int = PENDING
    status_changed_by: int | None = None
    changed_by: int = 0
    closed: datetime | None = None
    closed_by: int = 0
    started: datetime | None = None
    viewed_by: set[int] = field(default_factory=set)
    history: list[JSON] = field(default_factory=list)
    results: list[JSON] = field(default_factory=list)

    @property
    def creator(self) -> int:
        """Give who set the task."""
        return int(self.fields["CREATED_BY"])

    @property
    def responsible(self) -> int:
        """Give who does the task."""
        return int(self.fields["RESPONSIBLE_ID"])

    def members(self) -> set[int]:
        """Give everybody named in the task."""
        return {self.creator, self.responsible, *self.fields["ACCOMPLICES"], *self.fields["AUDITORS"]}


def not_allowed(code: str = "1048582") -> RestError:
    """Give the refusal of an action; a task that is not there gets it, too."""
    return RestError(code, "Действие над задачей не разрешено")


class Tasks:
    """All tasks of one portal."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self.tasks: dict[int, Task] = {}
        self.checklist: dict[int, ChecklistItem] = {}
        self.comments: list[Comment] = []
        self.elapsed: dict[int, Elapsed] = {}
        self._last = 0
        self._last_history = 0

    def of(self, user_id: int) -> list[Task]:
        """Give the tasks a user is responsible for, oldest first."""
        return [task for task in self.tasks.values() if task.responsible == user_id]

    def visible(self, task_id: int, user_id: int) -> Task | None:
        """Find a task the user may see."""
        task = self.tasks.get(task_id)
        return task if task is not None and self.sees(task, user_id) else None

    def sees(self, task: Task, user_id: int) -> bool:
        """Tell whether a user is in a task, leads somebody who is, or is an administrator."""
        people = self._portal.people
        if people.is_admin(user_id) or user_id in task.members():
            return True
        return any(user_id in people.heads_of(member) for member in (task.creator, task.responsible))

    def allowed(self, task: Task, user_id: int) -> dict[str, bool]:
        """Give which actions a user may do now (tasks.task.getaccess)."""
        admin = self._portal.people.is_admin(user_id)
        boss = admin or user_id == task.creator
        doer = boss or user_id == task.responsible
        works = doer or user_id in task.fields["ACCOMPLICES"]
        is_open = task.status in {PENDING, WORKING, DEFERRED}
        return {
            "COMPLETE": doer and is_open,
            "APPROVE": boss and task.status == AWAITING_CONTROL,
            "DISAPPROVE": boss and task.status == AWAITING_CONTROL,
            "START": works and task.status in {PENDING, DEFERRED},
            "PAUSE": works and task.status == WORKING,
            "DELEGATE": doer and is_open,
            "REMOVE": boss,
            "EDIT": boss,
            "DEFER": works and task.status in {PENDING, WORKING},
            "RENEW": doer and task.status in {AWAITING_CONTROL, COMPLETED, DEFERRED},
            "CREATE": True,
            "CHANGE_DEADLINE": boss or (doer and task.fields["ALLOW_CHANGE_DEADLINE"] == "Y"),
            "CHECKLIST_ADD_ITEMS": works,
            "RATE": boss,
            "TAKE": False,
            "ELAPSEDTIME.ADD": works,
        }

    def require(self, task_id: int, user_id: int, action: str, code: str = "1048582") -> Task:
        """Find a task and check the right to an action; raises "action not allowed"."""
        task = self.tasks.get(task_id)
        if task is None or not self.allowed(task, user_id)[action]:
            raise not_allowed(code)
        return task

    def add(self, fields: JSON, caller: Caller) -> Task:
        """Set a task of already read fields."""
        now = self._portal.now().replace(microsecond=0)
        self._last += 1
        task = Task(self._last, fields, now, now, now, changed_by=caller.user_id)
        task.status = int(fields.pop("STATUS", PENDING) or PENDING)
        task.viewed_by.add(caller.user_id)
        self.tasks[task.id] = task
        self._note(task, caller, "NEW", None, None)
        payload = {
            "FIELDS_BEFORE": UNDEFINED,
            "FIELDS_AFTER": {"ID": task.id},
            "IS_ACCESSIBLE_BEFORE": "N",
            "IS_ACCESSIBLE_AFTER": UNDEFINED,
        }
        self._portal.events.emit("ONTASKADD", payload, caller)
        return task

    def change(self, task: Task, fields: JSON, caller: Caller) -> None:
        """Change fields; without a difference nothing happens."""
        changed = {k: v for k, v in fields.items() if k != "STATUS" and task.fields.get(k) != v}
        for name, value in changed.items():
            self._note(task, caller, name, task.fields.get(name), value)
        task.fields.update(changed)
        status = int(fields.get("STATUS") or task.status)
        if status != task.status:
            self.move(task, status, caller)
        elif changed:
            self._changed(task, caller)

    def move(self, task: Task, status: int, caller: Caller) -> None:
        """Bring a task into another status and tell it."""
        now = self._portal.now().replace(microsecond=0)
        self._note(task, caller, "STATUS", task.status, status)
        task.status, task.status_changed, task.status_changed_by = status, now, caller.user_id
        if status in {AWAITING_CONTROL, COMPLETED}:
            task.closed, task.closed_by = now, caller.user_id
        else:
            task.closed, task.closed_by = None, 0
        if status == WORKING:
            task.started = now
        self._changed(task, caller)

    def complete(self, task: Task, caller: Caller) -> None:
        """Complete a task: with control the responsible's word is status 4, the creator's is 5."""
        if "3" in {str(row.get("CODE")) for row in task.fields["SE_PARAMETER"] if row.get("VALUE") == "Y"} and (
            not task.results
        ):
            raise RestError("0", "Для завершения задачи необходим результат")
        boss = caller.user_id == task.creator or self._portal.people.is_admin(caller.user_id)
        controlled = task.fields["TASK_CONTROL"] == "Y" and not boss
        self.move(task, AWAITING_CONTROL if controlled else COMPLETED, caller)

    def delete(self, task: Task, caller: Caller) -> None:
        """Delete a task with everything in it."""
        del self.tasks[task.id]
        self.checklist = {k: row for k, row in self.checklist.items() if row.task_id != task.id}
        payload = {
            "FIELDS_BEFORE": {"ID": task.id},
            "FIELDS_AFTER": UNDEFINED,
            "IS_ACCESSIBLE_BEFORE": UNDEFINED,
            "IS_ACCESSIBLE_AFTER": "N",
        }
        self._portal.events.emit("ONTASKDELETE", payload, caller)

    def comment(self, task: Task, text: str, caller: Caller, author: int = 0) -> Comment:
        """Write a comment and tell it."""
        number = len(self.comments) + 1
        row = Comment(number, task.id, author or caller.user_id, text, self._portal.now())
        self.comments.append(row)
        self._note(task, caller, "COMMENT", None, str(number))
        after = {"FIELDS_AFTER": {"ID": number, "TASK_ID": task.id}, "FIELDS_BEFORE": UNDEFINED}
        self._portal.events.emit("ONTASKCOMMENTADD", after, caller)
        return row

    def _changed(self, task: Task, caller: Caller) -> None:
        task.changed, task.changed_by = self._portal.now().replace(microsecond=0), caller.user_id
        payload = {
            "FIELDS_BEFORE": {"ID": task.id},
            "FIELDS_AFTER": {"ID": task.id},
            "IS_ACCESSIBLE_BEFORE": UNDEFINED,
            "IS_ACCESSIBLE_AFTER": UNDEFINED,
        }
        self._portal.events.emit("ONTASKUPDATE", payload, caller)

    def touch_checklist(self, task: Task, caller: Caller) -> None:
        """Record a checklist change; whether it fires ONTASKUPDATE is not documented, so it is an option."""
        task.changed = self._portal.now().replace(microsecond=0)
        if self._portal.options["checklist_events"]:
            self._changed(task, caller)

    def _note(self, task: Task, caller: Caller, name: str, before: Any, after: Any) -> None:
        self._last_history += 2
        task.history.append(
            {
                "id": self._last_history,
                "at": self._portal.now(),
                "field": name,
                "value": {"from": _plain(before), "to": _plain(after)},
                "user_id": caller.user_id,
            }
        )

    def checklist_of(self, task_id: int) -> list[ChecklistItem]:
        """Give the checklist rows of a task in their order."""
        rows = [row for row in self.checklist.values() if row.task_id == task_id]
        return sorted(rows, key=lambda row: (row.sort, row.id))

    def add_checklist_item(self, task: Task, title: str, parent: int | None, user_id: int) -> ChecklistItem:
        """Add a row; without a parent it goes to the first checklist, which is made when absent."""
        rows = self.checklist_of(task.id)
        if parent is None:
            root = next((row for row in rows if row.parent_id == 0), None)
            root = root or self.add_checklist_item(task, "Чек-лист 1", 0, user_id)
            parent = root.id
        number = max(self.checklist, default=0) + 1
        row = ChecklistItem(number, task.id, parent, title, user_id, sort=len(self.checklist_of(task.id)))
        self.checklist[number] = row
        return row


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return value if value is None else str(value)
