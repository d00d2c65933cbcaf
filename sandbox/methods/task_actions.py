"""What is done with tasks: the actions of the status machine, rights, history, results (api-reference/tasks)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.errors import RestError
from sandbox.methods.task_shape import meta_status, task_id_of, write_task
from sandbox.registry import Call, method
from sandbox.tasks import DEFERRED, PENDING, WORKING, Task, not_allowed
from sandbox.wire import as_list, as_map, whole


def _action(call: Call, right: str, code: str, act: Callable[[Task], None]) -> Any:
    task = call.portal.tasks.require(task_id_of(call), call.caller.user_id, right, code)
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


@method("tasks.task.getaccess", "task", "taskId users")
def task_access(call: Call) -> Any:
    """Tell who may do what (tasks-task-getaccess.md)."""
    task = call.portal.tasks.visible(task_id_of(call), call.caller.user_id)
    if task is None:
        raise not_allowed("0")
    users = [whole(item) for item in call.listing("users")] or [call.caller.user_id]
    return {"allowedActions": {str(u): call.portal.tasks.allowed(task, u) for u in users}}


@method("tasks.task.history.list", "task", "taskId filter order")
def task_history(call: Call) -> Any:
    """List what happened to a task (tasks-task-history-list.md)."""
    task = call.portal.tasks.visible(task_id_of(call), call.caller.user_id)
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
    expired = sum(1 for task in mine if meta_status(call.portal, task, call.caller, -1))
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
    task = call.portal.tasks.visible(task_id_of(call), call.caller.user_id)
    return task.results if task else []
