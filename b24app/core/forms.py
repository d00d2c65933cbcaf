"""Forms people fill in: questions as data, which of them stand open, whether answers will do. Pure.

A question may depend on answers before it. What a hidden question was answered is dropped, and nobody has to answer it: who
sends the form decides nothing about that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from pydantic import TypeAdapter

from b24app.core.actions import Step
from b24app.core.item import People
from b24app.core.text import EMPTY, Lang, T, show

QuestionType = Literal["scale", "yes_no", "choice", "several", "text", "number", "link", "date", "person", "rows"]
Answers = Mapping[str, Any]
"""By question: a whole number (scale, person), a number, True or False, a text (choice, link, ISO date), a list of texts
(several), a list of answers (rows). Questions nobody answered are not there."""

MAX_TEXT = 4000
MAX_ROWS = 50


@dataclass(frozen=True, slots=True)
class When:
    """A question stands open only when another one has one of these answers, written as words (``yes``, ``3``)."""

    question: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``low`` and ``high`` bound a scale, a number, and how many rows there are."""

    name: str
    ask: T
    type: QuestionType
    help: T = EMPTY
    required: bool = True
    options: Mapping[str, T] = field(default_factory=dict)
    low: int | None = None
    high: int | None = None
    when: tuple[When, ...] = ()
    questions: tuple[Question, ...] = ()
    """What every row is asked."""

    @property
    def span(self) -> tuple[int, int]:
        """The bounds of a scale."""
        return self.low if self.low is not None else 1, self.high if self.high is not None else 5

    @property
    def least(self) -> int:
        """How many rows are wanted at least."""
        return max(self.low or 0, 1 if self.required else 0)

    @property
    def most(self) -> int:
        return min(self.high or MAX_ROWS, MAX_ROWS)


@dataclass(frozen=True, slots=True)
class FormDef:
    """A form: who fills it in, what it asks, and the steps that follow.

    ``who`` is a role of the process. Whoever has an open task named after the form (``<name>`` or ``<name>:…``) fills it
    in as well; where ``who`` is empty, nobody else does. One answer settles a form, unless ``each`` wants everybody's own.
    """

    name: str
    title: T
    questions: tuple[Question, ...]
    who: str = ""
    about: T = EMPTY
    each: bool = False
    submitted: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as somebody filled it in. ``round`` counts how often the item has come to where the form is asked for."""

    form: str
    round: int
    by: int
    answers: Answers
    at: datetime
    name: str = ""
    version: str = ""
    """The version of the process whose questions were answered."""


def task_asks(form: str, task: str) -> bool:
    """Tell whether a task is named after a form, so that whoever has it fills the form in."""
    return task == form or task.startswith(f"{form}:")


# Which questions stand open -------------------------------------------------------------------------------------------


def visible(form: FormDef, answers: Answers) -> tuple[Question, ...]:
    """Return the questions that stand open with these answers, in order; rows look after theirs by `open_questions`."""
    return open_questions(form.questions, answers)


def open_questions(questions: tuple[Question, ...], answers: Answers, around: Answers | None = None) -> tuple[Question, ...]:
    """Return which of the questions stand open; an answer given to a hidden question opens nothing.

    ``around`` are the answers outside of a row.
    """
    heard: dict[str, Any] = dict(around or {})
    found: list[Question] = []
    for question in questions:
        if is_open(question, heard):
            found.append(question)
            heard |= {question.name: answers[question.name]} if question.name in answers else {}
    return tuple(found)


def is_open(question: Question, heard: Answers) -> bool:
    """Tell whether a question stands open by the answers before it."""
    return all(_words(heard.get(when.question)) & set(when.values) for when in question.when)


def _words(answer: Any) -> set[str]:
    """Write an answer the way conditions speak of it."""
    match answer:
        case None:
            return set()
        case bool():
            return {"yes" if answer else "no"}
        case list() | tuple():
            return {str(one) for one in answer}
        case _:
            return {str(answer)}


# For people -----------------------------------------------------------------------------------------------------------


def shown(form: FormDef, answers: Answers, lang: Lang, people: People | None = None) -> list[tuple[str, str]]:
    """Write answers down for people: every open question that was answered, and what was said to it.

    Rows are numbered: «Нарушения, 1: Тип». Without ``people`` an employee is a number.
    """
    return list(_told(form.questions, answers, {}, lang, people or People()))


def _told(
    questions: tuple[Question, ...], answers: Answers, around: Answers, lang: Lang, people: People
) -> Iterator[tuple[str, str]]:
    for question in open_questions(questions, answers, around):
        answer = answers.get(question.name)
        if answer is None:
            continue
        label = question.ask.at(lang)
        if question.type != "rows":
            yield label, said(question, answer, lang, people)
            continue
        for number, row in enumerate(answer, start=1):
            for inner, text in _told(question.questions, row, {**around, **answers}, lang, people):
                yield f"{label}, {number}: {inner}", text


def said(question: Question, answer: Any, lang: Lang, people: People) -> str:
    """Write one answer down for people."""
    match question.type:
        case "choice":
            return _option(question, str(answer), lang)
        case "several":
            return ", ".join(_option(question, str(one), lang) for one in answer)
        case "person":
            return people.name(answer)
        case "date":
            return show(date.fromisoformat(answer), lang)
        case "scale":
            return f"{answer} / {question.span[1]}"
        case _:
            return show(answer, lang)


def _option(question: Question, key: str, lang: Lang) -> str:
    option = question.options.get(key)
    return option.at(lang) if option else key


def written(questions: tuple[Question, ...], answers: Answers) -> dict[str, Any]:
    """Write answers the way a page sends them, to be looked over and sent again."""
    return {q.name: _sent(q, answers[q.name]) for q in questions if answers.get(q.name) is not None}


def _sent(question: Question, answer: Any) -> Any:
    match answer:
        case bool():
            return "yes" if answer else "no"
        case list() | tuple() if question.type == "rows":
            return [written(question.questions, row) for row in answer]
        case list() | tuple():
            return [str(one) for one in answer]
        case _:
            return str(answer)


# JSON -----------------------------------------------------------------------------------------------------------------

_FORM: TypeAdapter[FormDef] = TypeAdapter(FormDef)


def form_to_json(form: FormDef) -> dict[str, Any]:
    """Write a form down as JSON."""
    dumped: dict[str, Any] = _FORM.dump_python(form, mode="json")
    return dumped


def form_from_json(stored: Mapping[str, Any]) -> FormDef:
    """Read a form back; raises `pydantic.ValidationError` for anything that is none."""
    return _FORM.validate_python(dict(stored))
