"""People, notifications, news, calendars, SMS, the disk."""

from __future__ import annotations

import base64

import pytest

from sandbox.errors import Cut
from sandbox.sms import gateway_app
from tests.sandbox.conftest import ADMIN, HEAD, INSTALLER, MANAGER, START, Desk


def test_people_are_read_with_their_departments(desk: Desk) -> None:
    rows = desk.call("user.get", FILTER={"ACTIVE": True, "UF_DEPARTMENT": 2}, sort="ID", order="ASC")

    assert [(row["ID"], row["UF_DEPARTMENT"], row["ACTIVE"]) for row in rows[:1]] == [("2", [2], True)]
    assert [row["ID"] for row in desk.call("user.get", ID=MANAGER)] == ["3"]
    assert [row["ID"] for row in desk.call("user.search", FILTER={"FIND": "бухгалтер"})] == ["9"]
    assert desk.call("user.admin", desk.token_of(MANAGER)) is False
    assert desk.call("user.current", desk.token_of(MANAGER))["WORK_POSITION"] == "Менеджер"


def test_heads_are_found_by_departments(desk: Desk) -> None:
    rows = {row["NAME"]: row for row in desk.call("department.get")}

    assert rows["Отдел продаж"]["UF_HEAD"] == str(HEAD)
    assert rows["Отдел продаж"]["PARENT"] == rows["Компания"]["ID"]
    assert "UF_HEAD" not in rows["Бухгалтерия"]
    assert "PARENT" not in rows["Компания"]
    assert desk.call("im.department.managers.get", ID=[2]) == {"2": [HEAD]}
    assert desk.refusal("im.department.managers.get") == (400, "ID_EMPTY")


def test_a_dismissed_employee_is_inactive(desk: Desk) -> None:
    desk.portal.people.dismiss(MANAGER)

    assert [row["ACTIVE"] for row in desk.call("user.get", ID=MANAGER)] == [False]
    assert desk.refusal("tasks.task.add", fields={"TITLE": "x", "RESPONSIBLE_ID": MANAGER}) == (400, "ERROR_CORE")


def test_a_notification_with_the_same_tag_replaces_the_former(desk: Desk) -> None:
    desk.call("im.notify.system.add", USER_ID=MANAGER, MESSAGE="Первое", TAG="deal-1")
    desk.call("im.notify.system.add", USER_ID=MANAGER, MESSAGE="Другое", TAG="deal-2")
    desk.call("im.notify.system.add", USER_ID=MANAGER, MESSAGE="Второе", TAG="deal-1")

    assert desk.portal.messages.of(MANAGER) == ["Другое", "Второе"]
    assert desk.refusal("im.notify.system.add", USER_ID=MANAGER) == (400, "MESSAGE_EMPTY")
    assert desk.refusal("im.notify.personal.add", MESSAGE="x") == (400, "USER_ID_EMPTY")
    assert desk.refusal("im.message.add", DIALOG_ID="77", MESSAGE="x") == (400, "USER_NOT_FOUND")


def test_news_tells_who_read_it(desk: Desk) -> None:
    number = desk.call("log.blogpost.add", POST_TITLE="Регламент", POST_MESSAGE="Новый", IMPORTANT="Y", DEST=["DR2"])
    desk.portal.messages.posts[number].read_by.append(MANAGER)

    assert desk.call("log.blogpost.getusers.important", POST_ID=number) == ["3"]
    assert desk.call("log.blogpost.get", POST_ID=number)[0]["TITLE"] == "Регламент"


def test_calendar_entries_are_exact_in_their_utc_numbers(desk: Desk) -> None:
    number = desk.call(
        "calendar.event.add",
        type="user",
        ownerId=INSTALLER,
        name="Монтаж",
        **{"from": "2026-06-03T10:00:00+03:00", "to": "2026-06-03T18:00:00+03:00"},
        attendees=[INSTALLER],
        is_meeting="Y",
        crm_fields=["D_1"],
    )

    row = desk.call("calendar.event.getbyid", id=number)
    assert row["DATE_FROM_TS_UTC"] == "1780470000"
    assert row["DATE_FROM"] == "03.06.2026 09:00:00"
    users = [INSTALLER, MANAGER]
    taken = desk.call("calendar.accessibility.get", users=users, **{"from": "2026-06-03", "to": "2026-06-03"})
    assert [entry["ACCESSIBILITY"] for entry in taken["6"]] == ["busy"]
    assert taken["3"] == []
    assert desk.call("calendar.event.get", type="user", ownerId=INSTALLER)[0]["ID"] == str(number)
    change = {"id": number, "type": "user", "ownerId": INSTALLER, "name": "Монтаж (перенос)"}
    assert desk.call("calendar.event.update", **change) == number
    assert desk.call("calendar.event.delete", id=number) is True
    assert desk.refusal("calendar.event.delete", id=number) == (400, "")


