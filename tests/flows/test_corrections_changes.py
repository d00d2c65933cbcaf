"""Changes in the departments, finalisation and news."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from b24app.store import forms
from tests.flows.conftest import begins
from tests.flows.corrections import (
    CLEAN,
    CORRECT,
    FOUND,
    LEARN,
    OFFICER,
    REGULATION,
    SYSTEM,
    YES,
    Loop,
)
from tests.flows.stage import ADMIN, ALEXEY, DMITRY, HEAD, MARIA, Stage
from tests.flows.theatre import Theatre

COLUMNS = ["Ожидает планирования", "В работе на тесте", "Тестирование", "Публикация", "Приёмка"]


@pytest.fixture(scope="module")
def before_change(after_analysis: Theatre) -> Iterator[Theatre]:
    """One change is agreed on."""

    def agree(stage: Stage) -> None:
        loop = Loop(stage)
        loop.put_to_the_vote(loop.item, {"outcome": "partial", "measures": [SYSTEM]})
        loop.agree(loop.item)

    with after_analysis.played(agree) as given:
        yield given


@pytest.fixture(scope="module")
def after_change(before_change: Theatre) -> Iterator[Theatre]:
    """And made and accepted: it is to be published."""

    def change(stage: Stage) -> None:
        loop = Loop(stage)
        loop.finish(loop.item, "Проверять дату", DMITRY)
        loop.accept(loop.item, "Проверять дату")
        loop.items.move(loop.item, "finalisation")

    with before_change.played(change) as given:
        yield given


changing = begins("before_change")
ending = begins("after_change")


def tell(loop: Loop) -> None:
    """Publish the change everywhere, its news the last."""
    loop.finish(loop.item, "в документации", ALEXEY)
    loop.finish(loop.item, "в Битрикс24 и системах", DMITRY, proof="https://company.example/proof.png")


def test_departments_have_projects_with_the_five_columns(loop: Loop) -> None:
    """S3-34: made when the application is installed."""
    groups = loop.stage.portal.groups
    assert [group.name for group in groups.groups.values()] == [
        "Интегратор: доработки Битрикс24",
        "IT: изменения процессов",
        "Регламенты и документация",
    ]
    assert [[column.title for column in groups.board("G", number)] for number in groups.groups] == [COLUMNS] * 3


def test_a_change_goes_where_its_content_belongs(analysed: Loop) -> None:
    """S3-32, S3-33: the table of routes."""
    wholesale = {**SYSTEM, "pipeline": "Продажи ОПТ", "text": "Изменить стадию КП"}
    correction = analysed.item
    analysed.put_to_the_vote(correction, {"outcome": "partial", "measures": [REGULATION, SYSTEM, wholesale]})
    analysed.agree(correction)
    groups = analysed.stage.portal.groups
    placed = {
        row["title"]: (
            groups.groups[int(row["groupId"])].name,
            groups.column(int(row["stageId"])),
            int(row["responsibleId"]),
        )
        for row in analysed.rows(correction)
        if int(row["groupId"])
    }
    assert {title: (group, who) for title, (group, _, who) in placed.items()} == {
        "Дополнить регламент переноса монтажа": ("Регламенты и документация", ALEXEY),
        "Проверять дату при переносе": ("IT: изменения процессов", DMITRY),
        "Изменить стадию КП": ("Интегратор: доработки Битрикс24", DMITRY),
    }
    assert {column.title for _, column, _ in placed.values() if column} == {"Ожидает планирования"}


def test_many_long_measures_are_shown_whole_to_those_who_vote_and_publish(analysed: Loop) -> None:
    correction, texts = analysed.item, [f"{number} {'о' * 600} 😀 =1+1" for number in range(12)]
    measures = [{"kind": "regulation", "text": text} for text in texts]
    analysed.put_to_the_vote(correction, {"outcome": "partial", "measures": measures})
    vote = analysed.task(correction, "Согласовать меры")["description"]
    card = analysed.field(correction, "measures")
    assert [text for text in texts if text not in vote or text not in card] == []


def test_an_order_to_learn_is_the_employees_own_task(analysed: Loop) -> None:
    """S3-28."""
    correction = analysed.item
    analysed.put_to_the_vote(correction, {"outcome": "improvable", "measures": [LEARN]})
    analysed.agree(correction)
    task = analysed.task(correction, "Курс по договорной работе")
    assert (task["responsibleId"], task["createdBy"], task["groupId"]) == (str(MARIA), str(OFFICER), "0")


def test_every_change_blocks_finalisation_until_it_is_accepted(agreed: Loop) -> None:
    """S3-35: returned with the list of what is open."""
    correction = agreed.item
    agreed.finish(correction, "регламент", ALEXEY)
    agreed.items.move(correction, "finalisation")
    assert agreed.items.on(correction) == "changes"
    said = next(c for c in reversed(agreed.items.comments(correction)) if "Возвращено" in c)
    assert "«Дополнить регламент переноса монтажа» ждёт приёмки (Алексей Морозов)" in said
    assert "«Проверять дату при переносе» (Дмитрий Лебедев, срок" in said
    assert "«Курс по договорной работе» (Мария Кузнецова, срок" in said
    assert len([t for t in agreed.rows(correction) if int(t["groupId"])]) == 2  # none was given twice


def test_a_deleted_change_is_not_an_accepted_one(changing: Loop) -> None:
    correction = changing.item
    number = int(changing.task(correction, "Проверять дату")["id"])
    changing.stage.portal.as_user(ADMIN).call("tasks.task.delete", taskId=number)
    changing.items.move(correction, "finalisation")
    assert changing.items.on(correction) == "changes"
    fresh = changing.task(correction, "Проверять дату")
    assert int(fresh["id"]) != number  # given once more
    changing.finish(correction, "Проверять дату", DMITRY)
    changing.accept(correction, "Проверять дату")
    changing.items.move(correction, "finalisation")
    assert changing.items.on(correction) == "finalisation"


def test_news_reach_the_departments_the_process_crosses(ending: Loop) -> None:
    """S3-38."""
    tell(ending)
    (news,) = ending.news()
    assert set(news.dest) == {"DR2", "DR3", "DR4"}
    assert news.important


def test_other_measures_of_a_correction_taken_up_again_are_announced_as_well(ending: Loop) -> None:
    correction = ending.item
    tell(ending)
    ending.items.move(correction, "measures")
    ending.put_to_the_vote(correction, {"outcome": "partial", "measures": [REGULATION]})
    ending.agree(correction)
    ending.finish(correction, REGULATION["text"], ALEXEY)
    ending.accept(correction, REGULATION["text"])
    ending.items.move(correction, "finalisation")
    tell(ending)
    assert [REGULATION["text"] in news.text for news in ending.news()] == [False, True]


def test_who_has_read_the_news_is_told_and_the_others_are_reminded_once(ending: Loop) -> None:
    tell(ending)
    (news,) = ending.news()
    news.read_by += [MARIA, HEAD]
    ending.stage.turn(days=1, hours=8)
    (correction,) = ending.corrections()
    assert ending.field(correction, "news_read") == "Новость прочитали 2 из 8"
    assert [n for n in ending.stage.notices(ALEXEY) if "Прочитайте и подтвердите" in n] != []
    assert [n for n in ending.stage.notices(MARIA) if "Прочитайте и подтвердите" in n] == []


def test_publishing_in_systems_wants_a_proof(ending: Loop) -> None:
    """S3-37: the task cannot be completed without a result."""
    correction = ending.item
    with pytest.raises(Exception, match="необходим результат"):
        ending.finish(correction, "в Битрикс24 и системах", DMITRY)
    ending.items.move(correction, "done")
    assert ending.items.on(correction) == "finalisation"


def test_a_deleted_deal_holds_its_correction_up_nowhere(ended: Loop) -> None:
    deal = ended.deal
    correction = ended.summed_up(deal)
    ended.stage.portal.as_user(ADMIN).call("crm.item.delete", entityTypeId=2, id=deal.id)
    ended.stage.settle()
    ended.tick(correction, "Провести анализ", OFFICER)
    ended.fill(correction, OFFICER, CLEAN)
    ended.items.move(correction, "measures")
    ended.fill(correction, OFFICER, CORRECT)
    ended.items.move(correction, "done")
    assert ended.items.on(correction) == "done"
    assert "Источник удалён" in ended.whys(correction, "close_correction")[-1]


def test_a_dismissed_manager_leaves_the_summing_up_to_his_head(loop: Loop) -> None:
    loop.stage.portal.people.users[MARIA].active = False
    loop.stage.turn(minutes=11)
    deal = loop.lost_deal(by=MARIA)
    assert loop.stage.titles(deal.id, user=HEAD) == ["Подвести итоги работы: Потолки, ул. Садовая, 5"]
    correction = loop.summed_up(deal, by=HEAD)
    loop.fill(correction, OFFICER, FOUND)
    assert HEAD in loop.commission(correction)
    assert MARIA not in loop.commission(correction)


def test_a_cancelled_correction_leaves_no_task_and_no_timer(voting: Loop) -> None:
    correction = voting.item
    voting.items.move(correction, "cancelled")
    assert voting.items.tasks(correction) == []
    assert voting.stage.waiting() == {}


def test_answers_and_points_are_kept_by_the_application(voting: Loop) -> None:
    correction = voting.item
    voting.fill(correction, HEAD, YES)
    with voting.stage.application.workshop.database.read() as connection:
        kept = forms.submissions(connection, voting.stage.portal_id, correction)
    assert [(sent.form, sent.by) for sent in kept] == [("analysis", OFFICER), ("measures", OFFICER), ("approval", HEAD)]
