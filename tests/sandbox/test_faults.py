"""Limits and faults, over WSGI."""

from __future__ import annotations

import json

import pytest

from sandbox.errors import Cut
from sandbox.portal import RequestRecord
from tests.sandbox.conftest import Desk


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("query_limit", (503, "QUERY_LIMIT_EXCEEDED")),
        ("operating", (429, "OPERATION_TIME_LIMIT")),
        ("overload", (503, "OVERLOAD_LIMIT")),
        ("error500", (500, "INTERNAL_SERVER_ERROR")),
    ],
)
def test_a_refusal_hits_once_and_does_nothing(desk: Desk, kind: str, answer: tuple[int, str]) -> None:
    desk.portal.faults.add(kind, "crm.item.add")

    assert desk.call("profile")["ID"] == "1"
    assert desk.refusal("crm.item.add", entityTypeId=2, fields={"title": "A"}) == answer
    assert desk.call("crm.item.list", entityTypeId=2)["items"] == []
    assert desk.deal(title="A")["id"] == 1


def test_a_fault_may_wait_and_last(desk: Desk) -> None:
    desk.portal.faults.add("error500", after=2, times=2)

    assert [desk.ask("profile").status_code for _ in range(6)] == [200, 200, 500, 500, 200, 200]


def test_a_proxy_page_and_half_a_body_are_no_json(desk: Desk) -> None:
    desk.portal.faults.add("html502")
    page = desk.ask("profile")
    desk.portal.faults.add("cut_json")
    half = desk.ask("profile")

    assert (page.status_code, page.mimetype) == (502, "text/html")
    assert half.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(half.text)


def test_a_hang_up_comes_before_the_work_and_a_lost_reply_after_it(desk: Desk) -> None:
    for kind, done in (("hang_up", 0), ("lost_reply", 1)):
        desk.portal.faults.add(kind)
        with pytest.raises(Cut):
            desk.ask("crm.item.add", entityTypeId=2, fields={"title": kind})
        assert len(desk.portal.crm.items.get(2, {})) == done


def test_a_fault_finds_its_method_inside_a_batch(desk: Desk) -> None:
    desk.portal.faults.add("lost_reply", "tasks.task.add")
    command = "tasks.task.add?fields[TITLE]=x&fields[RESPONSIBLE_ID]=3"

    with pytest.raises(Cut):
        desk.ask("batch", cmd={"a": "server.time", "b": command})

    assert len(desk.portal.tasks.tasks) == 1


def test_a_hook_cuts_at_any_request_before_or_after_its_work(desk: Desk) -> None:
    def at_second(record: RequestRecord) -> None:
        if record.n == 2:
            raise Cut

    desk.deal(title="first")
    desk.portal.before_request = at_second
    with pytest.raises(Cut):
        desk.deal(title="never")
    desk.portal.before_request = None

    seen: list[tuple[str, tuple[str, ...]]] = []

    def cut_after(server: str, methods: tuple[str, ...]) -> None:
        seen.append((server, methods))
        raise Cut

    desk.world.after_request = cut_after
    with pytest.raises(Cut):
        desk.deal(title="done")

    assert [item["title"] for item in desk.portal.crm.items[2].values()] == ["first", "done"]
    assert seen == [("portal", ("crm.item.add",))]


def test_an_unknown_fault_is_refused(desk: Desk) -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        desk.portal.faults.add("earthquake")


def test_the_bucket_takes_fifty_and_drains_two_a_second(desk: Desk) -> None:
    desk.portal.limits.leaky = True
    statuses = [desk.ask("profile").status_code for _ in range(52)]
    desk.later(seconds=1)
    more = [desk.ask("profile").status_code for _ in range(3)]

    assert statuses == [200] * 50 + [503] * 2
    assert more == [200, 200, 503]
    assert desk.portal.limits.refused == 3


def test_a_batch_is_one_hit(desk: Desk) -> None:
    desk.portal.limits.leaky = True

    for _ in range(50):
        desk.call("batch", cmd={f"c{n}": "server.time" for n in range(3)})

    assert desk.portal.requests.count() == 50


def test_a_method_is_blocked_when_its_time_is_spent_and_only_it(desk: Desk) -> None:
    desk.portal.limits.operating_limit = 1.0
    desk.portal.limits.costs["profile"] = 0.6
    time = desk.ask("profile").json
    assert time is not None
    desk.call("profile")

    assert time["time"]["operating"] == 0.6
    assert desk.refusal("profile") == (429, "OPERATION_TIME_LIMIT")
    assert desk.call("server.time")
    inside = desk.call("batch", cmd={"a": "profile"})["result_error"]["a"]["error"]
    assert inside == "OPERATION_TIME_LIMIT"
    desk.later(minutes=11)
    assert desk.call("profile")["ID"] == "1"


def test_the_log_of_requests_keeps_no_secret(desk: Desk) -> None:
    desk.deal(title="A")
    desk.call("batch", cmd={"a": "profile"})

    assert desk.portal.requests.count() == 2
    assert [record.commands for record in desk.portal.requests] == [(), ("profile",)]
    assert desk.token not in repr(desk.portal.requests)


def test_a_denied_method_is_refused_to_that_user_alone(desk: Desk) -> None:
    desk.portal.denied.add((3, "crm.item.list"))

    assert desk.refusal("crm.item.list", desk.token_of(3), entityTypeId=2) == (400, "ACCESS_DENIED")
    assert desk.call("crm.item.list", entityTypeId=2)["items"] == []


def test_the_authorization_host_can_be_down(desk: Desk) -> None:
    desk.portal.faults.oauth_down = 1
    card = {"client_id": desk.app.client_id, "client_secret": desk.app.client_secret}
    query = {**card, "grant_type": "refresh_token", "refresh_token": desk.refresh}

    statuses = [desk.oauth.post("/oauth/token/", data=query).status_code for _ in range(2)]

    assert statuses == [500, 200]


def test_one_command_of_a_batch_can_be_refused_with_any_code(desk: Desk) -> None:
    desk.portal.faults.refuse("profile", "expired_token", status=401)
    commands = {"a": "profile", "b": "server.time"}

    first, second = desk.call("batch", cmd=commands), desk.call("batch", cmd=commands)

    assert first["result_error"]["a"]["error"] == "expired_token"
    assert "b" in first["result"]
    assert set(second["result"]) == {"a", "b"}
