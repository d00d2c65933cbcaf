"""crm.timeline.*, crm.activity.todo.* (crm/timeline)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.crm import values
from sandbox.errors import RestError, missing
from sandbox.registry import Call, Page, method
from sandbox.timeline import LogLine, TimelineComment, ToDo
from sandbox.wire import JSON, as_map, whole


def _fields(call: Call, *required: str) -> JSON:
    fields = as_map(call.need("fields"))
    for name in required:
        if fields.get(name) in (None, ""):
            raise missing(name)
    return fields


def _comment(call: Call) -> TimelineComment:
    found = call.portal.timeline.comments.get(whole(call.need("id")))
    if found is None:
        raise RestError("NOT_FOUND", "Элемент не найден")
    return found


@method("crm.timeline.comment.add", "crm", "fields")
def comment_add(call: Call) -> Any:
    """Write a comment into a card (crm-timeline-comment-add.md)."""
    fields = _fields(call, "ENTITY_ID", "ENTITY_TYPE")
    text = str(fields.get("COMMENT") or "")
    if not text.strip():
        raise RestError("INVALID_ARG_VALUE", "Пустой коментарий")
    for name in sorted(set(fields) - {"ENTITY_ID", "ENTITY_TYPE", "COMMENT", "FILES", "AUTHOR_ID"}):
        call.complain(f"the unknown field {name!r} was ignored")
    kind = str(fields["ENTITY_TYPE"]).lower()
    return call.portal.timeline.comment(kind, whole(fields["ENTITY_ID"]), text, call.caller).id


@method("crm.timeline.comment.update", "crm", "id fields ownerTypeId ownerId")
def comment_update(call: Call) -> Any:
    """Change a comment (crm-timeline-comment-update.md)."""
    comment, fields = _comment(call), _fields(call)
    comment.text = str(fields.get("COMMENT", comment.text))
    call.portal.events.tell_comment("UPDATE", comment.id, call.caller)
    return comment.id


@method("crm.timeline.comment.delete", "crm", "id ownerTypeId ownerId")
def comment_delete(call: Call) -> Any:
    """Delete a comment (crm-timeline-comment-delete.md)."""
    comment = _comment(call)
    del call.portal.timeline.comments[comment.id]
    call.portal.events.tell_comment("DELETE", comment.id, call.caller)


@method("crm.timeline.comment.get", "crm", "id")
def comment_get(call: Call) -> Any:
    """Read a comment (crm-timeline-comment-get.md)."""
    found = call.portal.timeline.comments.get(whole(call.get("id")))
    if found is None:
        raise RestError("", "Not found.")
    return write(call, found)


def write(call: Call, comment: TimelineComment) -> JSON:
    """Write a comment: every scalar a text."""
    return {
        "ID": str(comment.id),
        "ENTITY_ID": str(comment.item_id),
        "ENTITY_TYPE": comment.entity_type,
        "CREATED": call.portal.stamp(comment.at),
        "COMMENT": comment.text,
        "AUTHOR_ID": str(comment.author),
    }


@method("crm.timeline.comment.list", "crm", "select filter order start")
def comment_list(call: Call) -> Page:
    """List the comments of a card (crm-timeline-comment-list.md)."""
    wanted = as_map(call.get("filter"))
    if not {"ENTITY_ID", "ENTITY_TYPE"} <= set(wanted):
        call.complain("filter without ENTITY_ID and ENTITY_TYPE")
    rows = [write(call, comment) for comment in call.portal.timeline.comments.values()]
    for key, value in wanted.items():
        name = key.lstrip("><=!@%")
        if name not in {"ID", "ENTITY_ID", "ENTITY_TYPE", "CREATED", "AUTHOR_ID", "COMMENT"}:
            call.complain(f"unknown filter field {key!r} was ignored")
        elif key == ">ID":
            rows = [row for row in rows if whole(row["ID"]) > whole(value)]
        elif key.startswith("%"):
            rows = [row for row in rows if str(value).lower() in str(row[name]).lower()]
        else:
            rows = [row for row in rows if str(row[name]).lower() == str(value).lower()]
    for name, direction in reversed(list((as_map(call.get("order")) or {"ID": "ASC"}).items())):
        rows.sort(
            key=lambda row, name=name: whole(row[name]) if name == "ID" else row[name],  # type: ignore[misc]
            reverse=str(direction).upper() == "DESC",
        )
    select = [str(name) for name in call.listing("select")]
    if select and "*" not in select:
        rows = [{name: value for name, value in row.items() if name in select} for row in rows]
    return call.page(rows)


@method("crm.timeline.item.pin", "crm", "id ownerTypeId ownerId")
def pin(call: Call) -> Any:
    """Pin a record; three at most (crm-timeline-item-pin.md)."""
    type_id, item_id, number = call.whole("ownerTypeId"), call.whole("ownerId"), call.whole("id")
    call.portal.timeline.owner(type_id, item_id)
    if number not in call.portal.timeline.comments and number not in call.portal.timeline.log:
        raise RestError("NOT_FOUND", "Элемент не найден")
    pins = call.portal.timeline.pins
    if sum(1 for pinned in pins if pinned[:2] == (type_id, item_id)) >= 3:
        raise RestError("0", "Только три события можно добавить в избранное")
    pins.add((type_id, item_id, number))


@method("crm.timeline.logmessage.add", "crm", "fields")
def log_add(call: Call) -> Any:
    """Write a neutral record into a card (crm-timeline-logmessage-add.md)."""
    fields = _fields(call, "entityTypeId", "entityId", "title", "text", "iconCode")
    type_id, item_id = whole(fields["entityTypeId"]), whole(fields["entityId"])
    timeline = call.portal.timeline
    timeline.owner(type_id, item_id)
    title, text, icon = str(fields["title"]), str(fields["text"]), str(fields["iconCode"])
    at = call.portal.now()
    row = LogLine(timeline.next_id(), type_id, item_id, title, text, icon, call.caller.user_id, at)
    timeline.log[row.id] = row
    created = call.portal.stamp(at)
    return {
        "logMessage": {
            "id": row.id,
            "created": created,
            "authorId": row.author,
            "title": title,
            "text": text,
            "iconCode": icon,
        }
    }


def _deadline(call: Call, name: str = "deadline") -> datetime:
    moment = values.parse_moment(call.portal, call.need(name), f"{call.method}.{name}")
    if moment is None:
        raise RestError("WRONG_DATETIME_FORMAT", "Некорректный формат даты")
    return moment


TODO = "ownerTypeId ownerId deadline title description responsibleId parentActivityId pingOffsets colorId"


@method("crm.activity.todo.add", "crm", TODO)
def todo_add(call: Call) -> Any:
    """Plan a to-do (crm-activity-todo-add.md)."""
    type_id, item_id = call.whole("ownerTypeId"), call.whole("ownerId")
    call.portal.timeline.owner(type_id, item_id)
    todo = ToDo(call.portal.timeline.next_id(), type_id, item_id, _deadline(call), dict(call.params))
    call.portal.timeline.todos[todo.id] = todo
    call.portal.events.emit("ONCRMACTIVITYADD", {"FIELDS": {"ID": todo.id}}, call.caller)
    return {"id": todo.id}


@method("crm.activity.todo.update", "crm", f"id {TODO}")
def todo_update(call: Call) -> Any:
    """Change a to-do (crm-activity-todo-update.md)."""
    todo = _todo(call)
    todo.deadline = _deadline(call)
    todo.fields.update(call.params)
    return {"id": todo.id}


@method("crm.activity.todo.updateDeadline", "crm", "id ownerTypeId ownerId value")
def todo_deadline(call: Call) -> Any:
    """Move a to-do's deadline (crm-activity-todo-update-deadline.md)."""
    todo = _todo(call)
    todo.deadline = _deadline(call, "value")
    return {"id": todo.id}


def _todo(call: Call) -> ToDo:
    todo = call.portal.timeline.todos.get(call.whole("id"))
    if todo is None:
        raise RestError("NOT_FOUND", "Элемент CRM не найден")
    call.portal.timeline.owner(call.whole("ownerTypeId"), call.whole("ownerId"))
    if todo.completed:
        raise RestError("CAN_NOT_UPDATE_COMPLETED_TODO", "Закрытое дело нельзя изменять")
    return todo
