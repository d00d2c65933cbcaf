from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import responses

from b24app.bitrix import errors
from b24app.bitrix.addresses import Addresses
from b24app.bitrix.errors import PortalError
from b24app.bitrix.oauth import OAuth, Profile
from b24app.bitrix.transport import new_session

NOW = datetime(2026, 5, 28, 12, 0, tzinfo=UTC)
SERVER = "https://oauth.bitrix24.tech/rest/"
TOKEN_URL = "https://oauth.bitrix24.tech/oauth/token/"
INFO_URL = "https://oauth.bitrix24.tech/rest/app.info"
PAIR = {
    "access_token": "access-2",
    "refresh_token": "refresh-2",
    "expires_in": 3600,
    "expires": 1780003600,
    "client_endpoint": "https://okna.bitrix24.ru/rest/",
    "server_endpoint": SERVER,
    "domain": "oauth.bitrix24.tech",
    "member_id": "3f1c0e5d7a9b4c2e8d6f0a1b2c3d4e5f",
    "scope": "crm,task",
    "status": "L",
    "user_id": 7,
}


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def oauth() -> OAuth:
    addresses = Addresses(["oauth.bitrix24.tech", "oauth.bitrix.info"])
    return OAuth(new_session("b24app/0.1"), "local.1", "s3cret", addresses, lambda: NOW)


def form_sent(wire: responses.RequestsMock) -> dict[str, list[str]]:
    body = wire.calls[0].request.body
    return parse_qs(body.decode() if isinstance(body, bytes) else body or "")


def test_a_pair_is_renewed_by_post_and_nothing_secret_is_in_the_address(wire: responses.RequestsMock, oauth: OAuth) -> None:
    wire.post(TOKEN_URL, json=PAIR)

    pair = oauth.refresh("refresh-1", SERVER)

    assert (pair.access, pair.refresh, pair.user_id) == ("access-2", "refresh-2", 7)
    assert pair.expires_at == NOW + timedelta(hours=1)
    assert (pair.client_endpoint, pair.scope) == ("https://okna.bitrix24.ru/rest/", ("crm", "task"))
    assert wire.calls[0].request.url == TOKEN_URL
    assert form_sent(wire) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["refresh-1"],
        "client_id": ["local.1"],
        "client_secret": ["s3cret"],
    }


def test_a_code_is_exchanged_at_the_first_allowed_server(wire: responses.RequestsMock, oauth: OAuth) -> None:
    wire.post(TOKEN_URL, json={key: value for key, value in PAIR.items() if key not in ("user_id", "expires")})
    pair = oauth.exchange("code-1")
    assert pair.user_id is None
    assert form_sent(wire)["grant_type"] == ["authorization_code"]


def test_a_pair_keeps_its_tokens_out_of_sight(wire: responses.RequestsMock, oauth: OAuth) -> None:
    wire.post(TOKEN_URL, json=PAIR)
    shown = repr(oauth.refresh("refresh-1", SERVER))
    assert "access-2" not in shown
    assert "refresh-2" not in shown


def test_a_foreign_server_is_never_called(wire: responses.RequestsMock, oauth: OAuth) -> None:
    with pytest.raises(errors.ForeignOAuthHost):
        oauth.refresh("refresh-1", "https://evil.example/rest/")
    with pytest.raises(errors.ForeignOAuthHost):
        oauth.app_info("access-1", "http://oauth.bitrix24.tech/rest/")
    assert len(wire.calls) == 0


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_grant", errors.AuthLost),
        (400, "invalid_client", errors.AuthLost),
        (200, "wrong_client", errors.AuthLost),
        (400, "invalid_request", errors.AuthLost),
        (403, "invalid_scope", errors.AuthLost),
        (403, "insufficient_scope", errors.AuthLost),
        (401, "NOT_INSTALLED", errors.AuthLost),
        (401, "PAYMENT_REQUIRED", errors.PortalGone),
        (500, "PORTAL_DELETED", errors.PortalGone),
        (503, "QUERY_LIMIT_EXCEEDED", errors.OAuthTrouble),
        (400, "something_new", errors.OAuthTrouble),
        (500, "", errors.OAuthTrouble),
    ],
)
def test_a_refusal_says_whether_waiting_helps(
    wire: responses.RequestsMock, oauth: OAuth, status: int, code: str, kind: type[PortalError]
) -> None:
    wire.post(TOKEN_URL, json={"error": code, "error_description": "why, s3cret and refresh-1?"}, status=status)
    with pytest.raises(kind) as refused:
        oauth.refresh("refresh-1", SERVER)
    assert (refused.value.code, refused.value.status) == (code, status)
    assert "s3cret" not in str(refused.value)
    assert "refresh-1" not in str(refused.value)


