"""Booking a visit from the card of an order: the crew's week, and the choice of a free hour in it.

The slot is claimed in the transaction that writes the decision down, so of two people who choose at once one wins and the
other is told whose order it is. The fields and the calendar entry are actions like a robot's; the lane carries them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from b24app.bitrix.commands import Command
from b24app.bitrix.errors import NotFound, PortalError, Refused
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import Reply, as_map, count
from b24app.calendar import calendar_of
from b24app.core.actions import Action, AddVisit, CancelVisit, ClaimSlot, UpdateItem
from b24app.core.call import AskedByPerson
from b24app.core.item import Busy, ItemRef, People, User
from b24app.core.needs import Visit
from b24app.core.process import Booking
from b24app.core.text import T, cut, plain
from b24app.core.worktime import WorkCalendar
from b24app.engine.decisions.record import cause_json, marked
from b24app.engine.knowledge import known
from b24app.engine.known import Standing, standing_of, with_stage
from b24app.engine.people.schedule import Slot, Week, occupied, week_of
from b24app.engine.workshop import Workshop
from b24app.store import audit, journal, ledger, views, visits
from b24app.store.portals import Portal

ROBOT = "set_booking"
"""Under this code the choices of people stand in the journal."""

_WHY = T(
    "{by}: выбрано время {time}, выезжает {crew}",
    "{by} chose {time}, {crew} will go",
)
_TITLE = T("Монтаж: {title}", "Installation: {title}")
_LONGEST_AHEAD = timedelta(days=370)


@dataclass(frozen=True, slots=True)
class Order:
    """The order a visit is booked for, as just read from the portal."""

    title: str
    address: str
    standing: Standing
    booking: Booking


@dataclass(frozen=True, slots=True)
class Plan:
    """A week to choose from; ``blind`` tells that the calendars could not be read and only orders are known."""

    order: Order
    week: Week
    blind: bool
    held: Busy | None
    """The time held for this order now."""
    tz: ZoneInfo
    """The company's zone, in which all is shown."""


class NoBooking(Exception):
    """The order's process books nobody, or the order stands outside of every process."""


class NoCrew(Exception):
    """Nobody was named who could go; an administrator does that in the settings."""


