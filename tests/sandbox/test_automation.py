"""Robots on stages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import ADMIN, MANAGER, Desk

URL = "http://127.0.0.1:9/b24/robot/gate"
RETURNS = {"ok": {"Name": "Можно дальше", "Type": "bool"}}
PROPERTIES = {"days": {"Name": {"ru": "Дней"}, "Type": "int", "Default": 3}, "who": {"Name": "Кто", "Type": "user"}}


def register(desk: Desk, code: str = "gate", waits: str = "Y", **more: Any) -> None:
    desk.call(
        "bizproc.robot.add",
        CODE=code,
        HANDLER=URL,
        NAME="Проверка",
        AUTH_USER_ID=ADMIN,
        USE_SUBSCRIPTION=waits,
        PROPERTIES=PROPERTIES,
        RETURN_PROPERTIES=RETURNS,
        **more,
    )


def calls(desk: Desk) -> list[dict[str, Any]]:
    desk.portal.deliver()
    return [body for _, body in desk.mailbox.calls if "event_token" in body]


def test_a_robot_is_called_when_a_deal_enters_its_stage(desk: Desk) -> None:
    register(desk)
    desk.portal.automation.place(2, "PREPARATION", "gate", {"days": 5})
    desk.deal(title="A")
    assert calls(desk) == []

    desk.move(1, "PREPARATION")

    body = calls(desk)[0]
    assert body["document_id"] == ["crm", "CCrmDocumentDeal", "DEAL_1"]
    assert body["document_type"] == ["crm", "CCrmDocumentDeal", "DEAL"]
    assert (body["code"], body["use_subscription"], body["timeout_duration"]) == ("gate", "Y", "0")
    assert body["properties"] == {"days": "5", "who": ""}
    assert body["auth"]["user_id"] == str(ADMIN)
    assert "refresh_token" in body["auth"]
    assert "event" not in body


def test_creation_moves_by_people_and_imports_differ(desk: Desk) -> None:
    register(desk, waits="N")
    desk.portal.automation.place(2, "NEW", "gate")

    desk.deal(title="created")
    desk.portal.as_user(MANAGER).call("crm.item.add", entityTypeId=2, fields={"title": "by hand"})
    desk.call("crm.item.import", entityTypeId=2, fields={"title": "imported"})

    assert [body["document_id"][2] for body in calls(desk)] == ["DEAL_1", "DEAL_2"]


def test_a_smart_process_names_both_of_its_numbers(desk: Desk) -> None:
    register(desk, waits="N")
    flags = {"isStagesEnabled": "Y", "isAutomationEnabled": "Y"}
    number = desk.call("crm.type.add", fields={"title": "К", **flags})["type"]["entityTypeId"]
    category = desk.call("crm.category.list", entityTypeId=number)["categories"][0]["id"]
    desk.portal.automation.place(number, f"DT{number}_{category}:NEW", "gate")

    desk.call("crm.item.add", entityTypeId=number, fields={"title": "A"})

    assert calls(desk)[0]["document_id"] == [
        "crm",
        "Bitrix\\Crm\\Integration\\BizProc\\Document\\Dynamic",
        f"DYNAMIC_{number}_1",
    ]


def test_the_next_robot_waits_for_the_answer_of_a_waiting_one(desk: Desk) -> None:
    register(desk)
    register(desk, "after", "N")
    desk.portal.automation.place(2, "PREPARATION", "gate")
    desk.portal.automation.place(2, "PREPARATION", "after")
    desk.deal(title="A")
    desk.move(1, "PREPARATION")
    first = calls(desk)
    assert [body["code"] for body in first] == ["gate"]

    token = first[0]["event_token"]
    assert desk.call("bizproc.event.send", EVENT_TOKEN=token, RETURN_VALUES={"OK": "Y"}, LOG_MESSAGE="Готово") is True
    again = desk.call("bizproc.event.send", EVENT_TOKEN=token, RETURN_VALUES={"ok": "N"})

    assert again is True
    assert [body["code"] for body in calls(desk)] == ["gate", "after"]
    runs = desk.portal.automation.runs
    assert (runs[0].status, runs[0].results, runs[0].log) == ("done", {"ok": "Y"}, ["Готово"])


def test_leaving_the_stage_kills_the_waiting_token(desk: Desk) -> None:
    register(desk)
    desk.portal.automation.place(2, "PREPARATION", "gate")
    desk.deal(title="A")
    desk.move(1, "PREPARATION")
    token = calls(desk)[0]["event_token"]

    desk.move(1, "NEW")

    assert desk.portal.automation.runs[0].status == "terminated"
    assert desk.refusal("bizproc.event.send", EVENT_TOKEN=token) == (403, "ACCESS_DENIED")
    assert desk.refusal("bizproc.activity.log", EVENT_TOKEN=token, LOG_MESSAGE="x") == (403, "ACCESS_DENIED")
    assert desk.refusal("bizproc.event.send", EVENT_TOKEN="strange") == (403, "ACCESS_DENIED")


def test_coming_back_to_a_stage_runs_its_robots_anew(desk: Desk) -> None:
    register(desk, waits="N")
    desk.portal.automation.place(2, "NEW", "gate")
    desk.deal(title="A")
    desk.move(1, "PREPARATION")
    desk.move(1, "NEW")

    tokens = [body["event_token"] for body in calls(desk)]

    assert len(set(tokens)) == 2


def test_a_step_whose_time_is_over_goes_on_with_is_timeout(desk: Desk) -> None:
    register(desk)
    register(desk, "after", "N")
    desk.portal.automation.place(2, "NEW", "gate", timeout_seconds=600)
    desk.portal.automation.place(2, "NEW", "after")
    desk.deal(title="A")
    token = calls(desk)[0]["event_token"]

    desk.later(seconds=601)

    assert [body["code"] for body in calls(desk)] == ["gate", "after"]
    assert desk.portal.automation.runs[0].results == {"IsTimeout": 1}
    assert desk.refusal("bizproc.event.send", EVENT_TOKEN=token) == (403, "ACCESS_DENIED")


def test_a_waiting_step_can_be_written_about(desk: Desk) -> None:
    register(desk)
    desk.portal.automation.place(2, "NEW", "gate")
    desk.deal(title="A")
    token = calls(desk)[0]["event_token"]

    assert desk.call("bizproc.activity.log", EVENT_TOKEN=token, LOG_MESSAGE="Думаю") is True
    assert desk.refusal("bizproc.activity.log", EVENT_TOKEN=token) == (400, "ERROR_EMPTY_LOG_MESSAGE")
    assert desk.portal.automation.runs[0].log == ["Думаю"]


def test_a_robot_without_auth_user_gets_no_token(desk: Desk) -> None:
    desk.call("bizproc.robot.add", CODE="poor", HANDLER=URL, NAME="P", USE_SUBSCRIPTION="N")
    desk.portal.automation.place(2, "NEW", "poor")
    desk.deal(title="A")

    assert "access_token" not in calls(desk)[0]["auth"]
    assert desk.world.complaints.pop() == "bizproc.robot.add: robot poor without AUTH_USER_ID gets no token"


def test_registration_is_checked_as_documented(desk: Desk) -> None:
    register(desk)
    good = {"CODE": "x", "HANDLER": URL, "NAME": "x", "AUTH_USER_ID": 1, "USE_SUBSCRIPTION": "N"}
    wrong = "ERROR_ACTIVITY_VALIDATION_FAILURE"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"CODE": ""}, wrong),
        ({"CODE": "пол"}, wrong),
        ({"NAME": ""}, wrong),
        ({"HANDLER": "ftp://a.test/x"}, "ERROR_UNSUPPORTED_PROTOCOL"),
        ({"HANDLER": "http://localhost/x"}, "ERROR_WRONG_HANDLER_URL"),
        ({"PROPERTIES": "text"}, wrong),
        ({"PROPERTIES": {"1x": {"Name": "a"}}}, wrong),
        ({"PROPERTIES": {"x": {"Type": "int"}}}, wrong),
        ({"FILTER": {"ONLY": []}}, wrong),
        ({"DOCUMENT_TYPE": ["crm"]}, wrong),
        ({"CODE": "gate"}, "ERROR_ACTIVITY_ALREADY_INSTALLED"),
    ]
    for change, code in cases:
        assert desk.refusal("bizproc.robot.add", **{**good, **change}) == (400, code), change
    assert desk.refusal("bizproc.robot.add", desk.token_of(MANAGER), **good) == (403, "ACCESS_DENIED")
    assert desk.call("bizproc.robot.list") == ["gate"]


def test_a_robot_is_changed_and_deleted_and_revived(desk: Desk) -> None:
    register(desk, waits="N")
    desk.portal.automation.place(2, "NEW", "gate")
    assert desk.refusal("bizproc.robot.update", CODE="gate", FIELDS={})[0] == 400
    assert desk.refusal("bizproc.robot.delete", CODE="none") == (400, "ERROR_ACTIVITY_NOT_FOUND")

    assert desk.call("bizproc.robot.update", CODE="gate", FIELDS={"HANDLER": "http://127.0.0.1:9/new"}) is True
    desk.deal(title="A")
    desk.portal.deliver()
    assert desk.mailbox.calls[-1][0] == "http://127.0.0.1:9/new"

    desk.call("bizproc.robot.delete", CODE="gate")
    desk.deal(title="blocked")
    register(desk, waits="N")
    desk.deal(title="revived")
    assert [body["document_id"][2] for body in calls(desk)] == ["DEAL_1", "DEAL_3"]


@pytest.mark.parametrize(("chosen", "waits"), [(None, "N"), (True, "Y")])
def test_an_open_subscription_is_what_the_author_of_the_template_chose(desk: Desk, chosen: bool | None, waits: str) -> None:
    desk.call("bizproc.robot.add", CODE="open", HANDLER=URL, NAME="O", AUTH_USER_ID=1)
    desk.portal.automation.place(2, "NEW", "open", wait=chosen)
    desk.deal(title="A")

    assert calls(desk)[0]["use_subscription"] == waits
    assert "USE_SUBSCRIPTION" in desk.world.complaints.pop()
