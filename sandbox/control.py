"""The control endpoints under ``/_sandbox/``: what a person or a test turns from outside (JSON)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify, request

from sandbox import rest
from sandbox.apps import AppCard
from sandbox.clock import SandboxClock
from sandbox.crm.schema import DEAL, LEAD
from sandbox.errors import RestError
from sandbox.registry import Caller
from sandbox.wire import JSON

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from sandbox.portal import Portal


def control(portal: Portal) -> Blueprint:
    """Build the control endpoints of a portal."""
    board = Blueprint("control", __name__, url_prefix="/_sandbox")
    world = portal.world

    @board.errorhandler(RestError)
    def refused(refusal: RestError) -> ResponseReturnValue:
        return jsonify(refusal.body()), refusal.status

    @board.get("/state")
    def state() -> ResponseReturnValue:
        with world.lock:
            return jsonify(state_of(portal))

    @board.route("/clock", methods=["GET", "POST"])
    def clock() -> ResponseReturnValue:
        with world.lock:
            if request.method == "POST":
                turn_clock(portal, _asked())
            return jsonify(now=world.now().isoformat(), portal=portal.stamp(world.now()))

    @board.get("/sms")
    def sms() -> ResponseReturnValue:
        rows = [{"to": m.to, "text": m.text, "at": m.at.isoformat(), "id": m.id} for m in world.sms.outbox]
        return jsonify(rows)

    _delivery_endpoints(board, portal)
    _app_endpoints(board, portal)
    _frame_endpoint(board, portal)
    _fault_endpoints(board, portal)
    _robot_endpoints(board, portal)
    return board


def _asked() -> JSON:
    body: Any = request.get_json(silent=True)
    return body if isinstance(body, dict) else request.values.to_dict()


def card_of(portal: Portal, client_id: str) -> AppCard:
    """Find an app's card; raises 404."""
    found = portal.apps.by_client(client_id)
    if found is None:
        raise RestError("NOT_FOUND", "No such application", 404)
    return found


def _delivery_endpoints(board: Blueprint, portal: Portal) -> None:
    @board.post("/deliver")
    def deliver() -> ResponseReturnValue:
        limit = _asked().get("max")
        return jsonify(delivered=portal.deliver(None if limit is None else int(limit)))

    @board.get("/deliveries")
    def deliveries() -> ResponseReturnValue:
        return jsonify(waiting=len(portal.events.queue), done=portal.events.rows())

    @board.route("/as/<int:user_id>/<path:method>", methods=["POST"])
    def as_user(user_id: int, method: str) -> ResponseReturnValue:
        if not portal.people.active(user_id):
            raise RestError("NOT_FOUND", "No such user", 404)
        with portal.world.lock:
            page, block = rest.timed(portal, Caller(user_id), method, request.get_json(silent=True) or {})
            return jsonify(rest.envelope(page, block))


def _app_endpoints(board: Blueprint, portal: Portal) -> None:
    @board.route("/apps", methods=["GET", "POST"])
    def apps() -> ResponseReturnValue:
        with portal.world.lock:
            if request.method == "GET":
                return jsonify([card_row(card) for card in portal.apps.cards])
            asked = _asked()
            card = portal.register_local_app(
                str(asked["name"]),
                str(asked["handler_url"]),
                str(asked.get("install_url", "")),
                list(asked.get("scopes") or []),
                api_only=bool(asked.get("api_only")),
            )
            return jsonify(card_row(card)), 201

    @board.post("/apps/<client_id>/<action>")
    def act(client_id: str, action: str) -> ResponseReturnValue:
        acts = {
            "finish": portal.apps.finish,
            "update": portal.apps.update,
            "reinstall": portal.apps.reinstall,
            "uninstall": portal.apps.uninstall,
        }
        with portal.world.lock:
            card = card_of(portal, client_id)
            if action not in acts:
                raise RestError("NOT_FOUND", f"Unknown action {action}", 404)
            acts[action](card)
            return jsonify(card_row(card))


def _frame_endpoint(board: Blueprint, portal: Portal) -> None:
    @board.post("/frame")
    def frame() -> ResponseReturnValue:
        asked = _asked()
        with portal.world.lock:
            url, form = portal.open_app_post(
                card_of(portal, str(asked["client_id"])),
                int(asked["user_id"]),
                str(asked.get("placement") or "DEFAULT"),
                asked.get("options") or {},
                handler=str(asked.get("handler") or ""),
            )
            return jsonify(url=url, form=form)


