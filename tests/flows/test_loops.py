"""Two rules that undo each other stop after a set number of rounds, with a note, a notice and an incident."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from b24app.engine.decisions.rerun import rerun_run
from b24app.settings import Settings
from sandbox.registry import SYSTEM
from tests.flows.stage import ADMIN, AGREED, MARIA, Stage

LIMIT = 3
STOPPED = "Остановлено"


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """A stage on which three rounds a day are enough."""
    workshop = stage.application.workshop
    object.__setattr__(workshop, "settings", workshop.settings.model_copy(update={"loop_limit": LIMIT}))
    return stage


def a_rule(stage: Stage, on: str, to: str) -> list[int]:
    """Let the portal's own automation move every deal on from a stage; return whom it has moved."""
    machine, moved, honest = stage.portal.automation, list[int](), stage.portal.automation.entered

    def entered(kind: int, number: int, stage_id: str) -> None:
        honest(kind, number, stage_id)
        if stage_id == on:
            moved.append(number)
            stage.portal.crm.update(kind, number, {"stageId": to}, SYSTEM)

    vars(machine)["entered"] = entered
    return moved


def told(stage: Stage, deal: int) -> tuple[int, int]:
    """Count the notes in the timeline of a deal, and the notices to the administrator."""
    notes = [comment for comment in stage.comments(deal) if STOPPED in comment]
    return len(notes), len([notice for notice in stage.notices(ADMIN) if STOPPED in notice])


def returned(stage: Stage, deal: int) -> int:
    return len([comment for comment in stage.comments(deal) if "Возвращено" in comment])


def incidents(stage: Stage) -> str:
    client = stage.application.web.test_client()
    client.post("/admin/login", data={"who": "Ольга", "token": stage.application.workshop.settings.admin_token})
    return client.get("/admin/incidents").text


def retry(stage: Stage) -> None:
    client = stage.application.web.test_client()
    client.post("/admin/login", data={"who": "Ольга", "token": stage.application.workshop.settings.admin_token})
    shown = client.get("/admin/incidents").text
    (action,) = re.findall(r'action="(/admin/incidents/[^"]+/retry)"', shown)
    (csrf,) = set(re.findall(r'name="csrf" value="([^"]+)"', shown))
    assert client.post(action, data={"csrf": csrf, "why": "правило отключено"}).status_code == 303
    stage.settle()


def a_loop(stage: Stage) -> tuple[int, list[int]]:
    """Bring a deal to where the process returns it from and a rule of the portal sends it again."""
    moved = a_rule(stage, stage.stage_id("materials_bought"), stage.stage_id("date_agreed"))
    deal = stage.arrive("date_agreed", **{**AGREED, "install_date": "2026-05-29"})
    stage.settle()
    stage.expected_troubles = stage.troubles()
    return deal, moved


def test_a_check_and_a_rule_of_the_portal_stop_after_the_rounds_with_a_note_and_a_notice(stage: Stage) -> None:
    deal, moved = a_loop(stage)
    assert (len(moved), returned(stage, deal), told(stage, deal)) == (LIMIT, LIMIT, (1, 1))
    assert stage.stage_of(deal) == "date_agreed"
    (note,) = [comment for comment in stage.comments(deal) if STOPPED in comment]
    assert "за сутки уже 3 раза переводил карточку на стадию «Материалы закуплены»" in note.replace("\n", " ")
    assert "переводил карточку на стадию" in incidents(stage)
    (notice,) = [notice for notice in stage.notices(ADMIN) if STOPPED in notice]
    assert notice.endswith(f"/crm/deal/details/{deal}/")

    before = len(stage.portal.requests)
    for _ in range(8):
        stage.turn(minutes=1)
    assert len(stage.portal.requests) - before == 8  # readings, and nothing else
    assert told(stage, deal) == (1, 1)


def test_once_the_rule_is_off_a_retry_goes_on_where_it_was_stopped(stage: Stage) -> None:
    deal, _ = a_loop(stage)
    del vars(stage.portal.automation)["entered"]
    retry(stage)
    assert stage.stage_of(deal) == "materials_bought"
    assert (returned(stage, deal), told(stage, deal)) == (LIMIT + 1, (1, 1))
    stage.expected_troubles = []


def test_a_loop_begun_again_the_same_day_stops_at_once_and_is_not_told_twice(stage: Stage) -> None:
    deal, moved = a_loop(stage)
    stage.move(deal, "materials_bought")
    assert (len(moved), stage.stage_of(deal), told(stage, deal)) == (LIMIT + 1, "date_agreed", (1, 1))

    stage.clock.advance(timedelta(days=1))
    stage.move(deal, "materials_bought")
    assert (len(moved), told(stage, deal)) == (2 * LIMIT + 2, (2, 2))
    stage.expected_troubles = stage.troubles()


def test_a_robot_of_the_portal_that_is_undone_by_another_stops_too(stage: Stage) -> None:
    machine = stage.portal.automation
    machine.place(2, "EXECUTING", "return_deal", {"reason": "Нет накладной"})
    moved = a_rule(stage, "PREPAYMENT_INVOICE", "EXECUTING")
    fields = {"title": "Склад", "assignedById": MARIA, "categoryId": 0, "stageId": "EXECUTING"}
    deal = int(stage.portal.as_user(MARIA).call("crm.item.add", entityTypeId=2, fields=fields)["item"]["id"])
    stage.settle()
    assert (len(moved), told(stage, deal)) == (LIMIT, (1, 1))
    assert {run.status for run in machine.runs} <= {"done", "terminated"}
    stage.expected_troubles = stage.troubles()


def test_a_task_closed_by_a_rule_each_time_it_is_reopened_stays_closed_in_the_end(stage: Stage) -> None:
    deal = stage.arrive("materials_paid")
    for _ in range(LIMIT + 2):
        number = int(stage.task(deal, "Закупить")["id"])
        if stage.task(deal, "Закупить")["status"] in ("2", "3"):
            stage.portal.as_user(MARIA).call("tasks.task.complete", taskId=number)
        stage.turn(minutes=2)
    assert stage.task(deal, "Закупить")["status"] == "5"
    assert len([text for text in stage.task_comments(deal, "Закупить") if text]) == LIMIT
    assert told(stage, deal) == (1, 1)
    stage.expected_troubles = stage.troubles()


def test_what_a_person_asks_for_is_done_whatever_the_count(stage: Stage) -> None:
    deal, _ = a_loop(stage)
    del vars(stage.portal.automation)["entered"]
    run = next(run for run in stage.runs(deal, "return_deal") if run.state == "decided")
    rerun_run(stage.application.workshop, run.id, "op", "so be it", dry_run=False, force=True)
    stage.settle()
    assert stage.stage_of(deal) == "materials_bought"


def test_ten_rounds_a_day_are_the_default() -> None:
    assert Settings.model_fields["loop_limit"].default == 10
