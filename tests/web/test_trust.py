"""Whom pages believe: openings forged, borrowed, stale; page tokens; whose tokens are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from b24app.bitrix import callbacks
from b24app.bitrix.sender import BadCallback
from b24app.core.item import ItemRef
from b24app.engine.arriving.openings import may_see, opened
from b24app.engine.arriving.trust import UnknownSender, Unproven
from b24app.engine.setup.install import set_up, settle_wanted
from b24app.engine.strangers import LIMIT
from b24app.store import audit
from b24app.web.factory import create_web
from b24app.web.pages_auth import HEADER, Visitor, opened_page, page_token, sign, visitor
from b24app.web.refusals import Refusal
from tests.world import ADMIN, Theatre, theatre


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Theatre]:
    with theatre(tmp_path) as made:
        yield made


@pytest.fixture
def installed(stage: Theatre) -> Theatre:
    set_up(stage.shop.workshop, stage.open().portal)
    stage.portal.finish_install(stage.app)
    return stage


def forged(stage: Theatre, user_id: int = ADMIN, /, **changed: str) -> None:
    """Open a page with some fields of the post changed."""
    url, form = stage.portal.open_app_post(stage.app, user_id)
    query = urlsplit(url).query
    opened(stage.shop.workshop, callbacks.page(query, urlencode({**form, **changed}).encode()))


def portals(stage: Theatre) -> int:
    with stage.shop.workshop.database.read() as connection:
        return len(stage.shop.workshop.portals.all(connection))


def test_the_first_opening_by_an_administrator_stores_tokens_of_our_own(stage: Theatre) -> None:
    page = stage.page()
    seen = opened(stage.shop.workshop, page)
    grant = seen.portal.grant
    assert seen.first
    assert (seen.viewer.user_id, seen.viewer.admin) == (ADMIN, True)
    assert grant.access not in (page.sender.access_token, "")
    assert grant.refresh != page.sender.refresh_token
    assert page.sender.refresh_token not in stage.world.tokens.refresh


@pytest.mark.parametrize(
    "changed",
    [
        {"AUTH_ID": "invented"},
        {"REFRESH_ID": "invented"},
        {"member_id": "f" * 32},
        {"SERVER_ENDPOINT": "https://oauth.evil.example/rest/"},
        {"SERVER_ENDPOINT": "http://127.0.0.1:9/rest/"},
        {"REFRESH_ID": ""},
    ],
)
def test_a_forged_first_opening_stores_nothing(stage: Theatre, changed: dict[str, str]) -> None:
    with pytest.raises((UnknownSender, BadCallback)):
        forged(stage, **changed)
    assert portals(stage) == 0


def test_a_posted_address_is_never_called(stage: Theatre) -> None:
    url, form = stage.portal.open_app_post(stage.app, ADMIN)
    query = urlsplit(url).query.replace(stage.portal.domain.replace(":", "%3A"), "evil.example")
    seen = opened(stage.shop.workshop, callbacks.page(query, urlencode(form).encode()))
    assert seen.portal.host == stage.portal.domain


def test_only_portals_of_the_settings_may_install_where_any_are_named(tmp_path: Path) -> None:
    with theatre(tmp_path, portals=("other.bitrix24.ru",)) as stage:
        with pytest.raises(Unproven, match="not_allowed"):
            stage.open()
        assert portals(stage) == 0


def test_an_authorization_server_that_is_down_is_no_refusal(stage: Theatre) -> None:
    stage.portal.faults.oauth_down = -1
    with pytest.raises(Unproven, match="later"):
        stage.open()


def test_a_colleague_is_recognised_and_his_tokens_are_not_kept(installed: Theatre) -> None:
    before = installed.shop.workshop.portal(1).grant
    seen = installed.open(installed.employee())
    assert (seen.viewer.user_id, seen.viewer.admin) == (installed.employee(), False)
    assert seen.viewer.name
    assert installed.shop.workshop.portal(1).grant == before


def test_a_known_portal_with_another_users_invented_token_is_refused(installed: Theatre) -> None:
    with pytest.raises(UnknownSender):
        forged(installed, AUTH_ID="invented")


def test_an_opening_without_an_application_token_is_believed_by_the_viewers_token(installed: Theatre) -> None:
    forged(installed, APPLICATION_TOKEN="")
    with pytest.raises(UnknownSender):
        forged(installed, APPLICATION_TOKEN="", AUTH_ID="invented")


def test_an_employee_with_a_wrong_application_token_changes_nothing(installed: Theatre) -> None:
    before = installed.shop.workshop.portal(1)
    with pytest.raises(UnknownSender):
        forged(installed, installed.employee(), APPLICATION_TOKEN="invented")
    assert installed.shop.workshop.portal(1).application_tokens == before.application_tokens
    assert installed.shop.workshop.portal(1).grant == before.grant


def test_an_administrators_opening_heals_a_portal_whose_access_was_lost(installed: Theatre) -> None:
    workshop = installed.shop.workshop
    with workshop.database.write() as connection:
        workshop.portals.set_state(connection, 1, "reconnect", "auth_lost")
    assert installed.open(installed.employee()).portal.state == "reconnect"

    seen = installed.open(ADMIN)

    assert (seen.portal.state, seen.portal.reason) == ("active", "")
    assert not seen.first


def test_robots_follow_the_administrator_whose_tokens_are_kept(installed: Theatre) -> None:
    workshop = installed.shop.workshop
    another = installed.employee()
    installed.portal.people.users[another].admin = True
    with workshop.database.write() as connection:
        workshop.portals.set_state(connection, 1, "reconnect", "auth_lost")
    installed.open(another)
    assert workshop.portal(1).grant.user == another

    assert settle_wanted(workshop, 1) is not None

    users = {str(robot.definition["AUTH_USER_ID"]) for robot in installed.portal.automation.robots}
    assert users == {str(another)}


def test_a_portal_that_removed_the_application_may_install_it_again(installed: Theatre) -> None:
    workshop = installed.shop.workshop
    with workshop.database.write() as connection:
        workshop.portals.set_state(connection, 1, "removed", "uninstalled")
    seen = installed.open(ADMIN)
    assert seen.first
    assert seen.portal.state == "installing"
    assert set_up(workshop, seen.portal).ok
    assert workshop.portal(1).works


def test_a_portal_that_moved_is_followed_where_the_authorization_server_says(installed: Theatre) -> None:
    old = installed.portal.domain
    new = installed.running.move(installed.portal)
    seen = installed.open(installed.employee())
    assert old != new
    assert seen.portal.host == new
    with installed.shop.workshop.database.read() as connection:
        told = audit.audited(connection)[0]
    assert (told["what"], told["details"]) == (
        "portal_moved",
        {"before": f"http://{old}/rest/", "now": f"http://{new}/rest/"},
    )


def test_the_viewers_own_rights_decide_what_he_sees(installed: Theatre) -> None:
    deal = installed.portal.as_user(ADMIN).call("crm.item.add", entityTypeId=2, fields={"title": "Окна"})["item"]["id"]
    colleague = installed.open(installed.employee())
    assert may_see(installed.shop.workshop, colleague, ItemRef(2, deal))
    assert not may_see(installed.shop.workshop, colleague, ItemRef(2, deal + 1))
    installed.portal.denied.add((installed.employee(), "crm.item.get"))
    assert not may_see(installed.shop.workshop, colleague, ItemRef(2, deal))


# Page tokens -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def app(installed: Theatre) -> Flask:
    return create_web(installed.shop.workshop)


def signed(stage: Theatre, *, admin: bool = True, item: ItemRef | None = None) -> str:
    return sign(stage.shop.workshop, Visitor(stage.shop.workshop.portal(1), ADMIN, admin, "Анна", "ru", item))


def test_a_page_token_says_who_looks_at_which_card(installed: Theatre, app: Flask) -> None:
    token = signed(installed, item=ItemRef(2, 12))
    with app.test_request_context(method="POST", headers={HEADER: token}):
        found = visitor(installed.shop.workshop, admin=True)
    assert (found.user_id, found.admin, found.name, found.lang, found.item) == (ADMIN, True, "Анна", "ru", ItemRef(2, 12))
    with app.test_request_context(method="POST", data={"page_token": token}):
        assert visitor(installed.shop.workshop) == found


def test_a_page_token_ends(installed: Theatre, app: Flask) -> None:
    token = signed(installed)
    installed.shop.clock.turn(hours=13)
    with app.test_request_context(method="POST", headers={HEADER: token}), pytest.raises(Refusal, match="page_token"):
        visitor(installed.shop.workshop)


def test_a_page_token_that_was_changed_or_signed_elsewhere_is_refused(installed: Theatre, app: Flask) -> None:
    other = installed.shop.workshop.settings.model_copy(update={"secret_key": "another-secret-key"})
    foreign = sign(
        replace(installed.shop.workshop, settings=other), Visitor(installed.shop.workshop.portal(1), 1, True, "x", "ru")
    )
    for token in (signed(installed) + "x", foreign, "", "x.y"):
        with app.test_request_context(method="POST", headers={HEADER: token}), pytest.raises(Refusal, match="page_token"):
            visitor(installed.shop.workshop)


def test_pages_stay_good_while_the_secret_key_is_changed(installed: Theatre, app: Flask) -> None:
    token, workshop = signed(installed), installed.shop.workshop
    keys = {"secret_key": "the-new-key-of-16", "secret_key_other": workshop.settings.secret_key}
    changing = replace(workshop, settings=workshop.settings.model_copy(update=keys))
    with app.test_request_context(method="POST", headers={HEADER: token}):
        again = sign(changing, visitor(changing))
    with app.test_request_context(method="POST", headers={HEADER: again}), pytest.raises(Refusal, match="page_token"):
        visitor(workshop)


def test_a_page_token_of_a_removed_portal_is_refused(installed: Theatre, app: Flask) -> None:
    token = signed(installed)
    workshop = installed.shop.workshop
    with workshop.database.write() as connection:
        workshop.portals.set_state(connection, 1, "removed", "uninstalled")
    with app.test_request_context(method="POST", headers={HEADER: token}), pytest.raises(Refusal, match="page_token"):
        visitor(workshop)


def test_an_ordinary_viewer_is_no_administrator(installed: Theatre, app: Flask) -> None:
    token = signed(installed, admin=False)
    with app.test_request_context(method="POST", headers={HEADER: token}), pytest.raises(Refusal, match="admin_only"):
        visitor(installed.shop.workshop, admin=True)


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
def test_a_form_from_a_foreign_page_is_refused(installed: Theatre, app: Flask, headers: dict[str, str]) -> None:
    token = signed(installed)
    with (
        app.test_request_context(method="POST", headers={HEADER: token, **headers}),
        pytest.raises(Refusal, match="foreign_page"),
    ):
        visitor(installed.shop.workshop)


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {"Sec-Fetch-Site": "same-origin"}, {}]
)
def test_a_form_from_our_own_page_is_taken(installed: Theatre, app: Flask, headers: dict[str, str]) -> None:
    token = signed(installed)
    with app.test_request_context(method="POST", headers={HEADER: token, **headers}):
        assert visitor(installed.shop.workshop).user_id


def test_the_main_page_is_shown_to_a_colleague_and_to_no_stranger(installed: Theatre, app: Flask) -> None:
    client: FlaskClient = app.test_client()
    url, form = installed.portal.open_app_post(installed.app, installed.employee())
    path = f"/b24/app?{urlsplit(url).query}"
    assert client.post(path, data=form).status_code == 200
    assert client.post(path, data={**form, "AUTH_ID": "invented"}).status_code == 403
    assert client.post(path, data={**form, "member_id": "e" * 32}).status_code == 403


def test_an_opened_page_gives_a_token_for_its_viewer(installed: Theatre, app: Flask) -> None:
    url, form = installed.portal.open_app_post(installed.app, installed.employee())
    with app.test_request_context(f"/b24/app?{urlsplit(url).query}", method="POST", data=form):
        seen = opened_page(installed.shop.workshop)
        token = page_token(installed.shop.workshop, seen)
    with app.test_request_context(method="POST", headers={HEADER: token}):
        assert visitor(installed.shop.workshop).user_id == installed.employee()


# A flood of strangers ----------------------------------------------------------------------------------------------------


def asked_of(stage: Theatre) -> list[str]:
    """Record whom we ask who somebody is, from now on."""
    asked: list[str] = []
    stage.world.before_request = lambda server, _methods: asked.append(server)
    return asked


@pytest.mark.parametrize(
    "post",
    [
        {"member_id": "f" * 32, "AUTH_ID": "nobodys"},
        {"AUTH_ID": "nobodys", "APPLICATION_TOKEN": ""},
        {"AUTH_ID": "nobodys", "APPLICATION_TOKEN": "another"},
    ],
)
def test_strangers_make_us_ask_others_only_so_often_and_the_portals_own_people_come_in(
    installed: Theatre, post: dict[str, str]
) -> None:
    asked = asked_of(installed)
    for _ in range(LIMIT + 20):
        with pytest.raises(UnknownSender):
            forged(installed, **post)
    assert len(asked) == LIMIT
    assert installed.open().viewer.admin

    with pytest.raises(Unproven, match="later"):
        forged(installed, APPLICATION_TOKEN="")
    installed.shop.clock.turn(seconds=61)
    forged(installed, APPLICATION_TOKEN="")


def test_people_of_an_older_portal_come_in_however_many_they_are(installed: Theatre) -> None:
    for _ in range(LIMIT + 5):
        forged(installed, APPLICATION_TOKEN="")
