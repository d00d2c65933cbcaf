"""tasks.task.add, update, get, list, delete (api-reference/tasks)."""

from __future__ import annotations

from typing import Any

from sandbox.errors import RestError
from sandbox.methods.task_filter import compile_filter, sort_tasks
from sandbox.methods.task_shape import DEFAULTS, read_fields, selected, task_id_of, write_task
from sandbox.registry import Call, Page, method
from sandbox.wire import as_map, whole


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
    task_id = task_id_of(call)
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
    task = call.portal.tasks.visible(task_id_of(call), call.caller.user_id)
    if task is None:
        return []
    task.viewed_by.add(call.caller.user_id)
    return {"task": write_task(call.portal, task, call.caller, selected(call))}


@method("tasks.task.list", "task", "order filter select params start")
def task_list(call: Call) -> Page:
    """List tasks the user may see (tasks-task-list.md)."""
    tasks = call.portal.tasks
    test = compile_filter(call)
    rows = [t for t in tasks.tasks.values() if tasks.sees(t, call.caller.user_id) and test(t)]
    rows = sort_tasks(call.portal, rows, as_map(call.get("order")) or {"ID": "desc"})
    page = call.page(rows)
    select = selected(call)
    written = [write_task(call.portal, task, call.caller, select) for task in page.result]
    return Page({"tasks": written}, page.total, page.next)


@method("tasks.task.delete", "task", "taskId")
def task_delete(call: Call) -> Any:
    """Delete a task (tasks-task-delete.md)."""
    task = call.portal.tasks.tasks.get(task_id_of(call))
    if task is None or not call.portal.tasks.allowed(task, call.caller.user_id)["REMOVE"]:
        raise RestError("1048582", "Нет доступа к удалению задачи")
    call.portal.tasks.delete(task, call.caller)
    return {"task": True}
