"""Bindings and delivery."""

from __future__ import annotations

import requests

from tests.sandbox.conftest import ADMIN, HANDLER, MANAGER, OTHER_MANAGER, Desk


def bind(desk: Desk, *names: str) -> None:
    for name in names:
        desk.call("event.bind", event=name, handler=HANDLER)


def test_a_binding_is_listed_refused_twice_and_unbound(desk: Desk) -> None:
    bind(desk, "onCrmDealUpdate")

    assert desk.call("event.get")[0]["event"] == "ONCRMDEALUPDATE"
    assert desk.refusal("event.bind", event="ONCRMDEALUPDATE", handler=HANDLER) == (400, "ERROR_CORE")
    assert desk.refusal("event.bind", event="ONNOTHING", handler=HANDLER) == (400, "ERROR_EVENT_NOT_FOUND")
    assert desk.call("event.unbind", event="ONCRMDEALUPDATE", handler=HANDLER) == {"count": 1}
    assert desk.call("event.unbind", event="ONCRMDEALUPDATE", handler=HANDLER) == {"count": 0}


def test_an_event_tells_the_number_and_carries_the_token_of_who_acted(desk: Desk) -> None:
    bind(desk, "ONCRMDEALADD")
    desk.portal.as_user(MANAGER).call("crm.item.add", entityTypeId=2, fields={"title": "A"})

    assert desk.portal.deliver() == 1

    url, body = desk.mailbox.calls[0]
    assert url == HANDLER
    assert (body["event"], body["data"]) == ("ONCRMDEALADD", {"FIELDS": {"ID": "1"}})
    assert body["ts"] == "1780300800"
    assert body["auth"]["user_id"] == str(MANAGER)
    assert body["auth"]["application_token"] == desk.app.application_token
    assert "refresh_token" not in body["auth"]
    assert desk.call("profile", body["auth"]["access_token"])["ID"] == str(MANAGER)


def test_what_automation_does_comes_without_tokens(desk: Desk) -> None:
    bind(desk, "ONCRMDEALUPDATE")
    desk.call("crm.automation.trigger.add", CODE="paid", NAME="Оплачено")
    desk.portal.automation.trigger_places.append(("paid", 2, "EXECUTING"))
    desk.deal(title="A")

    desk.call("crm.automation.trigger.execute", CODE="paid", OWNER_TYPE_ID=2, OWNER_ID=1)
    desk.portal.deliver()

    assert "access_token" not in desk.mailbox.calls[0][1]["auth"]
    assert desk.call("crm.item.get", entityTypeId=2, id=1)["item"]["stageId"] == "EXECUTING"


def test_a_change_of_pipeline_tells_only_of_the_pipeline(desk: Desk) -> None:
    bind(desk, "ONCRMDEALUPDATE", "ONCRMDEALMOVETOCATEGORY")
    other = desk.call("crm.category.add", entityTypeId=2, fields={"name": "Монтаж"})["category"]["id"]
    desk.deal(title="A")

    desk.call("crm.item.update", entityTypeId=2, id=1, fields={"categoryId": other})
    desk.portal.deliver()

    assert desk.mailbox.events() == ["ONCRMDEALMOVETOCATEGORY"]
    assert desk.mailbox.calls[0][1]["data"]["FIELDS"] == {"ID": "1", "CATEGORY_ID": "1", "STAGE_ID": "C1:NEW"}


def test_task_events_really_say_undefined(desk: Desk) -> None:
    bind(desk, "ONTASKADD", "ONTASKUPDATE", "ONTASKDELETE", "ONTASKCOMMENTADD")
    number = desk.task()
    desk.call("task.commentitem.add", **{"0": number, "1": {"POST_MESSAGE": "Готово"}})
    desk.call("tasks.task.start", taskId=number)
    desk.call("tasks.task.delete", taskId=number)
    desk.portal.deliver()

    assert desk.mailbox.events() == ["ONTASKADD", "ONTASKCOMMENTADD", "ONTASKUPDATE", "ONTASKDELETE"]
    assert desk.mailbox.calls[0][1]["data"]["FIELDS_BEFORE"] == "undefined"
    assert desk.mailbox.calls[2][1]["data"]["FIELDS_AFTER"] == {"ID": "1"}
    assert desk.mailbox.calls[3][1]["data"]["FIELDS_AFTER"] == "undefined"


