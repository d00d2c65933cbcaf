"""Projects of departments on a portal: found, created, completed, done without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from b24app.engine import boards
from b24app.engine.access import gate_of
from b24app.engine.setup.pipelines import create
from b24app.store.portals import Portal
from tests.world import ADMIN, Theatre, theatre

COLUMNS = ["Ожидает планирования", "В работе на тесте", "Тестирование", "Публикация", "Приёмка"]
NAMES = ["Интегратор: доработки Битрикс24", "IT: изменения процессов", "Регламенты и документация"]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Theatre]:
    with theatre(tmp_path, processes=True) as found:
        found.open()
        yield found
        assert found.world.complaints == []


def portal(stage: Theatre) -> Portal:
    workshop = stage.shop.workshop
    with workshop.database.read() as connection:
        found = workshop.portals.by_member(connection, stage.portal.member_id)
    assert found is not None
    return found


def set_up(stage: Theatre) -> list[str]:
    """Set the projects up; returns the columns each has."""
    workshop = stage.shop.workshop
    process = workshop.processes["analysis_and_corrections"]
    boards.set_up(workshop, portal(stage), process, gate_of(workshop, portal(stage)))
    return list(boards.known(portal(stage)))


def columns(stage: Theatre, number: int) -> list[str]:
    return [column.title for column in stage.portal.groups.board("G", number)]


def test_missing_projects_are_made_with_the_columns_of_the_process(stage: Theatre) -> None:
    assert set_up(stage) == NAMES
    assert [columns(stage, number) for number in stage.portal.groups.groups] == [COLUMNS] * 3


def test_a_second_time_nothing_is_made(stage: Theatre) -> None:
    set_up(stage)
    before = boards.known(portal(stage))
    set_up(stage)
    assert boards.known(portal(stage)) == before
    assert len(stage.portal.groups.groups) == 3


def test_a_project_that_is_there_keeps_its_columns_and_gets_the_missing_ones(stage: Theatre) -> None:
    user = stage.portal.as_user(ADMIN)
    theirs = int(user.call("sonet_group.create", NAME="IT: изменения процессов", PROJECT="Y"))
    user.call("task.stages.add", fields={"TITLE": "ТЕСТИРОВАНИЕ", "ENTITY_ID": theirs})
    set_up(stage)
    assert boards.known(portal(stage))["IT: изменения процессов"].group == theirs
    assert {"Новые", "Выполняются", "Сделаны", "ТЕСТИРОВАНИЕ"} < set(columns(stage, theirs))
    assert len(columns(stage, theirs)) == 8


@pytest.mark.parametrize("after", range(0, 22, 3))
def test_what_was_cut_off_anywhere_is_finished_by_the_next_without_a_second_project(stage: Theatre, after: int) -> None:
    stage.portal.faults.add("lost_reply", after=after, times=1)
    try:
        set_up(stage)
    except Exception:  # whatever the cut was taken for: the next time has to be whole
        stage.portal.faults.clear()
        set_up(stage)
    assert sorted(group.name for group in stage.portal.groups.groups.values()) == sorted(NAMES)
    assert all(set(COLUMNS) <= set(columns(stage, number)) for number in stage.portal.groups.groups)


def test_a_portal_without_projects_is_worked_for_without(stage: Theatre) -> None:
    stage.portal.denied |= {(ADMIN, "sonet_group.get")}
    workshop = stage.shop.workshop
    tie = create(workshop, portal(stage), workshop.processes["analysis_and_corrections"])
    assert (len(tie.stages), boards.known(portal(stage))) == (7, {})


def test_the_smart_process_has_exactly_the_stages_of_the_file(stage: Theatre) -> None:
    """Its first pipeline is our own, the portal's stages give way."""
    workshop = stage.shop.workshop
    tie = create(workshop, portal(stage), workshop.processes["analysis_and_corrections"])
    names = [s.name for s in stage.portal.crm.stages.stages(tie.entity_type_id, tie.category_id)]
    assert names == [
        "Проводим анализ",
        "Формулирование мер коррекции",
        "Согласовываем коррекцию",
        "Осуществляем изменения",
        "Финализация",
        "Коррекция завершена",
        "Разбор отменён",
    ]
    assert stage.portal.crm.types[tie.entity_type_id].parents() == [1, 2]
