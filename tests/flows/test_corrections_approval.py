"""The commission: votes, rejection and a second round, silence, people who have left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from b24app.engine.forms import NotYours
from tests.flows.corrections import ACCOUNTANT, CODE, FOUND, MEASURES, OFFICER, REGULATION, YES, Loop, no
from tests.flows.stage import ADMIN, FOREMAN, HEAD, IVAN, MARIA, Stage

VOTE = "Согласовать меры: Потолки, ул. Садовая, 5"


@pytest.fixture
def loop(stage: Stage) -> Loop:
    return Loop(stage)


def test_every_member_gets_the_measures_to_vote_on(loop: Loop) -> None:
    """S3-30."""
    correction = loop.put_to_the_vote()
    for member in (HEAD, FOREMAN, ACCOUNTANT):
        assert loop.items.tasks(correction, member) == [VOTE]
    assert "1. Дополнить регламент переноса монтажа" in loop.task(correction, VOTE)["description"]
    assert not loop.sheet(correction, IVAN).yours


def test_a_stranger_has_no_vote(loop: Loop) -> None:
    correction = loop.put_to_the_vote()
    for stranger in (IVAN, MARIA, OFFICER):
        with pytest.raises(NotYours):
            loop.fill(correction, stranger, YES)


def test_nothing_is_changed_before_the_last_vote_that_is_needed(loop: Loop) -> None:
    correction = loop.put_to_the_vote()
    loop.fill(correction, HEAD, YES)
    loop.fill(correction, FOREMAN, YES)
    assert "Ещё не ответили: Елена Новикова" in loop.whys(correction, "count_votes")[-1]
    loop.items.move(correction, "changes")
    assert loop.items.on(correction) == "approval"
    assert loop.items.tasks(correction, ACCOUNTANT) == [VOTE]
    loop.fill(correction, ACCOUNTANT, YES)
    loop.items.move(correction, "changes")
    assert loop.items.on(correction) == "changes"


def test_one_rejection_sends_the_measures_back_with_its_comment(loop: Loop) -> None:
    """S3-30: the way of rejection, and the second round."""
    correction = loop.put_to_the_vote()
    loop.fill(correction, HEAD, YES)
    loop.fill(correction, FOREMAN, no("Добавьте контроль склада"))
    assert loop.items.on(correction) == "measures"
    assert loop.items.tasks(correction) == ["Записать итог и меры: Потолки, ул. Садовая, 5"]
    assert any("Добавьте контроль склада" in comment for comment in loop.items.comments(correction))
    assert any("Добавьте контроль склада" in notice for notice in loop.stage.notices(OFFICER))
    assert loop.stage.waiting().keys() == {"control:measures"}

    loop.items.move(correction, "approval")
    assert loop.items.on(correction) == "measures"
    loop.fill(
        correction, OFFICER, {"outcome": "partial", "measures": [REGULATION, {**REGULATION, "text": "Контроль склада"}]}
    )
    loop.items.move(correction, "approval")
    assert loop.items.tasks(correction, HEAD) == [VOTE]
    for member in (HEAD, FOREMAN, ACCOUNTANT):
        loop.fill(correction, member, YES)
    loop.items.move(correction, "changes")
    assert loop.items.tasks(correction) == [
        "Изменить: Дополнить регламент переноса монтажа",
        "Изменить: Контроль склада",
    ]


def test_a_silent_member_is_reminded_and_then_his_head_decides(loop: Loop) -> None:
    """S3-30: reminder after a working day, the head at the deadline of two."""
    correction = loop.put_to_the_vote()
    loop.fill(correction, HEAD, YES)
    loop.fill(correction, FOREMAN, YES)
    loop.stage.turn(days=1, hours=8)
    assert any("Комиссия ждёт ваш голос" in notice for notice in loop.stage.notices(ACCOUNTANT))
    loop.stage.turn(days=1)
    assert loop.items.tasks(correction, ADMIN) == [
        "Решить за Елена Новикова: меры по «Анализ сделки: Потолки, ул. Садовая, 5»"
    ]
    loop.fill(correction, ADMIN, YES)
    assert loop.items.tasks(correction) == ["Поставить задачи на изменения: Анализ сделки: Потолки, ул. Садовая, 5"]
    loop.items.move(correction, "changes")
    assert loop.items.on(correction) == "changes"


def test_who_votes_in_time_is_not_reminded(loop: Loop) -> None:
    correction = loop.put_to_the_vote()
    for member in (HEAD, FOREMAN, ACCOUNTANT):
        loop.fill(correction, member, YES)
    before = loop.stage.notices(HEAD)
    loop.stage.turn(days=3)
    assert [notice for notice in loop.stage.notices(HEAD) if "Комиссия ждёт" in notice] == []
    assert before == loop.stage.notices(HEAD)


def test_the_head_of_a_member_who_has_left_votes_instead(loop: Loop) -> None:
    correction = loop.analysed()
    loop.stage.portal.people.users[ACCOUNTANT].active = False
    loop.stage.clock.advance(timedelta(minutes=11))  # people are read again
    loop.fill(correction, OFFICER, MEASURES)
    loop.items.move(correction, "approval")
    assert loop.items.tasks(correction, ADMIN) == [VOTE]
    assert "Елена Новикова" in loop.whys(correction, "start_approval")[-1]
    for member in (HEAD, FOREMAN, ADMIN):
        loop.fill(correction, member, YES)
    loop.items.move(correction, "changes")
    assert loop.items.on(correction) == "changes"


def test_nobody_judges_his_own_work(loop: Loop) -> None:
    """The head of sales lost the deal herself: her own head sits on the commission."""
    deal = loop.lost_deal(by=HEAD)
    correction = loop.summed_up(deal, by=HEAD)
    loop.fill(correction, OFFICER, FOUND)
    assert set(loop.commission(correction)) == {ADMIN, FOREMAN, ACCOUNTANT}


def test_a_card_dragged_away_and_back_keeps_its_votes(loop: Loop) -> None:
    correction = loop.put_to_the_vote()
    loop.fill(correction, HEAD, YES)
    loop.items.move(correction, "finalisation")  # too early, moved back by the application
    assert loop.items.on(correction) == "approval"
    assert loop.items.tasks(correction, HEAD) == []
    loop.fill(correction, FOREMAN, YES)
    loop.fill(correction, ACCOUNTANT, YES)
    loop.items.move(correction, "changes")
    assert loop.items.on(correction) == "changes"
    assert loop.stage.tie(CODE).key_of(loop.field(correction, "stageId")) == "changes"
