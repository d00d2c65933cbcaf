"""Tasks as people see them: the list, the card with its checklists, the buttons that are allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import redirect, request

from sandbox.errors import RestError
from sandbox.groups import Column, Group
from sandbox.methods.task_shape import meta_status
from sandbox.page_crm import item_of_code
from sandbox.page_desk import Desk
from sandbox.page_frame import framed
from sandbox.registry import Caller
from sandbox.tasks import ChecklistItem, Comment, Task
from sandbox.wire import as_map, whole

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

STATUSES = {
    2: ("Ждёт выполнения", "Pending", ""),
    3: ("Выполняется", "In progress", "blue"),
    4: ("Ждёт контроля", "Awaiting control", "warn"),
    5: ("Завершена", "Completed", "good"),
    6: ("Отложена", "Deferred", ""),
}
ACTIONS = (
    ("start", "START", "Начать", "Start"),
    ("pause", "PAUSE", "Пауза", "Pause"),
    ("complete", "COMPLETE", "Завершить", "Complete"),
    ("approve", "APPROVE", "Принять", "Approve"),
    ("disapprove", "DISAPPROVE", "Вернуть на доработку", "Return"),
    ("renew", "RENEW", "Возобновить", "Renew"),
    ("defer", "DEFER", "Отложить", "Defer"),
)
ROLES = ("doing", "set", "watching", "all")
LIST_LENGTH = 300


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task with what a page says of it; ``lists`` are its checklists with their rows."""

    task: Task
    title: str
    status: str
    tone: str
    deadline: str
    overdue: bool
    lists: tuple[tuple[ChecklistItem, tuple[ChecklistItem, ...]], ...]
    done: int
    rows: int
    actions: tuple[tuple[str, str], ...]
    allowed: dict[str, bool]
    ties: tuple[tuple[str, str], ...]
    comments: tuple[Comment, ...]
    group: Group | None
    columns: tuple[Column, ...]
    """Of the board of its project."""
    minutes: int
    """Time spent on it."""

    @property
    def link(self) -> str:
        """Give the address of the task, the same as on a real portal."""
        return task_path(self.task)


def task_path(task: Task) -> str:
    """Give the address of a task as its responsible sees it."""
    return f"/company/personal/user/{task.responsible}/tasks/task/view/{task.id}/"


def task_view(desk: Desk, task: Task) -> TaskView:
    """Say what a page shows of a task to the user."""
    tasks, caller = desk.portal.tasks, Caller(desk.who.id)
    rows = tasks.checklist_of(task.id)
    roots = [row for row in rows if row.parent_id == 0]
    lists = tuple((root, tuple(row for row in rows if row.parent_id == root.id)) for root in roots)
    allowed = tasks.allowed(task, desk.who.id)
    ru, en, tone = STATUSES[task.status]
    leaves = [row for row in rows if row.parent_id]
    return TaskView(
        task,
        str(task.fields["TITLE"]),
        desk.say(ru, en),
        tone,
        desk.local(task.fields["DEADLINE"]),
        meta_status(desk.portal, task, caller, -1),
        lists,
        sum(row.complete for row in leaves),
        len(leaves),
        tuple((name, desk.say(ru, en)) for name, right, ru, en in ACTIONS if allowed[right]),
        allowed,
        tuple(found for code in task.fields["UF_CRM_TASK"] or [] if (found := item_of_code(desk, str(code)))),
        tuple(comment for comment in tasks.comments if comment.task_id == task.id),
        desk.portal.groups.groups.get(task.fields["GROUP_ID"] or 0),
        tuple(desk.portal.groups.board("G", task.fields["GROUP_ID"]) if task.fields["GROUP_ID"] else ()),
        sum(row.seconds for row in tasks.elapsed.values() if row.task_id == task.id) // 60,
    )


def register(desk: Desk) -> None:
    """Add these views to the page."""
    _list_views(desk)
    _card_views(desk)
    _change_views(desk)
    _checklist_views(desk)


def _list_views(desk: Desk) -> None:
    @desk.view("/tasks/")
    def tasks() -> ResponseReturnValue:
        role, closed = request.args.get("role", "doing"), bool(request.args.get("closed"))
        found = [task for task in desk.portal.tasks.tasks.values() if _concerns(desk, task, role)]
        found = [task for task in found if closed or task.status != 5]
        far = (1, 0.0)
        found.sort(key=lambda t: (0, t.fields["DEADLINE"].timestamp()) if t.fields["DEADLINE"] else far)
        views = [task_view(desk, task) for task in found[:LIST_LENGTH]]
        return desk.page("tasks.html", tasks=views, role=role, roles=ROLES, closed=closed, count=len(found))

    @desk.view("/company/personal/user/<int:user_id>/tasks/")
    def tasks_alias(user_id: int) -> ResponseReturnValue:
        return redirect("/tasks/", 302)

    @desk.view("/_sandbox/tasks/add", "POST")
    def add_task() -> ResponseReturnValue:
        form = request.form
        fields: dict[str, Any] = {
            "TITLE": form.get("title", ""),
            "DESCRIPTION": form.get("description", "").replace("\r\n", "\n"),
            "RESPONSIBLE_ID": whole(form.get("responsible_id")),
            "TASK_CONTROL": "Y" if "control" in form else "N",
        }
        if form.get("deadline"):
            fields["DEADLINE"] = desk.read_local(form["deadline"]).isoformat()
        if form.get("code"):
            fields["UF_CRM_TASK"] = [form["code"]]
        desk.call("tasks.task.add", fields=fields)
        return desk.back("/tasks/")


