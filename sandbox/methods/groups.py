"""sonet_group.*, task.stages.* (api-reference/sonet-group, api-reference/tasks/stages)."""

from __future__ import annotations

from typing import Any

from sandbox.errors import RestError
from sandbox.groups import Column, Group
from sandbox.registry import Call, Page, method
from sandbox.wire import JSON, as_map, whole, yes

_NAMED = "NAME DESCRIPTION VISIBLE OPENED CLOSED KEYWORDS INITIATE_PERMS PROJECT PROJECT_DATE_START PROJECT_DATE_FINISH"


@method("sonet_group.create", "sonet_group", f"{_NAMED} SCRUM_MASTER_ID OWNER_ID IMAGE IMAGE_FILE_ID SITE_ID SUBJECT_ID")
def group_create(call: Call) -> Any:
    """Create a group or a project (sonet-group-create.md)."""
    name = str(call.get("NAME") or "").strip()
    if not name:
        raise RestError("", "Cannot create group")
    owner = whole(call.get("OWNER_ID") or 0) or call.caller.user_id
    if owner != call.caller.user_id and not call.portal.people.is_admin(call.caller.user_id):
        call.complain("OWNER_ID of another user needs an administrator; the token's user was taken")
        owner = call.caller.user_id
    group = call.portal.groups.add(
        name,
        owner,
        description=str(call.get("DESCRIPTION") or ""),
        project=yes(call.get("PROJECT") or "N"),
        visible=yes(call.get("VISIBLE") or "Y"),
        opened=yes(call.get("OPENED") or "N"),
        closed=yes(call.get("CLOSED") or "N"),
    )
    return group.id


@method("sonet_group.get", "sonet_group", "ORDER FILTER GROUP_ID IS_ADMIN start")
def group_get(call: Call) -> Page:
    """List the groups a user may see, newest first (sonet-group-get.md)."""
    groups = call.portal.groups
    rows = [_written(call, group) for group in groups.groups.values() if groups.sees(group, call.caller.user_id)]
    wanted = as_map(call.get("FILTER")) | ({"ID": call.get("GROUP_ID")} if call.get("GROUP_ID") else {})
    for key, value in wanted.items():
        name = str(key).lstrip("=%")
        if name not in {"ID", "NAME", "OWNER_ID", "ACTIVE", "VISIBLE", "OPENED", "CLOSED"}:
            call.complain(f"unknown filter field {name!r}")
            continue
        rows = [row for row in rows if str(row[name]) == str(value) or (key[0] == "%" and str(value) in str(row[name]))]
    order = {str(k): str(v).upper() for k, v in as_map(call.get("ORDER")).items()} or {"ID": "DESC"}
    for name, way in reversed(order.items()):
        rows.sort(key=lambda row: int(row[name]) if name == "ID" else str(row.get(name)), reverse=way == "DESC")
    return call.page(rows)


@method("sonet_group.user.get", "sonet_group", "ID")
def group_members(call: Call) -> Any:
    """List the members of a group (sonet-group-user-get.md)."""
    if not whole(call.get("ID") or 0):
        raise RestError("", "Wrong socialnetwork group ID")
    group = call.portal.groups.groups.get(whole(call.get("ID")))
    if group is None or not call.portal.groups.sees(group, call.caller.user_id):
        raise RestError("", "Socialnetwork group not found")
    return [{"USER_ID": str(user), "ROLE": "A" if user == group.owner else "K"} for user in sorted(group.members)]


def _written(call: Call, group: Group) -> JSON:
    at = call.portal.stamp(group.created)
    return {
        "ID": str(group.id),
        "SITE_ID": "s1",
        "NAME": group.name,
        "DESCRIPTION": group.description or None,
        "DATE_CREATE": at,
        "DATE_UPDATE": at,
        "ACTIVE": "Y",
        "VISIBLE": _flag(group.visible),
        "OPENED": _flag(group.opened),
        "CLOSED": _flag(group.closed),
        "SUBJECT_ID": "1",
        "OWNER_ID": str(group.owner),
        "KEYWORDS": None,
        "NUMBER_OF_MEMBERS": str(len(group.members)),
        "DATE_ACTIVITY": at,
        "SUBJECT_NAME": "Рабочие группы",
        "PROJECT": _flag(group.project),
        "IS_EXTRANET": "N",
    }


def _flag(value: bool) -> str:
    return "Y" if value else "N"


# Kanban ------------------------------------------------------------------------------------------------------------------


