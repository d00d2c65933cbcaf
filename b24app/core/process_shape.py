"""The words a process file is written in: reading single values out of it, every misfit noted with its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from b24app.core.process_yaml import Place, Problem, Written
from b24app.core.text import EMPTY, LANGS, T

_UNKNOWN_KEY = T("неизвестный ключ «{key}»{guess}", "unknown key “{key}”{guess}")
_MISSING_KEY = T("не хватает ключа «{key}»", "the key “{key}” is missing")
_MAPPING = T("здесь нужны пары «ключ: значение»", "“key: value” pairs are wanted here")
_LIST = T("здесь нужен список", "a list is wanted here")
_TEXT = T("здесь нужен текст", "a text is wanted here")
_WORD = T("«{text}» не подходит: {rule}", "“{text}” does not fit: {rule}")
_WHOLE = T("здесь нужно целое число от {low} до {high}", "a whole number from {low} to {high} is wanted here")
_FLAG = T("здесь нужно true или false", "true or false is wanted here")
_CHOICE = T("нужно одно из: {choices}{guess}", "one of these is wanted: {choices}{guess}")
_BOTH = T("нужен текст на обоих языках: {ru: …, en: …}", "the text is needed in both languages: {ru: …, en: …}")
_LACKS = T("нет текста на языке: {langs}", "no text in language: {langs}")
_LANGUAGE = T("неизвестный язык «{lang}»", "unknown language “{lang}”")
_LONG = T("текст длиннее {limit} знаков ({lang})", "the text is longer than {limit} characters ({lang})")
_GUESS = T(" — может быть, «{name}»?", " — did you mean “{name}”?")

_PLACE = re.compile(r"\{[A-Za-z_][A-Za-z0-9_.]*\}")


def guess(name: str, known: Iterable[str]) -> T:
    """Return “did you mean …?” for a name close to a known one, else nothing."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return _GUESS.fill(name=close[0]) if close else EMPTY


def says_something(text: str) -> bool:
    """Tell whether a text has letters besides its places to fill, so that it belongs to a language."""
    return any(c.isalpha() for c in _PLACE.sub("", text))


@dataclass(slots=True)
class Reading:
    """One pass over one file: what was found wrong, and at which line everything stands."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def wrong(self, line: int, path: str, message: T) -> None:
        """Note a problem."""
        self.problems.append(Problem(Place(self.file, line, path), message))

    def doubts(self, path: str) -> bool:
        """Tell whether a part was found wrong already, so that what follows from it need not be told."""
        return any(problem.place.path == path for problem in self.problems)

    def section(
        self, node: Written, path: str, known: tuple[str, ...], required: tuple[str, ...] = ()
    ) -> dict[str, Written]:
        """Read a mapping with known keys; gives what is usable of it."""
        children = self.mapping(node, path)
        for key, child in children.items():
            if key not in known:
                where = f"{path}.{key}" if path else key
                self.wrong(child.line, where, _UNKNOWN_KEY.fill(key=key, guess=guess(key, known)))
        if node.mapping is not None:
            for key in required:
                if key not in children:
                    self.wrong(node.line, path, _MISSING_KEY.fill(key=key))
        return {key: child for key, child in children.items() if key in known}

    def mapping(self, node: Written, path: str) -> dict[str, Written]:
        """Read a mapping with free keys; every child's line is kept."""
        self.lines[path] = node.line
        if node.mapping is None:
            self.wrong(node.line, path, _MAPPING)
            return {}
        for key, child in node.mapping.items():
            self.lines[f"{path}.{key}" if path else key] = child.line
        return node.mapping

    def sequence(self, node: Written, path: str) -> tuple[Written, ...]:
        """Read a list; every member's line is kept."""
        self.lines[path] = node.line
        if node.sequence is None:
            self.wrong(node.line, path, _LIST)
            return ()
        for number, child in enumerate(node.sequence):
            self.lines[f"{path}[{number}]"] = child.line
        return node.sequence

    def text(self, node: Written, path: str) -> str:
        """Read a non-empty text; a bare number is taken as written."""
        if isinstance(node.value, (str, int)) and not isinstance(node.value, bool) and str(node.value).strip():
            return str(node.value).strip()
        self.wrong(node.line, path, _TEXT)
        return ""

    def word(self, node: Written, path: str, pattern: re.Pattern[str], rule: T) -> str:
        """Read a text of a form; empty when it does not fit."""
        text = self.text(node, path)
        if text and not pattern.fullmatch(text):
            self.wrong(node.line, path, _WORD.fill(text=text[:60], rule=rule))
            return ""
        return text

    def texts(self, node: Written, path: str) -> tuple[str, ...]:
        """Read a list of non-empty texts."""
        members = enumerate(self.sequence(node, path))
        return tuple(text for n, child in members if (text := self.text(child, f"{path}[{n}]")))

    def whole(self, node: Written, path: str, low: int, high: int) -> int | None:
        """Read a whole number within bounds."""
        if isinstance(node.value, int) and not isinstance(node.value, bool) and low <= node.value <= high:
            return node.value
        self.wrong(node.line, path, _WHOLE.fill(low=low, high=high))
        return None

    def flag(self, node: Written, path: str) -> bool:
        """Read true or false."""
        if not isinstance(node.value, bool):
            self.wrong(node.line, path, _FLAG)
        return node.value is True

    def choice(self, node: Written, path: str, choices: tuple[str, ...]) -> str:
        """Read one of several words; the first one stands in for what is none of them."""
        text = node.value if isinstance(node.value, str) else str(node.value)
        if text in choices:
            return text
        self.wrong(node.line, path, _CHOICE.fill(choices=", ".join(choices), guess=guess(text, choices)))
        return choices[0]

    def bilingual(self, node: Written, path: str, limit: int) -> T:
        """Read a text in both languages; a bare text will do only where it has no words, such as ``{title}``."""
        if node.mapping is None:
            text = self.text(node, path)
            if says_something(text):
                self.wrong(node.line, path, _BOTH)
            return self._within(T.same(text), node.line, path, limit)
        lacking = [lang for lang in LANGS if lang not in node.mapping or node.mapping[lang].value in (None, "")]
        if lacking:
            self.wrong(node.line, path, _LACKS.fill(langs=", ".join(lacking)))
        for key, child in node.mapping.items():
            if key not in LANGS:
                self.wrong(child.line, f"{path}.{key}", _LANGUAGE.fill(lang=key))
        said = {lang: self.text(node.mapping[lang], f"{path}.{lang}") for lang in LANGS if lang not in lacking}
        return self._within(T(said.get("ru", ""), said.get("en", "")), node.line, path, limit)

    def _within(self, text: T, line: int, path: str, limit: int) -> T:
        for lang in LANGS:
            if len(text.at(lang)) > limit:
                self.wrong(line, path, _LONG.fill(limit=limit, lang=lang))
        return text
