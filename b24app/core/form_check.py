"""Whether the answers to a form will do: what was sent is read into values, and every misfit told with its place. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from b24app.core.forms import MAX_TEXT, Answers, FormDef, Question, is_open
from b24app.core.item import People
from b24app.core.text import T, clean

MAX_LINK = 1000

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
