"""Move an item back when a check failed or the agreed date changed, with the reasons and a task to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import wording
from b24app.core.actions import Action, Comment, MoveStage, Notify
from b24app.core.call import Call, FieldsChanged, StagePoint
from b24app.core.giving import Assignment, give
from b24app.core.item import Item
from b24app.core.needs import Facts, Need, NeedItem, NeedLedger, NeedPeople
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role, resolve
from b24app.core.text import EMPTY, T, bb, cut, join
from b24app.core.worktime import Pause

RETURNED = T("Возвращено со стадии «{stage}» на стадию «{to}»", "Moved back from the stage “{stage}” to “{to}”")
STAYED = T(
    "Стадия «{stage}» — первая, возвращать некуда",
    "“{stage}” is the first stage, there is nowhere to move back to",
)
FAILED = T("Проверка не пройдена", "The check failed")
CHANGED = T("Согласованная дата изменилась", "The agreed date has changed")
NO_REASON = T("причина не указана", "no reason was given")
NOW = T("{field}: теперь {value}", "{field}: now {value}")
MEND_OPEN = T("задача «{title}» уже открыта, вторая не нужна", "the task “{title}” is open already, no second one is needed")
HINT = T("Исправьте и переведите карточку вперёд ещё раз.", "Mend this and move the card on again.")


@dataclass(frozen=True, slots=True)
class Props:
    title: T = prop(T("Название задачи", "Title of the task"), default=T("Исправить: {stage}", "Mend: {stage}"))
    to: str = prop(
        T("На какую стадию", "To which stage"), default="", help=T("Пусто — на предыдущую", "Empty: to the one before")
    )
    checklist: tuple[T, ...] = prop(T("Чек-лист", "Checklist"), default=())
    deadline: Pause | None = prop(T("Крайний срок", "Deadline"), default=None)
    assignee: Role = prop(T("Кому задача", "Who gets the task"), default=Role("responsible"))
    reason: T = prop(T("Причина", "Reason"), default=EMPTY)
    because: str = prop(
        T("Почему", "Why"),
        default="failed",
        options={
            "failed": T("проверка не пройдена", "a check failed"),
            "date_changed": T("дата изменилась", "the date changed"),
        },
    )


@dataclass(frozen=True, slots=True)
class Returns:
    moved: bool = prop(T("Возвращено", "Moved back"))
    to: str = prop(T("На стадию", "To the stage"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the ledger and for what the texts speak of."""
    return (NeedLedger(call.item), *wording.reading(call, facts, (props.title, props.reason, *props.checklist)))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Move back unless this is the first stage; say all reasons; give one task per stage to mend it."""
    item = facts[NeedItem(call.item)]
    if item is None:
        return Outcome(wording.GONE, returns=Returns(False, ""))
    target, here = _target(call, props), wording.stage_name(call)
    reasons = _reasons(call, props, item, wording.known(call, facts, item))
    moved = RETURNED.fill(stage=here, to=target.name) if target else STAYED.fill(stage=here)
    cause = CHANGED if props.because == "date_changed" else FAILED
    failed = join([cause, join(reasons, "; ")], ": ")
    said = f"[B]{bb(call.say(moved))}[/B]\n{call.say(cause)}:\n{wording.bullets(reasons, call)}\n{call.say(HINT)}"
    actions: list[Action] = [Comment(call.item, wording.cut_bb(said, wording.BODY))]
    if target is not None:
        reason = cut(call.say(join(reasons, "; ")), wording.NOTICE)
        actions.insert(0, MoveStage(call.item, target.id, call.place.stage, reason))
    task, why = _mend(call, props, facts, item, reasons)
    actions += task
    who = resolve(props.assignee, item, facts[NeedPeople()], call.house).user
    if who is not None:
        notice = f"{bb(item.title)}: {bb(call.say(moved))}. {bb(call.say(failed))}"
        actions.append(Notify(who, wording.cut_bb(notice, wording.NOTICE), call.item))
    told = wording.sentence(moved, failed, why)
    return Outcome(told, tuple(actions), Returns(target is not None, target.key if target else ""))


def _target(call: Call, props: Props) -> StagePoint | None:
    """Tell where to: to the named stage if it lies before this one, else back."""
    place = call.place
    named = place.by_key(props.to) if props.to else None
    if named is None:
        return place.back()
    here = place.position(place.stage)
    return named if here < 0 or place.position(named.id) < here else None


def _reasons(call: Call, props: Props, item: Item, values: dict[str, object]) -> tuple[T, ...]:
    own = (wording.told(props.reason, values),) if props.reason else ()
    changed: tuple[T, ...] = ()
    if isinstance(call.cause, FieldsChanged):
        shown = {name: values.get(name) for name in call.cause.names}
        said = ({"field": wording.label(call, name), "value": value} for name, value in shown.items())
        changed = tuple(wording.told(NOW, one) for one in said)
    return (*call.reasons, *own, *changed) or (NO_REASON,)


def _mend(call: Call, props: Props, facts: Facts, item: Item, reasons: tuple[T, ...]) -> tuple[tuple[Action, ...], T]:
    point = call.place.point()
    name = f"mend:{point.key if point else call.place.stage}"
    open_task = facts[NeedLedger(call.item)].open_task(name)
    if open_task is not None:
        return (), MEND_OPEN.fill(title=open_task.title)
    values = wording.known(call, facts, item)
    what = Assignment(name, props.title, props.assignee, EMPTY, (*reasons, *props.checklist), props.deadline, "mend")
    given = give(call, item, facts[NeedPeople()], what, values)
    return given.or_say_so(call), given.why


ROBOT = Robot(
    code="return_deal",
    name=T("Вернуть на предыдущую стадию", "Move back to the stage before"),
    description=T(
        "Возвращает карточку, пишет все причины и ставит задачу исправить",
        "Moves the card back, writes all reasons and gives a task to mend it",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    returns=Returns,
)
