"""Give a task with a checklist when an item enters a stage, and guard it with a control pause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from b24app.core import wording
from b24app.core.actions import Step
from b24app.core.call import Call
from b24app.core.control import HEAD, TITLE, control_of
from b24app.core.giving import HOLDS, Assignment, give, task_name
from b24app.core.needs import Facts, Ledger, Need, NeedItem, NeedLedger, NeedPeople
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role
from b24app.core.text import EMPTY, T
from b24app.core.worktime import Pause

KEPT_OPEN = T(
    "Задача «{title}» уже поставлена {at} и ещё открыта, вторая не нужна",
    "The task “{title}” was given on {at} and is still open, no second one is needed",
)
KEPT_RETURNED = T(
    "Сделку вернуло приложение, а задача «{title}» уже ставилась {at}: не повторяется",
    "The application moved the item back and the task “{title}” was given on {at} already: it is not repeated",
)


@dataclass(frozen=True, slots=True)
class Props:
    title: T = prop(T("Название задачи", "Title of the task"), same=True)
    to: Role = prop(
        T("Кому", "To whom"),
        default=Role("responsible"),
        help=T(
            "responsible, head_of(responsible), field(installer), user(7) или роль процесса",
            "responsible, head_of(responsible), field(installer), user(7) or a role of the process",
        ),
    )
    description: T = prop(T("Описание", "Description"), default=EMPTY)
    checklist: tuple[T, ...] = prop(T("Чек-лист", "Checklist"), default=())
    deadline: Pause | None = prop(
        T("Крайний срок", "Deadline"), default=None, help=T("24h, 2 дня, 3 рабочих дня", "24h, 2 days, 3 working days")
    )
    name: str = prop(T("Имя задачи в процессе", "Name of the task in the process"), default="")
    holds: str = prop(
        T("Если сделка ушла дальше, а задача открыта", "If the item moves on while the task is open"),
        default="return",
        options=HOLDS,
    )
    full_checklist: bool = prop(T("Закрыть только с полным чек-листом", "Close only with a full checklist"), default=True)
    important: bool = prop(T("Важная", "Important"), default=False)
    require_result: bool = prop(T("Закрыть только с результатом", "Close only with a result"), default=False)
    under_control: bool = prop(T("Принять работу после завершения", "The work has to be accepted"), default=False)
    control_after: Pause | None = prop(T("Контроль через", "Control after"), default=None)
    control_to: Role = prop(T("Контролирует", "Who controls"), default=HEAD)
    control_title: T = prop(
        T("Название контрольной задачи", "Title of the control task"),
        default=TITLE,
    )
    control_checklist: tuple[T, ...] = prop(T("Чек-лист контроля", "Checklist of the control"), default=())
    control_deadline: Pause | None = prop(T("Срок контроля", "Deadline of the control"), default=None)
    control_hint: T | None = prop(T("Подсказка сотруднику", "Hint for the employee"), default=None)
    done: tuple[Step, ...] = prop(T("После завершения", "When it is done"), default=())


@dataclass(frozen=True, slots=True)
class Returns:
    task_name: str = prop(T("Имя задачи", "Name of the task"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the ledger and for what the texts speak of."""
    return (NeedLedger(call.item), *wording.reading(call, facts, (props.title, props.description, *props.checklist)))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Give the task unless it is open already, or was given before the application itself moved the item back."""
    item = facts[NeedItem(call.item)]
    name = task_name(props.title, props.name)
    if item is None:
        return Outcome(wording.GONE, returns=Returns(name))
    kept = _kept(call, name, facts[NeedLedger(call.item)])
    if kept is not None:
        return Outcome(kept, returns=Returns(name))
    what = Assignment(name, props.title, props.to, props.description, props.checklist, props.deadline)
    given = give(call, item, facts[NeedPeople()], what, wording.known(call, facts, item))
    if given.task is None:
        return Outcome(given.why, given.or_say_so(call), Returns(name))
    control = control_of(props)
    task = replace(
        given.task,
        holds=cast('Literal["return", "remind", "ignore"]', props.holds),
        full_checklist=props.full_checklist,
        important=props.important,
        require_result=props.require_result,
        under_control=props.under_control,
        done=props.done,
    )
    timer = control.timer(call, name, task.title)
    if timer is None:
        return Outcome(given.why, (task,), Returns(name))
    return Outcome(wording.sentence(given.why, control.said(call, timer)), (task, timer), Returns(name))


def _kept(call: Call, name: str, ledger: Ledger) -> T | None:
    task = ledger.open_task(name)
    if task is not None:
        return KEPT_OPEN.fill(title=task.title, at=wording.moment(call, task.opened_at))
    task = ledger.last_task(name)
    if task is not None and not task.withdrawn and call.place.returned:
        return KEPT_RETURNED.fill(title=task.title, at=wording.moment(call, task.opened_at))
    return None


ROBOT = Robot(
    code="autotask",
    name=T("Автозадача с чек-листом и контролем", "Task with a checklist and a control"),
    description=T(
        "Ставит задачу один раз; если её не закрыли за паузу, контрольную задачу получает руководитель",
        "Gives a task once; if it is not closed within the pause, the head gets a control task",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    returns=Returns,
)