def test_a_vacation_is_seen_as_absence(desk: Desk) -> None:
    desk.portal.calendars.add(INSTALLER, "Отпуск", START, START.replace(day=14), "absent")

    taken = desk.call("calendar.accessibility.get", users=[INSTALLER], **{"from": "2026-06-10", "to": "2026-06-10"})

    assert taken["6"][0]["ACCESSIBILITY"] == "absent"
    assert desk.call("calendar.settings.get")["week_holidays"] == ["SA", "SU"]
    assert desk.call("timeman.schedule.get", id=1)["SHIFTS"][0]["WORK_TIME_START"] == 32400


def test_a_provider_gets_the_portals_sms_and_reports_on_it(desk: Desk) -> None:
    provider = {"CODE": "gate", "TYPE": "SMS", "HANDLER": "http://127.0.0.1:9/b24/sms", "NAME": "Шлюз"}
    assert desk.call("messageservice.sender.add", **provider) is True
    assert desk.refusal("messageservice.sender.add", **provider) == (400, "ERROR_SENDER_ALREADY_INSTALLED")

    message = desk.portal.messages.send_sms("gate", "+79161234501", "Ждём вас", ["crm", "CCrmDocumentDeal", "DEAL_1"])
    desk.portal.deliver()

    body = desk.mailbox.calls[0][1]
    assert (body["message_to"], body["message_body"], body["type"]) == ("+79161234501", "Ждём вас", "SMS")
    report = {"CODE": "gate", "MESSAGE_ID": message.id, "STATUS": "delivered"}
    assert desk.call("messageservice.message.status.update", **report) is True
    assert message.status == "delivered"
    wrong = {**report, "STATUS": "eaten"}
    assert desk.refusal("messageservice.message.status.update", **wrong) == (400, "ERROR_MESSAGE_STATUS_INCORRECT")
    assert desk.call("messageservice.sender.list") == ["gate"]
    assert desk.call("messageservice.sender.delete", CODE="gate") is True


def test_the_gateway_speaks_both_dialects_and_knows_a_repetition(desk: Desk) -> None:
    gateway = gateway_app(desk.world).test_client()
    ru = {"api_id": "sandbox-key", "to": "+79161234501", "msg": "Ждём вас", "json": "1"}
    smsc = {"login": "sandbox", "psw": "sandbox", "phones": "+79161234502", "mes": "Завтра", "id": "run-1", "fmt": "3"}

    first = gateway.post("/sms/send", data=ru).json
    replies = [gateway.get("/sys/send.php", query_string=smsc).json for _ in range(2)]

    assert first and first["sms"]["+79161234501"]["status"] == "OK"
    assert replies == [{"id": "run-1", "cnt": 1}] * 2
    assert [(sms.to, sms.text) for sms in desk.world.sms.outbox] == [
        ("+79161234501", "Ждём вас"),
        ("+79161234502", "Завтра"),
    ]
    look = {"login": "sandbox", "psw": "sandbox", "phone": "+79161234502"}
    known = gateway.get("/sys/status.php", query_string={**look, "id": "run-1"}).json
    unknown = gateway.get("/sys/status.php", query_string={**look, "id": "run-2"}).json
    assert known and unknown
    assert (known["err"], unknown["error_code"]) == (0, 3)


def test_the_gateway_refuses_strangers_and_may_be_down_or_hang_up(desk: Desk) -> None:
    gateway = gateway_app(desk.world).test_client()
    good = {"api_id": "sandbox-key", "to": "+79161234501", "msg": "x"}

    assert gateway.post("/sms/send", json={**good, "api_id": "no"}).json["status_code"] == 200  # type: ignore[index]
    assert gateway.post("/sms/send", json={**good, "to": "100"}).json["sms"]["100"]["status"] == "ERROR"  # type: ignore[index]
    desk.world.sms.refuse = 1
    assert gateway.post("/sms/send", json=good).status_code == 500
    assert desk.world.sms.outbox == []
    desk.world.sms.hang_up_after_accepting = 1
    with pytest.raises(Cut):
        gateway.post("/sms/send", json=good)
    assert len(desk.world.sms.outbox) == 1


def test_a_file_goes_to_the_apps_own_storage(desk: Desk) -> None:
    folder = desk.call("disk.storage.getForApp")["ROOT_OBJECT_ID"]
    content = ["акт.txt", base64.b64encode(b"done").decode()]

    uploaded = desk.call("disk.folder.uploadFile", id=folder, data={"NAME": "акт.txt"}, fileContent=content)

    assert (uploaded["NAME"], uploaded["SIZE"]) == ("акт.txt", "4")
    assert desk.refusal("disk.folder.uploadFile", id=5, data={"NAME": "x"}) == (400, "ERROR_NOT_FOUND")
    assert desk.refusal("disk.storage.getForApp", desk.token_of(ADMIN + 1)) == (403, "ACCESS_DENIED")
