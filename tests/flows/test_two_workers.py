"""Two workers of one portal: one that slept through its lease finds out before it sends anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from b24app.bitrix.budget import Priority
from b24app.bitrix.gate import Gate
from b24app.engine.access import gate_of
from b24app.engine.acting.perform import Performer
from b24app.engine.running import lane as lanes
from b24app.engine.running.lane import LEASE, Lane
from b24app.engine.workshop import Workshop
from b24app.store.portals import Portal
from tests.flows.stage import AGREED, Stage
from tests.flows.test_faults import begun, created


class NoPulse:
    """The pulse of a process that is stopped: its lease runs out."""

    lost = False

    def __init__(self, renew: Callable[[], bool], _every: float) -> None:
        self.renew = renew

    def stop(self) -> None:
        """Do nothing."""


def others_go_on(stage: Stage) -> None:
    """Let the lease of whoever has the portal run out, and another worker do all there is to do."""
    stage.clock.advance(LEASE + timedelta(seconds=1))
    Lane(stage.application.workshop, stage.portal_id, "another").drain()


def test_a_worker_that_sleeps_between_reading_actions_and_sending_them_sends_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[int] = []

    def gates(workshop: Workshop, portal: Portal, priority: Priority) -> Gate:
        gate = gate_of(workshop, portal, priority)
        book = gate.book

        def sleepy() -> None:
            book()
            if not slept:
                slept.append(1)
                others_go_on(stage)

        monkeypatch.setattr(gate, "book", sleepy)
        return gate

    monkeypatch.setattr(lanes, "Pulse", NoPulse)
    deal = created(stage)
    stage.portal.deliver()
    Lane(stage.application.workshop, stage.portal_id, "sleepy", gates=gates).drain()
    stage.settle()
    assert slept == [1]
    begun(stage, deal)


def test_a_worker_that_sleeps_before_a_message_sends_none(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    deal = stage.arrive("date_agreed", **AGREED)
    slept = list[int]()
    packs = Performer._packs

    def sleepy(performer: Performer, waiting: Any) -> Any:
        if not slept and any(stored.action.kind == "send_sms" for stored in waiting):
            slept.append(1)
            others_go_on(stage)
        return packs(performer, waiting)

    monkeypatch.setattr(lanes, "Pulse", NoPulse)
    monkeypatch.setattr(Performer, "_packs", sleepy)
    stage.turn(days=6)
    stage.close(deal, "Позвонить клиенту")
    stage.move(deal, "installation_set")
    assert (slept, len(stage.world.sms.outbox), stage.world.sms.repeated) == ([1], 1, [])
