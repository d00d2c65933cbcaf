"""What was agreed with the client: the day, the hour, and the time a visit takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from b24app.core.call import Call
from b24app.core.item import Item


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, by the company's clock; ``timed`` is False where no hour was agreed and the whole day is taken."""

    start: datetime
    end: datetime
    timed: bool = True


def day(call: Call, item: Item, date_field: str) -> date | None:
    """Return the agreed day; a field with a moment in it is read by the company's clock."""
    value = item.fields.get(date_field)
    if isinstance(value, datetime) and value.tzinfo:
        return call.house.calendar.today(value)
    return item.day(date_field)


def clock_time(call: Call, item: Item, date_field: str, time_field: str) -> time | None:
    """Return the agreed hour: of its own field, else of a date field that holds a moment; midnight there means none."""
    own = item.clock_time(time_field)
    value = item.fields.get(date_field)
    if own is not None or item.text(time_field).strip() or not isinstance(value, datetime) or not value.tzinfo:
        return own
    local = call.house.calendar.local(value).time()
    return local.replace(tzinfo=None) if local != time(0) else None


def visit(call: Call, item: Item, date_field: str, time_field: str, hours: int) -> Span | None:
    """Return the time a visit takes; without an hour the whole working day; None without a day."""
    calendar, agreed_day = call.house.calendar, day(call, item, date_field)
    if agreed_day is None:
        return None
    clock = clock_time(call, item, date_field, time_field)
    if clock is None:
        return Span(calendar.at(agreed_day, calendar.starts), calendar.at(agreed_day, calendar.ends), timed=False)
    start = calendar.at(agreed_day, clock)
    end = start.astimezone(UTC) + timedelta(hours=max(hours, 1))
    return Span(start, calendar.local(end))


def starts(span: Span) -> str:
    """Write when a span begins: with its hour where one was agreed."""
    return f"{span.start:%d.%m.%Y %H:%M}" if span.timed else f"{span.start:%d.%m.%Y}"


def words(span: Span) -> str:
    """Write a span the way people say it: 12.12.2026 10:00–14:00."""
    if span.start.date() == span.end.date():
        return f"{span.start:%d.%m.%Y %H:%M}–{span.end:%H:%M}"
    return f"{span.start:%d.%m.%Y %H:%M} – {span.end:%d.%m.%Y %H:%M}"
