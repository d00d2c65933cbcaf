"""Tasks, checklists, comments, time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import ADMIN, HEAD, INSTALLER, MANAGER, OTHER_MANAGER, Desk


def status(desk: Desk, number: int) -> str:
    return str(desk.call("tasks.task.get", taskId=number)["task"]["status"])


def test_a_fresh_task_answers_with_texts(desk: Desk) -> None:
    desk.deal(title="A")
    fields = {
        "TITLE": "Подписать договор",
        "RESPONSIBLE_ID": MANAGER,
        "UF_CRM_TASK": ["D_1"],
        "XML_ID": "run-1",
        "DEADLINE": "2026-06-02T19:00:00+03:00",
    }

    task = desk.call("tasks.task.add", fields=fields)["task"]

    assert (task["id"], task["status"], task["responsibleId"], task["createdBy"]) == ("1", "2", "3", "1")
    assert task["deadline"] == "2026-06-02T18:00:00+02:00"
    assert task["xmlId"] == "run-1"
    assert "ufCrmTask" not in task
    assert task["group"] == []
    assert "ufCrmTask" not in desk.call("tasks.task.get", taskId=1)["task"]
    selected = desk.call("tasks.task.get", taskId=1, select=["ID", "UF_CRM_TASK"])["task"]
    assert (selected["ufCrmTask"], selected["ufMailMessage"]) == (["D_1"], None)


def test_tasks_of_a_deal_are_found_and_matched_by_their_external_code(desk: Desk) -> None:
    desk.deal(title="A")
    desk.task(UF_CRM_TASK=["D_1"], XML_ID="a")
    desk.task()

    found = desk.call("tasks.task.list", filter={"UF_CRM_TASK": "D_1"}, select=["ID", "XML_ID", "CHANGED_DATE"])["tasks"]

    assert [(task["id"], task["xmlId"]) for task in found] == [("1", "a")]
    assert found[0]["changedDate"] == "2026-06-01T10:00:00+02:00"


def test_the_external_code_is_no_filter(desk: Desk) -> None:
    desk.task(XML_ID="a")
    desk.task(XML_ID="b")

    assert len(desk.call("tasks.task.list", filter={"XML_ID": "a"})["tasks"]) == 2
    assert "unknown filter field 'XML_ID'" in desk.world.complaints.pop()


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"RESPONSIBLE_ID": [MANAGER, OTHER_MANAGER]}, ["1", "2"]),
        ({"!RESPONSIBLE_ID": MANAGER}, ["2", "3"]),
        ({">ID": 1, "<ID": 3}, ["2"]),
        ({"REAL_STATUS": [2, 3]}, ["1", "2", "3"]),
        ({"STATUS": -1}, ["3"]),
        ({"<=DEADLINE": "2026-06-01T09:00:00+02:00"}, ["3"]),
        ({"!DEADLINE": ""}, ["3"]),
        ({"%TITLE": "сроч"}, ["3"]),
    ],
)
def test_task_filters(desk: Desk, condition: dict[str, Any], found: list[str]) -> None:
    desk.task(MANAGER)
    desk.task(OTHER_MANAGER)
    desk.task(INSTALLER, TITLE="Просрочена", DEADLINE="2026-05-30T19:00:00+03:00")

    listed = desk.call("tasks.task.list", filter=condition, order={"ID": "asc"}, select=["ID"])["tasks"]

    assert [task["id"] for task in listed] == found


def test_task_refusals_are_localized_text_with_breaks(desk: Desk) -> None:
    reply = desk.ask("tasks.task.add", fields={"TITLE": "x"}).json

    assert reply == {"error": "ERROR_CORE", "error_description": "Не указан исполнитель.<br>"}
    assert desk.refusal("tasks.task.add", fields={"RESPONSIBLE_ID": 3}) == (400, "ERROR_CORE")
    assert desk.refusal("tasks.task.add", fields={"TITLE": "x", "RESPONSIBLE_ID": 99}) == (400, "ERROR_CORE")
    assert desk.refusal("tasks.task.add") == (400, "100")
    assert desk.refusal("tasks.task.get", taskId=0) == (400, "0")
    assert desk.refusal("tasks.task.approve", taskId=77) == (400, "1048582")
    assert desk.refusal("tasks.task.complete", taskId=77) == (400, "0")


def test_a_missing_or_hidden_task_answers_with_an_empty_list(desk: Desk) -> None:
    number = desk.task(MANAGER)

    assert desk.call("tasks.task.get", taskId=99) == []
    assert desk.call("tasks.task.get", desk.token_of(OTHER_MANAGER), taskId=number) == []
    assert desk.call("tasks.task.get", desk.token_of(HEAD), taskId=number)["task"]["id"] == "1"


def test_control_stops_the_responsible_at_supposedly_done(desk: Desk) -> None:
    number = desk.task(MANAGER, TASK_CONTROL="Y")
    manager = desk.portal.as_user(MANAGER)

    manager.call("tasks.task.complete", taskId=number)
    assert status(desk, number) == "4"
    desk.call("tasks.task.disapprove", taskId=number)
    assert status(desk, number) == "2"
    manager.call("tasks.task.complete", taskId=number)
    desk.call("tasks.task.approve", taskId=number)
    assert status(desk, number) == "5"

    assert desk.call("tasks.task.get", taskId=number)["task"]["closedBy"] == str(ADMIN)


def test_without_control_or_by_the_creator_completion_is_final(desk: Desk) -> None:
    plain, controlled = desk.task(MANAGER), desk.task(MANAGER, TASK_CONTROL="Y")

    desk.portal.as_user(MANAGER).call("tasks.task.complete", taskId=plain)
    desk.call("tasks.task.complete", taskId=controlled)

    assert (status(desk, plain), status(desk, controlled)) == ("5", "5")


def test_the_life_of_a_task(desk: Desk) -> None:
    number = desk.task(MANAGER)
    token = desk.token_of(MANAGER)
    seen = []
    for action in ("start", "pause", "defer", "renew", "start", "complete", "renew"):
        seen.append(desk.call(f"tasks.task.{action}", token, taskId=number)["task"]["status"])

    assert seen == ["3", "2", "6", "2", "3", "5", "2"]
    moves = desk.call("tasks.task.history.list", taskId=number, filter={"FIELD": "STATUS"})["list"]
    assert [row["value"]["to"] for row in moves] == seen


def test_another_user_may_not_close_a_task(desk: Desk) -> None:
    number = desk.task(MANAGER)

    assert desk.refusal("tasks.task.complete", desk.token_of(OTHER_MANAGER), taskId=number) == (400, "0")
    access = desk.call("tasks.task.getaccess", taskId=number, users=[MANAGER, OTHER_MANAGER])["allowedActions"]
    assert (access["3"]["COMPLETE"], access["4"]["COMPLETE"]) == (True, False)
    assert access["3"]["APPROVE"] is False


def test_the_responsible_moves_the_deadline_only_when_allowed(desk: Desk) -> None:
    fixed, free = desk.task(MANAGER), desk.task(MANAGER, ALLOW_CHANGE_DEADLINE="Y")
    token, change = desk.token_of(MANAGER), {"DEADLINE": "2026-06-05T19:00:00+03:00"}

    assert desk.refusal("tasks.task.update", token, taskId=fixed, fields=change) == (400, "1048582")
    assert desk.call("tasks.task.update", token, taskId=free, fields=change)["task"]["deadline"].startswith("2026-06-05")
    assert desk.refusal("tasks.task.update", token, taskId=free, fields={"TITLE": "x"}) == (400, "1048582")


def test_setting_tasks_for_others_needs_an_administrator(desk: Desk) -> None:
    given = {"TITLE": "x", "RESPONSIBLE_ID": INSTALLER, "CREATED_BY": HEAD}

    by_admin = desk.call("tasks.task.add", fields=given)["task"]["createdBy"]
    by_manager = desk.call("tasks.task.add", desk.token_of(MANAGER), fields=given)["task"]["createdBy"]

    assert (by_admin, by_manager) == (str(HEAD), str(MANAGER))
    assert "needs an administrator" in desk.world.complaints.pop()


def test_delegation_keeps_the_first_responsible_as_an_auditor(desk: Desk) -> None:
    number = desk.task(MANAGER)

    task = desk.call("tasks.task.delegate", taskId=number, userId=OTHER_MANAGER)["task"]

    assert (task["responsibleId"], task["auditors"]) == (str(OTHER_MANAGER), [str(MANAGER)])


def test_a_demanded_result_blocks_completion(desk: Desk) -> None:
    number = desk.task(MANAGER, SE_PARAMETER=[{"VALUE": "Y", "CODE": 3}])
    assert desk.refusal("tasks.task.complete", taskId=number) == (400, "0")

    comment = desk.call("task.commentitem.add", **{"0": number, "1": {"POST_MESSAGE": "Акт подписан"}})
    desk.call("tasks.task.result.addFromComment", commentId=comment)

    assert desk.call("tasks.task.complete", taskId=number)["task"]["status"] == "5"
    assert desk.call("tasks.task.result.list", taskId=number)[0]["text"] == "Акт подписан"


def test_a_checklist_is_a_tree_of_texts_and_blocks_nothing(desk: Desk) -> None:
    number = desk.task(MANAGER)
    root = desk.call("task.checklistitem.add", **{"0": number, "1": {"TITLE": "Договор", "PARENT_ID": 0}})
    first = desk.call("task.checklistitem.add", TASKID=number, FIELDS={"TITLE": "Оформить", "PARENT_ID": root})
    desk.call("task.checklistitem.add", TASKID=number, FIELDS={"TITLE": "Подписать"})

    assert desk.call("task.checklistitem.complete", **{"0": number, "1": first}) is True
    rows = desk.call("task.checklistitem.getlist", TASKID=number)

    assert [(row["TITLE"], row["PARENT_ID"], row["IS_COMPLETE"]) for row in rows] == [
        ("Договор", "0", "N"),
        ("Оформить", str(root), "Y"),
        ("Подписать", str(root), "N"),
    ]
    assert rows[1]["TOGGLED_BY"] == str(ADMIN)
    assert desk.call("tasks.task.complete", taskId=number)["task"]["status"] == "5"
    assert desk.call("task.checklistitem.renew", TASKID=number, ITEMID=first) is True
    change = {"0": number, "1": first, "2": {"TITLE": "Оформить заново"}}
    assert desk.call("task.checklistitem.update", **change) is None
    assert desk.call("task.checklistitem.get", TASKID=number, ITEMID=first)["TITLE"] == "Оформить заново"
    assert desk.call("task.checklistitem.delete", TASKID=number, ITEMID=root) is True
    assert desk.call("task.checklistitem.getlist", TASKID=number) == []


def test_a_wrong_order_of_positional_parameters_is_refused_and_complained_of(desk: Desk) -> None:
    number = desk.task(MANAGER)

    refused = desk.refusal("task.checklistitem.add", FIELDS={"TITLE": "x"}, TASKID=number)

    assert refused == (400, "ERROR_CORE")
    assert "not in the documented order" in desk.world.complaints.pop()


def test_a_json_array_is_positional(desk: Desk) -> None:
    number = desk.task(MANAGER)

    reply = desk.http.post(f"/rest/task.checklistitem.add?auth={desk.token}", json=[number, {"TITLE": "x"}])

    assert reply.status_code == 200


def test_time_spent_is_recorded_and_paged_by_its_own_parameters(desk: Desk) -> None:
    number = desk.task(MANAGER, ALLOW_TIME_TRACKING="Y")
    for minutes in (30, 60, 90):
        desk.call("task.elapseditem.add", TASKID=number, ARFIELDS={"SECONDS": minutes * 60, "COMMENT_TEXT": "замер"})

    page = {"NAV_PARAMS": {"nPageSize": 2, "iNumPage": 2}}
    params = {"0": number, "1": {"ID": "asc"}, "2": {}, "3": ["*"], "4": page}
    rows = desk.call("task.elapseditem.getlist", **params)

    assert [(row["SECONDS"], row["MINUTES"]) for row in rows] == [("5400", "90")]
    assert desk.refusal("task.elapseditem.add", TASKID=99, ARFIELDS={"SECONDS": 1}) == (400, "0x000001")


def test_time_records_are_ordered_filtered_and_selected(desk: Desk) -> None:
    number = desk.task(MANAGER, ALLOW_TIME_TRACKING="Y")
    for seconds in (60, 180, 120):
        desk.call("task.elapseditem.add", TASKID=number, ARFIELDS={"SECONDS": seconds, "COMMENT_TEXT": "замер"})

    params = {"0": number, "1": {"SECONDS": "desc"}, "2": {">ID": 1}, "3": ["ID", "SECONDS"]}
    rows = desk.call("task.elapseditem.getlist", **params)

    assert rows == [{"ID": "2", "SECONDS": "180"}, {"ID": "3", "SECONDS": "120"}]


def test_time_recorded_where_nobody_sees_it_is_complained_of(desk: Desk) -> None:
    number = desk.task(MANAGER)
    desk.call("task.elapseditem.add", TASKID=number, ARFIELDS={"SECONDS": 60, "COMMENT_TEXT": "замер"})

    assert f"time was recorded on task {number}" in desk.world.complaints.pop()


def test_comments_are_listed_with_their_authors(desk: Desk) -> None:
    number = desk.task(MANAGER)
    desk.portal.as_user(MANAGER).call("task.commentitem.add", TASKID=number, FIELDS={"POST_MESSAGE": "Клиент думает"})

    row = desk.call("task.commentitem.getlist", TASKID=number)[0]

    assert (row["AUTHOR_NAME"], row["POST_MESSAGE"]) == ("Мария Кузнецова", "Клиент думает")


def test_counters_count_what_is_overdue(desk: Desk) -> None:
    desk.task(MANAGER, DEADLINE="2026-05-30T19:00:00+03:00")

    assert desk.call("tasks.task.counters.get", userId=MANAGER)["expired"]["counter"] == 1


def test_an_unknown_task_field_or_binding_is_complained_of(desk: Desk) -> None:
    desk.task(DEADLYNE="2026-06-02T19:00:00+03:00")
    desk.task(UF_CRM_TASK=["D_99"])

    assert "DEADLYNE" in desk.world.complaints.pop(0)
    assert "D_99" in desk.world.complaints.pop(0)