def _fault_endpoints(board: Blueprint, portal: Portal) -> None:
    switches = ("drop_events", "duplicate_events", "delay_seconds", "reorder_events", "refuse_refresh", "oauth_down")

    @board.route("/faults", methods=["GET", "POST"])
    def faults() -> ResponseReturnValue:
        """Switch faults: the named switches, ``clear``, and

        ``add`` [{kind, method, after, times}], ``refuse`` [{method, code, status, times}].
        """
        asked = _asked() if request.method == "POST" else {}
        with portal.world.lock:
            if asked.get("clear"):
                portal.faults.clear()
            for name in switches:
                if name in asked:
                    setattr(portal.faults, name, asked[name])
            for row in asked.get("add", []):
                try:
                    portal.faults.add(**row)
                except (TypeError, ValueError) as mistake:
                    raise RestError("ERROR_ARGUMENT", str(mistake)) from mistake
            for row in asked.get("refuse", []):
                portal.faults.refuse(**row)
            for name in ("leaky", "real_time"):
                if name in asked:
                    setattr(portal.limits, name, bool(asked[name]))
            for name in ("refuse", "hang_up_after_accepting"):
                if f"sms_{name}" in asked:
                    setattr(portal.world.sms, name, int(asked[f"sms_{name}"]))
            active = [{"kind": f.kind, "method": f.method, "hits": f.hits} for f in portal.faults.active]
            return jsonify({name: getattr(portal.faults, name) for name in switches} | {"active": active})


def _robot_endpoints(board: Blueprint, portal: Portal) -> None:
    @board.route("/automation", methods=["GET", "POST"])
    def automation() -> ResponseReturnValue:
        with portal.world.lock:
            if request.method == "POST":
                asked = _asked()
                portal.automation.place(
                    int(asked["entity_type_id"]),
                    str(asked["stage_id"]),
                    str(asked["robot_code"]),
                    asked.get("properties") or {},
                    asked.get("wait"),
                    int(asked.get("timeout_seconds") or 0),
                )
            return jsonify(automation_of(portal))


def automation_of(portal: Portal) -> JSON:
    """Give the robots, where they stand and what ran."""
    machine = portal.automation
    return {
        "robots": [{"code": r.code, "app": r.app.name, "definition": r.definition} for r in machine.robots],
        "placed": [
            {
                "number": p.number,
                "entity_type_id": p.entity_type_id,
                "stage_id": p.stage_id,
                "robot_code": p.code,
                "properties": p.properties,
            }
            for p in machine.placed
        ],
        "runs": [
            {
                "robot_code": run.robot.code,
                "entity_type_id": run.entity_type_id,
                "item_id": run.item_id,
                "stage_id": run.stage_id,
                "status": run.status,
                "results": run.results,
                "log": run.log,
            }
            for run in machine.runs
        ],
    }


def card_row(card: AppCard) -> JSON:
    """Give an app's card as its administrator sees it."""
    return {
        "name": card.name,
        "client_id": card.client_id,
        "client_secret": card.client_secret,
        "application_token": card.application_token,
        "handler_url": card.handler_url,
        "install_url": card.install_url,
        "scopes": card.scopes,
        "installed": card.installed,
        "version": card.version,
        "placements": [{"placement": p.code, "handler": p.handler, "title": p.title} for p in card.placements],
    }


def turn_clock(portal: Portal, asked: JSON) -> None:
    """Turn the world's clock by ``advance_seconds`` or to an aware moment ``to``."""
    clock = portal.world.clock
    if not isinstance(clock, SandboxClock):
        raise RestError("ERROR_ARGUMENT", "This world's clock cannot be turned")
    if "to" in asked:
        try:
            clock.set(datetime.fromisoformat(str(asked["to"])))
        except ValueError as mistake:
            raise RestError("ERROR_ARGUMENT", str(mistake)) from mistake
    elif "advance_seconds" in asked:
        clock.advance(timedelta(seconds=float(asked["advance_seconds"])))


def state_of(portal: Portal) -> JSON:
    """Give what a person wants to see of a portal at a glance."""
    people, crm = portal.people, portal.crm
    return {
        "portal": {"name": portal.name, "domain": portal.domain, "member_id": portal.member_id},
        "clock": portal.stamp(portal.world.now()),
        "users": [
            {"id": u.id, "name": u.full_name, "position": u.position, "admin": u.admin, "active": u.active}
            for u in people.users.values()
        ],
        "departments": [
            {"id": d.id, "name": d.name, "parent": d.parent, "head": d.head} for d in people.departments.values()
        ],
        "stages": {
            name: [{"id": s.status_id, "name": s.name, "semantics": s.semantics} for s in crm.stages.of(name)]
            for name, _, _ in crm.stages.stage_dictionaries()
        },
        "leads": _cards(portal, LEAD),
        "deals": _cards(portal, DEAL),
        "tasks": [
            {"id": t.id, "title": t.fields["TITLE"], "responsible": t.responsible, "status": t.status}
            for t in portal.tasks.tasks.values()
        ],
        "notifications": {str(u): portal.messages.of(u) for u in people.users},
        "requests": len(portal.requests),
        "queue": len(portal.events.queue),
        "complaints": portal.world.complaints[-50:],
    }


def _cards(portal: Portal, entity_type_id: int) -> list[JSON]:
    names = ("id", "title", "stageId", "categoryId", "assignedById", "opportunity")
    rows = portal.crm.items.get(entity_type_id, {}).values()
    return [{name: row.get(name) for name in names} for row in rows]
