"""Close the tasks that asked for a form somebody has filled in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from b24app.core.actions import CloseTask
from b24app.core.call import Call, FormSubmitted
from b24app.core.forms import task_asks
from b24app.core.needs import Facts, Need, NeedLedger
from b24app.core.robot import NoProps, Outcome, Robot
from b24app.core.text import T, bb

NOT_A_FORM = T("Робот смотрит только на заполненные формы", "The robot looks at submitted forms only")
SUBMITTED = T("{name}: форма «{form}» заполнена", "{name} filled in the form “{form}”")
CLOSED = T("Форма «{form}» заполнена: {name}", "The form “{form}” was filled in by {name}")


def needs(call: Call, props: NoProps, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the tasks this application gave for the item."""
    return (NeedLedger(call.item),)


def decide(call: Call, props: NoProps, facts: Facts) -> Outcome:
    """Close the open tasks the answers settle: his own; all of them where one answer settles the form."""
    cause = call.cause
    if not isinstance(cause, FormSubmitted):
        return Outcome(NOT_A_FORM, ok=False)
    form = call.house.forms.get(cause.form)
    said = {"name": bb(cause.name or f"№ {cause.by}"), "form": form.title if form else cause.form}
    each = form is not None and form.each
    asking = [task for task in facts[NeedLedger(call.item)].tasks if task.open and task_asks(cause.form, task.name)]
    settled = [task for task in asking if not each or task.responsible == cause.by]
    reason = call.say(CLOSED, **said)
    closed = tuple(CloseTask(call.item, task.task_id, reason) for task in settled if task.task_id is not None)
    return Outcome(SUBMITTED.fill(**said), closed)


ROBOT = Robot(
    code="form_submitted",
    name=T("Форма заполнена", "Form submitted"),
    description=T(
        "Закрывает задачи, которые просили заполнить форму", "Closes the tasks that asked for a form to be filled in"
    ),
    decide=decide,
    props=NoProps,
    needs=needs,
    internal=True,
)
