"""Close a correction: tell the item it came from, and whoever did the work, what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from b24app.core import changes, commission, wording
from b24app.core.actions import Action, Comment, Notify
from b24app.core.asking import noted
from b24app.core.call import Call
from b24app.core.item import Item, ref_of_binding
from b24app.core.needs import Facts, Need, NeedForms, NeedItem, NeedPeople
from b24app.core.robot import NoProps, Outcome, Robot
from b24app.core.text import EMPTY, T, bb, cut, plain

CLOSED = T("Коррекция завершена: {outcome}; изменений: {count}", "The correction has ended: {outcome}; changes: {count}")
NO_OUTCOME = T("без итога", "without an outcome")
SOURCE_GONE = T("источник удалён", "the source was deleted")
THERE = T("Разбор «{title}» завершён: {outcome}. {link}", "The analysis “{title}” has ended: {outcome}. {link}")


def needs(call: Call, props: NoProps, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the correction, its forms, and the item it came from."""
    item = facts.get(NeedItem(call.item))
    source = ref_of_binding(item.text("source")) if item else None
    wanted: list[Need[Any]] = [NeedItem(call.item), NeedPeople(), NeedForms(call.item)]
    return [*wanted, NeedItem(source)] if source else wanted


def decide(call: Call, props: NoProps, facts: Facts) -> Outcome:
    """Write what came of it into both cards; a deleted source and a dismissed employee are left out."""
    item = facts[NeedItem(call.item)]
    if item is None:
        return Outcome(wording.GONE)
    forms = facts[NeedForms(call.item)]
    count = len(changes.measures_of(forms))
    written = T.same(item.text("outcome"))
    outcome = commission.OUTCOMES.get(commission.outcome_of(forms)) or written or NO_OUTCOME
    why = CLOSED.fill(outcome=outcome, count=count)
    source = ref_of_binding(item.text("source"))
    gone = source is not None and facts[NeedItem(source)] is None
    told: list[Action] = [noted(call, bb(call.say(why)))]
    said = _there(call, item, call.say(outcome))
    if source is not None and not gone:
        told.append(Comment(source, said))
    employee = item.user("employee")
    if facts[NeedPeople()].active(employee) and employee is not None:
        told.append(Notify(employee, cut(said, wording.NOTICE), call.item))
    return Outcome(wording.sentence(why, SOURCE_GONE if gone else EMPTY), tuple(told))


def _there(call: Call, item: Item, outcome: str) -> str:
    title = bb(plain(item.title))
    return call.say(THERE, title=title, outcome=bb(outcome), link=wording.item_link(call, item.ref))


ROBOT = Robot(
    code="close_correction",
    name=T("Завершить коррекцию", "Close the correction"),
    description=T(
        "Сообщает об итоге в карточку источника и сотруднику, чью работу разбирали",
        "Tells the outcome to the card it came from and to the employee whose work was looked into",
    ),
    decide=decide,
    props=NoProps,
    needs=needs,
    on_portal=False,
)
