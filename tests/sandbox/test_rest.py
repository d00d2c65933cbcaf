"""The envelope, the ways to send parameters, batches, webhooks."""

from __future__ import annotations

import pytest

from sandbox.wire import decode_form, encode_form, php
from tests.sandbox.conftest import MANAGER, Desk


def test_an_answer_carries_result_and_time(desk: Desk) -> None:
    body = desk.ask("server.time").json

    assert body is not None
    assert body["result"] == "2026-06-01T10:00:00+02:00"
    assert {"start", "finish", "duration", "processing", "date_start", "operating"} <= set(body["time"])


def test_an_unknown_method_is_not_found(desk: Desk) -> None:
    assert desk.refusal("crm.item.explode") == (404, "ERROR_METHOD_NOT_FOUND")


@pytest.mark.parametrize("path", ["profile", "profile.json", "PROFILE", "profile/"])
def test_method_names_are_lenient(desk: Desk, path: str) -> None:
    assert desk.call(path)["ID"] == "1"


def test_the_token_may_come_in_the_header_the_query_or_the_body(desk: Desk) -> None:
    by_header = desk.http.get("/rest/profile", headers={"Authorization": f"Bearer {desk.token}"})
    by_query = desk.http.get(f"/rest/profile?auth={desk.token}")
    by_form = desk.http.post("/rest/profile", data={"auth": desk.token})

    assert [reply.status_code for reply in (by_header, by_query, by_form)] == [200, 200, 200]
    assert desk.http.get("/rest/profile").status_code == 401
    assert desk.refusal("profile", "wrong") == (401, "NO_AUTH_FOUND")


def test_bracketed_forms_say_the_same_as_json(desk: Desk) -> None:
    form = f"auth={desk.token}&entityTypeId=2&fields[title]=Окна&fields[observers][0]=2&fields[observers][]=3"

    reply = desk.http.post("/rest/crm.item.add.json", data=form, content_type="application/x-www-form-urlencoded")

    assert reply.json is not None
    item = reply.json["result"]["item"]
    assert (item["title"], item["observers"]) == ("Окна", [2, 3])


def test_a_method_outside_the_granted_scopes_is_refused(desk: Desk) -> None:
    desk.app.scopes = ["user"]

    assert desk.refusal("crm.item.list", entityTypeId=2) == (403, "insufficient_scope")
    inside = desk.call("batch", cmd={"a": "crm.item.list?entityTypeId=2"})["result_error"]["a"]
    assert inside == {"error": "insufficient_scope", "error_description": ""}


def test_an_unknown_parameter_is_let_pass_and_complained_of(desk: Desk) -> None:
    desk.call("crm.item.list", entityTypeId=2, filtre={})

    assert desk.world.complaints == ["crm.item.list: unknown parameter 'filtre'"]
    desk.world.complaints.clear()


def test_a_webhook_has_no_application_context(desk: Desk) -> None:
    url = desk.portal.add_webhook(1)
    path = url.removeprefix(f"http://{desk.portal.domain}")

    assert desk.http.post(f"{path}profile.json").status_code == 200
    assert desk.http.post("/rest/1/wrong/profile").status_code == 401
    refused = desk.http.post(f"{path}event.bind", json={"event": "ONCRMDEALADD", "handler": "http://a.test"})
    assert refused.json is not None
    assert (refused.status_code, refused.json["error"]) == (403, "WRONG_AUTH_TYPE")


def test_paging_counts_and_start_minus_one_does_not(desk: Desk) -> None:
    for number in range(53):
        desk.portal.as_user(1).call("crm.item.add", entityTypeId=2, fields={"title": str(number)})

    first = desk.ask("crm.item.list", entityTypeId=2, select=["id"]).json
    second = desk.ask("crm.item.list", entityTypeId=2, select=["id"], start=50).json
    bare = desk.ask("crm.item.list", entityTypeId=2, select=["id"], start=-1, filter={">id": 50}).json

    assert first and second and bare
    assert (len(first["result"]["items"]), first["next"], first["total"]) == (50, 50, 53)
    assert [item["id"] for item in second["result"]["items"]] == [51, 52, 53]
    assert "next" not in second
    assert len(bare["result"]["items"]) == 3
    assert "total" not in bare


