"""Who is busy when: the calendar, and orders booked before the application came. Pages: api-reference/calendar/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from b24app.bitrix.commands import Command
from b24app.bitrix.reading.fields import FieldBook
from b24app.bitrix.reading.items import items_in
from b24app.bitrix.reading.values import integer, moment
from b24app.bitrix.replies import as_map
from b24app.core.item import Busy, ItemRef, parse_time
from b24app.core.needs import NeedBusy
from b24app.core.worktime import WorkCalendar


def accessibility(users: Sequence[int], first: date, last: date) -> Command:
    """Ask when users are busy or absent, by the calendar."""
    return Command("calendar.accessibility.get", {"users": list(users), "from": first.isoformat(), "to": last.isoformat()})


def busy_of(result: Any, book: FieldBook) -> list[Busy]:
    """Read ``calendar.accessibility.get``; visits of the application itself are left out, it knows them better."""
    found: list[Busy] = []
    for user, rows in as_map(result).items():
        for row in rows if isinstance(rows, list) else []:
            kind = str(row.get("ACCESSIBILITY") or "busy")
            if kind not in ("free", "quest") and integer(row.get("ID")) not in book.own_visits:
                start, end = _span(row, book.calendar)
                name = str(row.get("NAME") or "")
                found.append(Busy(start, end, "absent" if kind == "absent" else "busy", name, None, int(user)))
    return found


def _span(row: Mapping[str, Any], calendar: WorkCalendar) -> tuple[datetime, datetime]:
    start = datetime.fromtimestamp(integer(row.get("DATE_FROM_TS_UTC")) or 0, UTC)
    end = datetime.fromtimestamp(integer(row.get("DATE_TO_TS_UTC")) or 0, UTC)
    if row.get("DT_SKIP_TIME") == "Y":  # a whole day is written as midnight UTC of the days it covers
        return calendar.at(start.date(), time()), calendar.at(end.date() + timedelta(1), time())
    return start, end


def busy_commands(need: NeedBusy, book: FieldBook) -> tuple[Command, ...]:
    """Ask the calendar, and for orders booked before the application came where there may be any."""
    orders = _orders_command(need, book)
    calendar = accessibility([need.user], need.day, need.day)
    return (calendar,) if orders is None else (calendar, orders)


def busy_times(need: NeedBusy, results: Sequence[Any], book: FieldBook) -> tuple[Busy, ...]:
    """Read the answers to `busy_commands`."""
    calendar, *orders = results
    return (*busy_of(calendar, book), *(busy for result in orders for busy in _booked_orders(need, result, book)))


def _orders_command(need: NeedBusy, book: FieldBook) -> Command | None:
    kind = need.item.entity_type_id
    day_code, user_code = book.code(kind, need.date_field), book.code(kind, need.user_field)
    stages = book.booked_stages.get(kind, ())
    if day_code is None or user_code is None or not stages or book.booked_before is None:
        return None
    time_code = book.code(kind, need.time_field)
    filters = {day_code: need.day.isoformat(), user_code: need.user, "!id": need.item.id, "@stageId": list(stages)}
    select = ["id", "title", "movedTime", *([time_code] if time_code else [])]
    params = {"entityTypeId": kind, "filter": filters, "select": select, "start": -1, "useOriginalUfNames": "Y"}
    return Command("crm.item.list", params)


def _booked_orders(need: NeedBusy, result: Any, book: FieldBook) -> list[Busy]:
    found: list[Busy] = []
    for row in items_in(result):
        moved = moment(row.get("movedTime"))
        if moved is not None and book.booked_before is not None and moved >= book.booked_before:
            continue
        other = ItemRef(need.item.entity_type_id, int(row["id"]))
        start = parse_time(str(row.get(book.code(other.entity_type_id, need.time_field) or "") or ""))
        begins = book.calendar.at(need.day, start or book.calendar.starts)
        ends = begins + timedelta(hours=4) if start else book.calendar.at(need.day, book.calendar.ends)
        found.append(Busy(begins, ends, "visit", str(row.get("title") or ""), other, need.user))
    return found
