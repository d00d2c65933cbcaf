"""task.checklistitem.*, task.commentitem.*: the positional methods of old."""

from __future__ import annotations

from typing import Any

from sandbox.errors import RestError
from sandbox.registry import Call, method
from sandbox.tasks import ChecklistItem, Task
from sandbox.wire import JSON, as_map, whole, yes


def _exception(number: int, text: str) -> RestError:
    return RestError("ERROR_CORE", f"TASKS_ERROR_EXCEPTION_#{number}; {text}; {number}/TE/<br>")


def _task(call: Call, right: str = "") -> Task:
    task_id = call.get("TASKID")
    if not str(task_id or "").isdigit():
        raise _exception(256, "Param #0 (taskId) for method expected to be of type integer, but given something else.")
    task = call.portal.tasks.visible(whole(task_id), call.caller.user_id)
    if task is None or (right and not call.portal.tasks.allowed(task, call.caller.user_id)[right]):
        raise _exception(8, "Action failed; действие недоступно")
    return task


def _row(call: Call) -> ChecklistItem:
    item_id = call.get("ITEMID")
    if item_id is None:
        raise _exception(256, "Param #1 (itemId) expected by method, but not given.")
    row = call.portal.tasks.checklist.get(whole(item_id))
    if row is None:
        raise _exception(512, "Check listitem not found or not accessible")
    return row


def _fields(call: Call, name: str = "FIELDS", position: int = 1) -> JSON:
    given = call.get(name)
    if not isinstance(given, dict):
        raise _exception(256, f"Param #{position} (arFields) expected by method, but not given.")
    return {str(key).upper(): value for key, value in given.items()}


@method("task.checklistitem.add", "task", "TASKID FIELDS", positional=True)
def checklist_add(call: Call) -> Any:
    """Add a row; PARENT_ID 0 makes a checklist (task-checklist-item-add.md)."""
    task, fields = _task(call, "CHECKLIST_ADD_ITEMS"), _fields(call)
    title = str(fields.get("TITLE") or "")
    if not title:
        raise _exception(8, "Не указано название элемента")
    parent = whole(fields["PARENT_ID"]) if "PARENT_ID" in fields else None
    if parent and (parent not in call.portal.tasks.checklist):
        raise _exception(8, "Указан неверный родитель")
    row = call.portal.tasks.add_checklist_item(task, title, parent, call.caller.user_id)
    _set(call, row, fields)
    call.portal.tasks.touch_checklist(task, call.caller)
    return row.id


def _set(call: Call, row: ChecklistItem, fields: JSON) -> None:
    for name, value in fields.items():
        if name == "TITLE":
            row.title = str(value)
        elif name == "SORT_INDEX":
            row.sort = whole(value)
        elif name == "IS_COMPLETE":
            row.complete = yes(value)
        elif name == "IS_IMPORTANT":
            row.important = yes(value)
        elif name == "MEMBERS":
            row.members = as_map(value)
        elif name == "PARENT_ID":
            row.parent_id = whole(value)
        else:
            call.complain(f"the unknown field {name!r} was ignored")


@method("task.checklistitem.getlist", "task", "TASKID ORDER", positional=True)
def checklist_list(call: Call) -> Any:
    """List the rows of a task (task-checklist-item-get-list.md)."""
    task = _task(call)
    rows = call.portal.tasks.checklist_of(task.id)
    order = as_map(call.get("ORDER"))
    for name, direction in reversed(list(order.items())):
        rows.sort(key=lambda row, name=name: write(call, row)[str(name)], reverse=str(direction).lower() == "desc")  # type: ignore[misc]
    return [write(call, row) for row in rows]


def write(call: Call, row: ChecklistItem) -> JSON:
    """Write a row: every scalar a text."""
    members = [
        {"ID": str(number), "TYPE": as_map(value).get("TYPE", "U"), "NAME": ""} for number, value in row.members.items()
    ]
    return {
        "ID": str(row.id),
        "TASK_ID": str(row.task_id),
        "PARENT_ID": str(row.parent_id),
        "CREATED_BY": str(row.created_by),
        "TITLE": row.title,
        "SORT_INDEX": str(row.sort),
        "IS_COMPLETE": "Y" if row.complete else "N",
        "IS_IMPORTANT": "Y" if row.important else "N",
        "TOGGLED_BY": None if row.toggled_by is None else str(row.toggled_by),
        "TOGGLED_DATE": call.portal.stamp(row.toggled_at) or "",
        "MEMBERS": members,
        "ATTACHMENTS": [],
    }


@method("task.checklistitem.get", "task", "TASKID ITEMID", positional=True)
def checklist_get(call: Call) -> Any:
    """Read one row (task-checklist-item-get.md)."""
    _task(call)
    return write(call, _row(call))


def _toggle(call: Call, *, complete: bool) -> bool:
    _task(call)
    row = _row(call)
    row.complete, row.toggled_by, row.toggled_at = complete, call.caller.user_id, call.portal.now()
    call.portal.tasks.touch_checklist(call.portal.tasks.tasks[row.task_id], call.caller)
    return True


@method("task.checklistitem.complete", "task", "TASKID ITEMID", positional=True)
def checklist_complete(call: Call) -> Any:
    """Tick a row; whether it is of this task is not checked (task-checklist-item-complete.md)."""
    return _toggle(call, complete=True)


@method("task.checklistitem.renew", "task", "TASKID ITEMID", positional=True)
def checklist_renew(call: Call) -> Any:
    """Take a tick back (task-checklist-item-renew.md)."""
    return _toggle(call, complete=False)


@method("task.checklistitem.update", "task", "TASKID ITEMID FIELDS", positional=True)
def checklist_update(call: Call) -> Any:
    """Change a row (task-checklist-item-update.md)."""
    task = _task(call, "CHECKLIST_ADD_ITEMS")
    _set(call, _row(call), _fields(call, position=2))
    call.portal.tasks.touch_checklist(task, call.caller)


@method("task.checklistitem.delete", "task", "TASKID ITEMID", positional=True)
def checklist_delete(call: Call) -> Any:
    """Delete a row with what is under it (task-checklist-item-delete.md)."""
    task = _task(call, "CHECKLIST_ADD_ITEMS")
    gone = _row(call).id
    kept = call.portal.tasks.checklist.items()
    call.portal.tasks.checklist = {k: row for k, row in kept if gone not in {k, row.parent_id}}
    call.portal.tasks.touch_checklist(task, call.caller)
    return True


@method("task.commentitem.add", "task", "TASKID FIELDS", positional=True)
def comment_add(call: Call) -> Any:
    """Write a comment (task-comment-item-add.md)."""
    task, fields = _task(call), _fields(call)
    text = str(fields.get("POST_MESSAGE") or "")
    if not text:
        raise _exception(8, "Message is empty")
    return call.portal.tasks.comment(task, text, call.caller, whole(fields.get("AUTHOR_ID") or 0)).id


@method("task.commentitem.getlist", "task", "TASKID ORDER FILTER", positional=True)
def comment_list(call: Call) -> Any:
    """List the comments of a task (task-comment-item-get-list.md)."""
    task = _task(call)
    users = call.portal.people.users
    return [
        {
            "POST_MESSAGE_HTML": None,
            "ID": str(c.id),
            "AUTHOR_ID": str(c.author),
            "AUTHOR_NAME": users[c.author].full_name if c.author in users else "",
            "AUTHOR_EMAIL": "",
            "POST_DATE": call.portal.stamp(c.at),
            "POST_MESSAGE": c.text,
        }
        for c in call.portal.tasks.comments
        if c.task_id == task.id
    ]
