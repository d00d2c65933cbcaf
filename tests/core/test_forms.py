"""Forms: which questions stand open, which answers will do, and how they are shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.core.actions import Step
from b24app.core.form_check import check
from b24app.core.forms import (
    FormDef,
    Question,
    QuestionType,
    When,
    form_from_json,
    form_to_json,
    shown,
    task_asks,
    visible,
    written,
)
from b24app.core.text import T
from tests.builders import GONE, MANAGER, people


def ask(name: str, kind: QuestionType, **told: Any) -> Question:
    return Question(name, T(f"Вопрос {name}", f"Question {name}"), kind, **told)


KINDS = {"calls": T("Звонки", "Calls"), "papers": T("Документы", "Papers")}
SUMMARY = FormDef(
    "summary",
    T("Итоги", "Summing up"),
    (
        ask("happy", "scale"),
        ask("in_time", "yes_no"),
        ask("why_late", "text", when=(When("in_time", ("no",)),)),
        ask("how_late", "number", low=1, high=30, required=False, when=(When("in_time", ("no",)),)),
        ask("violations", "yes_no"),
        ask("kinds", "several", options=KINDS, required=False),
        ask(
            "list",
            "rows",
            when=(When("violations", ("yes",)),),
            high=3,
            questions=(
                ask("kind", "choice", options=KINDS),
                ask("paper", "link", when=(When("kind", ("papers",)),)),
                ask("who", "person", required=False, when=(When("in_time", ("no",)),)),
            ),
        ),
    ),
    submitted=(Step("record", {"text": "x"}),),
)
GOOD = {"happy": "4", "in_time": "yes", "violations": "no"}


def names(form: FormDef, answers: dict[str, Any]) -> list[str]:
    return [question.name for question in visible(form, answers)]


def one(kind: QuestionType, raw: Any, **told: Any) -> Any:
    """Ask a single question; return the answer, or what is wrong with it in English."""
    form = FormDef("f", T("Ф", "F"), (ask("q", kind, **told),))
    answers, problems = check(form, {"q": raw}, people())
    return problems["q"].en if problems else answers.get("q")


# Dependent questions ---------------------------------------------------------------------------------------------------


def test_a_question_opens_with_the_answer_it_depends_on() -> None:
    assert names(SUMMARY, {"in_time": True}) == ["happy", "in_time", "violations", "kinds"]
    assert names(SUMMARY, {"in_time": False, "violations": True}) == [
        "happy", "in_time", "why_late", "how_late", "violations", "kinds", "list",
    ]  # fmt: skip


def test_an_open_question_has_to_be_answered_and_a_hidden_one_has_not() -> None:
    assert check(SUMMARY, GOOD) == ({"happy": 4, "in_time": True, "violations": False}, {})

    _, problems = check(SUMMARY, {**GOOD, "in_time": "no"})

    assert list(problems) == ["why_late"]


def test_the_answer_to_a_hidden_question_is_dropped_whatever_was_sent() -> None:
    answers, problems = check(SUMMARY, {**GOOD, "why_late": "потому", "how_late": "не число", "list": [{"kind": "?"}]})

    assert not problems
    assert answers == {"happy": 4, "in_time": True, "violations": False}


def test_a_hidden_answer_opens_nothing_further() -> None:
    chain = FormDef(
        "chain",
        T("Ц", "C"),
        (
            ask("a", "yes_no"),
            ask("b", "yes_no", when=(When("a", ("yes",)),)),
            ask("c", "text", when=(When("b", ("yes",)),)),
        ),
    )
    assert check(chain, {"a": "no", "b": "yes", "c": "x"}) == ({"a": False}, {})
    assert names(chain, {"a": False, "b": True, "c": "x"}) == ["a"]


def test_all_conditions_have_to_hold_and_one_of_the_values_each() -> None:
    both = FormDef(
        "both",
        T("О", "B"),
        (
            ask("mark", "scale"),
            ask("kinds", "several", options=KINDS),
            ask("why", "text", when=(When("mark", ("1", "2")), When("kinds", ("papers",)))),
        ),
    )
    assert names(both, {"mark": 2, "kinds": ["calls", "papers"]}) == ["mark", "kinds", "why"]
    assert names(both, {"mark": 2, "kinds": ["calls"]}) == ["mark", "kinds"]
    assert names(both, {"mark": 3, "kinds": ["papers"]}) == ["mark", "kinds"]


def test_a_row_depends_on_its_own_answers_and_on_those_around_it() -> None:
    rows = [{"kind": "calls", "paper": "x"}, {"kind": "papers", "paper": "https://a.test/1", "who": str(MANAGER)}]
    sent = {**GOOD, "violations": "yes", "list": rows}

    assert check(SUMMARY, sent)[0]["list"] == [{"kind": "calls"}, {"kind": "papers", "paper": "https://a.test/1"}]
    late = check(SUMMARY, {**sent, "in_time": "no", "why_late": "x"}, people())
    assert late[0]["list"][1]["who"] == MANAGER


# Rows -------------------------------------------------------------------------------------------------------------------


def test_empty_rows_are_passed_over_and_problems_keep_the_place_of_their_row() -> None:
    sent = {**GOOD, "violations": "yes", "list": [{}, {"kind": " "}, {"kind": "papers", "paper": "ftp://x"}]}

    answers, problems = check(SUMMARY, sent)

    assert list(problems) == ["list.2.paper"]
    assert answers["list"] == [{"kind": "papers"}]


@pytest.mark.parametrize("rows", [[], None, "kind", [{}], ["x", 3]])
def test_required_rows_want_one_that_says_something(rows: Any) -> None:
    assert list(check(SUMMARY, {**GOOD, "violations": "yes", "list": rows})[1]) == ["list"]


def test_there_are_no_more_rows_than_agreed() -> None:
    sent = {**GOOD, "violations": "yes", "list": [{"kind": "calls"}] * 4}
    assert check(SUMMARY, sent)[1]["list"].en == "There may be 3 rows at most"


# Single answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "raw", "read"),
    [
        ("scale", "5", 5),
        ("yes_no", "no", False),
        ("choice", "calls", "calls"),
        ("several", ["papers", "calls"], ["calls", "papers"]),
        ("several", "papers", ["papers"]),
        ("text", " первая \r\nвторая\x00 ", "первая\nвторая"),
        ("number", "1 200,50", 1200.5),
        ("number", "-3", -3),
        ("link", "https://docs.test/регламент?x=1", "https://docs.test/регламент?x=1"),
        ("date", "2026-02-28", "2026-02-28"),
        ("person", str(MANAGER), MANAGER),
    ],
)
def test_an_answer_is_read(kind: QuestionType, raw: Any, read: Any) -> None:
    options = {"options": KINDS} if kind in ("choice", "several") else {}
    assert one(kind, raw, **options) == read


@pytest.mark.parametrize(
    ("kind", "raw", "why"),
    [
        ("scale", "6", "Choose a number from 1 to 5"),
        ("scale", "4.5", "Choose a number from 1 to 5"),
        ("yes_no", "maybe", "Choose one of the answers"),
        ("choice", "bribes", "Choose one of the answers"),
        ("several", ["calls", "bribes"], "Choose one of the answers"),
        ("text", "я" * 4001, "4000 characters at most"),
        ("number", "1e9", "A number is wanted, such as 2.5"),
        ("number", "٣", "A number is wanted, such as 2.5"),
        ("link", "javascript:alert(1)", "A link beginning with http:// or https:// is wanted"),
        ("link", "https://", "A link beginning with http:// or https:// is wanted"),
        ("link", "https://[", "A link beginning with http:// or https:// is wanted"),
        ("date", "2026-02-30", "A date is wanted"),
        ("person", "400", "Choose an employee"),
        ("person", str(GONE), "Choose an employee"),
        ("person", "٧", "Choose an employee"),
    ],
)
def test_an_answer_that_will_not_do_is_told_why(kind: QuestionType, raw: Any, why: str) -> None:
    options = {"options": KINDS} if kind in ("choice", "several") else {}
    assert one(kind, raw, **options) == why


def test_bounds_of_a_number_are_told() -> None:
    assert one("number", "31", low=1, high=30) == "A number from 1 to 30 is wanted"
    assert one("number", "0", low=1) == "A number from 1 to ∞ is wanted"


@pytest.mark.parametrize("kind", ["scale", "yes_no", "choice", "several", "text", "number", "link", "date", "person"])
@pytest.mark.parametrize("blank", ["", "  ", None, []])
def test_a_required_question_wants_an_answer_and_another_does_not(kind: QuestionType, blank: Any) -> None:
    options = {"options": KINDS} if kind in ("choice", "several") else {}
    blank = "" if kind == "several" and isinstance(blank, str) else blank

    assert one(kind, blank, **options) == "Please answer this question"
    assert one(kind, blank, required=False, **options) is None


JUNK = st.recursive(
    st.none() | st.text(max_size=12) | st.integers() | st.sampled_from(["yes", "no", "papers", "3"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["kind", "paper", "who", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
PLACES = ["happy", "in_time", "why_late", "how_late", "violations", "kinds", "list", "stranger"]


@given(st.dictionaries(st.sampled_from(PLACES), JUNK, max_size=7))
def test_whatever_is_sent_the_answers_hold_only_open_questions_and_can_be_kept(raw: dict[str, Any]) -> None:
    answers, problems = check(SUMMARY, raw, people())

    assert set(answers) <= set(names(SUMMARY, answers))
    assert json.loads(json.dumps(answers, ensure_ascii=False)) == answers
    missing = {q.name for q in visible(SUMMARY, answers) if q.required} - set(answers)
    assert missing <= {place.split(".")[0] for place in problems}
    shown(SUMMARY, answers, "ru", people())


@given(st.dictionaries(st.sampled_from(PLACES), JUNK, max_size=7))
def test_answers_that_will_do_are_read_the_same_when_they_are_sent_again(raw: dict[str, Any]) -> None:
    answers, problems = check(SUMMARY, raw, people())
    if not problems:
        assert check(SUMMARY, written(SUMMARY.questions, answers), people()) == (answers, {})


# For people ---------------------------------------------------------------------------------------------------------------


def test_answers_are_shown_in_the_words_of_the_form() -> None:
    answers = {
        "happy": 4,
        "in_time": False,
        "why_late": "снег",
        "how_late": 2,
        "violations": True,
        "list": [{"kind": "papers", "paper": "https://a.test/1", "who": MANAGER}, {"kind": "calls"}],
    }
    assert shown(SUMMARY, answers, "ru", people()) == [
        ("Вопрос happy", "4 / 5"),
        ("Вопрос in_time", "нет"),
        ("Вопрос why_late", "снег"),
        ("Вопрос how_late", "2"),
        ("Вопрос violations", "да"),
        ("Вопрос list, 1: Вопрос kind", "Документы"),
        ("Вопрос list, 1: Вопрос paper", "https://a.test/1"),
        ("Вопрос list, 1: Вопрос who", "Мария Менова"),
        ("Вопрос list, 2: Вопрос kind", "Звонки"),
    ]
    assert shown(SUMMARY, {"in_time": True}, "en") == [("Question in_time", "yes")]


def test_dates_and_several_answers_are_written_for_people() -> None:
    form = FormDef("f", T("Ф", "F"), (ask("day", "date"), ask("kinds", "several", options=KINDS)))
    assert shown(form, {"day": "2026-06-03", "kinds": ["calls", "gone"]}, "en") == [
        ("Question day", "03.06.2026"),
        ("Question kinds", "Calls, gone"),
    ]


def test_a_form_is_read_back_as_it_was_written() -> None:
    assert form_from_json(json.loads(json.dumps(form_to_json(SUMMARY), ensure_ascii=False))) == SUMMARY


def test_tasks_named_after_a_form_ask_for_it() -> None:
    assert task_asks("vote", "vote")
    assert task_asks("vote", "vote:7")
    assert not task_asks("vote", "votes")
