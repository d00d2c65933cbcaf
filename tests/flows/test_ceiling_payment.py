"""Prepayment and last payment: by people, and by a system that tells of them."""

from __future__ import annotations

import json

import pytest
import requests

from b24app.engine.people.payments import OtherPayment, Payment, confirm, signature
from tests.flows.stage import MARIA, SUMMING_UP, Stage, a_file


def at_prepayment(stage: Stage) -> int:
    return stage.arrive("contract_signed", contract_file=a_file())


def tell(stage: Stage, told: Payment) -> bool:
    workshop = stage.application.workshop
    new = confirm(workshop, workshop.portal(stage.portal_id), told)
    stage.settle()
    return new


def test_waiting_for_the_prepayment_leaves_a_record_of_every_action(stage: Stage) -> None:
    """S2-32, 33, 35: entry, promised day, note, closed task, the move itself."""
    deal = at_prepayment(stage)
    assert stage.titles(deal, user=MARIA) == ["Связаться с клиентом и уточнить дату предоплаты"]
    assert "Ждём предоплату за материалы: сумма сделки 100 000 RUB" in stage.comments(deal)[0]
    stage.turn(minutes=10)
    stage.write(deal, prepayment_date="2026-06-03")
    assert "Дата предоплаты: 03.06.2026" in stage.comments(deal)[-1]
    stage.turn(minutes=10)
    stage.write(deal, payment_note="Наличными в офисе")
    assert "Наличными в офисе" in stage.comments(deal)[-1]
    stage.close(deal, "дату предоплаты")
    assert "Задача о предоплате закрыта. Дата предоплаты: 03.06.2026" in stage.comments(deal)[-1]
    stage.move(deal, "materials_paid")
    assert stage.stage_of(deal) == "materials_paid"


def test_the_same_day_written_again_or_another_field_leaves_no_record(stage: Stage) -> None:
    deal = at_prepayment(stage)
    before = len(stage.comments(deal))
    stage.turn(minutes=10)
    stage.write(deal, opportunity=120000)
    stage.turn(minutes=10)
    assert len(stage.comments(deal)) == before


def test_a_confirmed_payment_closes_the_task_and_moves_the_deal_without_people(stage: Stage) -> None:
    """S2-34."""
    deal = at_prepayment(stage)
    assert tell(stage, Payment("1c-77", deal, "50000", "RUB", "Счёт 12"))
    assert stage.stage_of(deal) == "materials_paid"
    assert stage.titles(deal) == ["Закупить материалы, доставить, поставить на учёт и выдать бригаде"]
    assert any("1c-77" in comment and "Счёт 12" in comment for comment in stage.comments(deal))
    assert stage.waiting().keys() == {"control:materials"}


def test_a_payment_told_twice_moves_once_and_one_told_differently_is_refused(stage: Stage) -> None:
    """S2-34: idempotent by the payment's number."""
    deal = at_prepayment(stage)
    told = Payment("1c-77", deal, "50000", "RUB")
    tell(stage, told)
    stage.move(deal, "contract_signed")
    assert not tell(stage, told)
    assert stage.stage_of(deal) == "contract_signed"
    with pytest.raises(OtherPayment):
        tell(stage, Payment("1c-77", deal, "60000", "RUB"))


def test_a_payment_nobody_waits_for_is_only_noted(stage: Stage) -> None:
    deal = stage.arrive("materials_paid")
    tell(stage, Payment("1c-78", deal, "50000", "RUB"))
    assert stage.stage_of(deal) == "materials_paid"
    assert "оплата не ожидается" in stage.comments(deal)[-1]


def test_a_payment_of_a_deal_that_is_not_there_does_no_harm(stage: Stage) -> None:
    tell(stage, Payment("1c-79", 4711, "50000", "RUB"))


def test_the_last_payment_ends_the_deal(stage: Stage) -> None:
    """S2-34, 52."""
    deal = stage.arrive("work_done")
    assert stage.titles(deal, user=MARIA) == ["Убедиться, что оплата за выполненные работы получена"]
    tell(stage, Payment("1c-80", deal, "50000", "RUB"))
    assert stage.stage_of(deal) == "paid_accepted"
    assert stage.titles(deal) == [SUMMING_UP]
    assert list(stage.waiting()) == ["control:summary"]


def test_the_manager_ends_the_deal_by_hand_when_the_money_has_come(stage: Stage) -> None:
    """S2-52: and not before he has closed his task."""
    deal = stage.arrive("work_done")
    stage.move(deal, "paid_accepted")
    assert stage.stage_of(deal) == "work_done"
    stage.close(deal, "оплата за выполненные")
    stage.close(deal, "Закончить с оплатой")
    stage.move(deal, "paid_accepted")
    assert stage.stage_of(deal) == "paid_accepted"
    assert "Сделка благополучно завершена" in stage.comments(deal)[-1]


def test_a_signed_message_of_the_accounting_system_moves_the_deal(stage: Stage) -> None:
    """S2-34 over HTTP; an unsigned one changes nothing."""
    deal = at_prepayment(stage)
    told = {"payment_id": "1c-90", "deal_id": deal, "amount": "50000.00", "currency": "RUB"}
    body = json.dumps({"portal": stage.portal.member_id, **told}).encode()
    stamp = str(int(stage.clock.now().timestamp()))
    url = f"{stage.application.workshop.settings.public_url}/api/payments"
    headers = {
        "Content-Type": "application/json",
        "X-Timestamp": stamp,
        "X-Signature": "sha256=" + "0" * 64,
    }
    assert requests.post(url, data=body, headers=headers, timeout=5).status_code == 401
    headers["X-Signature"] = "sha256=" + signature("k" * 20, stamp, body)
    assert requests.post(url, data=body, headers=headers, timeout=5).ok
    stage.settle()
    assert stage.stage_of(deal) == "materials_paid"
