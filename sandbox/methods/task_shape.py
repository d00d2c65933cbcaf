"""How tasks look on the wire: their fields read, selected and written (api-reference/tasks/fields.md)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.crm import values
from sandbox.crm.schema import camel
from sandbox.errors import RestError
from sandbox.people import User
from sandbox.portal import Portal
from sandbox.registry import Call, Caller
from sandbox.tasks import DEFERRED, PENDING, WORKING, Task
from sandbox.wire import JSON, as_list, whole

DEFAULTS: JSON = {
    "TITLE": "",
    "DESCRIPTION": "",
    "DEADLINE": None,
    "START_DATE_PLAN": None,
    "END_DATE_PLAN": None,
    "PRIORITY": 1,
    "ACCOMPLICES": [],
    "AUDITORS": [],
    "GROUP_ID": 0,
    "STAGE_ID": 0,
    "PARENT_ID": None,
    "TAGS": [],
    "TASK_CONTROL": "N",
    "ALLOW_CHANGE_DEADLINE": "N",
    "ALLOW_TIME_TRACKING": "N",
    "TIME_ESTIMATE": 0,
    "MATCH_WORK_TIME": "N",
    "ADD_IN_REPORT": "N",
    "MARK": None,
    "XML_ID": None,
    "FLOW_ID": None,
    "UF_CRM_TASK": [],
    "UF_TASK_WEBDAV_FILES": [],
    "UF_MAIL_MESSAGE": None,
    "SE_PARAMETER": [],
}
TIMES = {"DEADLINE", "START_DATE_PLAN", "END_DATE_PLAN"}
NUMBERS = {
    "PRIORITY",
    "GROUP_ID",
    "STAGE_ID",
    "PARENT_ID",
    "TIME_ESTIMATE",
    "FLOW_ID",
    "RESPONSIBLE_ID",
    "CREATED_BY",
    "STATUS",
}
USERS = {"ACCOMPLICES", "AUDITORS"}
LISTS = {"TAGS", "UF_CRM_TASK", "UF_TASK_WEBDAV_FILES", "SE_PARAMETER"}
ON_DEMAND = {"UF_CRM_TASK", "UF_TASK_WEBDAV_FILES", "UF_MAIL_MESSAGE"}
SELECTABLE = (
    "ID",
    *DEFAULTS,
    "CREATED_BY",
    "RESPONSIBLE_ID",
    "CREATED_DATE",
    "CHANGED_DATE",
    "CHANGED_BY",
    "STATUS",
    "STATUS_CHANGED_DATE",
    "STATUS_CHANGED_BY",
    "CLOSED_DATE",
    "CLOSED_BY",
    "DATE_START",
    "ACTIVITY_DATE",
    "GUID",
    "COMMENTS_COUNT",
    "NOT_VIEWED",
    "SUB_STATUS",
    "FAVORITE",
    "SITE_ID",
    "TIME_SPENT_IN_LOGS",
    "CHAT_ID",
)


def read_fields(call: Call, given: JSON) -> JSON:
    """Read the fields of a request; unknown ones are dropped silently, and complained of."""
    fields: JSON = {}
    for name, raw in given.items():
        if name not in DEFAULTS and name not in NUMBERS and not name.startswith("UF_AUTO_"):
            call.complain(f"the unknown field {name!r} was ignored")
        elif name in TIMES:
            moment = values.parse_moment(call.portal, raw, f"{call.method}.{name}") if raw else None
            fields[name] = moment.replace(microsecond=0) if moment else None
        elif name in NUMBERS:
            fields[name] = whole(raw) or (None if name in {"PARENT_ID", "FLOW_ID"} else 0)
        elif name in USERS:
            fields[name] = [whole(item) for item in as_list(raw)]
        elif name in LISTS:
            fields[name] = [item if isinstance(item, dict) else str(item) for item in as_list(raw)]
        else:
            fields[name] = None if raw is None else str(raw)
    _check_fields(call, fields)
    return fields


def _check_fields(call: Call, fields: JSON) -> None:
    for name, title in (("RESPONSIBLE_ID", "Исполнитель"), ("CREATED_BY", "Постановщик")):
        if name in fields and not call.portal.people.active(fields[name]):
            raise RestError("ERROR_CORE", f'Пользователь, указанный в поле "{title}", не найден.<br>')
    if fields.get("PARENT_ID") and fields["PARENT_ID"] not in call.portal.tasks.tasks:
        raise RestError("ERROR_CORE", 'Задача, указанная в поле "Надзадача", не найдена.<br>')
    group = fields.get("GROUP_ID")
    if group and not call.portal.groups.works(group, call.caller.user_id):
        raise RestError("ERROR_CORE", "Нет доступа к группе или проекту.<br>")
    column = call.portal.groups.column(fields["STAGE_ID"]) if fields.get("STAGE_ID") else None
    if fields.get("STAGE_ID") and (column is None or column.entity_id != group):
        call.complain(f"STAGE_ID {fields['STAGE_ID']} is no column of the group's board")
    if fields.get("STATUS") and fields["STATUS"] not in {2, 3, 4, 5, 6}:
        raise RestError("ERROR_CORE", "Некорректный статус<br>")
    start, end = fields.get("START_DATE_PLAN"), fields.get("END_DATE_PLAN")
    if start and end and end < start:
        raise RestError("ERROR_CORE", "В планировании сроков указана дата окончания меньшая даты старта.<br>")
    for code in fields.get("UF_CRM_TASK", []):
        prefix, _, number = str(code).rpartition("_")
        type_id = call.portal.crm.type_of_code(prefix)
        if type_id is None or whole(number) not in call.portal.crm.items.get(type_id, {}):
            call.complain(f"UF_CRM_TASK names {code!r}, which is not there")


def task_id_of(call: Call) -> int:
    task_id = whole(call.need("taskId"))
    if task_id <= 0:
        raise RestError("0", "wrong task id (internal error)")
    return task_id


def selected(call: Call) -> set[str] | None:
    select = {str(name).upper() for name in call.listing("select")}
    if not select:
        return None
    if "*" in select:
        select |= set(SELECTABLE) - ON_DEMAND
    if select & ON_DEMAND:
        select |= ON_DEMAND
    for name in sorted(select - set(SELECTABLE) - {"*"}):
        call.complain(f"unknown field {name!r} in select")
    return select | {"ID"}


def value_of(portal: Portal, task: Task, name: str) -> Any:
    """Give the kept value of a field by its documented name."""
    own: dict[str, Any] = {
        "ID": task.id,
        "STATUS": task.status,
        "REAL_STATUS": task.status,
        "CREATED_DATE": task.created,
        "CHANGED_DATE": task.changed,
        "ACTIVITY_DATE": task.changed,
        "CHANGED_BY": task.changed_by,
        "STATUS_CHANGED_DATE": task.status_changed,
        "STATUS_CHANGED_BY": task.status_changed_by,
        "CLOSED_DATE": task.closed,
        "CLOSED_BY": task.closed_by,
        "DATE_START": task.started,
        "ACCOMPLICE": task.fields["ACCOMPLICES"],
        "AUDITOR": task.fields["AUDITORS"],
        "TAG": task.fields["TAGS"],
    }
    return own[name] if name in own else task.fields.get(name)


def meta_status(portal: Portal, task: Task, caller: Caller, wanted: int) -> bool:
    deadline = task.fields["DEADLINE"]
    is_open = task.status in {PENDING, WORKING, DEFERRED}
    if wanted == -1:
        return bool(is_open and deadline and deadline < portal.now())
    if wanted == -2:
        return caller.user_id not in task.viewed_by
    if wanted == -3:
        return bool(is_open and deadline and 0 <= (deadline - portal.now()).total_seconds() < 86400)
    return task.status == wanted


def person(user: User | None, user_id: int) -> JSON:
    """Write a user as task answers show one."""
    return {
        "id": str(user_id),
        "name": user.full_name if user else "",
        "link": f"/company/personal/user/{user_id}/",
        "icon": "/bitrix/images/tasks/default_avatar.png",
        "workPosition": user.position if user else "",
    }


def _text(portal: Portal, value: Any) -> Any:
    if isinstance(value, datetime):
        return portal.stamp(value)
    if isinstance(value, list):
        return [item if isinstance(item, dict) else str(item) for item in value]
    return None if value is None else str(value)


def write_task(portal: Portal, task: Task, caller: Caller, select: set[str] | None = None) -> JSON:
    """Write a task as the documentation shows it: camelCase names, every scalar a text."""
    users = portal.people.users
    extra: JSON = {
        "GUID": f"{{{task.id:08x}-0000-4000-8000-000000000000}}",
        "COMMENTS_COUNT": sum(1 for c in portal.tasks.comments if c.task_id == task.id) or None,
        "NOT_VIEWED": "N" if caller.user_id in task.viewed_by else "Y",
        "SUB_STATUS": -1 if meta_status(portal, task, caller, -1) else task.status,
        "FAVORITE": "N",
        "SITE_ID": "s1",
        "CHAT_ID": 1000 + task.id,
        "TIME_SPENT_IN_LOGS": sum(e.seconds for e in portal.tasks.elapsed.values() if e.task_id == task.id) or None,
    }
    shown = select if select is not None else set(SELECTABLE) - ON_DEMAND
    row: JSON = {}
    for name in SELECTABLE:
        if name in shown:
            value = extra[name] if name in extra else value_of(portal, task, name)
            row[camel(name)] = _text(portal, value)
    row |= {"descriptionInBbcode": "Y", "group": []}
    row["creator"] = person(users.get(task.creator), task.creator)
    row["responsible"] = person(users.get(task.responsible), task.responsible)
    if select is None:
        row["accomplicesData"] = {str(u): person(users.get(u), u) for u in task.fields["ACCOMPLICES"]} or []
        row["auditorsData"] = {str(u): person(users.get(u), u) for u in task.fields["AUDITORS"]} or []
        allowed = portal.tasks.allowed(task, caller.user_id)
        row["action"] = {camel(name.replace(".", "_")): value for name, value in allowed.items()}
    return row
