"""The commission: votes, rejection and a second round, silence, people who have left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from b24app.engine.people.forms import NotYours
from tests.flows.corrections import ACCOUNTANT, CODE, FOUND, MEASURES, OFFICER, REGULATION, YES, Loop, no
from tests.flows.stage import ADMIN, FOREMAN, HEAD, IVAN, MARIA

VOTE = "Согласовать меры: Потолки, ул. Садовая, 5"


def test_every_member_gets_the_measures_to_vote_on(voting: Loop) -> None:
    """S3-30."""
    correction = voting.item
    for member in (HEAD, FOREMAN, ACCOUNTANT):
        assert voting.items.tasks(correction, member) == [VOTE]
    assert "1. Дополнить регламент переноса монтажа" in voting.task(correction, VOTE)["description"]
    assert not voting.sheet(correction, IVAN).yours


def test_a_stranger_has_no_vote(voting: Loop) -> None:
    correction = voting.item
    for stranger in (IVAN, MARIA, OFFICER):
        with pytest.raises(NotYours):
            voting.fill(correction, stranger, YES)


def test_nothing_is_changed_before_the_last_vote_that_is_needed(voting: Loop) -> None:
    correction = voting.item
    voting.fill(correction, HEAD, YES)
    voting.fill(correction, FOREMAN, YES)
    assert "Ещё не ответили: Елена Новикова" in voting.whys(correction, "count_votes")[-1]
    voting.items.move(correction, "changes")
    assert voting.items.on(correction) == "approval"
    assert voting.items.tasks(correction, ACCOUNTANT) == [VOTE]
    voting.fill(correction, ACCOUNTANT, YES)
    voting.items.move(correction, "changes")
    assert voting.items.on(correction) == "changes"


def test_one_rejection_sends_the_measures_back_with_its_comment(voting: Loop) -> None:
    """S3-30: the way of rejection, and the second round."""
    correction = voting.item
    voting.fill(correction, HEAD, YES)
    voting.fill(correction, FOREMAN, no("Добавьте контроль склада"))
    assert voting.items.on(correction) == "measures"
    assert voting.items.tasks(correction) == ["Записать итог и меры: Потолки, ул. Садовая, 5"]
    assert any("Добавьте контроль склада" in comment for comment in voting.items.comments(correction))
    assert any("Добавьте контроль склада" in notice for notice in voting.stage.notices(OFFICER))
    assert voting.stage.waiting().keys() == {"control:measures"}

    voting.items.move(correction, "approval")
    assert voting.items.on(correction) == "measures"
    voting.fill(
        correction, OFFICER, {"outcome": "partial", "measures": [REGULATION, {**REGULATION, "text": "Контроль склада"}]}
    )
    voting.items.move(correction, "approval")
    assert voting.items.tasks(correction, HEAD) == [VOTE]
    for member in (HEAD, FOREMAN, ACCOUNTANT):
        voting.fill(correction, member, YES)
    voting.items.move(correction, "changes")
    assert voting.items.tasks(correction) == [
        "Дополнить регламент переноса монтажа",
        "Контроль склада",
    ]


def test_of_votes_sent_at_one_moment_one_decides_and_none_is_lost(voting: Loop) -> None:
    correction = voting.item
    before = len(voting.stage.notices(OFFICER))
    for member, word in ((HEAD, YES), (FOREMAN, no("Мало мер")), (ACCOUNTANT, no("Нет срока"))):
        voting.send(correction, member, word)
    voting.stage.settle()
    assert voting.items.on(correction) == "measures"
    assert len(voting.stage.notices(OFFICER)) == before + 1
    assert any("Нет срока" in comment for comment in voting.items.comments(correction))


def test_somebody_put_onto_the_commission_votes_and_somebody_taken_off_does_not(voting: Loop) -> None:
    correction = voting.item
    voting.fill(correction, HEAD, YES)
    voting.items.write(correction, commission=[HEAD, FOREMAN, IVAN])
    assert voting.items.tasks(correction, IVAN) == [VOTE]
    assert voting.items.tasks(correction, ACCOUNTANT) == []
    voting.fill(correction, IVAN, YES)
    voting.stage.turn(minutes=1)
    voting.items.write(correction, commission=[HEAD, IVAN])  # nobody is left to wait for
    assert voting.items.tasks(correction) == ["Поставить задачи на изменения: Анализ сделки: Потолки, ул. Садовая, 5"]
    voting.items.move(correction, "changes")
    assert voting.items.on(correction) == "changes"


def test_a_silent_member_is_reminded_and_then_his_head_decides(voting: Loop) -> None:
    """S3-30: reminder after a working day, the head at the deadline of two."""
    correction = voting.item
    voting.fill(correction, HEAD, YES)
    voting.fill(correction, FOREMAN, YES)
    voting.stage.turn(days=1, hours=8)
    assert any("Комиссия ждёт ваш голос" in notice for notice in voting.stage.notices(ACCOUNTANT))
    voting.stage.turn(days=1)
    assert voting.items.tasks(correction, ADMIN) == [
        "Решить за Елена Новикова: меры по «Анализ сделки: Потолки, ул. Садовая, 5»"
    ]
    voting.fill(correction, ADMIN, YES)
    assert voting.items.tasks(correction) == ["Поставить задачи на изменения: Анализ сделки: Потолки, ул. Садовая, 5"]
    voting.items.move(correction, "changes")
    assert voting.items.on(correction) == "changes"


def test_a_head_who_has_voted_already_hands_the_silence_of_his_own_on(analysed: Loop) -> None:
    """Her word is spoken and cannot be sent twice: without somebody above her the vote would never end."""
    correction = analysed.item
    analysed.items.write(correction, commission=[HEAD, IVAN])
    analysed.put_to_the_vote(correction)
    analysed.fill(correction, HEAD, YES)
    analysed.stage.turn(days=3)
    assert analysed.items.tasks(correction, HEAD) == []
    assert analysed.items.tasks(correction, ADMIN) == [
        "Решить за Иван Петров: меры по «Анализ сделки: Потолки, ул. Садовая, 5»"
    ]
    analysed.fill(correction, ADMIN, YES)
    analysed.items.move(correction, "changes")
    assert analysed.items.on(correction) == "changes"


def test_who_votes_in_time_is_not_reminded(voting: Loop) -> None:
    correction = voting.item
    for member in (HEAD, FOREMAN, ACCOUNTANT):
        voting.fill(correction, member, YES)
    before = voting.stage.notices(HEAD)
    voting.stage.turn(days=3)
    assert [notice for notice in voting.stage.notices(HEAD) if "Комиссия ждёт" in notice] == []
    assert before == voting.stage.notices(HEAD)


def test_the_head_of_a_member_who_has_left_votes_instead(analysed: Loop) -> None:
    correction = analysed.item
    analysed.stage.portal.people.users[ACCOUNTANT].active = False
    analysed.stage.clock.advance(timedelta(minutes=11))  # people are read again
    analysed.fill(correction, OFFICER, MEASURES)
    analysed.items.move(correction, "approval")
    assert analysed.items.tasks(correction, ADMIN) == [VOTE]
    assert "Елена Новикова" in analysed.whys(correction, "start_approval")[-1]
    for member in (HEAD, FOREMAN, ADMIN):
        analysed.fill(correction, member, YES)
    analysed.items.move(correction, "changes")
    assert analysed.items.on(correction) == "changes"


def test_nobody_judges_his_own_work(loop: Loop) -> None:
    """The head of sales lost the deal herself: her own head sits on the commission."""
    deal = loop.lost_deal(by=HEAD)
    correction = loop.summed_up(deal, by=HEAD)
    loop.fill(correction, OFFICER, FOUND)
    assert set(loop.commission(correction)) == {ADMIN, FOREMAN, ACCOUNTANT}


def test_a_card_dragged_away_and_back_keeps_its_votes(voting: Loop) -> None:
    correction = voting.item
    voting.fill(correction, HEAD, YES)
    voting.items.move(correction, "finalisation")  # too early, moved back by the application
    assert voting.items.on(correction) == "approval"
    assert voting.items.tasks(correction, HEAD) == []
    voting.fill(correction, FOREMAN, YES)
    voting.fill(correction, ACCOUNTANT, YES)
    voting.items.move(correction, "changes")
    assert voting.items.on(correction) == "changes"
    assert voting.stage.tie(CODE).key_of(voting.field(correction, "stageId")) == "changes"
