"""calendar.event.*, calendar.accessibility.get, calendar.settings.get, timeman.schedule.get (calendar, timeman)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.calendars import CalendarEvent
from sandbox.crm import values
from sandbox.errors import RestError
from sandbox.registry import Call, method
from sandbox.wire import JSON, as_list, whole, yes

FIELDS = (
    "type ownerId from to from_ts to_ts section name skip_time timezone_from timezone_to description"
    " color text_color accessibility importance private_event rrule is_meeting location remind attendees meeting crm_fields"
)


def _required(call: Call, *names: str) -> None:
    for name in names:
        if call.get(name) in (None, "", []):
            raise RestError("", f'Не задан обязательный параметр "{name}" для метода "{call.method}"')


def _moment(call: Call, name: str) -> datetime:
    if call.get(f"{name}_ts"):
        return datetime.fromtimestamp(whole(call.get(f"{name}_ts")), call.portal.server_zone)
    text = str(call.get(name))
    zone = call.get("timezone_from") if name == "from" else call.get("timezone_to")
    try:
        bare = datetime.fromisoformat(text)
    except ValueError:
        bare = None
    if bare is not None and bare.tzinfo is None and zone:
        return bare.replace(tzinfo=ZoneInfo(str(zone)))
    date_only = yes(call.get("skip_time", "N"))
    moment = values.parse_moment(call.portal, text, f"{call.method}.{name}", date_only=date_only)
    if moment is None:
        raise RestError("", "При создании события произошла ошибка")
    return moment


@method("calendar.event.add", "calendar", f"{FIELDS} auto_detect_section")
def event_add(call: Call) -> Any:
    """Put an entry into a calendar (calendar-event-add.md)."""
    _required(call, "type", "ownerId", "name")
    for name in ("from", "to"):
        if not call.get(f"{name}_ts"):
            _required(call, name)
    if call.get("crm_fields") is not None and not isinstance(call.get("crm_fields"), list):
        raise RestError("", "Список связей события с CRM должен быть массивом")
    calendars = call.portal.calendars
    start, end = _moment(call, "from"), _moment(call, "to")
    entry = CalendarEvent(
        id=calendars.next_id(),
        kind=str(call.get("type")),
        owner=whole(call.get("ownerId")),
        name=str(call.get("name")),
        start=start,
        end=end,
        created_by=call.caller.user_id,
        created=call.portal.now(),
    )
    _set(call, entry)
    calendars.events[entry.id] = entry
    call.portal.events.emit("ONCALENDARENTRYADD", {"id": entry.id}, call.caller)
    return entry.id


def _set(call: Call, entry: CalendarEvent) -> None:
    entry.name = str(call.get("name", entry.name))
    entry.description = str(call.get("description", entry.description))
    entry.accessibility = str(call.get("accessibility", entry.accessibility))
    entry.importance = str(call.get("importance", entry.importance))
    entry.location = str(call.get("location", entry.location))
    entry.skip_time = yes(call.get("skip_time", entry.skip_time))
    entry.section = whole(call.get("section", entry.section))
    if "attendees" in call.params:
        entry.attendees = [whole(item) for item in call.listing("attendees")]
    if "crm_fields" in call.params:
        entry.crm_fields = [str(item) for item in call.listing("crm_fields")]
    if "remind" in call.params:
        entry.remind = call.listing("remind")


def _entry(call: Call) -> CalendarEvent:
    found = call.portal.calendars.events.get(whole(call.get("id") or 0))
    if found is None:
        raise RestError("", "Доступ запрещен")
    return found


@method("calendar.event.update", "calendar", f"id {FIELDS} recurrence_mode current_date_from host")
def event_update(call: Call) -> Any:
    """Change an entry (calendar-event-update.md)."""
    _required(call, "id", "type", "ownerId")
    entry = _entry(call)
    if call.get("from") or call.get("from_ts"):
        entry.start = _moment(call, "from")
    if call.get("to") or call.get("to_ts"):
        entry.end = _moment(call, "to")
    _set(call, entry)
    call.portal.events.emit("ONCALENDARENTRYUPDATE", {"id": entry.id}, call.caller)
    return entry.id


@method("calendar.event.delete", "calendar", "id")
def event_delete(call: Call) -> Any:
    """Delete an entry (calendar-event-delete.md)."""
    if not call.get("id"):
        raise RestError("", "Не задан id события")
    if whole(call.get("id")) not in call.portal.calendars.events:
        raise RestError("", "При удалении события произошла ошибка")
    del call.portal.calendars.events[whole(call.get("id"))]
    call.portal.events.emit("ONCALENDARENTRYDELETE", {"id": whole(call.get("id"))}, call.caller)
    return True


def write(call: Call, entry: CalendarEvent) -> JSON:
    """Write an entry: texts in the portal's format, exact moments in the ``_TS_UTC`` numbers."""
    zone = call.portal.server_zone
    start, end = entry.start.astimezone(zone), entry.end.astimezone(zone)
    return {
        "ID": str(entry.id),
        "PARENT_ID": str(entry.id),
        "DELETED": "N",
        "CAL_TYPE": entry.kind,
        "OWNER_ID": str(entry.owner),
        "NAME": entry.name,
        "DATE_FROM": start.strftime("%d.%m.%Y %H:%M:%S"),
        "DATE_TO": end.strftime("%d.%m.%Y %H:%M:%S"),
        "TZ_FROM": str(zone),
        "TZ_TO": str(zone),
        "DATE_FROM_TS_UTC": str(int(start.timestamp())),
        "DATE_TO_TS_UTC": str(int(end.timestamp())),
        "DT_SKIP_TIME": "Y" if entry.skip_time else "N",
        "DT_LENGTH": int((end - start).total_seconds()),
        "CREATED_BY": str(entry.created_by),
        "DESCRIPTION": entry.description,
        "ACCESSIBILITY": entry.accessibility,
        "IMPORTANCE": entry.importance,
        "LOCATION": entry.location,
        "IS_MEETING": bool(entry.attendees),
        "ATTENDEE_LIST": [{"id": user_id, "status": "Q"} for user_id in entry.attendees],
        "UF_CRM_CAL_EVENT": entry.crm_fields or False,
        "SECTION_ID": str(entry.section or 1),
        "REMIND": entry.remind,
    }


