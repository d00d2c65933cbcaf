"""The REST engine: finds the method, checks scope, context and parameters, runs it, writes the envelope."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.errors import RestError, access_denied
from sandbox.registry import METHODS, Call, Caller, Method, Page
from sandbox.wire import JSON

if TYPE_CHECKING:
    from sandbox.portal import Portal

AUTH_KEYS = {"auth", "access_token", "auth_connector"}
HARMLESS = {"__order"}
"""What a well-known client numbers its commands with; no portal minds it."""
SCOPE_FAMILIES = {"user": ("user", "user_basic", "user_brief"), "task": ("task", "tasks")}


def execute(portal: Portal, caller: Caller, name: str, params: Any) -> Page:
    """Run one command and give its page; raises ``RestError``."""
    known = METHODS.get(name.lower().removesuffix(".json").strip("/"))
    if known is None:
        raise RestError("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)
    _check_scope(known, caller)
    _check_context(portal, known, caller)
    call = Call(portal, caller, known.name, {})
    call.params = _bind_positions(call, known, params) if known.positional else _bind_names(call, known, params)
    if (caller.user_id, known.name) in portal.denied:
        raise RestError("ACCESS_DENIED", "Access denied.")
    answer = known.run(call)
    return answer if isinstance(answer, Page) else Page(answer)


def _check_scope(known: Method, caller: Caller) -> None:
    if caller.scopes is None or not known.scope or "*" in caller.scopes:
        return
    if not caller.scopes.intersection(SCOPE_FAMILIES.get(known.scope, (known.scope,))):
        raise RestError(
            "insufficient_scope", "The request requires higher privileges than provided by the access token", 403
        )


def _check_context(portal: Portal, known: Method, caller: Caller) -> None:
    if known.app and caller.app is None:
        if known.name.startswith(("event.", "placement.")):
            raise RestError("WRONG_AUTH_TYPE", "Current authorization type is denied for this method", 403)
        raise access_denied("Application context required")
    if known.admin and not portal.people.is_admin(caller.user_id):
        raise access_denied()


def _bind_names(call: Call, known: Method, params: Any) -> JSON:
    if isinstance(params, list):
        params = {str(n): value for n, value in enumerate(params)}
    if "*" in known.params:
        return dict(params)
    spelled = {name.lower(): name for name in known.params}
    bound: JSON = {}
    for key, value in params.items():
        name = key if key in known.params else spelled.get(str(key).lower())
        if key in HARMLESS:
            continue
        if name is None or (known.exact and name != key):
            call.complain(f"unknown parameter {key!r}")
        else:
            bound[name] = value
    return bound


def _bind_positions(call: Call, known: Method, params: Any) -> JSON:
    """Bind by position as old task methods do: numbers, or names in the documented order."""
    pairs = list(enumerate(params)) if isinstance(params, list) else list(params.items())
    if all(str(key).isdigit() for key, _ in pairs):
        ordered = sorted(pairs, key=lambda pair: int(pair[0]))
    else:
        given = [str(key).upper() for key, _ in pairs]
        if given != list(known.params[: len(given)]):
            call.complain(f"parameters {given} are not in the documented order {list(known.params)}")
        ordered = pairs
    if len(ordered) > len(known.params):
        call.complain(f"{len(ordered)} parameters, only {len(known.params)} are known")
    return {name: value for name, (_, value) in zip(known.params, ordered, strict=False)}


def strip_auth(params: Any) -> Any:
    """Take the authorization out of the parameters of a request."""
    if isinstance(params, dict):
        return {key: value for key, value in params.items() if key not in AUTH_KEYS}
    return params


def authenticate(portal: Portal, token: str) -> Caller:
    """Find the caller of an access token; raises the documented 401 and 403 codes."""
    if not token:
        raise RestError("NO_AUTH_FOUND", "Wrong authorization data", 401)
    grant = portal.world.tokens.check(portal, token)
    return Caller(grant.user_id, grant.app, frozenset(grant.app.scopes), grant.hops)


def webhook_caller(portal: Portal, user_id: int, secret: str) -> Caller:
    """Find the caller of an inbound webhook; raises ``INVALID_CREDENTIALS``."""
    scopes = portal.webhooks.get((user_id, secret))
    if scopes is None:
        raise RestError("INVALID_CREDENTIALS", "Invalid request credentials", 401)
    return Caller(user_id, None, scopes)


class Stopwatch:
    """Write the ``time`` block: real durations laid on the world's clock."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._begun = time.perf_counter()
        self._at = portal.now()

    def block(self, operating: float | None = None, reset: int | None = None, lasts: float = 0.0) -> JSON:
        """Give the block as of now; ``lasts`` are seconds that are still to be waited."""
        spent = time.perf_counter() - self._begun + lasts
        finish = self._at + timedelta(seconds=spent)
        return {
            "start": self._at.timestamp(),
            "finish": finish.timestamp(),
            "duration": spent,
            "processing": spent,
            "date_start": self._portal.stamp(self._at),
            "date_finish": self._portal.stamp(finish),
            "operating_reset_at": self._portal.limits.reset_at(self._at) if reset is None else reset,
            "operating": 0 if operating is None else operating,
        }


def envelope(page: Page, time_block: JSON) -> JSON:
    """Write the success envelope."""
    body: JSON = {"result": page.result}
    if page.next is not None:
        body["next"] = page.next
    if page.total is not None:
        body["total"] = page.total
    body["time"] = time_block
    return body


def timed(portal: Portal, caller: Caller, name: str, params: Any) -> tuple[Page, JSON]:
    """Run one command with its operating time booked; give its page and its ``time`` block."""
    watch = Stopwatch(portal)
    client = caller.app.client_id if caller.app else f"user{caller.user_id}"
    portal.faults.check(name)
    spent, reset = portal.limits.spend(client, name.lower())
    page = execute(portal, caller, name, params)
    lasts = portal.limits.cost(name.lower()) if portal.limits.takes_time else 0.0
    return page, watch.block(spent, reset, lasts)
