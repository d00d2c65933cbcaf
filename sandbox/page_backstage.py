"""Behind the scenes: who plays, the time machine, notifications, faults, the request log, the SMS outbox."""

from __future__ import annotations

import zlib
from collections import Counter
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, get_args

from flask import jsonify, redirect, request

from sandbox.control import turn_clock
from sandbox.errors import RestError
from sandbox.faults import KINDS
from sandbox.page_desk import WHO, Desk
from sandbox.server import REFUSALS
from sandbox.sheets_grid import Access
from sandbox.wire import JSON, whole

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from sandbox.portal import Portal

WEEK = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MORNING = time(10)
SHARES = ("drop_events", "duplicate_events")
COUNTS = ("refuse_refresh", "oauth_down")
SHOWN_ROWS = 200


def register(desk: Desk) -> None:
    """Add these views to the page."""
    _frame_views(desk)
    _clock_views(desk)
    _notification_views(desk)
    _fault_views(desk)
    _sheet_views(desk)
    _log_views(desk)


def _frame_views(desk: Desk) -> None:
    @desk.view("/_sandbox/who", "POST")
    def become() -> ResponseReturnValue:
        answer = desk.back()
        answer.set_cookie(WHO, str(whole(request.form.get("user_id"))), samesite="Lax", httponly=True)
        return answer

    @desk.view("/_sandbox/language", "POST")
    def speak() -> ResponseReturnValue:
        language = "en" if request.form.get("language") == "en" else "ru"
        for user in desk.portal.people.users.values():
            user.language = language
        return desk.back()

    @desk.view("/_sandbox/changes")
    def changes() -> ResponseReturnValue:
        """Tell whether anything changed ``since`` a mark, with what the top bar shows."""
        mark = mark_of(desk.portal)
        return jsonify(
            mark=mark,
            changed=mark != request.args.get("since", ""),
            clock=desk.local(desk.portal.world.now()),
            requests=len(desk.portal.requests),
            unread=desk.unread(desk.who.id),
        )

    @desk.view("/company/personal/user/<int:user_id>/")
    def person(user_id: int) -> ResponseReturnValue:
        user = desk.portal.people.users.get(user_id)
        if user is None:
            raise RestError("NOT_FOUND", desk.say("Такого сотрудника нет", "No such employee"), 404)
        departments = [desk.portal.people.departments[number].name for number in user.departments]
        return desk.page("person.html", user=user, departments=departments)


def mark_of(portal: Portal) -> str:
    """Give a text that changes with anything a page shows, the clock and the request counter aside."""
    crm, tasks, machine = portal.crm, portal.tasks, portal.automation
    seen: list[Any] = [
        [(kind, i["id"], i["updatedTime"], i.get("stageId")) for kind, shelf in crm.items.items() for i in shelf.values()],
        [(c.id, c.text) for c in portal.timeline.comments.values()],
        [(row.id, row.title, row.text) for row in portal.timeline.log.values()],
        [(todo.id, todo.deadline) for todo in portal.timeline.todos.values()],
        [(t.id, t.changed, t.status, len(t.history)) for t in tasks.tasks.values()],
        [(row.id, row.title, row.complete) for row in tasks.checklist.values()],
        [note.id for note in portal.messages.notifications],
        [(post.id, len(post.read_by)) for post in portal.messages.posts.values()],
        [row.seconds for row in tasks.elapsed.values()],
        [(run.token, run.status) for run in machine.runs],
        [(e.id, e.start, e.end, e.name) for e in portal.calendars.events.values()],
        [(s.id, s.name, s.sort) for s in crm.stages.statuses.values()],
        [(card.client_id, card.installed, card.version, len(card.placements)) for card in portal.apps.cards],
        [len(machine.robots), len(machine.placed), len(portal.world.sms.outbox), len(portal.deliveries)],
        [(kind, key, len(rows)) for (kind, key), rows in crm.product_rows.items()],
    ]
    return f"{zlib.crc32(repr(seen).encode()):08x}"


def _clock_views(desk: Desk) -> None:
    @desk.view("/_sandbox/time", "POST")
    def travel() -> ResponseReturnValue:
        turn_clock(desk.portal, _travel(desk))
        return desk.back()


def _travel(desk: Desk) -> JSON:
    """Read where the time machine goes; it never goes back, as the portal's own time does not."""
    where, now = request.form.get("go", ""), desk.portal.world.now()
    if where == "hour":
        return {"advance_seconds": 3600}
    if where == "day":
        return {"advance_seconds": 86400}
    if where == "workday":
        return {"to": next_working_morning(desk.portal, now.astimezone(desk.zone)).isoformat()}
    there = desk.read_local(request.form.get("to", ""))
    if there <= now:
        raise RestError("ERROR_ARGUMENT", desk.say("Назад во времени нельзя", "There is no way back in time"))
    return {"to": there.isoformat()}


