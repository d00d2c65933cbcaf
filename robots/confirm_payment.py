"""Take note of a confirmed payment and move the item forward."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import wording
from b24app.core.actions import Action, CloseTask, Comment, MoveStage
from b24app.core.call import Call, PaymentConfirmed, StagePoint
from b24app.core.item import Item
from b24app.core.needs import Facts, Need, NeedItem, NeedLedger
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.text import EMPTY, T

NO_PAYMENT = T("Робот ждёт подтверждения платежа", "The robot waits for a confirmed payment")
PAID = T("Платёж {payment} подтверждён: {amount} {currency}", "The payment {payment} is confirmed: {amount} {currency}")
NOTE = T("{note}", "{note}")
FORWARD = T("переход на стадию «{to}»", "on to the stage “{to}”")
STAYS = T("стадия не меняется: карточка уже не на «{stage}»", "the stage stays: the item is not on “{stage}” any more")
NOWHERE = T("стадия не меняется: «{to}» не лежит впереди", "the stage stays: “{to}” does not lie ahead")


@dataclass(frozen=True, slots=True)
class Props:
    to: str = prop(T("На какую стадию", "To which stage"))
    close: tuple[str, ...] = prop(T("Какие задачи закрыть", "Which tasks to close"), default=())


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the item as it stands now and for its tasks."""
    return (NeedItem(call.item), NeedLedger(call.item))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Record the payment, close the tasks that waited for it, and move forward if the item still stands on the stage."""
    item = facts[NeedItem(call.item)]
    if item is None:
        return Outcome(wording.GONE)
    if not isinstance(call.cause, PaymentConfirmed):
        return Outcome(NO_PAYMENT)
    cause = call.cause
    paid = {"payment": cause.payment_id, "amount": cause.amount, "currency": item.currency, "note": cause.note}
    text = wording.render(call, PAID, paid)
    note = wording.render(call, NOTE, paid) if cause.note.strip() else ""
    closing = [t for name in props.close if (t := facts[NeedLedger(call.item)].open_task(name))]
    actions: list[Action] = [Comment(call.item, "\n".join(part for part in (text, note) if part))]
    actions += [CloseTask(call.item, t.task_id, text) for t in closing if t.task_id is not None]
    target = call.place.by_key(props.to)
    hindrance = _hindrance(call, props, item, target)
    if hindrance or target is None:
        return Outcome(wording.sentence(PAID.fill(**paid), hindrance), tuple(actions))
    actions.append(MoveStage(call.item, target.id, call.place.stage, text))
    return Outcome(wording.sentence(PAID.fill(**paid), FORWARD.fill(to=target.name)), tuple(actions))


def _hindrance(call: Call, props: Props, item: Item, target: StagePoint | None) -> T:
    if item.stage_id != call.place.stage:
        return STAYS.fill(stage=wording.stage_name(call))
    if target is None or call.place.position(target.id) <= call.place.position(call.place.stage):
        return NOWHERE.fill(to=target.name if target else props.to)
    return EMPTY


ROBOT = Robot(
    code="confirm_payment",
    name=T("Подтверждённая оплата", "Confirmed payment"),
    description=T(
        "Записывает платёж, закрывает задачи о нём и переводит карточку вперёд",
        "Records the payment, closes the tasks about it and moves the item forward",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    internal=True,
)
