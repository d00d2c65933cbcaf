"""From a good lead to a signed contract: stages, the start, required fields."""

from __future__ import annotations

from typing import Any

import pytest

from b24app.core.item import ItemRef
from tests.flows.stage import ADMIN, HEAD, IVAN, MARIA, Stage, a_file

LEAD_PROCESS = "lead_to_ceiling_deal"


def a_lead(stage: Stage, title: str = "Звонок: потолок на кухню") -> int:
    fields = {"title": title, "assignedById": MARIA, "contactId": 1, "opportunity": 90000}
    added = stage.portal.as_user(MARIA).call("crm.item.add", entityTypeId=1, fields=fields)
    stage.settle()
    return int(added["item"]["id"])


def win(stage: Stage, lead: int) -> None:
    fields = {"stageId": "CONVERTED"}
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=1, id=lead, fields=fields)
    stage.settle()


def deals_of(stage: Stage, lead: int) -> list[int]:
    found = stage.portal.as_user(ADMIN).call("crm.item.list", entityTypeId=2, filter={"=leadId": lead})
    return [int(row["id"]) for row in found["items"]]


def test_the_portal_has_the_nine_stages_of_the_ceiling_process_in_their_order(stage: Stage) -> None:
    """S2-01…09."""
    entity = f"DEAL_STAGE_{stage.tie().category_id}"
    rows = stage.portal.as_user(ADMIN).call("crm.status.list", filter={"ENTITY_ID": entity}, order={"SORT": "ASC"})
    assert [row["NAME"] for row in rows] == [
        "Заключить договор",
        "Договор подписан, счет отправлен",
        "Оплата за материалы поступила",
        "Материалы закуплены",
        "Дата начала работ согласована",
        "Монтаж назначен",
        "Работы завершены",
        "Оплата получена, работы приняты",
        "Сделка не успешная",
    ]
    assert [row["SEMANTICS"] for row in rows][-2:] == ["S", "F"]


def test_a_lead_won_by_hand_becomes_a_deal_of_the_ceiling_pipeline_when_the_portal_makes_none(stage: Stage) -> None:
    """S2-15: the person moves the lead, only then a deal appears."""
    lead = a_lead(stage)
    stage.turn(minutes=5)
    assert deals_of(stage, lead) == []
    win(stage, lead)
    stage.turn(minutes=2)
    (deal,) = deals_of(stage, lead)
    assert stage.stage_of(deal) == "contract"
    assert stage.titles(deal, user=MARIA) == ["Подписать договор"]


def test_a_deal_the_portal_has_made_of_the_lead_itself_is_not_made_twice(stage: Stage) -> None:
    """S2-15, the portal's own conversion."""
    stage.portal.options["convert_leads"] = True
    lead = a_lead(stage)
    win(stage, lead)
    stage.turn(minutes=5)
    assert len(deals_of(stage, lead)) == 1
    assert "Сделка уже есть" in stage.runs(ItemRef(1, lead), "create_deal")[-1].why.ru


def test_a_lead_that_is_lost_again_within_the_two_minutes_becomes_no_deal(stage: Stage) -> None:
    lead = a_lead(stage)
    win(stage, lead)
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=1, id=lead, fields={"stageId": "JUNK"})
    stage.settle()
    stage.turn(minutes=5)
    assert deals_of(stage, lead) == []


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"opportunity": 1000, "currencyId": "RUB"}, "Контакт или компания"),
        ({"contactId": 1}, "Сумма"),
        ({"contactId": 1, "opportunity": 1000}, "Подписанный договор"),
    ],
)
def test_a_deal_moved_on_without_a_required_field_comes_back_with_what_is_missing(
    stage: Stage, fields: dict[str, Any], told: str
) -> None:
    """S2-16, 17, 30: contact or company, amount and currency, the copy of the contract."""
    deal = stage.new_deal(**fields)
    stage.close(deal, "Подписать договор")
    stage.move(deal, "contract_signed")
    assert stage.stage_of(deal) == "contract"
    (mend,) = [title for title in stage.titles(deal, user=MARIA) if title.startswith("Дозаполнить")]
    assert "Потолки" in mend
    assert any(told in comment and "Возвращено" in comment for comment in stage.comments(deal))
    assert any(comment.startswith("[B]Обучение: Договор подписан") for comment in stage.comments(deal))


