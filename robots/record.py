"""Record in the item's timeline what happened, who did it and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from b24app.core import wording
from b24app.core.actions import Comment
from b24app.core.call import AskedByPerson, Call, FieldsChanged, PaymentConfirmed, StageEntered, TaskFinished
from b24app.core.item import Item, People
from b24app.core.needs import Facts, Need, NeedItem, NeedPeople, NeedTask
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.text import T

RECORDED = T("Запись в карточке: «{text}»", "Recorded in the card: “{text}”")
WHO = T("{name}, {at}", "{name}, {at}")
WHEN = T("{at}", "{at}")
FIELD = T("{field}: {value}", "{field}: {value}")
PAYMENT = T("Платёж {payment}: {amount} {currency}. {note}", "Payment {payment}: {amount} {currency}. {note}")


@dataclass(frozen=True, slots=True)
class Props:
    text: T = prop(T("Текст", "Text"), same=True)


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for what the text speaks of, and for the task whose end is recorded."""
    wanted = wording.reading(call, facts, (props.text,))
    return [*wanted, NeedTask(call.cause.task_id)] if isinstance(call.cause, TaskFinished) else wanted


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Write the text with what changed, and with who and when as far as that is known."""
    item = facts[NeedItem(call.item)]
    if item is None:
        return Outcome(wording.GONE)
    values = wording.known(call, facts, item)
    text = wording.render(call, props.text, values)
    written = "\n".join(part for part in (text, *_changed(call, values), _who(call, facts, item)) if part)
    why = RECORDED.fill(text=wording.told(props.text, values))
    return Outcome(why, (Comment(call.item, wording.cut_bb(written, wording.BODY)),))


def _changed(call: Call, values: dict[str, object]) -> list[str]:
    if isinstance(call.cause, FieldsChanged):
        fields = ({"field": wording.label(call, name), "value": values.get(name)} for name in call.cause.names)
        return [wording.render(call, FIELD, field) for field in fields]
    if isinstance(call.cause, PaymentConfirmed):
        paid = {"payment": call.cause.payment_id, "amount": call.cause.amount, "note": call.cause.note}
        return [wording.render(call, PAYMENT, {**values, **paid})]
    return []


def _who(call: Call, facts: Facts, item: Item) -> str:
    user, at = _author(call, facts, item)
    people: People = facts[NeedPeople()]
    shown = {"name": people.name(user) if isinstance(user, int) else user, "at": wording.moment(call, at)}
    return wording.render(call, WHO if user else WHEN, shown)


def _author(call: Call, facts: Facts, item: Item) -> tuple[int | str | None, datetime]:
    match call.cause:
        case TaskFinished(task_id=task_id):
            task = facts[NeedTask(task_id)]
            return (task.closed_by or task.responsible_id, task.closed_at or call.at) if task else (None, call.at)
        case StageEntered(again=False):
            return item.moved_by, item.moved_at or call.at
        case AskedByPerson(user=user):
            return user, call.at
        case _:
            return None, call.at


ROBOT = Robot(
    code="record",
    name=T("Записать в карточку", "Record in the card"),
    description=T(
        "Пишет в карточку, что произошло, кто это сделал и когда",
        "Writes into the card what happened, who did it and when",
    ),
    decide=decide,
    props=Props,
    needs=needs,
)
