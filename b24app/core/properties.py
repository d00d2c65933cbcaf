"""A robot's ``Props`` and ``Returns`` said once: registered on the portal, read from its calls and from process files.

The portal's property types and the form of their values on the wire: api-reference/bizproc/bizproc-robot/bizproc-robot-add.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Union, get_args, get_origin

from b24app.core.actions import Step
from b24app.core.robot import Robot
from b24app.core.roles import Role
from b24app.core.text import T
from b24app.core.worktime import Pause

PORTAL_TYPES: Mapping[Any, str] = {
    str: "string",
    int: "int",
    bool: "bool",
    T: "text",
    date: "date",
    Pause: "string",
    Role: "string",
}


@dataclass(frozen=True, slots=True)
class Property:
    """One property, taken apart: its name, the type of a single value, and what the form shows."""

    name: str
    type: Any
    multiple: bool
    optional: bool
    required: bool
    default: Any
    label: T
    help: T
    same: bool
    portal: bool
    options: Mapping[str, T]


class BadProperty(ValueError):
    """A property that could not be read; ``name`` is the property, ``why`` says what is wrong in both languages."""

    def __init__(self, name: str, why: T) -> None:
        super().__init__(f"{name}: {why.en}")
        self.name = name
        self.why = why


def properties_of(declared: type[Any]) -> tuple[Property, ...]:
    """Take a ``Props`` or ``Returns`` dataclass apart; raises `TypeError` for a type no portal knows."""
    hashable: Any = declared
    return _taken_apart(hashable)


@functools.cache
def _taken_apart(declared: Any) -> tuple[Property, ...]:
    hints = typing.get_type_hints(declared)
    return tuple(_property(f, hints[f.name]) for f in dataclasses.fields(declared))


def _property(declared: dataclasses.Field[Any], hint: Any) -> Property:
    optional = multiple = False
    if get_origin(hint) in (Union, types.UnionType):
        kinds = [a for a in get_args(hint) if a is not types.NoneType]
        optional, hint = len(kinds) < len(get_args(hint)), kinds[0]
    if get_origin(hint) is tuple:
        multiple, hint = True, get_args(hint)[0]
    said = declared.metadata["prop"]
    if hint is not Step and hint not in PORTAL_TYPES:
        raise TypeError(f"property {declared.name}: no portal type for {hint!r}")
    missing = declared.default is dataclasses.MISSING
    return Property(
        name=declared.name,
        type=hint,
        multiple=multiple,
        optional=optional,
        required=missing and not optional,
        default=None if missing else declared.default,
        label=said["label"],
        help=said["help"],
        same=said["same"],
        portal=said["portal"] and hint is not Step,
        options=said["options"],
    )


# What the portal is told ----------------------------------------------------------------------------------------------


def registration(declared: type[Any] | None) -> dict[str, dict[str, Any]]:
    """Describe properties (or results) the way ``bizproc.robot.add`` wants them, in both languages."""
    if declared is None:
        return {}
    return {p.name: _described(p) for p in properties_of(declared) if p.portal}


def _described(p: Property) -> dict[str, Any]:
    described: dict[str, Any] = {
        "Name": {"ru": p.label.ru, "en": p.label.en},
        "Type": "select" if p.options else PORTAL_TYPES[p.type],
        "Required": "Y" if p.required else "N",
        "Multiple": "Y" if p.multiple else "N",
    }
    if p.help:
        described["Description"] = {"ru": p.help.ru, "en": p.help.en}
    if p.options:
        described["Options"] = {key: label.ru for key, label in p.options.items()}
    if p.default not in (None, ()):
        described["Default"] = portal_text(p.default)
    return described


def portal_text(value: Any) -> Any:
    """Write a value the way robots carry it: Y/N, day first dates, plain strings."""
    match value:
        case None:
            return ""
        case bool():
            return "Y" if value else "N"
        case T():
            return value.ru
        case datetime():
            return value.strftime("%d.%m.%Y %H:%M:%S")
        case date():
            return value.strftime("%d.%m.%Y")
        case tuple():
            return [portal_text(v) for v in value]
        case _:
            return str(value)


def results_text(returns: Any) -> dict[str, str]:
    """Write a ``Returns`` value as ``RETURN_VALUES`` for ``bizproc.event.send``."""
    if returns is None:
        return {}
    return {f.name: str(portal_text(getattr(returns, f.name))) for f in dataclasses.fields(returns)}


# What comes back ------------------------------------------------------------------------------------------------------


def from_portal(robot: Robot[Any], sent: Mapping[str, Any]) -> Any:
    """Read the properties of a robot call; raises `BadProperty` at the first that cannot be read.

    The portal sends strings; empty ones mean "not set", a single value may come instead of a list, and users as ``user_5``.
    """
    values: dict[str, Any] = {}
    lowered = {str(key).lower(): value for key, value in sent.items()}
    for p in properties_of(robot.props):
        raw = lowered.get(p.name.lower(), "") if p.portal else ""
        if p.multiple:
            parts = [v for v in (raw if isinstance(raw, list) else [raw]) if str(v).strip()]
            if parts:
                values[p.name] = tuple(_read(p, str(v)) for v in parts)
        else:
            single = raw[0] if isinstance(raw, list) and raw else raw
            if str(single).strip() and not isinstance(single, list):
                values[p.name] = _read(p, str(single))
    return _complete(robot, values)


def from_file(robot: Robot[Any], written: Mapping[str, Any]) -> tuple[Any, list[BadProperty]]:
    """Read the properties of a step of a process file; all problems at once, and no value when there is one.

    A nested mapping ``control: {after: 24h}`` is the property ``control_after``.
    """
    known = {p.name: p for p in properties_of(robot.props)}
    values: dict[str, Any] = {}
    problems: list[BadProperty] = []
    for name, raw in _flat(written, known).items():
        if name not in known:
            problems.append(BadProperty(name, T("такого свойства у робота нет", "the robot has no such property")))
            continue
        try:
            values[name] = _read_any(known[name], raw)
        except BadProperty as problem:
            problems.append(problem)
    for p in known.values():
        if p.required and p.name not in values and not any(b.name == p.name for b in problems):
            problems.append(BadProperty(p.name, T("обязательное свойство не задано", "a required property is missing")))
    return (None, problems) if problems else (robot.props(**values), [])


def _flat(written: Mapping[str, Any], known: Mapping[str, Property]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, raw in written.items():
        if name not in known and isinstance(raw, Mapping) and any(k.startswith(f"{name}_") for k in known):
            flat.update({f"{name}_{inner}": value for inner, value in raw.items()})
        else:
            flat[str(name)] = raw
    return flat


def _read_any(p: Property, raw: Any) -> Any:
    if not p.multiple:
        return _value(p, raw)
    if not isinstance(raw, (list, tuple)):
        raise BadProperty(p.name, T("здесь нужен список", "a list is wanted here"))
    return tuple(_value(p, single) for single in raw)


def _value(p: Property, raw: Any) -> Any:
    if p.type is T:
        return _text(p, raw)
    if p.type is Step:
        return _step(p, raw)
    if p.type is date and isinstance(raw, date):
        return raw
    if isinstance(raw, (dict, list)) or raw is None:
        raise BadProperty(p.name, T("здесь нужно одно значение", "a single value is wanted here"))
    if isinstance(raw, bool):
        raw = "Y" if raw else "N"
    return _read(p, str(raw))


def _text(p: Property, raw: Any) -> T:
    if isinstance(raw, Mapping):
        missing = [lang for lang in ("ru", "en") if not str(raw.get(lang) or "").strip()]
        extra = [key for key in raw if key not in ("ru", "en")]
        if missing:
            langs = ", ".join(missing)
            raise BadProperty(p.name, T(f"нет текста на языке: {langs}", f"no text in language: {langs}"))
        if extra:
            raise BadProperty(p.name, T(f"лишний язык: {extra[0]}", f"unknown language: {extra[0]}"))
        return T(str(raw["ru"]), str(raw["en"]))
    if isinstance(raw, (list, type(None))):
        raise BadProperty(p.name, T("здесь нужен текст", "a text is wanted here"))
    return T.same(str(raw))


def _step(p: Property, raw: Any) -> Step:
    if isinstance(raw, str):
        return Step(raw)
    if isinstance(raw, Mapping) and len(raw) == 1:
        robot, props = next(iter(raw.items()))
        if props is None or isinstance(props, Mapping):
            return Step(str(robot), dict(props or {}))
    raise BadProperty(p.name, T("шаг пишется как «робот: {свойства}»", "a step is written as “robot: {properties}”"))


def _read(p: Property, text: str) -> Any:
    text = text.strip()
    if p.options and text not in p.options:
        choices = ", ".join(p.options)
        raise BadProperty(p.name, T(f"нужно одно из: {choices}", f"one of these is wanted: {choices}"))
    try:
        return _read_as(p.type, text)
    except ValueError as error:
        raise BadProperty(p.name, T(f"не удалось прочесть «{text[:80]}»", f"cannot read “{text[:80]}”: {error}")) from error


def _read_as(kind: Any, text: str) -> Any:
    if kind is bool:
        return _flag(text)
    if kind is int:
        return int(text)
    if kind is date:
        return _day(text)
    if kind is T:
        return T.same(text)
    if kind in (Pause, Role):
        return kind.parse(text)
    return text


def _flag(text: str) -> bool:
    flags = {"y": True, "n": False, "1": True, "0": False, "true": True, "false": False, "да": True, "нет": False}
    if text.lower() not in flags:
        raise ValueError("Y or N is wanted")
    return flags[text.lower()]


def _day(text: str) -> date:
    for form in ("%d.%m.%Y", "%Y-%m-%d", "%m/%d/%Y"):
        try:
            return datetime.strptime(text[:10], form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise ValueError("a date is wanted: 31.12.2026 or 2026-12-31")


def _complete(robot: Robot[Any], values: Mapping[str, Any]) -> Any:
    for p in properties_of(robot.props):
        if p.required and p.name not in values:
            raise BadProperty(p.name, T("обязательное свойство не задано", "a required property is missing"))
    return robot.props(**values)


def written(props: Any) -> dict[str, Any]:
    """Write a ``Props`` value the way a process file does, leaving out what is at its default; `from_file` reads it back."""
    told = {p.name: (getattr(props, p.name), p.default) for p in properties_of(type(props))}
    return {name: plain_value(value) for name, (value, default) in told.items() if value is not None and value != default}


def plain_value(value: Any) -> Any:
    """Write a single value of a property the way a process file does."""
    match value:
        case T():
            return value.both()
        case Step():
            return {value.robot: dict(value.props)}
        case tuple():
            return [plain_value(v) for v in value]
        case bool() | int() | str():
            return value
        case date():
            return value.isoformat()
        case _:
            return str(value)


def sameness(robot: Robot[Any], props: Any) -> str:
    """Tell two uses of a robot on one stage apart: the values of its ``same`` properties."""
    return "|".join(str(portal_text(getattr(props, p.name))) for p in properties_of(robot.props) if p.same)
