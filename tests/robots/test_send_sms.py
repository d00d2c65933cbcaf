from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from b24app.core.actions import AddTask, SendSms
from b24app.core.item import Client, Item
from b24app.core.needs import Ledger
from b24app.core.robot import Outcome
from b24app.core.text import T
from robots.send_sms import ROBOT, Props
from tests.builders import MANAGER, a_call, a_deal, a_house, an_own_task, decided, facts

AGREED = a_deal(fields={"install_date": date(2026, 6, 12), "install_time": "10:00", "address": "Лесная, 5"})
TEXT = Props(text=T("{client}, ждите монтажников {when}: {address}", "{client}, expect us on {when}: {address}"))
SAID = "Анна Клиентова, ждите монтажников 12.06.2026 10:00: Лесная, 5"


def send(deal: Item = AGREED, ledger: Ledger | None = None, client: Client | None = None, **house: Any) -> Outcome:
    return decided(ROBOT, a_call(house=a_house(**house)), facts(deal, ledger=ledger, client=client), TEXT)


def incident_of(outcome: Outcome) -> AddTask:
    (task,) = outcome.actions
    assert isinstance(task, AddTask)
    assert (task.purpose, task.responsible, task.name) == ("incident", MANAGER, "sms:date_agreed")
    return task


def test_the_client_is_told_what_was_agreed() -> None:
    (sms,) = send().actions

    assert isinstance(sms, SendSms)
    assert (sms.phone, sms.text) == ("+79161234567", SAID)
    assert sms.otherwise is not None
    assert "шлюз не подтвердил" in sms.otherwise.description


def test_the_same_text_is_not_sent_twice_but_a_new_date_is() -> None:
    assert send(ledger=Ledger(sms_texts=frozenset({SAID}))).actions == ()
    assert send(ledger=Ledger(sms_texts=frozenset({"прежняя дата"}))).actions


def test_a_mobile_number_is_chosen_before_a_landline() -> None:
    (sms,) = send(client=Client(3, "Анна", ("8 (495) 123-45-67", "8 916 123 45 67"))).actions
    assert isinstance(sms, SendSms)
    assert sms.phone == "+79161234567"


def test_a_company_is_told_where_there_is_no_contact() -> None:
    (sms,) = send(a_deal(contact_id=None, company_id=4)).actions
    assert isinstance(sms, SendSms)
    assert sms.phone == "+74951234567"


@pytest.mark.parametrize(
    ("phones", "reason"),
    [((), "нет телефона"), (("позвонить жене",), "негодный: позвонить жене"), (("123",), "негодный: 123")],
)
def test_a_client_without_a_number_is_an_incident_for_the_responsible(phones: tuple[str, ...], reason: str) -> None:
    outcome = send(client=Client(3, "Анна Клиентова", phones))
    assert reason in incident_of(outcome).description
    assert SAID in incident_of(outcome).description
    assert outcome.why.ru.startswith("SMS не отправлена: ")


def test_a_deal_without_a_client_is_an_incident() -> None:
    assert "ни контакта, ни компании" in incident_of(send(a_deal(contact_id=None))).description


def test_a_gateway_switched_off_is_an_incident() -> None:
    assert "не подключена" in incident_of(send(sms=False)).description


def test_an_open_incident_is_not_doubled() -> None:
    ledger = Ledger(tasks=(an_own_task("sms:date_agreed", purpose="incident"),))
    assert send(ledger=ledger, sms=False).actions == ()


def test_an_empty_text_is_not_sent() -> None:
    assert decided(ROBOT, a_call(), facts(), Props(text=T.same("\x07 "))).actions == ()


def test_a_text_is_one_plain_line() -> None:
    (sms,) = decided(ROBOT, a_call(), facts(a_deal(title="А\n\x00[B]Б")), Props(text=T.same("{title}\r\n!"))).actions
    assert isinstance(sms, SendSms)
    assert sms.text == "А [B]Б !"
