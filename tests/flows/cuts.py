"""Workers that die at a chosen request, and pictures of a portal to be compared afterwards."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from sqlalchemy.engine import Connection

from b24app.engine.workshop import Workshop
from b24app.store.database import Database

if TYPE_CHECKING:
    from tests.flows.stage import Stage

When = Literal["before", "after", "late"]
LATE = timedelta(seconds=40)
"""How long the other side works on a request whose sender is dead; a portal cuts it off after 60 s."""


class Killed(BaseException):
    """The worker is gone; nothing of the application catches this."""


@dataclass(slots=True)
class Cut:
    """A worker's death before or after its ``at``-th HTTP request, counted over all its drains; none where that is 0.

    ``before``: the request never left. ``after``: the other side has done it, and nobody has read the answer. ``late``: the
    other side is still at it, and does it only `LATE` after the death.
    """

    at: int
    when: When
    sent: int = 0
    deaths: int = 0
    working: bool = False
    """Whether the worker is at it now."""
    under_way: list[tuple[datetime, Callable[[], requests.Response]]] = field(default_factory=list)
    """Requests the other side is still at, and when it will have done them."""

    def arrive(self, now: datetime) -> None:
        """Let the other side do what it will have done by now."""
        for due, request in [late for late in self.under_way if late[0] <= now]:
            self.under_way.remove((due, request))
            request().close()

    def strikes(self, request: requests.PreparedRequest) -> bool:
        """Tell whether this request is one to die at."""
        return self.sent == self.at

    @contextmanager
    def armed(self, workshop: Workshop) -> Iterator[None]:
        """Let the worker in this block die; from then on it writes nothing down, so its leases stay behind."""
        honest, write, lived = HTTPAdapter.send, workshop.database.write, self.deaths

        def send(adapter: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
            self.sent += 1
            struck = self.strikes(request)
            if struck and self.when == "late":
                self.under_way.append((workshop.now() + LATE, partial(honest, adapter, request, *args, **how)))
            if struck and self.when != "after":
                self._die()
            answer = honest(adapter, request, *args, **how)
            if struck:
                answer.close()
                self._die()
            return answer

        def write_while_alive() -> AbstractContextManager[Connection]:
            if self.deaths > lived:
                raise Killed
            return write()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HTTPAdapter, "send", send)
            patch.setattr(workshop.database, "write", write_while_alive)
            patch.setattr(self, "working", True)
            yield

    def _die(self) -> None:
        self.deaths += 1
        raise Killed


@dataclass(slots=True)
class EveryMethod(Cut):
    """Deaths of one worker after another: each at the first request with a method that nobody has died at yet."""

    at: int = 0
    when: When = "after"
    met: set[str] = field(default_factory=set)

    def strikes(self, request: requests.PreparedRequest) -> bool:
        new = set(methods_in(request)) - self.met
        self.met |= new
        return bool(new)


def methods_in(request: requests.PreparedRequest) -> list[str]:
    """Read what a request asks for: the methods of a batch, or the end of its address."""
    path = urlsplit(request.url or "").path.rstrip("/")
    if not path.endswith("/batch"):
        return [path.rpartition("/")[2]]
    return [line.partition("?")[0] for line in json.loads(request.body or "{}")["cmd"].values()]


@dataclass(slots=True)
class WebCut:
    """The death of a web process at the ``at``-th callback the portal sends, at every one where that is 0.

    The portal gets no answer and does not repeat the call.
    ``before``: what the callback brought was not committed yet. ``after``: it was, and nobody was woken or answered.
    """

    at: int
    when: When
    came: int = 0
    deaths: int = 0

    @contextmanager
    def armed(self, stage: Stage) -> Iterator[None]:
        """Let the web process die in this block, and start it again at once."""
        honest, inbox, web = stage.world.transport, stage.application.workshop.inbox, stage.holder["web"]

        def deliver(url: str, body: str) -> int:
            self.came += 1
            if self.at and self.came != self.at:
                return honest(url, body)
            self.deaths += 1
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(inbox, "database", _Mortal(inbox.database, self.when))
                patch.setitem(stage.holder, "web", dying)
                honest(url, body)
            raise requests.ConnectionError("nobody is there any more")

        def dying(environ: Any, start_response: Any) -> Any:
            try:
                return web(environ, start_response)
            except Killed:
                start_response("500 Internal Server Error", [])  # which the portal does not get to see
                return []

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stage.world, "transport", deliver)
            yield


class _Mortal(Database):
    """A database whose writer dies before or after his commit."""

    def __init__(self, real: Database, when: When) -> None:
        super().__init__(real.engine)
        self._when = when

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            yield connection
            if self._when == "before":
                raise Killed
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
