"""Tasks with checklists, the pause beside them and the control when it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.flows.stage import AGREED, HEAD, MARIA, Stage, a_file

SIGN = "Подписать договор"
MATERIALS = "Закупить материалы"


def test_the_manager_gets_the_contract_task_with_its_five_lines_when_the_deal_begins(stage: Stage) -> None:
    """S2-22, 23."""
    deal = stage.new_deal("Потолки, ул. Садовая, 5", contactId=1, opportunity=100000)
    task = stage.task(deal, SIGN)
    assert (task["responsibleId"], task["title"]) == (str(MARIA), SIGN)
    assert stage.lines(deal, SIGN) == [
        "Оформить договор",
        "Согласовать договор с клиентом",
        "Подписать договор",
        "Выставить счёт",
        "Вручить или отправить счёт",
    ]
    assert "Анна Фёдорова" in task["description"]
    assert task["deadline"].startswith("2026-06-02T")


def test_a_contract_task_open_after_24_hours_gives_the_head_of_sales_a_control_task(stage: Stage) -> None:
    """S2-21, 25, 26: not a minute earlier, and once."""
    deal = stage.new_deal(contactId=1)
    stage.turn(hours=23, minutes=59)
    assert stage.titles(deal) == [SIGN]
    stage.turn(minutes=1)
    (control,) = stage.titles(deal, user=HEAD)
    assert control == "Разобраться в причинах превышения срока: договор по сделке «Потолки, ул. Садовая, 5»"
    assert len(stage.lines(deal, control)) == 4
    assert stage.titles(deal, user=MARIA) == [SIGN]
    stage.turn(hours=48)
    assert len(stage.titles(deal, open_only=False)) == 2


def test_the_manager_gets_a_hint_when_the_limit_is_passed(stage: Stage) -> None:
    """S2-20: training on difficulty."""
    deal = stage.new_deal(contactId=1)
    stage.turn(hours=24)
    assert any("что мешает подписать" in comment for comment in stage.comments(deal))


def test_a_task_closed_in_time_brings_no_control_task_and_the_journal_says_so(stage: Stage) -> None:
    """S2-27, 29."""
    deal = stage.new_deal(contactId=1)
    stage.turn(hours=23)
    stage.close(deal, SIGN)
    assert stage.waiting() == {}
    (timer,) = stage.timers("cancelled")
    assert timer.reason == f"контрольная пауза снята: задача «{SIGN}» завершена"
    stage.turn(hours=48)
    assert stage.titles(deal, user=HEAD) == []
    assert "завершена" in stage.runs(deal, "task_finished")[-1].why.ru


@pytest.mark.parametrize("told", [True, False], ids=["event delivered", "event lost"])
def test_a_task_closed_at_the_very_end_of_the_pause_brings_no_control_task(stage: Stage, told: bool) -> None:
    """S2-21, 27: closing and coming due fall into one drain; the task on the portal decides."""
    deal = stage.new_deal(contactId=1)
    stage.clock.advance(timedelta(hours=24))
    stage.portal.faults.drop_events = 0.0 if told else 1.0
    stage.close(deal, SIGN)
    stage.turn(minutes=2)
    assert stage.titles(deal, user=HEAD, open_only=False) == []


def test_the_hour_of_the_control_does_not_depend_on_when_the_application_comes_to_it(stage: Stage) -> None:
    """The pause counts from the task; an application that slept through its end gives the control task once."""
    deal = stage.new_deal(contactId=1)
    stage.turn(hours=24 * 5)
    assert len(stage.titles(deal, user=HEAD)) == 1


def test_moving_on_with_the_task_open_brings_the_deal_back_and_names_the_task(stage: Stage) -> None:
    """S2-24: the process waits."""
    deal = stage.arrive("materials_paid")
    stage.move(deal, "materials_bought")
    assert stage.stage_of(deal) == "materials_paid"
    assert any("не закрыта задача «Закупить материалы" in comment for comment in stage.comments(deal))
    assert stage.titles(deal, user=MARIA)[-1] == "Закончить с материалами: Потолки, ул. Садовая, 5"


def test_the_materials_task_has_four_lines_and_three_working_days(stage: Stage) -> None:
    """S2-36, 38: from a Thursday morning to the end of Tuesday."""
    stage.turn(days=3)
    deal = stage.arrive("materials_paid")
    assert stage.lines(deal, MATERIALS) == [
        "Закупить необходимые материалы",
        "Обеспечить доставку материалов",
        "Поставить материалы на учёт",
        "Выдать материалы монтажной бригаде",
    ]
    assert stage.task(deal, MATERIALS)["deadline"] == "2026-06-09T17:00:00+02:00"
    assert stage.waiting() == {"control:materials": "09.06 18:00"}


def test_a_materials_task_closed_with_open_lines_is_back_in_work_and_told_which(stage: Stage) -> None:
    """S2-37."""
    deal = stage.arrive("materials_paid")
    person = stage.portal.as_user(MARIA)
    number = int(stage.task(deal, MATERIALS)["id"])
    rows = [r for r in person.call("task.checklistitem.getlist", **{"0": number}) if str(r["PARENT_ID"]) != "0"]
    for row in rows[:3]:
        person.call("task.checklistitem.complete", **{"0": number, "1": int(row["ID"])})
    stage.close(deal, MATERIALS, tick=False)
    assert stage.task(deal, MATERIALS)["status"] in ("2", "3")
    (comment,) = stage.task_comments(deal, MATERIALS)
    assert "Выдать материалы монтажной бригаде" in comment
    assert "Закупить необходимые" not in comment
    assert "Выдать материалы" in stage.notices(MARIA)[-1]
    assert stage.waiting() == {"control:materials": "04.06 18:00"}
    stage.move(deal, "materials_bought")
    assert stage.stage_of(deal) == "materials_paid"


def test_a_renewed_task_closed_properly_lets_the_deal_go_on(stage: Stage) -> None:
    """S2-37, 39."""
    deal = stage.arrive("materials_paid")
    stage.close(deal, MATERIALS, tick=False)
    stage.turn(minutes=10)
    stage.close(deal, MATERIALS)
    stage.move(deal, "materials_bought")
    assert stage.stage_of(deal) == "materials_bought"
    assert stage.waiting() == {"control:agree_date": "03.06 18:00"}


def test_closing_carelessly_and_moving_on_at_once_brings_task_and_deal_back(stage: Stage) -> None:
    """S2-37: both are seen in one drain."""
    deal = stage.arrive("materials_paid")
    person = stage.portal.as_user(MARIA)
    person.call("tasks.task.complete", taskId=int(stage.task(deal, MATERIALS)["id"]))
    stage.move(deal, "materials_bought")
    assert stage.stage_of(deal) == "materials_paid"
    assert stage.task(deal, MATERIALS)["status"] in ("2", "3")


def test_a_task_deleted_on_the_portal_holds_nobody_and_brings_no_control(stage: Stage) -> None:
    deal = stage.arrive("materials_paid")
    stage.portal.as_user(1).call("tasks.task.delete", taskId=int(stage.task(deal, MATERIALS)["id"]))
    stage.settle()
    stage.turn(days=5)
    assert stage.titles(deal, user=HEAD) == []
    stage.move(deal, "materials_bought")
    assert stage.stage_of(deal) == "materials_bought"


@pytest.mark.parametrize(
    ("key", "control", "due"),
    [
        ("contract", "control:sign_contract", "02.06 10:00"),
        ("contract_signed", "control:prepayment", "04.06 18:00"),
        ("materials_paid", "control:materials", "04.06 18:00"),
        ("materials_bought", "control:agree_date", "03.06 18:00"),
        ("work_done", "control:final_payment", "08.06 18:00"),
    ],
)
def test_every_key_stage_has_a_pause_and_a_control_checklist_of_its_own(
    stage: Stage, key: str, control: str, due: str
) -> None:
    """S2-28: data of the process file."""
    deal = stage.arrive(key, **AGREED, contract_file=a_file())
    assert stage.waiting() == {control: due}
    stage.turn(days=9)
    (title,) = stage.titles(deal, user=HEAD)
    assert len(stage.lines(deal, title)) >= 3
