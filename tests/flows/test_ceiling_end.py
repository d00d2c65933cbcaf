"""Training that can be switched off, help that can be asked for, and the end of a deal, good or bad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from b24app.core.item import ItemRef
from b24app.core.portal import PortalSettings
from b24app.engine.people.asks import ask_help, set_learned
from b24app.store import processes
from tests.flows.stage import AGREED, ALEXEY, IVAN, MARIA, SUMMING_UP, Stage, a_file

TRAINING = "[B]Обучение: "


def lessons(stage: Stage, deal: int) -> list[str]:
    return [comment for comment in stage.comments(deal) if comment.startswith(TRAINING)]


def no_training_in_the_pipeline(stage: Stage) -> None:
    with stage.application.workshop.database.write() as connection:
        processes.tie(connection, stage.portal_id, replace(stage.tie(), training=False))


def no_training_at_all(stage: Stage) -> None:
    workshop = stage.application.workshop
    with workshop.database.write() as connection:
        workshop.portals.set_settings(connection, stage.portal_id, PortalSettings(training=False))


@pytest.mark.parametrize(
    "key",
    [
        "contract",
        "contract_signed",
        "materials_paid",
        "materials_bought",
        "date_agreed",
        "installation_set",
        "work_done",
        "lost",
    ],
)
def test_entering_a_stage_teaches_with_explanation_steps_links_and_on_work_stages_a_video(stage: Stage, key: str) -> None:
    """S2-19."""
    deal = stage.arrive(key, **AGREED, contract_file=a_file())
    (lesson,) = lessons(stage, deal)
    for part in ("Что делать:\n1. ", "Полезные ссылки:\n• [URL=https://helpdesk.bitrix24.ru/"):
        assert part in lesson
    assert ("▶ [URL=https://" in lesson) == (key != "lost")


def test_a_stage_entered_again_teaches_only_once(stage: Stage) -> None:
    """S2-19."""
    deal = stage.arrive("materials_paid", contract_file=a_file())
    stage.move(deal, "contract_signed")
    stage.close(deal, "дату предоплаты")
    stage.move(deal, "materials_paid")
    assert stage.stage_of(deal) == "materials_paid"
    assert len([lesson for lesson in lessons(stage, deal) if "Оплата за материалы" in lesson.partition("\n")[0]]) == 1


@pytest.mark.parametrize("switch", [no_training_in_the_pipeline, no_training_at_all])
def test_a_pipeline_without_training_gets_tasks_and_no_lessons(stage: Stage, switch: Callable[[Stage], None]) -> None:
    """S2-18."""
    switch(stage)
    deal = stage.new_deal(contactId=1)
    stage.move(deal, "contract_signed")
    assert lessons(stage, deal) == []
    assert len(stage.titles(deal)) == 2


def test_an_employee_who_has_learned_the_process_is_spared_and_others_are_not(stage: Stage) -> None:
    """S2-18, per user."""
    workshop = stage.application.workshop
    set_learned(workshop, workshop.portal(stage.portal_id), MARIA, True, "Ольга Смирнова")
    assert lessons(stage, stage.new_deal(by=MARIA)) == []
    assert len(lessons(stage, stage.new_deal(by=IVAN))) == 1
    set_learned(workshop, workshop.portal(stage.portal_id), MARIA, False, "Ольга Смирнова")
    assert len(lessons(stage, stage.new_deal(by=MARIA))) == 1


def test_an_employee_who_asks_for_help_gets_the_lesson_again(stage: Stage) -> None:
    """S2-20."""
    workshop, deal = stage.application.workshop, stage.new_deal(contactId=1)
    assert ask_help(workshop, workshop.portal(stage.portal_id), ItemRef(2, deal), "Мария Кузнецова")
    stage.settle()
    assert len(lessons(stage, deal)) == 2
    assert not ask_help(workshop, workshop.portal(stage.portal_id), ItemRef(2, deal), "Мария Кузнецова")
    assert stage.runs(deal, "training_comment")[-1].asked_by == "Мария Кузнецова"


@pytest.mark.parametrize(
    "key",
    ["contract", "contract_signed", "materials_paid", "materials_bought", "date_agreed", "installation_set", "work_done"],
)
def test_a_deal_lost_from_any_stage_leaves_no_task_no_timer_and_no_visit(stage: Stage, key: str) -> None:
    """S2-09."""
    deal = stage.arrive(key, **AGREED, contract_file=a_file())
    stage.move(deal, "lost")
    assert stage.stage_of(deal) == "lost"
    assert stage.titles(deal) == [SUMMING_UP]
    assert list(stage.waiting()) == ["control:summary"]
    assert stage.visits(ALEXEY) == []
    stage.turn(days=10)
    assert stage.titles(deal, user=MARIA) == [SUMMING_UP]
    assert stage.world.sms.outbox == [] or key == "installation_set"


def test_a_lost_order_gives_the_installers_hours_back(stage: Stage) -> None:
    """S2-09, 41."""
    first = stage.arrive("date_agreed", **AGREED)
    stage.move(first, "lost")
    second = stage.arrive("date_agreed", "Потолки, пр. Мира, 10", **AGREED)
    assert stage.stage_of(second) == "date_agreed"


def test_a_lost_deal_with_a_control_task_of_the_head_takes_that_along(stage: Stage) -> None:
    deal = stage.new_deal(contactId=1)
    stage.turn(hours=24)
    assert len(stage.titles(deal)) == 2
    stage.move(deal, "lost")
    assert stage.titles(deal) == [SUMMING_UP]
    assert "Сделка не состоялась" in stage.task_comments(deal, "Подписать договор")[0]


def test_a_deal_taken_up_again_after_it_was_lost_begins_with_fresh_tasks(stage: Stage) -> None:
    """An off-schedule path (S2-52): lost, and won back."""
    deal = stage.new_deal(contactId=1)
    stage.move(deal, "lost")
    stage.turn(days=3)
    stage.move(deal, "contract")
    assert stage.titles(deal, user=MARIA) == ["Подписать договор"]
    assert stage.waiting() == {"control:sign_contract": "05.06 10:00"}


def test_a_deal_may_skip_a_stage_by_hand_when_nothing_holds_it(stage: Stage) -> None:
    """S2-52: people decide about the way."""
    deal = stage.new_deal(contactId=1, opportunity=1000)
    stage.close(deal, "Подписать договор")
    stage.move(deal, "materials_paid")
    assert stage.stage_of(deal) == "materials_paid"
    assert stage.titles(deal) == ["Закупить материалы, доставить, поставить на учёт и выдать бригаде"]
