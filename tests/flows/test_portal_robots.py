"""Robots an administrator has placed on stages in the portal's own automation: the portal calls, the application answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from b24app.core.item import ItemRef
from b24app.store import journal
from sandbox.automation import Run as PortalRun
from tests.flows.kinds import Items
from tests.flows.stage import ADMIN, AGREED, ALEXEY, HEAD, MARIA, SOLD, Stage

STAGE = "EXECUTING"
"""A stage of the portal's own pipeline, which no process is tied to."""


def a_deal(stage: Stage, by: int = MARIA, **fields: Any) -> int:
    """Create a deal in the portal's own pipeline."""
    tie = stage.tie()
    values = {tie.fields.get(name, name): value for name, value in {**SOLD, **fields}.items()}
    params = {"title": "Склад", "assignedById": by, "categoryId": 0, **values}
    added = stage.portal.as_user(by).call("crm.item.add", entityTypeId=2, fields=params, useOriginalUfNames="Y")
    stage.settle()
    return int(added["item"]["id"])


def enter(stage: Stage, deal: int, stage_id: str = STAGE) -> None:
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=2, id=deal, fields={"stageId": stage_id})
    stage.settle()


def call(stage: Stage, robot: str, properties: dict[str, Any] | None = None, **fields: Any) -> tuple[int, PortalRun]:
    """Place a robot, bring a deal to its stage, and return the deal and what the portal knows of the call."""
    stage.portal.automation.place(2, STAGE, robot, properties or {})
    deal = a_deal(stage, **fields)
    enter(stage, deal)
    return deal, stage.portal.automation.runs[-1]


def where(stage: Stage, deal: int) -> str:
    return str(stage.portal.as_user(ADMIN).call("crm.item.get", entityTypeId=2, id=deal)["item"]["stageId"])


# The robots on a deal outside any process ---------------------------------------------------------------------------------


def test_the_date_check_answers_yes_for_a_good_day(stage: Stage) -> None:
    _, run = call(stage, "check_installation_date", **AGREED)
    assert (run.status, run.results["ok"], run.results["reason"]) == ("done", "Y", "")


def test_the_date_check_answers_no_with_the_reason_and_moves_nothing(stage: Stage) -> None:
    """The administrator branches on the result; only a process file returns a deal."""
    deal, run = call(stage, "check_installation_date", **{**AGREED, "install_date": "2026-06-07"})
    assert (run.results["ok"], run.results["reason"]) == ("N", "07.06.2026 — нерабочий день")
    assert where(stage, deal) == STAGE


def test_the_booking_check_books_the_hours_for_the_deal(stage: Stage) -> None:
    _, run = call(stage, "check_installer_booking", **AGREED)
    assert (run.results["ok"], run.results["installer"]) == ("Y", "Алексей Морозов")
    other = stage.arrive("date_agreed", **AGREED)
    assert stage.stage_of(other) == "materials_bought"


def test_the_booking_check_names_the_other_order(stage: Stage) -> None:
    stage.arrive("date_agreed", **AGREED)
    _, run = call(stage, "check_installer_booking", **AGREED)
    assert run.results["ok"] == "N"
    assert "занят другим заказом «Потолки, ул. Садовая, 5»" in run.results["reason"]


def test_the_required_fields_robot_says_what_is_missing(stage: Stage) -> None:
    _, run = call(stage, "require_fields", {"fields": ["contact_or_company", "amount", "address"]}, opportunity=0)
    assert run.results["ok"] == "N"
    assert run.results["missing"] == "amount, address"


def test_an_autotask_gives_its_task_and_its_control(stage: Stage) -> None:
    properties = {
        "title": "Собрать заказ {title}",
        "to": "user_6",
        "checklist": ["Полотно", "Профиль"],
        "deadline": "24h",
        "control_after": "2h",
        "control_to": "head_of(responsible)",
    }
    deal, run = call(stage, "autotask", properties)
    assert run.status == "done"
    assert stage.titles(deal, user=ALEXEY) == ["Собрать заказ Склад"]
    assert stage.lines(deal, "Собрать") == ["Полотно", "Профиль"]
    stage.turn(hours=2)
    assert len(stage.titles(deal, user=HEAD)) == 1


def test_a_control_task_is_given_after_its_pause_about_the_task_that_is_open(stage: Stage) -> None:
    stage.portal.automation.place(2, STAGE, "autotask", {"title": "Собрать"})
    deal, _ = call(stage, "control_task", {"title": "Почему стоит {title}?", "after": "3h", "checklist": ["Узнать"]})
    stage.turn(hours=3)
    assert stage.titles(deal, user=HEAD) == ["Почему стоит Склад?"]


