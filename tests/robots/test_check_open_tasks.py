from __future__ import annotations

from typing import Any

import pytest

from b24app.core.actions import Comment, Notify
from b24app.core.item import ChecklistItem, Task
from b24app.core.needs import Ledger, OwnTask
from b24app.core.robot import NoProps, Outcome
from robots.check_open_tasks import ROBOT
from tests.builders import MANAGER, a_call, a_place, a_task, an_own_task, decided, facts, lines

HOLDING = an_own_task(holds="return")
OPEN = a_task("in_progress")


def check(*own: OwnTask, task: Task | None = OPEN, checklist: tuple[ChecklistItem, ...] = (), **call: Any) -> Outcome:
    world = facts(ledger=Ledger(tasks=own), tasks={500: task, 501: task}, checklist=checklist)
    return decided(ROBOT, a_call(**call), world, NoProps())


def test_an_open_task_of_an_earlier_stage_holds_the_deal() -> None:
    outcome = check(HOLDING)

    assert not outcome.ok
    assert outcome.why.ru == "не закрыта задача «Подписать договор» стадии «Заключить договор»"
    assert outcome.returns.reason == outcome.why.ru


def test_a_task_closed_a_second_ago_does_not_hold_though_the_ledger_knows_it_open() -> None:
    assert check(HOLDING, task=a_task("completed")).ok
    assert check(HOLDING, task=a_task("awaiting_control")).ok


def test_a_task_closed_with_open_lines_still_holds() -> None:
    full = an_own_task(holds="return", full_checklist=True)
    assert check(full, task=a_task("completed"), checklist=lines(True, True)).ok
    refused = check(full, task=a_task("completed"), checklist=lines(True, False))
    assert "чек-лист не пройден" in refused.why.ru


def test_a_deleted_task_holds_nothing() -> None:
    assert check(HOLDING, task=None).ok


def test_a_task_the_portal_has_not_got_yet_holds() -> None:
    assert not check(an_own_task(holds="return", task_id=None)).ok


def test_a_milder_task_is_only_recalled() -> None:
    outcome = check(an_own_task(holds="remind"))

    assert outcome.ok
    notice, comment = outcome.actions
    assert isinstance(notice, Notify)
    assert notice.user == MANAGER
    assert isinstance(comment, Comment)
    assert "напомнили о задаче «Подписать договор»" in outcome.why.ru


def test_both_kinds_are_told_together() -> None:
    outcome = check(HOLDING, an_own_task("call", holds="remind", task_id=501))
    assert not outcome.ok
    assert len(outcome.actions) == 2


@pytest.mark.parametrize(
    "own",
    [
        an_own_task(holds="ignore"),
        an_own_task(holds="return", open=False),
        an_own_task(holds="return", stage="C7:EXECUTING"),
        an_own_task(holds="return", stage="C7:FINAL"),
        an_own_task(holds="return", stage="of another pipeline"),
        an_own_task(holds="return", purpose="mend"),
        an_own_task(holds="return", purpose="control"),
        an_own_task(holds="return", purpose="incident"),
    ],
)
def test_other_tasks_hold_nothing(own: OwnTask) -> None:
    outcome = check(own)
    assert (outcome.ok, outcome.actions) == (True, ())


@pytest.mark.parametrize(
    "place",
    [a_place("lost"), a_place("date_agreed", returned=True), a_place("date_agreed", came_from="assigned")],
)
def test_lost_and_returned_deals_pass(place: Any) -> None:
    assert check(HOLDING, place=place).ok
