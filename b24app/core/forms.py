"""Forms people fill in: questions as data, which of them stand open, whether answers will do. Pure.

A question may depend on answers before it. What a hidden question was answered is dropped, and nobody has to answer it: who
sends the form decides nothing about that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import TypeAdapter

from b24app.core.actions import Step
from b24app.core.item import People
from b24app.core.text import EMPTY, Lang, T, clean, show

QuestionType = Literal["scale", "yes_no", "choice", "several", "text", "number", "link", "date", "person", "rows"]
Answers = Mapping[str, Any]
"""By question: a whole number (scale, person), a number, True or False, a text (choice, link, ISO date), a list of texts
(several), a list of answers (rows). Questions nobody answered are not there."""

MAX_TEXT = 4000
MAX_LINK = 1000
MAX_ROWS = 50

_REQUIRED = T("Ответьте на этот вопрос", "Please answer this question")
_ROWS = T("Нужна хотя бы одна строка: заполните {low}", "Rows to fill in, at least: {low}")
_TOO_MANY = T("Строк не больше {high}", "There may be {high} rows at most")
_OPTION = T("Выберите один из вариантов", "Choose one of the answers")
_WHOLE = T("Выберите число от {low} до {high}", "Choose a number from {low} to {high}")
_NUMBER = T("Нужно число, например 2,5", "A number is wanted, such as 2.5")
_BETWEEN = T("Нужно число от {low} до {high}", "A number from {low} to {high} is wanted")
_LINK = T("Нужна ссылка, начинающаяся с http:// или https://", "A link beginning with http:// or https:// is wanted")
_DAY = T("Нужна дата", "A date is wanted")
_PERSON = T("Выберите сотрудника", "Choose an employee")
_LONG = T("Не длиннее {limit} знаков", "{limit} characters at most")


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


# Whether answers will do ----------------------------------------------------------------------------------------------


class _Wrong(Exception):
    """An answer that will not do."""

    def __init__(self, why: T) -> None:
        super().__init__(why.en)
        self.why = why


def check(form: FormDef, raw: Mapping[str, Any], people: People | None = None) -> tuple[dict[str, Any], dict[str, T]]:
    """Read what was sent; returns the answers, and what is wrong by place (``reason``, ``violations.0.type``).

    ``raw`` holds texts, lists of texts and, for rows, lists of such mappings. A person has to be an active employee where
    ``people`` is given. Answers are good to be kept only when nothing is wrong.
    """
    checking = _Checking(people)
    return checking.section(form.questions, raw, {}, ""), checking.problems


@dataclass(slots=True)
class _Checking:
    people: People | None
    problems: dict[str, T] = field(default_factory=dict)

    def section(
        self, questions: tuple[Question, ...], raw: Mapping[str, Any], around: Answers, prefix: str
    ) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for question in questions:
            if not is_open(question, {**around, **answers}):
                continue
            place = f"{prefix}{question.name}"
            try:
                answer = self._answer(question, raw.get(question.name), {**around, **answers}, place)
            except _Wrong as wrong:
                self.problems[place] = wrong.why
                continue
            if answer is not None:
                answers[question.name] = answer
        return answers

    def _answer(self, question: Question, raw: Any, around: Answers, place: str) -> Any:
        if question.type == "rows":
            return self._rows(question, raw, around, place)
        if question.type == "several":
            return _several(question, raw)
        text = raw if isinstance(raw, str) else ""
        text = clean(text) if question.type == "text" else " ".join(text.split())
        if not text:
            if question.required:
                raise _Wrong(_REQUIRED)
            return None
        if question.type == "person":
            return self._person(text)
        return _READ[question.type](question, text)

    def _rows(self, question: Question, raw: Any, around: Answers, place: str) -> list[dict[str, Any]] | None:
        rows = list(enumerate(raw if isinstance(raw, list | tuple) else ()))
        filled = [(number, row) for number, row in rows if isinstance(row, Mapping) and says_anything(row)]
        if len(filled) < question.least:
            raise _Wrong(_ROWS.fill(low=question.least) if question.least > 1 else _REQUIRED)
        if len(filled) > question.most:
            raise _Wrong(_TOO_MANY.fill(high=question.most))
        return [self.section(question.questions, row, around, f"{place}.{number}.") for number, row in filled] or None

    def _person(self, text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
        if number <= 0 or (self.people is not None and not self.people.active(number)):
            raise _Wrong(_PERSON)
        return number


def says_anything(row: Mapping[str, Any]) -> bool:
    """Tell whether anything was written into a row."""
    return any(bool(value.strip()) if isinstance(value, str) else bool(value) for value in row.values())


def _several(question: Question, raw: Any) -> list[str] | None:
    sent = {raw} if isinstance(raw, str) else {str(one) for one in raw} if isinstance(raw, list | tuple) else set()
    sent.discard("")
    if not sent <= question.options.keys():
        raise _Wrong(_OPTION)
    if question.required and not sent:
        raise _Wrong(_REQUIRED)
    return [option for option in question.options if option in sent] or None


def _scale(question: Question, text: str) -> int:
    low, high = question.span
    if not re.fullmatch(r"-?[0-9]{1,4}", text) or not low <= int(text) <= high:
        raise _Wrong(_WHOLE.fill(low=low, high=high))
    return int(text)


def _yes_no(question: Question, text: str) -> bool:
    if text not in ("yes", "no"):
        raise _Wrong(_OPTION)
    return text == "yes"


def _choice(question: Question, text: str) -> str:
    if text not in question.options:
        raise _Wrong(_OPTION)
    return text


def _text(question: Question, text: str) -> str:
    limit = question.high or MAX_TEXT
    if len(text) > limit:
        raise _Wrong(_LONG.fill(limit=limit))
    return text


def _number(question: Question, text: str) -> int | float:
    written = text.replace(" ", "").replace(",", ".")
    if not re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", written):
        raise _Wrong(_NUMBER)
    number = float(written)
    low = -math.inf if question.low is None else question.low
    high = math.inf if question.high is None else question.high
    if not low <= number <= high:
        raise _Wrong(_BETWEEN.fill(low="−∞" if question.low is None else low, high="∞" if question.high is None else high))
    return int(number) if number.is_integer() else number


def _link(question: Question, text: str) -> str:
    if len(text) > MAX_LINK:
        raise _Wrong(_LONG.fill(limit=MAX_LINK))
    try:
        parts = urlsplit(text)
    except ValueError:
        raise _Wrong(_LINK) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _Wrong(_LINK)
    return text


def _date(question: Question, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise _Wrong(_DAY) from None


_READ = {
    "scale": _scale,
    "yes_no": _yes_no,
    "choice": _choice,
    "text": _text,
    "number": _number,
    "link": _link,
    "date": _date,
}


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
