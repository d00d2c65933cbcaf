"""tasks.task.*: typing, selecting, filtering and the actions (api-reference/tasks)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.crm import values
from sandbox.crm.schema import camel
from sandbox.errors import RestError
from sandbox.people import User
from sandbox.portal import Portal
from sandbox.registry import Call, Caller, Page, method
from sandbox.tasks import DEFERRED, PENDING, WORKING, Task, not_allowed
from sandbox.wire import JSON, as_list, as_map, whole

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
FILTERS = [
    "ID",
    "PARENT_ID",
    "GROUP_ID",
    "CREATED_BY",
    "STATUS_CHANGED_BY",
    "PRIORITY",
    "RESPONSIBLE_ID",
    "TITLE",
    "TAG",
    "REAL_STATUS",
    "STATUS",
    "MARK",
    "ADD_IN_REPORT",
    "DATE_START",
    "DEADLINE",
    "CREATED_DATE",
    "CLOSED_DATE",
    "CHANGED_DATE",
    "ACTIVITY_DATE",
    "ACCOMPLICE",
    "AUDITOR",
    "UF_CRM_TASK",
    "ONLY_ROOT_TASKS",
    "STAGE_ID",
    "START_DATE_PLAN",
    "END_DATE_PLAN",
]
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


@method("tasks.task.add", "task", "fields")
def task_add(call: Call) -> Any:
    """Set a task (tasks-task-add.md)."""
    given = call.get("fields")
    if not isinstance(given, dict):
        raise RestError("100", "Could not find value for parameter {fields} (internal error)")
    if not str(given.get("TITLE") or "").strip():
        raise RestError("ERROR_CORE", "Не указано название задачи.<br>")
    if not whole(given.get("RESPONSIBLE_ID")):
        raise RestError("ERROR_CORE", "Не указан исполнитель.<br>")
    fields = read_fields(call, given)
    creator = fields.get("CREATED_BY") or call.caller.user_id
    if creator != call.caller.user_id and not call.portal.people.is_admin(call.caller.user_id):
        call.complain("CREATED_BY of another user needs an administrator; the token's user was taken")
        creator = call.caller.user_id
    if len(fields["TITLE"]) > 250:
        call.complain("TITLE is longer than 250 characters")
        fields["TITLE"] = fields["TITLE"][:250]
    blank = {key: list(value) if isinstance(value, list) else value for key, value in DEFAULTS.items()}
    task = call.portal.tasks.add(blank | fields | {"CREATED_BY": creator}, call.caller)
    return {"task": write_task(call.portal, task, call.caller)}


@method("tasks.task.update", "task", "taskId fields")
def task_update(call: Call) -> Any:
    """Change a task (tasks-task-update.md); without the right to edit only the deadline may be allowed."""
    task_id = _task_id(call)
    given = call.get("fields")
    if not isinstance(given, dict):
        raise RestError("100", "Could not find value for parameter {fields} (internal error)")
    fields = read_fields(call, given)
    tasks = call.portal.tasks
    only_deadline = set(fields) <= {"DEADLINE"}
    task = tasks.require(task_id, call.caller.user_id, "CHANGE_DEADLINE" if only_deadline else "EDIT")
    tasks.change(task, fields, call.caller)
    return {"task": write_task(call.portal, task, call.caller)}


@method("tasks.task.get", "task", "taskId select")
def task_get(call: Call) -> Any:
    """Read a task; one that is missing or hidden answers ``[]`` (tasks-task-get.md)."""
    task = call.portal.tasks.visible(_task_id(call), call.caller.user_id)
    if task is None:
        return []
    task.viewed_by.add(call.caller.user_id)
    return {"task": write_task(call.portal, task, call.caller, _selected(call))}


@method("tasks.task.list", "task", "order filter select params start")
def task_list(call: Call) -> Page:
    """List tasks the user may see (tasks-task-list.md)."""
    tasks = call.portal.tasks
    test = _filter(call)
    rows = [t for t in tasks.tasks.values() if tasks.sees(t, call.caller.user_id) and test(t)]
    for name, direction in reversed(list((as_map(call.get("order")) or {"ID": "desc"}).items())):
        if name not in SELECTABLE:
            raise RestError("0", "Неверный ключ сортировки (internal error)")
        rows.sort(key=lambda t, name=name: _sort_key(_value(call.portal, t, name)), reverse=str(direction).lower() == "desc")  # type: ignore[misc]
    page = call.page(rows)
    select = _selected(call)
    written = [write_task(call.portal, task, call.caller, select) for task in page.result]
    return Page({"tasks": written}, page.total, page.next)


def _sort_key(value: Any) -> tuple[int, Any]:
    return (0, 0) if value is None or isinstance(value, list) else (1, value)


def _task_id(call: Call) -> int:
    task_id = whole(call.need("taskId"))
    if task_id <= 0:
        raise RestError("0", "wrong task id (internal error)")
    return task_id


def _selected(call: Call) -> set[str] | None:
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


def _value(portal: Portal, task: Task, name: str) -> Any:
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


def _filter(call: Call) -> Callable[[Task], bool]:
    tests: list[Callable[[Task], bool]] = []
    for key, wanted in as_map(call.get("filter")).items():
        operator = next((sign for sign in ("!", "<=", ">=", "<", ">", "%", "=") if key.startswith(sign)), "")
        name = key[len(operator) :]
        if name not in FILTERS:
            call.complain(f"unknown filter field {key!r} was ignored")
            continue
        tests.append(_condition(call, operator, name, wanted))
    return lambda task: all(test(task) for test in tests)


def _condition(call: Call, operator: str, name: str, wanted: Any) -> Callable[[Task], bool]:
    portal = call.portal
    if name == "ONLY_ROOT_TASKS":
        return lambda task: str(wanted) != "Y" or not task.fields["PARENT_ID"]
    items = [_wanted(call, name, item) for item in as_list(wanted)] or [None]

    def check(task: Task) -> bool:
        kept = _value(portal, task, name)
        if name == "STATUS" and any(isinstance(item, int) and item < 0 for item in items):
            return any(_meta_status(portal, task, call.caller, int(item)) for item in items)
        pool = kept if isinstance(kept, list) else [kept]
        if operator in {"", "=", "!"}:
            same = any(item in pool or (item in {None, 0} and kept in (None, 0, [], "")) for item in items)
            return same != (operator == "!")
        if operator == "%":
            return str(items[0]).lower() in str(kept).lower()
        return kept is not None and _ordered(operator, kept, items[0])

    return check


def _wanted(call: Call, name: str, raw: Any) -> Any:
    if name.endswith("DATE") or name in TIMES or name == "DATE_START":
        return values.parse_moment(call.portal, raw, f"{call.method}.{name}") if raw else None
    text = str(raw)
    is_number = text.lstrip("-").isdigit() and name not in {"TITLE", "TAG", "UF_CRM_TASK"}
    return whole(raw) if is_number else None if raw in (None, "", False) else text


def _ordered(operator: str, kept: Any, wanted: Any) -> bool:
    if wanted is None:
        return False
    if operator == ">":
        return bool(kept > wanted)
    if operator == "<":
        return bool(kept < wanted)
    return bool(kept >= wanted) if operator == ">=" else bool(kept <= wanted)


def _meta_status(portal: Portal, task: Task, caller: Caller, wanted: int) -> bool:
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
        "SUB_STATUS": -1 if _meta_status(portal, task, caller, -1) else task.status,
        "FAVORITE": "N",
        "SITE_ID": "s1",
        "CHAT_ID": 1000 + task.id,
        "TIME_SPENT_IN_LOGS": sum(e.seconds for e in portal.tasks.elapsed.values() if e.task_id == task.id) or None,
    }
    shown = select if select is not None else set(SELECTABLE) - ON_DEMAND
    row: JSON = {}
    for name in SELECTABLE:
        if name in shown:
            value = extra[name] if name in extra else _value(portal, task, name)
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


def _action(call: Call, right: str, code: str, act: Callable[[Task], None]) -> Any:
    task = call.portal.tasks.require(_task_id(call), call.caller.user_id, right, code)
    act(task)
    return {"task": write_task(call.portal, task, call.caller)}


def _mover(right: str, status: int) -> Callable[[Call], Any]:
    def run(call: Call) -> Any:
        tasks = call.portal.tasks
        return _action(call, right, "1048582", lambda task: tasks.move(task, status, call.caller))

    return run


for _name, _right, _status in (
    ("start", "START", WORKING),
    ("pause", "PAUSE", PENDING),
    ("defer", "DEFER", DEFERRED),
    ("renew", "RENEW", PENDING),
    ("approve", "APPROVE", 5),
    ("disapprove", "DISAPPROVE", PENDING),
):
    method(f"tasks.task.{_name}", "task", "taskId")(_mover(_right, _status))


@method("tasks.task.complete", "task", "taskId")
def task_complete(call: Call) -> Any:
    """Complete a task (tasks-task-complete.md)."""
    return _action(call, "COMPLETE", "0", lambda task: call.portal.tasks.complete(task, call.caller))


@method("tasks.task.delegate", "task", "taskId userId")
def task_delegate(call: Call) -> Any:
    """Hand a task to somebody else; who delegates stays as an auditor (tasks-task-delegate.md)."""
    user_id = call.whole("userId")
    if not call.portal.people.active(user_id):
        raise RestError("ERROR_CORE", 'Пользователь, указанный в поле "Исполнитель", не найден.<br>')

    def act(task: Task) -> None:
        auditors = sorted({*task.fields["AUDITORS"], task.responsible} - {user_id})
        fields = {"RESPONSIBLE_ID": user_id, "AUDITORS": auditors}
        call.portal.tasks.change(task, fields, call.caller)

    return _action(call, "DELEGATE", "0", act)


@method("tasks.task.delete", "task", "taskId")
def task_delete(call: Call) -> Any:
    """Delete a task (tasks-task-delete.md)."""
    task = call.portal.tasks.tasks.get(_task_id(call))
    if task is None or not call.portal.tasks.allowed(task, call.caller.user_id)["REMOVE"]:
        raise RestError("1048582", "Нет доступа к удалению задачи")
    call.portal.tasks.delete(task, call.caller)
    return {"task": True}


@method("tasks.task.getaccess", "task", "taskId users")
def task_access(call: Call) -> Any:
    """Tell who may do what (tasks-task-getaccess.md)."""
    task = call.portal.tasks.visible(_task_id(call), call.caller.user_id)
    if task is None:
        raise not_allowed("0")
    users = [whole(item) for item in call.listing("users")] or [call.caller.user_id]
    return {"allowedActions": {str(u): call.portal.tasks.allowed(task, u) for u in users}}


@method("tasks.task.history.list", "task", "taskId filter order")
def task_history(call: Call) -> Any:
    """List what happened to a task (tasks-task-history-list.md)."""
    task = call.portal.tasks.visible(_task_id(call), call.caller.user_id)
    if task is None:
        raise RestError("0", "Access denied. (internal error)")
    wanted = {str(name) for name in as_list(as_map(call.get("filter")).get("FIELD"))}
    rows = []
    for row in task.history:
        user = call.portal.people.users.get(row["user_id"])
        if not wanted or row["field"] in wanted:
            who = {"id": row["user_id"], "name": user.name if user else "", "lastName": user.last_name if user else ""}
            rows.append({"id": row["id"], "createdDate": call.portal.stamp(row["at"]), "field": row["field"]})
            rows[-1] |= {"value": row["value"], "user": who}
    return {"list": rows}


@method("tasks.task.counters.get", "task", "userId groupId type")
def task_counters(call: Call) -> Any:
    """Count overdue tasks of a user (tasks-task-counters-get.md)."""
    user_id = whole(call.get("userId") or call.caller.user_id)
    mine = [t for t in call.portal.tasks.tasks.values() if t.responsible == user_id]
    expired = sum(1 for task in mine if _meta_status(call.portal, task, call.caller, -1))
    return {"expired": {"counter": expired, "code": 6291456}, "new_comments": {"counter": 0, "code": 12582912}}


@method("tasks.task.result.addFromComment", "task", "commentId")
def result_from_comment(call: Call) -> Any:
    """Make a comment the result of its task (tasks-task-result-add-from-comment.md)."""
    number = call.whole("commentId")
    comment = next((c for c in call.portal.tasks.comments if c.id == number), None)
    if comment is None or comment.task_id not in call.portal.tasks.tasks:
        raise RestError("0", "Comment not found.")
    task = call.portal.tasks.tasks[comment.task_id]
    row = {
        "id": len(task.results) + 1,
        "taskId": task.id,
        "commentId": number,
        "createdBy": call.caller.user_id,
        "createdAt": call.portal.stamp(call.portal.now()),
        "status": 0,
        "text": comment.text,
    }
    task.results.append(row)
    return row


@method("tasks.task.result.list", "task", "taskId")
def result_list(call: Call) -> Any:
    """List the results of a task (tasks-task-result-list.md)."""
    task = call.portal.tasks.visible(_task_id(call), call.caller.user_id)
    return task.results if task else []