def _board(call: Call, entity_id: int, denied: str) -> list[Column]:
    """Give a board the caller may use; 0 is his own plan."""
    if not entity_id:
        return call.portal.groups.board("U", call.caller.user_id)
    if not call.portal.groups.works(entity_id, call.caller.user_id):
        raise RestError("ACCESS_DENIED", denied)
    return call.portal.groups.board("G", entity_id)


def _column(call: Call) -> Column:
    found = call.portal.groups.column(whole(call.get("id") or 0))
    if found is None:
        raise RestError("NOT_FOUND", "Стадия не найдена")
    return found


@method("task.stages.get", "task", "entityId isAdmin")
def stages_get(call: Call) -> Any:
    """List the columns of a board by their numbers (task-stages-get.md)."""
    board = _board(call, whole(call.get("entityId") or 0), "Вы не можете просматривать стадии в этой группе")
    return {
        str(column.id): {
            "ID": str(column.id),
            "TITLE": column.title,
            "SORT": str(place * 100),
            "COLOR": column.color,
            "SYSTEM_TYPE": column.system_type,
            "ENTITY_ID": str(column.entity_id),
            "ENTITY_TYPE": column.entity_type,
            "ADDITIONAL_FILTER": [],
            "TO_UPDATE": [],
            "TO_UPDATE_ACCESS": None,
        }
        for place, column in enumerate(board, start=1)
    }


@method("task.stages.add", "task", "fields isAdmin")
def stages_add(call: Call) -> Any:
    """Add a column (task-stages-add.md)."""
    fields = call.mapping("fields")
    title = str(fields.get("TITLE") or "").strip()
    if not title:
        raise RestError("EMPTY_TITLE", "Не указан заголовок стадии")
    entity_id = whole(fields.get("ENTITY_ID") or 0)
    _board(call, entity_id, "Вы не можете управлять стадиями")
    kind, owner = ("G", entity_id) if entity_id else ("U", call.caller.user_id)
    after, color = whole(fields.get("AFTER_ID") or 0), str(fields.get("COLOR") or "")
    return call.portal.groups.add_column(kind, owner, title, color, after).id


@method("task.stages.update", "task", "id fields isAdmin")
def stages_update(call: Call) -> Any:
    """Rename or move a column (task-stages-update.md)."""
    column, fields = _column(call), call.mapping("fields")
    board = _board(call, column.entity_id if column.entity_type == "G" else 0, "Вы не можете изменять стадии в этой группе")
    column.title = str(fields.get("TITLE") or column.title)
    column.color = str(fields.get("COLOR") or column.color)
    if "AFTER_ID" in fields:
        board.remove(column)
        place = next((n for n, one in enumerate(board, start=1) if one.id == whole(fields["AFTER_ID"] or 0)), 0)
        board.insert(place, column)
    return True


@method("task.stages.delete", "task", "id isAdmin")
def stages_delete(call: Call) -> Any:
    """Remove a column without tasks (task-stages-delete.md)."""
    column = _column(call)
    board = _board(call, column.entity_id if column.entity_type == "G" else 0, "Вы не можете управлять стадиями")
    if column is board[0]:
        raise RestError("CANT_DELETE_FIRST", "Нельзя удалить первую стадию. Передвиньте стадию, чтобы удалить")
    if column.system_type:
        raise RestError("IS_SYSTEM", "Стадия, установленная по умолчанию, не может быть удалена")
    board.remove(column)
    return True


@method("task.stages.canmovetask", "task", "entityId entityType")
def stages_can_move(call: Call) -> Any:
    """Tell whether the caller may move tasks on a board (task-stages-can-move-task.md)."""
    entity_id = whole(call.get("entityId") or 0)
    if str(call.get("entityType")) == "U":
        return entity_id == call.caller.user_id
    return call.portal.groups.works(entity_id, call.caller.user_id)


@method("task.stages.movetask", "task", "id stageId before after")
def stages_move_task(call: Call) -> Any:
    """Put a task into another column of its group's board (task-stages-move-task.md)."""
    task = call.portal.tasks.visible(whole(call.get("id") or 0), call.caller.user_id)
    if task is None:
        raise RestError("TASK_NOT_FOUND", "Задача не найдена или доступ к ней запрещен")
    column = call.portal.groups.column(whole(call.get("stageId") or 0))
    if column is None:
        raise RestError("NOT_FOUND", "Стадия не найдена")
    own = column.entity_type == "U" and column.entity_id == call.caller.user_id
    if not own and (column.entity_type != "G" or task.fields["GROUP_ID"] != column.entity_id):
        raise RestError("ACCESS_DENIED_MOVE", "Вы не можете перемещать эту задачу")
    if column.entity_type == "G":
        call.portal.tasks.change(task, {"STAGE_ID": column.id}, call.caller)
    return True
