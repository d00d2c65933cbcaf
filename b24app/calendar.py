"""Public holidays of a country, for the working calendar. Moved working days are settled by the administrator."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays

from b24app.core.portal import PortalSettings
from b24app.core.worktime import WorkCalendar


@lru_cache(maxsize=64)
def public_holidays(country: str, year: int) -> frozenset[date]:
    """Return the public holidays of a year; none for a country the library does not know."""
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


def calendar_of(settings: PortalSettings, today: date) -> WorkCalendar:
    """Make a portal's working calendar around a day: the year before, its own, and the two after."""
    days: frozenset[date] = frozenset()
    if settings.public_holidays:
        days = days.union(*(public_holidays(settings.country, today.year + n) for n in (-1, 0, 1, 2)))
    return settings.calendar(days)