def test_a_company_will_do_instead_of_a_contact_and_the_deal_goes_on_with_its_contract(stage: Stage) -> None:
    """S2-16, 30, 31."""
    deal = stage.new_deal(companyId=1, opportunity=1000, currencyId="RUB")
    stage.write(deal, contract_file=a_file())
    stage.close(deal, "Подписать договор")
    stage.move(deal, "contract_signed")
    assert stage.stage_of(deal) == "contract_signed"
    assert stage.titles(deal) == ["Связаться с клиентом и уточнить дату предоплаты"]


def test_everything_missing_is_told_at_once_and_the_open_task_too(stage: Stage) -> None:
    """S2-16, 17, 24, 30: one return names all reasons."""
    deal = stage.new_deal()
    stage.move(deal, "contract_signed")
    (comment,) = [c for c in stage.comments(deal) if "Возвращено" in c]
    for reason in ("Контакт или компания", "Сумма", "Подписанный договор", "не закрыта задача «Подписать договор»"):
        assert reason in comment
    assert stage.stage_of(deal) == "contract"
    assert "Возвращено" in stage.notices(MARIA)[-1]


def test_the_mended_deal_passes_and_its_first_task_was_not_given_twice(stage: Stage) -> None:
    """S2-45: what was done for the earlier entry is kept, not repeated."""
    deal = stage.new_deal(contactId=1)
    stage.close(deal, "Подписать договор")
    stage.move(deal, "contract_signed")
    assert stage.titles(deal, open_only=False).count("Подписать договор") == 1
    stage.write(deal, opportunity=5000, contract_file=a_file())
    stage.close(deal, "Дозаполнить")
    stage.move(deal, "contract_signed")
    assert stage.stage_of(deal) == "contract_signed"
    assert stage.titles(deal, open_only=False).count("Подписать договор") == 1


def test_a_second_return_with_the_mending_task_open_gives_no_second_task(stage: Stage) -> None:
    deal = stage.new_deal(contactId=1)
    stage.close(deal, "Подписать договор")
    stage.move(deal, "contract_signed")
    stage.move(deal, "contract_signed")
    assert stage.stage_of(deal) == "contract"
    assert len([t for t in stage.titles(deal, open_only=False) if t.startswith("Дозаполнить")]) == 1
    assert len([c for c in stage.comments(deal) if "Возвращено" in c]) == 2


def test_a_deal_moved_back_by_its_manager_stays_there_and_is_not_checked(stage: Stage) -> None:
    """S2-31, 52: manual moves stay manual, back as well as on."""
    deal = stage.arrive("materials_paid", contract_file=a_file())
    stage.move(deal, "contract_signed")
    assert stage.stage_of(deal) == "contract_signed"
    assert "Карточка вернулась назад" in stage.runs(deal, "check_open_tasks")[-1].why.ru


def test_two_deals_of_two_managers_live_side_by_side(stage: Stage) -> None:
    """Each has its own tasks, for its own manager; what one does moves nothing of the other."""
    first = stage.new_deal("Потолки, ул. Садовая, 5", by=MARIA, contactId=1, opportunity=1000)
    second = stage.new_deal("Потолки, пр. Мира, 10", by=IVAN, contactId=2, opportunity=2000)
    assert (stage.titles(first, user=MARIA), stage.titles(second, user=IVAN)) == (["Подписать договор"],) * 2
    stage.close(first, "Подписать договор")
    assert stage.titles(second, user=IVAN) == ["Подписать договор"]
    stage.turn(hours=24)
    assert stage.titles(first) == []
    assert len(stage.titles(second, user=HEAD)) == 1
    assert "пр. Мира, 10" in stage.titles(second, user=HEAD)[0]
