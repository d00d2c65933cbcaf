"""The part of process files that asks people: forms, what is asked at the end, and the tables of corrections."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast, get_args

from b24app.core.actions import Step
from b24app.core.forms import MAX_ROWS, MAX_TEXT, FormDef, Question, QuestionType, When
from b24app.core.process_shape import Reading, guess
from b24app.core.process_yaml import Written
from b24app.core.quality import Approval, Corrections, Quality, Route, ViolationType
from b24app.core.text import EMPTY, T
from b24app.core.worktime import Pause

QUESTION_TYPES: tuple[QuestionType, ...] = get_args(QuestionType)
CORRECTIONS = ("tables", "approval", "points", "figures")
"""Keys of the top level that make up `Corrections`."""
QUALITY = "quality"
"""The name of the form for the ends, unless the file gives another."""

_QUESTION_KEYS = ("name", "ask", "help", "type", "from", "to", "options", "required", "when", "questions")
_LIMIT, _HELP, _TITLE = 300, 1000, 100
_LONGEST_SCALE = 11
_BOUNDS = {
    "scale": ((-100, 100), (-100, 100)),
    "number": ((-(10**9), 10**9), (-(10**9), 10**9)),
    "rows": ((0, MAX_ROWS), (1, MAX_ROWS)),
    "text": (None, (1, MAX_TEXT)),
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NAME_RULE = T("строчные латинские буквы, цифры и «_», до 40", "small Latin letters, digits and “_”, up to 40")

_SAME = T("вопрос «{name}» в форме уже есть", "the form has a question “{name}” already")
_EMPTY = T("в форме нет ни одного вопроса", "the form asks nothing")
_OPTIONS = T("вопросу с выбором нужны варианты «options»", "a question of choice needs its “options”")
_NO_OPTIONS = T("варианты бывают только у choice и several", "only choice and several have options")
_NO_TABLE = T("нет таблицы «{name}»{guess}", "there is no table “{name}”{guess}")
_ROWS = T("строкам нужны вопросы «questions»", "rows need their “questions”")
_NO_ROWS = T("вопросы внутри бывают только у rows", "only rows have questions inside")
_NESTED = T("строки внутри строк не бывают", "there are no rows inside of rows")
_NO_BOUND = T("«{key}» не бывает у вопроса типа {type}", "a question of type {type} has no “{key}”")
_BOUNDS_ORDER = T("«from» должно быть меньше «to»", "“from” has to be less than “to”")
_SCALE = T("на шкале не больше {limit} делений", "a scale has {limit} marks at most")
_WHEN = T("вопроса «{name}» выше нет{guess}", "there is no question “{name}” above{guess}")
_WHEN_TYPE = T(
    "зависеть можно только от вопроса с готовыми ответами: scale, yes_no, choice, several",
    "a question may depend only on one with ready answers: scale, yes_no, choice, several",
)
_WHEN_VALUE = T("вопрос «{name}» не имеет ответа «{value}»{guess}", "the question “{name}” has no answer “{value}”{guess}")
_QUORUM = T("нужно all, majority или число голосов", "all, majority or a number of votes is wanted")
_PAUSE = T("это не срок: напишите, например, 2 working days", "this is no length of time: write 2 working days, for example")

StepReader = Callable[[Written | None, str, str], tuple[Step, ...]]
"""Reads steps: the node, the stage they belong to, the path."""


@dataclass(slots=True)
class FormReader:
    """Reads the forms of one file; ``tables`` may be named as the options of a question."""

    reading: Reading
    steps: StepReader
    tables: dict[str, dict[str, T]] = field(default_factory=dict)

    def form(self, node: Written | None, stage: str, path: str, name: str = "") -> FormDef | None:
        """Read a form; ``name`` is its name where the file gives none."""
        if node is None:
            return None
        r = self.reading
        required = ("title", "questions") if name else ("name", "title", "questions")
        part = r.section(node, path, ("name", "who", "each", "title", "about", "questions", "submitted"), required)
        questions = self._questions(part.get("questions"), f"{path}.questions", ())
        if "questions" in part and not questions and part["questions"].sequence == ():
            r.wrong(part["questions"].line, f"{path}.questions", _EMPTY)
        return FormDef(
            name=r.word(part["name"], f"{path}.name", _NAME, _NAME_RULE) if "name" in part else name,
            title=r.bilingual(part["title"], f"{path}.title", _TITLE) if "title" in part else EMPTY,
            questions=questions,
            who=r.text(part["who"], f"{path}.who") if "who" in part else "",
            each=r.flag(part["each"], f"{path}.each") if "each" in part else False,
            about=r.bilingual(part["about"], f"{path}.about", _HELP) if "about" in part else EMPTY,
            submitted=self.steps(part.get("submitted"), stage, f"{path}.submitted"),
        )

    def quality(self, node: Written | None, last_stage: str) -> Quality | None:
        """Read what is asked at the ends of the process."""
        if node is None:
            return None
        r = self.reading
        part = r.section(node, "quality", ("stages", "ask", "deadline", "form", "analysis"), ("stages", "form"))
        ask = r.text(part["ask"], "quality.ask") if "ask" in part else "responsible"
        form = self.form(part.get("form"), last_stage, "quality.form", QUALITY)
        lines = enumerate(r.sequence(part["analysis"], "quality.analysis") if "analysis" in part else ())
        return Quality(
            stages=r.texts(part["stages"], "quality.stages") if "stages" in part else (),
            form=form or FormDef(QUALITY, EMPTY, ()),
            ask=ask,
            deadline=self._pause(part.get("deadline"), "quality.deadline", ""),
            analysis=tuple(r.bilingual(child, f"quality.analysis[{n}]", _LIMIT) for n, child in lines),
        )

    def corrections(self, top: dict[str, Written]) -> Corrections | None:
        """Read the tables of corrections, and what was agreed on approval and points."""
        if not any(key in top for key in CORRECTIONS):
            return None
        r = self.reading
        known = ("violation_types", "routes", "kanban")
        part = r.section(top["tables"], "tables", known) if "tables" in top else {}
        types = self._violation_types(part.get("violation_types"))
        self.tables["violation_types"] = {code: kind.name for code, kind in types.items()}
        columns = enumerate(r.sequence(part["kanban"], "tables.kanban") if "kanban" in part else ())
        return Corrections(
            violation_types=types,
            routes=self._routes(part.get("routes")),
            kanban=tuple(r.bilingual(child, f"tables.kanban[{n}]", _TITLE) for n, child in columns),
            approval=self._approval(top.get("approval")),
            points=(r.whole(top["points"], "points", 0, 10**6) or 0) if "points" in top else Corrections().points,
            figures=r.texts(top["figures"], "figures") if "figures" in top else (),
        )

    # Questions -----------------------------------------------------------------------------------------------------------

    def _questions(self, node: Written | None, path: str, above: tuple[Question, ...]) -> tuple[Question, ...]:
        """Read questions one after another: each may depend on those above it."""
        found: list[Question] = []
        for number, child in enumerate(self.reading.sequence(node, path) if node else ()):
            where = f"{path}[{number}]"
            question = self._question(child, where, (*above, *found), nested=bool(above) or path.count("questions") > 1)
            if any(known.name == question.name for known in (*above, *found) if question.name):
                self.reading.wrong(child.line, where, _SAME.fill(name=question.name))
            found.append(question)
        return tuple(found)

    def _question(self, node: Written, path: str, above: tuple[Question, ...], *, nested: bool) -> Question:
        r = self.reading
        part = r.section(node, path, _QUESTION_KEYS, ("name", "ask", "type"))
        name = r.word(part["name"], f"{path}.name", _NAME, _NAME_RULE) if "name" in part else ""
        kind = cast(QuestionType, r.choice(part["type"], f"{path}.type", QUESTION_TYPES)) if "type" in part else "text"
        if kind == "rows" and nested:
            r.wrong(node.line, path, _NESTED)
        if ("questions" in part) != (kind == "rows"):
            r.wrong(node.line, path, _NO_ROWS if "questions" in part else _ROWS)
        low, high = self._bounds(part, kind, path)
        return Question(
            name=name,
            ask=r.bilingual(part["ask"], f"{path}.ask", _LIMIT) if "ask" in part else EMPTY,
            type=kind,
            help=r.bilingual(part["help"], f"{path}.help", _HELP) if "help" in part else EMPTY,
            required=r.flag(part["required"], f"{path}.required") if "required" in part else True,
            options=self._options(node, part.get("options"), kind, path),
            low=low,
            high=high,
            when=self._when(part.get("when"), f"{path}.when", above),
            questions=() if nested else self._questions(part.get("questions"), f"{path}.questions", above),
        )

    def _bounds(self, part: dict[str, Written], kind: str, path: str) -> tuple[int | None, int | None]:
        r = self.reading
        bounds: list[int | None] = []
        for key, allowed in zip(("from", "to"), _BOUNDS.get(kind, (None, None)), strict=True):
            if key in part and allowed is None:
                r.wrong(part[key].line, f"{path}.{key}", _NO_BOUND.fill(key=key, type=kind))
            bounds.append(r.whole(part[key], f"{path}.{key}", *allowed) if key in part and allowed is not None else None)
        low, high = bounds
        if low is not None and high is not None and (low > high if kind == "rows" else low >= high):
            r.wrong(part["from"].line, f"{path}.from", _BOUNDS_ORDER)
        elif kind == "scale":
            first, last = Question("", EMPTY, "scale", low=low, high=high).span
            if not 2 <= last - first + 1 <= _LONGEST_SCALE:
                line = min(child.line for child in part.values())
                r.wrong(line, path, _SCALE.fill(limit=_LONGEST_SCALE) if last > first else _BOUNDS_ORDER)
        return low, high

    def _options(self, question: Written, node: Written | None, kind: str, path: str) -> dict[str, T]:
        r = self.reading
        if (node is not None) != (kind in ("choice", "several")):
            r.wrong(question.line, path, _NO_OPTIONS if node is not None else _OPTIONS)
        if node is None:
            return {}
        if isinstance(node.value, str):
            if node.value not in self.tables:
                told = _NO_TABLE.fill(name=node.value, guess=guess(node.value, self.tables))
                r.wrong(node.line, f"{path}.options", told)
            return self.tables.get(node.value, {})
        options = r.mapping(node, f"{path}.options")
        if not options:
            r.wrong(node.line, f"{path}.options", _OPTIONS)
        for key, child in options.items():
            r.word(Written(child.line, key), f"{path}.options.{key}", _NAME, _NAME_RULE)
        return {key: r.bilingual(child, f"{path}.options.{key}", _LIMIT) for key, child in options.items()}

    def _when(self, node: Written | None, path: str, above: tuple[Question, ...]) -> tuple[When, ...]:
        found: list[When] = []
        for name, child in self.reading.mapping(node, path).items() if node else ():
            values = tuple(_word(one) for one in (child.sequence if child.sequence is not None else (child,)))
            self._possible(name, values, child.line, f"{path}.{name}", above)
            found.append(When(name, values))
        return tuple(found)

    def _possible(self, name: str, values: tuple[str, ...], line: int, path: str, above: tuple[Question, ...]) -> None:
        asked = next((question for question in above if question.name == name), None)
        if asked is None:
            close = guess(name, [question.name for question in above])
            self.reading.wrong(line, path, _WHEN.fill(name=name, guess=close))
            return
        answers = _ready_answers(asked)
        if answers is None:
            self.reading.wrong(line, path, _WHEN_TYPE)
            return
        for value in values if answers else ():
            if value not in answers:
                self.reading.wrong(line, path, _WHEN_VALUE.fill(name=name, value=value, guess=guess(value, answers)))

    # Corrections ---------------------------------------------------------------------------------------------------------

    def _violation_types(self, node: Written | None) -> dict[str, ViolationType]:
        r = self.reading
        found: dict[str, ViolationType] = {}
        for code, child in r.mapping(node, "tables.violation_types").items() if node else ():
            path = f"tables.violation_types.{code}"
            r.word(Written(child.line, code), path, _NAME, _NAME_RULE)
            part = r.section(child, path, ("name", "heads"), ("name", "heads"))
            name = r.bilingual(part["name"], f"{path}.name", _TITLE) if "name" in part else EMPTY
            found[code] = ViolationType(name, r.texts(part["heads"], f"{path}.heads") if "heads" in part else ())
        return found

    def _routes(self, node: Written | None) -> tuple[Route, ...]:
        r = self.reading
        found: list[Route] = []
        for number, child in enumerate(r.sequence(node, "tables.routes") if node else ()):
            path = f"tables.routes[{number}]"
            known = ("group", "responsible", "kind", "system", "pipeline")
            part = r.section(child, path, known, ("group", "responsible"))
            words = {key: r.text(part[key], f"{path}.{key}") for key in known[1:] if key in part}
            group = r.bilingual(part["group"], f"{path}.group", _TITLE) if "group" in part else EMPTY
            found.append(Route(group=group, **words))
        return tuple(found)

    def _approval(self, node: Written | None) -> Approval:
        agreed = Approval()
        if node is None:
            return agreed
        r = self.reading
        part = r.section(node, "approval", ("quorum", "deadline", "remind"))
        quorum = r.text(part["quorum"], "approval.quorum") if "quorum" in part else agreed.quorum
        if quorum and quorum not in ("all", "majority") and not re.fullmatch(r"[1-9][0-9]?", quorum):
            r.wrong(part["quorum"].line, "approval.quorum", _QUORUM)
        return Approval(
            quorum=quorum,
            deadline=self._pause(part.get("deadline"), "approval.deadline", agreed.deadline),
            remind=self._pause(part.get("remind"), "approval.remind", agreed.remind),
        )

    def _pause(self, node: Written | None, path: str, default: str) -> str:
        if node is None:
            return default
        text = self.reading.text(node, path)
        try:
            return str(Pause.parse(text)) if text else default
        except ValueError:
            self.reading.wrong(node.line, path, _PAUSE)
            return default


def _word(node: Written) -> str:
    """Write a value of a condition the way answers are compared."""
    if isinstance(node.value, bool):
        return "yes" if node.value else "no"
    return str(node.value)


def _ready_answers(question: Question) -> list[str] | None:
    """List the answers a question may have; None where anything may be answered."""
    match question.type:
        case "yes_no":
            return ["yes", "no"]
        case "scale":
            low, high = question.span
            return [str(mark) for mark in range(low, high + 1)]
        case "choice" | "several":
            return list(question.options)
        case _:
            return None
