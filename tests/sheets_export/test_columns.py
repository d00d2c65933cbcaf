from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from b24app.core.figures import Person
from sheets_export.columns import BY_CODE, COLUMNS, Cell, cells, in_hours, serial
from sheets_export.pivot import SUMS, anchors
from tests.sheets_export.desk import OFFICE, correction


def test_no_two_columns_share_a_code_or_a_title() -> None:
    assert len(BY_CODE) == len(COLUMNS)
    for titles in ([c.title.ru for c in COLUMNS], [c.title.en for c in COLUMNS]):
        assert len(set(titles)) == len(COLUMNS)


def test_what_the_quality_department_asked_for_is_there() -> None:
    asked = {
        "started",
        "finished",
        "analysis",
        "approval",
        "changes",
        "measures",
        "responsible",
        "bonus",
        "effort",
        "source_link",
        "violations",
        "unforeseen",
        "regulations",
        "systems",
        "orders",
        "rounds",
        "open_tasks",
        "overdue",
    }
    assert asked <= set(BY_CODE)


def test_a_moment_is_days_on_the_company_s_clock() -> None:
    assert serial(datetime(1899, 12, 31, 9, 29, 43, tzinfo=UTC), OFFICE) == 1.5  # Moscow was 2:30:17 ahead
    assert serial(datetime(2026, 6, 1, 21, tzinfo=UTC), OFFICE) == 46175.0


def test_hours_have_two_digits() -> None:
    assert in_hours(timedelta(minutes=20)) == 0.33


def test_the_month_of_what_never_was_finished_says_why() -> None:
    def month(**changes: Any) -> Cell:
        return dict(zip(BY_CODE, cells(correction(1, **changes), OFFICE, "ru"), strict=True))["month"]

    assert [month(), month(cancelled=True), month(finished_at=None)] == ["2026-05", "отменена", "в работе"]


def test_measures_are_counted_by_kind() -> None:
    made = correction(1, kinds={"order": 2})
    row = dict(zip(BY_CODE, cells(made, OFFICE, "ru"), strict=True))
    assert [row[code] for code in ("regulations", "systems", "orders")] == [0, 0, 2]


def test_a_person_without_a_name_is_named_by_number() -> None:
    row = dict(zip(BY_CODE, cells(correction(1, responsible=Person(44, ""), officer=None), OFFICE, "en"), strict=True))
    assert (row["responsible"], row["officer"]) == ("№ 44", "")


def test_the_pivot_tables_do_not_reach_into_each_other() -> None:
    (_, first), (_, second) = anchors()
    assert second - first > 2 + len(SUMS)
