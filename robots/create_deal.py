"""Make a deal of a lead that was won, unless the portal has made one by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import wording
from b24app.core.actions import AddItem, Comment, SetTimer, Step
from b24app.core.call import Call, TimerDue
from b24app.core.item import DEAL, LEAD, Item
from b24app.core.needs import Facts, Need, NeedDealsOfLead, NeedItem, NeedPeople
from b24app.core.properties import written
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role, resolve
from b24app.core.text import T, bb
from b24app.core.worktime import Pause

WAITS = T(
    "Через {pause} проверим, не создал ли портал сделку сам ({due})",
    "In {pause} it is seen whether the portal has made a deal by itself ({due})",
)
THERE = T("Сделка уже есть (№ {deals}), вторая не нужна", "There is a deal already (No. {deals}), no second one is needed")
LOST = T("Лид больше не выигран, сделка не создаётся", "The lead is not won any more, no deal is made")
MADE = T("По лиду создаётся сделка «{title}»", "A deal is made of the lead: “{title}”")
WHAT = T("создание сделки по лиду", "making a deal of the lead")


@dataclass(frozen=True, slots=True)
class Props:
    pipeline: str = prop(T("Процесс сделки", "Process of the deal"), default="", same=True)
    wait: Pause = prop(T("Сколько ждать портал", "How long to wait for the portal"), default=Pause(2, "m"))
    title: T = prop(T("Название сделки", "Title of the deal"), default=T.same("{title}"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the deals that came from the lead."""
    return (NeedDealsOfLead(call.item.id), *wording.reading(call, facts, (props.title,)))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Wait a little, then make the deal if there is none."""
    item, deals = facts[NeedItem(call.item)], facts[NeedDealsOfLead(call.item.id)]
    if item is None:
        return Outcome(wording.GONE)
    if deals:
        return Outcome(THERE.fill(deals=", ".join(map(str, deals[:5]))))
    if not isinstance(call.cause, TimerDue) and props.wait.count:
        due = props.wait.after(call.at, call.house.calendar)
        timer = SetTimer(call.item, ROBOT.code, due, Step(ROBOT.code, written(props)), call.say(WHAT), "item")
        return Outcome(WAITS.fill(pause=props.wait.words(), due=wording.moment(call, due)), (timer,))
    here = call.place.point(item.stage_id)
    if here is not None and here.semantics == "failure":
        return Outcome(LOST)
    title = wording.title(call, props.title, wording.known(call, facts, item))
    why = MADE.fill(title=title)
    deal = AddItem(DEAL, _fields(call, props, facts, item, title), call.item)
    return Outcome(why, (deal, Comment(call.item, bb(call.say(why)))))


def _fields(call: Call, props: Props, facts: Facts, item: Item, title: str) -> dict[str, str | int | list[int] | None]:
    """Carry the lead over; a dismissed responsible's deal goes to whoever stands in."""
    responsible = resolve(Role("responsible"), item, facts[NeedPeople()], call.house).user
    fields: dict[str, str | int | list[int] | None] = {
        "title": title,
        "contactId": item.contact_id,
        "companyId": item.company_id,
        "opportunity": f"{item.amount:f}" if item.amount else None,
        "currencyId": item.currency or None,
        "assignedById": responsible,
        "leadId": item.ref.id,
        "pipeline": props.pipeline or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


ROBOT = Robot(
    code="create_deal",
    name=T("Создать сделку по лиду", "Make a deal of the lead"),
    description=T(
        "Когда лид выигран, создаёт сделку, если портал не создал её сам",
        "When a lead is won, makes a deal unless the portal has made one by itself",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    entity_types=frozenset({LEAD}),
)
