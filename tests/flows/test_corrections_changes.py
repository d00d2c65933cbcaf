"""Changes in the departments, finalisation and news."""

from __future__ import annotations

import pytest

from b24app.store import forms
from tests.flows.corrections import (
    CLEAN,
    CORRECT,
    FOUND,
    LEARN,
    MEASURES,
    OFFICER,
    REGULATION,
    SYSTEM,
    YES,
    Loop,
)
from tests.flows.stage import ADMIN, ALEXEY, DMITRY, HEAD, MARIA, Stage

COLUMNS = ["Ожидает планирования", "В работе на тесте", "Тестирование", "Публикация", "Приёмка"]


@pytest.fixture
def loop(stage: Stage) -> Loop:
    return Loop(stage)


def test_departments_have_projects_with_the_five_columns(loop: Loop) -> None:
    """S3-34: made when the application is installed."""
    groups = loop.stage.portal.groups
    assert [group.name for group in groups.groups.values()] == [
        "Интегратор: доработки Битрикс24",
        "IT: изменения процессов",
        "Регламенты и документация",
    ]
    assert [[column.title for column in groups.board("G", number)] for number in groups.groups] == [COLUMNS] * 3


def test_a_change_goes_where_its_content_belongs(loop: Loop) -> None:
    """S3-32, S3-33: the table of routes."""
    wholesale = {**SYSTEM, "pipeline": "Продажи ОПТ", "text": "Изменить стадию КП"}
    correction = loop.agreed({"outcome": "partial", "measures": [REGULATION, SYSTEM, wholesale]})
    groups = loop.stage.portal.groups
    placed = {
        row["title"]: (
            groups.groups[int(row["groupId"])].name,
            groups.column(int(row["stageId"])),
            int(row["responsibleId"]),
        )
        for row in loop.rows(correction)
        if row["title"].startswith("Изменить:")
    }
    assert {title: (group, who) for title, (group, _, who) in placed.items()} == {
        "Изменить: Дополнить регламент переноса монтажа": ("Регламенты и документация", ALEXEY),
        "Изменить: Проверять дату при переносе": ("IT: изменения процессов", DMITRY),
        "Изменить: Изменить стадию КП": ("Интегратор: доработки Битрикс24", DMITRY),
    }
    assert {column.title for _, column, _ in placed.values() if column} == {"Ожидает планирования"}


def test_an_order_to_learn_is_the_employees_own_task(loop: Loop) -> None:
    """S3-28."""
    correction = loop.agreed({"outcome": "improvable", "measures": [LEARN]})
    task = loop.task(correction, "Курс по договорной работе")
    assert (task["responsibleId"], task["createdBy"], task["groupId"]) == (str(MARIA), str(OFFICER), "0")


def test_every_change_blocks_finalisation_until_it_is_accepted(loop: Loop) -> None:
    """S3-35: returned with the list of what is open."""
    correction = loop.agreed()
    loop.finish(correction, "регламент", ALEXEY)
    loop.items.move(correction, "finalisation")
    assert loop.items.on(correction) == "changes"
    said = next(c for c in reversed(loop.items.comments(correction)) if "Возвращено" in c)
    assert "«Изменить: Дополнить регламент переноса монтажа» ждёт приёмки (Алексей Морозов)" in said
    assert "«Изменить: Проверять дату при переносе» (Дмитрий Лебедев, срок" in said
    assert "«Изучить: Курс по договорной работе» (Мария Кузнецова, срок" in said
    assert len([t for t in loop.rows(correction) if t["title"].startswith("Изменить:")]) == 2  # none was given twice


def test_a_deleted_change_is_not_an_accepted_one(loop: Loop) -> None:
    correction = loop.agreed({"outcome": "partial", "measures": [SYSTEM]})
    number = int(loop.task(correction, "Проверять дату")["id"])
    loop.stage.portal.as_user(ADMIN).call("tasks.task.delete", taskId=number)
    loop.items.move(correction, "finalisation")
    assert loop.items.on(correction) == "changes"
    fresh = loop.task(correction, "Проверять дату")
    assert int(fresh["id"]) != number  # given once more
    loop.finish(correction, "Проверять дату", DMITRY)
    loop.accept(correction, "Проверять дату")
    loop.items.move(correction, "finalisation")
    assert loop.items.on(correction) == "finalisation"


