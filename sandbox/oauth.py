"""The authorization host: tokens and the trusted copy of ``app.info`` (settings/oauth)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request

from sandbox.apps import AppCard
from sandbox.errors import RestError
from sandbox.rest import Stopwatch
from sandbox.tokens import Grant
from sandbox.wire import JSON

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from sandbox.world import World


def oauth_app(world: World) -> Flask:
    """Build the authorization host's web application."""
    app = Flask("sandbox.oauth")
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.route("/oauth/token/", methods=["GET", "POST"])
    def token() -> ResponseReturnValue:
        with world.lock:
            return _hooked(world, "token", lambda: token_answer(world, _asked()))

    @app.route("/rest/app.info", methods=["GET", "POST"])
    @app.route("/rest/app.info/", methods=["GET", "POST"])
    @app.route("/rest/app.info.json", methods=["GET", "POST"])
    def info() -> ResponseReturnValue:
        with world.lock:
            return _hooked(world, "app.info", lambda: app_info(world, str(_asked().get("auth", ""))))

    return app


def _asked() -> JSON:
    body: Any = request.get_json(silent=True)
    return {**request.values.to_dict(), **(body if isinstance(body, dict) else {})}


def _hooked(world: World, name: str, work: Any) -> ResponseReturnValue:
    if world.before_request:
        world.before_request("oauth", (name,))
    try:
        answer, status = work(), 200
    except RestError as refusal:
        answer, status = refusal.body(), refusal.status
    if world.after_request:
        world.after_request("oauth", (name,))
    return jsonify(answer), status


def token_answer(world: World, asked: JSON) -> JSON:
    """Exchange a code or rotate a refresh token; raises the codes of settings/oauth/error-codes.md."""
    found = _card(world, str(asked.get("client_id", "")))
    if any(portal.faults.takes("oauth_down") for portal in world.portals):
        raise RestError("ERROR_UNEXPECTED_ANSWER", "Server is down", 500)
    if found is None:
        raise RestError("wrong_client", "Wrong client", 200)
    if asked.get("client_secret") != found.client_secret:
        raise RestError("invalid_client", "Client is not valid")
    kind = asked.get("grant_type")
    if kind == "authorization_code" and asked.get("code"):
        grant = world.tokens.redeem_code(found, str(asked["code"]))
    elif kind == "refresh_token" and asked.get("refresh_token"):
        grant = _rotate(world, found, str(asked["refresh_token"]))
    else:
        raise RestError("invalid_request", "It's an incomplete or incorrect request")
    return _pair(world, grant, expires=kind == "refresh_token")


def _rotate(world: World, card: AppCard, refresh: str) -> Grant:
    held = world.tokens.refresh.get(refresh)
    if held is not None and held.portal.faults.takes("refuse_refresh"):
        raise RestError("invalid_grant", "The refresh was refused")
    return world.tokens.rotate(card, refresh)


def _card(world: World, client_id: str) -> AppCard | None:
    cards = (portal.apps.by_client(client_id) for portal in world.portals)
    return next((card for card in cards if card), None)


def _pair(world: World, grant: Grant, *, expires: bool) -> JSON:
    access, refresh = world.tokens.issue(grant.portal, grant.app, grant.user_id)
    return {
        "access_token": access,
        "refresh_token": refresh,
        "expires_in": 3600,
        **({"expires": int(world.now().timestamp()) + 3600} if expires else {}),
        "client_endpoint": grant.portal.client_endpoint,
        "server_endpoint": world.server_endpoint,
        "domain": world.oauth_domain,
        "member_id": grant.portal.member_id,
        "scope": ",".join(grant.app.scopes),
        "status": "L",
        **({} if grant.portal.options["dialect"] == "sparing" and not expires else {"user_id": grant.user_id}),
    }


def app_info(world: World, token: str) -> JSON:
    """Tell whose a token is, in the documented shape or in the one the official SDK reads."""
    grant = world.tokens.access.get(token)
    if grant is None:
        raise RestError("NO_AUTH_FOUND", "Wrong authorization data", 401)
    if grant.app not in grant.portal.apps.cards:
        raise RestError("NOT_INSTALLED", "The application is not installed", 401)
    if grant.expires_at <= world.now():
        raise RestError("expired_token", "The access token provided has expired.", 401)
    if world.app_info_shape == "documented":
        return {"result": documented_info(grant), "time": Stopwatch(grant.portal).block()}
    return {
        "result": {
            "client_id": grant.app.client_id,
            "scope": ",".join(grant.app.scopes),
            "expires": grant.expires_at.isoformat(),
            "install": {
                "installed": grant.app.installed,
                "version": str(grant.app.version),
                "status": "L",
                "scope": ",".join(grant.app.scopes),
                "domain": grant.portal.domain,
                "uri": f"http://{grant.portal.domain}",
                "member_id": grant.portal.member_id,
                "member_type": "PORTAL",
                "client_endpoint": grant.portal.client_endpoint,
                "server_endpoint": world.server_endpoint,
            },
            "user_id": grant.user_id,
        },
        "time": Stopwatch(grant.portal).block(),
    }


def documented_info(grant: Grant) -> JSON:
    """Write ``app.info`` as the documentation shows it."""
    licence = str(grant.portal.options["license"])
    return {
        "ID": grant.app.number,
        "CODE": grant.app.client_id,
        "VERSION": grant.app.version,
        "STATUS": "L",
        "INSTALLED": grant.app.installed,
        "PAYMENT_EXPIRED": "N",
        "DAYS": None,
        "LANGUAGE_ID": "ru",
        "LICENSE": licence,
        "LICENSE_TYPE": licence.removeprefix("ru_"),
        "LICENSE_FAMILY": "ent",
    }
