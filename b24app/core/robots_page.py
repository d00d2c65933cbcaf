"""The documentation page of the robots, written from their declarations."""

from __future__ import annotations

from typing import Any

from b24app.core.properties import Property, portal_text, properties_of
from b24app.core.robot import Catalogue, Robot
from b24app.core.wording import PLACES

_INTRO = """# Robots

This page is written from the declarations in `robots/` by `python -m robots > docs/robots.md`;
a test fails when it is stale.

An administrator puts a robot on a stage in Bitrix24's own automation, or a process file lists it as a step under its code.
A **check** may stand under `checks`: when it fails, the item does not pass and the steps under `otherwise` run with its
reasons. A robot that **answers** makes the portal's automation wait for its results. An **internal** robot serves the
application itself and is not offered to administrators.

Texts may hold places: {places}.
Any field of the process file is a place, too. A place nobody can fill stays as it is written. A value is never read as
BB code.

Lengths of time are written `90 min`, `24h`, `2 days`, `3 working days` (or `3 рабочих дня`). People are written as roles:
`responsible`, `head_of(responsible)`, `field(installer)`, `user(7)`, or a name under `roles:`. A dismissed person never
gets anything: the stand-in for the role does, else the head, else the person named as a fallback.
"""

_TYPES = {"T": "text", "str": "string", "int": "number", "bool": "yes or no", "Pause": "length of time", "Role": "role"}


def robots_page(catalogue: Catalogue) -> str:
    """Write the page in Markdown: what each robot does, its properties and its results."""
    places = ", ".join(f"`{{{place}}}`" for place in sorted(PLACES))
    overview = "\n".join(f"| [`{r.code}`](#{r.code}) | {r.name.en} | {r.name.ru} | {_kind(r)} |" for r in catalogue.values())
    table = f"| Code | Name | Название | Kind |\n|---|---|---|---|\n{overview}"
    return "\n".join((_INTRO.replace("{places}", places), table, "", *(_section(r) for r in catalogue.values())))


def _kind(robot: Robot[Any]) -> str:
    kinds = {
        "check": robot.check,
        "answers": robot.waits,
        "internal": robot.internal,
        "process files only": not robot.on_portal,
    }
    return ", ".join(kind for kind, is_one in kinds.items() if is_one) or "step"


def _section(robot: Robot[Any]) -> str:
    parts = [f"## {robot.code}", "", f"{robot.description.en}.", "", f"*{robot.description.ru}.*", ""]
    properties = properties_of(robot.props)
    if properties:
        parts += ["| Property | Label | Type | Default |", "|---|---|---|---|", *map(_row, properties), ""]
    if robot.returns is not None:
        named = ", ".join(f"`{p.name}` ({p.label.en})" for p in properties_of(robot.returns))
        parts += [f"Results: {named}.", ""]
    return "\n".join(parts)


def _row(p: Property) -> str:
    label = f"{p.label.en} · {p.label.ru}" + (f"<br>{p.help.en}" if p.help else "")
    return f"| `{p.name}` | {_cell(label)} | {_cell(_type(p))} | {_cell(_default(p))} |"


def _type(p: Property) -> str:
    kind = _TYPES.get(p.type.__name__, p.type.__name__.lower())
    if p.options:
        kind = " or ".join(f"`{option}`" for option in p.options)
    return f"list of {kind}" if p.multiple else kind


def _default(p: Property) -> str:
    if p.required:
        return "**required**"
    if p.default in (None, "", ()) or not portal_text(p.default):
        return "—"
    shown = portal_text(p.default)
    return ", ".join(f"`{value}`" for value in shown) if isinstance(shown, list) else f"`{shown}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
