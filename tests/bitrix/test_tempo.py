"""What is learnt of a portal's speed from its answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from b24app.bitrix.budget import Priority
from b24app.bitrix.replies import Timing
from b24app.bitrix.tempo import BLOCKED, OPERATING_LIMIT, Tempo, as_rows, from_rows

NOW = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
RESET = NOW + timedelta(minutes=3)
LINE = "task.checklistitem.add"


def told(seconds: float, operating: float) -> Timing:
    return Timing(duration=seconds, operating=operating, operating_reset_at=RESET)


def test_commands_are_taken_to_last_as_long_as_they_did() -> None:
    tempo = Tempo()
    assert tempo.lasts([LINE] * 10) == pytest.approx(1.5)
    for _ in range(30):
        tempo.note(LINE, told(0.4, 10))
    assert tempo.lasts([LINE] * 10) == pytest.approx(4.0)


def test_a_method_rests_before_its_time_is_used_up_and_until_a_part_of_it_is_forgotten() -> None:
    tempo = Tempo()
    tempo.note(LINE, told(0.1, OPERATING_LIMIT * 0.9))
    assert tempo.rests_until(LINE, NOW) is None
    assert tempo.rests_until(LINE, NOW, more=OPERATING_LIMIT * 0.06) == RESET
    tempo.note(LINE, told(0.1, OPERATING_LIMIT * 0.96))
    assert tempo.rests_until(LINE, NOW) == RESET
    assert tempo.rests_until(LINE, RESET) is None


def test_the_last_part_of_a_methods_time_is_kept_for_robots_that_are_waited_for() -> None:
    tempo = Tempo()
    tempo.note(LINE, told(0.1, OPERATING_LIMIT * 0.96))
    assert tempo.rests_until(LINE, NOW) == RESET
    assert tempo.rests_until(LINE, NOW, priority=Priority.ANSWER) is None
    tempo.note(LINE, told(0.1, OPERATING_LIMIT * 0.995))
    assert tempo.rests_until(LINE, NOW, priority=Priority.ANSWER) == RESET


def test_a_blocked_method_rests_and_the_others_do_not() -> None:
    tempo = Tempo()
    assert tempo.blocked(LINE, NOW, RESET) == RESET
    assert tempo.rests_until(LINE, NOW) == RESET
    assert tempo.rests_until("tasks.task.add", NOW) is None


def test_a_method_blocked_without_a_word_rests_as_long_as_was_said_before_or_a_minute() -> None:
    tempo = Tempo()
    tempo.note(LINE, told(0.1, 100))
    assert tempo.blocked(LINE, NOW) == RESET
    assert tempo.blocked("tasks.task.add", NOW) == NOW + BLOCKED
    assert tempo.blocked(LINE, NOW, NOW - BLOCKED) == RESET


def test_what_one_process_was_told_another_takes_over_unless_it_knows_better() -> None:
    first, second = Tempo(), Tempo()
    first.note(LINE, told(0.1, OPERATING_LIMIT * 0.97))
    first.note("crm.item.get", told(0.1, 3))
    second.note("crm.item.get", told(0.1, 5))
    handed = first.to_hand_on(NOW)
    assert handed is not None
    assert first.to_hand_on(NOW) is None
    second.take_over(from_rows(as_rows(handed)))
    assert second.rests_until(LINE, NOW) == RESET
    assert second.operating()["crm.item.get"].seconds == 5
    first.not_handed_on()
    assert first.to_hand_on(RESET) == {}
