from __future__ import annotations

from typing import Any

from b24app.core.actions import CloseTask, Comment, MoveStage, RunStageAgain
from b24app.core.call import Cause, FieldsChanged, PaymentConfirmed, StageEntered
from b24app.core.needs import Ledger
from b24app.core.robot import Outcome
from b24app.core.text import T
from robots import check_again, confirm_payment
from tests.builders import DEAL_12, a_call, a_deal, a_house, a_place, an_own_task, decided, facts


def test_a_stage_is_run_again_with_what_changed() -> None:
    house = a_house(labels={"install_date": T("Дата монтажа", "Installation date")})
    outcome = decided(check_again.ROBOT, a_call(FieldsChanged(("install_date",)), house=house), facts())

    assert outcome.actions == (RunStageAgain(DEAL_12, "данные изменились; изменилось: Дата монтажа"),)
    assert outcome.why.en == "The stage “Date agreed” is run again: the fields have changed; changed: Installation date"


def test_a_stage_run_again_does_not_run_itself_again_and_again() -> None:
    assert decided(check_again.ROBOT, a_call(StageEntered(again=True)), facts()).actions == ()
    assert decided(check_again.ROBOT, a_call(), facts()).actions


PAYMENT = PaymentConfirmed("77", "60000.00", "[B]по счёту 5[/B]")
ON_FIRST = a_deal(stage_id="C7:NEW")


def pay(to: str = "materials", deal: Any = ON_FIRST, cause: Cause = PAYMENT, *close: str) -> Outcome:
    ledger = Ledger(tasks=(an_own_task("prepayment", task_id=501), an_own_task("late", task_id=None)))
    props = confirm_payment.Props(to, close)
    return decided(confirm_payment.ROBOT, a_call(cause, place=a_place("contract")), facts(deal, ledger=ledger), props)


def test_a_payment_moves_the_deal_forward_and_closes_the_task_about_it() -> None:
    outcome = pay("materials", ON_FIRST, PAYMENT, "prepayment", "late", "unknown")

    comment, closed, move = outcome.actions
    assert isinstance(comment, Comment)
    assert comment.text == "Платёж 77 подтверждён: 60000.00 RUB\n&#91;B&#93;по счёту 5&#91;/B&#93;"
    assert isinstance(closed, CloseTask)
    assert closed.task_id == 501
    assert isinstance(move, MoveStage)
    assert (move.leaving, move.to) == ("C7:NEW", "C7:PREPARATION")


def test_a_deal_that_has_gone_on_meanwhile_is_not_moved() -> None:
    outcome = pay(deal=a_deal(stage_id="C7:FINAL"))
    assert [a.kind for a in outcome.actions] == ["comment"]
    assert "уже не на «Заключить договор»" in outcome.why.ru


def test_a_payment_never_moves_a_deal_back_or_into_nowhere() -> None:
    for to in ("contract", "no such stage"):
        outcome = pay(to)
        assert [a.kind for a in outcome.actions] == ["comment"]
        assert "не лежит впереди" in outcome.why.ru


def test_without_a_payment_nothing_is_confirmed() -> None:
    assert pay(cause=StageEntered()).actions == ()
