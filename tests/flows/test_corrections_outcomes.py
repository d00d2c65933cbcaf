"""The loop of corrections, from the end of a deal to its three outcomes."""

from __future__ import annotations

import pytest

from tests.flows.corrections import (
    ACCOUNTANT,
    CLEAN,
    CORRECT,
    FOUND,
    OFFICER,
    REGULATION,
    SUMMARY,
    YES,
    Loop,
)
from tests.flows.kinds import Items
from tests.flows.stage import ALEXEY, DMITRY, FOREMAN, HEAD, MARIA, Stage


@pytest.fixture
def loop(stage: Stage) -> Loop:
    return Loop(stage)


def test_the_end_of_a_deal_asks_its_manager_to_sum_it_up(loop: Loop) -> None:
    """S3-09, S3-11: won or lost, as the process file says."""
    deal = loop.lost_deal()
    assert loop.stage.titles(deal.id, user=MARIA) == ["Подвести итоги работы: Потолки, ул. Садовая, 5"]
    assert loop.sheet(deal, MARIA).yours


def test_the_summing_up_becomes_an_item_linked_to_the_deal_both_ways(loop: Loop) -> None:
    """S3-16."""
    deal = loop.lost_deal()
    correction = loop.summed_up(deal)
    assert loop.items.on(correction) == "analysis"
    assert loop.field(correction, "parentId2") == deal.id
    assert loop.field(correction, "assignedById") == OFFICER
    assert loop.stage.titles(deal.id) == []
    assert any(f"/crm/type/{correction.entity_type_id}/details/{correction.id}/" in c for c in loop.stage.comments(deal.id))
    assert any("Насколько доволен клиент" in comment for comment in loop.items.comments(correction))


def test_the_officer_gets_the_checklist_of_the_pipeline_the_deal_came_from(loop: Loop) -> None:
    """S3-17, S3-18, S3-19."""
    correction = loop.begun()
    assert loop.items.tasks(correction, OFFICER) == ["Провести анализ: Потолки, ул. Садовая, 5"]
    assert loop.lines(correction, "Провести анализ") == [
        "Прослушать звонки менеджера с клиентом",
        "Сверить сроки стадий, оплаты и монтажа с нормативами",
        "Проверить документы на ошибки",
        "Сравнить итоги ответственного с историей карточки",
    ]
    assert loop.field(correction, "source_pipeline") == "Продажа и монтаж подвесных потолков"


def test_violations_decide_who_sits_on_the_commission(loop: Loop) -> None:
    """S3-20, S3-21, S3-22, S3-29: the heads for both types, and the head of quality by office."""
    correction = loop.begun()
    loop.fill(correction, OFFICER, FOUND)
    assert set(loop.commission(correction)) == {HEAD, FOREMAN, ACCOUNTANT}
    assert loop.field(correction, "violations") == "Нарушены сроки или нормативы, Ошибки в документах"
    assert any("Монтаж на день позже" in comment for comment in loop.items.comments(correction))
    assert any("Вы в комиссии по разбору" in notice for notice in loop.stage.notices(ACCOUNTANT))


def test_the_form_alone_does_not_close_the_analysis_while_its_checklist_is_open(loop: Loop) -> None:
    correction = loop.begun()
    loop.fill(correction, OFFICER, FOUND)
    assert loop.items.tasks(correction, OFFICER) == ["Провести анализ: Потолки, ул. Садовая, 5"]
    loop.items.move(correction, "measures")
    assert loop.items.on(correction) == "analysis"
    loop.finish(correction, "Провести анализ", OFFICER)
    loop.items.move(correction, "measures")
    assert loop.items.on(correction) == "measures"


def test_measures_are_not_worded_before_the_analysis(loop: Loop) -> None:
    correction = loop.begun()
    loop.finish(correction, "Провести анализ", OFFICER)
    assert loop.items.tasks(correction, OFFICER) == ["Провести анализ: Потолки, ул. Садовая, 5"]  # opened again
    loop.items.move(correction, "measures")
    assert loop.items.on(correction) == "analysis"
    assert any("не заполнена форма «Анализ»" in comment for comment in loop.items.comments(correction))


def test_correct_work_earns_bonus_points_and_ends_without_measures(loop: Loop) -> None:
    """S3-23: outcome A."""
    correction = loop.analysed(CLEAN)
    loop.fill(correction, OFFICER, CORRECT)
    assert loop.points(correction) == {MARIA: 10}
    assert loop.field(correction, "points") == 10
    assert any("Вам начислены премиальные баллы: 10" in notice for notice in loop.stage.notices(MARIA))
    loop.items.move(correction, "done")
    assert loop.items.on(correction) == "done"
    assert loop.items.tasks(correction) == []


