"""See to it that nobody moves on past a task that holds the process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import wording
from b24app.core.actions import Action, Comment, Notify
from b24app.core.call import Call
from b24app.core.needs import Facts, Ledger, Need, NeedChecklist, NeedLedger, NeedTask, OwnTask
from b24app.core.robot import NoProps, Outcome, Robot, prop
from b24app.core.text import T, bb, cut, join

NONE = T("Незакрытых задач прошлых стадий нет", "There are no open tasks of earlier stages")
ENDED = T("На стадии неуспеха задачи не проверяются", "Tasks are not checked on a failure stage")
BACK = T("Карточка вернулась назад, задачи не проверяются", "The item moved back, tasks are not checked")
HOLDS = T("не закрыта задача «{task}» стадии «{stage}»", "the task “{task}” of the stage “{stage}” is not closed")
UNTICKED = T(
    "задача «{task}» стадии «{stage}» закрыта, но её чек-лист не пройден до конца",
    "the task “{task}” of the stage “{stage}” is closed, but its checklist is not complete",
)
REMINDER = T("«{title}» ушла вперёд, а {reason}", "“{title}” has moved on, but {reason}")
REMINDED = T("напомнили о задаче «{task}»", "reminded of the task “{task}”")
_OWN_WAY = ("mend", "control", "incident")


@dataclass(frozen=True, slots=True)
class Returns:
    ok: bool = prop(T("Ничто не держит", "Nothing holds the item"))
    reason: str = prop(T("Причина", "Reason"))


def needs(call: Call, props: NoProps, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the ledger, then for the held tasks as they stand now: they may have been closed a second ago."""
    wanted: list[Need[Any]] = [NeedLedger(call.item)]
    ledger = facts.get(NeedLedger(call.item))
    for own in _held(call, ledger) if ledger and _spared(call) is None else ():
        if own.task_id is None:
            continue
        wanted.append(NeedTask(own.task_id))
        task = facts.get(NeedTask(own.task_id))
        if own.full_checklist and task is not None and task.finished:
            wanted.append(NeedChecklist(own.task_id))
    return wanted


def decide(call: Call, props: NoProps, facts: Facts) -> Outcome:
    """Fail for open tasks that hold the item, remind of those that only ask for it."""
    spared = _spared(call)
    if spared is not None:
        return Outcome(spared, returns=Returns(True, ""))
    found = [(own, why) for own in _held(call, facts[NeedLedger(call.item)]) if (why := _why(call, facts, own))]
    holding = [why for own, why in found if own.holds == "return"]
    recalled = [(own, why) for own, why in found if own.holds == "remind"]
    actions = tuple(action for own, why in recalled for action in _remind(call, own, why))
    if holding:
        reason = join(holding, "; ")
        return Outcome(reason, actions, Returns(False, call.say(reason)), ok=False)
    told = join([REMINDED.fill(task=own.title) for own, _ in recalled], "; ") if recalled else NONE
    return Outcome(told, actions, Returns(True, ""))


def _spared(call: Call) -> T | None:
    place, point = call.place, call.place.point()
    if point is not None and point.semantics == "failure":
        return ENDED
    came = place.position(place.came_from) if place.came_from else -1
    return BACK if place.returned or came > place.position(place.stage) else None


def _held(call: Call, ledger: Ledger) -> tuple[OwnTask, ...]:
    here = call.place.position(call.place.stage)
    return tuple(
        task
        for task in ledger.tasks
        if task.open
        and task.holds in ("return", "remind")
        and task.purpose not in _OWN_WAY
        and 0 <= _position(call, task) < here
    )


def _position(call: Call, task: OwnTask) -> int:
    point = call.place.by_key(task.stage)
    return call.place.position(point.id) if point else -1


def _why(call: Call, facts: Facts, own: OwnTask) -> T | None:
    point = call.place.by_key(own.stage)
    named = {"task": own.title, "stage": point.name if point else own.stage}
    task = facts[NeedTask(own.task_id)] if own.task_id is not None else None
    if own.task_id is not None and task is None:
        return None
    if task is None or not task.finished:
        return HOLDS.fill(**named)
    unticked = own.full_checklist and any(not line.done for line in facts[NeedChecklist(task.id)])
    return UNTICKED.fill(**named) if unticked else None


def _remind(call: Call, own: OwnTask, why: T) -> tuple[Action, ...]:
    said = cut(bb(call.say(why)), wording.NOTICE)
    return (Notify(own.responsible, said, call.item), Comment(call.item, said))


ROBOT = Robot(
    code="check_open_tasks",
    name=T("Проверить незакрытые задачи", "Check open tasks"),
    description=T(
        "Не пускает дальше, пока открыта задача, которая держит процесс, и напоминает об остальных",
        "Does not let the item pass while a task that holds the process is open, and reminds of the others",
    ),
    decide=decide,
    props=NoProps,
    needs=needs,
    returns=Returns,
    internal=True,
    check=True,
)
