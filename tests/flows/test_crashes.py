"""Workers die and replies get lost; the portal ends in the same state, nothing lost and nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.flows.busy_day import Course, differences, play, unanswered
from tests.flows.cuts import Cut, EveryMethod, WebCut, When, picture
from tests.flows.stage import AGREED, ALEXEY, Stage, a_file
from tests.flows.theatre import Theatre

Scenario = Callable[[Stage], int]


def taken_up(stage: Stage) -> int:
    """A deal begins: comment, task, checklist, timer."""
    return stage.new_deal(contactId=1)


def returned(stage: Stage) -> int:
    """A deal comes back: move, comment, task, notification, lesson."""
    return stage.arrive("date_agreed", **{**AGREED, "install_date": "2026-05-29"})


def booked(stage: Stage) -> int:
    """A visit is agreed."""
    return stage.arrive("date_agreed", **AGREED)


def careless(stage: Stage) -> int:
    """A task is closed with open lines and comes back."""
    deal = stage.arrive("materials_paid")
    stage.close(deal, "Закупить", tick=False)
    return deal


def lost(stage: Stage) -> int:
    """Everything is wound up."""
    deal = booked(stage)
    stage.move(deal, "lost")
    return deal


def accepted(stage: Stage) -> int:
    """SMS, the installer's task, the manager's notification and task, acceptance."""
    deal = stage.arrive("installation_set", **AGREED)
    stage.close(deal, "Выполнить монтаж", by=ALEXEY)
    stage.close(deal, "узнать мнение")
    return deal


def answered(stage: Stage) -> int:
    """A waiting robot of the portal gets its answer."""
    stage.portal.automation.place(2, stage.stage_id("contract_signed"), "check_installation_date", {})
    return stage.arrive("contract_signed", **AGREED, contract_file=a_file())


def calmed(stage: Stage, scenario: Scenario) -> dict[str, Any]:
    """Play a scenario, let everything put off be done, and take the picture."""
    deal = scenario(stage)
    for _ in range(4):
        stage.turn(minutes=2)
    assert stage.troubles() == []
    assert stage.world.complaints == []
    return picture(stage, deal)


@pytest.fixture(scope="module")
def undisturbed(theatre: Theatre) -> Callable[[Scenario], dict[str, Any]]:
    """How scenarios end when nothing goes wrong; each is played once, while the theatre has no other stage given out."""

    @cache
    def played(scenario: Scenario) -> dict[str, Any]:
        with theatre.stage() as stage:
            return calmed(stage, scenario)

    return played


@pytest.fixture(scope="module")
def quiet_day(theatre: Theatre) -> Course:
    """The busy day on which nobody dies."""
    return play(theatre)


def test_the_busy_day_has_everything_in_it(quiet_day: Course) -> None:
    """`python -m bench.crashes` plays it once for every request of it; here are samples."""
    methods = {method for request in quiet_day.requests for method in request}
    assert methods >= {
        *("crm.stagehistory.list", "crm.item.list", "crm.item.get", "crm.item.update", "crm.item.add", "user.get"),
        *("tasks.task.add", "task.checklistitem.add", "task.commentitem.add", "crm.timeline.comment.add"),
        *("tasks.task.list", "tasks.task.get", "tasks.task.renew", "tasks.task.approve", "tasks.task.complete"),
        *("calendar.event.add", "calendar.event.delete", "im.notify.system.add", "bizproc.event.send"),
        *("oauth/token", "sms/send"),
    }
    assert len(quiet_day.requests) > 50
    assert any(name.startswith("robot ") for name in quiet_day.callbacks)


@pytest.mark.parametrize("when", ["before", "after", "late"])
def test_when_a_worker_dies_at_the_first_request_of_every_method_the_day_ends_the_same(
    theatre: Theatre, quiet_day: Course, when: When
) -> None:
    deadly = EveryMethod(when=when)
    assert differences(quiet_day.picture, play(theatre, deadly).picture) == []
    assert deadly.deaths > 15


@pytest.mark.parametrize(("sixths", "when"), [(1, "before"), (3, "after"), (5, "late")])
def test_when_a_worker_dies_at_some_request_the_day_ends_the_same(
    theatre: Theatre, quiet_day: Course, sixths: int, when: When
) -> None:
    death = Cut(len(quiet_day.requests) * sixths // 6, when)
    assert differences(quiet_day.picture, play(theatre, death).picture) == []


def test_when_the_web_dies_unanswering_after_every_callback_the_day_ends_the_same(
    theatre: Theatre, quiet_day: Course
) -> None:
    """The portal repeats none of them."""
    assert differences(quiet_day.picture, play(theatre, WebCut(0, "after")).picture) == []


def test_when_every_callback_is_lost_with_its_web_process_the_history_tells_of_all_but_the_robots_call(
    theatre: Theatre, quiet_day: Course
) -> None:
    """Its token was told to nobody else: the portal waits as long as its administrator said, and goes on."""
    lost = play(theatre, WebCut(0, "before"))
    assert differences(unanswered(quiet_day.picture), lost.picture) == []


def test_what_follows_a_comment_that_may_be_written_already_waits_until_it_is_known(stage: Stage) -> None:
    """The lesson stands above the record of the SMS: that is the order in which they were decided."""
    stage.cut = cut = Cut(5, "before")
    deal = stage.arrive("installation_set", **AGREED)
    lesson, record = stage.comments(deal)
    assert cut.deaths == 1
    assert lesson.startswith("[B]Обучение")
    assert record.startswith("Клиенту отправлено SMS")


@pytest.mark.parametrize(
    ("scenario", "methods"),
    [
        (taken_up, ("crm.stagehistory.list", "tasks.task.add")),
        (taken_up, ("crm.timeline.comment.add", "task.checklistitem.add")),
        (returned, ("crm.item.update", "im.notify.system.add")),
        (booked, ("crm.item.get", "calendar.event.add")),
        (careless, ("tasks.task.renew", "task.commentitem.add")),
        (lost, ("calendar.event.delete",)),
        (accepted, ("tasks.task.approve",)),
        (answered, ("bizproc.event.send",)),
    ],
)
@pytest.mark.parametrize("kind", ["lost_reply", "hang_up"])
def test_a_request_whose_reply_is_lost_is_looked_up_and_not_done_twice(
    theatre: Theatre,
    undisturbed: Callable[[Scenario], dict[str, Any]],
    scenario: Scenario,
    methods: tuple[str, ...],
    kind: str,
) -> None:
    expected = undisturbed(scenario)
    with theatre.stage() as stage:
        faults = [stage.portal.faults.add(kind, method) for method in methods]
        assert calmed(stage, scenario) == expected
    assert [fault.hits for fault in faults] == [1] * len(faults)
