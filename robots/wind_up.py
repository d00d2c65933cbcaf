"""Wind up what is no longer needed: open tasks, waiting timers, the visit, the booked time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import wording
from b24app.core.actions import Action, CancelTimers, CancelVisit, CloseTask, Comment, ReleaseSlots
from b24app.core.call import Call
from b24app.core.needs import Facts, Ledger, Need, NeedItem, NeedLedger, OwnTask
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.text import T, bb, join

CLOSED = T("закрыты задачи: {tasks}", "closed tasks: {tasks}")
VISIT = T("визит отменён", "the visit is cancelled")
SLOT = T("время монтажника освобождено", "the installer's time is free again")
LEFT = T("ещё не дошла до портала и не закрыта задача «{task}»", "not on the portal yet and not closed: “{task}”")
NOTHING = T(
    "Сворачивать нечего: открытых задач, визитов и броней нет", "There is nothing to wind up: no tasks, visits or bookings"
)


@dataclass(frozen=True, slots=True)
class Props:
    tasks: tuple[str, ...] = prop(
        T("Какие задачи", "Which tasks"),
        default=(),
        same=True,
        help=T("Имена задач; пусто — все открытые", "Names of tasks; empty: all open ones"),
    )
    keep: tuple[str, ...] = prop(T("Какие оставить", "Which to keep"), default=())
    timers: bool = prop(T("Снять паузы", "Cancel the timers"), default=True)
    visit: bool = prop(T("Отменить визит и бронь", "Cancel the visit and the booking"), default=True)
    reason: T = prop(T("Причина", "Reason"), default=T("больше не нужно", "no longer needed"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the ledger and for what the reason speaks of."""
    return (NeedLedger(call.item), *wording.reading(call, facts, (props.reason,)))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Close, cancel and release what is still there, and say so if there was anything."""
    item, ledger = facts[NeedItem(call.item)], facts[NeedLedger(call.item)]
    closing = _closing(props, ledger)
    reason = wording.render(call, props.reason, wording.known(call, facts, item) if item else {}, wording.VALUE)
    actions: list[Action] = [CloseTask(call.item, t.task_id, reason) for t in closing if t.task_id is not None]
    said = [CLOSED.fill(tasks=", ".join(f"«{t.title}»" for t in closing if t.task_id is not None))] if actions else []
    if props.visit and ledger.visit is not None:
        actions.append(CancelVisit(call.item, ledger.visit.id, ledger.visit.user))
        said.append(VISIT)
    if props.visit and ledger.claimed:
        actions.append(ReleaseSlots(call.item))
        said.append(SLOT)
    if said and item is not None:
        actions.append(Comment(call.item, f"{reason}: {bb(call.say(join(said, '; ')))}"))
    timers = _timers(call, props, closing, reason)
    left = [LEFT.fill(task=t.title) for t in closing if t.task_id is None]
    return Outcome(join([*said, *left], "; ") if said or left else NOTHING, (*actions, *timers))


def _closing(props: Props, ledger: Ledger) -> tuple[OwnTask, ...]:
    """Choose the open tasks; a task that goes takes the control task about it along."""
    named = {name for task in props.tasks for name in (task, f"control:{task}")}
    kept = {name for task in props.keep for name in (task, f"control:{task}")}
    return tuple(t for t in ledger.tasks if t.open and (not named or t.name in named) and t.name not in kept)


def _timers(call: Call, props: Props, closing: tuple[OwnTask, ...], reason: str) -> tuple[Action, ...]:
    """Cancel all timers, or those of the closed tasks and their reminders where only some are wound up."""
    if not props.timers:
        return ()
    if not props.tasks and not props.keep:
        return (CancelTimers(call.item, reason),)
    names = dict.fromkeys((*props.tasks, *(task.name for task in closing)))
    reminders = (CancelTimers(call.item, reason, name=f"remind:{name}") for name in names)
    return (*(CancelTimers(call.item, reason, task=name) for name in names), *reminders)


ROBOT = Robot(
    code="wind_up",
    name=T("Свернуть незавершённое", "Wind up what is left"),
    description=T(
        "Закрывает открытые задачи приложения, снимает паузы, отменяет визит и бронь",
        "Closes the application's open tasks, cancels timers, the visit and the booking",
    ),
    decide=decide,
    props=Props,
    needs=needs,
)
