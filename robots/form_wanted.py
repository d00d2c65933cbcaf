"""Take a task back to work that was closed without the form it asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import wording
from b24app.core.actions import RenewTask
from b24app.core.asking import WAY
from b24app.core.call import Call, TaskFinished
from b24app.core.needs import Facts, Need, NeedForms, NeedItem, NeedLedger
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.text import T

FILLED = T("Форма «{form}» заполнена, задача может быть закрыта", "The form “{form}” is filled in, the task may be closed")
MISSING = T(
    "Задача закрыта без формы «{form}» и возвращена в работу",
    "The task was closed without the form “{form}” and is open again",
)
NOT_A_TASK = T("Робот смотрит только на завершённые задачи", "The robot looks at finished tasks only")


@dataclass(frozen=True, slots=True)
class Props:
    form: str = prop(T("Форма", "Form"), default="")


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the item, the task and the forms."""
    return (NeedItem(call.item), NeedLedger(call.item), NeedForms(call.item))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Renew the task unless the form was sent since the task was given."""
    cause, item = call.cause, facts[NeedItem(call.item)]
    if item is None:
        return Outcome(wording.GONE)
    if not isinstance(cause, TaskFinished):
        return Outcome(NOT_A_TASK)
    form = call.house.forms.get(props.form)
    title: object = form.title if form else props.form
    task = next((task for task in facts[NeedLedger(call.item)].tasks if task.task_id == cause.task_id), None)
    since = [s for s in facts[NeedForms(call.item)] if task and s.form == props.form and s.at >= task.opened_at]
    own = form is not None and form.each
    if task is None or any(not own or s.by == task.responsible for s in since):
        return Outcome(FILLED.fill(form=title))
    reason = call.say(WAY, form=title, link=wording.item_link(call, item.ref))
    return Outcome(MISSING.fill(form=title), (RenewTask(call.item, cause.task_id, reason),), ok=False)


ROBOT = Robot(
    code="form_wanted",
    name=T("Форма обязательна", "The form is wanted"),
    description=T(
        "Возвращает в работу задачу, закрытую без формы", "Takes a task back to work that was closed without its form"
    ),
    decide=decide,
    props=Props,
    needs=needs,
    internal=True,
)