def test_a_training_comment_is_written(stage: Stage) -> None:
    deal, _ = call(stage, "training_comment", {"text": "Так работает склад", "steps": ["Откройте склад"]})
    (comment,) = stage.comments(deal)
    assert "Так работает склад" in comment
    assert "1. Откройте склад" in comment


def test_a_deal_is_returned_with_reason_and_task(stage: Stage) -> None:
    deal, _ = call(stage, "return_deal", {"title": "Исправить {title}", "reason": "Нет накладной"})
    assert where(stage, deal) == "PREPAYMENT_INVOICE"
    assert stage.titles(deal, user=MARIA) == ["Исправить Склад"]
    assert "Нет накладной" in stage.comments(deal)[0]


def test_a_reminder_before_the_day_gives_its_task(stage: Stage) -> None:
    deal, _ = call(stage, "remind_before", {"title": "Позвонить: {title}", "before": "1 day", "at": "12:00"}, **AGREED)
    assert list(stage.waiting().values()) == ["05.06 12:00"]
    stage.turn(days=4, hours=2)
    assert stage.titles(deal, user=MARIA) == ["Позвонить: Склад"]


def test_an_sms_is_sent_once(stage: Stage) -> None:
    deal, _ = call(stage, "send_sms", {"text": "Заказ {title} готов"})
    enter(stage, deal, "PREPARATION")
    enter(stage, deal)
    assert [sms.text for sms in stage.world.sms.outbox] == ["Заказ Склад готов"]


def test_a_user_is_notified(stage: Stage) -> None:
    call(stage, "notify", {"to": "user_6", "text": "Склад ждёт: {title}"})
    assert stage.notices(ALEXEY) == ["Склад ждёт: Склад"]


def test_the_installer_gets_his_order(stage: Stage) -> None:
    deal, _ = call(stage, "installer_task", {"title": "Монтаж {when}: {title}", "checklist": ["Собрать"]}, **AGREED)
    assert stage.titles(deal, user=ALEXEY) == ["Монтаж 08.06.2026 10:00: Склад"]
    assert "ул. Садовая, 5" in stage.task(deal, "Монтаж")["description"]


def test_winding_up_closes_tasks_timers_and_visit(stage: Stage) -> None:
    stage.portal.automation.place(2, "LOSE", "wind_up", {})
    stage.portal.automation.place(2, STAGE, "book_visit", {})
    deal, _ = call(stage, "autotask", {"title": "Собрать", "control_after": "2h"}, **AGREED)
    assert stage.visits(ALEXEY) == ["08.06 10:00"]
    enter(stage, deal, "LOSE")
    assert (stage.titles(deal), stage.waiting(), stage.visits(ALEXEY)) == ([], {}, [])


# How calls come -------------------------------------------------------------------------------------------------------


def test_robots_of_a_stage_follow_each_other_each_after_the_answer_of_the_one_before(stage: Stage) -> None:
    stage.portal.automation.place(2, STAGE, "require_fields", {"fields": ["contact"]})
    stage.portal.automation.place(2, STAGE, "check_installation_date", {})
    deal, run = call(stage, "notify", {"to": "responsible", "text": "Проверено"}, **AGREED)
    assert [r.robot.code for r in stage.portal.automation.runs] == ["require_fields", "check_installation_date", "notify"]
    assert {r.status for r in stage.portal.automation.runs} == {"done"}
    assert stage.notices(MARIA) == ["Проверено"]
    assert (deal, run.status) == (run.item_id, "done")


def test_a_call_that_comes_twice_is_one_run(stage: Stage) -> None:
    stage.portal.automation.place(2, STAGE, "autotask", {"title": "Собрать"})
    deal = a_deal(stage)
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=2, id=deal, fields={"stageId": STAGE})
    again = [outgoing for outgoing in stage.portal.events.queue if outgoing.name.startswith("robot")]
    stage.portal.events.queue.extend(again)
    stage.settle()
    assert stage.titles(deal) == ["Собрать"]
    assert len(stage.runs(deal, "autotask")) == 1


def test_a_robot_the_process_file_lists_for_the_same_stage_too_acts_once(stage: Stage) -> None:
    """Whoever comes first."""
    stage.portal.automation.place(2, stage.stage_id("contract"), "autotask", {"title": "Подписать договор"})
    deal = stage.new_deal(contactId=1)
    assert stage.titles(deal) == ["Подписать договор"]
    (skipped,) = [run for run in stage.runs(deal, "autotask") if run.state == "skipped"]
    assert "Уже выполнено для этого входа" in skipped.why.ru


def test_a_waiting_robot_the_process_lists_too_is_answered_with_its_results(stage: Stage) -> None:
    robot = stage.portal.automation.place(2, stage.stage_id("date_agreed"), "check_installation_date", {})
    deal = stage.arrive("date_agreed", **AGREED)
    (run,) = [run for run in stage.portal.automation.runs if run.placed is robot]
    assert (run.status, run.results["ok"]) == ("done", "Y")
    assert stage.stage_of(deal) == "date_agreed"


