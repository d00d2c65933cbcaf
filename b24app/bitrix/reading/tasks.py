"""Tasks and their checklists. Pages: api-reference/tasks/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from b24app.bitrix.commands import Command, positional
from b24app.bitrix.reading.values import integer, moment
from b24app.bitrix.replies import as_map
from b24app.core.item import TASK_STATUSES, ChecklistItem, Task

TASK_FIELDS = (
    "ID",
    "TITLE",
    "STATUS",
    "RESPONSIBLE_ID",
    "DEADLINE",
    "CLOSED_DATE",
    "CLOSED_BY",
    "CHANGED_DATE",
    "XML_ID",
)


def checklist(task_id: int) -> Command:
    return positional("task.checklistitem.getlist", task_id)


def checklist_of(result: Any) -> tuple[ChecklistItem, ...]:
    """Read a checklist without its headings (rows whose parent is 0)."""
    rows = list(result.values()) if isinstance(result, dict) else result or []
    return tuple(
        ChecklistItem(int(row["ID"]), str(row.get("TITLE") or ""), row.get("IS_COMPLETE") == "Y")
        for row in rows
        if str(row.get("PARENT_ID") or "0") != "0"
    )


def task_in(result: Any) -> Task | None:
    """Read ``tasks.task.get``, which answers an empty list for a task that is missing or hidden."""
    row = as_map(result).get("task")
    return task_of(row) if isinstance(row, dict) and row.get("id") else None


def task_of(row: Mapping[str, Any]) -> Task:
    """Read a task of ``tasks.task.get`` or ``tasks.task.list``."""
    return Task(
        id=int(row["id"]),
        title=str(row.get("title") or ""),
        status=TASK_STATUSES.get(integer(row.get("status")) or 2, "pending"),
        responsible_id=integer(row.get("responsibleId")) or 0,
        deadline=moment(row.get("deadline")),
        closed_at=moment(row.get("closedDate")),
        closed_by=integer(row.get("closedBy")) or None,
        changed_at=moment(row.get("changedDate")),
        xml_id=str(row.get("xmlId") or ""),
    )


def tasks_in(result: Any) -> list[Task]:
    """Return the tasks of a ``tasks.task.list`` answer."""
    rows = as_map(result).get("tasks")
    rows = list(rows.values()) if isinstance(rows, dict) else rows or []
    return [task_of(row) for row in rows if isinstance(row, dict)]
