"""The form codec of PHP: ``data[FIELDS][ID]=7`` to nested dicts and back. Pure; bytes in, values out.

Everything the portal sends (events, robot calls, page openings) and every command inside a batch has this shape.
Behaviour follows PHP's ``parse_str`` for whatever an honest sender writes; what only a broken or hostile sender
writes is refused instead of being repaired silently.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote, unquote_to_bytes

FormValue: TypeAlias = "str | dict[str, FormValue]"
Form: TypeAlias = "dict[str, FormValue]"

_LONGEST_INDEX = 18  # digits; PHP treats longer keys as text, and so do we


class BadForm(ValueError):
    """A body or query that is no acceptable form; ``place`` names where, and never quotes a value."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a stranger's form is read before it is refused; sizes in bytes, depth in brackets."""

    max_bytes: int = 1024 * 1024
    max_fields: int = 2000
    max_depth: int = 12
    max_name: int = 1024
    max_value: int = 512 * 1024


DEFAULT = Limits()


def decode(body: bytes, *, limits: Limits = DEFAULT) -> Form:
    """Read an ``application/x-www-form-urlencoded`` body with PHP brackets; raise only ``BadForm``.

    All values are text; ``a[]=x`` appends under the next free number; numeric keys stay text (see ``as_list``).
    A name given twice keeps the last value, as in PHP; a name used both as a value and as a map is refused.
    """
    if len(body) > limits.max_bytes:
        raise BadForm("body", f"longer than {limits.max_bytes} bytes")
    if body.count(b"&") >= limits.max_fields:
        raise BadForm("body", f"more than {limits.max_fields} fields")
    form: Form = {}
    next_index: dict[int, int] = {}  # id of a map in ``form`` -> the number its next ``[]`` gets
    for number, pair in enumerate(body.split(b"&"), start=1):
        if not pair:
            continue
        place = f"field {number}"
        raw_name, _, raw_value = pair.partition(b"=")
        if len(raw_value) > limits.max_value or len(raw_name) > limits.max_name:
            raise BadForm(place, "too long")
        path = _path(_text(raw_name, place), place, limits)
        _put(form, path, _text(raw_value, place), place, next_index)
    return form


def decode_query(query: str | bytes, *, limits: Limits = DEFAULT) -> Form:
    """Read the query part of an address the same way; a leading ``?`` is allowed; raise only ``BadForm``."""
    if isinstance(query, str):
        try:
            query = query.encode()
        except UnicodeEncodeError:
            raise BadForm("query", "is no text") from None
    return decode(query.removeprefix(b"?"), limits=limits)


def as_list(value: FormValue | None, place: str = "value") -> list[FormValue]:
    """Turn what PHP sent for a list into a list, in the order of arrival.

    Absent and ``""`` (PHP's null) are empty, a single text is a list of one; a map with a key that is no number
    raises ``BadForm``.
    """
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [value]
    if not all(_is_index(key) for key in value):
        raise BadForm(place, "is no list")
    return list(value.values())


def encode(params: Mapping[str, Any]) -> str:
    """Write parameters as one form; lists get the keys 0, 1, ...; an empty list or map becomes an empty text.

    Raises ``TypeError`` for what PHP would misread (``True``, ``False``, ``None``, dates, bytes: say ``"Y"``,
    ``0``, ``""`` or an ISO text) and ``ValueError`` for a key that is empty or holds a bracket.
    """
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in _pairs(params, "", ""))


def _pairs(value: Any, name: str, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        inner: list[tuple[str, Any]] = [(_key(key, place), item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        inner = [(str(index), item) for index, item in enumerate(value)]
    else:
        yield name, _scalar(value, place)
        return
    if not inner and name:
        yield name, ""
    for key, item in inner:
        quoted = quote(key, safe="")
        yield from _pairs(item, f"{name}[{quoted}]" if name else quoted, f"{place}[{key}]" if place else key)


def _key(key: object, place: str) -> str:
    if not isinstance(key, str | int) or isinstance(key, bool):
        raise TypeError(f"{place or 'form'}: a key must be text, not {type(key).__name__}")
    text = str(key)
    if not text or "[" in text or "]" in text or "\0" in text:
        raise ValueError(f"{place or 'form'}: a key may not be empty or hold a bracket")
    return text


def _scalar(value: object, place: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{place}: {type(value).__name__} has no meaning in a form")
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"{place}: {value} is no number")
    return str(value)


def _text(raw: bytes, place: str) -> str:
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise BadForm(place, "is not UTF-8") from None
    if "\0" in text:
        raise BadForm(place, "holds a zero byte")
    return text


def _path(name: str, place: str, limits: Limits) -> list[str]:
    """Split ``a[b][]`` into ``["a", "b", ""]``."""
    head, bracket, rest = name.partition("[")
    if not head or "]" in head:
        raise BadForm(place, "has no name")
    if not bracket:
        return [head]
    if not rest.endswith("]"):
        raise BadForm(place, "has an open bracket")
    keys = rest[:-1].split("][")
    if len(keys) > limits.max_depth:
        raise BadForm(place, f"is nested deeper than {limits.max_depth}")
    if any("[" in key or "]" in key for key in keys):
        raise BadForm(place, "has brackets inside brackets")
    return [head, *keys]


def _put(form: Form, path: list[str], value: str, place: str, next_index: dict[int, int]) -> None:
    here = form
    for key in path[:-1]:
        key = _numbered(here, key, next_index)
        below = here.setdefault(key, {})
        if not isinstance(below, dict):
            raise BadForm(place, "is both a value and a map")
        here = below
    last = _numbered(here, path[-1], next_index)
    if isinstance(here.get(last), dict):
        raise BadForm(place, "is both a value and a map")
    here[last] = value


def _numbered(here: Form, key: str, next_index: dict[int, int]) -> str:
    """Give an empty bracket its number and remember the highest number used in this map."""
    free = next_index.get(id(here), 0)
    if key == "":
        next_index[id(here)] = free + 1
        return str(free)
    if _is_index(key):
        next_index[id(here)] = max(free, int(key) + 1)
    return key


def _is_index(key: str) -> bool:
    """Whether PHP would see a whole number in this key."""
    if not (key.isascii() and key.isdigit()) or len(key) > _LONGEST_INDEX:
        return False
    return key == "0" or key[0] != "0"
