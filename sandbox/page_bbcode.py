"""BB codes of comments and descriptions as safe HTML: a few tags, everything else escaped."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from markupsafe import Markup, escape

_TAG = re.compile(r"\[(/?)(b|i|u|s|url|list|user|code|quote|\*)(?:=([^\]\n]*))?\]", re.IGNORECASE)
_BRACKET = re.compile(r"&amp;#(91|93);")
_ADDRESS = re.compile(r"(?<![\]=])https?://[^\s<>\[\]]+[^\s<>\[\].,;:!?)»”\"']")
_PLAIN = {"b": "b", "i": "i", "u": "u", "s": "s", "code": "code", "quote": "blockquote"}
_BLOCK = re.compile(r"\n?(\[(?:/?list(?:=[^\]\n]*)?|\*|/?quote)\])\n?", re.IGNORECASE)


def bb_html(text: str, name_of: Callable[[int], str]) -> Markup:
    """Turn BB codes into HTML; ``name_of`` names the user of a ``[USER=n]`` without a text. Bare addresses become links.

    Known: B, I, U, S, CODE, QUOTE, URL (http, https and paths of the portal), USER, LIST with [*].
    Tags left open are closed, strange ones stay as text (im and task texts share this dialect).
    """
    writer = _Writer(name_of)
    text = _BLOCK.sub(r"\1", text.replace("\r", ""))
    place = 0
    for found in _TAG.finditer(text):
        writer.text(text[place : found.start()])
        place = found.end()
        if not writer.tag(bool(found[1]), found[2].lower(), found[3], text[place:]):
            writer.text(found[0])
    writer.text(text[place:])
    return writer.finished()


def is_safe(address: str) -> bool:
    """Tell whether a link may be followed: of the web, or a path of the portal."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if parts.scheme in {"http", "https"}:
        return bool(parts.netloc)
    return not parts.scheme and not parts.netloc and address.startswith("/")


def _opening(address: str) -> str:
    return f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">'


class _Writer:
    """Write HTML with a stack of open tags: (BB name, closing HTML)."""

    def __init__(self, name_of: Callable[[int], str]) -> None:
        self._name_of = name_of
        self._parts: list[str] = []
        self._open: list[tuple[str, str]] = []

    def text(self, raw: str) -> None:
        place = 0
        for found in _ADDRESS.finditer(raw) if "url" not in [name for name, _ in self._open] else ():
            self._plain(raw[place : found.start()])
            self._parts.append(f"{_opening(found[0])}{escape(found[0])}</a>")
            place = found.end()
        self._plain(raw[place:])

    def _plain(self, raw: str) -> None:
        escaped = _BRACKET.sub(r"&#\1;", str(escape(raw)))
        self._parts.append(escaped.replace("\n", "<br>"))

    def tag(self, closes: bool, name: str, value: str | None, following: str) -> bool:
        """Write a tag; False when it is not understood here."""
        if closes:
            return self._close(name)
        if name in _PLAIN:
            return self._begin(name, f"<{_PLAIN[name]}>", f"</{_PLAIN[name]}>")
        if name == "list":
            kind = "ol" if value else "ul"
            return self._begin(name, f"<{kind}>", f"</{kind}>")
        if name == "*":
            return self._item()
        if name == "user":
            return self._user(value, following)
        return self._link(value, following)

    def _begin(self, name: str, opening: str, closing: str) -> bool:
        self._parts.append(opening)
        self._open.append((name, closing))
        return True

    def _close(self, name: str) -> bool:
        if name not in [known for known, _ in self._open]:
            return False
        while self._open:
            known, closing = self._open.pop()
            self._parts.append(closing)
            if known == name:
                return True
        return True

    def _item(self) -> bool:
        inside = [name for name, _ in self._open]
        if "list" not in inside:
            return False
        since = inside[len(inside) - inside[::-1].index("list") :]
        if "*" in since:
            self._close("*")
        return self._begin("*", "<li>", "</li>")

    def _user(self, value: str | None, following: str) -> bool:
        if not (value or "").isdigit():
            return False
        shown = "" if "[/user]" in following.lower() else escape(self._name_of(int(value or 0)))
        opening = f'<a class="user" href="/company/personal/user/{value}/">{shown}'
        if shown:
            self._parts.append(f"{opening}</a>")
            return True
        return self._begin("user", opening, "</a>")

    def _link(self, value: str | None, following: str) -> bool:
        shown = re.match(r"(.*?)\[/url\]", following, re.IGNORECASE | re.DOTALL)
        address = (value if value is not None else shown[1] if shown else "").strip().strip("\"'")
        if shown is None or not is_safe(address):
            return False
        return self._begin("url", _opening(address), "</a>")

    def finished(self) -> Markup:
        while self._open:
            self._parts.append(self._open.pop()[1])
        return Markup("".join(self._parts))  # noqa: S704 every part was escaped or is ours
