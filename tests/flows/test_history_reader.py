"""What happened is read from the portal's history; events only say that it is worth looking."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from b24app.store.tables import entries
from tests.flows.stage import ADMIN, AGREED, ALEXEY, HEAD, MARIA, SUMMING_UP, Stage, a_file

SIGN = "Подписать договор"


def healed(stage: Stage, deal: int) -> list[bool]:
    """Tell of each stage entry whether the clock found it, because no event told of it."""
    statement = sa.select(entries.c.healed).where(entries.c.item_id == deal).order_by(entries.c.id)
    with stage.application.workshop.database.read() as connection:
        return list(connection.execute(statement).scalars())


def moved_without_us(stage: Stage, deal: int, key: str) -> None:
    """Drag a card while nobody looks."""
    fields = {"stageId": stage.stage_id(key)}
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=2, id=deal, fields=fields)


def test_a_deal_whose_event_was_lost_is_found_by_the_next_look_at_the_history(stage: Stage) -> None:
    stage.portal.faults.drop_events = 1.0
    deal = stage.new_deal(contactId=1)
    assert stage.titles(deal) == []
    stage.turn(minutes=2)
    assert stage.titles(deal) == [SIGN]
    assert healed(stage, deal) == [True]


def test_with_all_events_lost_a_deal_lives_on_a_minute_late(stage: Stage) -> None:
    stage.portal.faults.drop_events = 1.0
    deal = stage.new_deal(contactId=1, opportunity=1000)
    stage.write(deal, contract_file=a_file())
    stage.turn(minutes=2)
    stage.close(deal, SIGN)
    stage.turn(minutes=2)
    stage.move(deal, "contract_signed")
    stage.turn(minutes=2)
    assert stage.stage_of(deal) == "contract_signed"
    assert stage.titles(deal) == ["Связаться с клиентом и уточнить дату предоплаты"]
    assert healed(stage, deal) == [True, True]


def test_after_an_outage_moves_are_handled_in_their_order_and_none_brings_the_deal_back(stage: Stage) -> None:
    """Stages passed while the application was down get their tasks; only the one the deal stands on is checked."""
    deal = stage.new_deal(contactId=1, opportunity=1000)
    stage.write(deal, contract_file=a_file())
    for key in ("contract_signed", "materials_paid"):
        stage.clock.advance(timedelta(minutes=30))
        moved_without_us(stage, deal, key)
    stage.portal.events.queue.clear()
    stage.turn(hours=1)
    seen = [stage.tie().key_of(run.stage_id) for run in stage.runs(deal, "autotask") if run.state == "decided"]
    # The first task is still open, so the stage the deal stands on now does not let it in.
    assert seen == ["contract", "contract_signed", "contract_signed"]
    assert stage.stage_of(deal) == "contract_signed"
    assert stage.titles(deal)[:2] == [SIGN, "Связаться с клиентом и уточнить дату предоплаты"]
    comments = [comment for comment in stage.comments(deal) if "Возвращено" in comment]
    assert len(comments) == 1
    assert "не закрыта задача «Подписать договор»" in comments[0]


def test_a_stage_passed_during_an_outage_sends_the_client_nothing_and_books_nobody(stage: Stage) -> None:
    deal = stage.arrive("materials_bought", **AGREED)
    for key in ("date_agreed", "installation_set", "lost"):
        stage.clock.advance(timedelta(minutes=30))
        moved_without_us(stage, deal, key)
    stage.portal.events.queue.clear()
    stage.turn(hours=1)
    assert stage.world.sms.outbox == []
    assert (stage.visits(ALEXEY), stage.titles(deal), list(stage.waiting())) == ([], [SUMMING_UP], ["control:summary"])
    assert "ушла с этой стадии" in stage.runs(deal, "send_sms")[-1].why.ru


def test_events_told_twice_do_everything_once(stage: Stage) -> None:
    stage.portal.faults.duplicate_events = 1.0
    deal = stage.new_deal(contactId=1, opportunity=1000)
    stage.write(deal, contract_file=a_file())
    stage.close(deal, SIGN)
    stage.move(deal, "contract_signed")
    assert stage.titles(deal, open_only=False) == [SIGN, "Связаться с клиентом и уточнить дату предоплаты"]
    assert len(stage.runs(deal, "training_comment")) == 2


def test_events_out_of_order_are_handled_in_the_order_of_the_history(stage: Stage) -> None:
    stage.portal.faults.reorder_events = True
    stage.portal.faults.delay_seconds = 30
    first = stage.new_deal("Первый", contactId=1)
    second = stage.new_deal("Второй", contactId=2)
    moved_without_us(stage, first, "lost")
    moved_without_us(stage, first, "contract")
    stage.turn(minutes=1)
    assert [stage.tie().key_of(run.stage_id) for run in stage.runs(first, "training_comment")][-2:] == ["lost", "contract"]
    assert (stage.stage_of(first), stage.stage_of(second)) == ("contract", "contract")
    assert (stage.titles(first), stage.titles(second)) == ([SIGN], [SIGN])


def test_a_late_event_of_what_the_clock_has_found_already_changes_nothing(stage: Stage) -> None:
    stage.portal.faults.delay_seconds = 600
    deal = stage.new_deal(contactId=1)
    stage.turn(minutes=2)
    assert stage.titles(deal) == [SIGN]
    runs = len(stage.runs(deal))
    stage.turn(minutes=20)
    assert (stage.titles(deal), len(stage.runs(deal))) == ([SIGN], runs)


def test_deals_that_stood_in_the_pipeline_before_the_installation_are_left_alone(bare: Stage) -> None:
    """The past is the past; the first move made under our eyes is ours."""
    bare.install()
    category = bare.tie().category_id
    stage_ids = dict(bare.tie().stages)
    with bare.application.workshop.database.write() as connection:
        for table in ("cursors", "entries", "processes"):
            connection.execute(sa.text(f"delete from {table}"))
    fields = {
        "title": "Старая сделка",
        "categoryId": category,
        "stageId": stage_ids["materials_paid"],
        "assignedById": MARIA,
    }
    old = int(bare.portal.as_user(MARIA).call("crm.item.add", entityTypeId=2, fields=fields)["item"]["id"])
    bare.clock.advance(timedelta(days=1))
    bare.install()
    bare.settle()
    bare.turn(minutes=5)
    assert (bare.titles(old), bare.runs(old)) == ([], [])
    bare.move(old, "materials_bought")
    assert bare.titles(old) == ["Согласовать дату и время проведения работ"]


def test_other_pipelines_are_not_even_read(stage: Stage) -> None:
    fields = {"title": "Чужая воронка", "categoryId": 0}
    deal = int(stage.portal.as_user(MARIA).call("crm.item.add", entityTypeId=2, fields=fields)["item"]["id"])
    stage.settle()
    assert healed(stage, deal) == []


def test_a_deal_brought_in_from_another_pipeline_is_taken_up_and_one_taken_out_is_let_go(stage: Stage) -> None:
    person = stage.portal.as_user(MARIA)
    fields = {"title": "Переезд", "categoryId": 0, "contactId": 1, "assignedById": MARIA}
    deal = int(person.call("crm.item.add", entityTypeId=2, fields=fields)["item"]["id"])
    stage.settle()
    there = {"categoryId": stage.tie().category_id, "stageId": stage.stage_id("contract")}
    person.call("crm.item.update", entityTypeId=2, id=deal, fields=there)
    stage.settle()
    assert stage.titles(deal) == [SIGN]
    person.call("crm.item.update", entityTypeId=2, id=deal, fields={"categoryId": 0, "stageId": "NEW"})
    stage.settle()
    assert (stage.titles(deal), stage.waiting()) == ([], {})
    assert "переведён в другую воронку" in stage.comments(deal)[-1]


def test_a_deal_that_left_the_pipeline_unseen_is_wound_up_by_its_next_timer(stage: Stage) -> None:
    deal = stage.new_deal(contactId=1)
    stage.portal.faults.drop_events = 1.0
    fields = {"categoryId": 0, "stageId": "NEW"}
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=2, id=deal, fields=fields)
    stage.turn(hours=25)
    assert stage.titles(deal, user=HEAD, open_only=False) == []
    assert (stage.titles(deal), stage.waiting()) == ([], {})


def test_a_deleted_deal_is_wound_up(stage: Stage) -> None:
    deal = stage.arrive("date_agreed", **AGREED)
    stage.turn(days=4)
    assert len(stage.titles(deal)) == 1
    stage.portal.as_user(ADMIN).call("crm.item.delete", entityTypeId=2, id=deal)
    stage.settle()
    assert stage.titles(deal) == []
    assert stage.waiting() == {}
    assert stage.visits(ALEXEY) == []


def test_a_deal_deleted_without_anybody_telling_is_wound_up_by_its_next_timer(stage: Stage) -> None:
    deal = stage.new_deal(contactId=1)
    stage.portal.faults.drop_events = 1.0
    stage.portal.as_user(ADMIN).call("crm.item.delete", entityTypeId=2, id=deal)
    stage.turn(hours=25)
    assert stage.titles(deal) == []
    assert stage.waiting() == {}


def test_a_task_taken_up_again_and_finished_again_is_looked_at_again(stage: Stage) -> None:
    deal = stage.new_deal(contactId=1)
    stage.close(deal, SIGN)
    stage.turn(hours=1)
    stage.portal.as_user(MARIA).call("tasks.task.renew", taskId=int(stage.task(deal, SIGN)["id"]))
    stage.settle()
    stage.turn(hours=1)
    stage.close(deal, SIGN)
    assert len(stage.runs(deal, "task_finished")) == 2


def test_a_task_taken_up_again_holds_the_deal_again(stage: Stage) -> None:
    deal = stage.arrive("materials_paid")
    stage.close(deal, "Закупить")
    stage.turn(hours=1)
    stage.portal.as_user(MARIA).call("tasks.task.renew", taskId=int(stage.task(deal, "Закупить")["id"]))
    stage.move(deal, "materials_bought")
    assert stage.stage_of(deal) == "materials_paid"


def test_a_task_finished_while_all_events_are_lost_is_found(stage: Stage) -> None:
    deal = stage.arrive("installation_set", **AGREED)
    stage.portal.faults.drop_events = 1.0
    stage.close(deal, "Выполнить монтаж", by=ALEXEY)
    stage.turn(minutes=2)
    assert any("завершены" in notice for notice in stage.notices(MARIA))


def test_sixty_deals_created_at_once_are_all_taken_up(stage: Stage) -> None:
    """More than a page of history, more than one batch."""
    tie = stage.tie()
    for number in range(60):
        fields = {"title": f"Сделка {number}", "categoryId": tie.category_id, "assignedById": MARIA, "contactId": 1}
        stage.portal.as_user(MARIA).call("crm.item.add", entityTypeId=2, fields=fields)
    stage.portal.events.queue.clear()
    stage.turn(minutes=2)
    assert [task.fields["TITLE"] for task in stage.portal.tasks.tasks.values()] == [SIGN] * 60
    assert len(stage.portal.timeline.comments) == 60


@pytest.mark.parametrize("kind", ["hang_up", "html502", "cut_json", "error500", "query_limit", "overload"])
def test_a_reading_that_fails_is_done_again_and_loses_nothing(stage: Stage, kind: str) -> None:
    stage.portal.faults.add(kind, "crm.stagehistory.list", times=2)
    deal = stage.new_deal(contactId=1)
    for _ in range(4):
        stage.turn(minutes=2)
    assert stage.titles(deal) == [SIGN]


def test_an_item_the_application_may_not_see_keeps_its_tasks(stage: Stage) -> None:
    """Refused is not deleted: nothing is wound up for want of a right."""
    deal = stage.new_deal(contactId=1)
    stage.portal.denied.add((ADMIN, "crm.item.get"))
    stage.turn(hours=25)
    assert [task.status for task in stage.portal.tasks.tasks.values()] == [2]
    stage.portal.denied.clear()
    assert stage.titles(deal) == [SIGN]
    stage.expected_troubles = stage.troubles()
    assert stage.expected_troubles[0].startswith("timer:")
