"""Workers come back to a portal to the moment, without anybody waking them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import TimeoutError
from structlog.testing import capture_logs

from b24app.engine.pulse import Pulse
from b24app.engine.running import workers
from b24app.engine.running.lane import Lane
from b24app.engine.running.workers import Workers, due_portals
from b24app.engine.workshop import Workshop
from tests.shop import Shop, shop


@pytest.fixture
def opened(tmp_path: Path) -> Shop:
    made = shop(tmp_path)
    made.add_portal()
    return made


def drains(patch: pytest.MonkeyPatch, opened: Shop, *due: timedelta | None) -> tuple[list[int], threading.Event]:
    """Let drains say one after the other when something comes due; tell when the last of them has been."""
    seen, over = list[int](), threading.Event()

    def drain(workshop: Workshop, portal_id: int, owner: str, stopping: object) -> datetime | None:
        ahead = due[len(seen)]
        seen.append(portal_id)
        if len(seen) == len(due):
            over.set()
        return None if ahead is None else opened.clock() + ahead

    patch.setattr(workers, "drain", drain)
    patch.setattr(workers, "due_portals", lambda workshop: [])
    patch.setattr(workers, "LEAST", 0.001)
    return seen, over


def test_a_portal_that_has_something_due_soon_is_drained_again_by_itself(
    opened: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = timedelta(milliseconds=2)
    seen, over = drains(monkeypatch, opened, moment, moment, None)
    pool = Workers(opened.workshop, threads=2)
    pool.start()
    pool.wake(1)
    assert over.wait(10)
    pool.stop()
    assert seen == [1, 1, 1]


@pytest.mark.parametrize("ahead", [None, timedelta(0), timedelta(seconds=-5), timedelta(hours=1)])
def test_what_is_overdue_or_far_ahead_is_left_to_the_clock(
    opened: Shop, monkeypatch: pytest.MonkeyPatch, ahead: timedelta | None
) -> None:
    """A moment that has passed means that something else is waited for: coming back at once would be a race."""
    seen, over = drains(monkeypatch, opened, ahead)
    pool = Workers(opened.workshop, threads=1)
    pool.start()
    pool.wake(1)
    assert over.wait(10)
    pool.stop()
    assert (seen, pool._later) == ([1], {})


def test_a_lease_is_renewed_again_after_the_database_had_no_connection_to_spare() -> None:
    over = threading.Event()
    answers: Iterator[bool | Exception] = iter([TimeoutError("QueuePool limit"), True, False])

    def renew() -> bool:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        if not answer:
            over.set()
        return answer

    pulse = Pulse(renew, every=0.001)
    assert over.wait(10)
    pulse.stop()
    assert pulse.lost


@pytest.mark.parametrize(("error", "paused"), [(KeyError("odd"), True), (TimeoutError("QueuePool limit"), False)])
def test_a_drain_that_breaks_off_is_not_tried_every_second_and_says_why(
    opened: Shop, monkeypatch: pytest.MonkeyPatch, error: Exception, paused: bool
) -> None:
    def broken(_lane: Lane) -> None:
        raise error

    monkeypatch.setattr(Lane, "drain", broken)
    with capture_logs():
        assert workers.drain(opened.workshop, 1, "a worker") is None
    opened.clock.turn(seconds=5)
    assert due_portals(opened.workshop) == ([] if paused else [1])
    assert opened.workshop.portal(1).reason == ("KeyError: 'odd'" if paused else "")
    opened.clock.turn(seconds=20)
    assert due_portals(opened.workshop) == [1]
