"""Installation and authorization."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.errors import RestError
from sandbox.portal import Portal
from tests.sandbox.conftest import ADMIN, HANDLER, MANAGER, Desk


def fresh_token(desk: Desk, **params: str) -> dict[str, object]:
    card = {"client_id": desk.app.client_id, "client_secret": desk.app.client_secret}
    reply = desk.oauth.get("/oauth/token/", query_string={**card, **params})
    assert reply.json is not None
    return {**reply.json, "http": reply.status_code}


def test_the_first_openings_show_the_installation_page_until_it_is_finished(desk: Desk) -> None:
    app = desk.portal.register_local_app("second", "http://a.test/main?x=1", "http://a.test/install")

    first, _ = desk.portal.open_app_post(app, ADMIN)
    again, _ = desk.portal.open_app_post(app, ADMIN)
    desk.portal.finish_install(app)
    after, _ = desk.portal.open_app_post(app, ADMIN)

    assert [urlsplit(url).path for url in (first, again, after)] == ["/install", "/install", "/main"]
    assert after.startswith("http://a.test/main?x=1&DOMAIN=")


def test_an_ordinary_user_does_not_get_into_a_half_installed_app(desk: Desk) -> None:
    app = desk.portal.register_local_app("second", "http://a.test/main", "http://a.test/install")

    with pytest.raises(RestError, match="not installed completely"):
        desk.portal.open_app_post(app, MANAGER)


def test_an_app_without_an_installation_page_counts_as_installed(desk: Desk) -> None:
    assert desk.portal.register_local_app("plain", "http://a.test/main").installed


def test_the_frame_posts_the_documented_names(desk: Desk) -> None:
    url, form = desk.portal.open_app_post(desk.app, ADMIN)

    query = parse_qs(urlsplit(url).query)
    assert set(query) == {"DOMAIN", "PROTOCOL", "LANG", "APP_SID"}
    assert query["PROTOCOL"] == ["0"]
    assert form["PLACEMENT"] == "DEFAULT"
    assert form["member_id"] == desk.portal.member_id
    assert form["APPLICATION_TOKEN"] == desk.app.application_token
    assert form["SERVER_ENDPOINT"].endswith("/rest/")
    assert "PLACEMENT_OPTIONS" not in form


def test_a_widget_is_opened_with_its_options_as_json_text(desk: Desk) -> None:
    desk.call("placement.bind", PLACEMENT="CRM_DEAL_DETAIL_TAB", HANDLER="http://a.test/tab", TITLE="Ход сделки")

    url, form = desk.portal.open_app_post(desk.app, MANAGER, "CRM_DEAL_DETAIL_TAB", {"ID": "8"})

    assert url.startswith("http://a.test/tab?")
    assert json.loads(form["PLACEMENT_OPTIONS"]) == {"ID": "8"}


def test_a_widget_bound_twice_or_by_a_non_admin_is_refused(desk: Desk) -> None:
    params = {"PLACEMENT": "LEFT_MENU", "HANDLER": "http://a.test/menu"}
    desk.call("placement.bind", **params)

    assert desk.refusal("placement.bind", **params) == (400, "ERROR_CORE")
    assert desk.refusal("placement.bind", desk.token_of(MANAGER), **params) == (403, "ACCESS_DENIED")
    assert desk.refusal("placement.bind", PLACEMENT="LEFT_MENU") == (200, "ERROR_ARGUMENT")
    assert desk.call("placement.unbind", PLACEMENT="LEFT_MENU") == {"count": 1}
    assert desk.call("placement.get") == []


def test_events_and_robots_are_silent_before_the_installation_is_finished(desk: Desk) -> None:
    desk.app.installed = False
    desk.call("event.bind", event="onCrmDealAdd", handler=HANDLER)

    desk.deal(title="Окна")

    assert desk.call("app.info")["INSTALLED"] is False
    assert desk.portal.deliver() == 0


def test_an_api_only_app_gets_its_tokens_by_an_event(desk: Desk) -> None:
    app = desk.portal.register_local_app("api", "http://a.test/main", "http://a.test/hook", api_only=True)

    desk.portal.deliver()

    url, body = desk.mailbox.calls[-1]
    assert (url, body["event"]) == ("http://a.test/hook", "ONAPPINSTALL")
    assert body["data"]["INSTALLED"] == "Y"
    assert body["auth"]["application_token"] == app.application_token
    assert body["auth"]["refresh_token"] in desk.world.tokens.refresh
    assert desk.call("profile", body["auth"]["access_token"])["ADMIN"] is True


def test_a_token_expires_after_an_hour_and_a_refresh_gives_a_new_pair(desk: Desk) -> None:
    desk.later(minutes=61)
    assert desk.refusal("profile") == (401, "expired_token")

    pair = fresh_token(desk, grant_type="refresh_token", refresh_token=desk.refresh)

    assert pair["http"] == 200
    assert pair["client_endpoint"] == desk.portal.client_endpoint
    assert pair["domain"] == desk.world.oauth_domain
    assert desk.call("profile", str(pair["access_token"]))["ID"] == "1"


def test_a_refresh_token_works_once(desk: Desk) -> None:
    fresh_token(desk, grant_type="refresh_token", refresh_token=desk.refresh)

    again = fresh_token(desk, grant_type="refresh_token", refresh_token=desk.refresh)

    assert (again["http"], again["error"]) == (400, "invalid_grant")


def test_the_authorization_host_answers_with_the_documented_codes(desk: Desk) -> None:
    wrong_secret = fresh_token(desk, grant_type="refresh_token", refresh_token="x", client_secret="no")
    wrong_client = fresh_token(desk, grant_type="refresh_token", refresh_token="x", client_id="local.0")
    incomplete = fresh_token(desk, grant_type="refresh_token")

    assert (wrong_secret["http"], wrong_secret["error"]) == (400, "invalid_client")
    assert (wrong_client["http"], wrong_client["error"]) == (200, "wrong_client")
    assert (incomplete["http"], incomplete["error"]) == (400, "invalid_request")


def test_a_code_lives_thirty_seconds(desk: Desk) -> None:
    def code() -> str:
        reply = desk.http.get("/oauth/authorize/", query_string={"client_id": desk.app.client_id, "state": "s"})
        query = parse_qs(urlsplit(reply.headers["Location"]).query)
        assert query["member_id"] == [desk.portal.member_id]
        return query["code"][0]

    in_time = fresh_token(desk, grant_type="authorization_code", code=code())
    late = code()
    desk.later(seconds=31)

    assert in_time["member_id"] == desk.portal.member_id
    assert fresh_token(desk, grant_type="authorization_code", code=late)["error"] == "invalid_grant"


def test_a_refusal_of_the_refresh_can_be_switched_on_once(desk: Desk) -> None:
    desk.portal.faults.refuse_refresh = 1
    params = {"grant_type": "refresh_token", "refresh_token": desk.refresh}

    assert fresh_token(desk, **params)["error"] == "invalid_grant"
    assert fresh_token(desk, **params)["http"] == 200


def test_the_trusted_app_info_has_both_shapes(desk: Desk) -> None:
    documented = desk.oauth.get("/rest/app.info", query_string={"auth": desk.token}).json
    desk.world.app_info_shape = "sdk"
    of_the_sdk = desk.oauth.get("/rest/app.info", query_string={"auth": desk.token}).json

    assert documented and of_the_sdk
    assert documented["result"]["STATUS"] == "L"
    assert of_the_sdk["result"]["install"]["member_id"] == desk.portal.member_id
    assert desk.oauth.get("/rest/app.info", query_string={"auth": "no"}).status_code == 401


def test_a_dismissed_installer_loses_every_access(desk: Desk) -> None:
    desk.portal.people.dismiss(ADMIN)

    assert desk.refusal("profile") == (403, "user_access_error")
    refused = fresh_token(desk, grant_type="refresh_token", refresh_token=desk.refresh)
    assert refused["error"] == "invalid_grant"


def test_an_update_drops_bindings_and_changes_the_application_token(desk: Desk) -> None:
    desk.call("event.bind", event="ONAPPUPDATE", handler=HANDLER)
    desk.call("bizproc.robot.add", CODE="r", HANDLER=HANDLER, NAME="r", AUTH_USER_ID=1, USE_SUBSCRIPTION="N")
    old = desk.app.application_token

    desk.portal.apps.update(desk.app)
    desk.portal.deliver()

    assert desk.mailbox.calls[0][1]["data"]["PREVIOUS_VERSION"] == "1"
    assert desk.mailbox.calls[0][1]["auth"]["application_token"] == desk.app.application_token != old
    assert desk.call("event.get") == []
    assert desk.call("bizproc.robot.list") == []


def test_a_removal_is_told_without_tokens_and_kills_them(desk: Desk) -> None:
    desk.call("event.bind", event="ONAPPUNINSTALL", handler=HANDLER)

    desk.portal.apps.uninstall(desk.app)
    desk.portal.deliver()

    auth = desk.mailbox.calls[0][1]["auth"]
    assert "access_token" not in auth
    assert auth["application_token"] == desk.app.application_token
    assert desk.refusal("profile") == (401, "NO_AUTH_FOUND")


def test_tokens_of_one_portal_are_worth_nothing_on_another(desk: Desk) -> None:
    other = Portal(desk.world, name="second")

    with pytest.raises(RestError, match="NO_AUTH_FOUND"):
        desk.world.tokens.check(other, desk.token)


def test_a_moved_portal_answers_302_at_its_old_address(desk: Desk) -> None:
    desk.portal.domain = "new.test:81"
    desk.portal.former_domains.add("localhost")

    reply = desk.http.post("/rest/profile", json={"auth": desk.token})

    assert (reply.status_code, reply.headers["Location"]) == (302, "http://new.test:81/rest/profile")
