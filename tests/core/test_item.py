from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.core.item import Busy, Department, ItemRef, People, User, parse_time, ref_of_binding
from tests.builders import DIRECTOR, GONE, HEAD, INSTALLER, MANAGER, NOW, a_deal, a_task, people


@given(st.integers(1, 2000), st.integers(1, 10**9))
@settings(max_examples=100, deadline=None)
def test_a_binding_names_its_item(entity_type_id: int, item_id: int) -> None:
    ref = ItemRef(entity_type_id, item_id)
    assert ref_of_binding(ref.binding) == ref


def test_bindings_look_as_the_portal_writes_them() -> None:
    assert [ItemRef(n, 5).binding for n in (1, 2, 176)] == ["L_5", "D_5", "Tb0_5"]
    assert [ItemRef(n, 5).timeline_type for n in (1, 2, 176)] == ["lead", "deal", "dynamic_176"]


@pytest.mark.parametrize("code", ["", "D_", "_5", "D5", "D_x", "Tzz_5", "X_5", "D_٥"])
def test_anything_else_is_no_binding(code: str) -> None:
    assert ref_of_binding(code) is None


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("10:00", time(10)),
        ("9.30", time(9, 30)),
        ("14-00", time(14)),
        ("10-30", time(10, 30)),
        ("8", time(8)),
        (" 10:00 – 14:00", time(10)),
        ("10:30-12:00", time(10, 30)),
        ("10-12", time(10)),
        ("9-15", time(9)),
        ("с 10 до 12", time(10)),
        ("в 9:05", time(9, 5)),
        ("0:00", time(0)),
    ],
)
def test_a_time_of_day_is_read_as_people_type_it(text: str, clock: time) -> None:
    assert parse_time(text) == clock


@pytest.mark.parametrize("text", ["", "после обеда", "24:00", "10:60", "1000", "-5", "١٠:٠٠", "около 10"])
def test_what_is_no_time_of_day_is_none(text: str) -> None:
    assert parse_time(text) is None


@given(st.text(max_size=20))
@settings(max_examples=100, deadline=None)
def test_reading_a_time_never_fails(text: str) -> None:
    parse_time(text)


def test_fields_are_read_by_kind_and_anything_else_is_empty() -> None:
    deal = a_deal(
        fields={"day": date(2026, 6, 1), "moment": NOW, "clock": time(9), "typed": "9:00", "user": 7, "yes": True, "zero": 0}
    )

    assert (deal.day("day"), deal.day("moment"), deal.day("typed"), deal.day("nothing")) == (
        date(2026, 6, 1),
        NOW.date(),
        None,
        None,
    )
    assert (deal.clock_time("clock"), deal.clock_time("typed"), deal.clock_time("user")) == (time(9), time(9), None)
    assert [deal.user(name) for name in ("user", "yes", "zero", "typed", "nothing")] == [7, None, None, None, None]
    assert (deal.text("user"), deal.text("nothing")) == ("7", "")


def test_the_head_is_the_nearest_active_one_above_and_never_oneself() -> None:
    assert people().head_of(MANAGER) == HEAD
    assert people().head_of(HEAD) == DIRECTOR
    assert people().head_of(INSTALLER) == DIRECTOR
    assert people().head_of(DIRECTOR) is None
    assert people(without=[HEAD]).head_of(MANAGER) == DIRECTOR
    assert people().head_of(404) is None


def test_departments_in_a_circle_end_the_search() -> None:
    circle = {1: Department(1, "А", 2), 2: Department(2, "Б", 1)}
    assert People({7: User(7, "Мария", departments=(1,))}, circle).head_of(7) is None


def test_people_are_named_even_when_unknown() -> None:
    assert (people().name(MANAGER), people().name(404), people().name(None)) == ("Мария Менова", "№ 404", "—")
    assert not people().active(GONE)
    assert not people().active(None)


def test_a_task_waiting_for_control_is_finished_by_its_executor() -> None:
    finished = {
        status: a_task(status).finished for status in ("pending", "in_progress", "awaiting_control", "completed", "deferred")
    }
    assert [status for status, done in finished.items() if done] == ["awaiting_control", "completed"]


def test_spans_that_touch_do_not_overlap() -> None:
    busy = Busy(NOW, NOW + timedelta(hours=1), "busy")
    assert busy.overlaps(NOW - timedelta(hours=1), NOW + timedelta(minutes=1))
    assert not busy.overlaps(NOW + timedelta(hours=1), NOW + timedelta(hours=2))
    assert not busy.overlaps(datetime(2026, 1, 1, tzinfo=NOW.tzinfo), NOW)
