from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.core.figures import (
    CANCELLED,
    GROUPS,
    NOTHING,
    Correction,
    Entry,
    Group,
    Person,
    Source,
    Spent,
    Stay,
    UnclearHistory,
    altogether,
    by_month,
    by_pipeline,
    by_responsible,
    by_violation,
    stage_times,
    stay_of,
)
from b24app.core.item import ItemRef
from b24app.core.worktime import WorkCalendar
from tests.builders import MOSCOW, utc

OFFICE = WorkCalendar()
STAGES: dict[str, Group] = {
    "ANALYSIS": "analysis",
    "MEASURES": "analysis",
    "APPROVAL": "approval",
    "CHANGES": "changes",
    "FINAL": "changes",
}
ZONES = ["Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Honolulu"]
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
CALENDARS = st.builds(
    WorkCalendar,
    zone=st.sampled_from(ZONES),
    weekend=st.frozensets(st.integers(0, 6), max_size=6),
    holidays=st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=8),
)
HISTORIES = st.lists(MOMENTS, min_size=1, max_size=8, unique=True).flatmap(
    lambda times: st.tuples(*(st.builds(Entry, st.sampled_from(sorted(STAGES)), st.just(at)) for at in sorted(times)))
)
FAST = settings(max_examples=50, deadline=None)


def at(day: int, hour: int, minute: int = 0, month: int = 6) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=MOSCOW)


def hours(calendar: float, working: float) -> Spent:
    return Spent(timedelta(hours=calendar), timedelta(hours=working))


def whole(times: dict[Group, Spent]) -> Spent:
    return sum(times.values(), NOTHING)


def test_a_return_to_measures_adds_to_the_time_of_analysis() -> None:
    moves = [
        Entry("ANALYSIS", at(1, 10)),  # a Monday
        Entry("MEASURES", at(1, 12)),
        Entry("APPROVAL", at(1, 14)),
        Entry("MEASURES", at(1, 17)),
        Entry("APPROVAL", at(2, 11)),
        Entry("CHANGES", at(2, 12)),
        Entry("DONE", at(2, 13)),
    ]

    assert stage_times(moves, STAGES, at(2, 13), OFFICE) == {
        "analysis": hours(4 + 18, 4 + 3),
        "approval": hours(3 + 1, 3 + 1),
        "changes": hours(1, 1),
    }


def test_a_weekend_and_a_holiday_are_calendar_time_only() -> None:
    calendar = WorkCalendar(holidays=frozenset({date(2026, 6, 15)}))
    times = stage_times([Entry("APPROVAL", at(12, 17))], STAGES, at(16, 10), calendar)
    assert times["approval"] == hours(24 * 4 - 7, 1 + 1)


def test_the_night_the_clocks_change_has_the_hours_it_really_had() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    moves = [Entry("ANALYSIS", datetime(2026, 3, 28, 12, tzinfo=berlin))]
    times = stage_times(moves, STAGES, datetime(2026, 3, 29, 12, tzinfo=berlin), WorkCalendar("Europe/Berlin"))
    assert times["analysis"].calendar == timedelta(hours=23)


def test_an_open_stage_does_not_count_yet() -> None:
    moves = [Entry("ANALYSIS", at(1, 10)), Entry("APPROVAL", at(1, 12))]
    assert stage_times(moves, STAGES, None, OFFICE) == {"analysis": hours(2, 2), "approval": NOTHING, "changes": NOTHING}


def test_the_open_stage_is_told_apart_and_grows() -> None:
    moves = [Entry("ANALYSIS", at(1, 10)), Entry("APPROVAL", at(1, 12))]
    assert stay_of(moves, STAGES, at(1, 15), OFFICE) == Stay(at(1, 12), "approval", hours(3, 3))
    assert stay_of(moves, STAGES, at(2, 12), OFFICE) == Stay(at(1, 12), "approval", hours(24, 9))
    assert stay_of(moves, STAGES, at(1, 11), OFFICE) == Stay(at(1, 12), "approval", NOTHING)  # the portal's clock is ahead
    assert stay_of([*moves, Entry("OTHER", at(1, 13))], STAGES, at(1, 14), OFFICE) == Stay(at(1, 13), None, hours(1, 1))
    assert stay_of([], STAGES, at(1, 15), OFFICE) is None


def test_rows_after_the_end_and_stages_of_no_group_count_nowhere() -> None:
    moves = [Entry("ANALYSIS", at(1, 10)), Entry("OTHER", at(1, 11)), Entry("CHANGES", at(1, 15)), Entry("FINAL", at(2, 10))]
    times = stage_times(moves, STAGES, at(1, 16), OFFICE)
    assert times == {"analysis": hours(1, 1), "approval": NOTHING, "changes": hours(1, 1)}


def test_two_rows_of_one_moment_are_ordered_by_their_numbers() -> None:
    moves = [Entry("APPROVAL", at(1, 10), 2), Entry("ANALYSIS", at(1, 10), 1)]
    assert stage_times(moves, STAGES, at(1, 12), OFFICE)["approval"] == hours(2, 2)


@pytest.mark.parametrize(
    "moves",
    [
        [Entry("ANALYSIS", at(1, 10)), Entry("APPROVAL", at(1, 10))],
        [Entry("ANALYSIS", datetime(2026, 6, 1))],  # noqa: DTZ001
    ],
)
def test_a_history_that_does_not_tell_is_refused(moves: list[Entry]) -> None:
    with pytest.raises(UnclearHistory):
        stage_times(moves, STAGES, at(2, 10), OFFICE)


