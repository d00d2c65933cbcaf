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
from tests.flows.stage import ALEXEY, DMITRY, FOREMAN, HEAD, MARIA


def test_the_end_of_a_deal_asks_its_manager_to_sum_it_up(ended: Loop) -> None:
    """S3-09, S3-11: won or lost, as the process file says."""
    deal = ended.deal
    assert ended.stage.titles(deal.id, user=MARIA) == ["Подвести итоги работы: Потолки, ул. Садовая, 5"]
    assert ended.sheet(deal, MARIA).yours


def test_the_summing_up_becomes_an_item_linked_to_the_deal_both_ways(ended: Loop) -> None:
    """S3-16."""
    deal = ended.deal
    correction = ended.summed_up(deal)
    assert ended.items.on(correction) == "analysis"
    assert ended.field(correction, "parentId2") == deal.id
    assert ended.field(correction, "assignedById") == OFFICER
    assert ended.stage.titles(deal.id) == []
    assert any(f"/crm/type/{correction.entity_type_id}/details/{correction.id}/" in c for c in ended.stage.comments(deal.id))
    assert any("Насколько доволен клиент" in comment for comment in ended.items.comments(correction))


def test_the_officer_gets_the_checklist_of_the_pipeline_the_deal_came_from(begun: Loop) -> None:
    """S3-17, S3-18, S3-19."""
    correction = begun.item
    assert begun.items.tasks(correction, OFFICER) == ["Провести анализ: Потолки, ул. Садовая, 5"]
    assert begun.lines(correction, "Провести анализ") == [
        "Прослушать звонки менеджера с клиентом",
        "Сверить сроки стадий, оплаты и монтажа с нормативами",
        "Проверить документы на ошибки",
        "Сравнить итоги ответственного с историей карточки",
    ]
    assert begun.field(correction, "source_pipeline") == "Продажа и монтаж подвесных потолков"


def test_violations_decide_who_sits_on_the_commission(begun: Loop) -> None:
    """S3-20, S3-21, S3-22, S3-29: the heads for both types, and the head of quality by office."""
    correction = begun.item
    begun.fill(correction, OFFICER, FOUND)
    assert set(begun.commission(correction)) == {HEAD, FOREMAN, ACCOUNTANT}
    assert begun.field(correction, "violations") == "Нарушены сроки или нормативы, Ошибки в документах"
    assert any("Монтаж на день позже" in comment for comment in begun.items.comments(correction))
    assert any("Вы в комиссии по разбору" in notice for notice in begun.stage.notices(ACCOUNTANT))


def test_what_the_process_did_not_foresee_is_told_and_seats_those_who_can_act_on_it(begun: Loop) -> None:
    """S3-29, S3-47: no violation, and yet the commission is the heads of whoever the process crosses."""
    correction = begun.item
    begun.fill(correction, OFFICER, {**CLEAN, "unforeseen": "yes", "unforeseen_case": "Клиент платит криптовалютой"})
    assert set(begun.commission(correction)) == {HEAD, DMITRY, ALEXEY, FOREMAN}
    assert any("криптовалютой" in comment for comment in begun.items.comments(correction))
    assert begun.field(correction, "violations") in ("", None)


def test_the_form_alone_does_not_close_the_analysis_while_its_checklist_is_open(begun: Loop) -> None:
    correction = begun.item
    begun.fill(correction, OFFICER, FOUND)
    assert begun.items.tasks(correction, OFFICER) == ["Провести анализ: Потолки, ул. Садовая, 5"]
    assert begun.sheet(correction, OFFICER).unticked == "Провести анализ: Потолки, ул. Садовая, 5"
    begun.items.move(correction, "measures")
    assert begun.items.on(correction) == "analysis"
    begun.finish(correction, "Провести анализ", OFFICER)
    begun.items.move(correction, "measures")
    assert begun.items.on(correction) == "measures"


def test_measures_are_not_worded_before_the_analysis(begun: Loop) -> None:
    correction = begun.item
    begun.finish(correction, "Провести анализ", OFFICER)
    assert begun.items.tasks(correction, OFFICER) == ["Провести анализ: Потолки, ул. Садовая, 5"]  # opened again
    begun.items.move(correction, "measures")
    assert begun.items.on(correction) == "analysis"
    assert any("не заполнена форма «Анализ»" in comment for comment in begun.items.comments(correction))


def test_correct_work_earns_bonus_points_and_ends_without_measures(begun: Loop) -> None:
    """S3-23: outcome A."""
    correction = begun.item
    begun.analyse(correction, CLEAN)
    begun.fill(correction, OFFICER, CORRECT)
    assert begun.points(correction) == {MARIA: 10}
    assert begun.field(correction, "points") == 10
    assert any("Вам начислены премиальные баллы: 10" in notice for notice in begun.stage.notices(MARIA))
    begun.items.move(correction, "done")
    assert begun.items.on(correction) == "done"
    assert begun.items.tasks(correction) == []


