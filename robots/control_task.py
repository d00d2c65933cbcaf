"""Ask somebody, usually the head, why a task was not closed within the agreed pause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from b24app.core import wording
from b24app.core.actions import Action, Comment
from b24app.core.call import Call, TimerDue
from b24app.core.control import HEAD, TITLE, Control
from b24app.core.giving import Assignment, give
from b24app.core.item import Item, Task
from b24app.core.needs import Facts, Ledger, Need, NeedItem, NeedLedger, NeedPeople, NeedTask, OwnTask
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role
from b24app.core.text import T, bb
from b24app.core.worktime import Pause

UNKNOWN = T(
    "Контролировать нечего: задача «{task}» на этой карточке не ставилась",
    "Nothing to control: “{task}” was never given here",
)
UNNAMED = T("Контролировать нечего: открытых задач нет", "Nothing to control: there are no open tasks")
NOT_SENT = T(
    "Задача «{task}» ещё не дошла до портала, контроль проверит её снова {due}",
    "The task “{task}” has not reached the portal yet, the control looks again on {due}",
)
CLOSED = T(
    "Контроль не нужен: задача «{task}» закрыта через {took} после постановки",
    "No control is needed: the task “{task}” was closed {took} after it was given",
)
DELETED = T("Контроль не нужен: задача «{task}» удалена", "No control is needed: the task “{task}” was deleted")
KEPT = T(
    "Задача «{task}» всё ещё открыта, контрольная задача уже есть у {name}",
    "The task “{task}” is still open, {name} has the control task already",
)
STILL_OPEN = T("Задача «{task}» не закрыта за {took}", "The task “{task}” was not closed within {took}")
WATCHED = T(
    "Задача: {link}\nИсполнитель: {name}\nПоставлена: {at}, открыта уже {took}",
    "Task: {link}\nExecutor: {name}\nGiven: {at}, open for {took}",
)
HINT = T("[B]Подсказка к задаче «{task}»[/B]\n{hint}", "[B]A hint for the task “{task}”[/B]\n{hint}")
WAITS = T("Задача «{task}» под контролем", "The task “{task}” is watched")
_LATER = Pause(1, "h")
_WORK = ("work", "install", "remind", "client_call")


@dataclass(frozen=True, slots=True)
class Props:
    task: str = prop(
        T("Имя задачи", "Name of the task"),
        default="",
        same=True,
        help=T("Пусто — любая открытая рабочая задача", "Empty: any open work task"),
    )
    to: Role = prop(T("Кому", "To whom"), default=HEAD)
    title: T = prop(T("Название контрольной задачи", "Title of the control task"), default=TITLE)
    checklist: tuple[T, ...] = prop(T("Чек-лист", "Checklist"), default=())
    deadline: Pause | None = prop(T("Крайний срок", "Deadline"), default=None)
    after: Pause | None = prop(T("Пауза", "Pause"), default=None, help=T("24h, 3 рабочих дня", "24h, 3 working days"))
    hint: T | None = prop(T("Подсказка сотруднику", "Hint for the employee"), default=None)


@dataclass(frozen=True, slots=True)
class Returns:
    overdue: bool = prop(T("Задача просрочена", "The task is overdue"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the ledger, and then for the watched task as it stands on the portal."""
    ledger = facts.get(NeedLedger(call.item))
    texts = (props.title, *props.checklist, *((props.hint,) if props.hint else ()))
    wanted: list[Need[Any]] = [NeedLedger(call.item), *wording.reading(call, facts, texts)]
    watched = _watched(props, ledger) if ledger else None
    if watched is not None and watched.task_id is not None:
        wanted.append(NeedTask(watched.task_id))
    return wanted


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Set the pause; when it is over, give the control task if the watched task is still open on the portal."""
    item, ledger = facts[NeedItem(call.item)], facts[NeedLedger(call.item)]
    if item is None:
        return Outcome(wording.GONE, returns=Returns(False))
    watched = _watched(props, ledger)
    if props.after is not None and not isinstance(call.cause, TimerDue):
        return _wait(call, props, watched, props.after)
    if watched is None:
        return Outcome(UNKNOWN.fill(task=props.task) if props.task else UNNAMED, returns=Returns(False))
    if watched.task_id is None:
        return _wait(call, props, watched, _LATER)
    task = facts[NeedTask(watched.task_id)]
    if task is None:
        return Outcome(DELETED.fill(task=watched.title), returns=Returns(False))
    if task.finished:
        took = _closed_at(call, watched, task) - watched.opened_at
        return Outcome(CLOSED.fill(task=watched.title, took=wording.duration(took)), returns=Returns(False))
    return _give(call, props, facts, item, watched)


def _wait(call: Call, props: Props, watched: OwnTask | None, pause: Pause) -> Outcome:
    """Set the timer of this very control."""
    control = Control(props.after, props.to, props.title, props.checklist, props.deadline, props.hint)
    title = watched.title if watched else props.task or "—"
    timer = control.timer_in(pause, call, props.task, title)
    if props.after is not None and not isinstance(call.cause, TimerDue):
        return Outcome(wording.sentence(WAITS.fill(task=title), control.said(call, timer)), (timer,), Returns(False))
    return Outcome(NOT_SENT.fill(task=title, due=wording.moment(call, timer.due)), (timer,), Returns(False))


def _give(call: Call, props: Props, facts: Facts, item: Item, watched: OwnTask) -> Outcome:
    people, name = facts[NeedPeople()], f"control:{watched.name}"
    open_control = facts[NeedLedger(call.item)].open_task(name)
    if open_control is not None:
        why = KEPT.fill(task=watched.title, name=people.name(open_control.responsible))
        return Outcome(why, returns=Returns(True))
    values = {**wording.known(call, facts, item), "task": watched.title}
    took = wording.duration(call.at - watched.opened_at)
    shown = _link(call, watched)
    described = WATCHED.fill(
        link=shown, name=bb(people.name(watched.responsible)), at=wording.moment(call, watched.opened_at), took=took
    )
    what = Assignment(name, props.title, props.to, described, props.checklist, props.deadline, "control")
    given = give(call, item, people, what, values)
    why = wording.sentence(STILL_OPEN.fill(task=watched.title, took=took), given.why)
    return Outcome(why, (*given.or_say_so(call), *_hint(call, props, values)), Returns(True))


def _hint(call: Call, props: Props, values: dict[str, object]) -> tuple[Action, ...]:
    if props.hint is None or not call.house.training:
        return ()
    hint = T.same(wording.render(call, props.hint, values))
    return (Comment(call.item, call.say(HINT, task=bb(str(values["task"])), hint=hint)),)


def _link(call: Call, watched: OwnTask) -> str:
    address = wording.task_link(call, watched.responsible, watched.task_id) if watched.task_id else ""
    return wording.url(address, watched.title) or bb(watched.title)


def _watched(props: Props, ledger: Ledger) -> OwnTask | None:
    if props.task:
        return ledger.open_task(props.task) or ledger.last_task(props.task)
    return next((task for task in reversed(ledger.tasks) if task.open and task.purpose in _WORK), None)


def _closed_at(call: Call, watched: OwnTask, task: Task) -> datetime:
    return task.closed_at or watched.finished_at or task.changed_at or call.at


ROBOT = Robot(
    code="control_task",
    name=T("Контрольная задача", "Control task"),
    description=T(
        "Если задача не закрыта за паузу, просит руководителя разобраться в причинах",
        "If a task is not closed within the pause, asks the head to find out why",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    returns=Returns,
)
