"""PHP's habits on the wire: bracketed forms, arrays that are maps, flags and numbers as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

JSON = dict[str, Any]

_KEY = re.compile(r"\[([^\]]*)\]")


def decode_form(text: str) -> JSON:
    """Decode ``a[b][0]=c`` into nested maps; maps with the keys 0..n-1 become lists."""
    return {key: tidy(value) for key, value in nested(parse_qsl(text, keep_blank_values=True)).items()}


def nested(pairs: Iterable[tuple[str, str]]) -> JSON:
    """Build nested maps of bracketed names; ``[]`` takes the next free number."""
    root: JSON = {}
    for name, value in pairs:
        head = name.split("[", 1)[0]
        path = [head, *_KEY.findall(name[len(head) :])]
        place = root
        for step, following in zip(path, [*path[1:], None], strict=True):
            key = step or str(len(place))
            if following is None:
                place[key] = value
            else:
                inner = place.get(key)
                if not isinstance(inner, dict):
                    inner = place[key] = {}
                place = inner
    return root


def tidy(value: Any) -> Any:
    """Turn maps numbered 0..n-1 into lists, all the way down."""
    if isinstance(value, dict):
        values = [tidy(item) for item in value.values()]
        if value and list(value) == [str(n) for n in range(len(value))]:
            return values
        return dict(zip(value, values, strict=True))
    return value


def flatten(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the bracketed pairs of a nested value; empty maps and lists vanish as they do in PHP."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from flatten(item, f"{name}[{key}]" if name else str(key))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from flatten(item, f"{name}[{number}]")
    else:
        yield name, scalar(value)


def scalar(value: Any) -> str:
    """Write a scalar as ``http_build_query`` does."""
    if value is None or value is False:
        return "" if value is None else "0"
    return "1" if value is True else str(value)


def encode_form(value: Mapping[str, Any]) -> str:
    """Encode a nested map as a form body with brackets."""
    return urlencode(list(flatten(value)))


def php(value: Mapping[str, Any]) -> Any:
    """Serialize a PHP array: empty or numbered 0..n-1 is a list, anything else an object."""
    if list(value) == [str(n) for n in range(len(value))]:
        return list(value.values())
    return dict(value)


def as_list(value: Any) -> list[Any]:
    """Read a list that may have come as a map, a scalar or nothing."""
    if value is None or value == "":
        return []
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else [value]


def as_map(value: Any) -> JSON:
    """Read a map that may have come as a list or nothing."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {str(n): item for n, item in enumerate(value)}
    return {}


def whole(value: Any) -> int:
    """Read an integer PHP's way: the leading number of a text, otherwise 0."""
    if isinstance(value, bool | int | float):
        return int(value)
    found = re.match(r"\s*-?\d+", str(value or ""))
    return int(found.group()) if found else 0


def yes(value: Any) -> bool:
    """Read a flag in any of its spellings."""
    return value is True or str(value).upper() in {"Y", "1", "TRUE"}


def number(value: float) -> int | float:
    """Write a number as PHP's JSON does: whole ones without a point."""
    return int(value) if float(value).is_integer() else value