def test_the_same_robot_with_another_task_is_another_step(stage: Stage) -> None:
    stage.portal.automation.place(2, stage.stage_id("contract"), "autotask", {"title": "Завести папку"})
    deal = stage.new_deal(contactId=1)
    assert sorted(stage.titles(deal)) == ["Завести папку", "Подписать договор"]


def test_properties_that_cannot_be_read_are_answered_with_the_reason(stage: Stage) -> None:
    deal, run = call(stage, "check_installer_booking", {"hours": "много"}, **AGREED)
    assert (run.status, run.results["ok"]) == ("done", "N")
    assert "«Длительность, часов»: не удалось прочесть «много»" in run.results["reason"]
    assert stage.runs(deal, "check_installer_booking")[-1].state == "failed"
    stage.expected_troubles = stage.troubles()


def test_a_call_without_a_required_property_does_nothing_and_says_why(stage: Stage) -> None:
    deal, _ = call(stage, "autotask", {"to": "responsible"})
    assert stage.titles(deal) == []
    assert "«Название задачи»: обязательное свойство не задано" in stage.runs(deal, "autotask")[-1].why.ru
    stage.expected_troubles = stage.troubles()


def test_an_answer_whose_token_died_with_its_stage_is_no_trouble(stage: Stage) -> None:
    stage.portal.automation.place(2, STAGE, "check_installation_date", {})
    deal = a_deal(stage, **AGREED)
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=2, id=deal, fields={"stageId": STAGE})
    stage.portal.deliver()
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=2, id=deal, fields={"stageId": "PREPARATION"})
    stage.settle()
    assert stage.portal.automation.runs[0].status == "terminated"
    assert stage.troubles() == []


def test_an_answer_that_comes_after_the_robots_time_is_no_trouble(stage: Stage) -> None:
    stage.portal.automation.place(2, STAGE, "check_installation_date", {}, timeout_seconds=60)
    deal = a_deal(stage, **AGREED)
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=2, id=deal, fields={"stageId": STAGE})
    stage.portal.deliver()
    stage.clock.advance(timedelta(minutes=2))
    stage.settle()
    assert stage.portal.automation.runs[0].status == "timeout"
    assert stage.troubles() == []


def test_a_call_for_a_deal_deleted_meanwhile_is_answered_with_no(stage: Stage) -> None:
    stage.portal.automation.place(2, STAGE, "autotask", {"title": "Собрать"})
    deal = a_deal(stage)
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=2, id=deal, fields={"stageId": STAGE})
    stage.portal.as_user(ADMIN).call("crm.item.delete", entityTypeId=2, id=deal)
    stage.settle()
    assert stage.troubles() == []


def test_the_journal_of_a_robot_call_keeps_its_cause_and_no_token(stage: Stage) -> None:
    deal, run = call(stage, "check_installation_date", **AGREED)
    (told,) = stage.runs(deal, "check_installation_date")
    assert told.cause["kind"] == "RobotCalled"
    assert run.token not in repr(told)
    with stage.application.workshop.database.read() as connection:
        assert journal.get_run(connection, told.id) is not None


# On a smart process -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("robot", "properties"),
    [
        ("check_installation_date", {"date_field": "visit_date", "time_field": "visit_time"}),
        ("check_installer_booking", {"date_field": "visit_date", "time_field": "visit_time", "user_field": "master"}),
        ("require_fields", {"fields": ["visit_date"]}),
        ("autotask", {"title": "Собрать"}),
        ("control_task", {"title": "Проверить", "after": "1h"}),
        ("training_comment", {"text": "Как чинить"}),
        ("return_deal", {"reason": "Рано"}),
        ("remind_before", {"title": "Позвонить", "date_field": "visit_date", "before": "1 day"}),
        ("send_sms", {"text": "Мы едем"}),
        ("notify", {"text": "Смотрите"}),
        ("installer_task", {"to": "field(master)", "date_field": "visit_date", "time_field": "visit_time"}),
        ("wind_up", {}),
    ],
)
def test_every_robot_works_on_a_smart_process(three: Stage, robot: str, properties: dict[str, Any]) -> None:
    repairs = Items(three, "repair")
    three.portal.automation.place(three.tie("repair").entity_type_id, three.stage_id("planned", "repair"), robot, properties)
    repair = repairs.add("Протечка", visit_date="2026-06-09", visit_time="12:00", master=ALEXEY)
    repairs.move(repair, "planned")
    (run,) = three.portal.automation.runs
    assert run.status == "done"
    found = three.runs(ItemRef(repair.entity_type_id, repair.id), robot)
    assert found
    assert found[-1].ok
    if run.robot.definition["USE_SUBSCRIPTION"] == "Y":
        assert run.results["ok"] == "Y"
