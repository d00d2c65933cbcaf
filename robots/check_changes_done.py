"""Check that every change is accepted before the corrections are wound up: all their tasks block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import changes, wording
from b24app.core.call import Call
from b24app.core.changes import Measure
from b24app.core.item import People, TaskStatus
from b24app.core.needs import Facts, Need, NeedForms, NeedItem, NeedLedger, NeedPeople
from b24app.core.robot import NoProps, Outcome, Robot, prop
from b24app.core.text import T, join

ALL = T("Все задачи на изменения приняты: {count}", "All changes are accepted: {count}")
NONE = T("Изменений не требуется", "No changes are wanted")
NOT_GIVEN = T("задача по мере «{text}» ещё не поставлена", "no task was given for the measure “{text}” yet")
DELETED = T("задача «{task}» удалена, изменение не принято", "the task “{task}” was deleted, the change is not accepted")
OPEN = T(
    "не завершена задача «{task}» ({name}, срок {deadline})", "the task “{task}” is not finished ({name}, until {deadline})"
)
NOT_ACCEPTED = T("задача «{task}» ждёт приёмки ({name})", "the task “{task}” waits for acceptance ({name})")


@dataclass(frozen=True, slots=True)
class Returns:
    ok: bool = prop(T("Все изменения приняты", "All changes are accepted"))
    reason: str = prop(T("Причина", "Reason"))


def needs(call: Call, props: NoProps, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the forms and the ledger, then for the tasks as they stand on the portal."""
    wanted: list[Need[Any]] = [NeedItem(call.item), NeedPeople(), NeedLedger(call.item), NeedForms(call.item)]
    ledger, forms = facts.get(NeedLedger(call.item)), facts.get(NeedForms(call.item))
    return [*wanted, *changes.portal_tasks(forms, ledger)] if ledger and forms else wanted


def decide(call: Call, props: NoProps, facts: Facts) -> Outcome:
    """Fail with the list of what is open."""
    if facts[NeedItem(call.item)] is None:
        return Outcome(wording.GONE, returns=Returns(False, ""), ok=False)
    measures = changes.measures_of(facts[NeedForms(call.item)])
    reasons = [why for measure in measures if (why := _why(call, facts, measure)) is not None]
    if reasons:
        reason = join(reasons, "; ")
        return Outcome(reason, returns=Returns(False, call.say(reason)), ok=False)
    return Outcome(ALL.fill(count=len(measures)) if measures else NONE, returns=Returns(True, ""))


def _why(call: Call, facts: Facts, measure: Measure) -> T | None:
    """Tell why the change is not accepted; None when it is."""
    own = changes.task_of(measure, facts[NeedLedger(call.item)])
    if own is None:
        return NOT_GIVEN.fill(text=measure.short)
    people: People = facts[NeedPeople()]
    task = changes.on_portal(own, facts)
    if task is None and own.task_id is not None:
        return DELETED.fill(task=own.title)
    status: TaskStatus = task.status if task else "pending"
    name = people.name(task.responsible_id if task else own.responsible)
    if status == "completed":
        return None
    if status == "awaiting_control":
        return NOT_ACCEPTED.fill(task=own.title, name=name)
    deadline = task.deadline if task else own.deadline
    return OPEN.fill(task=own.title, name=name, deadline=wording.moment(call, deadline) if deadline else "—")


ROBOT = Robot(
    code="check_changes_done",
    name=T("Проверить, что изменения приняты", "Check that the changes are accepted"),
    description=T(
        "Не пускает дальше, пока не приняты все задачи на изменения, и называет незакрытые",
        "Does not let the card pass until every change is accepted, and names those that are not",
    ),
    decide=decide,
    props=NoProps,
    needs=needs,
    returns=Returns,
    check=True,
    on_portal=False,
)