def test_common_and_typed_smart_process_events_both_come(desk: Desk) -> None:
    fields = {"title": "Коррекция", "isStagesEnabled": "Y"}
    number = desk.call("crm.type.add", fields=fields)["type"]["entityTypeId"]
    bind(desk, "ONCRMDYNAMICITEMADD", f"ONCRMDYNAMICITEMADD_{number}")

    desk.call("crm.item.add", entityTypeId=number, fields={"title": "A"})
    desk.portal.deliver()

    assert desk.mailbox.events() == ["ONCRMDYNAMICITEMADD", f"ONCRMDYNAMICITEMADD_{number}"]
    assert desk.mailbox.calls[0][1]["data"]["FIELDS"] == {"ID": "1", "ENTITY_TYPE_ID": str(number)}


def test_a_handler_that_fails_gets_nothing_again(desk: Desk) -> None:
    bind(desk, "ONCRMDEALADD")
    desk.mailbox.status = 500
    desk.deal(title="A")

    assert (desk.portal.deliver(), desk.portal.deliver()) == (1, 0)
    assert desk.portal.deliveries[0].status == 500


def test_a_handler_nobody_listens_at_is_recorded(desk: Desk) -> None:
    def nobody(url: str, body: str) -> int:
        raise requests.ConnectionError

    bind(desk, "ONCRMDEALADD")
    desk.world.transport = nobody
    desk.deal(title="A")

    assert desk.portal.deliver() == 1
    assert (desk.portal.deliveries[0].status, desk.portal.deliveries[0].error) == (None, "ConnectionError")


def test_events_can_be_lost_doubled_delayed_and_mixed_up(desk: Desk) -> None:
    bind(desk, "ONCRMDEALADD")
    faults = desk.portal.faults
    faults.drop_events = 1.0
    desk.deal(title="lost")
    faults.drop_events, faults.duplicate_events = 0.0, 1.0
    desk.deal(title="doubled")
    faults.duplicate_events, faults.delay_seconds = 0.0, 90
    desk.deal(title="late")

    assert desk.portal.deliver() == 2
    desk.later(seconds=91)
    assert desk.portal.deliver() == 1
    assert [body["data"]["FIELDS"]["ID"] for _, body in desk.mailbox.calls] == ["2", "2", "3"]

    desk.mailbox.calls.clear()
    faults.clear()
    faults.reorder_events = True
    for number in range(12):
        desk.deal(title=str(number))
    assert desk.portal.deliver() == 12
    order = [int(body["data"]["FIELDS"]["ID"]) for _, body in desk.mailbox.calls]
    assert order != sorted(order)
    assert sorted(order) == list(range(4, 16))


def test_a_chain_of_writes_with_event_tokens_dies_out(desk: Desk) -> None:
    bind(desk, "ONCRMDEALUPDATE")
    desk.deal(title="start")
    token, steps = desk.token, 0

    while True:
        desk.call("crm.item.update", token, entityTypeId=2, id=1, fields={"title": f"step {steps}"})
        if not desk.portal.deliver():
            break
        token, steps = desk.mailbox.calls[-1][1]["auth"]["access_token"], steps + 1

    assert steps == 7


def test_a_non_administrators_binding_is_tied_to_himself(desk: Desk) -> None:
    desk.call("event.bind", desk.token_of(MANAGER), event="ONCRMDEALADD", handler=HANDLER)

    assert desk.call("event.get")[0]["auth_type"] == str(MANAGER)
    foreign = {"event": "ONCRMDEALADD", "handler": "http://a.test", "auth_type": ADMIN}
    assert desk.refusal("event.bind", desk.token_of(OTHER_MANAGER), **foreign) == (403, "ACCESS_DENIED")


def test_the_test_event_comes_back_with_what_was_passed(desk: Desk) -> None:
    bind(desk, "ONAPPTEST")

    assert desk.call("event.test", ping="7") == 1
    desk.portal.deliver()

    body = desk.mailbox.calls[0][1]
    assert body["data"]["QUERY"] == {"ping": "7"}
    assert "refresh_token" in body["auth"]


def test_only_so_many_calls_are_delivered_as_asked(desk: Desk) -> None:
    bind(desk, "ONCRMDEALADD")
    for number in range(3):
        desk.deal(title=str(number))

    assert [desk.portal.deliver(2), desk.portal.deliver(2)] == [2, 1]


def test_the_sparing_dialect_leaves_out_what_only_the_sdk_expects(desk: Desk) -> None:
    desk.portal.options["dialect"] = "sparing"
    bind(desk, "ONTASKADD", "ONCRMTIMELINECOMMENTADD")
    desk.deal(title="A")
    desk.task()
    number = desk.call("crm.timeline.comment.add", fields={"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": "x"})
    desk.portal.deliver()

    task, comment = (body for _, body in desk.mailbox.calls)
    assert "event_handler_id" not in task
    assert not {"expires", "user_id"} & set(task["auth"])
    assert comment["data"] == {"ID": str(number)}