@pytest.mark.parametrize("outcome", ["improvable", "partial"])
def test_improvable_and_partly_correct_work_needs_measures(analysed: Loop, outcome: str) -> None:
    """S3-24, S3-25: outcomes B and C."""
    correction = analysed.item
    with pytest.raises(AssertionError, match="Problems"):
        analysed.fill(correction, OFFICER, {"outcome": outcome})
    analysed.fill(correction, OFFICER, {"outcome": outcome, "measures": [REGULATION]})
    assert analysed.points(correction) == {}
    assert analysed.field(correction, "measures") == "1. Дополнить регламент переноса монтажа"
    analysed.items.move(correction, "done")
    assert analysed.items.on(correction) == "measures"
    assert any("меры не согласованы" in comment for comment in analysed.items.comments(correction))


def test_correct_work_is_not_agreed_on_changed_or_published(begun: Loop) -> None:
    correction = begun.item
    begun.analyse(correction, CLEAN)
    begun.fill(correction, OFFICER, CORRECT)
    for stage in ("approval", "changes", "finalisation"):
        begun.items.move(correction, stage)
        assert begun.items.on(correction) == "measures"
    assert begun.news() == []
    begun.items.move(correction, "done")
    assert begun.items.on(correction) == "done"


def test_work_with_violations_is_not_correct_and_earns_nothing(analysed: Loop) -> None:
    correction = analysed.item
    analysed.fill(correction, OFFICER, CORRECT)
    assert analysed.points(correction) == {}
    analysed.items.move(correction, "done")
    assert analysed.items.on(correction) == "measures"
    analysed.put_to_the_vote(correction)
    assert analysed.items.on(correction) == "approval"


def test_points_go_when_the_outcome_is_corrected(begun: Loop) -> None:
    correction = begun.item
    begun.analyse(correction, CLEAN)
    begun.fill(correction, OFFICER, CORRECT)
    begun.items.move(correction, "analysis")
    begun.tick(correction, "Провести анализ", OFFICER)
    begun.fill(correction, OFFICER, FOUND)
    begun.items.move(correction, "measures")
    begun.fill(correction, OFFICER, {"outcome": "improvable", "measures": [REGULATION]})
    assert begun.points(correction) == {MARIA: 0}
    assert begun.field(correction, "points") == 0


def test_the_whole_way_of_partly_correct_work(voting: Loop) -> None:
    """S3-01 to S3-06, S3-26 to S3-28, S3-31 to S3-39."""
    correction = voting.item
    for member in (HEAD, FOREMAN, ACCOUNTANT):
        voting.fill(correction, member, YES)
    assert voting.items.tasks(correction) == ["Поставить задачи на изменения: Анализ сделки: Потолки, ул. Садовая, 5"]
    voting.items.move(correction, "changes")
    assert voting.items.on(correction) == "changes"
    assert voting.items.tasks(correction) == [
        "Дополнить регламент переноса монтажа",
        "Проверять дату при переносе",
        "Курс по договорной работе",
    ]
    for title, who in (("регламент", ALEXEY), ("дату", DMITRY), ("Курс", MARIA)):
        voting.finish(correction, title, who)
        voting.accept(correction, title)
    voting.items.move(correction, "finalisation")
    assert voting.items.on(correction) == "finalisation"
    voting.finish(correction, "в документации", ALEXEY)
    assert voting.news() == []
    voting.finish(correction, "в Битрикс24 и системах", DMITRY, proof="https://company.example/proof.png")
    (news,) = voting.news()
    assert (news.title, news.important) == ("Изменения в процессе «Продажа и монтаж подвесных потолков»", True)
    assert "Проверять дату при переносе" in news.text
    voting.items.move(correction, "done")
    assert voting.items.on(correction) == "done"
    assert voting.items.tasks(correction) == []
    assert any("завершён: результат частично корректный" in notice for notice in voting.stage.notices(MARIA))


def test_every_lead_deal_or_item_may_be_summed_up_again_after_it_was_opened_again(ended: Loop) -> None:
    """S3-10: each end is looked at."""
    deal = ended.deal
    first = ended.summed_up(deal)
    ended.stage.move(deal.id, "contract")
    ended.stage.move(deal.id, "lost")
    assert ended.stage.titles(deal.id, user=MARIA) == ["Подвести итоги работы: Потолки, ул. Садовая, 5"]
    second = ended.summed_up(deal)
    assert first != second
    assert ended.corrections() == [first, second]


def test_a_task_closed_without_the_summing_up_is_opened_again(ended: Loop) -> None:
    deal = ended.deal
    ended.stage.close(deal.id, "Подвести итоги", MARIA)
    assert ended.stage.titles(deal.id) == ["Подвести итоги работы: Потолки, ул. Садовая, 5"]
    assert "вкладке «Качество»" in ended.stage.task_comments(deal.id, "Подвести итоги")[-1]


def test_nobody_sums_up_for_three_days_and_the_head_hears_of_it(ended: Loop) -> None:
    deal = ended.deal
    ended.stage.turn(days=4)
    assert ended.stage.titles(deal.id, user=HEAD) == [
        "Разобраться, почему не заполнена форма: «Подвести итоги работы: Потолки, ул. Садовая, 5»"
    ]


def test_answers_sent_twice_make_one_correction(ended: Loop) -> None:
    deal = ended.deal
    ended.summed_up(deal)
    with pytest.raises(AssertionError, match="again=True"):
        ended.fill(deal, MARIA, SUMMARY)
    assert len(ended.corrections()) == 1
