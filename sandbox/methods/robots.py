"""bizproc.robot.*, bizproc.event.send, bizproc.activity.log, crm.automation.trigger.* (bizproc, crm/automation)."""

from __future__ import annotations

import re
from typing import Any

from sandbox.apps import AppCard
from sandbox.automation import Robot
from sandbox.errors import RestError, access_denied
from sandbox.registry import Call, method
from sandbox.wire import JSON, as_map, whole

KNOWN = (
    "HANDLER AUTH_USER_ID USE_SUBSCRIPTION NAME DESCRIPTION PROPERTIES RETURN_PROPERTIES DOCUMENT_TYPE FILTER"
    " USE_PLACEMENT PLACEMENT_HANDLER"
)
PROPERTY_TYPES = {"bool", "date", "datetime", "double", "file", "int", "select", "string", "text", "user"}
PROPERTY_KEYS = {"name", "description", "type", "options", "required", "multiple", "default"}


def _invalid(text: str) -> RestError:
    return RestError("ERROR_ACTIVITY_VALIDATION_FAILURE", text)


def _app(call: Call) -> AppCard:
    if call.caller.app is None:
        raise access_denied("Application context required")
    return call.caller.app


def _code(call: Call) -> str:
    code = str(call.get("CODE") or "")
    if not code:
        raise _invalid("Empty activity code!")
    if not re.fullmatch(r"[A-Za-z0-9._-]+", code):
        raise _invalid("Wrong activity code!")
    return code


def _check(call: Call, definition: JSON) -> None:
    if "HANDLER" in definition:
        handler = str(definition["HANDLER"] or "")
        if not handler.startswith(("http://", "https://")):
            raise RestError("ERROR_UNSUPPORTED_PROTOCOL", "Unsupported event handler protocol")
        if "." not in handler.split("/")[2]:
            raise RestError("ERROR_WRONG_HANDLER_URL", "Wrong handler URL")
    for block in ("PROPERTIES", "RETURN_PROPERTIES"):
        given = definition.get(block)
        if given and not isinstance(given, dict):
            raise _invalid("Wrong properties array!")
        for key, row in as_map(given).items():
            _check_property(call, str(key), {str(k).lower(): v for k, v in as_map(row).items()})
    kind = definition.get("DOCUMENT_TYPE")
    if kind and (not isinstance(kind, list) or len(kind) != 3):
        raise _invalid("Wrong activity DOCUMENT_TYPE!")
    filters = definition.get("FILTER")
    if filters and not set(as_map(filters)) <= {"INCLUDE", "EXCLUDE"}:
        raise _invalid("Wrong activity FILTER!")


def _check_property(call: Call, key: str, row: JSON) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", key):
        raise _invalid(f"Wrong property key ({key})!")
    if not row.get("name"):
        raise _invalid(f"Empty property NAME ({key})!")
    if row.get("type", "string") not in PROPERTY_TYPES:
        call.complain(f"property {key} has the unknown type {row.get('type')!r}")
    for name in sorted(set(row) - PROPERTY_KEYS):
        call.complain(f"property {key} has the unknown key {name!r}")


@method("bizproc.robot.add", "bizproc", f"CODE {KNOWN}", app=True, admin=True)
def robot_add(call: Call) -> Any:
    """Register a robot (bizproc-robot-add.md); without AUTH_USER_ID no token would come with its calls."""
    app, code = _app(call), _code(call)
    definition = {key: value for key, value in call.params.items() if key != "CODE"}
    _check(call, {"HANDLER": "", **definition})
    if not definition.get("NAME"):
        raise _invalid("Empty activity NAME!")
    if call.portal.automation.robot(code, app):
        raise RestError("ERROR_ACTIVITY_ALREADY_INSTALLED", "Activity or Robot already installed!")
    if not whole(definition.get("AUTH_USER_ID") or 0):
        call.complain(f"robot {code} without AUTH_USER_ID gets no token")
    if not definition.get("USE_SUBSCRIPTION"):
        call.complain(f"robot {code} leaves USE_SUBSCRIPTION open")
    call.portal.automation.robots.append(Robot(app, code, definition))
    return True


