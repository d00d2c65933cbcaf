"""The authorization server: codes and refresh tokens to token pairs, and the proof of an installation.

Pages: settings/oauth/index.md, auto-renewal.md, error-codes.md. Secrets travel in POST bodies, never in addresses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests

from b24app.bitrix.addresses import Addresses
from b24app.bitrix.answers import classify, error_text
from b24app.bitrix.errors import (
    AccessDenied,
    AuthLost,
    LostReply,
    OAuthTrouble,
    PortalError,
    PortalGone,
    Unreachable,
)
from b24app.bitrix.replies import Reply, as_map, count
from b24app.bitrix.sender import scope_of
from b24app.bitrix.transport import HttpAnswer, Timeout, post

TIMEOUT: Timeout = (5.0, 20.0)
_LOST = frozenset(
    {
        "INVALID_REQUEST",
        "INVALID_CLIENT",
        "WRONG_CLIENT",
        "INVALID_GRANT",
        "INVALID_SCOPE",
        "INSUFFICIENT_SCOPE",
        "NOT_INSTALLED",
    }
)
_GONE = frozenset({"PAYMENT_REQUIRED", "PORTAL_DELETED"})


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and the refresh token that replaces the one before; kept out of ``repr``.

    ``user_id`` is not certain to come with an exchanged code. ``client_endpoint`` names the portal; the answer's
    ``domain`` is the authorization server's and is left out for that reason.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime
    user_id: int | None
    member_id: str
    client_endpoint: str
    server_endpoint: str
    scope: tuple[str, ...]
    status: str


@dataclass(frozen=True, slots=True)
class AppInfo:
    """What the authorization server says of the installation a token belongs to; ``None`` where it says nothing.

    Two shapes of this answer are in use, one without portal and user.
    """

    installed: bool
    status: str
    client_id: str | None
    member_id: str | None
    client_endpoint: str | None
    domain: str | None
    user_id: int | None
    scope: tuple[str, ...]
    version: str | None
    licence: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """Whose token it is: the only thing to know a viewer by."""

    user_id: int
    admin: bool
    name: str
    last_name: str
    time_zone: str


class OAuth:
    """The application's own credentials, and what can be asked with them; ``now`` gives aware moments.

    Errors: ``ForeignOAuthHost`` before anything is sent; ``OAuthTrouble`` when a later attempt may work;
    ``AuthLost`` and ``PortalGone`` when only a person can help.
    """

    def __init__(
        self,
        session: requests.Session,
        client_id: str,
        client_secret: str,
        addresses: Addresses,
        now: Callable[[], datetime],
        *,
        timeout: Timeout = TIMEOUT,
    ) -> None:
        self._session = session
        self._client_id = client_id
        self._client_secret = client_secret
        self._addresses = addresses
        self._now = now
        self._timeout = timeout

    def exchange(self, code: str, server_endpoint: str | None = None) -> TokenPair:
        """Exchange an authorization code, which lives 30 seconds and works once."""
        server = server_endpoint or self._addresses.first_oauth_server()
        return self._tokens(server, {"grant_type": "authorization_code", "code": code})

    def refresh(self, refresh_token: str, server_endpoint: str) -> TokenPair:
        """Renew a pair; the old refresh token has to be taken for dead, so store the new one before using it."""
        return self._tokens(server_endpoint, {"grant_type": "refresh_token", "refresh_token": refresh_token})

    def app_info(self, access_token: str, server_endpoint: str) -> AppInfo:
        """Ask the authorization server, not the portal that posted the token, whose installation this is."""
        url = self._addresses.oauth_server(server_endpoint) + "/rest/app.info"
        answer = self._post(url, {"auth": access_token}, "app.info")
        result = _json(answer, "app.info", (access_token,)).get("result")
        if not isinstance(result, dict):
            raise OAuthTrouble("", "the answer has no result", answer.status, method="app.info")
        return _app_info(result)

    def profile(self, client_endpoint: str, access_token: str) -> Profile:
        """Ask a portal whose token this is; any ``PortalError`` may come, ``AccessDenied`` for an inactive user."""
        url = self._addresses.portal(client_endpoint) + "profile"
        answer = post(self._session, url, json={"auth": access_token}, timeout=self._timeout, method="profile")
        reply = classify("profile", answer.status, answer.body, answer.headers, hide=(access_token,))
        if isinstance(reply, PortalError):
            raise reply
        return _profile(reply)

    def _tokens(self, server_endpoint: str, grant: Mapping[str, str]) -> TokenPair:
        url = self._addresses.oauth_server(server_endpoint) + "/oauth/token/"
        form = {**grant, "client_id": self._client_id, "client_secret": self._client_secret}
        asked_at = self._now()
        answer = self._post(url, form, "oauth/token")
        hide = (*grant.values(), self._client_secret)
        return _token_pair(_json(answer, "oauth/token", hide), asked_at, server_endpoint)

    def _post(self, url: str, form: Mapping[str, str], method: str) -> HttpAnswer:
        try:
            return post(self._session, url, form=form, timeout=self._timeout, method=method)
        except (Unreachable, LostReply) as error:
            raise OAuthTrouble("", f"no answer: {error.description}", method=method) from error


def _json(answer: HttpAnswer, method: str, hide: tuple[str, ...]) -> dict[str, Any]:
    """Read an answer of the authorization server; a key ``error`` counts whatever the status says."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise OAuthTrouble("", "the answer is no JSON object", answer.status, method=method)
    if body.get("error") is None and answer.status < 300:
        return body
    code, description = error_text(body, hide)
    known = code.upper()
    if known in _GONE:
        raise PortalGone(code, description, answer.status, method=method)
    if known in _LOST:
        raise AuthLost(code, description, answer.status, method=method)
    raise OAuthTrouble(code, description, answer.status, method=method)


