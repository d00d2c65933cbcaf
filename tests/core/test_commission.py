from __future__ import annotations

from typing import Any

import pytest

from b24app.core import commission
from b24app.core.changes import measures_of, task_of
from b24app.core.forms import Submission
from b24app.core.needs import Ledger
from tests.builders import DIRECTOR, HEAD, INSTALLER, MANAGER, NOW, a_deal, an_own_task

MEMBERS = (HEAD, INSTALLER, DIRECTOR)
MEASURE = {"kind": "system", "system": "bitrix24", "text": "Проверять дату"}


def sent(form: str, by: int = MANAGER, turn: int = 1, **answers: Any) -> Submission:
    return Submission(form, turn, by, answers, NOW)


def measures(**answers: Any) -> Submission:
    return sent(commission.MEASURES, **{"outcome": "partial", "measures": [MEASURE], **answers})


def yes(by: int) -> Submission:
    return sent(commission.APPROVAL, by, decision="approve")


def no(by: int, comment: str = "мало") -> Submission:
    return sent(commission.APPROVAL, by, decision="reject", comment=comment)


def verdict(*forms: Submission, quorum: str = "all", ledger: Ledger | None = None) -> str:
    return commission.tally(MEMBERS, ledger or Ledger(), forms, quorum).verdict


@pytest.mark.parametrize(
    ("quorum", "members", "wanted"), [("all", 3, 3), ("majority", 3, 2), ("majority", 4, 3), ("2", 3, 2)]
)
def test_a_quorum_is_all_the_majority_or_a_number(quorum: str, members: int, wanted: int) -> None:
    assert commission.needed(quorum, members) == wanted


@pytest.mark.parametrize(("quorum", "members", "wanted"), [("5", 3, 3), ("0", 3, 1), ("majority", 1, 1), ("3", 0, 1)])
def test_a_quorum_can_be_reached_and_is_never_nothing(quorum: str, members: int, wanted: int) -> None:
    assert commission.needed(quorum, members) == wanted


def test_all_have_to_approve_where_all_are_wanted() -> None:
    assert verdict(measures(), yes(HEAD), yes(INSTALLER)) == "open"
    assert verdict(measures(), yes(HEAD), yes(INSTALLER), yes(DIRECTOR)) == "approved"
    assert verdict(measures(), yes(HEAD), no(INSTALLER)) == "rejected"


def test_a_majority_outvotes_one() -> None:
    assert verdict(measures(), no(HEAD), quorum="majority") == "open"
    assert verdict(measures(), no(HEAD), yes(INSTALLER), yes(DIRECTOR), quorum="majority") == "approved"
    assert verdict(measures(), no(HEAD), no(INSTALLER), quorum="majority") == "rejected"


def test_measures_written_anew_are_voted_on_anew() -> None:
    assert verdict(measures(), no(HEAD), measures(), yes(HEAD)) == "open"
    assert verdict(measures(), yes(HEAD), yes(INSTALLER), yes(DIRECTOR), measures()) == "open"


def test_the_last_word_of_a_member_counts() -> None:
    assert verdict(measures(), no(HEAD), yes(HEAD), yes(INSTALLER), yes(DIRECTOR)) == "approved"


def test_whoever_is_not_on_the_commission_is_not_heard() -> None:
    assert verdict(measures(), no(MANAGER)) == "open"


def test_a_head_who_was_asked_in_the_place_of_a_member_speaks_for_him() -> None:
    asked = an_own_task(commission.in_place_of(INSTALLER), responsible=MANAGER)
    votes = commission.tally(MEMBERS, Ledger(tasks=(asked,)), (measures(), yes(MANAGER)), "all")
    assert [(vote.member, vote.by) for vote in votes.votes] == [(INSTALLER, MANAGER)]
    assert votes.silent == (HEAD, DIRECTOR)


def test_nobody_on_the_commission_approves_nothing() -> None:
    assert commission.tally((), Ledger(), (measures(),), "majority").verdict == "rejected"


@pytest.mark.parametrize(
    ("value", "members"),
    [(("5", "9", "5"), (5, 9)), (7, (7,)), (None, ()), ((), ()), (("0", "x"), ()), ("5", (5,))],
)
def test_the_commission_is_who_the_field_names(value: Any, members: tuple[int, ...]) -> None:
    assert commission.members_of(a_deal(fields={"commission": value})) == members


def test_correct_work_needs_no_measures() -> None:
    assert measures_of((measures(outcome="correct"),)) == ()
    assert measures_of(()) == ()


def test_a_measure_written_anew_gets_a_task_of_its_own() -> None:
    (first,), (second,) = measures_of((measures(),)), measures_of((measures(measures=[{**MEASURE, "text": "Иначе"}]),))
    assert first.task != second.task
    assert measures_of((measures(measures=[MEASURE, MEASURE]),)) == (first,)
    given = an_own_task(first.task)
    assert task_of(first, Ledger(tasks=(given,))) == given
    assert task_of(first, Ledger(tasks=(an_own_task(first.task, open=False, withdrawn=True),))) is None
