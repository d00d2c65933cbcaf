"""Robots: which ones applications registered, where they stand, how they are set up, what ran."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flask import redirect, request

from sandbox.automation import Placed, Robot
from sandbox.crm.schema import DEAL, LEAD
from sandbox.crm.stages import Status
from sandbox.errors import RestError, access_denied
from sandbox.page_crm import card_path, pipeline_of, section_name, title_of
from sandbox.page_desk import Desk
from sandbox.wire import JSON, as_map, whole, yes

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

RUNS = 100


@dataclass(frozen=True, slots=True)
class Setting:
    """A property of a robot as an input; ``values`` are its default or what was set."""

    key: str
    name: str
    description: str
    kind: str
    options: tuple[tuple[str, str], ...]
    required: bool
    multiple: bool
    values: tuple[str, ...]


def localized(desk: Desk, text: Any) -> str:
    """Give a text that may come once or by language (bizproc-robot-add.md)."""
    if isinstance(text, dict):
        return str(text.get(desk.who.language) or text.get("ru") or next(iter(text.values()), ""))
    return str(text or "")


def settings_of(desk: Desk, robot: Robot) -> list[Setting]:
    """Give the inputs of a robot's settings, in the order it declared them."""
    found = []
    for key, raw in as_map(robot.definition.get("PROPERTIES")).items():
        row = {str(name).lower(): value for name, value in as_map(raw).items()}
        default = row.get("default")
        values = default if isinstance(default, list) else [] if default is None else [default]
        options = [(str(code), localized(desk, name)) for code, name in as_map(row.get("options")).items()]
        if row.get("type") == "user":
            options = [(f"user_{u.id}", u.full_name) for u in desk.portal.people.users.values() if u.active]
        found.append(
            Setting(
                key,
                localized(desk, row.get("name")),
                localized(desk, row.get("description")),
                str(row.get("type") or "string"),
                tuple(options),
                yes(row.get("required")),
                yes(row.get("multiple")),
                tuple(str(value) for value in values),
            )
        )
    return found


def given_properties(desk: Desk, robot: Robot) -> JSON:
    """Read the settings form the way values arrive at a handler: dates in the site's format, flags as Y and N."""
    properties: JSON = {}
    for setting in settings_of(desk, robot):
        texts = [_arriving(desk, setting, text) for text in request.form.getlist(f"p:{setting.key}")]
        texts = [text for text in texts if text]
        if setting.required and not texts:
            say = desk.say(f"Заполните «{setting.name}»", f"Fill in “{setting.name}”")
            raise RestError("ERROR_ARGUMENT", say)
        if setting.multiple:
            lines = [line for text in texts for line in text.split("\n") if line.strip()]
            properties[setting.key] = lines
        else:
            properties[setting.key] = texts[0] if texts else ""
    return properties


