from __future__ import annotations

import pytest

from b24app.bitrix.addresses import Addresses
from b24app.bitrix.errors import ForeignHost, ForeignOAuthHost

OFFICIAL = Addresses(["oauth.bitrix24.tech", "oauth.bitrix.info"])
STAND_IN = Addresses(["127.0.0.1:8090"], ["127.0.0.1"])


@pytest.mark.parametrize(
    ("endpoint", "server"),
    [
        ("https://oauth.bitrix24.tech/rest/", "https://oauth.bitrix24.tech"),
        ("https://OAuth.Bitrix.Info/rest/", "https://oauth.bitrix.info"),
        ("https://oauth.bitrix.info:443/rest/", "https://oauth.bitrix.info:443"),
    ],
)
def test_the_official_servers_are_allowed(endpoint: str, server: str) -> None:
    assert OFFICIAL.oauth_server(endpoint) == server


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/rest/",
        "https://oauth.bitrix24.tech.evil.example/rest/",
        "https://oauth.bitrix24.tech@evil.example/rest/",
        "https://evil.example#@oauth.bitrix24.tech/",
        "https://evil.example\\@oauth.bitrix24.tech/",
        "https://oauth.bitrix24.tech:8443/rest/",
        "http://oauth.bitrix24.tech/rest/",
        "https://127.0.0.1/",
        "ftp://oauth.bitrix24.tech/",
        "https://oauth.bitrix24.tech:port/",
        "https://oauth.bitrix24.tech \r\nX: y/",
        "https://оauth.bitrix24.tech/",
        "",
    ],
)
def test_any_other_server_is_foreign(endpoint: str) -> None:
    with pytest.raises(ForeignOAuthHost):
        OFFICIAL.oauth_server(endpoint)


def test_a_stand_in_may_be_spoken_to_over_plain_http() -> None:
    assert STAND_IN.oauth_server("http://127.0.0.1:8090/rest/") == "http://127.0.0.1:8090"
    assert STAND_IN.first_oauth_server() == "http://127.0.0.1:8090/rest/"
    assert STAND_IN.portal("http://127.0.0.1:8091/rest/") == "http://127.0.0.1:8091/rest/"
    with pytest.raises(ForeignOAuthHost):
        STAND_IN.oauth_server("http://127.0.0.1:8091/rest/")


def test_a_portal_is_spoken_to_over_https() -> None:
    assert OFFICIAL.portal("https://Okna.bitrix24.ru/rest/") == "https://okna.bitrix24.ru/rest/"
    assert OFFICIAL.portal("https://box.example:8443/rest/x?y") == "https://box.example:8443/rest/"
    assert OFFICIAL.first_oauth_server() == "https://oauth.bitrix24.tech/rest/"
    for endpoint in ("http://okna.bitrix24.ru/rest/", "https://u:p@okna.bitrix24.ru/rest/", "https:///rest/"):
        with pytest.raises(ForeignHost):
            OFFICIAL.portal(endpoint)
