"""Tokens renewed once for everybody, the shared budget, portals that are lost or have moved."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from b24app.bitrix.budget import Priority
from b24app.bitrix.commands import Command
from b24app.bitrix.errors import AuthLost, BudgetExhausted, ForeignHost, OAuthTrouble, PortalGone
from b24app.core.text import T
from b24app.engine.access import (
    LEASE,
    StoredBudget,
    StoredTokens,
    gate_of,
    leased,
    lost,
    moved,
    reason_of,
)
from b24app.store.leases import leave_lease, take_lease
from tests.shop import Shop, shop
from tests.world import Theatre, theatre


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Theatre]:
    with theatre(tmp_path) as made:
        made.open()
        yield made


def never(_seconds: float) -> None:
    raise AssertionError("nobody waits here")


def refreshes(stage: Theatre) -> list[str]:
    """Record every request to the authorization server from now on."""
    seen: list[str] = []
    stage.world.before_request = lambda server, methods: seen.extend(methods) if server == "oauth" else None
    return seen


def test_a_token_with_time_left_is_used_as_it_is(stage: Theatre) -> None:
    asked = refreshes(stage)
    tokens = StoredTokens(stage.shop.workshop, 1, never)
    assert tokens.access() == stage.shop.workshop.portal(1).grant.access
    assert asked == []


def test_a_token_about_to_end_is_renewed_and_stored_before_it_is_used(stage: Theatre) -> None:
    before = stage.shop.workshop.portal(1).grant
    stage.shop.clock.turn(minutes=56)
    found = StoredTokens(stage.shop.workshop, 1, never).access()
    after = stage.shop.workshop.portal(1).grant
    assert found == after.access != before.access
    assert after.refresh != before.refresh
    assert after.expires > before.expires
    assert (after.user, after.endpoint, after.scope) == (before.user, before.endpoint, before.scope)


def test_an_expired_token_met_on_the_way_is_renewed_without_the_caller_noticing(stage: Theatre) -> None:
    stage.shop.clock.turn(hours=2)
    reply = gate_of(stage.shop.workshop, stage.shop.workshop.portal(1), sleep=never).call(Command("server.time"))
    assert reply.result


def test_many_threads_renew_a_token_once(stage: Theatre) -> None:
    asked = refreshes(stage)
    stale = stage.shop.workshop.portal(1).grant.access
    found: list[str] = []
    never_set = threading.Event()

    def breathe(_seconds: float) -> None:
        never_set.wait(0.002)

    def renew() -> None:
        found.append(StoredTokens(stage.shop.workshop, 1, breathe).renew(stale))

    threads = [threading.Thread(target=renew) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert asked == ["token"]
    assert found == [stage.shop.workshop.portal(1).grant.access] * 6


def test_who_comes_late_takes_what_the_other_stored(stage: Theatre) -> None:
    workshop = stage.shop.workshop
    stale = workshop.portal(1).grant.access
    with workshop.database.write() as connection:
        held = take_lease(connection, 1, "tokens", workshop.now(), LEASE)
    assert held is not None
    waits: list[float] = []

    def other_process(seconds: float) -> None:
        waits.append(seconds)
        with workshop.database.write() as connection:
            leave_lease(connection, 1, "tokens", held)
        StoredTokens(workshop, 1, never).renew(stale)

    asked = refreshes(stage)
    assert StoredTokens(workshop, 1, other_process).renew(stale) == workshop.portal(1).grant.access
    assert asked == ["token"]
    assert len(waits) == 1


def test_a_holder_that_died_is_waited_for_no_longer_than_his_lease(stage: Theatre) -> None:
    workshop = stage.shop.workshop
    stale = workshop.portal(1).grant.access
    with workshop.database.write() as connection:
        take_lease(connection, 1, "tokens", workshop.now(), LEASE)
    with pytest.raises(OAuthTrouble):
        StoredTokens(workshop, 1, lambda _seconds: None).renew(stale)

    stage.shop.clock.turn(seconds=11)
    assert StoredTokens(workshop, 1, never).renew(stale) != stale


def test_a_lease_of_somebody_whose_clock_is_ahead_is_his_and_one_of_before_the_clock_was_set_back_is_nobodys(
    tmp_path: Path,
) -> None:
    opened = shop(tmp_path)
    opened.add_portal()
    workshop = opened.workshop
    with workshop.database.write() as connection:
        assert take_lease(connection, 1, "tokens", workshop.now() + timedelta(seconds=30), LEASE) is not None
        assert take_lease(connection, 1, "tokens", workshop.now(), LEASE) is None
        opened.clock.turn(hours=-3)
        assert take_lease(connection, 1, "tokens", workshop.now(), LEASE) is not None


def test_a_lease_that_ended_is_not_taken_from_its_next_holder(tmp_path: Path) -> None:
    opened = shop(tmp_path)
    opened.add_portal()
    workshop = opened.workshop
    with leased(workshop, 1, "tokens", timedelta(seconds=1)) as first:
        opened.clock.turn(seconds=2)
        with workshop.database.write() as connection:
            second = take_lease(connection, 1, "tokens", workshop.now(), LEASE)
        assert first
        assert second is not None
    with workshop.database.write() as connection:
        assert take_lease(connection, 1, "tokens", workshop.now(), LEASE) is None


def test_a_refused_renewal_puts_the_portal_to_rest_and_asks_nobody_again(stage: Theatre) -> None:
    workshop = stage.shop.workshop
    stage.portal.faults.refuse_refresh = 1
    stage.shop.clock.turn(hours=2)
    with pytest.raises(AuthLost):
        StoredTokens(workshop, 1, never).access()

    portal = workshop.portal(1)
    assert (portal.state, portal.reason) == ("reconnect", "auth_lost")
    assert isinstance(reason_of(portal), T)
    asked = refreshes(stage)
    with pytest.raises(AuthLost):
        StoredTokens(workshop, 1, never).access()
    assert asked == []


def test_an_authorization_server_that_is_down_leaves_a_living_token_in_use(stage: Theatre) -> None:
    workshop = stage.shop.workshop
    stage.shop.clock.turn(minutes=57)
    stage.portal.faults.oauth_down = -1
    assert StoredTokens(workshop, 1, never).access() == workshop.portal(1).grant.access
    stage.shop.clock.turn(minutes=5)
    with pytest.raises(OAuthTrouble):
        StoredTokens(workshop, 1, never).access()
    assert workshop.portal(1).state != "reconnect"


def test_a_portal_reconnected_meanwhile_is_not_put_to_rest(stage: Theatre) -> None:
    workshop = stage.shop.workshop
    old = workshop.portal(1)
    StoredTokens(workshop, 1, never).renew(old.grant.access)
    lost(workshop, old, AuthLost())
    assert workshop.portal(1).state == old.state


def test_a_portal_without_rest_rests_until_somebody_acts(tmp_path: Path) -> None:
    opened = shop(tmp_path)
    lost(opened.workshop, opened.add_portal(), PortalGone())
    assert opened.workshop.portal(1).reason == "portal_gone"
    with pytest.raises(PortalGone):
        StoredTokens(opened.workshop, 1, never).access()


# The budget ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def known(tmp_path: Path) -> Shop:
    opened = shop(tmp_path)
    opened.add_portal()
    return opened


def test_a_burst_is_free_and_two_requests_a_second_after_that(known: Shop) -> None:
    budget = StoredBudget(known.workshop, 1)
    assert [budget.take() for _ in range(47)] == [0.0] * 47
    assert budget.take() == pytest.approx(0.5)
    known.clock.turn(seconds=1)
    assert [budget.take(), budget.take()] == [0.0, 0.0]
    assert budget.take() > 0


def test_the_budget_is_shared_by_all_who_speak_to_a_portal_and_by_no_other(known: Shop) -> None:
    known.add_portal("another", "another-token")
    for _ in range(50):
        StoredBudget(known.workshop, 1).take()
    assert StoredBudget(known.workshop, 1).take() > 0
    assert StoredBudget(known.workshop, 2).take() == 0


def test_threads_together_get_exactly_what_the_budget_holds(known: Shop) -> None:
    granted: list[float] = []

    def take() -> None:
        granted.extend(StoredBudget(known.workshop, 1).take() for _ in range(20))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert granted.count(0.0) == 47


def test_what_is_less_urgent_leaves_a_part_of_the_budget_to_what_is_more_urgent(known: Shop) -> None:
    budgets = {priority: StoredBudget(known.workshop, 1, priority) for priority in Priority}
    granted = dict.fromkeys(Priority, 0)
    for priority in reversed(Priority):
        while budgets[priority].take() == 0:
            granted[priority] += 1
    assert granted[Priority.BACKFILL] == 15
    assert all(granted[priority] > 0 for priority in Priority)
    assert sum(granted.values()) == 47


def test_a_portal_that_says_too_much_is_heeded_by_all(known: Shop) -> None:
    StoredBudget(known.workshop, 1).fill()
    assert StoredBudget(known.workshop, 1).take() > 0
    known.clock.turn(seconds=5)
    assert StoredBudget(known.workshop, 1).take() == 0


def test_an_enterprise_portal_is_spoken_to_as_its_plan_allows(known: Shop) -> None:
    with known.workshop.database.write() as connection:
        known.workshop.portals.set_knowledge(connection, 1, {"licence": "ru_ent250"})
    budget = StoredBudget(known.workshop, 1)
    assert [budget.take() for _ in range(235)] == [0.0] * 235
    assert budget.take() == pytest.approx(0.2)


def test_a_gate_gives_the_lane_back_rather_than_wait_long(stage: Theatre) -> None:
    workshop = stage.shop.workshop
    for _ in range(60):
        StoredBudget(workshop, 1).take()
    with pytest.raises(BudgetExhausted) as met:
        gate_of(workshop, workshop.portal(1), sleep=never).call(Command("server.time"))
    assert met.value.wait > 0.25


# Moving ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["documented", "sdk"])
def test_a_moved_portal_is_followed_once_the_authorization_server_names_the_address(stage: Theatre, shape: str) -> None:
    stage.world.app_info_shape = shape
    workshop = stage.shop.workshop
    stage.running.move(stage.portal)
    assert moved(workshop, workshop.portal(1), stage.portal.client_endpoint).host == stage.portal.domain


@pytest.mark.parametrize("shape", ["documented", "sdk"])
def test_an_address_the_authorization_server_does_not_name_is_not_believed(stage: Theatre, shape: str) -> None:
    stage.world.app_info_shape = shape
    workshop = stage.shop.workshop
    before = workshop.portal(1).grant.endpoint
    with pytest.raises(ForeignHost):
        moved(workshop, workshop.portal(1), "https://evil.example/rest/")
    assert workshop.portal(1).grant.endpoint == before
