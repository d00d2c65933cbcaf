from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from b24app.core.figures import Correction, Person, Source, Spent
from b24app.core.item import ItemRef
from b24app.core.overview import Choice, overview
from b24app.core.worktime import WorkCalendar
from tests.builders import utc

OFFICE = WorkCalendar()
DONE = Correction(
    portal="p1",
    item=ItemRef(1046, 1),
    title="Разбор",
    source=Source("Продажи"),
    responsible=Person(7, "Иванов Иван"),
    started_at=utc(2026, 5, 20, 9),
    finished_at=utc(2026, 6, 2, 9),
    times={"analysis": Spent(timedelta(days=3), timedelta(hours=6))},
    officer=Person(9, "Сидоров Пётр"),
    effort=timedelta(hours=4),
)
LATE = replace(DONE, item=ItemRef(1046, 2), finished_at=utc(2026, 6, 30, 22), days_overdue=2)
"""Finished on July 1 by Moscow's clock."""
MAY = replace(DONE, item=ItemRef(1046, 4), finished_at=utc(2026, 5, 25, 9), effort=timedelta(hours=10))
OPEN = replace(DONE, item=ItemRef(1046, 3), finished_at=None, source=Source("Аренда"), officer=None)


@pytest.mark.parametrize(
    ("choice", "numbers"),
    [
        (Choice(), [4, 3, 2, 1]),
        (Choice(date(2026, 6, 2), date(2026, 6, 2)), [1]),
        (Choice(date(2026, 6, 3), None), [2]),
        (Choice(date(2026, 7, 1), date(2026, 7, 1)), [2]),
        (Choice(None, date(2026, 5, 20)), [3]),
        (Choice(pipeline="Аренда"), [3]),
        (Choice(date(2026, 6, 1), None, "Аренда"), []),
    ],
)
def test_a_correction_belongs_to_the_companys_day_it_was_finished_and_while_open_to_the_day_it_began(
    choice: Choice, numbers: list[int]
) -> None:
    found = overview([DONE, LATE, OPEN, MAY], choice, OFFICE)
    assert [row.item.id for row in found.rows] == numbers
    assert found.whole.count == len(numbers)
    assert found.pipelines == ("Аренда", "Продажи")


def test_the_last_two_months_with_anything_finished_are_compared() -> None:
    trend = overview([DONE, MAY, OPEN], Choice(), OFFICE).trend
    assert trend is not None
    assert (trend.before.key, trend.now.key) == ("2026-05", "2026-06")
    assert trend.cost == (timedelta(hours=10), timedelta(hours=4))
    assert trend.speed == (timedelta(hours=6), timedelta(hours=6))
    assert overview([DONE, OPEN], Choice(), OFFICE).trend is None


def test_a_cancelled_correction_makes_no_month_and_no_trend() -> None:
    given_up = replace(MAY, cancelled=True)
    found = overview([DONE, given_up], Choice(), OFFICE)
    assert [month.key for month in found.finished_months] == ["2026-06"]
    assert found.trend is None


def test_officers_are_summed_up_and_the_overdue_counted() -> None:
    found = overview([DONE, LATE, OPEN], Choice(), OFFICE)
    assert [(one.name, one.count) for one in found.officers] == [("Сидоров Пётр", 2)]
    assert (found.overdue, found.whole.days_overdue) == (1, 2)
