"""A day with everything in it, played again and again with one death in it, and a picture of all that people see then."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from b24app.core.item import ItemRef
from sandbox.portal import Portal
from tests.flows.corrections import Loop
from tests.flows.cuts import Cut, WebCut, When
from tests.flows.gateways import askable, set_up_gateway
from tests.flows.stage import AGREED, DMITRY, Stage, a_file
from tests.flows.theatre import Theatre

HEALING = timedelta(seconds=61)
"""After this a reader looks at the history although nobody told it to."""
ROBOTS_PATIENCE = 3600
"""Seconds the portal waits for a robot's answer before its workflow goes on without."""
WHENS: tuple[When, ...] = ("before", "after")
MARK = re.compile(r"\b[0-9a-f]{12}\b")
CLOCK = re.compile(r"\b(\d\d):(\d\d)\b")
PAUSE = re.compile(r"(через|за) [^;.]*? (после|минут\w*)")


@dataclass(slots=True)
class Course:
    """How a day went: the requests it took, the callbacks the portal sent, and the picture after it."""

    requests: list[tuple[str, ...]] = field(default_factory=list)
    """The methods in each HTTP request of the workers to portal, authorization server and SMS gateway, in their order."""
    callbacks: list[str] = field(default_factory=list)
    picture: dict[str, Any] = field(default_factory=dict)


def a_busy_day(stage: Stage) -> None:
    """Play six orders at once, a robot that waits, another date, closed tasks, a night, acceptance, a loss and its end."""
    set_up_gateway(stage, askable(stage))
    place = stage.stage_id("contract_signed")
    stage.portal.automation.place(2, place, "check_installation_date", {}, wait=True, timeout_seconds=ROBOTS_PATIENCE)
    wrong, others = {**AGREED, "install_date": "2026-05-29"}, {**AGREED, "installer": DMITRY}
    with at_once(stage):
        stage.arrive("contract", "Новый")
        stage.arrive("contract_signed", "Подписан", contract_file=a_file(), **AGREED)
        careless = stage.arrive("materials_paid", "Оплачен")
        stage.arrive("date_agreed", "Ошибка в дате", **wrong)
        moving = stage.arrive("date_agreed", "Переносится", **AGREED)
        ending = stage.arrive("installation_set", "Монтируется", **others)
    stage.write(moving, install_date="2026-06-09")
    stage.close(careless, "Закупить", tick=False)
    stage.close(ending, "Выполнить монтаж", by=DMITRY)
    stage.turn(hours=24)
    stage.close(ending, "узнать мнение")
    stage.move(moving, "lost")
    Loop(stage).summed_up(ItemRef(2, moving))
    for _ in range(4):
        stage.turn(minutes=2)


@contextmanager
def at_once(stage: Stage) -> Iterator[None]:
    """Let people do all this before anybody looks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stage, "settle", lambda self: None)
        yield
    stage.settle()


def play(theatre: Theatre, cut: Cut | WebCut | None = None) -> Course:
    """Play the day on a fresh stage with this death in it; whatever then still fails, fails here."""
    course, worker = Course(), cut if isinstance(cut, Cut) else Cut(0, "before")

    def note(server: str, methods: tuple[str, ...]) -> None:
        if worker.working:
            course.requests.append(_names(server, methods))

    with theatre.stage() as stage:
        stage.world.after_request, stage.cut = note, worker
        with _mortal(stage, cut):
            a_busy_day(stage)
        course.callbacks = [f"{call.name} {call.url.rpartition('/b24/')[2]}" for call in stage.portal.deliveries]
        course.picture = everything(stage)
        assert stage.troubles() == []
        assert stage.world.complaints == []
        assert cut is None or cut.deaths, "nobody died"
    return course


@contextmanager
def _mortal(stage: Stage, cut: Cut | WebCut | None) -> Iterator[None]:
    """Let the death happen in this block, and people do what is theirs to do after it."""
    settle = Stage.settle

    def settle_all(self: Stage) -> None:
        lived = cut.deaths if cut else 0
        settle(self)
        if cut is None or cut.deaths == lived:
            return
        if self.application.workshop.portal(self.portal_id).state == "reconnect":
            self.reopen()  # the answer to a renewal of the tokens is gone, and with it the only way in
        self.clock.advance(HEALING)
        settle(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stage, "settle", settle_all)
        with cut.armed(stage) if isinstance(cut, WebCut) else nullcontext():
            yield


def _names(server: str, methods: tuple[str, ...]) -> tuple[str, ...]:
    """Name what a request was about: the methods in a batch, or the server and what it was asked."""
    if server != "portal":
        return (f"{server}/{methods[0]}",)
    return tuple(line.partition("?")[0] for line in methods[1:]) or methods


# who dies where --------------------------------------------------------------------------------------------------------


def deaths(requests: list[tuple[str, ...]]) -> list[Cut]:
    """Give a death before and one after every request, and one while the other side is at it."""
    whens: tuple[When, ...] = (*WHENS, "late")
    return [Cut(at, when) for at in range(1, len(requests) + 1) for when in whens]


def callback_deaths(callbacks: list[str]) -> list[WebCut]:
    """Give a death of the web process before and one after the commit of every callback."""
    return [WebCut(at, when) for at in range(1, len(callbacks) + 1) for when in WHENS]


def unanswered(picture: dict[str, Any]) -> dict[str, Any]:
    """Give the picture of a day on which the robots' calls were lost: nobody else was told, and the portal goes on."""
    robots = [[code, item, "timeout", {"IsTimeout": 1}, []] for code, item, *_ in picture["robots"]]
    return {**picture, "robots": robots}


