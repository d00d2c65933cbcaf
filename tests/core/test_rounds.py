"""When doing the same again and again is taken for two rules that undo each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from b24app.core.actions import Comment, MoveStage, RenewTask, RunStageAgain, UpdateItem
from b24app.core.call import AskedByPerson, Call, Cause, FieldsChanged, FormSubmitted, PaymentConfirmed, StageEntered
from b24app.core.item import ItemRef
from b24app.core.rounds import WINDOW, Round, by_itself, rounds_in, same_round, stopped, too_many
from b24app.core.text import T

NOW = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
DEAL, OTHER = ItemRef(2, 12), ItemRef(2, 13)
MOVE = MoveStage(DEAL, "C7:NEW", "C7:WORK", "a reason")
WRITE = UpdateItem(DEAL, {"a": "1", "b": "2"})
CALL = Call(DEAL, NOW, StageEntered())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (MOVE, MoveStage(DEAL, "C7:NEW", "C7:SIGNED", "another reason"), True),
        (MOVE, MoveStage(DEAL, "C7:WORK", "C7:NEW", "a reason"), False),
        (MOVE, MoveStage(OTHER, "C7:NEW", "C7:WORK", "a reason"), False),
        (WRITE, UpdateItem(DEAL, {"b": "3", "a": None}), True),
        (WRITE, UpdateItem(DEAL, {"a": "1"}), False),
        (RenewTask(DEAL, 5, "open lines"), RenewTask(DEAL, 5, "other lines"), True),
        (RenewTask(DEAL, 5, ""), RenewTask(DEAL, 6, ""), False),
        (RunStageAgain(DEAL, "x"), RunStageAgain(DEAL, "y"), True),
        (RunStageAgain(DEAL, "x"), MOVE, False),
    ],
)
def test_a_round_is_known_by_what_it_comes_to(one: Round, other: Round, same: bool) -> None:
    assert same_round(one, other) is same


def test_other_actions_are_no_rounds() -> None:
    assert rounds_in([Comment(DEAL, "hello"), MOVE]) == [MOVE]


@pytest.mark.parametrize(
    ("cause", "counts"),
    [
        (StageEntered(), True),
        (FieldsChanged(("a",)), True),
        (FormSubmitted("vote", {}, 3), False),
        (PaymentConfirmed("1", "10"), False),
        (AskedByPerson("op", "so"), False),
    ],
)
def test_what_people_cause_is_done_whatever_the_count(cause: Cause, counts: bool) -> None:
    assert by_itself(cause) is counts


def test_only_what_was_done_within_a_day_counts() -> None:
    often = [NOW - timedelta(minutes=n) for n in range(3)]
    assert too_many(often, NOW, 3)
    assert not too_many(often, NOW, 4)
    assert not too_many(often, NOW + WINDOW, 3)
    assert not too_many([], NOW, 1)


@pytest.mark.parametrize("action", [MOVE, WRITE, RenewTask(DEAL, 5, ""), RunStageAgain(DEAL, "")])
def test_what_was_stopped_is_said_in_both_languages(action: Round) -> None:
    told = stopped(CALL, T("Робот", "Robot"), action, 5)
    assert "5 раз " in told.ru
    assert "5 times" in told.en
    assert "{" not in told.ru + told.en
