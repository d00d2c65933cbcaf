from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.core.worktime import Pause, WorkCalendar
from tests.builders import MOSCOW, utc

MOSCOW_TIME = WorkCalendar()
ZONES = st.sampled_from(
    ["Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Honolulu"]
)
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
CALENDARS = st.builds(
    WorkCalendar,
    zone=ZONES,
    holidays=st.frozensets(st.dates(date(2025, 1, 1), date(2027, 12, 31)), max_size=10),
    working_weekends=st.frozensets(st.dates(date(2025, 1, 1), date(2027, 12, 31)), max_size=10),
)
PAUSES = st.builds(Pause, st.integers(0, 40), st.sampled_from("mhdw"))
FAST = settings(max_examples=60, deadline=None)


def at(day: int, hour: int = 12, month: int = 6) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=MOSCOW)


def test_friday_evening_and_three_working_days_is_wednesday() -> None:
    assert Pause(3, "w").after(at(12, 20), MOSCOW_TIME) == at(17, 18)


def test_a_holiday_and_a_working_saturday_count_as_what_they_are() -> None:
    calendar = WorkCalendar(holidays=frozenset({date(2026, 6, 12)}), working_weekends=frozenset({date(2026, 6, 13)}))
    assert not calendar.is_working_day(date(2026, 6, 12))
    assert Pause(1, "w").after(at(11), calendar) == at(13, 18)
    assert calendar.previous_working_day(date(2026, 6, 13)) == date(2026, 6, 11)


def test_a_day_lasts_from_hour_to_hour_though_the_clock_is_changed() -> None:
    berlin = WorkCalendar("Europe/Berlin")
    before_change = datetime(2026, 3, 28, 12, tzinfo=berlin.tz)  # clocks go forward on the 29th
    assert Pause(1, "d").after(before_change, berlin) == datetime(2026, 3, 29, 12, tzinfo=berlin.tz)
    assert berlin.local(Pause(24, "h").after(before_change, berlin)).hour == 13


def test_the_day_of_the_company_is_not_the_day_of_the_server() -> None:
    assert MOSCOW_TIME.today(utc(2026, 6, 10, 22)) == date(2026, 6, 11)


@given(MOMENTS, st.integers(0, 5000), st.sampled_from("mh"), CALENDARS)
@FAST
def test_minutes_and_hours_are_exact_in_every_zone(moment: datetime, count: int, unit: str, calendar: WorkCalendar) -> None:
    pause = Pause(count, unit)
    later = pause.after(calendar.local(moment), calendar)
    assert later.astimezone(UTC) - moment == timedelta(**{"minutes" if unit == "m" else "hours": count})
    assert pause.before(later, calendar) == moment


@given(MOMENTS, st.integers(0, 400), CALENDARS)
@FAST
def test_days_keep_the_hour_on_the_clock(moment: datetime, count: int, calendar: WorkCalendar) -> None:
    start = calendar.at(calendar.today(moment), time(12))
    later = calendar.local(Pause(count, "d").after(start, calendar))
    assert later.time() == time(12)
    assert later.date() - start.date() == timedelta(days=count)
    assert Pause(count, "d").before(later, calendar) == start


@given(MOMENTS, st.integers(1, 40), CALENDARS)
@FAST
def test_working_days_end_with_a_working_day_and_skip_none(moment: datetime, count: int, calendar: WorkCalendar) -> None:
    due = calendar.local(Pause(count, "w").after(moment, calendar))
    days = (calendar.today(moment) + timedelta(n) for n in range(1, (due.date() - calendar.today(moment)).days + 1))
    assert sum(calendar.is_working_day(day) for day in days) == count
    assert calendar.is_working_day(due.date())
    assert due.time() == calendar.ends


@given(MOMENTS, PAUSES, CALENDARS)
@FAST
def test_a_pause_never_ends_before_it_begins_by_more_than_its_own_day(
    moment: datetime, pause: Pause, calendar: WorkCalendar
) -> None:
    assert pause.after(moment, calendar) >= moment or pause.count == 0


@given(PAUSES)
@FAST
def test_a_pause_is_read_back_as_it_was_written(pause: Pause) -> None:
    assert Pause.parse(str(pause)) == pause
    assert Pause.parse(pause.words().ru) == pause
    assert Pause.parse(pause.words().en) == pause


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("24h", (24, "h")),
        ("24", (24, "h")),
        ("90 мин", (90, "m")),
        ("3 рабочих дня", (3, "w")),
        ("1  Working  Day", (1, "w")),
        ("2 дня", (2, "d")),
    ],
)
def test_a_pause_is_read_as_people_write_it(text: str, pause: tuple[int, str]) -> None:
    assert Pause.parse(text) == Pause(*pause)


@pytest.mark.parametrize("text", ["", "h", "-1h", "soon", "1 fortnight", "123456 days", "1.5h"])
def test_what_is_no_pause_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="24h"):
        Pause.parse(text)


def test_working_time_is_what_lies_within_working_hours() -> None:
    assert MOSCOW_TIME.working_time(at(12, 17), at(15, 10)) == timedelta(hours=2)
    assert MOSCOW_TIME.working_time(at(13), at(14)) == timedelta()
    assert MOSCOW_TIME.working_time(at(15), at(12)) == timedelta()


@given(MOMENTS, st.timedeltas(timedelta(), timedelta(days=20)), CALENDARS)
@FAST
def test_working_time_is_never_longer_than_time(start: datetime, length: timedelta, calendar: WorkCalendar) -> None:
    assert timedelta() <= calendar.working_time(start, start + length) <= length


def test_a_calendar_without_working_days_is_refused_instead_of_searched_for_ever() -> None:
    never = WorkCalendar(weekend=frozenset(range(7)))
    with pytest.raises(ValueError, match="without a working day"):
        never.next_working_day(date(2026, 6, 1))
    with pytest.raises(ValueError, match="without a working day"):
        never.previous_working_day(date(2026, 6, 1))
