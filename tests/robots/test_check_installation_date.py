from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from b24app.core.call import House
from b24app.core.item import Value
from b24app.core.robot import Outcome
from b24app.core.text import T
from b24app.core.worktime import WorkCalendar
from robots.check_installation_date import ROBOT, Props, Returns
from tests.builders import NOW, a_call, a_deal, decided, facts

FRIDAY = date(2026, 6, 12)


def check(day: Value = FRIDAY, clock: Value = "10:00", props: Props | None = None, **call: Any) -> Outcome:
    deal = a_deal(fields={"install_date": day, "install_time": clock})
    return decided(ROBOT, a_call(**call), facts(deal), props or Props())


def test_a_working_day_ahead_is_fine() -> None:
    outcome = check()

    assert outcome.ok
    assert outcome.why.ru == "Дата работ 12.06.2026 в 10:00 годится"
    assert outcome.returns == Returns(True, "", FRIDAY)


def test_an_hour_is_not_needed_unless_required() -> None:
    assert check(clock=None).ok
    refused = check(clock=None, props=Props(time_required=True))
    assert not refused.ok
    assert "не указано время" in refused.why.ru


def test_a_missing_date_is_named_by_its_label() -> None:
    labels = {"install_date": T("Дата монтажа", "Installation date")}
    outcome = check(day=None, house=House(labels=labels))

    assert not outcome.ok
    assert outcome.why.ru == "не указана дата работ (поле «Дата монтажа»)"
    assert outcome.why.en == "the date of the works is not set (field “Installation date”)"


def test_all_reasons_are_told_at_once() -> None:
    outcome = check(day=date(2026, 6, 7), clock="07:30")

    assert outcome.why.ru == (
        "дата 07.06.2026 уже прошла: сегодня 10.06.2026; 07.06.2026 — нерабочий день; "
        "время 07:30 вне рабочих часов 09:00–18:00"
    )
    assert outcome.returns.reason == outcome.why.ru


@pytest.mark.parametrize(("clock", "good"), [("11:59", False), ("12:00", False), ("12:01", True)])
def test_an_hour_of_today_must_still_lie_ahead(clock: str, good: bool) -> None:
    assert check(day=NOW.date(), clock=clock).ok is good


@pytest.mark.parametrize(("clock", "good"), [("08:59", False), ("9", True), ("17:59", True), ("18:00", False)])
def test_work_begins_within_working_hours(clock: str, good: bool) -> None:
    assert check(clock=clock).ok is good


def test_words_instead_of_an_hour_are_refused_and_shown() -> None:
    outcome = check(clock="после обеда")

    assert not outcome.ok
    assert "«после обеда»" in outcome.why.ru


def test_days_off_and_odd_hours_may_be_allowed() -> None:
    assert check(day=date(2026, 6, 13), clock="21:00", props=Props(working_day=False)).ok


def test_a_holiday_is_not_a_working_day() -> None:
    house = House(calendar=WorkCalendar(holidays=frozenset({FRIDAY})))
    assert check(house=house).why.ru == "12.06.2026 — нерабочий день"


def test_today_is_the_day_of_the_company_and_not_of_the_server() -> None:
    late = datetime(2026, 6, 10, 22, 0, tzinfo=UTC)  # the 11th already in Moscow
    assert not check(day=date(2026, 6, 10), clock=None, at=late).ok
    honolulu = House(calendar=WorkCalendar("Pacific/Honolulu"))
    assert check(day=date(2026, 6, 10), clock=None, at=late, house=honolulu).ok


def test_a_date_field_with_a_moment_is_read_by_the_clock_of_the_company() -> None:
    evening = datetime(2026, 6, 11, 22, 30, tzinfo=UTC)  # half past one on Friday in Moscow
    outcome = check(day=evening, clock=None)

    assert outcome.returns.date == FRIDAY
    assert "время 01:30 вне рабочих часов" in outcome.why.ru


def test_a_time_field_may_hold_a_time() -> None:
    assert check(clock=time(17)).ok


def test_a_deleted_deal_fails_without_a_word_to_anybody() -> None:
    outcome = decided(ROBOT, a_call(), facts(deleted=True), Props())
    assert not outcome.ok
    assert outcome.actions == ()
