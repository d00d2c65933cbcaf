"""The control endpoints a person's page and the demo use."""

from __future__ import annotations

from typing import Any

from tests.sandbox.conftest import MANAGER, Desk


def post(desk: Desk, path: str, **body: Any) -> Any:
    reply = desk.http.post(f"/_sandbox/{path}", json=body)
    assert reply.status_code < 300, reply.text
    return reply.json


def test_the_state_shows_the_company_at_a_glance(desk: Desk) -> None:
    desk.deal(title="Окна")
    desk.task(MANAGER)

    reply = desk.http.get("/_sandbox/state").json

    assert reply is not None
    assert reply["deals"][0]["title"] == "Окна"
    assert reply["tasks"][0]["title"] == "Подписать договор"
    assert {"id": 3, "name": "Мария Кузнецова", "position": "Менеджер", "admin": False, "active": True} in reply["users"]
    assert reply["stages"]["DEAL_STAGE"][0]["id"] == "NEW"
    assert reply["complaints"] == []


def test_the_clock_is_turned_from_outside(desk: Desk) -> None:
    assert post(desk, "clock", advance_seconds=3600)["now"] == "2026-06-01T09:00:00+00:00"
    assert post(desk, "clock", to="2026-07-01T12:00:00+03:00")["portal"] == "2026-07-01T11:00:00+02:00"
    assert desk.http.post("/_sandbox/clock", json={"to": "завтра"}).status_code == 400


def test_a_person_acts_without_any_app_and_events_carry_his_token(desk: Desk) -> None:
    desk.call("event.bind", event="ONCRMDEALADD", handler="http://127.0.0.1:9/e")

    made = post(desk, f"as/{MANAGER}/crm.item.add", entityTypeId=2, fields={"title": "Окна"})

    assert made["result"]["item"]["createdBy"] == MANAGER
    assert post(desk, "deliver")["delivered"] == 1
    assert desk.mailbox.calls[0][1]["auth"]["user_id"] == str(MANAGER)
    refused = desk.http.post(f"/_sandbox/as/{MANAGER}/event.get", json={})
    assert refused.status_code == 403
    assert desk.http.post("/_sandbox/as/99/profile", json={}).status_code == 404
    done = desk.http.get("/_sandbox/deliveries").json
    assert done and done["done"][0]["status"] == 200


def test_an_app_is_registered_opened_and_finished_from_outside(desk: Desk) -> None:
    card = post(desk, "apps", name="x", handler_url="http://a.test/app", install_url="http://a.test/install")
    opened = post(desk, "frame", client_id=card["client_id"], user_id=1)

    assert opened["url"].startswith("http://a.test/install?")
    assert opened["form"]["PLACEMENT"] == "DEFAULT"
    assert post(desk, f"apps/{card['client_id']}/finish")["installed"] is True
    assert post(desk, "frame", client_id=card["client_id"], user_id=1)["url"].startswith("http://a.test/app?")
    assert desk.http.post("/_sandbox/apps/none/finish").status_code == 404
    assert len(desk.http.get("/_sandbox/apps").json or []) == 2


def test_faults_are_switched_from_outside(desk: Desk) -> None:
    shown = post(desk, "faults", drop_events=0.5, add=[{"kind": "error500", "method": "profile"}], leaky=True)

    assert shown["drop_events"] == 0.5
    assert desk.refusal("profile") == (500, "INTERNAL_SERVER_ERROR")
    assert desk.portal.limits.leaky
    assert desk.http.post("/_sandbox/faults", json={"add": [{"kind": "flood"}]}).status_code == 400
    assert post(desk, "faults", clear=True)["active"] == []


def test_robots_are_placed_from_outside(desk: Desk) -> None:
    url = "http://127.0.0.1:9/r"
    desk.call("bizproc.robot.add", CODE="r", HANDLER=url, NAME="R", AUTH_USER_ID=1, USE_SUBSCRIPTION="Y")

    post(desk, "automation", entity_type_id=2, stage_id="NEW", robot_code="r")
    desk.deal(title="A")

    shown = desk.http.get("/_sandbox/automation").json
    assert shown is not None
    assert shown["placed"][0]["stage_id"] == "NEW"
    assert shown["runs"][0]["status"] == "waiting"
