"""The figures of corrections, from what the application keeps of them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from b24app.core.figures import Correction
from b24app.engine.figures.corrections import corrections
from tests.flows.corrections import CLEAN, CORRECT, OFFICER, REGULATION, SYSTEM, YES, Loop, no
from tests.flows.stage import ADMIN, ALEXEY, DMITRY, FOREMAN, HEAD, MARIA


def rows(loop: Loop) -> tuple[Correction, ...]:
    workshop = loop.stage.application.workshop
    with workshop.database.read() as connection:
        return corrections(workshop, connection, workshop.portal(loop.stage.portal_id))


def test_a_correction_is_figured_from_its_history_forms_tasks_and_points(analysed: Loop) -> None:
    """S3-42 to S3-45, through a rejection, a second round, an overdue task and a return."""
    turn, item = analysed.stage.turn, analysed.item
    turn(hours=4)
    measures = {"outcome": "partial", "measures": [REGULATION, SYSTEM]}
    analysed.fill(item, OFFICER, measures)
    analysed.items.move(item, "approval")
    turn(hours=2)
    analysed.fill(item, HEAD, no("Добавьте склад"))
    assert analysed.items.on(item) == "measures"
    analysed.fill(item, OFFICER, measures)
    analysed.items.move(item, "approval")
    for member in analysed.commission(item):
        analysed.fill(item, member, YES)
    analysed.items.move(item, "changes")
    turn(days=9)  # the two changes were due in five working days
    analysed.finish(item, "регламент", ALEXEY)
    analysed.accept(item, "регламент")

    (row,) = rows(analysed)

    assert row.responsible.name == "Мария Кузнецова"
    assert row.officer is not None
    assert row.officer.id == OFFICER
    assert (row.stage, row.finished_at, row.grade, row.rounds) == ("Осуществляем изменения", None, "C", 2)
    assert row.violations == ("Нарушены сроки или нормативы", "Ошибки в документах")
    assert row.measures == ("Дополнить регламент переноса монтажа", "Проверять дату при переносе")
    assert row.source.title == "Потолки, ул. Садовая, 5"
    assert row.source.pipeline == "Продажа и монтаж подвесных потолков"
    assert row.source.link.endswith("/crm/deal/details/1/")
    assert (row.open_tasks, row.days_overdue) == (1, 2)
    hours = {group: spent.calendar for group, spent in row.times.items()}
    assert hours == {"analysis": timedelta(hours=4), "approval": timedelta(hours=2), "changes": timedelta()}


def test_correct_work_is_graded_and_rewarded_and_its_time_ends_with_it(begun: Loop) -> None:
    item = begun.item
    begun.analyse(item, CLEAN)
    begun.fill(item, OFFICER, CORRECT)
    begun.stage.turn(hours=3)
    begun.items.move(item, "done")
    begun.stage.turn(days=2)
    (row,) = rows(begun)
    assert (row.grade, row.bonus, row.stage) == ("A", Decimal(10), "Коррекция завершена")
    assert row.finished_at is not None
    assert row.whole.calendar == timedelta(hours=3)


def test_a_deleted_source_and_people_who_left_keep_their_names(begun: Loop) -> None:
    deal = begun.deal
    begun.stage.portal.as_user(ADMIN).call("crm.item.delete", entityTypeId=2, id=deal.id)
    for gone in (MARIA, OFFICER, FOREMAN, DMITRY):
        begun.stage.portal.people.users[gone].active = False
    begun.stage.turn(minutes=11)
    (row,) = rows(begun)
    assert (row.source.title, row.responsible.name) == ("Потолки, ул. Садовая, 5", "Мария Кузнецова")


def test_a_deleted_correction_counts_no_more(begun: Loop) -> None:
    item = begun.item
    assert len(rows(begun)) == 1
    begun.stage.portal.as_user(ADMIN).call("crm.item.delete", entityTypeId=item.entity_type_id, id=item.id)
    begun.stage.settle()
    assert rows(begun) == ()
