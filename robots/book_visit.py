"""Put the agreed visit into the installer's calendar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import agreed, wording
from b24app.core.actions import Action, AddVisit, CancelVisit
from b24app.core.agreed import Span
from b24app.core.call import Call
from b24app.core.item import Item, People
from b24app.core.needs import Facts, Need, NeedItem, NeedLedger, NeedPeople, Visit
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.text import EMPTY, T, cut, plain

BOOKED = T("Визит в календаре: {name}, {when}", "The visit is in the calendar: {name}, {when}")
KEPT = T("Визит уже в календаре: {name}, {when}", "The visit is in the calendar already: {name}, {when}")
CANCELLED = T("прежний визит {when} отменён", "the earlier visit on {when} is cancelled")
NO_DATE = T("Визит не записан: дата не указана", "No visit was written: the date is not set")
NO_INSTALLER = T("Визит не записан: монтажник не назначен", "No visit was written: no installer is named")
DISMISSED = T("Визит не записан: {name} не работает в компании", "No visit was written: {name} does not work here")
DESCRIPTION = T("Клиент: {client}, {phone}\n{link}", "Client: {client}, {phone}\n{link}")


@dataclass(frozen=True, slots=True)
class Props:
    title: T = prop(T("Название визита", "Title of the visit"), default=T("Монтаж: {title}", "Installation: {title}"))
    date_field: str = prop(T("Поле с датой", "Field with the date"), default="install_date")
    time_field: str = prop(T("Поле со временем", "Field with the time"), default="install_time")
    user_field: str = prop(T("Поле с монтажником", "Field with the installer"), default="installer")
    address_field: str = prop(T("Поле с адресом", "Field with the address"), default="address")
    hours: int = prop(T("Длительность, часов", "Length, hours"), default=4)


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the ledger and for what the description speaks of."""
    return (NeedLedger(call.item), *wording.reading(call, facts, (props.title, DESCRIPTION)))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Keep a visit that is as agreed; else cancel it and write the new one."""
    item, people = facts[NeedItem(call.item)], facts[NeedPeople()]
    visit = facts[NeedLedger(call.item)].visit
    if item is None:
        return Outcome(wording.GONE)
    if call.place.passed:
        return Outcome(wording.PASSED)
    span, user = agreed.visit(call, item, props.date_field, props.time_field, props.hours), item.user(props.user_field)
    cancelled: tuple[Action, ...] = (CancelVisit(call.item, visit.id, visit.user),) if visit else ()
    undone = CANCELLED.fill(when=_when(call, visit)) if visit else EMPTY
    if span is None or user is None or not people.active(user):
        return Outcome(wording.sentence(_missing(people, span, user), undone), cancelled)
    said = {"name": people.name(user), "when": agreed.words(span)}
    if visit and (visit.user, visit.start, visit.end) == (user, span.start, span.end):
        return Outcome(KEPT.fill(**said))
    added = _visit(call, props, item, span, user, wording.known(call, facts, item))
    return Outcome(wording.sentence(BOOKED.fill(**said), undone), (*cancelled, added))


def _missing(people: People, span: Span | None, user: int | None) -> T:
    if span is None:
        return NO_DATE
    return NO_INSTALLER if user is None else DISMISSED.fill(name=people.name(user))


def _when(call: Call, visit: Visit) -> str:
    local = call.house.calendar.local
    return agreed.words(Span(local(visit.start), local(visit.end)))


def _visit(call: Call, props: Props, item: Item, span: Span, user: int, values: dict[str, object]) -> AddVisit:
    return AddVisit(
        item=call.item,
        user=user,
        start=span.start,
        end=span.end,
        title=wording.title(call, props.title, values),
        description=wording.render(call, DESCRIPTION, values),
        location=cut(plain(item.text(props.address_field)), wording.LINE),
    )


ROBOT = Robot(
    code="book_visit",
    name=T("Записать визит в календарь", "Write the visit into the calendar"),
    description=T(
        "Записывает визит в календарь монтажника; при переносе отменяет прежний",
        "Writes the visit into the installer's calendar; cancels the earlier one when it is moved",
    ),
    decide=decide,
    props=Props,
    needs=needs,
)