def test_an_empty_history_took_no_time() -> None:
    assert stage_times([], STAGES, at(1, 10), OFFICE) == dict.fromkeys(GROUPS, NOTHING)


@given(HISTORIES, st.timedeltas(timedelta(), timedelta(40)), CALENDARS)
@FAST
def test_the_groups_together_are_the_whole_span(moves: tuple[Entry, ...], after: timedelta, calendar: WorkCalendar) -> None:
    end = moves[-1].at + after
    together = whole(dict(stage_times(moves, STAGES, end, calendar)))
    assert together.calendar == end - moves[0].at
    assert together.working == calendar.working_time(moves[0].at, end)
    assert timedelta() <= together.working <= together.calendar


@given(HISTORIES, CALENDARS, st.sampled_from(ZONES), st.randoms(use_true_random=False))
@FAST
def test_neither_order_nor_repetition_nor_zone_of_the_rows_changes_a_figure(
    moves: tuple[Entry, ...], calendar: WorkCalendar, zone: str, chance: object
) -> None:
    end = moves[-1].at + timedelta(hours=5)
    shuffled = [replace(move, at=move.at.astimezone(ZoneInfo(zone))) for move in (*moves, *moves)]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert stage_times(shuffled, STAGES, end.astimezone(ZoneInfo(zone)), calendar) == stage_times(
        moves, STAGES, end, calendar
    )


@given(HISTORIES, st.timedeltas(timedelta(), timedelta(40)), CALENDARS)
@FAST
def test_each_group_is_the_sum_of_its_own_stays(moves: tuple[Entry, ...], after: timedelta, calendar: WorkCalendar) -> None:
    end = moves[-1].at + after
    stays = pairwise([*moves, Entry("DONE", end)])
    expected = dict.fromkeys(GROUPS, timedelta())
    for entered, left in stays:
        expected[STAGES[entered.stage]] += left.at - entered.at
    times = stage_times(moves, STAGES, end, calendar)
    assert {group: times[group].calendar for group in GROUPS} == expected


IVANOV, NAMESAKE, PETROVA = Person(7, "Иванов Иван"), Person(8, "Иванов Иван"), Person(3, "Петрова Анна")
FIRST = Correction(
    "p1",
    ItemRef(1046, 1),
    "Разбор сделки",
    Source("Продажи"),
    IVANOV,
    at(1, 10),
    at(30, 23, 30),
    times={"analysis": hours(4, 2), "approval": hours(2, 2)},
    grade="A",
    bonus=Decimal(10),
    effort=timedelta(hours=3),
    violations=("сроки", "документы", "сроки"),
    measures=("регламент",),
)


def test_the_sums_of_a_responsible_person_are_hours_points_and_quality() -> None:
    third = replace(FIRST, item=ItemRef(1046, 3), grade="C", bonus=Decimal("2.5"), days_overdue=4)
    graceless = replace(FIRST, item=ItemRef(1046, 4), grade=None, finished_at=None, open_tasks=2)
    (ivanov,) = by_responsible([FIRST, third, graceless])

    assert (ivanov.name, ivanov.count, ivanov.finished, ivanov.graded, ivanov.measures) == ("Иванов Иван", 3, 2, 2, 3)
    assert (ivanov.effort, ivanov.bonus) == (timedelta(hours=9), Decimal("22.5"))
    assert (ivanov.open_tasks, ivanov.days_overdue, ivanov.mean_working) == (2, 4, timedelta(hours=4))
    assert ivanov.shares == {"A": Decimal("0.5"), "B": Decimal(0), "C": Decimal("0.5")}


def test_namesakes_stay_apart() -> None:
    rows = [FIRST, replace(FIRST, responsible=NAMESAKE), replace(FIRST, responsible=PETROVA)]
    assert [(figures.key, figures.count) for figures in by_responsible(rows)] == [("7", 1), ("8", 1), ("3", 1)]


def test_a_month_is_the_company_s_month_of_finishing_and_open_ones_come_last() -> None:
    tokyo = WorkCalendar("Asia/Tokyo")
    rows = [replace(FIRST, finished_at=None), FIRST, replace(FIRST, finished_at=utc(2026, 5, 31, 22))]
    assert [figures.key for figures in by_month(rows, OFFICE)] == ["2026-06", ""]
    assert [figures.key for figures in by_month(rows, tokyo)] == ["2026-06", "2026-07", ""]


def test_a_cancelled_correction_is_neither_finished_nor_open() -> None:
    cancelled = replace(FIRST, cancelled=True, grade=None)
    found = altogether([FIRST, cancelled, replace(FIRST, finished_at=None)])
    assert (found.count, found.finished, found.cancelled, found.open) == (3, 1, 1, 1)
    assert [one.key for one in by_month([FIRST, cancelled, replace(FIRST, finished_at=None)], OFFICE)] == [
        "2026-06",
        CANCELLED,
        "",
    ]


def test_a_violation_counts_once_in_each_of_its_types() -> None:
    assert [(f.name, f.count) for f in by_violation([FIRST])] == [("документы", 1), ("сроки", 1)]
    assert [f.name for f in by_pipeline([FIRST, replace(FIRST, source=Source("Аренда"))])] == ["Аренда", "Продажи"]


def test_nothing_sums_up_to_nothing() -> None:
    assert altogether([]).shares == {"A": 0, "B": 0, "C": 0}
    assert altogether([]).mean_working == timedelta()


def test_the_key_tells_portals_and_items_apart() -> None:
    assert FIRST.key == "p1/T416_1"
