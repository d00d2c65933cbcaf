"""Calendars: events of employees and the company's working time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.wire import JSON

if TYPE_CHECKING:
    from sandbox.portal import Portal


@dataclass(slots=True, eq=False)
class CalendarEvent:
    """An entry of a calendar."""

    id: int
    kind: str
    owner: int
    name: str
    start: datetime
    end: datetime
    created_by: int
    created: datetime
    accessibility: str = "busy"
    importance: str = "normal"
    skip_time: bool = False
    description: str = ""
    location: str = ""
    attendees: list[int] = field(default_factory=list)
    crm_fields: list[str] = field(default_factory=list)
    remind: list[JSON] = field(default_factory=list)
    section: int = 0

    def concerns(self, user_id: int) -> bool:
        """Tell whether the entry takes a user's time."""
        return (self.kind == "user" and self.owner == user_id) or user_id in self.attendees


class Calendars:
    """All calendars of one portal."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self.events: dict[int, CalendarEvent] = {}
        self.settings: JSON = {
            "work_time_start": "9",
            "work_time_end": "19",
            "year_holidays": "1.01,2.01,7.01,23.02,8.03,1.05,9.05,12.06,4.11",
            "year_workdays": "31.12",
            "week_holidays": ["SA", "SU"],
            "week_start": "MO",
        }
        self._last = 1000

    def next_id(self) -> int:
        """Give the next number."""
        self._last += 1
        return self._last

    def add(self, user_id: int, name: str, start: datetime, end: datetime, accessibility: str = "busy") -> CalendarEvent:
        """Put an entry into an employee's calendar (``absent`` for a vacation)."""
        number = self.next_id()
        now = self._portal.now()
        entry = CalendarEvent(number, "user", user_id, name, start, end, user_id, now, accessibility)
        self.events[number] = entry
        return entry