@method("calendar.event.getbyid", "calendar", "id")
def event_by_id(call: Call) -> Any:
    """Read an entry (calendar-event-get-by-id.md)."""
    _required(call, "id")
    return write(call, _entry(call))


def _bounds(call: Call) -> tuple[datetime, datetime]:
    now = call.portal.now()
    edges = []
    for name, fallback in (("from", now - timedelta(days=30)), ("to", now + timedelta(days=90))):
        given = call.get(name)
        moment = values.parse_moment(call.portal, given, call.method, date_only=True) if given else fallback
        edges.append(moment or fallback)
    return edges[0], edges[1] + timedelta(days=1)


@method("calendar.event.get", "calendar", "type ownerId from to section")
def event_get(call: Call) -> Any:
    """List the entries of a calendar within dates (calendar-event-get.md)."""
    _required(call, "type", "ownerId")
    begin, end = _bounds(call)
    kind, owner = str(call.get("type")), whole(call.get("ownerId"))
    entries = call.portal.calendars.events.values()
    mine = [e for e in entries if (e.kind, e.owner) == (kind, owner) or (kind == "user" and e.concerns(owner))]
    return [write(call, e) for e in mine if e.start < end and e.end > begin]


@method("calendar.accessibility.get", "calendar", "users from to")
def accessibility(call: Call) -> Any:
    """Tell when employees are taken (calendar-accessibility-get.md); dates are whole days."""
    _required(call, "from", "to", "users")
    begin, end = _bounds(call)
    names = {"ID", "NAME", "DATE_FROM", "DATE_TO", "DATE_FROM_TS_UTC", "DATE_TO_TS_UTC", "DT_SKIP_TIME"}
    names |= {"TZ_FROM", "TZ_TO", "ACCESSIBILITY", "IMPORTANCE"}
    found: JSON = {}
    for user_id in (whole(item) for item in as_list(call.get("users"))):
        entries = [e for e in call.portal.calendars.events.values() if e.concerns(user_id)]
        taken = [write(call, e) for e in entries if e.start < end and e.end > begin]
        found[str(user_id)] = [{k: v for k, v in row.items() if k in names} for row in taken]
    return found


@method("calendar.settings.get", "calendar")
def settings(call: Call) -> Any:
    """Give the company's working time and holidays (calendar-settings-get.md)."""
    return call.portal.calendars.settings


@method("calendar.section.get", "calendar", "type ownerId")
def sections(call: Call) -> Any:
    """List the sections of a calendar (calendar-section-get.md)."""
    _required(call, "type", "ownerId")
    kind, owner = str(call.get("type")), str(whole(call.get("ownerId")))
    return [{"ID": "1", "NAME": "Мой календарь", "CAL_TYPE": kind, "OWNER_ID": owner, "ACTIVE": "Y"}]


@method("timeman.schedule.get", "timeman", "id")
def schedule(call: Call) -> Any:
    """Give the working schedule (timeman-schedule-get.md)."""
    hours = call.portal.calendars.settings
    shift = {
        "ID": 1,
        "NAME": "",
        "BREAK_DURATION": 3600,
        "WORK_TIME_START": whole(hours["work_time_start"]) * 3600,
        "WORK_TIME_END": whole(hours["work_time_end"]) * 3600,
        "WORK_DAYS": "12345",
    }
    return {"ID": 1, "NAME": "Для всех сотрудников", "SCHEDULE_TYPE": "FIXED", "SHIFTS": [shift]}
