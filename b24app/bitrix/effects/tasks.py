"""Effects on tasks: given with a checklist, closed, renewed, accepted.

Pages: api-reference/tasks/, api-reference/tasks/checklist-item/.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from b24app.bitrix.commands import Command, positional
from b24app.bitrix.effects.effect import Effect, OneCommand, Progress, Replies, Setting, Step, first_error
from b24app.bitrix.errors import PortalError, Refused, ServerTrouble
from b24app.bitrix.reading.marks import tasks_about
from b24app.bitrix.reading.tasks import TASK_FIELDS, checklist, checklist_of, tasks_in
from b24app.bitrix.replies import Reply, as_map
from b24app.core.actions import AddTask, ApproveTask, CloseTask, RenewTask, UpdateTask
from b24app.core.item import TaskStatus

RESULT_WANTED = 3
"""The ``SE_PARAMETER`` by which a task cannot be completed without a result (api-reference/tasks/fields.md)."""


class AddingTask(Effect):
    """Gives a task, then its checklist line by line.

    The task carries the mark as ``XML_ID``, which no list can be filtered by: it is found among the tasks bound to the item.
    """

    def __init__(self, action: AddTask, mark: str, setting: Setting) -> None:
        super().__init__(mark, setting)
        self.action = action

    def look(self, progress: Progress) -> tuple[Command, ...]:
        if not progress.get("task_id"):
            return (tasks_about(self.action.item),)
        return (checklist(progress["task_id"]),) if self._missing(progress) else ()

    def found(self, progress: Progress, replies: Replies) -> Step:
        reply = replies[0]
        if not isinstance(reply, Reply):
            return Step(progress, first_error(replies))
        if not progress.get("task_id"):
            mine = next((task for task in tasks_in(reply.result) if task.xml_id == self.mark), None)
            return Step({**progress, "task_id": mine.id} if mine else progress)
        there = Counter(line.title for line in checklist_of(reply.result))
        return Step({**progress, "lines": self._lines_among(there)})

    def _lines_among(self, there: Counter[str]) -> list[int]:
        found: list[int] = []
        for place, title in enumerate(self.action.checklist):
            if there[title] > 0:
                there[title] -= 1
                found.append(place)
        return found

    def _missing(self, progress: Progress) -> list[int]:
        written = progress.get("lines", [])
        return [place for place in range(len(self.action.checklist)) if place not in written]

    def send(self, progress: Progress) -> tuple[Command, ...]:
        if not progress.get("task_id"):
            return (Command("tasks.task.add", {"fields": self._fields()}),)
        return tuple(self._line(progress["task_id"], place) for place in self._missing(progress))

    def _line(self, task_id: int, place: int) -> Command:
        fields = {"TITLE": self.action.checklist[place], "SORT_INDEX": (place + 1) * 10}
        return positional("task.checklistitem.add", task_id, fields)

    def _fields(self) -> dict[str, Any]:
        action = self.action
        fields: dict[str, Any] = {
            "TITLE": action.title,
            "RESPONSIBLE_ID": action.responsible,
            "DESCRIPTION": action.description,
            "CREATED_BY": action.creator or self.setting.admin,
            "PRIORITY": 2 if action.important else 1,
            "UF_CRM_TASK": [action.item.binding],
            "XML_ID": self.mark,
            "TASK_CONTROL": "Y" if action.under_control else "N",
            "ALLOW_CHANGE_DEADLINE": "N",
        }
        if action.deadline is not None:
            fields["DEADLINE"] = action.deadline.isoformat(timespec="seconds")
        if action.group is not None:
            fields["GROUP_ID"] = action.group
        if action.stage is not None:
            fields["STAGE_ID"] = action.stage
        if action.require_result:
            fields["SE_PARAMETER"] = [{"CODE": RESULT_WANTED, "VALUE": "Y"}]
        if action.timed:
            fields["ALLOW_TIME_TRACKING"] = "Y"
        for name, people in (("AUDITORS", action.auditors), ("ACCOMPLICES", action.accomplices)):
            if people:
                fields[name] = list(people)
        return fields

    def sent(self, progress: Progress, replies: Replies) -> Step:
        if progress.get("task_id"):
            return self._lined(progress, replies)
        reply = replies[0]
        if not isinstance(reply, Reply):
            return Step(progress, first_error(replies))
        return Step({**progress, "task_id": int(as_map(as_map(reply.result).get("task"))["id"])})

    def _lined(self, progress: Progress, replies: Replies) -> Step:
        written = list(progress.get("lines", []))
        pairs = zip(self._missing(progress), replies, strict=True)
        written += [place for place, reply in pairs if isinstance(reply, Reply) and reply.result]
        silent = any(isinstance(reply, Reply) and not reply.result for reply in replies)
        unnamed = ServerTrouble("", "a line was agreed to and not named", 200) if silent else None
        return Step({**progress, "lines": written}, first_error(replies) or unnamed)


class UpdatingTask(OneCommand):
    """Writes title, text, deadline or executor of a task anew."""

    def __init__(self, action: UpdateTask, mark: str, setting: Setting) -> None:
        super().__init__(mark, setting)
        self.action = action

    def command(self) -> Command:
        action, fields = self.action, {}
        if action.title is not None:
            fields["TITLE"] = action.title
        if action.description is not None:
            fields["DESCRIPTION"] = action.description
        if action.deadline is not None:
            fields["DEADLINE"] = action.deadline.isoformat(timespec="seconds")
        if action.responsible is not None:
            fields["RESPONSIBLE_ID"] = str(action.responsible)
        return Command("tasks.task.update", {"taskId": action.task_id, "fields": fields})


class Bringing(Effect):
    """Brings a task to a status, then says why in a comment.

    A refusal ("action not allowed") may mean that the task is there already, or gone: the task is read before it counts.
    """

    ways: tuple[str, ...]
    arrived: frozenset[TaskStatus]
    gone_is_fine = True

    def __init__(self, task_id: int, reason: str, mark: str, setting: Setting) -> None:
        super().__init__(mark, setting)
        self.task_id = task_id
        self.reason = reason

    def look(self, progress: Progress) -> tuple[Command, ...]:
        if progress.get("done") and self._comment_due(progress):
            return (positional("task.commentitem.getlist", self.task_id),)
        return ()

    def found(self, progress: Progress, replies: Replies) -> Step:
        reply = replies[0]
        if isinstance(reply, Refused):
            return Step({**progress, "commented": True})
        if not isinstance(reply, Reply):
            return Step(progress, first_error(replies))
        rows = list(reply.result.values()) if isinstance(reply.result, dict) else reply.result or []
        written = any(self.mark in str(row.get("POST_MESSAGE")) for row in rows)
        return Step({**progress, "commented": True} if written else progress)

    def _comment_due(self, progress: Progress) -> bool:
        return bool(self.reason) and not progress.get("commented") and not progress.get("superseded")

    def send(self, progress: Progress) -> tuple[Command, ...]:
        if not progress.get("done"):
            way = int(progress.get("way", 0))
            if way < len(self.ways):
                return (Command(self.ways[way], {"taskId": self.task_id}),)
            return (Command("tasks.task.get", {"taskId": self.task_id, "select": list(TASK_FIELDS)}),)
        if not self._comment_due(progress):
            return ()
        message = {"POST_MESSAGE": self.setting.signed(self.reason, self.mark)}
        return (positional("task.commentitem.add", self.task_id, message),)

    def sent(self, progress: Progress, replies: Replies) -> Step:
        reply = replies[0]
        if progress.get("done"):  # a comment that is refused (the new task card) is no reason to do all again
            kept = isinstance(reply, Reply | Refused)
            return Step({**progress, "commented": True} if kept else progress, None if kept else first_error(replies))
        way = int(progress.get("way", 0))
        if isinstance(reply, Refused) and way < len(self.ways):
            return Step({**progress, "way": way + 1, "refusal": reply.description})
        if not isinstance(reply, Reply):
            return Step(progress, first_error(replies))
        return self._read(progress, reply) if way == len(self.ways) else Step({**progress, "done": True})

    def _read(self, progress: Progress, reply: Reply) -> Step:
        row = as_map(reply.result).get("task") if reply.result else None
        if row is None:
            return Step({**progress, "done": True, "superseded": "gone"})
        if tasks_in({"tasks": [row]})[0].status in self.arrived:
            return Step({**progress, "done": True})
        refusal: PortalError = Refused("", str(progress.get("refusal", "")), method=self.ways[-1])
        return Step(progress, refusal)


class ClosingTask(Bringing):
    ways = ("tasks.task.complete",)
    arrived = frozenset({"completed", "awaiting_control"})

    @classmethod
    def of(cls, action: CloseTask, mark: str, setting: Setting) -> ClosingTask:
        return cls(action.task_id, action.reason, mark, setting)


class RenewingTask(Bringing):
    """A task under control is disapproved, any other is renewed."""

    ways = ("tasks.task.renew", "tasks.task.disapprove")
    arrived = frozenset({"pending", "in_progress", "deferred"})

    @classmethod
    def of(cls, action: RenewTask, mark: str, setting: Setting) -> RenewingTask:
        return cls(action.task_id, action.reason, mark, setting)


class ApprovingTask(Bringing):
    ways = ("tasks.task.approve",)
    arrived = frozenset({"completed"})

    @classmethod
    def of(cls, action: ApproveTask, mark: str, setting: Setting) -> ApprovingTask:
        return cls(action.task_id, "", mark, setting)
