"""Who sent a callback: the ``auth`` block of events and robots, and its spelling in page openings.

Nothing in it is proved by being there. ``application_token`` has to equal the one stored for ``member_id`` before
anything else of the callback is believed. Page: api-reference/events/safe-event-handlers.md.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from b24app.bitrix.form import Form, FormValue

_MEMBER = re.compile(r"[0-9A-Za-z_-]{1,64}\Z")
_DOMAIN = re.compile(r"[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*\.?(:[0-9]{1,5})?\Z")
_ENDPOINT = re.compile(r"https?://[!-~]{1,500}\Z")
_NUMBER = re.compile(r"[0-9]{1,18}\Z")
_LATEST = 253_402_300_799  # the last second of year 9999


class BadCallback(ValueError):
    """A callback that cannot be read; ``place`` names the field, and never quotes a value."""

    def __init__(self, place: str, reason: str = "is missing or malformed") -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Sender:
    """The portal and user a callback claims to come from; tokens stay out of ``repr``.

    Events caused by robots, workflows and background jobs have no user and no tokens; ``refresh_token`` comes
    only with application events, robots and page openings. ``expires_in`` is in seconds.
    """

    member_id: str
    domain: str | None
    application_token: str | None = field(default=None, repr=False)
    user_id: int | None = None
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_in: int | None = None
    client_endpoint: str | None = None
    server_endpoint: str | None = None
    scope: tuple[str, ...] = ()
    status: str | None = None

    def carries(self, application_token: str) -> bool:
        """Compare the application token with the stored one, in constant time; absent or empty never matches."""
        if not self.application_token or not application_token:
            return False
        return hmac.compare_digest(self.application_token.encode(), application_token.encode())


def sender_of(form: Form) -> Sender:
    """Read the ``auth`` block of an event, robot call or SMS request; raise ``BadCallback``.

    ``member_id`` and ``application_token`` are required, everything else may be absent. Whether ``expires`` and
    ``user_id`` come is not certain, so nothing depends on them.
    """
    auth = form.get("auth")
    if not isinstance(auth, dict):
        raise BadCallback("auth")
    token = text(auth, "application_token", "auth[application_token]")
    if not token:
        raise BadCallback("auth[application_token]")
    return Sender(
        member_id=_matching(_MEMBER, auth, "member_id", "auth[member_id]", required=True) or "",
        domain=_matching(_DOMAIN, auth, "domain", "auth[domain]"),
        application_token=token,
        user_id=number(auth, "user_id", "auth[user_id]") or None,
        access_token=text(auth, "access_token", "auth[access_token]") or None,
        refresh_token=text(auth, "refresh_token", "auth[refresh_token]") or None,
        expires_in=number(auth, "expires_in", "auth[expires_in]"),
        client_endpoint=_matching(_ENDPOINT, auth, "client_endpoint", "auth[client_endpoint]"),
        server_endpoint=_matching(_ENDPOINT, auth, "server_endpoint", "auth[server_endpoint]"),
        scope=scope_of(text(auth, "scope", "auth[scope]")),
        status=text(auth, "status", "auth[status]") or None,
    )


def opener_of(query: Form, body: Form) -> Sender:
    """Read the opener of a page or widget; raise ``BadCallback``.

    ``AUTH_ID``, ``member_id`` and ``DOMAIN`` are required; ``APPLICATION_TOKEN`` and ``APPLICATION_SCOPE`` are
    absent on older portals. ``client_endpoint`` is put together from ``DOMAIN`` and ``PROTOCOL``.
    Page: settings/oauth/simple-way.md.
    """
    domain = _matching(_DOMAIN, query, "DOMAIN", "DOMAIN", required=True)
    access = text(body, "AUTH_ID")
    if not access:
        raise BadCallback("AUTH_ID")
    scheme = "http" if text(query, "PROTOCOL") == "0" else "https"
    return Sender(
        member_id=_matching(_MEMBER, body, "member_id", "member_id", required=True) or "",
        domain=domain,
        application_token=text(body, "APPLICATION_TOKEN") or None,
        access_token=access,
        refresh_token=text(body, "REFRESH_ID") or None,
        expires_in=number(body, "AUTH_EXPIRES"),
        client_endpoint=f"{scheme}://{domain}/rest/",
        server_endpoint=_matching(_ENDPOINT, body, "SERVER_ENDPOINT", "SERVER_ENDPOINT"),
        scope=scope_of(text(body, "APPLICATION_SCOPE")),
        status=text(body, "status") or None,
    )


def scope_of(value: str) -> tuple[str, ...]:
    """Split a list of scopes, which comes with commas or with spaces."""
    return tuple(value.replace(",", " ").split())


def text(values: Mapping[str, FormValue], key: str, place: str = "") -> str:
    """Read a text; absent is ``""``; a map where a text belongs raises ``BadCallback``."""
    value = values.get(key, "")
    if not isinstance(value, str):
        raise BadCallback(place or key, "is a map")
    return value


def number(values: Mapping[str, FormValue], key: str, place: str = "") -> int | None:
    """Read a whole number of up to 18 digits; absent or empty is ``None``, anything else ``BadCallback``."""
    value = text(values, key, place)
    if not value:
        return None
    if not _NUMBER.match(value):
        raise BadCallback(place or key, "is no number")
    return int(value)


def moment(values: Mapping[str, FormValue], key: str) -> datetime | None:
    """Read unix seconds as a moment in UTC; absent is ``None``."""
    seconds = number(values, key)
    if seconds is None:
        return None
    if seconds > _LATEST:
        raise BadCallback(key, "is no moment")
    return datetime.fromtimestamp(seconds, UTC)


def _matching(
    pattern: re.Pattern[str], values: Mapping[str, FormValue], key: str, place: str, *, required: bool = False
) -> str | None:
    value = text(values, key, place)
    if not value and not required:
        return None
    if not pattern.match(value):
        raise BadCallback(place)
    return value
