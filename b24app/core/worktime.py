"""The company's working time: which days and hours count, and arithmetic on them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from b24app.core.text import T, counted


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """A working calendar in the company's zone; ``weekend`` holds weekday numbers, Monday is 0."""

    zone: str = "Europe/Moscow"
    starts: time = time(9)
    ends: time = time(18)
    weekend: frozenset[int] = frozenset({5, 6})
    holidays: frozenset[date] = field(default_factory=frozenset)
    working_weekends: frozenset[date] = field(default_factory=frozenset)

    @property
    def tz(self) -> ZoneInfo:
        return _zone(self.zone)

    def local(self, moment: datetime) -> datetime:
        """Show a moment on the company's clock."""
        return moment.astimezone(self.tz)

    def today(self, moment: datetime) -> date:
        """Return the company's day at a moment."""
        return self.local(moment).date()

    def at(self, day: date, clock: time) -> datetime:
        """Return the moment when the company's clock shows a time on a day."""
        return datetime.combine(day, clock, self.tz)

    def is_working_day(self, day: date) -> bool:
        if day in self.working_weekends:
            return True
        return day.weekday() not in self.weekend and day not in self.holidays

    def next_working_day(self, day: date) -> date:
        """Return the first working day after a day; raises `ValueError` where a year has none."""
        for ahead in range(1, 367):
            if self.is_working_day(day + timedelta(ahead)):
                return day + timedelta(ahead)
        raise ValueError("a working calendar without a working day")

    def previous_working_day(self, day: date) -> date:
        """Return the last working day before a day; raises `ValueError` where a year has none."""
        for back in range(1, 367):
            if self.is_working_day(day - timedelta(back)):
                return day - timedelta(back)
        raise ValueError("a working calendar without a working day")

    def add_working_days(self, moment: datetime, days: int) -> datetime:
        """Return the end of the ``days``-th working day after the day of a moment.

        The day of the moment itself does not count: Friday evening and three working days is Wednesday, at the
        hour the working day ends.
        """
        day = self.today(moment)
        for _ in range(days):
            day = self.next_working_day(day)
        return self.at(day, self.ends)

    def working_time(self, start: datetime, end: datetime) -> timedelta:
        """Measure the working time between two moments."""
        if end <= start:
            return timedelta()
        total, day, last = timedelta(), self.today(start), self.today(end)
        while day <= last:
            if self.is_working_day(day):
                opened = max(start, self.at(day, self.starts))
                closed = min(end, self.at(day, self.ends))
                total += max(closed.astimezone(UTC) - opened.astimezone(UTC), timedelta())
            day += timedelta(1)
        return total


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


_PAUSE = re.compile(r"^\s*(\d{1,5})\s*(.*?)\s*$")
_UNITS = {
    "m": ("m", "min", "minute", "minutes", "м", "мин", "минута", "минуты", "минут"),
    "h": ("h", "hour", "hours", "ч", "час", "часа", "часов"),
    "d": ("d", "day", "days", "д", "день", "дня", "дней", "calendar day", "calendar days"),
    "w": ("working day", "working days", "wd", "рабочий день", "рабочих дня", "рабочих дней", "рд"),
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words}


@dataclass(frozen=True, slots=True)
class Pause:
    """A length of time as people agree it: minutes, hours, calendar days or working days."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Pause:
        """Read ``24h``, ``90 min``, ``2 days``, ``3 working days``, ``3 рабочих дня``; a bare number is hours.

        Raises `ValueError` naming what was not understood.
        """
        match = _PAUSE.match(str(text).lower())
        unit = _UNIT_OF.get(" ".join(match.group(2).split()) or "h") if match else None
        if match is None or unit is None:
            raise ValueError(f"not a length of time: {text!r} (write 24h, 90 min, 2 days, 3 working days)")
        return cls(int(match.group(1)), unit)

    def after(self, moment: datetime, calendar: WorkCalendar) -> datetime:
        """Return the moment that lies this long after another."""
        match self.unit:
            case "m":
                return moment.astimezone(UTC) + timedelta(minutes=self.count)
            case "h":
                return moment.astimezone(UTC) + timedelta(hours=self.count)
            case "d":
                local = calendar.local(moment) + timedelta(days=self.count)
                return calendar.at(local.date(), local.timetz().replace(tzinfo=None))
            case _:
                return calendar.add_working_days(moment, self.count)

    def before(self, moment: datetime, calendar: WorkCalendar) -> datetime:
        """Return the moment that lies this long before another; days keep the hour of the company's clock."""
        match self.unit:
            case "m":
                return moment.astimezone(UTC) - timedelta(minutes=self.count)
            case "h":
                return moment.astimezone(UTC) - timedelta(hours=self.count)
            case "d":
                local = calendar.local(moment) - timedelta(days=self.count)
                return calendar.at(local.date(), local.timetz().replace(tzinfo=None))
            case _:
                day = calendar.today(moment)
                for _ in range(self.count):
                    day = calendar.previous_working_day(day)
                return calendar.at(day, calendar.local(moment).timetz().replace(tzinfo=None))

    def words(self) -> T:
        """Write the length in words."""
        n = self.count
        ru = {
            "m": counted(n, "минута", "минуты", "минут"),
            "h": counted(n, "час", "часа", "часов"),
            "d": counted(n, "день", "дня", "дней"),
            "w": counted(n, "рабочий день", "рабочих дня", "рабочих дней"),
        }[self.unit]
        en = {"m": "minute", "h": "hour", "d": "day", "w": "working day"}[self.unit]
        return T(ru, f"{n} {en}{'' if n == 1 else 's'}")

    def __str__(self) -> str:
        return f"{self.count}{ {'m': 'm', 'h': 'h', 'd': 'd', 'w': ' working days'}[self.unit] }"
