from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.bitrix.budget import believable, grant

NOW = 1_780_000_000.0


def test_fifty_requests_pass_from_rest_and_the_next_waits_half_a_second() -> None:
    tat = 0.0
    for _ in range(50):
        tat, wait = grant(tat, NOW)
        assert wait == 0.0
    assert grant(tat, NOW)[1] == pytest.approx(0.5)


def test_a_request_that_waited_as_told_passes() -> None:
    tat, _ = grant(0.0, NOW, hits=50)
    same, wait = grant(tat, NOW)
    assert same == tat
    assert grant(tat, NOW + wait)[1] == 0.0


def test_a_refusal_takes_nothing_from_the_bucket() -> None:
    tat, _ = grant(0.0, NOW, hits=50)
    for _ in range(100):
        tat, wait = grant(tat, NOW)
    assert wait == pytest.approx(0.5)


def test_an_idle_portal_saves_up_no_more_than_one_burst() -> None:
    tat, _ = grant(0.0, NOW, hits=50)
    tat, _ = grant(tat, NOW + 3600, hits=50)
    assert grant(tat, NOW + 3600)[1] > 0


def test_a_larger_plan_is_only_other_numbers() -> None:
    tat, wait = grant(0.0, NOW, rate=5.0, burst=250, hits=250)
    assert wait == 0.0
    assert grant(tat, NOW, rate=5.0, burst=250)[1] == pytest.approx(0.2)


@pytest.mark.parametrize("hits", [0, -1, 51])
def test_what_never_fits_is_refused(hits: int) -> None:
    with pytest.raises(ValueError, match="never fit"):
        grant(0.0, NOW, hits=hits)


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), max_size=60))
@settings(max_examples=100, deadline=None)
def test_no_more_is_ever_granted_than_the_portal_allows(asks: list[tuple[float, int]]) -> None:
    tat, now, granted = 0.0, NOW, 0
    for pause, hits in asks:
        now += pause
        tat, wait = grant(tat, now, hits=hits)
        granted += 0 if wait else hits
        assert granted <= 50 + 2 * (now - NOW) + 0.001


def test_a_moment_far_beyond_a_full_bucket_counts_as_a_full_bucket() -> None:
    assert believable(NOW + 3 * 3600, NOW) == NOW + 25
    assert believable(NOW + 30, NOW) == NOW + 30
    assert believable(0.0, NOW) == 0.0
