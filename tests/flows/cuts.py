"""Workers that die at a chosen request, and pictures of a portal to be compared afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest
import requests
from requests.adapters import HTTPAdapter

from b24app.engine.workshop import Workshop

if TYPE_CHECKING:
    from tests.flows.stage import Stage

When = Literal["before", "after"]


class Killed(BaseException):
    """The worker is gone; nothing of the application catches this."""


@dataclass(slots=True)
class Cut:
    """A worker's death before or after its ``at``-th HTTP request, counted over all its drains.

    ``before``: the request never left. ``after``: the other side has done it, and nobody has read the answer.
    """

    at: int
    when: When
    sent: int = 0
    struck: bool = False

    @contextmanager
    def armed(self, workshop: Workshop) -> Iterator[None]:
        """Let the worker in this block die; its lease stays behind, as that of a killed process does."""
        honest = HTTPAdapter.send

        def send(adapter: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
            self.sent += 1
            if self.sent == self.at and self.when == "before":
                self._die()
            answer = honest(adapter, request, *args, **how)
            if self.sent == self.at:
                answer.close()
                self._die()
            return answer

        def leave_lane(*args: Any, **how: Any) -> None:
            if not self.struck:
                leave(*args, **how)

        leave = workshop.portals.leave_lane
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HTTPAdapter, "send", send)
            patch.setattr(workshop.portals, "leave_lane", leave_lane)
            yield

    def _die(self) -> None:
        self.struck = True
        raise Killed


def picture(stage: Stage, deal: int) -> dict[str, Any]:
    """Tell all that people see of a deal, hours and numbers of the journal left out: they depend on when it was done."""
    portal = stage.portal
    tasks = [task for task in portal.tasks.tasks.values() if f"D_{deal}" in task.fields["UF_CRM_TASK"]]
    seen = {
        "stage": stage.stage_of(deal),
        "tasks": [
            (
                task.fields["TITLE"],
                task.status,
                task.responsible,
                [row.title for row in portal.tasks.checklist_of(task.id)],
                [comment.text for comment in portal.tasks.comments if comment.task_id == task.id],
            )
            for task in tasks
        ],
        "comments": stage.comments(deal),
        "notices": sorted(note.text for note in portal.messages.notifications),
        "visits": sorted((entry.name, entry.attendees) for entry in portal.calendars.events.values()),
        "sms": [sms.text for sms in stage.world.sms.outbox],
        "waiting": sorted(stage.waiting()),
        "robots": [(run.robot.code, run.status, run.results) for run in portal.automation.runs],
    }
    return {name: _timeless(value) for name, value in seen.items()}


def _timeless(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"(через|за) [^;.]*? (после|минут\w*)|\b\d\d:\d\d\b|127\.0\.0\.1:\d+", "…", value)
    if isinstance(value, list | tuple):
        return [_timeless(one) for one in value]
    return value