def _token_pair(body: Mapping[str, Any], asked_at: datetime, server_endpoint: str) -> TokenPair:
    for key in ("access_token", "refresh_token", "member_id", "client_endpoint"):
        if not isinstance(body.get(key), str) or not body[key]:
            raise OAuthTrouble("", f"the answer lacks {key}", method="oauth/token")
    lifetime = count(body.get("expires_in"))
    return TokenPair(
        access=body["access_token"],
        refresh=body["refresh_token"],
        expires_at=asked_at + timedelta(seconds=lifetime if lifetime and lifetime < 10**6 else 3600),
        user_id=count(body.get("user_id")) or None,
        member_id=body["member_id"],
        client_endpoint=body["client_endpoint"],
        server_endpoint=_text(body.get("server_endpoint")) or server_endpoint,
        scope=scope_of(_text(body.get("scope"))),
        status=_text(body.get("status")),
    )


def _app_info(result: Mapping[str, Any]) -> AppInfo:
    """Read either shape: ``INSTALLED`` and ``STATUS`` at the top, or an ``install`` block."""
    install = as_map(result.get("install"))
    installed = install.get("installed", result.get("INSTALLED"))
    return AppInfo(
        installed=installed in (True, 1, "Y", "1", "true"),
        status=_text(install.get("status") or result.get("STATUS")),
        client_id=_text(result.get("client_id")) or None,
        member_id=_text(install.get("member_id")) or None,
        client_endpoint=_text(install.get("client_endpoint")) or None,
        domain=_text(install.get("domain")) or None,
        user_id=count(result.get("user_id")) or None,
        scope=scope_of(_text(result.get("scope") or install.get("scope"))),
        version=_text(install.get("version") or result.get("VERSION")) or None,
        licence=_text(result.get("LICENSE")) or None,
    )


def _profile(reply: Reply) -> Profile:
    user = as_map(reply.result)
    user_id = count(user.get("ID"))
    if not user_id:
        raise AccessDenied("", "the portal knows no active user by this token", 200, method="profile")
    return Profile(
        user_id=user_id,
        admin=user.get("ADMIN") in (True, "Y", 1, "1"),
        name=_text(user.get("NAME")),
        last_name=_text(user.get("LAST_NAME")),
        time_zone=_text(user.get("TIME_ZONE")),
    )


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
