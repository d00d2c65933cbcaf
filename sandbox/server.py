"""A portal's web application: REST over HTTP with its limits, faults and hooks, and the authorization page."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, redirect, request
from werkzeug.exceptions import HTTPException

import sandbox.methods.everything  # noqa: F401 fills the registry
from sandbox import batch, rest
from sandbox.control import control
from sandbox.errors import Cut, RestError
from sandbox.limits import CUT
from sandbox.portal import RequestRecord
from sandbox.registry import Caller
from sandbox.wire import JSON, decode_form, whole

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from sandbox.portal import Portal

BlueprintMaker = Callable[["Portal"], Blueprint]

REFUSALS = {
    "query_limit": RestError("QUERY_LIMIT_EXCEEDED", "Too many requests", 503),
    "operating": RestError("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.", 429),
    "overload": RestError("OVERLOAD_LIMIT", "REST API is blocked due to overload.", 503),
    "error500": RestError("INTERNAL_SERVER_ERROR", "Internal server error", 500),
}


def portal_app(portal: Portal, blueprints: Iterable[BlueprintMaker] = ()) -> Flask:
    """Build the portal's web application; ``blueprints`` add pages to it."""
    app = Flask("sandbox.portal")
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.register_blueprint(control(portal))
    for make in blueprints:
        app.register_blueprint(make(portal))

    @app.errorhandler(Exception)
    def broken(mistake: Exception) -> ResponseReturnValue:
        """Answer 500 as a portal does, and make the pretend portal's own failure seen."""
        if isinstance(mistake, HTTPException):
            return mistake
        if not isinstance(mistake, Cut):
            portal.complain(f"the pretend portal failed at {request.path}: {mistake!r}")
            body = RestError("INTERNAL_SERVER_ERROR", "Internal server error").body()
            return Response(json.dumps(body), 500, mimetype="application/json")
        raise mistake

    @app.before_request
    def moved() -> ResponseReturnValue | None:
        if request.host in portal.former_domains:
            return redirect(f"http://{portal.domain}{request.full_path.rstrip('?')}", 302)
        return None

    @app.route("/rest/<path:method>", methods=["GET", "POST"])
    def app_call(method: str) -> ResponseReturnValue:
        return answer(portal, method, lambda: rest.authenticate(portal, token_of(request_params())))

    @app.route("/rest/<int:user_id>/<secret>/<path:method>", methods=["GET", "POST"])
    def webhook_call(user_id: int, secret: str, method: str) -> ResponseReturnValue:
        return answer(portal, method, lambda: rest.webhook_caller(portal, user_id, secret))

    _pages(app, portal)
    return app


def _pages(app: Flask, portal: Portal) -> None:
    @app.get("/rest/crm.controller.item.getFile/")
    def file() -> ResponseReturnValue:
        name, content = portal.files[whole(request.args.get("fileId"))]
        disposition = {"Content-Disposition": "attachment; filename=file", "X-File-Name": name.encode().hex()}
        return Response(content, headers=disposition, mimetype="application/octet-stream")

    @app.get("/oauth/authorize/")
    def authorize() -> ResponseReturnValue:
        card = portal.apps.by_client(request.args.get("client_id", ""))
        if card is None:
            return "Unknown application", 404
        user_id = whole(request.args.get("as_user", portal.people.first_admin()))
        query = {
            "code": portal.world.tokens.code(portal, card, user_id),
            "state": request.args.get("state", ""),
            "domain": portal.domain,
            "member_id": portal.member_id,
            "scope": ",".join(card.scopes),
            "server_domain": portal.world.oauth_domain,
        }
        return redirect(f"{card.handler_url}?{urlencode(query)}", 302)


def request_params() -> Any:
    """Give the request's parameters: query, then form or JSON; a JSON array is positional."""
    params: JSON = decode_form(request.query_string.decode())
    if request.form or request.files:
        return {**params, **decode_form(urlencode(list(request.form.items(multi=True))))}
    body = request.get_json(force=True, silent=True) if request.get_data() else None
    if isinstance(body, list):
        return {**params, **{str(n): value for n, value in enumerate(body)}}
    return {**params, **body} if isinstance(body, dict) else params


def token_of(params: Any) -> str:
    """Find the access token: ``auth``, ``access_token`` or the bearer header."""
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return str(params.get("auth") or params.get("access_token") or bearer)


def answer(portal: Portal, method: str, identify: Callable[[], Caller]) -> Response:
    """Answer one REST request, with everything that may go wrong on its way."""
    name = method.strip("/").removesuffix(".json")
    params = request_params()
    is_batch = name.lower() == "batch"
    commands = tuple(line for _, line, _ in batch.commands_of(params)) if is_batch else ()
    ahead = portal.limits.ahead([line.partition("?")[0] for line in commands] or [name])
    time.sleep(ahead)
    with portal.world.lock:
        record = RequestRecord(len(portal.requests) + 1, name, commands, portal.world.now())
        portal.requests.append(record)
        record.fault = portal.faults.strike((name, *commands))
        _hook_before(portal, record)
        if record.fault == "hang_up":
            raise Cut
        response = _respond(portal, record, params, identify)
        record.status = response.status_code
        lasts = max(portal.limits.lasted() - ahead, 0.0)
        _hook_after(portal, record)
    if lasts:
        time.sleep(lasts)  # with the lock given back: a portal serves several requests at a time
    if record.fault == "lost_reply" or lasts >= CUT:
        raise Cut
    return response


def _respond(portal: Portal, record: RequestRecord, params: Any, identify: Callable[[], Caller]) -> Response:
    try:
        if record.fault in REFUSALS:
            raise REFUSALS[record.fault]
        if record.fault == "html502":
            return Response("<html><h1>502 Bad Gateway</h1><hr>nginx</html>", 502, mimetype="text/html")
        portal.limits.hit(request.remote_addr or "")
        body = _run(portal, record, identify(), rest.strip_auth(params))
        status = 200
    except RestError as refusal:
        body, status = refusal.body(), refusal.status
    text = json.dumps(body, ensure_ascii=False)
    if record.fault == "cut_json":
        text = text[: len(text) // 2]
    return Response(text, status, mimetype="application/json")


def _run(portal: Portal, record: RequestRecord, caller: Caller, params: Any) -> JSON:
    if record.method.lower() == "batch":
        watch = rest.Stopwatch(portal)
        return rest.envelope(batch.run(portal, caller, params), watch.block())
    page, block = rest.timed(portal, caller, record.method, params)
    return rest.envelope(page, block)


def _hook_before(portal: Portal, record: RequestRecord) -> None:
    if portal.world.before_request:
        portal.world.before_request("portal", (record.method, *record.commands))
    if portal.before_request:
        portal.before_request(record)


def _hook_after(portal: Portal, record: RequestRecord) -> None:
    if portal.after_request:
        portal.after_request(record)
    if portal.world.after_request:
        portal.world.after_request("portal", (record.method, *record.commands))
