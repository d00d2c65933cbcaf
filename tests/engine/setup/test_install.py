"""Setting a portal up, against the pretend one over loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from b24app.bitrix.errors import QueryLimit
from b24app.engine.arriving.intake import accept_event
from b24app.engine.setup.install import AlreadyRunning, progress, report_of, set_up, settle_wanted, wanting
from b24app.store import processes
from b24app.store.leases import take_lease
from robots import CATALOGUE
from sandbox.wire import encode_form
from tests.world import PUBLIC, Theatre, theatre


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Theatre]:
    with theatre(tmp_path, processes=True) as made:
        yield made
        assert made.world.complaints == []


def everything(stage: Theatre) -> tuple[str, ...]:
    return tuple(stage.shop.workshop.processes)


def bound(stage: Theatre) -> set[str]:
    return {binding.event for binding in stage.portal.events.bindings}


def robots_of(stage: Theatre) -> dict[str, object]:
    return {robot.code: robot.definition for robot in stage.portal.automation.robots}


def test_the_first_installation_needs_few_requests_and_the_next_almost_none(stage: Theatre) -> None:
    seen = stage.open()
    before = stage.requests()
    report = set_up(stage.shop.workshop, seen.portal, everything(stage))
    first = stage.requests() - before
    again = set_up(stage.shop.workshop, seen.portal)

    assert report.ok, report.failures
    assert first == 19  # deals, leads, a smart process of its own, projects with their columns, layouts of cards
    assert stage.requests() - before - first == 1
    assert {line.state for line in again.lines} == {"had"}
    assert stage.shop.workshop.portal(1).works


def test_every_robot_people_may_use_is_registered_with_its_address_and_its_user(stage: Theatre) -> None:
    set_up(stage.shop.workshop, stage.open().portal)

    wanted = {robot.code for robot in CATALOGUE.values() if robot.on_portal and not robot.internal}
    assert set(robots_of(stage)) == wanted
    for robot in stage.portal.automation.robots:
        assert robot.definition["HANDLER"] == f"{PUBLIC}/b24/robot/{robot.code}"
        assert str(robot.definition["AUTH_USER_ID"]) == "1"
        assert robot.definition["USE_SUBSCRIPTION"] == ("Y" if CATALOGUE[robot.code].waits else "N")
        assert set(robot.definition["NAME"]) == {"ru", "en"}


def test_events_tabs_and_the_message_provider_are_registered(stage: Theatre) -> None:
    set_up(stage.shop.workshop, stage.open().portal)

    assert {"ONCRMDEALUPDATE", "ONCRMDEALMOVETOCATEGORY", "ONTASKUPDATE", "ONAPPUNINSTALL"} <= bound(stage)
    tabs = {(p.code, p.handler.rpartition("/")[2]) for p in stage.app.placements}
    assert {(f"CRM_{kind}_DETAIL_TAB", page) for kind in ("DEAL", "LEAD") for page in ("journal", "quality")} | {
        ("CRM_DEAL_DETAIL_TAB", "booking")
    } == tabs
    assert [provider.code for provider in stage.portal.messages.providers] == ["b24app_sms"]


def test_what_the_portal_dropped_is_registered_again_whatever_is_remembered(stage: Theatre) -> None:
    seen = stage.open()
    set_up(stage.shop.workshop, seen.portal)
    stage.portal.apps.update(stage.app, new_token=False)
    assert robots_of(stage) == {}

    report = set_up(stage.shop.workshop, seen.portal)

    assert report.ok
    assert {line.state for line in report.lines if line.kind == "robot"} == {"added"}
    assert "ONCRMDEALUPDATE" in bound(stage)


def test_a_changed_definition_is_updated_and_an_obsolete_one_removed(stage: Theatre) -> None:
    seen = stage.open()
    set_up(stage.shop.workshop, seen.portal)
    catalogue = {code: robot for code, robot in CATALOGUE.items() if code != "send_sms"}
    catalogue["autotask"] = replace(catalogue["autotask"], waits=not CATALOGUE["autotask"].waits)
    newer = replace(stage.shop.workshop, catalogue=catalogue)

    report = set_up(newer, seen.portal)

    states = {line.code: line.state for line in report.lines if line.state != "had"}
    assert states == {"autotask": "changed", "send_sms": "removed"}
    assert "send_sms" not in robots_of(stage)


def test_an_application_that_moved_takes_its_addresses_along(stage: Theatre) -> None:
    seen = stage.open()
    set_up(stage.shop.workshop, seen.portal)
    settings = stage.shop.workshop.settings.model_copy(update={"public_url": "http://new.example"})
    assert set_up(replace(stage.shop.workshop, settings=settings), seen.portal).ok

    assert {b.handler for b in stage.portal.events.bindings} == {"http://new.example/b24/event"}
    assert {p.handler.rpartition("/b24")[0] for p in stage.app.placements} == {"http://new.example"}


@pytest.mark.parametrize("fault", ["lost_reply", "error500", "html502"])
def test_a_reply_lost_on_the_way_leaves_nothing_missing_and_nothing_twice(stage: Theatre, fault: str) -> None:
    seen = stage.open()
    stage.portal.faults.add(fault, method="bizproc.robot.add", times=1)
    report = set_up(stage.shop.workshop, seen.portal, everything(stage))

    assert report.ok, report.failures
    names = [b.event for b in stage.portal.events.bindings]
    assert len(names) == len(set(names))


def test_a_portal_that_wants_patience_keeps_what_was_done(stage: Theatre) -> None:
    seen = stage.open()
    stage.portal.faults.add("query_limit", method="bizproc.robot.add", times=1)
    with pytest.raises(QueryLimit):
        set_up(stage.shop.workshop, seen.portal)
    assert not stage.shop.workshop.portal(1).works

    stage.shop.clock.turn(seconds=30)
    assert set_up(stage.shop.workshop, seen.portal).ok
    assert stage.shop.workshop.portal(1).works


def test_what_a_portal_refuses_is_told_and_the_application_is_not_called_installed(stage: Theatre) -> None:
    seen = stage.open()
    stage.portal.denied.add((1, "event.bind"))
    report = set_up(stage.shop.workshop, seen.portal)

    assert not report.ok
    assert {line.kind for line in report.failures if not line.optional} == {"event"}
    assert all(line.problem for line in report.failures)
    assert stage.shop.workshop.portal(1).state == "installing"
    assert report_of(progress(stage.shop.workshop, 1)) == report


def test_a_portal_without_the_message_service_works_without_it(stage: Theatre) -> None:
    seen = stage.open()
    stage.portal.denied.add((1, "messageservice.sender.list"))
    report = set_up(stage.shop.workshop, seen.portal)
    assert report.ok
    assert [line.kind for line in report.failures] == ["sms"]


def test_two_set_ups_of_one_portal_do_not_run_at_once(stage: Theatre) -> None:
    workshop, seen = stage.shop.workshop, stage.open()
    with workshop.database.write() as connection:
        take_lease(connection, seen.portal.id, "set_up", workshop.now(), timedelta(minutes=1))
    with pytest.raises(AlreadyRunning):
        set_up(workshop, seen.portal)


def test_an_application_without_pages_installs_itself(tmp_path: Path) -> None:
    with theatre(tmp_path, processes=True) as stage:
        card = stage.portal.register_local_app("b24app", "", f"{PUBLIC}/b24/event", api_only=True)
        settings = stage.shop.workshop.settings.model_copy(
            update={"client_id": card.client_id, "client_secret": card.client_secret}
        )
        workshop = replace(
            stage.shop.workshop, settings=settings, oauth=stage.shop.oauth_of(card.client_id, card.client_secret)
        )
        (call,) = stage.portal.events.queue
        accepted = accept_event(workshop, encode_form(call.body()).encode())

        report = settle_wanted(workshop, accepted.portal_id)

        assert accepted.kind == "app_installed"
        assert report is not None
        assert report.ok, report.failures
        assert workshop.portal(accepted.portal_id).works
        with workshop.database.read() as connection:
            assert {tie.code for tie in processes.ties(connection, accepted.portal_id)} == set(workshop.processes)
        assert settle_wanted(workshop, accepted.portal_id) is None


def test_an_update_with_a_new_application_token_is_believed_and_registers_everything_again(stage: Theatre) -> None:
    workshop = stage.shop.workshop
    set_up(workshop, stage.open().portal)
    stage.portal.finish_install(stage.app)
    old = stage.app.application_token
    stage.portal.apps.update(stage.app)
    (call,) = [call for call in stage.portal.events.queue if call.name == "ONAPPUPDATE"]

    accepted = accept_event(workshop, encode_form(call.body()).encode())

    assert accepted.kind == "app_updated"
    assert set(workshop.portal(1).application_tokens) == {old, stage.app.application_token}
    report = settle_wanted(workshop, 1)
    assert report is not None
    assert report.ok
    assert "ONCRMDEALUPDATE" in bound(stage)


def test_a_set_up_in_the_background_that_fails_is_tried_again_a_minute_later(stage: Theatre) -> None:
    workshop = stage.shop.workshop
    set_up(workshop, stage.open().portal)
    stage.portal.finish_install(stage.app)
    stage.portal.apps.update(stage.app, new_token=False)
    (call,) = [call for call in stage.portal.events.queue if call.name == "ONAPPUPDATE"]
    accept_event(workshop, encode_form(call.body()).encode())
    stage.portal.faults.add("query_limit", method="bizproc.robot.list", times=1)

    assert wanting(workshop) == [1]
    assert settle_wanted(workshop, 1) is None
    assert wanting(workshop) == []
    assert settle_wanted(workshop, 1) is None
    stage.shop.clock.turn(minutes=2)
    assert wanting(workshop) == [1]
    report = settle_wanted(workshop, 1)
    assert report is not None
    assert report.ok
    assert wanting(workshop) == []
