from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError, NameResolutionError, ProtocolError

from b24app.bitrix import errors
from b24app.bitrix.commands import Command, positional
from b24app.bitrix.errors import PortalError
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import Reply
from b24app.bitrix.transport import new_session
from tests.bitrix.doubles import Budget, Notes, Tokens

ENDPOINT = "https://okna.bitrix24.ru/rest/"
POOL = HTTPSConnectionPool("okna.bitrix24.ru")
NO_NAME = NameResolutionError("okna.bitrix24.ru", HTTPSConnection("okna.bitrix24.ru"), socket.gaierror())
EXPIRED = {"error": "expired_token", "error_description": "The access token provided has expired."}


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def gate(tokens: Tokens | None = None, budget: Budget | None = None, **more: Any) -> Gate:
    session = new_session("b24app/0.1")
    return Gate(session, ENDPOINT, tokens or Tokens(), budget or Budget(), **more)


def answers(wire: responses.RequestsMock, method: str, *bodies: Any, status: int = 200) -> None:
    for body in bodies:
        if isinstance(body, Exception):
            wire.post(ENDPOINT + method, body=body)
        else:
            wire.post(ENDPOINT + method, json=body, status=401 if body == EXPIRED else status)


def sent(wire: responses.RequestsMock) -> list[dict[str, Any]]:
    return [json.loads(call.request.body or b"") for call in wire.calls]


def gets(count: int) -> list[Command]:
    return [Command("crm.item.get", {"entityTypeId": 2, "id": place}) for place in range(count)]


def all_good(count: int) -> dict[str, Any]:
    return {"result": {"result": {f"c{place}": place for place in range(count)}, "result_error": []}}


def test_a_command_goes_out_as_json_with_the_token_in_the_body_and_last(wire: responses.RequestsMock) -> None:
    answers(wire, "task.checklistitem.add", {"result": 5})

    reply = gate().call(positional("task.checklistitem.add", 13, {"TITLE": "Замер"}))

    assert reply == Reply(5)
    request = wire.calls[0].request
    assert request.url == ENDPOINT + "task.checklistitem.add"
    assert list(json.loads(request.body or b"")) == ["0", "1", "auth"]
    assert request.headers["User-Agent"] == "b24app/0.1"
    assert request.headers["Content-Type"] == "application/json"


def test_a_refusal_is_raised_with_its_code_and_not_repeated(wire: responses.RequestsMock) -> None:
    answers(wire, "crm.item.get", {"error": "NOT_FOUND", "error_description": "Нет"}, status=400)
    with pytest.raises(errors.NotFound, match="Нет"):
        gate().call(Command("crm.item.get", {"entityTypeId": 2, "id": 1}))
    assert len(wire.calls) == 1


def test_an_expired_token_is_renewed_and_the_command_repeated_once(wire: responses.RequestsMock) -> None:
    answers(wire, "crm.item.get", EXPIRED, {"result": 1})
    tokens, budget = Tokens(), Budget()

    assert gate(tokens, budget).call(gets(1)[0]).result == 1

    assert [body["auth"] for body in sent(wire)] == ["t1", "t2"]
    assert (tokens.renewed, budget.asked) == (["t1"], 2)


def test_a_token_that_stays_expired_is_not_renewed_without_end(wire: responses.RequestsMock) -> None:
    answers(wire, "crm.item.get", EXPIRED, EXPIRED)
    tokens = Tokens()
    with pytest.raises(errors.TokenExpired):
        gate(tokens).call(gets(1)[0])
    assert tokens.renewed == ["t1"]


def test_a_token_the_portal_does_not_know_is_renewed_once_and_then_given_up(wire: responses.RequestsMock) -> None:
    answers(wire, "crm.item.get", {"error": "NO_AUTH_FOUND"}, {"error": "NO_AUTH_FOUND"}, status=401)
    with pytest.raises(errors.AuthLost):
        gate().call(gets(1)[0])


def test_a_refused_renewal_reaches_the_caller(wire: responses.RequestsMock) -> None:
    answers(wire, "crm.item.get", EXPIRED)
    with pytest.raises(errors.AuthLost):
        gate(Tokens(errors.AuthLost("invalid_grant"))).call(gets(1)[0])