def at_the_end(loop: Loop) -> None:
    """Bring a correction with one change to its news."""
    correction = loop.agreed({"outcome": "partial", "measures": [SYSTEM]})
    loop.finish(correction, "Проверять дату", DMITRY)
    loop.accept(correction, "Проверять дату")
    loop.items.move(correction, "finalisation")
    loop.finish(correction, "в документации", ALEXEY)
    loop.finish(correction, "в Битрикс24 и системах", DMITRY, proof="https://company.example/proof.png")


def test_news_reach_the_departments_the_process_crosses(loop: Loop) -> None:
    """S3-38."""
    at_the_end(loop)
    (news,) = loop.news()
    assert set(news.dest) == {"DR2", "DR3", "DR4"}
    assert news.important


def test_who_has_read_the_news_is_told_and_the_others_are_reminded_once(loop: Loop) -> None:
    at_the_end(loop)
    (news,) = loop.news()
    news.read_by += [MARIA, HEAD]
    loop.stage.turn(days=1, hours=8)
    (correction,) = loop.corrections()
    assert loop.field(correction, "news_read") == "Новость прочитали 2 из 8"
    assert [n for n in loop.stage.notices(ALEXEY) if "Прочитайте и подтвердите" in n] != []
    assert [n for n in loop.stage.notices(MARIA) if "Прочитайте и подтвердите" in n] == []


def test_publishing_in_systems_wants_a_proof(loop: Loop) -> None:
    """S3-37: the task cannot be completed without a result."""
    correction = loop.agreed({"outcome": "partial", "measures": [SYSTEM]})
    loop.finish(correction, "Проверять дату", DMITRY)
    loop.accept(correction, "Проверять дату")
    loop.items.move(correction, "finalisation")
    with pytest.raises(Exception, match="необходим результат"):
        loop.finish(correction, "в Битрикс24 и системах", DMITRY)
    loop.items.move(correction, "done")
    assert loop.items.on(correction) == "finalisation"


def test_a_deleted_deal_holds_its_correction_up_nowhere(loop: Loop) -> None:
    deal = loop.lost_deal()
    correction = loop.summed_up(deal)
    loop.stage.portal.as_user(ADMIN).call("crm.item.delete", entityTypeId=2, id=deal.id)
    loop.stage.settle()
    loop.tick(correction, "Провести анализ", OFFICER)
    loop.fill(correction, OFFICER, CLEAN)
    loop.items.move(correction, "measures")
    loop.fill(correction, OFFICER, CORRECT)
    loop.items.move(correction, "done")
    assert loop.items.on(correction) == "done"
    assert "Источник удалён" in loop.whys(correction, "close_correction")[-1]


def test_a_dismissed_manager_leaves_the_summing_up_to_his_head(loop: Loop) -> None:
    loop.stage.portal.people.users[MARIA].active = False
    loop.stage.turn(minutes=11)
    deal = loop.lost_deal(by=MARIA)
    assert loop.stage.titles(deal.id, user=HEAD) == ["Подвести итоги работы: Потолки, ул. Садовая, 5"]
    correction = loop.summed_up(deal, by=HEAD)
    loop.fill(correction, OFFICER, FOUND)
    assert HEAD in loop.commission(correction)
    assert MARIA not in loop.commission(correction)


def test_a_cancelled_correction_leaves_no_task_and_no_timer(loop: Loop) -> None:
    correction = loop.put_to_the_vote()
    loop.items.move(correction, "cancelled")
    assert loop.items.tasks(correction) == []
    assert loop.stage.waiting() == {}


def test_answers_and_points_are_kept_by_the_application(loop: Loop) -> None:
    correction = loop.put_to_the_vote(MEASURES)
    loop.fill(correction, HEAD, YES)
    with loop.stage.application.workshop.database.read() as connection:
        kept = forms.submissions(connection, loop.stage.portal_id, correction)
    assert [(sent.form, sent.by) for sent in kept] == [("analysis", OFFICER), ("measures", OFFICER), ("approval", HEAD)]
