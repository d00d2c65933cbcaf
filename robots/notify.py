"""Notify whoever a role means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import wording
from b24app.core.actions import Notify
from b24app.core.call import Call
from b24app.core.needs import Facts, Need, NeedItem, NeedPeople
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role, resolve
from b24app.core.text import EMPTY, T

NOTIFIED = T("Уведомление получит {name}", "{name} is notified")
NOBODY = T("Уведомлять некого: роль «{role}» никого не нашла", "There is nobody to notify: role “{role}” found nobody")


@dataclass(frozen=True, slots=True)
class Props:
    text: T = prop(T("Текст", "Text"), same=True)
    to: Role = prop(T("Кому", "To whom"), default=Role("responsible"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for what the text speaks of."""
    return wording.reading(call, facts, (props.text,))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Notify the one person the role means."""
    item, people = facts[NeedItem(call.item)], facts[NeedPeople()]
    if item is None:
        return Outcome(wording.GONE)
    who = resolve(props.to, item, people, call.house)
    if who.user is None:
        return Outcome(NOBODY.fill(role=props.to))
    text = wording.render(call, props.text, wording.known(call, facts, item), wording.NOTICE)
    why = wording.sentence(NOTIFIED.fill(name=people.name(who.user)), who.how or EMPTY)
    return Outcome(why, (Notify(who.user, text, call.item),))


ROBOT = Robot(
    code="notify",
    name=T("Уведомить сотрудника", "Notify an employee"),
    description=T("Шлёт уведомление тому, кого называет роль", "Sends a notification to whoever the role means"),
    decide=decide,
    props=Props,
    needs=needs,
)
