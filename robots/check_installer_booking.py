"""Check that a master is booked for this very order, free and at work; and hold his time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import agreed, wording
from b24app.core.actions import Action, ClaimSlot, ReleaseSlots
from b24app.core.agreed import Span
from b24app.core.call import Call
from b24app.core.item import Busy, Item, People
from b24app.core.needs import Facts, Ledger, Need, NeedBusy, NeedItem, NeedLedger, NeedPeople
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.text import T, join

BOOKED = T("{name} свободен и забронирован: {when}", "{name} is free and booked: {when}")
NO_INSTALLER = T("монтажник не назначен (поле «{field}»)", "no installer is named (field “{field}”)")
DISMISSED = T("{name} больше не работает в компании", "{name} does not work here any more")
NO_DATE = T("нет даты, на которую бронировать (поле «{field}»)", "there is no date to book for (field “{field}”)")
OTHER_ORDER = T("{name} занят другим заказом «{order}»: {when}", "{name} is busy with another order, “{order}”: {when}")
ABSENT = T("{name} отсутствует: {what} {when}", "{name} is absent: {what} {when}")
BUSY = T("{name} занят: {what} {when}", "{name} is busy: {what} {when}")


@dataclass(frozen=True, slots=True)
class Props:
    date_field: str = prop(T("Поле с датой", "Field with the date"), default="install_date")
    time_field: str = prop(T("Поле со временем", "Field with the time"), default="install_time")
    user_field: str = prop(T("Поле с монтажником", "Field with the installer"), default="installer")
    hours: int = prop(
        T("Длительность, часов", "Length, hours"),
        default=4,
        help=T("Без времени занят весь рабочий день", "Without an hour the whole working day is taken"),
    )


@dataclass(frozen=True, slots=True)
class Returns:
    ok: bool = prop(T("Забронирован", "Booked"))
    reason: str = prop(T("Причина", "Reason"))
    installer: str = prop(T("Монтажник", "Installer"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the installer's other time on the agreed day once both are known."""
    wanted: list[Need[Any]] = [NeedItem(call.item), NeedPeople(), NeedLedger(call.item)]
    item = facts.get(NeedItem(call.item))
    busy = _need_busy(call, props, item) if item else None
    return [*wanted, busy] if busy else wanted


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Fail with everything that speaks against the booking at once; else claim the time for this order."""
    item, ledger, people = facts[NeedItem(call.item)], facts[NeedLedger(call.item)], facts[NeedPeople()]
    if item is None:
        return Outcome(wording.GONE, returns=Returns(False, call.say(wording.GONE), ""), ok=False)
    user, span = item.user(props.user_field), agreed.visit(call, item, props.date_field, props.time_field, props.hours)
    name = people.name(user) if user else ""
    reasons = (*_missing(call, props, people, user, span), *_taken(call, props, facts, item, name))
    if reasons or user is None or span is None:
        why = join(reasons, "; ")
        return Outcome(why, _let_go(call, ledger, user, span), Returns(False, call.say(why), name), ok=False)
    actions: tuple[Action, ...] = ()
    if not _holds(ledger, user, span):
        actions = (*_let_go(call, ledger, user, span), ClaimSlot(call.item, user, span.start, span.end))
    return Outcome(BOOKED.fill(name=name, when=agreed.words(span)), actions, Returns(True, "", name))


def _missing(call: Call, props: Props, people: People, user: int | None, span: Span | None) -> tuple[T, ...]:
    reasons: list[T] = []
    if user is None:
        reasons.append(NO_INSTALLER.fill(field=wording.label(call, props.user_field)))
    elif not people.active(user):
        reasons.append(DISMISSED.fill(name=people.name(user)))
    if span is None:
        reasons.append(NO_DATE.fill(field=wording.label(call, props.date_field)))
    return tuple(reasons)


def _taken(call: Call, props: Props, facts: Facts, item: Item, name: str) -> tuple[T, ...]:
    """Name what overlaps the visit, every other order once, whether the ledger or the portal tells of it."""
    need = _need_busy(call, props, item)
    span = agreed.visit(call, item, props.date_field, props.time_field, props.hours)
    if need is None or span is None:
        return ()
    ledger = facts[NeedLedger(call.item)]
    held = (busy for busy in ledger.others if busy.user == need.user)
    found = [busy for busy in (*held, *facts[need]) if busy.overlaps(span.start, span.end) and not _own(call, ledger, busy)]
    orders = {busy.item: busy for busy in reversed(found) if busy.item is not None}
    others = [busy for busy in found if busy.item is None]
    return tuple(dict.fromkeys(_said(call, busy, name) for busy in (*orders.values(), *others)))


def _own(call: Call, ledger: Ledger, busy: Busy) -> bool:
    visit = ledger.visit
    if busy.item is not None:
        return busy.item == call.item
    return busy.kind == "busy" and visit is not None and (busy.start, busy.end) == (visit.start, visit.end)


def _said(call: Call, busy: Busy, name: str) -> T:
    local = call.house.calendar.local
    when = agreed.words(Span(local(busy.start), local(busy.end)))
    if busy.kind == "visit":
        return OTHER_ORDER.fill(name=name, order=busy.what or busy.item or "—", when=when)
    phrase = ABSENT if busy.kind == "absent" else BUSY
    return phrase.fill(name=name, what=f"«{busy.what}»" if busy.what else "", when=when)


def _need_busy(call: Call, props: Props, item: Item) -> NeedBusy | None:
    user, day = item.user(props.user_field), agreed.day(call, item, props.date_field)
    if user is None or day is None:
        return None
    return NeedBusy(user, day, call.item, props.date_field, props.time_field, props.user_field)


def _holds(ledger: Ledger, user: int | None, span: Span | None) -> bool:
    held = [(busy.user, busy.start, busy.end) for busy in ledger.claimed]
    return span is not None and held == [(user, span.start, span.end)]


def _let_go(call: Call, ledger: Ledger, user: int | None, span: Span | None) -> tuple[Action, ...]:
    """Give back a slot that is not the agreed one any more, so that it does not block other orders."""
    return (ReleaseSlots(call.item),) if ledger.claimed and not _holds(ledger, user, span) else ()


ROBOT = Robot(
    code="check_installer_booking",
    name=T("Проверить бронь монтажника", "Check the booking of the installer"),
    description=T(
        "Проверяет, что монтажник назначен, работает, не занят и не отсутствует, и бронирует его время за этим заказом",
        "Checks that an installer is named, works here, is neither busy nor absent, and books his time for this order",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    returns=Returns,
    waits=True,
    check=True,
)