@pytest.mark.parametrize(
    "answer",
    [
        {"body": b"<html>", "status": 502},
        {"body": b'{"access_token": "a', "status": 200},
        {"body": b"[]", "status": 200},
        {"json": {}, "status": 200},
        {"json": {**PAIR, "refresh_token": ""}, "status": 200},
        {"json": {**PAIR, "access_token": None}, "status": 200},
        {"body": b"", "status": 302},
        {"body": requests.ReadTimeout("slow")},
        {"body": requests.ConnectTimeout("slow")},
    ],
)
def test_an_answer_that_is_none_may_be_asked_for_again(
    wire: responses.RequestsMock, oauth: OAuth, answer: dict[str, Any]
) -> None:
    wire.post(TOKEN_URL, **answer)
    with pytest.raises(errors.OAuthTrouble) as trouble:
        oauth.refresh("refresh-1", SERVER)
    assert not trouble.value.outcome_unknown


def test_app_info_is_read_in_the_documented_shape(wire: responses.RequestsMock, oauth: OAuth) -> None:
    result = {"ID": 5, "CODE": "x", "VERSION": 4, "STATUS": "L", "INSTALLED": True, "LICENSE": "ru_basic"}
    wire.post(INFO_URL, json={"result": result})
    found = oauth.app_info("access-1", SERVER)
    assert (found.installed, found.status, found.version, found.licence) == (True, "L", "4", "ru_basic")
    assert (found.member_id, found.user_id, found.client_endpoint) == (None, None, None)
    assert "access-1" not in (wire.calls[0].request.url or "")


def test_app_info_is_read_in_the_shape_of_the_official_client(wire: responses.RequestsMock, oauth: OAuth) -> None:
    install = {
        "installed": True,
        "version": "1",
        "status": "L",
        "scope": "crm",
        "domain": "okna.bitrix24.ru",
        "client_endpoint": "https://okna.bitrix24.ru/rest/",
        "member_id": "3f1c",
    }
    result = {"client_id": "local.1", "scope": "crm,task", "user_id": 7, "install": install}
    wire.post(INFO_URL, json={"result": result})
    found = oauth.app_info("access-1", SERVER)
    assert (found.installed, found.member_id, found.user_id, found.client_id) == (True, "3f1c", 7, "local.1")
    assert (found.client_endpoint, found.scope) == ("https://okna.bitrix24.ru/rest/", ("crm", "task"))


def test_an_installation_that_is_not_finished_says_so(wire: responses.RequestsMock, oauth: OAuth) -> None:
    wire.post(INFO_URL, json={"result": {"INSTALLED": False, "STATUS": "L"}})
    assert not oauth.app_info("access-1", SERVER).installed


def test_a_profile_tells_who_the_viewer_is(wire: responses.RequestsMock, oauth: OAuth) -> None:
    user = {"ID": "7", "ADMIN": True, "NAME": "Анна", "LAST_NAME": "Ким", "TIME_ZONE": "Europe/Moscow"}
    wire.post("https://okna.bitrix24.ru/rest/profile", json={"result": user})
    found = oauth.profile("https://okna.bitrix24.ru/rest/", "access-1")
    assert found == Profile(7, True, "Анна", "Ким", "Europe/Moscow")


def test_an_inactive_user_is_nobody(wire: responses.RequestsMock, oauth: OAuth) -> None:
    wire.post("https://okna.bitrix24.ru/rest/profile", json={"result": []})
    with pytest.raises(errors.AccessDenied):
        oauth.profile("https://okna.bitrix24.ru/rest/", "access-1")


def test_a_forged_viewer_token_is_refused(wire: responses.RequestsMock, oauth: OAuth) -> None:
    wire.post("https://okna.bitrix24.ru/rest/profile", json={"error": "NO_AUTH_FOUND"}, status=401)
    with pytest.raises(errors.TokenRefused):
        oauth.profile("https://okna.bitrix24.ru/rest/", "forged")
