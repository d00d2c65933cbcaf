from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import unquote_plus

import pytest

from b24app.bitrix import errors
from b24app.bitrix.answers import classify
from b24app.bitrix.commands import Command, batch_body, positional, split_batch_reply
from b24app.bitrix.errors import PortalError
from b24app.bitrix.form import decode
from b24app.bitrix.replies import Reply
from tests import wire


def commands(count: int) -> list[Command]:
    return [Command("crm.item.get", {"entityTypeId": 2, "id": place}) for place in range(count)]


def batch_reply(name: str) -> Reply:
    reply = classify("batch", 200, wire.answer(name), {})
    assert isinstance(reply, Reply)
    return reply


def test_a_command_keeps_the_order_of_its_parameters_in_a_batch() -> None:
    body = batch_body([positional("task.checklistitem.add", 13, {"TITLE": "Замер", "IS_COMPLETE": "N"})])
    assert unquote_plus(body["cmd"]["c0"]) == "task.checklistitem.add?0=13&1[TITLE]=Замер&1[IS_COMPLETE]=N"
    assert body["halt"] == 0


def test_values_of_a_batched_command_are_encoded_exactly_once() -> None:
    line = batch_body([Command("crm.item.update", {"fields": {"title": "100% + & # = ?"}})])["cmd"]["c0"]
    method, _, query = line.partition("?")
    assert method == "crm.item.update"
    assert decode(query.encode()) == {"fields": {"title": "100% + & # = ?"}}


def test_a_command_without_parameters_is_its_method() -> None:
    assert batch_body([Command("server.time")])["cmd"] == {"c0": "server.time"}


@pytest.mark.parametrize("count", [0, 51])
def test_a_batch_holds_one_to_fifty_commands(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 50"):
        batch_body(commands(count))


def test_a_batch_holds_no_batch() -> None:
    with pytest.raises(ValueError, match="batch"):
        batch_body([Command("Batch", {"cmd": {}})])


@pytest.mark.parametrize("method", ["", "crm.item.get?id=1", "../x", "crm item", "crm.item.get\n", "1.x"])
def test_a_method_name_cannot_lead_elsewhere(method: str) -> None:
    with pytest.raises(ValueError, match="method"):
        Command(method)


def test_a_command_refuses_at_once_what_a_batch_could_not_say() -> None:
    with pytest.raises(TypeError, match=r"fields\[opened\]"):
        Command("crm.item.update", {"fields": {"opened": True}})


def test_every_command_of_a_batch_gets_its_own_answer() -> None:
    item, missing, rows, blocked, scope, unmentioned = split_batch_reply(commands(6), batch_reply("batch_mixed"))

    assert isinstance(item, Reply)
    assert item.result == {"item": {"id": 4821, "stageId": "C7:NEW"}}
    assert item.time.operating == 1.25
    assert isinstance(missing, errors.NotFound)
    assert missing.method == "crm.item.get"
    assert isinstance(rows, Reply)
    assert (rows.total, rows.next) == (130, 50)
    assert isinstance(blocked, errors.MethodBlocked)
    assert blocked.until == datetime.fromtimestamp(1780000300, UTC)
    assert isinstance(scope, errors.AccessDenied)
    assert isinstance(unmentioned, errors.ServerTrouble)
    assert unmentioned.outcome_unknown


def test_empty_maps_written_as_lists_are_understood() -> None:
    [answer] = split_batch_reply(commands(1), batch_reply("batch_empty_maps"))
    assert type(answer) is errors.Refused


@pytest.mark.parametrize("result", [None, [], "x", {"result": {"c0": 1}, "result_error": {"c0": "TEXT"}}])
def test_a_batch_answer_of_another_shape_is_an_error_for_each_command(result: object) -> None:
    [answer] = split_batch_reply(commands(1), Reply(result))
    assert isinstance(answer, PortalError)


def test_a_token_in_the_error_of_one_command_is_masked() -> None:
    reply = Reply({"result": [], "result_error": {"c0": {"error": "X", "error_description": "token t0p is bad"}}})
    [answer] = split_batch_reply(commands(1), reply, hide=("t0p",))
    assert "t0p" not in str(answer)
