"""Accept finished work, so that its task is off control."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import wording
from b24app.core.actions import ApproveTask, Comment, Notify
from b24app.core.call import Call
from b24app.core.needs import Facts, Need, NeedItem, NeedLedger, NeedPeople, NeedTask
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role, resolve
from b24app.core.text import T, bb

ACCEPTED = T("Работа принята, задача «{task}» снята с контроля", "The work is accepted, the task “{task}” is off control")
BEFORE = T("Работа по задаче «{task}» уже принята", "The work of the task “{task}” was accepted before")
OPEN = T("Принимать рано: задача «{task}» ещё не завершена", "It is too early to accept: the task “{task}” is not finished")
UNKNOWN = T(
    "Принимать нечего: задача «{task}» не ставилась", "There is nothing to accept: the task “{task}” was never given"
)
DELETED = T("Принимать нечего: задача «{task}» удалена", "There is nothing to accept: the task “{task}” was deleted")


@dataclass(frozen=True, slots=True)
class Props:
    task: str = prop(T("Имя задачи в процессе", "Name of the task in the process"), default="install", same=True)


@dataclass(frozen=True, slots=True)
class Returns:
    accepted: bool = prop(T("Принята", "Accepted"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the task as it stands on the portal now."""
    wanted: tuple[Need[Any], ...] = (NeedItem(call.item), NeedPeople(), NeedLedger(call.item))
    ledger = facts.get(NeedLedger(call.item))
    own = ledger.last_task(props.task) if ledger else None
    return (*wanted, NeedTask(own.task_id)) if own and own.task_id is not None else wanted


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Accept work that waits for it; tell the responsible where it is not finished yet."""
    item = facts[NeedItem(call.item)]
    if item is None:
        return Outcome(wording.GONE, returns=Returns(False))
    own = facts[NeedLedger(call.item)].last_task(props.task)
    if own is None:
        return Outcome(UNKNOWN.fill(task=props.task), returns=Returns(False))
    task = facts[NeedTask(own.task_id)] if own.task_id is not None else None
    if own.task_id is not None and task is None:
        return Outcome(DELETED.fill(task=own.title), returns=Returns(False))
    if task is None or not task.finished:
        why = OPEN.fill(task=own.title)
        who = resolve(Role("responsible"), item, facts[NeedPeople()], call.house).user
        told = (Notify(who, bb(call.say(why)), call.item),) if who is not None else ()
        return Outcome(why, told, Returns(False))
    if task.status == "completed":
        return Outcome(BEFORE.fill(task=own.title), returns=Returns(True))
    why = ACCEPTED.fill(task=own.title)
    return Outcome(why, (ApproveTask(call.item, task.id), Comment(call.item, bb(call.say(why)))), Returns(True))


ROBOT = Robot(
    code="accept_work",
    name=T("Принять работу", "Accept the work"),
    description=T(
        "Принимает завершённую задачу и снимает её с контроля", "Accepts a finished task and takes it off control"
    ),
    decide=decide,
    props=Props,
    needs=needs,
    returns=Returns,
)
