"""A machine that began with a wrong clock: once it is set right, everything goes on at once."""

from __future__ import annotations

from datetime import timedelta

from b24app.engine.running.workers import due_portals
from tests.flows.stage import Stage
from tests.flows.test_faults import begun, created


def test_after_the_clock_was_set_back_by_hours_moves_are_read_and_answered_as_before(stage: Stage) -> None:
    workshop = stage.application.workshop
    object.__setattr__(workshop, "pace", stage.clock)  # the budget by the clock the test turns
    stage.new_deal(contactId=1)
    with workshop.database.write() as connection:
        workshop.portals.pause(connection, stage.portal_id, stage.clock() + timedelta(seconds=5))
        assert workshop.portals.take_lane(connection, 1, "who died", stage.clock(), timedelta(seconds=10))
    stage.clock.set(stage.clock() - timedelta(hours=3))
    deal = created(stage)
    stage.portal.events.queue.clear()
    assert due_portals(workshop) == [stage.portal_id]
    stage.drain()
    stage.turn(seconds=30)
    begun(stage, deal)
