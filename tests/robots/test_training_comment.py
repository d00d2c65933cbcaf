from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from b24app.core.actions import Comment, MarkTrained
from b24app.core.call import AskedByPerson, Cause
from b24app.core.needs import Ledger
from b24app.core.robot import Outcome
from b24app.core.text import T
from robots.training_comment import ROBOT, Props
from tests.builders import MANAGER, a_call, a_deal, a_house, decided, facts

LESSON = Props(
    text=T("Согласуйте дату с {client}.", "Agree the date with {client}."),
    steps=(T("Откройте календарь", "Open the calendar"), T("Запишите дату", "Write the date")),
    links=(
        T("https://helpdesk.bitrix24.ru/open/1 Календарь", "https://helpdesk.bitrix24.ru/open/1 Calendar"),
        T.same("javascript:alert(1)"),
    ),
    video="https://video.example/1",
)
HARD = replace(LESSON, when="difficulty")
ASKED = AskedByPerson("Мария Менова", "помощь")
REASONS = (T("нет [даты]", "no date"),)


def teach(props: Props = LESSON, ledger: Ledger | None = None, cause: Cause | None = None, **call: Any) -> Outcome:
    return decided(ROBOT, a_call(cause, **call), facts(ledger=ledger), props)


def text_of(outcome: Outcome) -> str:
    comment = outcome.actions[0]
    assert isinstance(comment, Comment)
    return comment.text


def test_the_comment_explains_numbers_the_steps_and_links() -> None:
    assert text_of(teach()) == (
        "[B]Обучение: Дата начала работ согласована[/B]\n\n"
        "Согласуйте дату с Анна Клиентова.\n\n"
        "Что делать:\n1. Откройте календарь\n2. Запишите дату\n\n"
        "Полезные ссылки:\n• [URL=https://helpdesk.bitrix24.ru/open/1]Календарь[/URL]\n\n"
        "▶ [URL=https://video.example/1]Видео[/URL]"
    )


def test_a_comment_on_entry_is_remembered_and_one_on_difficulty_is_not() -> None:
    assert teach().actions[1:] == (MarkTrained(a_call().item, "date_agreed"),)
    assert teach(HARD, reasons=REASONS).actions[1:] == ()


def test_a_link_that_is_none_is_left_out_and_the_journal_says_so() -> None:
    assert "javascript" in teach().why.ru


def test_the_english_portal_reads_english() -> None:
    said = text_of(teach(house=a_house(lang="en")))
    assert "Agree the date with" in said
    assert "[URL=https://helpdesk.bitrix24.ru/open/1]Calendar[/URL]" in said


def test_training_switched_off_writes_nothing() -> None:
    for cause in (None, ASKED):
        assert teach(cause=cause, house=a_house(training=False)).why.ru == "Блок обучения выключен"


def test_who_has_learned_is_left_alone_unless_asking() -> None:
    ledger = Ledger(learned=frozenset({MANAGER}))
    assert teach(ledger=ledger).actions == ()
    assert teach(ledger=ledger, cause=ASKED).actions


@pytest.mark.parametrize("stage", ["C7:EXECUTING", "date_agreed"])
def test_a_stage_is_explained_once(stage: str) -> None:
    ledger = Ledger(trained=frozenset({stage}))
    assert teach(ledger=ledger).actions == ()
    assert teach(replace(LESSON, when="always"), ledger).actions


def test_difficulty_needs_a_difficulty() -> None:
    assert teach(HARD).actions == ()
    assert "нет [даты]" not in text_of(teach(HARD, reasons=REASONS))
    assert "Что не получилось:\n• нет &#91;даты&#93;" in text_of(teach(HARD, reasons=REASONS))


def test_difficulty_may_begin_with_the_second_return() -> None:
    props = replace(HARD, from_return=2)
    assert teach(props, reasons=REASONS).actions == ()
    assert teach(props, Ledger(returns={"C7:EXECUTING": 1}), reasons=REASONS).actions


def test_who_asks_gets_help_at_once() -> None:
    assert teach(replace(HARD, from_return=9), cause=ASKED).actions


def test_a_deal_title_cannot_bring_codes_along() -> None:
    outcome = decided(ROBOT, a_call(), facts(a_deal(title="[IMG]x[/IMG]")), Props(text=T.same("{title}")))
    assert "[IMG]" not in text_of(outcome)
