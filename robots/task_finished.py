"""Look at a task its executor has finished: a checklist with open lines brings it back to work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from b24app.core import wording
from b24app.core.actions import CancelTimers, Notify, RenewTask
from b24app.core.call import Call, TaskFinished
from b24app.core.item import ChecklistItem, Task
from b24app.core.needs import Facts, Ledger, Need, NeedChecklist, NeedLedger, NeedTask, OwnTask
from b24app.core.robot import NoProps, Outcome, Robot, prop
from b24app.core.text import T, bb, cut, plain

NOT_A_TASK = T("Робот смотрит только на завершённые задачи", "The robot looks at finished tasks only")
FINISHED = T(
    "Задача «{task}» завершена {at}, через {took} после постановки",
    "The task “{task}” was finished on {at}, {took} after it was given",
)
FINISHED_UNKNOWN = T("Задача «{task}» завершена {at}", "The task “{task}” was finished on {at}")
TIMERS = T("контрольная пауза снята: задача «{task}» завершена", "the control pause is over: the task “{task}” was finished")
DELETED = T(
    "Задача «{task}» удалена с портала, её таймеры сняты",
    "The task “{task}” was deleted on the portal, its timers are cancelled",
)
BACK_ALREADY = T("Задача «{task}» уже снова в работе", "The task “{task}” is in work again already")
RENEWED = T(
    "Задача «{task}» возвращена в работу: в чек-листе не отмечено — {lines}",
    "The task “{task}” is back in work: not ticked in the checklist — {lines}",
)


@dataclass(frozen=True, slots=True)
class Returns:
    ok: bool = prop(T("Завершена", "Finished"))


def needs(call: Call, props: NoProps, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the task as it stands now, and for its checklist where it has to be full."""
    if not isinstance(call.cause, TaskFinished):
        return (NeedLedger(call.item),)
    wanted: list[Need[Any]] = [NeedLedger(call.item), NeedTask(call.cause.task_id)]
    ledger = facts.get(NeedLedger(call.item))
    if ledger is not None and _full(call.cause, ledger):
        wanted.append(NeedChecklist(call.cause.task_id))
    return wanted


def decide(call: Call, props: NoProps, facts: Facts) -> Outcome:
    """Take the task back to work while lines of its checklist are open, else end its control."""
    if not isinstance(call.cause, TaskFinished):
        return Outcome(NOT_A_TASK, returns=Returns(False), ok=False)
    cause, ledger = call.cause, facts[NeedLedger(call.item)]
    own, task = _own(cause, ledger), facts[NeedTask(cause.task_id)]
    title = own.title if own else task.title if task else cause.name
    if task is None:
        timers = CancelTimers(call.item, call.say(DELETED, task=title), task=cause.name)
        return Outcome(DELETED.fill(task=title), (timers,), Returns(False), ok=False)
    if not task.finished:
        return Outcome(BACK_ALREADY.fill(task=title), returns=Returns(False), ok=False)
    undone = [line for line in facts[NeedChecklist(cause.task_id)] if not line.done] if _full(cause, ledger) else []
    if undone:
        return _renew(call, cause, task, title, undone)
    timers = CancelTimers(call.item, call.say(TIMERS, task=title), task=cause.name)
    return Outcome(_finished(call, title, own, task), (timers,), Returns(True))


def _renew(call: Call, cause: TaskFinished, task: Task, title: str, undone: list[ChecklistItem]) -> Outcome:
    lines = cut("; ".join(f"«{cut(plain(line.title), 120)}»" for line in undone), wording.VALUE)
    why = RENEWED.fill(task=title, lines=lines)
    said = bb(why.at(call.house.lang))
    actions = (RenewTask(call.item, cause.task_id, said), Notify(task.responsible_id, said, call.item))
    return Outcome(why, actions, Returns(False), ok=False)


def _finished(call: Call, title: str, own: OwnTask | None, task: Task) -> T:
    at: datetime = task.closed_at or (own.finished_at if own else None) or task.changed_at or call.at
    if own is None:
        return FINISHED_UNKNOWN.fill(task=title, at=wording.moment(call, at))
    return FINISHED.fill(task=title, at=wording.moment(call, at), took=wording.duration(at - own.opened_at))


def _own(cause: TaskFinished, ledger: Ledger) -> OwnTask | None:
    by_id = next((task for task in ledger.tasks if task.task_id == cause.task_id), None)
    return by_id or ledger.last_task(cause.name)


def _full(cause: TaskFinished, ledger: Ledger) -> bool:
    own = _own(cause, ledger)
    return cause.full_checklist or (own is not None and own.full_checklist)


ROBOT = Robot(
    code="task_finished",
    name=T("Задача завершена", "Task finished"),
    description=T(
        "Возвращает в работу задачу, закрытую с неполным чек-листом, и снимает контрольную паузу с закрытой",
        "Takes a task closed with an unfinished checklist back to work and ends the control of a closed one",
    ),
    decide=decide,
    props=NoProps,
    needs=needs,
    returns=Returns,
    internal=True,
)
