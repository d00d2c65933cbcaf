"""What a process knows about its stages, fields and payments."""

from __future__ import annotations

from dataclasses import replace

import pytest

from b24app.core.actions import Step
from b24app.core.process import (
    FieldDef,
    PaymentRule,
    ProcessDef,
    SmartType,
    StageDef,
    process_from_json,
    process_to_json,
    versioned,
)
from b24app.core.text import T

SIGNED = StageDef("signed", T("Договор подписан, счет отправлен", "Contract signed, invoice sent"), id="C7:EXECUTING")
PAID = StageDef("paid", T("Оплата поступила", "Paid"), aliases=("Оплата «получена»",), semantics="success")
LOST = StageDef("lost", T("Сделка не успешная", "Lost"), semantics="failure")
PROCESS = ProcessDef(
    "windows",
    T("Окна", "Windows"),
    "deal",
    (SIGNED, PAID, LOST),
    fields={"install_date": FieldDef("install_date", "date", T("Дата монтажа", "Installation date"))},
    payments=(PaymentRule("signed", "paid", ("prepayment",)),),
)


@pytest.mark.parametrize(
    "written",
    ["Договор подписан, счет отправлен", "договор подписан счёт  отправлен", "«Договор подписан», СЧЁТ отправлен."],
)
def test_a_stage_is_found_however_its_name_is_written(written: str) -> None:
    assert PROCESS.stage_by_name(written) is SIGNED


def test_a_stage_is_found_by_its_english_name_and_by_an_alias() -> None:
    assert PROCESS.stage_by_name("contract signed, invoice sent") is SIGNED
    assert PROCESS.stage_by_name('оплата "получена"') is PAID


@pytest.mark.parametrize("written", ["", "  ", "…", "Оплата"])
def test_no_stage_is_guessed_from_nothing_or_from_half_a_name(written: str) -> None:
    assert PROCESS.stage_by_name(written) is None


def test_a_stage_is_found_by_key_and_by_the_portals_id() -> None:
    assert PROCESS.stage("paid") is PAID
    assert PROCESS.stage("C7:EXECUTING") is None
    assert PROCESS.stage_by_id("C7:EXECUTING") is SIGNED


def test_open_tasks_are_checked_first_on_every_stage_but_a_lost_one() -> None:
    stage = replace(SIGNED, checks=(Step("require_fields"),))

    assert [step.robot for step in stage.all_checks] == ["check_open_tasks", "require_fields"]
    assert [step.robot for step in PAID.all_checks] == ["check_open_tasks"]
    assert LOST.all_checks == ()


def test_a_failed_check_returns_the_item_unless_the_file_says_otherwise() -> None:
    assert SIGNED.all_otherwise == (Step("return_deal"),)
    assert replace(SIGNED, otherwise=(Step("notify"),)).all_otherwise == (Step("notify"),)


def test_a_payment_rule_becomes_a_step_that_closes_tasks_and_moves_on() -> None:
    rule = PROCESS.payment_on("signed")

    assert rule is not None
    assert rule.step == Step("confirm_payment", {"to": "paid", "close": ["prepayment"]})
    assert PROCESS.payment_on("paid") is None


def test_fields_have_names_for_people_standard_ones_too() -> None:
    assert PROCESS.labels["install_date"].ru == "Дата монтажа"
    assert PROCESS.labels["contact_or_company"].en == "Contact or company"


def test_a_process_knows_the_number_of_its_kind_of_item() -> None:
    assert PROCESS.entity_type_id == 2
    assert replace(PROCESS, item="lead").entity_type_id == 1
    assert replace(PROCESS, item="smart", smart=SmartType(entity_type_id=1038)).entity_type_id == 1038
    assert replace(PROCESS, item="smart", smart=SmartType(title=T("Наряды", "Orders"))).entity_type_id is None


def test_a_process_survives_being_written_down() -> None:
    process = versioned(replace(PROCESS, stages=(replace(SIGNED, enter=(Step("autotask", {"checklist": [{"ru": "а"}]}),)),)))

    assert process_from_json(process_to_json(process)) == process


def test_the_version_follows_the_content_and_nothing_else() -> None:
    first = versioned(PROCESS)

    assert len(first.version) == 12
    assert versioned(replace(PROCESS, version="old")).version == first.version
    assert versioned(replace(PROCESS, stages=(PAID, SIGNED, LOST))).version != first.version
    assert versioned(replace(PROCESS, roles={"boss": "user(1)"})).version != first.version