def test_a_redirect_is_reported_and_not_followed(wire: responses.RequestsMock) -> None:
    wire.post(ENDPOINT + "crm.item.get", status=302, headers={"Location": "https://new.example:8443/rest/x"})
    with pytest.raises(errors.PortalMoved) as moved:
        gate().call(gets(1)[0])
    assert moved.value.endpoint == "https://new.example:8443/rest/"
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    ("failure", "kind", "unknown"),
    [
        (requests.ConnectTimeout("slow"), errors.Unreachable, False),
        (requests.ConnectionError(MaxRetryError(POOL, "/", NO_NAME)), errors.Unreachable, False),
        (requests.ConnectionError(MaxRetryError(POOL, "/", ProtocolError("gone"))), errors.LostReply, True),
        (requests.ConnectionError("anything else"), errors.LostReply, True),
        (requests.ReadTimeout("slow"), errors.LostReply, True),
        (requests.exceptions.SSLError("eof"), errors.LostReply, True),
        (requests.exceptions.ChunkedEncodingError("cut"), errors.LostReply, True),
        (requests.exceptions.ContentDecodingError("gzip"), errors.LostReply, True),
    ],
)
def test_what_was_never_sent_differs_from_what_got_no_answer(
    wire: responses.RequestsMock, failure: Exception, kind: type[PortalError], unknown: bool
) -> None:
    answers(wire, "crm.item.add", failure)
    with pytest.raises(kind) as error:
        gate().call(Command("crm.item.add", {"entityTypeId": 2}))
    assert error.value.outcome_unknown is unknown
    assert len(wire.calls) == 1


def test_a_short_wait_for_the_budget_is_waited_out_in_place(wire: responses.RequestsMock) -> None:
    answers(wire, "crm.item.get", {"result": 1})
    slept: list[float] = []
    gate(budget=Budget(0.1, 0.1), sleep=slept.append).call(gets(1)[0])
    assert slept == [0.1, 0.1]


@pytest.mark.parametrize("waits", [(0.5,), (0.2, 0.2)])
def test_a_long_wait_for_the_budget_is_given_back_to_the_caller(
    wire: responses.RequestsMock, waits: tuple[float, ...]
) -> None:
    with pytest.raises(errors.BudgetExhausted) as spent:
        gate(budget=Budget(*waits), sleep=lambda _: None).call(gets(1)[0])
    assert (spent.value.retry_after, spent.value.outcome_unknown) == (waits[-1], False)
    assert len(wire.calls) == 0


def test_a_batch_is_one_request_and_one_hit_of_the_budget(wire: responses.RequestsMock) -> None:
    answers(wire, "batch", all_good(50))
    budget = Budget()

    replies = gate(budget=budget).batch(gets(50))

    assert [reply.result for reply in replies if isinstance(reply, Reply)] == list(range(50))
    assert (len(wire.calls), budget.asked) == (1, 1)
    assert sent(wire)[0]["halt"] == 0


def test_more_than_fifty_commands_become_several_requests_in_order(wire: responses.RequestsMock) -> None:
    answers(wire, "batch", all_good(50), all_good(50), all_good(20))
    replies = gate().batch(gets(120))
    assert [len(body["cmd"]) for body in sent(wire)] == [50, 50, 20]
    assert [reply.result for reply in replies if isinstance(reply, Reply)] == [*range(50), *range(50), *range(20)]


def test_no_commands_are_no_request(wire: responses.RequestsMock) -> None:
    assert gate().batch([]) == []


def test_one_failed_command_leaves_the_others_their_answers(wire: responses.RequestsMock) -> None:
    body = {"result": {"result": {"c0": 1, "c2": 3}, "result_error": {"c1": {"error": "NOT_FOUND"}}}}
    answers(wire, "batch", body)
    first, second, third = gate().batch(gets(3))
    assert (first, third) == (Reply(1), Reply(3))
    assert isinstance(second, errors.NotFound)


def test_commands_that_met_an_expired_token_inside_a_batch_are_sent_again_alone(
    wire: responses.RequestsMock,
) -> None:
    late = {"result": {"result": {"c0": "a"}, "result_error": {"c1": EXPIRED, "c2": EXPIRED}}}
    answers(wire, "batch", late, {"result": {"result": {"c0": "b", "c1": "c"}, "result_error": []}})
    tokens = Tokens()

    replies = gate(tokens).batch(gets(3))

    assert replies == [Reply("a"), Reply("b"), Reply("c")]
    assert [list(body["cmd"].values()) for body in sent(wire)][1] == [
        "crm.item.get?entityTypeId=2&id=1",
        "crm.item.get?entityTypeId=2&id=2",
    ]
    assert [body["auth"] for body in sent(wire)] == ["t1", "t2"]


def test_a_token_that_stays_expired_inside_a_batch_is_tried_twice_only(wire: responses.RequestsMock) -> None:
    late = {"result": {"result": [], "result_error": {"c0": EXPIRED}}}
    answers(wire, "batch", late, late)
    [answer] = gate().batch(gets(1))
    assert isinstance(answer, errors.TokenExpired)


