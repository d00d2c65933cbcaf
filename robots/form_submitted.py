"""Close the tasks that asked for a form somebody has filled in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from b24app.core import wording
from b24app.core.actions import CloseTask
from b24app.core.call import Call, FormSubmitted
from b24app.core.forms import task_asks
from b24app.core.needs import Facts, Ledger, Need, NeedChecklist, NeedLedger, OwnTask
from b24app.core.robot import NoProps, Outcome, Robot
from b24app.core.text import T, bb

NOT_A_FORM = T("Робот смотрит только на заполненные формы", "The robot looks at submitted forms only")
SUBMITTED = T("{name}: форма «{form}» заполнена", "{name} filled in the form “{form}”")
UNTICKED = T("Задача «{task}» ждёт отметок в чек-листе", "The task “{task}” waits until its checklist is ticked")
CLOSED = T("Форма «{form}» заполнена: {name}", "The form “{form}” was filled in by {name}")


def needs(call: Call, props: NoProps, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the tasks this application gave for the item, and for the checklists of those that asked for the form."""
    ledger = facts.get(NeedLedger(call.item))
    asking = _asking(call.cause, ledger) if ledger and isinstance(call.cause, FormSubmitted) else ()
    return (NeedLedger(call.item), *(NeedChecklist(t.task_id) for t in asking if t.full_checklist and t.task_id is not None))


def decide(call: Call, props: NoProps, facts: Facts) -> Outcome:
    """Close the open tasks the answers settle: his own; all of them where one answer settles the form."""
    cause = call.cause
    if not isinstance(cause, FormSubmitted):
        return Outcome(NOT_A_FORM, ok=False)
    form = call.house.forms.get(cause.form)
    said = {"name": bb(cause.name or f"№ {cause.by}"), "form": form.title if form else cause.form}
    each = form is not None and form.each
    asking = _asking(cause, facts[NeedLedger(call.item)])
    settled = [task for task in asking if not each or task.responsible == cause.by]
    unticked = [task for task in settled if _unticked(task, facts)]
    reason = call.say(CLOSED, **said)
    closed = tuple(
        CloseTask(call.item, task.task_id, reason) for task in settled if task.task_id is not None and task not in unticked
    )
    left = [UNTICKED.fill(task=task.title) for task in unticked]
    return Outcome(wording.sentence(SUBMITTED.fill(**said), *left), closed)


def _asking(cause: FormSubmitted, ledger: Ledger) -> tuple[OwnTask, ...]:
    return tuple(task for task in ledger.tasks if task.open and task_asks(cause.form, task.name))


def _unticked(task: OwnTask, facts: Facts) -> bool:
    """Tell whether lines of a task's checklist are left: the form alone does not settle it."""
    if not task.full_checklist or task.task_id is None:
        return False
    return any(not line.done for line in facts[NeedChecklist(task.task_id)])


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
