"""The calendar of an employee: a week of entries, and a form for one more."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from flask import request

from sandbox.calendars import CalendarEvent
from sandbox.page_crm import item_of_code
from sandbox.page_desk import Desk
from sandbox.wire import whole

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

DAYS = (("пн", "Mon"), ("вт", "Tue"), ("ср", "Wed"), ("чт", "Thu"), ("пт", "Fri"), ("сб", "Sat"), ("вс", "Sun"))
STATES = ("busy", "absent", "quest", "free")


def register(desk: Desk) -> None:
    """Add these views to the page."""

    @desk.view("/calendar/")
    def calendar() -> ResponseReturnValue:
        asked = whole(request.args.get("user") or desk.who.id)
        owner = asked if asked in desk.portal.people.users else desk.who.id
        monday = _monday(desk)
        days = [monday + timedelta(days=n) for n in range(7)]
        return desk.page(
            "calendar.html",
            owner=owner,
            monday=monday,
            today=desk.portal.world.now().astimezone(desk.zone).date(),
            days=[(day, desk.say(*DAYS[day.weekday()]), _entries(desk, owner, day)) for day in days],
            week=timedelta(days=7),
            states=STATES,
            hours=desk.portal.calendars.settings,
            tied=lambda entry: [found for code in entry.crm_fields if (found := item_of_code(desk, code))],
        )

    @desk.view("/_sandbox/calendar/add", "POST")
    def add_entry() -> ResponseReturnValue:
        form = request.form
        desk.call(
            "calendar.event.add",
            type="user",
            ownerId=whole(form.get("user_id")),
            name=form.get("name", "").strip(),
            **{name: desk.read_local(form.get(name, "")).isoformat() for name in ("from", "to")},
            accessibility=form.get("accessibility", "busy"),
        )
        return desk.back("/calendar/")

    @desk.view("/_sandbox/calendar/<int:number>/delete", "POST")
    def delete_entry(number: int) -> ResponseReturnValue:
        desk.call("calendar.event.delete", id=number, type="user", ownerId=desk.who.id)
        return desk.back("/calendar/")


def _monday(desk: Desk) -> date:
    """Give the Monday of the week asked for, of this week otherwise."""
    try:
        today = date.fromisoformat(request.args.get("week", ""))
    except ValueError:
        today = desk.portal.world.now().astimezone(desk.zone).date()
    return today - timedelta(days=today.weekday())


def _entries(desk: Desk, owner: int, day: date) -> list[CalendarEvent]:
    begin = datetime.combine(day, time(), desk.zone)
    end = begin + timedelta(days=1)
    mine = [entry for entry in desk.portal.calendars.events.values() if entry.concerns(owner)]
    return sorted((e for e in mine if e.start < end and e.end > begin), key=lambda entry: entry.start)
