"""What is learnt of a portal's speed from its answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from b24app.bitrix.replies import Timing
from b24app.bitrix.tempo import OPERATING_LIMIT, Tempo

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


def test_a_blocked_method_rests_and_the_others_do_not() -> None:
    tempo = Tempo()
    tempo.blocked(LINE, RESET)
    assert tempo.rests_until(LINE, NOW) == RESET
    assert tempo.rests_until("tasks.task.add", NOW) is None
