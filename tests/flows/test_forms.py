"""Forms from the entry into a stage to what follows from the answers, over the wire on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from b24app.core.item import ItemRef
from b24app.engine.decisions import rerun
from b24app.store import forms
from tests.flows.cards import open_tab
from tests.flows.kinds import Items
from tests.flows.stage import ADMIN, ALEXEY, HEAD, IVAN, MARIA, Stage
from tests.flows.theatre import Theatre, a_theatre

FILES = Path(__file__).parent / "files" / "forms"


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    with a_theatre(files=FILES) as built:
        yield built


@pytest.fixture
def orders(stage: Stage) -> Items:
    return Items(stage, "orders")


def said(stage: Stage, item: ItemRef) -> list[str]:
    """Return what the steps after forms have written into the card."""
    return [run.why.ru.removeprefix("Запись в карточке: «").removesuffix("»") for run in stage.runs(item, "record")]


def test_the_officers_task_closes_when_he_has_filled_the_form_in(stage: Stage, orders: Items) -> None:
    order = orders.add()
    assert orders.tasks(order, HEAD) == ["Проанализировать: Кухня"]

    sent = open_tab(stage, order, HEAD).send(clean="yes")
    stage.settle()

    assert "Спасибо" in sent.words
    assert orders.tasks(order) == []
    assert said(stage, order) == ["Анализ готов"]
    (closing,) = stage.runs(order, "form_submitted")
    assert closing.why.ru.endswith("форма «Анализ заказа» заполнена")
    assert closing.cause["kind"] == "FormSubmitted"


def test_violations_with_facts_and_links_are_kept_and_read_by_the_responsible(stage: Stage, orders: Items) -> None:
    order = orders.add()
    rows = {"violations__0__kind": "papers", "violations__0__fact": "Нет печати", "violations__0__proof": "https://a.test/1"}

    wrong = open_tab(stage, order, HEAD).send(clean="no", **{**rows, "violations__0__proof": ""})
    assert "Ответьте на этот вопрос" in wrong.words
    open_tab(stage, order, HEAD).send(clean="no", who=str(MARIA), **rows)
    stage.settle()

    assert "Нарушения, 1: Факт Нет печати" in open_tab(stage, order, MARIA).words
    with stage.application.workshop.database.read() as connection:
        (kept,) = forms.submissions(connection, stage.portal_id, order)
    assert kept.answers == {
        "clean": False,
        "violations": [{"kind": "papers", "fact": "Нет печати", "proof": "https://a.test/1"}],
        "who": MARIA,
    }


def test_a_colleague_reads_nothing_and_one_without_access_does_not_get_in(stage: Stage, orders: Items) -> None:
    order = orders.add()
    open_tab(stage, order, HEAD).send(clean="yes")
    stage.settle()

    colleague = open_tab(stage, order, ALEXEY)
    assert (colleague.status, "Ответы видят только те" in colleague.words) == (200, True)
    assert "Замечаний нет?" not in colleague.words


def test_each_member_votes_once_and_closes_his_own_task(stage: Stage, orders: Items) -> None:
    order = orders.add()
    open_tab(stage, order, HEAD).send(clean="yes")
    orders.move(order, "approval")
    left_open = open_tab(stage, order, IVAN)

    left_open.send(vote="for")
    stage.settle()
    assert orders.tasks(order) == ["Согласовать: Кухня"]

    assert "уже приняты раньше" in left_open.send(vote="against", why="передумал").words
    assert "Спасибо" in open_tab(stage, order, MARIA).send(vote="against", why="дорого").words
    stage.settle()
    assert orders.tasks(order) == []
    assert said(stage, order) == ["Анализ готов", "Голос принят", "Голос принят"]


def test_coming_back_asks_anew(stage: Stage, orders: Items) -> None:
    order = orders.add()
    open_tab(stage, order, HEAD).send(clean="yes")
    stage.settle()
    orders.move(order, "approval")
    orders.move(order, "analysis")

    assert orders.tasks(order, HEAD) == ["Проанализировать: Кухня"]
    tab = open_tab(stage, order, HEAD)
    assert "Повторно: 2-й раз" in tab.words
    tab.send(clean="yes")
    stage.settle()
    assert said(stage, order) == ["Анализ готов", "Анализ готов"]


@pytest.mark.parametrize("end", ["won", "lost"])
def test_whoever_is_responsible_sums_up_at_either_end(stage: Stage, orders: Items, end: str) -> None:
    order = orders.add()
    open_tab(stage, order, HEAD).send(clean="yes")
    stage.settle()
    orders.move(order, end)
    assert len(orders.tasks(order, MARIA)) == 1

    tab = open_tab(stage, order, MARIA)
    assert "Итоги заказа" in tab.words
    tab.send(happy="2", why="Долго")
    stage.settle()

    assert orders.tasks(order) == []
    assert said(stage, order) == ["Анализ готов", "Итоги переданы"]


def test_a_form_of_an_item_deleted_meanwhile_is_not_taken(stage: Stage, orders: Items) -> None:
    order = orders.add()
    tab = open_tab(stage, order, HEAD)
    stage.portal.as_user(ADMIN).call("crm.item.delete", entityTypeId=2, id=order.id)

    assert "Этого элемента больше нет в CRM." in tab.send(clean="yes").words


def test_an_item_deleted_right_after_the_form_was_sent_is_wound_up(stage: Stage, orders: Items) -> None:
    order = orders.add()
    open_tab(stage, order, HEAD).send(clean="yes")
    stage.portal.as_user(ADMIN).call("crm.item.delete", entityTypeId=2, id=order.id)
    stage.settle()

    assert said(stage, order) == []
    assert stage.runs(order, "wind_up")


def test_what_followed_from_a_form_can_be_done_again(stage: Stage, orders: Items) -> None:
    order = orders.add()
    open_tab(stage, order, HEAD).send(clean="yes")
    stage.settle()
    run = stage.runs(order, "record")[-1]

    workshop = stage.application.workshop
    rerun.rerun_run(workshop, run.id, "operator", "проверка", dry_run=False, force=True)
    stage.settle()

    assert said(stage, order) == ["Анализ готов", "Анализ готов"]