def _concerns(desk: Desk, task: Task, role: str) -> bool:
    me = desk.who.id
    if role == "doing":
        return me == task.responsible or me in task.fields["ACCOMPLICES"]
    if role == "set":
        return me == task.creator
    if role == "watching":
        return me in task.fields["AUDITORS"]
    return desk.portal.tasks.sees(task, me)


def _seen(desk: Desk, task_id: int) -> Task:
    task = desk.portal.tasks.visible(task_id, desk.who.id)
    if task is None:
        raise RestError(
            "NOT_FOUND", desk.say("Задача не найдена или вам не видна", "The task is missing or hidden from you"), 404
        )
    return task


def _card_views(desk: Desk) -> None:
    @desk.view("/company/personal/user/<int:user_id>/tasks/task/view/<int:task_id>/")
    def task_card(user_id: int, task_id: int) -> ResponseReturnValue:
        task = _seen(desk, task_id)
        task.viewed_by.add(desk.who.id)
        widgets = [
            (f"app{app.number}-{place}", widget.title, app, widget)
            for app in desk.portal.apps.cards
            for place, widget in enumerate(app.placements)
            if app.installed and widget.code.startswith("TASK_VIEW_")
        ]
        chosen = next((found for found in widgets if found[0] == request.args.get("tab")), None)
        frame = framed(desk, chosen[2], chosen[3], {"taskId": str(task_id)}) if chosen else None
        tab = chosen[0] if chosen else ""
        return desk.page("task.html", view=task_view(desk, task), widgets=widgets, frame=frame, tab=tab)

    @desk.view(
        "/_sandbox/tasks/<int:task_id>/do/<any(start, pause, complete, approve, disapprove, renew, defer):name>", "POST"
    )
    def act(task_id: int, name: str) -> ResponseReturnValue:
        desk.call(f"tasks.task.{name}", taskId=task_id)
        return desk.back("/tasks/")


def _change_views(desk: Desk) -> None:
    @desk.view("/_sandbox/tasks/<int:task_id>/change", "POST")
    def change_task(task_id: int) -> ResponseReturnValue:
        form = request.form
        if "deadline" in form:
            deadline = desk.read_local(form["deadline"]).isoformat() if form["deadline"] else ""
            desk.call("tasks.task.update", taskId=task_id, fields={"DEADLINE": deadline})
        if form.get("delegate"):
            desk.call("tasks.task.delegate", taskId=task_id, userId=whole(form["delegate"]))
        return desk.back("/tasks/")

    @desk.view("/_sandbox/tasks/<int:task_id>/column", "POST")
    def move_over_the_board(task_id: int) -> ResponseReturnValue:
        desk.call("task.stages.movetask", id=task_id, stageId=whole(request.form.get("column")))
        return desk.back("/tasks/")

    @desk.view("/_sandbox/tasks/<int:task_id>/time", "POST")
    def note_time(task_id: int) -> ResponseReturnValue:
        spent = {"SECONDS": whole(request.form.get("minutes")) * 60}
        desk.call("task.elapseditem.add", TASKID=task_id, ARFIELDS=spent)
        return desk.back("/tasks/")

    @desk.view("/_sandbox/tasks/<int:task_id>/comment", "POST")
    def comment_task(task_id: int) -> ResponseReturnValue:
        text = request.form.get("text", "").replace("\r\n", "\n")
        number = desk.call("task.commentitem.add", TASKID=task_id, FIELDS={"POST_MESSAGE": text})
        if "result" in request.form:
            desk.call("tasks.task.result.addFromComment", commentId=number)
        return desk.back("/tasks/")


def _checklist_views(desk: Desk) -> None:
    @desk.view("/_sandbox/tasks/<int:task_id>/rows/<int:row_id>/toggle", "POST")
    def toggle(task_id: int, row_id: int) -> ResponseReturnValue:
        row = desk.portal.tasks.checklist.get(row_id)
        name = "renew" if row is not None and row.complete else "complete"
        desk.call(f"task.checklistitem.{name}", TASKID=task_id, ITEMID=row_id)
        return desk.back("/tasks/")

    @desk.view("/_sandbox/tasks/<int:task_id>/rows/add", "POST")
    def add_row(task_id: int) -> ResponseReturnValue:
        fields: dict[str, Any] = {"TITLE": request.form.get("title", "").strip()}
        if request.form.get("parent"):
            fields["PARENT_ID"] = whole(request.form["parent"])
        desk.call("task.checklistitem.add", TASKID=task_id, FIELDS=as_map(fields))
        return desk.back("/tasks/")
