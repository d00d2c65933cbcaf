"""The border between "never sent" and "sent, no answer", on real sockets."""

from __future__ import annotations

import socket

import pytest

from b24app.bitrix import errors
from b24app.bitrix.commands import Command
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import Reply
from b24app.bitrix.transport import new_session
from tests.bitrix.doubles import Budget, Tokens
from tests.bitrix.peer import HANG_UP, cut, http, peer

ADD = Command("tasks.task.add", {"fields": {"TITLE": "Замер"}})


def gate(endpoint: str) -> Gate:
    return Gate(new_session("b24app/0.1"), endpoint, Tokens(), Budget(), timeout=(1.0, 5.0))


def test_nobody_listening_means_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(errors.Unreachable) as error:
        gate(f"http://127.0.0.1:{port}/rest/").call(ADD)
    assert not error.value.outcome_unknown


def test_a_connection_closed_before_the_answer_leaves_the_outcome_unknown() -> None:
    with peer(HANG_UP) as portal, pytest.raises(errors.LostReply) as error:
        gate(portal.endpoint).call(ADD)
    assert error.value.outcome_unknown
    assert len(portal.requests) == 1


def test_a_kept_connection_closed_before_the_answer_is_not_repeated_behind_our_back() -> None:
    with peer(http({"result": 1}), HANG_UP, http({"result": 3})) as portal:
        door = gate(portal.endpoint)
        assert door.call(ADD) == Reply(1)
        with pytest.raises(errors.LostReply):
            door.call(ADD)
        assert (len(portal.requests), portal.connections) == (2, 1)
        assert door.call(ADD) == Reply(3)
        assert (len(portal.requests), portal.connections) == (3, 2)


def test_an_answer_cut_short_leaves_the_outcome_unknown() -> None:
    with peer(cut(http({"result": {"task": {"id": 1}}}))) as portal, pytest.raises(errors.LostReply):
        gate(portal.endpoint).call(ADD)
    assert len(portal.requests) == 1


def test_a_server_error_is_not_repeated() -> None:
    with peer(http(b"<html>", "502 Bad Gateway", content_type="text/html")) as portal:
        with pytest.raises(errors.ServerTrouble):
            gate(portal.endpoint).call(ADD)
        assert len(portal.requests) == 1


def test_garbage_instead_of_http_leaves_the_outcome_unknown() -> None:
    with peer(b"\x15\x03\x01 nonsense\r\n\r\n") as portal, pytest.raises(errors.LostReply):
        gate(portal.endpoint).call(ADD)