@pytest.mark.parametrize("outcome", ["improvable", "partial"])
def test_improvable_and_partly_correct_work_needs_measures(loop: Loop, outcome: str) -> None:
    """S3-24, S3-25: outcomes B and C."""
    correction = loop.analysed()
    with pytest.raises(AssertionError, match="Problems"):
        loop.fill(correction, OFFICER, {"outcome": outcome})
    loop.fill(correction, OFFICER, {"outcome": outcome, "measures": [REGULATION]})
    assert loop.points(correction) == {}
    assert loop.field(correction, "measures") == "1. Дополнить регламент переноса монтажа"
    loop.items.move(correction, "done")
    assert loop.items.on(correction) == "measures"
    assert any("меры не согласованы" in comment for comment in loop.items.comments(correction))


def test_points_go_when_the_outcome_is_corrected(loop: Loop) -> None:
    correction = loop.analysed(CLEAN)
    loop.fill(correction, OFFICER, CORRECT)
    loop.items.move(correction, "analysis")
    loop.tick(correction, "Провести анализ", OFFICER)
    loop.fill(correction, OFFICER, FOUND)
    loop.items.move(correction, "measures")
    loop.fill(correction, OFFICER, {"outcome": "improvable", "measures": [REGULATION]})
    assert loop.points(correction) == {MARIA: 0}
    assert loop.field(correction, "points") == 0


def test_the_whole_way_of_partly_correct_work(loop: Loop) -> None:
    """S3-01 to S3-06, S3-26 to S3-28, S3-31 to S3-39."""
    correction = loop.put_to_the_vote()
    for member in (HEAD, FOREMAN, ACCOUNTANT):
        loop.fill(correction, member, YES)
    assert loop.items.tasks(correction) == ["Поставить задачи на изменения: Анализ сделки: Потолки, ул. Садовая, 5"]
    loop.items.move(correction, "changes")
    assert loop.items.on(correction) == "changes"
    assert loop.items.tasks(correction) == [
        "Изменить: Дополнить регламент переноса монтажа",
        "Изменить: Проверять дату при переносе",
        "Изучить: Курс по договорной работе",
    ]
    for title, who in (("регламент", ALEXEY), ("дату", DMITRY), ("Курс", MARIA)):
        loop.finish(correction, title, who)
        loop.accept(correction, title)
    loop.items.move(correction, "finalisation")
    assert loop.items.on(correction) == "finalisation"
    loop.finish(correction, "в документации", ALEXEY)
    assert loop.news() == []
    loop.finish(correction, "в Битрикс24 и системах", DMITRY, proof="https://company.example/proof.png")
    (news,) = loop.news()
    assert (news.title, news.important) == ("Изменения в процессе «Продажа и монтаж подвесных потолков»", True)
    assert "Проверять дату при переносе" in news.text
    loop.items.move(correction, "done")
    assert loop.items.on(correction) == "done"
    assert loop.items.tasks(correction) == []
    assert any("завершён: результат частично корректный" in notice for notice in loop.stage.notices(MARIA))


def test_every_lead_deal_or_item_may_be_summed_up_again_after_it_was_opened_again(loop: Loop) -> None:
    """S3-10: each end is looked at."""
    deal = loop.lost_deal()
    first = loop.summed_up(deal)
    loop.stage.move(deal.id, "contract")
    loop.stage.move(deal.id, "lost")
    assert loop.stage.titles(deal.id, user=MARIA) == ["Подвести итоги работы: Потолки, ул. Садовая, 5"]
    second = loop.summed_up(deal)
    assert first != second
    assert loop.corrections() == [first, second]


def test_a_task_closed_without_the_summing_up_is_opened_again(loop: Loop) -> None:
    deal = loop.lost_deal()
    loop.stage.close(deal.id, "Подвести итоги", MARIA)
    assert loop.stage.titles(deal.id) == ["Подвести итоги работы: Потолки, ул. Садовая, 5"]
    assert "вкладке «Качество»" in loop.stage.task_comments(deal.id, "Подвести итоги")[-1]


def test_nobody_sums_up_for_three_days_and_the_head_hears_of_it(loop: Loop) -> None:
    deal = loop.lost_deal()
    loop.stage.turn(days=4)
    assert loop.stage.titles(deal.id, user=HEAD) == [
        "Разобраться, почему не заполнена форма: «Подвести итоги работы: Потолки, ул. Садовая, 5»"
    ]


def test_answers_sent_twice_make_one_correction(loop: Loop) -> None:
    deal = loop.lost_deal()
    loop.summed_up(deal)
    with pytest.raises(AssertionError, match="again=True"):
        loop.fill(deal, MARIA, SUMMARY)
    assert len(loop.corrections()) == 1


def test_a_junk_lead_is_summed_up_and_analysed_by_a_checklist_of_its_own(loop: Loop) -> None:
    """S3-10, S3-18: leads as well as deals."""
    leads = Items(loop.stage, "lead_to_ceiling_deal")
    lead = leads.add("Кухня 12 м²")
    leads.move(lead, "JUNK")
    assert leads.tasks(lead, MARIA) == ["Подвести итоги работы: Кухня 12 м²"]
    loop.fill(lead, MARIA, {"reason": "unreachable", "attempts": "3", "in_time": "no"})
    (correction,) = loop.corrections()
    assert loop.field(correction, "parentId1") == lead.id
    assert loop.lines(correction, "Провести анализ")[0] == "Прослушать звонки по лиду"