class OrderGone(Exception):
    """The order is not on the portal any more."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The time is held for the order; ``again`` tells that it was already."""

    user: User
    slot: Slot
    again: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody was faster, or the person is not free; ``by`` is what takes the time where it is known."""

    by: Busy | None


class StillWriting(Exception):
    """An earlier choice is being written to the portal at this moment; come again in a few seconds."""


def crew_of(portal: Portal, people: People) -> tuple[User, ...]:
    """Return the active people who may be booked, by name."""
    named, departments = set(portal.settings.crew_users), set(portal.settings.crew_departments)
    found = [u for u in people.users.values() if u.active and (u.id in named or departments.intersection(u.departments))]
    return tuple(sorted(found, key=lambda user: (user.name.casefold(), user.id)))


def plan(workshop: Workshop, gate: Gate, portal: Portal, item: ItemRef, day: date | None = None) -> Plan:
    """Lay out the week of a day (of today when none is given) with one request to the portal.

    The portal's people are read too where what is known of them is old. Raises `NoBooking`, `NoCrew`, `OrderGone`, or the
    `PortalError` that kept the order from being read.
    """
    now = workshop.now()
    calendar = calendar_of(portal.settings, now.date())
    monday = _monday(day, calendar.today(now))
    with workshop.database.read() as connection:
        standing = standing_of(connection, workshop, portal, item)
        memory = ledger.ledger(connection, portal.id, item)
    if standing is not None and standing.process.booking is None:
        raise NoBooking(item.binding)
    crew = crew_of(portal, known(workshop, portal, gate).people)
    if not crew:
        raise NoCrew(portal.member_id)
    read, times = gate.batch(_reads(item, crew, monday))
    order = _order(workshop, portal, item, read)
    own = [(memory.visit.user, memory.visit.start, memory.visit.end)] if memory.visit else []
    own += [(busy.user or 0, busy.start, busy.end) for busy in memory.claimed]
    busy = _refreshed(memory.others, crew, monday, calendar)
    blind = not isinstance(times, Reply)
    if isinstance(times, Reply):
        booked = {(b.user, b.start, b.end) for b in busy}
        busy += [b for b in occupied(times.result, calendar, own) if (b.user, b.start, b.end) not in booked]
    elif not isinstance(times, Refused):
        raise times
    week = week_of(monday, crew, busy, memory.claimed, calendar, order.booking.hours, now)
    return Plan(order, week, blind, memory.claimed[0] if memory.claimed else None, calendar.tz)


def _monday(day: date | None, today: date) -> date:
    wanted = day if day is not None and abs(day - today) <= _LONGEST_AHEAD else today
    return wanted - timedelta(wanted.weekday())


def _reads(item: ItemRef, crew: Iterable[User], monday: date) -> list[Command]:
    card = {"entityTypeId": item.entity_type_id, "id": item.id, "useOriginalUfNames": "Y"}
    span = {"from": monday.isoformat(), "to": (monday + timedelta(7)).isoformat()}
    users = {"users": [user.id for user in crew]}
    return [Command("crm.item.get", card), Command("calendar.accessibility.get", {**users, **span})]


def _order(workshop: Workshop, portal: Portal, item: ItemRef, read: Reply | PortalError) -> Order:
    if isinstance(read, NotFound):
        raise OrderGone(item.binding) from read
    if isinstance(read, PortalError):
        raise read
    card = as_map(as_map(read.result).get("item"))
    with workshop.database.read() as connection:
        standing = standing_of(connection, workshop, portal, item, count(card.get("categoryId")))
    if standing is None or standing.process.booking is None:
        raise NoBooking(item.binding)
    booking, standing = standing.process.booking, with_stage(standing, str(card.get("stageId") or ""))
    address = card.get(standing.tie.fields.get("address", ""))
    title = cut(plain(str(card.get("title") or item.binding)), 200)
    written = address.split("|;|")[0] if isinstance(address, str) else ""  # the tail holds the place on the map
    return Order(title, cut(plain(written), 200), standing, booking)


def _refreshed(others: Iterable[Busy], crew: Iterable[User], monday: date, calendar: WorkCalendar) -> list[Busy]:
    """Keep the held time of this crew in this week."""
    ids = {user.id for user in crew}
    start, end = calendar.at(monday, calendar.starts), calendar.at(monday + timedelta(7), calendar.starts)
    return [busy for busy in others if busy.user in ids and busy.overlaps(start, end)]


def choose(
    workshop: Workshop, gate: Gate, portal: Portal, item: ItemRef, user: int, start: datetime, by: str
) -> Chosen | Taken:
    """Hold a person's time for an order and write it into the order; ``by`` is who chose it, for the journal.

    The week is read anew, so what was free when the page was made need not be free now. Raises `StillWriting`, and what
    `plan` raises.
    """
    calendar = calendar_of(portal.settings, workshop.now().date())
    seen = plan(workshop, gate, portal, item, calendar.today(start))
    slot = seen.week.slot(user, start)
    who = next((member for member in seen.week.crew if member.id == user), None)
    if slot is None or who is None:
        return Taken(_in_the_way(seen, user, start))
    chosen = _hold(workshop, portal, _Choice(item, seen.order, who, slot, by))
    if isinstance(chosen, Chosen):
        workshop.wake(portal.id)
    return chosen


def _in_the_way(seen: Plan, user: int, start: datetime) -> Busy | None:
    end = start + timedelta(hours=seen.week.hours)
    for cell in seen.week.cells.values():
        for busy in cell.busy:
            if cell.user == user and busy.overlaps(start, end):
                return busy
    return None


@dataclass(frozen=True, slots=True)
class _Choice:
    """Who chose which time of whom for which order."""

    item: ItemRef
    order: Order
    who: User
    slot: Slot
    by: str


def _hold(workshop: Workshop, portal: Portal, choice: _Choice) -> Chosen | Taken:
    now, item, slot = workshop.now(), choice.item, choice.slot
    claim = ClaimSlot(item, choice.who.id, slot.start, slot.end)
    with workshop.database.write() as connection:
        taken = visits.claim(connection, portal.id, claim, choice.order.title, now)
        if taken is not None:
            return Taken(taken)
        waiting = views.unsettled_of_robot(connection, portal.id, item, ROBOT)
        if waiting and slot.chosen:
            return Chosen(choice.who, slot, again=True)
        if views.drop_pending(connection, [row.id for row in waiting], "chosen anew", now) < len(waiting):
            raise StillWriting(item.binding)
        memory = ledger.ledger(connection, portal.id, item)
        _write_down(connection, workshop, portal, choice, memory.visit)
    return Chosen(choice.who, slot)


def _write_down(connection: Connection, workshop: Workshop, portal: Portal, choice: _Choice, visit: Visit | None) -> None:
    """Store the choice as a run with its actions, and wake the portal."""
    now, item, slot, standing = workshop.now(), choice.item, choice.slot, choice.order.standing
    key = f"booking:{item.binding}:{int(now.timestamp() * 1_000_000)}"
    said = f"{slot.start:%d.%m.%Y %H:%M}–{slot.end:%H:%M}"
    run_id = journal.add_run(
        connection,
        portal.id,
        key=key,
        item=item,
        robot=ROBOT,
        ok=True,
        why=_WHY.fill(by=choice.by, time=said, crew=choice.who.name),
        state="decided",
        at=now,
        work_id=None,
        entry_id=views.last_entry_id(connection, portal.id, item),
        process=standing.process.code,
        version=standing.process.version,
        stage_id=standing.stage_id,
        cause=cause_json(AskedByPerson(choice.by, "booking")),
        props={"user": choice.who.id, "start": slot.start.isoformat(), "end": slot.end.isoformat()},
        facts={},
        returns={},
        asked_by=choice.by,
    )
    if run_id is None:
        return  # the very same choice in the same microsecond
    for mark, action in marked(portal, key, _actions(choice, visit, portal)):
        journal.add_action(connection, portal.id, run_id, item, mark, action, "pending", now)
    details = {"item": item.binding, "user": choice.who.id, "start": slot.start.isoformat()}
    audit.note(connection, portal.id, now, choice.by, "booking", "", **details)
    workshop.portals.wake(connection, portal.id, now)


def _actions(choice: _Choice, visit: Visit | None, portal: Portal) -> tuple[Action, ...]:
    item, order, who, slot = choice.item, choice.order, choice.who, choice.slot
    fields = _fields(order.booking, who, slot)
    title = cut(plain(_TITLE.fill(title=order.title).at(portal.settings.lang)), 250)
    added = AddVisit(item, who.id, slot.start, slot.end, title, location=order.address)
    if visit is None:
        return (UpdateItem(item, fields), added)
    if (visit.user, visit.start, visit.end) == (who.id, slot.start, slot.end):
        return (UpdateItem(item, fields),)
    return (UpdateItem(item, fields), CancelVisit(item, visit.id, visit.user), added)


def _fields(booking: Booking, who: User, slot: Slot) -> Mapping[str, Any]:
    return {
        booking.date: slot.start.date().isoformat(),
        booking.time: f"{slot.start:%H:%M}",
        booking.person: who.id,
    }
