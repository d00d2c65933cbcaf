"""The spare token: access survives the lost answer to a renewal, and comes back with the next robot call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from b24app.bitrix.errors import AuthLost, OAuthTrouble
from b24app.engine.access import StoredTokens
from b24app.engine.arriving.intake import accept_robot
from b24app.engine.arriving.trust import UnknownSender
from b24app.store import audit
from tests.engine.arriving.test_intake import WIRE
from tests.engine.test_access import never, refreshes
from tests.world import ADMIN, Theatre, theatre


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Theatre]:
    with theatre(tmp_path) as made:
        made.open()
        made.app.installed = True
        with made.shop.workshop.database.write() as connection:
            made.shop.workshop.portals.set_state(connection, 1, "active")
        yield made


def lose_the_answer(stage: Theatre) -> None:
    """Renew the tokens and forget the answer: what is stored works for nobody any more."""
    grant = stage.shop.workshop.portal(1).grant
    stage.shop.workshop.oauth.refresh(grant.refresh, grant.oauth_endpoint)
    stage.shop.clock.turn(hours=2)


def robot_call(stage: Theatre, user_id: int = ADMIN, number: int = 1, token: str = "") -> None:
    """Let the portal call a robot in somebody's name, with a pair of tokens of its own."""
    access, refresh = stage.world.tokens.issue(stage.portal, stage.app, user_id)
    pairs = dict(pair.split("=", 1) for pair in (WIRE / "robot_deal.txt").read_text().split())
    auth = {
        "access_token": access,
        "refresh_token": refresh,
        "user_id": str(user_id),
        "member_id": stage.portal.member_id,
        "application_token": token or stage.app.application_token,
    }
    kept = [f"{key}={value}" for key, value in pairs.items() if not key.startswith(("auth", "event_token"))]
    call = {**{f"auth[{key}]": value for key, value in auth.items()}, "event_token": f"call-{number}"}
    accept_robot(stage.shop.workshop, "check_install_date", "&".join([*kept, urlencode(call)]).encode())


def tokens(stage: Theatre) -> StoredTokens:
    return StoredTokens(stage.shop.workshop, 1, never)


def test_the_spare_token_replaces_a_chain_whose_answer_was_lost(stage: Theatre) -> None:
    robot_call(stage)
    lose_the_answer(stage)
    asked = refreshes(stage)
    access = tokens(stage).access()

    portal = stage.shop.workshop.portal(1)
    assert (portal.state, portal.grant.access, portal.grant.user, portal.spare) == ("active", access, ADMIN, "")
    assert asked == ["token", "token"]
    with stage.shop.workshop.database.read() as connection:
        assert audit.audited(connection)[0]["what"] == "access_regained"


def test_a_page_the_administrator_opens_brings_a_spare_token_too(stage: Theatre) -> None:
    stage.open(stage.employee())
    assert stage.shop.workshop.portal(1).spare == ""
    stage.open()
    lose_the_answer(stage)
    assert tokens(stage).access()


def test_a_spare_token_is_kept_until_it_is_old(stage: Theatre) -> None:
    robot_call(stage)
    first = stage.shop.workshop.portal(1).spare
    stage.shop.clock.turn(days=29)
    robot_call(stage, number=2)
    assert stage.shop.workshop.portal(1).spare == first
    stage.shop.clock.turn(days=2)
    robot_call(stage, number=3)
    assert stage.shop.workshop.portal(1).spare not in ("", first)


def test_a_robot_call_brings_a_lost_portal_back(stage: Theatre) -> None:
    lose_the_answer(stage)
    with pytest.raises(AuthLost):
        tokens(stage).access()
    assert stage.shop.workshop.portal(1).state == "reconnect"

    stage.shop.clock.turn(minutes=11)
    stage.shop.woken.clear()
    robot_call(stage)
    assert stage.shop.woken == [1]
    assert tokens(stage).access()
    assert stage.shop.workshop.portal(1).state == "active"


def test_spare_tokens_that_are_refused_are_not_tried_again_and_again(stage: Theatre) -> None:
    lose_the_answer(stage)
    stage.portal.faults.refuse_refresh = -1
    with pytest.raises(AuthLost):
        tokens(stage).access()
    asked = refreshes(stage)
    for number in range(20):
        stage.shop.clock.turn(minutes=1)
        robot_call(stage, number=number)
        with pytest.raises(AuthLost):
            tokens(stage).access()
    assert len(asked) == 2, "one try in twenty minutes: the old token and the spare one"


def test_nobody_elses_token_becomes_the_applications(stage: Theatre) -> None:
    other = stage.employee()
    robot_call(stage, other)
    assert stage.shop.workshop.portal(1).spare == ""

    _, foreign = stage.world.tokens.issue(stage.portal, stage.app, other)
    with stage.shop.workshop.database.write() as connection:
        stage.shop.workshop.portals.keep_spare(connection, 1, foreign, stage.shop.clock())
    lose_the_answer(stage)
    with pytest.raises(AuthLost):
        tokens(stage).access()
    assert stage.shop.workshop.portal(1).grant.user == ADMIN


def test_a_stranger_brings_no_token(stage: Theatre) -> None:
    with pytest.raises(UnknownSender):
        robot_call(stage, token="made-up")
    assert stage.shop.workshop.portal(1).spare == ""


def test_an_authorization_server_that_is_down_uses_nothing_up(stage: Theatre) -> None:
    robot_call(stage)
    stage.shop.clock.turn(hours=2)
    stage.portal.faults.oauth_down = -1
    with pytest.raises(OAuthTrouble):
        tokens(stage).access()
    assert stage.shop.workshop.portal(1).spare != ""


def test_a_spare_token_of_an_older_copy_gives_access_and_leaves_the_doubt(stage: Theatre) -> None:
    robot_call(stage)
    portals, database = stage.shop.workshop.portals, stage.shop.workshop.database
    with database.write() as connection:
        portals.was_read(connection, 1, 1, stage.shop.clock())
    lose_the_answer(stage)
    assert tokens(stage).access()
    assert stage.shop.workshop.portal(1).restored_at is not None
