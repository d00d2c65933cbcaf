from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from b24app.core.item import File, Value
from b24app.core.text import T
from robots.require_fields import ROBOT, Props
from tests.builders import a_call, a_deal, a_house, decided, facts


def missing(deal: Any = None, *fields: str) -> str:
    outcome = decided(ROBOT, a_call(), facts(deal), Props(fields) if fields else Props())
    assert outcome.ok is (outcome.returns.missing == "")
    return str(outcome.returns.missing)


def test_a_contact_and_an_amount_are_enough_by_default() -> None:
    assert missing(a_deal()) == ""


def test_a_company_does_instead_of_a_contact() -> None:
    assert missing(a_deal(contact_id=None, company_id=4)) == ""
    assert missing(a_deal(contact_id=None)) == "contact_or_company"


@pytest.mark.parametrize(("amount", "currency"), [(Decimal(0), "RUB"), (Decimal(-1), "RUB"), (Decimal(5), "")])
def test_an_amount_is_more_than_nothing_in_some_currency(amount: Decimal, currency: str) -> None:
    assert missing(a_deal(amount=amount, currency=currency)) == "amount"


@pytest.mark.parametrize("empty", [None, "", "  ", (), ()])
def test_an_empty_field_is_missing(empty: Value) -> None:
    assert missing(a_deal(fields={"contract_file": empty}), "contract_file") == "contract_file"
    assert missing(a_deal(), "contract_file") == "contract_file"


@pytest.mark.parametrize("value", [(File("7"),), "договор", 0, False, Decimal(0)])
def test_any_value_counts_even_zero_and_no(value: Value) -> None:
    assert missing(a_deal(fields={"contract_file": value}), "contract_file") == ""


def test_standard_fields_are_looked_at_where_they_are() -> None:
    deal = a_deal(contact_id=None, title=" ", currency="", responsible_id=0)
    assert (
        missing(deal, "contact", "company", "title", "currency", "responsible")
        == "contact, company, title, currency, responsible"
    )


def test_all_that_is_missing_is_named_by_label_in_both_languages() -> None:
    house = a_house(labels={"contract_file": T("Скан договора", "Scan of the contract")})
    outcome = decided(ROBOT, a_call(house=house), facts(a_deal(amount=Decimal(0))), Props(("amount", "contract_file")))

    assert outcome.why.ru == "не заполнено: Сумма и валюта, Скан договора"
    assert outcome.why.en == "not filled in: Amount and currency, Scan of the contract"


def test_nothing_required_is_nothing_to_check() -> None:
    assert decided(ROBOT, a_call(), facts(), Props((" ",))).ok


def test_the_automation_learns_the_reason() -> None:
    outcome = decided(ROBOT, a_call(), facts(a_deal(contact_id=None)), Props())
    assert outcome.returns.reason == outcome.why.ru
