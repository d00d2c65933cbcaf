"""What is read of a card's layout and what is written: nothing of the company's may get lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from b24app.core.item import DEAL, LEAD
from b24app.core.text import T
from b24app.engine.setup.layout_shape import (
    MOST_VALUES,
    Card,
    Wanted,
    can_be_written,
    cards,
    is_too_large,
    read,
    shown,
    wanted,
    with_fields,
)
from b24app.engine.setup.pipeline_shape import fields_in_order
from tests.world import process_files

CEILING = process_files()["ceiling_installation"]
VISIT = Wanted("UF_CRM_B24APP_VISIT", T("Выезд", "Visit"), required=False)
FILE = Wanted("UF_CRM_B24APP_FILE", T("Договор", "Contract"), required=True)


def section(*elements: Any, **more: Any) -> dict[str, Any]:
    return {"name": "main", "title": "О сделке", "type": "section", "elements": list(elements), **more}


def test_fields_stand_in_the_order_of_the_file_those_a_stage_requires_first() -> None:
    in_file = list(CEILING.fields)
    first = ["contract_file", "install_date", "installer", "address"]
    assert list(fields_in_order(CEILING)) == [*first, *(name for name in in_file if name not in first)]
    assert [name for name, required in fields_in_order(CEILING).items() if required] == first


def test_only_fields_the_installation_has_made_are_wanted() -> None:
    ours, theirs = "UF_CRM_B24APP_ADDRESS", "UF_CRM_1686898039656"
    named = replace(CEILING, fields={**CEILING.fields, "address": replace(CEILING.fields["address"], code=ours)})

    assert [field.code for field in wanted(CEILING, DEAL, {"address": ours, "installer": theirs})] == [ours]
    assert wanted(named, DEAL, {"address": ours}) == ()
    assert [field.code for field in wanted(CEILING, 1030, {"address": "UF_CRM_12_ADDRESS"})] == ["UF_CRM_12_ADDRESS"]


def test_leads_have_two_cards_and_every_pipeline_has_one() -> None:
    assert [card.reading.params["extras"] for card in cards(LEAD, 0)] == [{"leadCustomerType": 1}, {"leadCustomerType": 2}]
    assert Card(DEAL, 0).reading.params == {"entityTypeId": 2, "scope": "C", "extras": {"dealCategoryId": 0}}
    assert Card(1030, 9).writing([]).params == {"entityTypeId": 1030, "scope": "C", "extras": {"categoryId": 9}, "data": []}


@pytest.mark.parametrize("answer", [None, [], {}, "", False])
def test_a_card_nobody_has_arranged_has_no_layout(answer: Any) -> None:
    assert read(answer) is None


def test_fields_are_found_in_lists_with_gaps_and_in_columns() -> None:
    gaps = section() | {"elements": {"0": {"name": "TITLE"}, "2": {"name": "uf_crm_b24app_visit"}}}
    column = {"name": "default_column", "type": "column", "elements": [gaps, section({"name": "CLIENT"})]}

    assert shown(read({"0": gaps}) or []) == {"TITLE", VISIT.code}
    assert shown(read([column]) or []) == {"TITLE", VISIT.code, "CLIENT"}
    assert with_fields([gaps], CEILING, "ru", ())[0]["elements"] == [{"name": "TITLE"}, {"name": "uf_crm_b24app_visit"}]


@pytest.mark.parametrize(
    "lost",
    [
        section(type="included_area"),
        section(type="column"),
        section(data={"isRemovable": "false"}),
        section(title=""),
        section(name=" "),
        section({"name": "TITLE", "title": "Заказ"}),
        section({"optionFlags": "1"}),
        section({"name": "CLIENT", "options": {"countries": ["RU"]}}),
    ],
)
def test_a_layout_that_would_lose_something_is_not_written(lost: dict[str, Any]) -> None:
    assert not can_be_written([section({"name": "TITLE"}), lost])


def test_what_says_nothing_does_not_keep_a_layout_from_being_written() -> None:
    said = {"name": "TITLE", "title": "", "optionFlags": "0", "options": []}
    assert can_be_written([section(said, data=[]), section() | {"type": ""}])


def test_a_section_is_added_behind_the_first_and_everything_else_is_written_as_it_was_read() -> None:
    client = {"name": "CLIENT", "optionFlags": "1", "options": {"defaultCountry": "RU", "none": None, "pay": False}}
    first, last = section({"name": "TITLE", "optionFlags": "0"}, client), section({"name": "UTM"}, name="last", title="Ещё")

    written = with_fields([first, last], CEILING, "ru", [FILE, VISIT])

    assert [one["name"] for one in written] == ["main", "b24app_ceiling_installation", "last"]
    assert written[0]["elements"] == [
        {"name": "TITLE"},
        {"name": "CLIENT", "optionFlags": "1", "options": {"defaultCountry": "RU", "pay": "false"}},
    ]
    assert written[1]["title"] == CEILING.title.ru
    assert written[1]["elements"] == [{"name": FILE.code, "optionFlags": 1}, {"name": VISIT.code, "optionFlags": 0}]
    assert written[2]["elements"] == last["elements"]
    Card(DEAL, 7).writing(written)  # a command takes no flags and nothing empty


def test_fields_go_into_the_section_of_the_process_whatever_it_is_called() -> None:
    own = section({"name": FILE.code}, name="b24app_ceiling_installation", title="Монтаж")

    written = with_fields([section(), section(name="more"), own], CEILING, "en", [VISIT])

    assert [one["title"] for one in written] == ["О сделке", "О сделке", "Монтаж"]
    assert [one["name"] for one in written[2]["elements"]] == [FILE.code, VISIT.code]


def test_a_layout_larger_than_a_form_may_be_is_known() -> None:
    names = [{"name": f"UF_CRM_{number}"} for number in range(MOST_VALUES - 3)]
    assert not is_too_large([section(*names)])
    assert is_too_large([section(*names, {"name": "UF_CRM_LAST"})])
