"""YAML into values that know their line: small, bounded, without surprises.

Read from the parser's events, not by PyYAML's constructors: only text, whole numbers, true/false and nothing are values, so
``10:00`` stays a time of day and ``on`` a word. Size, depth and the growth by aliases are bounded before anything is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from b24app.core.text import T

MAX_CHARACTERS = 400_000
MAX_VALUES = 20_000
MAX_DEPTH = 24

Scalar = str | int | bool | None
Plain = Scalar | list["Plain"] | dict[str, "Plain"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a line of a file, and the path to it inside."""

    file: str
    line: int
    path: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.path}".rstrip()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a process file: where, and what, in both languages."""

    place: Place
    message: T

    def __str__(self) -> str:
        return f"{self.place}: {self.message.en}"


@dataclass(frozen=True, slots=True)
class Written:
    """A value as written: a scalar, a list or a mapping, with its line and how many values it holds in all."""

    line: int
    value: Scalar | tuple[Written, ...] | dict[str, Written]
    size: int = 1

    @property
    def mapping(self) -> dict[str, Written] | None:
        return self.value if isinstance(self.value, dict) else None

    @property
    def sequence(self) -> tuple[Written, ...] | None:
        return self.value if isinstance(self.value, tuple) else None

    def plain(self) -> Plain:
        """Return the value without lines, as Python's own lists and dicts."""
        match self.value:
            case dict():
                return {key: child.plain() for key, child in self.value.items()}
            case tuple():
                return [child.plain() for child in self.value]
            case _:
                return self.value


_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_WORDS: dict[str, Scalar] = {"": None, "~": None, "null": None, "true": True, "false": False}

_SYNTAX = T("это не YAML: {why}", "this is not YAML: {why}")
_TWICE = T("ключ «{key}» уже есть в строке {line}", "the key “{key}” is already there in line {line}")
_KEY = T("ключ должен быть простым словом", "a key has to be a plain word")
_ALIAS = T("ссылка *{name} ни на что не указывает", "the alias *{name} points to nothing")
_TOO_LONG = T("файл длиннее {limit} знаков", "the file is longer than {limit} characters")
_TOO_MUCH = T("в файле больше {limit} значений (считая повторы по ссылкам)", "more than {limit} values (counting aliases)")
_TOO_DEEP = T("вложенность больше {limit} уровней", "nested deeper than {limit} levels")
_EMPTY = T("файл пуст", "the file is empty")
_ONE = T("в файле должен быть один документ", "a file holds one document")


class _Stop(Exception):
    """Reading cannot go on."""

    def __init__(self, line: int, message: T) -> None:
        super().__init__(message.en)
        self.line = line
        self.message = message


@dataclass(slots=True)
class _Builder:
    file: str
    events: Iterator[yaml.Event]
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, Written] = field(default_factory=dict)
    count: int = 0

    def node(self, event: yaml.Event, depth: int) -> Written:
        line = _line(event)
        if depth > MAX_DEPTH:
            raise _Stop(line, _TOO_DEEP.fill(limit=MAX_DEPTH))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, line)
        self._grow(1, line)
        anchor = event.anchor if isinstance(event, yaml.NodeEvent) else None
        if isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(line, depth)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(line, depth)
        else:
            assert isinstance(event, yaml.ScalarEvent)
            node = Written(line, _scalar(event))
        if anchor:
            self.anchors[anchor] = node
        return node

    def _alias(self, event: yaml.AliasEvent, line: int) -> Written:
        meant = self.anchors.get(str(event.anchor))
        if meant is None:
            self.problems.append(Problem(Place(self.file, line), _ALIAS.fill(name=event.anchor)))
            return Written(line, None)
        self._grow(meant.size, line)
        return meant

    def _grow(self, by: int, line: int) -> None:
        self.count += by
        if self.count > MAX_VALUES:
            raise _Stop(line, _TOO_MUCH.fill(limit=MAX_VALUES))

    def _sequence(self, line: int, depth: int) -> Written:
        children: list[Written] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            children.append(self.node(event, depth + 1))
        return Written(line, tuple(children), 1 + sum(child.size for child in children))

    def _mapping(self, line: int, depth: int) -> Written:
        children: dict[str, Written] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, depth + 1)
            value = self.node(next(self.events), depth + 1)
            name = None if isinstance(key.value, (dict, tuple)) or key.value is None else str(key.value)
            if name is None:
                self.problems.append(Problem(Place(self.file, key.line), _KEY))
            elif name in children:
                self.problems.append(Problem(Place(self.file, key.line, name), _TWICE.fill(key=name, line=lines[name])))
            else:
                children[name], lines[name] = Written(key.line, value.value, value.size), key.line
        return Written(line, children, 1 + sum(child.size for child in children.values()))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    if event.style:
        return event.value
    if event.value.lower() in _WORDS:
        return _WORDS[event.value.lower()]
    return int(event.value) if _WHOLE.fullmatch(event.value) else event.value


def read_yaml(text: str, file: str) -> tuple[Written | None, list[Problem]]:
    """Read one document; with what can be understood comes everything that cannot.

    A value of a mapping bears the line of its key.
    """
    if len(text) > MAX_CHARACTERS:
        return None, [Problem(Place(file, 1), _TOO_LONG.fill(limit=MAX_CHARACTERS))]
    problems: list[Problem] = []
    try:
        builder = _Builder(file, iter(yaml.parse(text, Loader=yaml.SafeLoader)), problems)
        return _document(builder), problems
    except _Stop as stop:
        return None, [*problems, Problem(Place(file, stop.line), stop.message)]
    except yaml.YAMLError as error:
        return None, [*problems, _broken(file, text, error)]


def _document(builder: _Builder) -> Written:
    for event in builder.events:
        if isinstance(event, yaml.DocumentStartEvent):
            root = builder.node(next(builder.events), 1)
            for later in builder.events:
                if isinstance(later, yaml.DocumentStartEvent):
                    raise _Stop(_line(later), _ONE)
            return root
    raise _Stop(1, _EMPTY)


def _broken(file: str, text: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    position = getattr(error, "position", None)
    line = mark.line + 1 if mark else text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
    why = getattr(error, "problem", None) or getattr(error, "reason", None) or "?"
    return Problem(Place(file, line), _SYNTAX.fill(why=why))
