"""An SMS gateway: three dialects, an outbox, faults."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request

from sandbox.errors import Cut

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from sandbox.world import World

PHONE = re.compile(r"\+?\d{10,15}$")


@dataclass(slots=True, eq=False)
class Sms:
    """An accepted message; status is ``sent``, ``delivered`` or ``failed``."""

    id: str
    to: str
    text: str
    at: datetime
    key: str = ""
    status: str = "sent"


@dataclass(slots=True)
class SmsGateway:
    """The gateway's outbox and its faults: refuse the next requests, or accept and hang up."""

    world: World
    outbox: list[Sms] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    """Ids that came once more: no second message here, but not every gateway is so kind."""
    refuse: int = 0
    hang_up_after_accepting: int = 0
    domain: str = "sms.sandbox"
    key: str = "sandbox-key"
    login: str = "sandbox"
    password: str = "sandbox"  # noqa: S105 a pretend gateway's word

    def accept(self, to: str, text: str, key: str) -> Sms:
        """Put a message into the outbox; a client's own id makes a repetition harmless."""
        known = next((sms for sms in self.outbox if key and sms.key == key), None)
        if known:
            self.repeated.append(key)
            return known
        sms = Sms(str(len(self.outbox) + 1001), to, text, self.world.now(), key)
        self.outbox.append(sms)
        return sms

    def takes(self, name: str) -> bool:
        """Use up one hit of a counted fault (-1 = for ever)."""
        left = int(getattr(self, name))
        if left > 0:
            setattr(self, name, left - 1)
        return left != 0


def gateway_app(world: World) -> Flask:
    """Build the gateway's web application."""
    app = Flask("sandbox.sms")
    app.config["PROPAGATE_EXCEPTIONS"] = True
    _first_dialect(app, world)
    _second_dialect(app, world)

    @app.get("/_sandbox/sms")
    def outbox() -> ResponseReturnValue:
        rows = [
            {"id": s.id, "to": s.to, "text": s.text, "at": s.at.isoformat(), "key": s.key, "status": s.status}
            for s in world.sms.outbox
        ]
        return jsonify(rows)

    return app


def _asked(*names: str) -> str:
    body: dict[str, Any] = request.get_json(silent=True) or {}
    found = [body.get(name) or request.values.get(name) for name in names]
    return str(next((value for value in found if value), ""))


def _take(world: World, to: str, text: str, key: str) -> Sms | None:
    """Accept a message: None while the gateway is down, without an id when it is not sendable."""
    with world.lock:
        if world.before_request:
            world.before_request("sms", ("send",))
        if world.sms.takes("refuse"):
            return None
        sendable = PHONE.match(to) and text
        sms = world.sms.accept(to, text, key) if sendable else Sms("", to, text, world.now())
        if world.sms.takes("hang_up_after_accepting"):
            raise Cut
        if world.after_request:
            world.after_request("sms", ("send",))
        return sms


def _first_dialect(app: Flask, world: World) -> None:
    """Serve ``/sms/send`` with ``api_id``, ``to``, ``msg`` and ``json=1``."""

    @app.route("/sms/send", methods=["GET", "POST"])
    def send() -> ResponseReturnValue:
        if _asked("api_id", "token", "key") != world.sms.key:
            return jsonify(status="ERROR", status_code=200, status_text="Wrong key"), 200
        to = _asked("to", "phone")
        sms = _take(world, to, _asked("msg", "text"), _asked("id", "client_id"))
        if sms is None:
            return jsonify(status="ERROR", status_code=500, status_text="Service is down"), 500
        if not sms.id:
            bad = {to: {"status": "ERROR", "status_code": 202, "status_text": "Wrong phone or empty text"}}
            return jsonify(status="OK", status_code=100, sms=bad)
        rows = {to: {"status": "OK", "status_code": 100, "sms_id": sms.id}}
        return jsonify(status="OK", status_code=100, id=sms.id, sms=rows, balance=1000)


def _second_dialect(app: Flask, world: World) -> None:
    """Serve ``/sys/send.php`` and ``/sys/status.php`` with ``login`` and ``psw``, answers in JSON."""

    @app.route("/sys/send.php", methods=["GET", "POST"])
    def send_php() -> ResponseReturnValue:
        if (_asked("login"), _asked("psw")) != (world.sms.login, world.sms.password):
            return jsonify(error="authorise error", error_code=2)
        sms = _take(world, _asked("phones"), _asked("mes"), _asked("id"))
        if sms is None:
            return "Service is down", 500
        if not sms.id:
            return jsonify(error="invalid number", error_code=7)
        return jsonify(id=_asked("id") or sms.id, cnt=1)

    @app.route("/sys/status.php", methods=["GET", "POST"])
    def status_php() -> ResponseReturnValue:
        if (_asked("login"), _asked("psw")) != (world.sms.login, world.sms.password):
            return jsonify(error="authorise error", error_code=2)
        number, phone = _asked("id"), _asked("phone")
        for sms in world.sms.outbox:
            if number in {sms.id, sms.key} and phone == sms.to:
                return jsonify(status={"sent": 0, "delivered": 1}.get(sms.status, 20), last_date="", err=0)
        return jsonify(error="message not found", error_code=3)