def test_a_batch_runs_in_order_and_keeps_errors_apart(desk: Desk) -> None:
    commands = {"a": "crm.item.add?entityTypeId=2&fields[title]=A%26B", "b": "nope", "c": "server.time"}

    reply = desk.call("batch", halt=0, cmd=commands)

    assert reply["result"]["a"]["item"]["title"] == "A&B"
    assert reply["result_error"]["b"]["error"] == "ERROR_METHOD_NOT_FOUND"
    assert set(reply["result"]) == set(reply["result_time"]) == {"a", "c"}
    assert reply["result_total"] == reply["result_next"] == []
    assert desk.portal.requests.count("crm.item.add") == 1


def test_halt_stops_a_batch_at_the_first_failure(desk: Desk) -> None:
    reply = desk.call("batch", halt=1, cmd={"a": "nope", "b": "server.time"})

    assert reply["result"] == []
    assert set(reply["result_error"]) == {"a"}


def test_a_list_of_commands_answers_with_a_list(desk: Desk) -> None:
    assert len(desk.call("batch", cmd=["server.time", "profile"])["result"]) == 2


def test_a_batch_takes_fifty_commands(desk: Desk) -> None:
    reply = desk.call("batch", cmd={f"c{n}": "server.time" for n in range(52)})

    assert len(reply["result"]) == 50
    assert {row["error"] for row in reply["result_error"].values()} == {"ERROR_BATCH_LENGTH_EXCEEDED"}


def test_a_batch_in_a_batch_is_refused(desk: Desk) -> None:
    reply = desk.call("batch", cmd={"a": "batch?cmd[b]=server.time"})

    assert reply["result_error"]["a"]["error"] == "ERROR_BATCH_METHOD_NOT_ALLOWED"


def test_a_whole_reference_keeps_its_type_and_a_number_inside_a_text_stays_unreplaced(desk: Desk) -> None:
    reply = desk.call(
        "batch",
        cmd={
            "deal": "crm.item.add?entityTypeId=2&fields[title]=X",
            "whole": "crm.item.get?entityTypeId=2&id=$result[deal][item][id]",
            "text": "crm.item.update?entityTypeId=2&id=1&fields[title]=D_$result[deal][item][id]",
            "name": "crm.item.update?entityTypeId=2&id=1&fields[comments]=is $result[deal][item][title] !",
        },
    )["result"]

    assert reply["whole"]["item"]["id"] == 1
    assert reply["text"]["item"]["title"] == "D_$result[deal][item][id]"
    assert reply["name"]["item"]["comments"] == "is X !"


def test_a_path_that_leads_nowhere_gives_the_last_value_reached(desk: Desk) -> None:
    commands = {"t": "server.time", "x": "crm.item.add?entityTypeId=2&fields[title]=$result[t][no][such]"}

    assert desk.call("batch", cmd=commands)["result"]["x"]["item"]["title"] == "2026-06-01T10:00:00+02:00"


def test_forms_survive_the_way_there_and_back() -> None:
    value = {"data": {"FIELDS": {"ID": "5"}}, "list": ["a", "b"], "empty": {}, "auth": {"scope": "crm,task"}}

    assert decode_form(encode_form(value)) == {key: value[key] for key in ("data", "list", "auth")}
    assert php({}) == []
    assert php({"0": 1, "1": 2}) == [1, 2]
    assert php({"1": 1}) == {"1": 1}


def test_options_are_kept_per_app_and_per_user(desk: Desk) -> None:
    desk.call("app.option.set", options={"mode": "x"})
    desk.call("user.option.set", options={"mode": "mine"})

    assert desk.call("app.option.get", option="mode") == "x"
    assert desk.call("user.option.get", option="mode") == "mine"
    assert desk.call("user.option.get", desk.token_of(MANAGER)) == []
    assert desk.refusal("app.option.set", desk.token_of(MANAGER), options={})[0] == 403


def test_a_feature_and_a_method_can_be_asked_for(desk: Desk) -> None:
    assert desk.call("feature.get", CODE="rest_auth_connector") == {"value": "Y"}
    assert desk.call("feature.get", CODE="rest_offline_extended") == {"value": "N"}
    assert desk.refusal("feature.get") == (400, "CODE_EMPTY")
    assert desk.call("method.get", name="crm.item.add") == {"isExisting": True, "isAvailable": True}
    assert desk.call("method.get", name="mail.message.send")["isExisting"] is False
    assert "crm.item.add" in desk.call("methods")
    assert "crm" in desk.call("scope")


def test_a_failure_of_the_pretend_portal_itself_is_seen(desk: Desk) -> None:
    desk.portal.options["features"] = None

    assert desk.refusal("feature.get", CODE="x") == (500, "INTERNAL_SERVER_ERROR")
    assert "the pretend portal failed at /rest/feature.get" in desk.world.complaints.pop()
