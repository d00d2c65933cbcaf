"""Workers die and replies get lost; the portal ends in the same state, nothing lost and nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.flows.cuts import Cut, When, picture
from tests.flows.stage import AGREED, ALEXEY, Stage, a_file, a_stage

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


@cache
def undisturbed(scenario: Scenario) -> dict[str, Any]:
    with TemporaryDirectory() as folder, a_stage(Path(folder)) as stage:
        stage.install()
        stage.settle()
        return calmed(stage, scenario)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("scenario", [taken_up, returned])
def test_a_worker_killed_at_a_request_is_followed_by_one_that_ends_in_the_same_state(
    stage: Stage, scenario: Scenario, at: int, when: When
) -> None:
    stage.cut = cut = Cut(at, when)
    assert calmed(stage, scenario) == undisturbed(scenario)
    assert cut.struck


@pytest.mark.parametrize(
    ("scenario", "method"),
    [
        (taken_up, "tasks.task.add"),
        (taken_up, "task.checklistitem.add"),
        (taken_up, "crm.timeline.comment.add"),
        (taken_up, "crm.stagehistory.list"),
        (returned, "crm.item.update"),
        (returned, "im.notify.system.add"),
        (booked, "calendar.event.add"),
        (careless, "tasks.task.renew"),
        (careless, "task.commentitem.add"),
        (lost, "calendar.event.delete"),
        (booked, "crm.item.get"),
        (accepted, "tasks.task.approve"),
        (answered, "bizproc.event.send"),
    ],
)
@pytest.mark.parametrize("kind", ["lost_reply", "hang_up"])
def test_a_request_whose_reply_is_lost_is_looked_up_and_not_done_twice(
    stage: Stage, scenario: Scenario, method: str, kind: str
) -> None:
    fault = stage.portal.faults.add(kind, method)
    assert calmed(stage, scenario) == undisturbed(scenario)
    assert fault.hits == 1
