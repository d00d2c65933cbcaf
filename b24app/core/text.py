"""Texts for people: always in Russian and in English, escaped for the place they go to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

Lang = Literal["ru", "en"]
LANGS: tuple[Lang, ...] = ("ru", "en")

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.]*)\}")


@dataclass(frozen=True, slots=True)
class T:
    """A text in both languages; ``{name}`` marks a place to fill."""

    ru: str
    en: str

    @classmethod
    def same(cls, text: str) -> T:
        """Give a text that somebody wrote once, for readers of either language."""
        return cls(text, text)

    def at(self, lang: Lang) -> str:
        """Return the text in one language."""
        return self.ru if lang == "ru" else self.en

    def fill(self, /, **values: object) -> T:
        """Put values into the places; a `T` among them speaks the language it lands in.

        A place without a value stays as written: a text with a typing mistake is better than no text.
        """
        return T(_fill(self.ru, values, "ru"), _fill(self.en, values, "en"))

    def both(self) -> dict[str, str]:
        """Return the text in both languages by their codes, as JSON and the portal want it."""
        return {"ru": self.ru, "en": self.en}

    def places(self) -> frozenset[str]:
        """Name the places of both languages."""
        return frozenset(_PLACEHOLDER.findall(self.ru)) | frozenset(_PLACEHOLDER.findall(self.en))

    def __bool__(self) -> bool:
        return bool(self.ru.strip() or self.en.strip())


EMPTY = T("", "")


def _fill(text: str, values: Mapping[str, object], lang: Lang) -> str:
    def put(match: re.Match[str]) -> str:
        name = match.group(1)
        return show(values[name], lang) if name in values else match.group(0)

    return _PLACEHOLDER.sub(put, text)


def show(value: object, lang: Lang) -> str:
    """Write a value the way people of a language read it; dates are day first in both."""
    match value:
        case T():
            return value.at(lang)
        case datetime():
            return value.strftime("%d.%m.%Y %H:%M")
        case date():
            return value.strftime("%d.%m.%Y")
        case time():
            return value.strftime("%H:%M")
        case None:
            return "—"
        case bool():
            return {"ru": ("нет", "да"), "en": ("no", "yes")}[lang][value]
        case _:
            return str(value)


def join(parts: list[T] | tuple[T, ...], by: str = ", ") -> T:
    """Join texts language by language."""
    return T(by.join(p.ru for p in parts), by.join(p.en for p in parts))


def bb(text: str) -> str:
    """Escape a text of the CRM for a place that reads BB codes.

    Bitrix24 renders BB codes in comments, notifications and task descriptions, and escapes HTML there by itself.
    """
    return text.replace("[", "&#91;").replace("]", "&#93;")


def folded(text: str) -> str:
    """Reduce a name to what people agree on: no case, no ё, no punctuation, single blanks."""
    lowered = text.casefold().replace("ё", "е")
    return " ".join("".join(c if c.isalnum() else " " for c in lowered).split())


def cut(text: str, limit: int) -> str:
    """Shorten a text to ``limit`` characters, with an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def plain(text: str) -> str:
    """Drop control characters that portals refuse and fold every run of white space to one blank."""
    return " ".join("".join(c if _kept(c) or c.isspace() else " " for c in text).split())


def clean(text: str) -> str:
    """Drop control characters that portals refuse and keep the lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("".join(c if _kept(c) else " " for c in line).rstrip() for line in lines).strip()


def _kept(char: str) -> bool:
    return char.isprintable() or char == "\u200d"  # the joiner holds composed emoji together


def counted(number: int, one: str, few: str, many: str) -> str:
    """Put a Russian noun after a number in the right form: 1 день, 2 дня, 5 дней."""
    tail, teens = abs(number) % 10, abs(number) % 100
    if tail == 1 and teens != 11:
        return f"{number} {one}"
    if 2 <= tail <= 4 and not 12 <= teens <= 14:
        return f"{number} {few}"
    return f"{number} {many}"
