"""An application without pages: the event of its installation is lost, an administrator connects it by a code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from b24app.engine.setup.install import settle_wanted
from tests.flows.stage import MARIA, Stage, a_stage


@pytest.fixture
def connected(tmp_path: Path) -> Iterator[Stage]:
    """An application that uses the API only; its administrator has followed the link of `docs/install.md`."""
    with a_stage(tmp_path, portals=("127.0.0.1",)) as stage:
        stage.card.api_only = stage.card.installed = True
        start = f"{stage.application.workshop.settings.public_url}/b24/oauth/start"
        assert requests.get(start, {"portal": stage.portal.domain}, timeout=10).status_code == 200
        stage.portal_id = 1
        assert settle_wanted(stage.application.workshop, 1) is not None
        yield stage
        assert stage.world.complaints == []


def test_everything_is_registered_and_events_are_believed_from_then_on(connected: Stage) -> None:
    connected.settle()
    portal = connected.application.workshop.portal(1)
    assert portal.state == "active"
    assert portal.application_tokens == (connected.card.application_token,)

    connected.new_deal()

    told = [delivered.status for delivered in connected.portal.deliveries]
    assert told
    assert set(told) == {200}
    assert connected.titles(connected.deal) == ["Подписать договор"]


def test_an_employees_tokens_bring_no_application_token(connected: Stage) -> None:
    connected.portal.events.queue.clear()
    connected.card.installer_id = MARIA
    send_test_event(connected)

    assert [delivered.status for delivered in connected.portal.deliveries] == [403]
    assert connected.application.workshop.portal(1).application_tokens == ()


def test_once_a_token_is_known_no_test_event_brings_another(connected: Stage) -> None:
    connected.settle()
    known, connected.card.application_token = connected.card.application_token, "f" * 32
    send_test_event(connected)

    assert connected.portal.deliveries[-1].status == 403
    assert connected.application.workshop.portal(1).application_tokens == (known,)


def send_test_event(stage: Stage) -> None:
    address = f"{stage.application.workshop.settings.public_url}/b24/event"
    stage.portal.events.send_app_event(stage.card, "ONAPPTEST", address, {})
    stage.settle()
