"""What an item shows of what was done for it: the marks its tasks and comments carry (docs/adr/0006-marks.md).

Pages: api-reference/tasks/tasks-task-list.md, api-reference/crm/timeline/comments/crm-timeline-comment-list.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from b24app.bitrix.answers import good
from b24app.bitrix.commands import Command
from b24app.bitrix.errors import PortalError
from b24app.bitrix.reading.tasks import TASK_FIELDS, task_of
from b24app.bitrix.reading.values import moment
from b24app.bitrix.replies import Reply, as_map
from b24app.core.item import ItemRef, Task
from b24app.core.text import T

SIGNATURE = T("Запись журнала {mark}", "Journal entry {mark}")
"""The last line of a text the application has written."""
_MARK = re.compile(r"[0-9a-f]{12}\Z")


@dataclass(frozen=True, slots=True)
class Shown:
    """When things with our marks were made on an item, by mark, and those of them that are tasks."""

    made: Mapping[str, datetime] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)


def tasks_about(item: ItemRef) -> Command:
    """Ask for the newest tasks of an item; they cannot be filtered by their mark."""
    params = {"order": {"ID": "desc"}, "filter": {"UF_CRM_TASK": item.binding}, "select": [*TASK_FIELDS, "CREATED_DATE"]}
    return Command("tasks.task.list", params)


def comments_about(item: ItemRef) -> Command:
    """Ask for the newest comments in the timeline of an item."""
    filters = {"ENTITY_ID": item.id, "ENTITY_TYPE": item.timeline_type}
    params = {"select": ["ID", "COMMENT", "CREATED"], "filter": filters, "order": {"ID": "DESC"}}
    return Command("crm.timeline.comment.list", params)


def shown_on(replies: Sequence[Reply | PortalError]) -> Shown:
    """Read the answers to `tasks_about` and `comments_about`; raises the `PortalError` one of them is."""
    tasks, comments = (good(reply).result for reply in replies)
    made: dict[str, datetime] = {}
    given: dict[str, Task] = {}
    for row in _rows(as_map(tasks).get("tasks")):
        mark, at = str(row.get("xmlId") or ""), moment(row.get("createdDate"))
        if _MARK.match(mark) and at is not None:
            made[mark], given[mark] = at, task_of(row)
    for row in _rows(comments):
        found, at = _MARK.search(str(row.get("COMMENT")).rstrip()), moment(row.get("CREATED"))
        if found and at is not None:
            made[found[0]] = at
    return Shown(made, given)


def _rows(found: Any) -> list[Mapping[str, Any]]:
    rows = list(found.values()) if isinstance(found, dict) else found or []
    return [row for row in rows if isinstance(row, dict)]