def _arriving(desk: Desk, setting: Setting, text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if setting.kind == "datetime" and text:
        return desk.read_local(text).astimezone(desk.portal.server_zone).strftime("%d.%m.%Y %H:%M:%S")
    if setting.kind == "date" and text:
        try:
            return date.fromisoformat(text).strftime("%d.%m.%Y")
        except ValueError:
            return text
    return text


def register(desk: Desk) -> None:
    """Add these views to the page."""
    machine = desk.portal.automation
    _place_views(desk)

    @desk.view("/automation/")
    def automation() -> ResponseReturnValue:
        type_id, category = _place_asked(desk)
        return desk.page(
            "robots.html",
            type_id=type_id,
            category=category,
            pipelines=_pipelines(desk),
            stages=[(stage, _standing(desk, type_id, stage)) for stage in desk.portal.crm.stages.stages(type_id, category)],
            robots=[(r, localized(desk, r.definition.get("NAME"))) for r in machine.robots],
            description=lambda robot: localized(desk, robot.definition.get("DESCRIPTION")),
            runs=[_run_row(desk, run) for run in reversed(machine.runs[-RUNS:])],
        )


def _place_views(desk: Desk) -> None:
    machine = desk.portal.automation

    @desk.view("/automation/place/")
    def place_form() -> ResponseReturnValue:
        type_id, stage = whole(request.args.get("type")), request.args.get("stage", "")
        robot = _robot(desk, request.args.get("robot", ""))
        return desk.page(
            "robot_place.html",
            robot=robot,
            name=localized(desk, robot.definition.get("NAME")),
            description=localized(desk, robot.definition.get("DESCRIPTION")),
            settings=settings_of(desk, robot),
            type_id=type_id,
            stage=_stage(desk, type_id, stage),
            back=request.args.get("back", ""),
        )

    @desk.view("/automation/place/", "POST")
    def place() -> ResponseReturnValue:
        form = request.form
        type_id, robot = whole(form.get("type")), _robot(desk, form.get("robot", ""))
        _only_admins(desk)
        stage = _stage(desk, type_id, form.get("stage", ""))
        waits = "wait" in form if robot.wants_answer() is None else None
        minutes = whole(form.get("timeout_minutes"))
        machine.place(type_id, stage.status_id, robot.code, given_properties(desk, robot), waits, minutes * 60)
        return redirect(f"/automation/?type={type_id}&category={stage.category_id or 0}", 303)

    @desk.view("/automation/remove", "POST")
    def remove() -> ResponseReturnValue:
        _only_admins(desk)
        number = whole(request.form.get("number"))
        machine.placed = [placed for placed in machine.placed if placed.number != number]
        return desk.back("/automation/")


def _only_admins(desk: Desk) -> None:
    if not desk.who.admin:
        raise access_denied(desk.say("Роботов настраивает администратор", "Robots are set up by an administrator"))


def _robot(desk: Desk, code: str) -> Robot:
    robot = desk.portal.automation.robot(code)
    if robot is None:
        raise RestError("NOT_FOUND", desk.say("Такого робота нет", "There is no such robot"), 404)
    return robot


def _stage(desk: Desk, type_id: int, stage_id: str) -> Status:
    for number, category, _ in _pipelines(desk):
        found = desk.portal.crm.stages.stage(number, category, stage_id) if number == type_id else None
        if found:
            return found
    raise RestError("NOT_FOUND", desk.say("Такой стадии нет", "There is no such stage"), 404)


def _pipelines(desk: Desk) -> list[tuple[int, int, str]]:
    """Give (type, pipeline, name) of everything robots can stand on."""
    crm = desk.portal.crm
    found = [(LEAD, 0, section_name(desk, LEAD))]
    for type_id in [DEAL, *crm.types]:
        categories = crm.stages.of_type(type_id)
        found += [(type_id, category.id, f"{section_name(desk, type_id)}: {category.name}") for category in categories]
    return found


def _place_asked(desk: Desk) -> tuple[int, int]:
    asked = (whole(request.args.get("type")), whole(request.args.get("category")))
    known = [(number, category) for number, category, _ in _pipelines(desk)]
    return asked if asked in known else (DEAL, pipeline_of(desk, DEAL))


def _standing(desk: Desk, type_id: int, stage: Status) -> list[tuple[Placed, str, list[tuple[str, str]]]]:
    """Give the robots of a stage: (place, name, set properties by their names)."""
    found = []
    for placed in desk.portal.automation.placed:
        if (placed.entity_type_id, placed.stage_id) == (type_id, stage.status_id):
            robot = desk.portal.automation.robot(placed.code)
            name = localized(desk, robot.definition.get("NAME")) if robot else ""
            names = {s.key: s.name for s in settings_of(desk, robot)} if robot else {}
            shown = [(names.get(key, key), _shown(value)) for key, value in placed.properties.items() if value]
            found.append((placed, name, shown))
    return found


def _shown(value: Any) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _run_row(desk: Desk, run: Any) -> dict[str, Any]:
    started: datetime = run.started
    item = desk.portal.crm.items.get(run.entity_type_id, {}).get(run.item_id)
    return {
        "at": desk.local(started),
        "name": localized(desk, run.robot.definition.get("NAME")),
        "link": card_path(run.entity_type_id, run.item_id),
        "item": title_of(item) if item else f"{section_name(desk, run.entity_type_id)} № {run.item_id}",
        "status": run.status,
        "results": ", ".join(f"{key}: {value}" for key, value in run.results.items()),
        "log": "; ".join(run.log),
    }