def next_working_morning(portal: Portal, now: datetime) -> datetime:
    """Give 10:00 of the next working day by the portal's calendar, in the zone of ``now``."""
    day = now.date() if now.timetz().replace(tzinfo=None) < MORNING else now.date() + timedelta(days=1)
    settings = portal.calendars.settings
    holidays = set(str(settings["year_holidays"]).split(","))
    extra = set(str(settings["year_workdays"]).split(","))
    while True:
        name = f"{day.day}.{day.month:02d}"
        resting = WEEK[day.weekday()] in settings["week_holidays"] or name in holidays
        if not resting or name in extra:
            return datetime.combine(day, MORNING, now.tzinfo)
        day += timedelta(days=1)


def _notification_views(desk: Desk) -> None:
    @desk.view("/notifications/")
    def notifications() -> ResponseReturnValue:
        mine = [note for note in desk.portal.messages.notifications if note.user_id == desk.who.id]
        shown = list(reversed(mine))[:SHOWN_ROWS]
        return desk.page("notifications.html", notes=shown, seen=desk.read_up_to.get(desk.who.id, 0))

    @desk.view("/notifications/read", "POST")
    def read_all() -> ResponseReturnValue:
        last = max((note.id for note in desk.portal.messages.notifications), default=0)
        desk.read_up_to[desk.who.id] = last
        return redirect("/notifications/", 303)


def _fault_views(desk: Desk) -> None:
    portal = desk.portal

    @desk.view("/_sandbox/troubles")
    def troubles() -> ResponseReturnValue:
        statuses = {kind: f"{refusal.status} {refusal.code}" for kind, refusal in REFUSALS.items()}
        books = list(portal.world.sheets.books.values())
        shown: JSON = {"kinds": KINDS, "statuses": statuses, "faults": portal.faults, "limits": portal.limits}
        return desk.page("troubles.html", books=books, **shown)

    @desk.view("/_sandbox/troubles", "POST")
    def set_troubles() -> ResponseReturnValue:
        form = request.form
        for name in SHARES:
            setattr(portal.faults, name, min(max(_number(form.get(name)), 0), 100) / 100)
        portal.faults.delay_seconds = max(_number(form.get("delay_minutes")), 0) * 60
        portal.faults.reorder_events = "reorder_events" in form
        portal.limits.leaky = "leaky" in form
        for name in COUNTS:
            setattr(portal.faults, name, whole(form.get(name)))
        portal.world.sms.refuse = whole(form.get("sms_refuse"))
        return desk.back("/_sandbox/troubles")

    @desk.view("/_sandbox/troubles/add", "POST")
    def add_trouble() -> ResponseReturnValue:
        form, times = request.form, whole(request.form.get("times"))
        method = form.get("method", "").strip() or "*"
        try:
            portal.faults.add(form.get("kind", ""), method, after=whole(form.get("after")), times=times or None)
        except ValueError as mistake:
            raise RestError("ERROR_ARGUMENT", str(mistake)) from mistake
        return desk.back("/_sandbox/troubles")

    @desk.view("/_sandbox/troubles/clear", "POST")
    def clear_troubles() -> ResponseReturnValue:
        portal.faults.clear()
        portal.limits.leaky, portal.world.sms.refuse = False, 0
        return desk.back("/_sandbox/troubles")


def _sheet_views(desk: Desk) -> None:
    @desk.view("/_sandbox/troubles/sheets", "POST")
    def share_sheets() -> ResponseReturnValue:
        book = desk.portal.world.sheets.books.get(request.form.get("book", ""))
        wanted = next((one for one in get_args(Access) if one == request.form.get("access")), None)
        if book is None or wanted is None:
            raise RestError("ERROR_ARGUMENT", desk.say("Такой таблицы нет", "There is no such spreadsheet"))
        book.access = wanted
        return desk.back("/_sandbox/troubles")


def _number(text: str | None) -> float:
    try:
        return float((text or "0").replace(",", "."))
    except ValueError as mistake:
        raise RestError("ERROR_ARGUMENT", f"{text!r}: ?") from mistake


def _log_views(desk: Desk) -> None:
    portal = desk.portal

    @desk.view("/_sandbox/traffic")
    def traffic() -> ResponseReturnValue:
        return desk.page(
            "traffic.html",
            requests=list(reversed(portal.requests))[:SHOWN_ROWS],
            deliveries=list(reversed(portal.deliveries))[:SHOWN_ROWS],
            waiting=len(portal.events.queue),
            count=Counter,
            complaints=list(reversed(portal.world.complaints))[:SHOWN_ROWS],
        )

    @desk.view("/_sandbox/outbox")
    def outbox() -> ResponseReturnValue:
        sent = list(reversed(portal.world.sms.outbox))[:SHOWN_ROWS]
        return desk.page("outbox.html", sent=sent, handed=list(reversed(portal.messages.sms))[:SHOWN_ROWS])
