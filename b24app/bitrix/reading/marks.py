"""What an item shows of what was done for it: the marks its tasks and comments carry (docs/adr/0006-marks.md).

Pages: api-reference/tasks/tasks-task-list.md, api-reference/crm/timeline/comments/crm-timeline-comment-list.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from b24app.bitrix.answers import good
from b24app.bitrix.commands import Command
from b24app.bitrix.errors import PortalError
from b24app.bitrix.reading.tasks import TASK_FIELDS, task_of
from b24app.bitrix.reading.values import integer, moment
from b24app.bitrix.replies import Reply, as_map
from b24app.core.item import ItemRef, Task
from b24app.core.text import T

SIGNATURE = T("Запись журнала {mark}", "Journal entry {mark}")
"""The last line of a text the application has written."""
_MARK = re.compile(r"[0-9a-f]{12}\Z")
_SIGNED = re.compile("|".join(f"{re.escape(text.format(mark=''))}([0-9a-f]{{12}})" for text in SIGNATURE.both().values()))
BEFORE, AFTER = timedelta(days=30), timedelta(days=400)
"""How far from now visits are looked for."""


@dataclass(frozen=True, slots=True)
class Shown:
    """When things with our marks were made on an item, by mark, and those of them that are tasks.

    ``visits`` are numbers of meetings by mark; when they were made is written in a format of the portal's own.
    """

    made: Mapping[str, datetime] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    visits: Mapping[str, int] = field(default_factory=dict)


def tasks_about(item: ItemRef) -> Command:
    """Ask for the newest tasks of an item; they cannot be filtered by their mark."""
    params = {"order": {"ID": "desc"}, "filter": {"UF_CRM_TASK": item.binding}, "select": [*TASK_FIELDS, "CREATED_DATE"]}
    return Command("tasks.task.list", params)


def comments_about(item: ItemRef) -> Command:
    """Ask for the newest comments in the timeline of an item."""
    filters = {"ENTITY_ID": item.id, "ENTITY_TYPE": item.timeline_type}
    params = {"select": ["ID", "COMMENT", "CREATED"], "filter": filters, "order": {"ID": "DESC"}}
    return Command("crm.timeline.comment.list", params)


def visits_of(admin: int, now: datetime) -> Command:
    """Ask for the meetings of the technical administrator: the visits of all items are among them."""
    first, last = (now - BEFORE).date().isoformat(), (now + AFTER).date().isoformat()
    return Command("calendar.event.get", {"type": "user", "ownerId": admin, "from": first, "to": last})


def visits_in(result: Any) -> dict[str, dict[str, int]]:
    """Read the answer to `visits_of`: by item, as CRM bindings name it, the meetings that carry marks."""
    found: dict[str, dict[str, int]] = {}
    for row in _rows(result):
        mark, number = signed(row.get("DESCRIPTION") or row.get("~DESCRIPTION")), integer(row.get("ID"))
        bound = row.get("UF_CRM_CAL_EVENT")
        for binding in bound if isinstance(bound, list) else []:
            if mark and number:
                found.setdefault(str(binding), {})[mark] = number
    return found


def signed(text: object) -> str | None:
    """Return the mark the last signature in a text names."""
    found = _SIGNED.findall(str(text or ""))
    return next((mark for mark in found[-1] if mark), None) if found else None


def shown_on(replies: Sequence[Reply | PortalError], visits: Mapping[str, int] | None = None) -> Shown:
    """Read the answers to `tasks_about` and `comments_about`; raises the `PortalError` one of them is."""
    tasks, comments = (good(reply).result for reply in replies)
    made: dict[str, datetime] = {}
    given: dict[str, Task] = {}
    for row in _rows(as_map(tasks).get("tasks")):
        mark, at = str(row.get("xmlId") or ""), moment(row.get("createdDate"))
        if _MARK.match(mark) and at is not None:
            made[mark], given[mark] = at, task_of(row)
    for row in _rows(comments):
        found, at = signed(row.get("COMMENT")), moment(row.get("CREATED"))
        if found and at is not None:
            made[found] = at
    return Shown(made, given, visits or {})


def _rows(found: Any) -> list[Mapping[str, Any]]:
    rows = list(found.values()) if isinstance(found, dict) else found or []
    return [row for row in rows if isinstance(row, dict)]
