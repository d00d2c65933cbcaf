"""Groups, projects and the columns of their boards."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import ADMIN, INSTALLER, MANAGER, Desk


def a_project(desk: Desk, name: str = "Процессы") -> int:
    return int(desk.call("sonet_group.create", NAME=name, PROJECT="Y"))


def columns(desk: Desk, group: int) -> list[str]:
    return [row["TITLE"] for row in desk.call("task.stages.get", entityId=group).values()]


def test_a_project_is_found_by_its_name(desk: Desk) -> None:
    a_project(desk, "Отдел IT")
    number = a_project(desk)
    (found,) = desk.call("sonet_group.get", FILTER={"NAME": "Процессы"})
    assert (found["ID"], found["PROJECT"], found["OWNER_ID"]) == (str(number), "Y", str(ADMIN))
    assert [row["ID"] for row in desk.call("sonet_group.get")] == ["2", "1"]
    assert desk.call("sonet_group.user.get", ID=number) == [{"USER_ID": "1", "ROLE": "A"}]


def test_a_board_comes_with_three_columns_and_takes_more(desk: Desk) -> None:
    group = a_project(desk)
    board = desk.call("task.stages.get", entityId=group)
    assert [(row["TITLE"], row["SYSTEM_TYPE"]) for row in board.values()] == [
        ("Новые", "NEW"),
        ("Выполняются", "WORK"),
        ("Сделаны", "FINISH"),
    ]
    second = int(list(board)[1])
    assert desk.call("task.stages.update", id=second, fields={"TITLE": "В работе"}) is True
    desk.call("task.stages.add", fields={"TITLE": "Тестирование", "ENTITY_ID": group, "AFTER_ID": second})
    assert columns(desk, group) == ["Новые", "В работе", "Тестирование", "Сделаны"]


def test_columns_of_the_portal_and_the_first_one_stay(desk: Desk) -> None:
    group = a_project(desk)
    first, second, _ = desk.call("task.stages.get", entityId=group)
    assert desk.refusal("task.stages.delete", id=first) == (400, "CANT_DELETE_FIRST")
    assert desk.refusal("task.stages.delete", id=second) == (400, "IS_SYSTEM")
    assert desk.refusal("task.stages.delete", id=999) == (400, "NOT_FOUND")
    added = desk.call("task.stages.add", fields={"TITLE": "Публикация", "ENTITY_ID": group, "AFTER_ID": second})
    assert desk.call("task.stages.delete", id=added) is True
    assert desk.refusal("task.stages.add", fields={"ENTITY_ID": group}) == (400, "EMPTY_TITLE")


def test_a_task_lies_in_a_column_and_is_moved_to_another(desk: Desk) -> None:
    group = a_project(desk)
    first, second, _ = map(int, desk.call("task.stages.get", entityId=group))
    task = desk.task(GROUP_ID=group, STAGE_ID=first)
    assert desk.call("tasks.task.get", taskId=task)["task"]["stageId"] == str(first)
    assert desk.call("task.stages.movetask", id=task, stageId=second) is True
    assert desk.call("tasks.task.get", taskId=task)["task"]["stageId"] == str(second)
    assert desk.refusal("task.stages.movetask", id=task, stageId=999) == (400, "NOT_FOUND")
    assert desk.refusal("task.stages.movetask", id=999, stageId=first) == (400, "TASK_NOT_FOUND")
    assert desk.refusal("task.stages.movetask", id=desk.task(), stageId=first) == (400, "ACCESS_DENIED_MOVE")


@pytest.mark.parametrize("stranger", [MANAGER, INSTALLER])
def test_a_stranger_does_not_see_a_groups_board(desk: Desk, stranger: int) -> None:
    group = a_project(desk)
    token = desk.token_of(stranger)
    assert desk.refusal("task.stages.get", token, entityId=group) == (400, "ACCESS_DENIED")
    assert desk.call("task.stages.canmovetask", token, entityId=group, entityType="G") is False
    assert len(desk.call("task.stages.get", token, entityId=0)) == 3


def test_a_column_of_another_board_is_noticed(desk: Desk) -> None:
    group = a_project(desk)
    foreign = int(next(iter(desk.call("task.stages.get", entityId=a_project(desk, "Чужая")))))
    desk.task(GROUP_ID=group, STAGE_ID=foreign)
    assert "is no column of the group's board" in desk.world.complaints.pop()


def test_a_task_cannot_be_put_into_a_group_that_is_not_there(desk: Desk) -> None:
    fields = {"TITLE": "Тест", "RESPONSIBLE_ID": MANAGER, "GROUP_ID": 77}
    assert desk.refusal("tasks.task.add", fields=fields) == (400, "ERROR_CORE")
