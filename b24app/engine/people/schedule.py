"""A week of a crew: which hours of whom are free, and what takes the others. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from b24app.bitrix.replies import as_map, count
from b24app.core.item import Busy, User
from b24app.core.worktime import WorkCalendar

_STEP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """A possible visit: from when to when; ``chosen`` is the one held for this very order."""

    start: datetime
    end: datetime
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One person's day: the visits that fit, what takes the rest, and why nothing fits where nothing does."""

    user: int
    day: date
    slots: tuple[Slot, ...]
    busy: tuple[Busy, ...]
    closed: Literal["", "past", "day_off", "full"] = ""


@dataclass(frozen=True, slots=True)
class Week:
    """A week from Monday on; ``crew`` in the order of names, ``cells`` by user and day."""

    monday: date
    days: tuple[date, ...]
    crew: tuple[User, ...]
    cells: Mapping[tuple[int, date], Cell]
    hours: int

    @property
    def free(self) -> bool:
        """Whether anybody has time for a visit."""
        return any(cell.slots for cell in self.cells.values())

    def slot(self, user: int, start: datetime) -> Slot | None:
        """Return the visit somebody chose, if it is one that fits."""
        for cell in self.cells.values():
            if cell.user == user:
                for slot in cell.slots:
                    if slot.start == start:
                        return slot
        return None


def week_of(
    monday: date,
    crew: Sequence[User],
    busy: Iterable[Busy],
    mine: Iterable[Busy],
    calendar: WorkCalendar,
    hours: int,
    now: datetime,
) -> Week:
    """Lay out a week: a visit fits inside the working hours of a working day, in time that is ahead and free."""
    days = tuple(monday + timedelta(n) for n in range(7))
    taken, held = tuple(busy), tuple(mine)
    cells = {
        (user.id, day): _cell(user.id, day, [b for b in taken if b.user == user.id], held, calendar, hours, now)
        for user in crew
        for day in days
    }
    return Week(monday, days, tuple(crew), cells, hours)


def _cell(
    user: int, day: date, busy: Sequence[Busy], held: Sequence[Busy], calendar: WorkCalendar, hours: int, now: datetime
) -> Cell:
    opens, closes = calendar.at(day, calendar.starts), calendar.at(day, calendar.ends)
    shown = tuple(sorted((b for b in busy if b.overlaps(opens, closes)), key=lambda b: b.start))
    if not calendar.is_working_day(day):
        return Cell(user, day, (), shown, "day_off")
    if closes <= now:
        return Cell(user, day, (), shown, "past")
    fitting = [
        Slot(start, end, any(b.user == user and (b.start, b.end) == (start, end) for b in held))
        for start, end in _visits(day, calendar, hours)
        if start > now and not any(b.overlaps(start, end) for b in shown)
    ]
    return Cell(user, day, tuple(fitting), shown, "" if fitting else "full")


def _visits(day: date, calendar: WorkCalendar, hours: int) -> Iterable[tuple[datetime, datetime]]:
    """Offer a visit at every hour of the working day; one longer than the day takes the whole day."""
    opens, closes = calendar.at(day, calendar.starts), calendar.at(day, calendar.ends)
    start, length = opens.astimezone(UTC), timedelta(hours=hours)
    if start + length > closes.astimezone(UTC):
        yield opens, closes
        return
    while start + length <= closes.astimezone(UTC):
        yield calendar.local(start), calendar.local(start + length)
        start += _STEP


def occupied(answer: Any, calendar: WorkCalendar, own: Iterable[tuple[int, datetime, datetime]]) -> list[Busy]:
    """Read ``calendar.accessibility.get``: who is busy or absent when; ``own`` spans are this order's and do not count.

    The formatted dates are in anybody's zone, so only the UTC numbers are read; entries without them take no time.
    Page: api-reference/calendar/calendar-event/calendar-accessibility-get.md.
    """
    spans: set[tuple[int | None, datetime, datetime]] = {
        (user, start.astimezone(UTC), end.astimezone(UTC)) for user, start, end in own
    }
    found: list[Busy] = []
    for key, rows in as_map(answer).items():
        user = count(key)
        for row in rows if isinstance(rows, list) else ():
            busy = _busy(row, user, calendar)
            if busy is not None and (user, busy.start, busy.end) not in spans:
                found.append(busy)
    return found


def _busy(row: Any, user: int | None, calendar: WorkCalendar) -> Busy | None:
    entry = as_map(row)
    began, ended = count(entry.get("DATE_FROM_TS_UTC")), count(entry.get("DATE_TO_TS_UTC"))
    how = entry.get("ACCESSIBILITY")
    if (
        user is None
        or began is None
        or ended is None
        or how not in ("busy", "absent")
        or max(began, ended) > 253_402_300_799
    ):
        return None
    start, end = datetime.fromtimestamp(began, UTC), datetime.fromtimestamp(ended, UTC)
    if entry.get("DT_SKIP_TIME") == "Y":
        # days are kept as midnights, the last one included
        last = calendar.today(end) + timedelta(1)
        start, end = calendar.at(calendar.today(start), time(0)), calendar.at(last, time(0))
    return Busy(start, end, "absent" if how == "absent" else "busy", user=user)  # what it is is the employee's own affair