def _robot(call: Call) -> Robot:
    found = call.portal.automation.robot(_code(call), _app(call))
    if found is None:
        raise RestError("ERROR_ACTIVITY_NOT_FOUND", "Activity or Robot not found!")
    return found


@method("bizproc.robot.update", "bizproc", "CODE FIELDS PLACEMENT_HANDLER", app=True, admin=True)
def robot_update(call: Call) -> Any:
    """Change a robot's definition (bizproc-robot-update.md)."""
    robot, fields = _robot(call), as_map(call.get("FIELDS"))
    for name in sorted(set(fields) - set(KNOWN.split())):
        call.complain(f"the unknown field {name!r} was ignored")
    known = {key: value for key, value in fields.items() if key in KNOWN.split()}
    if not known:
        raise _invalid("No fields to update")
    _check(call, known)
    robot.definition.update(known)
    return True


@method("bizproc.robot.list", "bizproc", app=True, admin=True)
def robot_list(call: Call) -> Any:
    """List the codes of the app's robots (bizproc-robot-list.md)."""
    app = _app(call)
    return [robot.code for robot in call.portal.automation.robots if robot.app is app]


@method("bizproc.robot.delete", "bizproc", "CODE", app=True, admin=True)
def robot_delete(call: Call) -> Any:
    """Delete a robot; where it stands, it is blocked (bizproc-robot-delete.md)."""
    call.portal.automation.robots.remove(_robot(call))
    return True


@method("bizproc.event.send", "bizproc", "EVENT_TOKEN RETURN_VALUES LOG_MESSAGE")
def event_send(call: Call) -> Any:
    """Answer a waiting robot (bizproc-event-send.md)."""
    machine = call.portal.automation
    run = machine.waiting(call.caller.app, str(call.get("EVENT_TOKEN") or ""))
    machine.answer(run, call.mapping("RETURN_VALUES"), str(call.get("LOG_MESSAGE") or ""))
    return True


@method("bizproc.activity.log", "bizproc", "EVENT_TOKEN LOG_MESSAGE")
def activity_log(call: Call) -> Any:
    """Write into the log of a waiting step (bizproc-activity-log.md)."""
    message = str(call.get("LOG_MESSAGE") or "")
    if not message:
        raise RestError("ERROR_EMPTY_LOG_MESSAGE", "Empty log message!")
    run = call.portal.automation.waiting(call.caller.app, str(call.get("EVENT_TOKEN") or ""))
    if run.status != "waiting":
        raise access_denied()
    run.log.append(message)
    return True


@method("crm.automation.trigger.add", "crm", "CODE NAME", app=True, admin=True)
def trigger_add(call: Call) -> Any:
    """Register a trigger; the same code is overwritten (crm-automation-trigger-add.md)."""
    code, name = str(call.get("CODE") or ""), str(call.get("NAME") or "")
    if not code or not name:
        raise RestError("", f"Empty trigger {'code' if not code else 'name'}!")
    if not re.fullmatch(r"[a-z0-9._-]+", code):
        raise RestError("", "Wrong trigger code!")
    call.portal.automation.triggers[code] = name
    return True


@method("crm.automation.trigger.list", "crm", app=True, admin=True)
def trigger_list(call: Call) -> Any:
    """List the app's triggers (crm-automation-trigger-list.md)."""
    return [{"CODE": code, "NAME": name} for code, name in call.portal.automation.triggers.items()]


@method("crm.automation.trigger.delete", "crm", "CODE", app=True, admin=True)
def trigger_delete(call: Call) -> Any:
    """Delete a trigger (crm-automation-trigger-delete.md)."""
    call.portal.automation.triggers.pop(str(call.get("CODE") or ""), None)
    return True


@method("crm.automation.trigger.execute", "crm", "CODE OWNER_TYPE_ID OWNER_ID", app=True, admin=True)
def trigger_execute(call: Call) -> Any:
    """Fire a trigger: the item goes where an administrator placed it (crm-automation-trigger-execute.md)."""
    type_id, item_id = whole(call.get("OWNER_TYPE_ID")), whole(call.get("OWNER_ID"))
    call.portal.automation.fire(str(call.get("CODE") or ""), type_id, item_id)
    return True