def test_a_refused_renewal_inside_a_batch_keeps_what_was_done(wire: responses.RequestsMock) -> None:
    answers(wire, "batch", {"result": {"result": {"c0": "a"}, "result_error": {"c1": EXPIRED}}})
    done, lost = gate(Tokens(errors.AuthLost("invalid_grant"))).batch(gets(2))
    assert done == Reply("a")
    assert isinstance(lost, errors.AuthLost)


def test_a_batch_whose_token_expired_as_a_whole_is_sent_again(wire: responses.RequestsMock) -> None:
    answers(wire, "batch", EXPIRED, all_good(2))
    assert gate().batch(gets(2)) == [Reply(0), Reply(1)]


def test_a_lost_batch_leaves_its_commands_unknown_and_the_rest_unsent(wire: responses.RequestsMock) -> None:
    answers(wire, "batch", all_good(50), requests.ReadTimeout("slow"))

    replies = gate().batch(gets(150))

    assert all(isinstance(reply, Reply) for reply in replies[:50])
    assert all(isinstance(reply, errors.LostReply) for reply in replies[50:100])
    assert [(type(reply), getattr(reply, "outcome_unknown", None)) for reply in replies[100:]] == [
        (errors.NotSent, False)
    ] * 50
    assert len(wire.calls) == 2


@pytest.mark.parametrize(("budget", "kind"), [(Budget(0.0, 3.0), errors.BudgetExhausted), (Budget(), errors.QueryLimit)])
def test_a_spent_limit_keeps_the_answers_so_far_and_tells_the_rest(
    wire: responses.RequestsMock, budget: Budget, kind: type[PortalError]
) -> None:
    answers(wire, "batch", all_good(50))
    if kind is errors.QueryLimit:
        answers(wire, "batch", {"error": "QUERY_LIMIT_EXCEEDED"}, status=503)
    replies = gate(budget=budget).batch(gets(150))
    assert all(isinstance(reply, Reply) for reply in replies[:50])
    rest = replies[50:]
    assert all(isinstance(error, kind) and error.stops_portal for error in rest)


def test_the_observer_sees_requests_and_commands_without_secrets(wire: responses.RequestsMock) -> None:
    body = {
        "result": {
            "result": {"c0": 1},
            "result_error": {"c1": {"error": "NOT_FOUND"}},
            "result_time": {"c0": {"operating": 7.5}},
        }
    }
    answers(wire, "batch", EXPIRED, body)
    notes = Notes()
    gate(observer=notes).batch(gets(2))
    assert notes.requests == [("batch", 2, "TokenExpired"), ("batch", 2, "ok")]
    assert notes.commands == [("crm.item.get", "ok"), ("crm.item.get", "NotFound")]
    assert notes.operating == [7.5, None]


def test_the_observer_sees_a_single_command_that_failed(wire: responses.RequestsMock) -> None:
    answers(wire, "crm.item.get", {"error": "OPERATION_TIME_LIMIT"}, status=429)
    notes = Notes()
    with pytest.raises(errors.MethodBlocked):
        gate(observer=notes).call(gets(1)[0])
    assert notes.commands == [("crm.item.get", "MethodBlocked")]
    assert notes.requests == [("crm.item.get", 1, "MethodBlocked")]


def test_the_token_shows_in_no_error_and_no_address(wire: responses.RequestsMock) -> None:
    answers(wire, "crm.item.get", {"error": "X", "error_description": "what is t1?"}, status=400)
    with pytest.raises(errors.Refused) as refused:
        gate().call(gets(1)[0])
    assert "t1" not in str(refused.value)
    assert "t1" not in (wire.calls[0].request.url or "")


def test_a_portal_that_has_enough_of_us_is_believed_for_everybody(wire: responses.RequestsMock) -> None:
    budget = Budget()
    answers(wire, "server.time", {"error": "QUERY_LIMIT_EXCEEDED"}, status=503)
    with pytest.raises(errors.QueryLimit):
        gate(budget=budget).call(Command("server.time"))
    assert budget.filled == 1


def test_any_other_failure_leaves_the_budget_as_it_is(wire: responses.RequestsMock) -> None:
    budget = Budget()
    answers(wire, "server.time", {"error": "INTERNAL_SERVER_ERROR"}, status=500)
    with pytest.raises(errors.ServerTrouble):
        gate(budget=budget).call(Command("server.time"))
    assert budget.filled == 0