# what people see ---------------------------------------------------------------------------------------------------------


def everything(stage: Stage) -> dict[str, Any]:
    """Tell all there is on the portal and at the gateway; moments by the hour, since a death takes seconds or minutes.

    Marks are left out: they are made of what caused an action, numbers of the application's own rows among it.
    """
    portal = stage.portal
    rows = {
        "items": {f"{kind}/{n}": dict(item) for kind, shelf in portal.crm.items.items() for n, item in shelf.items()},
        "history": [(row["OWNER_ID"], row.get("STAGE_ID") or row.get("STATUS_ID")) for row in _rows_of(portal)],
        "tasks": _tasks(portal),
        "comments": sorted((c.entity_type_id, c.item_id, n, c.text) for n, c in _numbered(portal)),
        "notices": sorted((note.user_id, note.text) for note in portal.messages.notifications),
        "news": [(post.title, post.text, post.dest) for post in portal.messages.posts.values()],
        "visits": sorted(
            (e.name, e.owner, e.start, e.end, e.attendees, e.crm_fields) for e in portal.calendars.events.values()
        ),
        "sms": sorted((sms.to, sms.text) for sms in stage.world.sms.outbox),
        "repeated sms": stage.world.sms.repeated,
        "robots": [(run.robot.code, run.item_id, run.status, run.results, run.log) for run in portal.automation.runs],
        "waiting": sorted((timer.item.binding, timer.name, timer.due) for timer in stage.timers()),
    }
    return {name: _by_the_hour(value) for name, value in rows.items()}


def _rows_of(portal: Portal) -> list[dict[str, Any]]:
    rows = [row for log in portal.crm.history.rows.values() for row in log]
    return sorted(rows, key=lambda row: (row["OWNER_ID"], row["ID"]))


def _numbered(portal: Portal) -> Iterator[tuple[int, Any]]:
    """Give the comments of cards, each with its place in its card."""
    places: dict[tuple[int, int], int] = {}
    for comment in portal.timeline.comments.values():
        card = (comment.entity_type_id, comment.item_id)
        places[card] = places.get(card, 0) + 1
        yield places[card], comment


def _tasks(portal: Portal) -> list[Any]:
    """Tell tasks by what they are about, in the order they were given; their numbers depend on what others got first."""
    tasks = portal.tasks
    told = [
        (
            *(task.fields.get("UF_CRM_TASK") or ()),
            task.fields["TITLE"],
            task.status,
            task.responsible,
            {name: value for name, value in task.fields.items() if name not in ("UF_CRM_TASK", "DESCRIPTION")},
            [(row.title, row.complete, bool(row.parent_id)) for row in tasks.checklist_of(task.id)],
            [comment.text for comment in tasks.comments if comment.task_id == task.id],
        )
        for task in tasks.tasks.values()
    ]
    return sorted(told, key=lambda row: str(row[0]))


def _by_the_hour(value: Any) -> Any:
    match value:
        case str():
            return MARK.sub("…", CLOCK.sub(_hour, PAUSE.sub("…", value)))
        case datetime():
            return (value + timedelta(minutes=30)).replace(minute=0, second=0, microsecond=0).isoformat()
        case dict():
            return {name: _by_the_hour(one) for name, one in value.items()}
        case list() | tuple():
            return [_by_the_hour(one) for one in value]
        case _:
            return value


def _hour(found: re.Match[str]) -> str:
    hours, minutes = int(found[1]), int(found[2])
    return f"{hours + (minutes >= 30):02d} ч"


def differences(expected: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """Name what is on one picture and not on the other."""
    told = []
    for name, value in expected.items():
        wanted, found = _rows(value), _rows(got[name])
        told += [f"{name}: missing {row}" for row in wanted if row not in found]
        told += [f"{name}: too much {row}" for row in found if row not in wanted]
        if wanted != found and not any(line.startswith(name) for line in told):
            told.append(f"{name}: {len(wanted)} in one picture, {len(found)} in the other, or in another order")
    return told


def _rows(value: Any) -> list[Any]:
    return [(name, one) for name, one in value.items()] if isinstance(value, dict) else list(value)
