"""Layouts of cards: read, replaced as a whole, seen in the card."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from sandbox.page_desk import WHO
from sandbox.pages import PAGES
from sandbox.server import portal_app
from tests.sandbox.conftest import ADMIN, MANAGER, Desk

GET, SET = "crm.item.details.configuration.get", "crm.item.details.configuration.set"
ABOUT: dict[str, Any] = {
    "name": "main",
    "title": "О сделке",
    "type": "section",
    "elements": [{"name": "TITLE", "optionFlags": 1}],
}


def told(desk: Desk, token: str = "", /, **params: Any) -> str:
    """Return what a refused call says; its code is empty."""
    reply = desk.ask(SET, token, **params)
    assert reply.status_code == 400, reply.text
    assert reply.json is not None
    assert reply.json["error"] == ""
    return str(reply.json["error_description"])


def hidden(desk: Desk, deal: int, user_id: int = ADMIN) -> str:
    """Return what the card says of fields that are not shown in it."""
    client: FlaskClient = portal_app(desk.portal, PAGES).test_client()
    client.set_cookie(WHO, str(user_id))
    page = client.get(f"/crm/deal/details/{deal}/").text
    assert "Дополнительно" in page or ABOUT["title"] in page
    return page.partition('id="hidden-fields">')[2].partition("</p>")[0]


def test_a_layout_nobody_has_set_is_null_alone_and_in_a_batch(desk: Desk) -> None:
    assert desk.call(GET, entityTypeId=2, scope="C") is None
    told = desk.call("batch", cmd={"a": f"{GET}?entityTypeId=2&scope=C"})
    assert told["result"] == {"a": None}
    assert told["result_error"] == []


def test_a_layout_is_replaced_as_a_whole_and_read_with_flags_as_text(desk: Desk) -> None:
    more = {"name": "more", "title": "Ещё", "type": "section", "elements": [{"name": "CLIENT", "options": {"a": "b"}}]}
    assert desk.call(SET, entityTypeId=2, scope="C", data=[ABOUT, more]) is True
    assert desk.call(SET, entityTypeId=2, scope="C", data=[more]) is True

    (kept,) = desk.call(GET, entityTypeId=2, scope="C")
    assert kept["elements"] == [{"name": "CLIENT", "optionFlags": "0", "options": {"a": "b"}}]


def test_pipelines_and_repeated_leads_have_layouts_of_their_own(desk: Desk) -> None:
    other = desk.call("crm.category.add", entityTypeId=2, fields={"name": "Монтаж"})["category"]["id"]
    desk.call(SET, entityTypeId=2, scope="C", extras={"dealCategoryId": other}, data=[ABOUT])
    desk.call(SET, entityTypeId=1, scope="C", extras={"leadCustomerType": 2}, data=[ABOUT])

    assert desk.call(GET, entityTypeId=2, scope="C", extras={"dealCategoryId": 0}) is None
    assert desk.call(GET, entityTypeId=2, scope="C", extras={"dealCategoryId": other})
    assert desk.call(GET, entityTypeId=1, scope="C") is None
    assert desk.call(GET, entityTypeId=1, scope="C", extras={"leadCustomerType": 2})


def test_everybody_reads_the_common_layout_and_administrators_write_it(desk: Desk) -> None:
    manager = desk.token_of(MANAGER)
    assert desk.call(GET, manager, entityTypeId=2, scope="C") is None
    assert told(desk, manager, entityTypeId=2, scope="C", data=[ABOUT]) == "Access denied."
    assert told(desk, manager, entityTypeId=2, userId=ADMIN, data=[ABOUT]) == "Access denied."
    assert desk.call(SET, manager, entityTypeId=2, data=[ABOUT]) is True
    assert desk.call(GET, manager, entityTypeId=2)
    assert desk.call(GET, entityTypeId=2) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("x", "Parameter 'data' must be array."),
        ([], "There are no data to write."),
        ({"a": ABOUT}, "The data must be indexed array."),
        ([{**ABOUT, "type": "column"}], "Section at index 0 have type column. The expected type is 'section'."),
        ([ABOUT, {**ABOUT, "name": ""}], "Section at index 1 does not have name."),
        ([{**ABOUT, "title": " "}], "Section at index 0 does not have title."),
        ([{**ABOUT, "elements": [{"optionFlags": 1}]}], "Element at index 0 in section at index 0 does not have name."),
    ],
)
def test_what_is_no_layout_is_refused_as_documented(desk: Desk, data: Any, said: str) -> None:
    assert told(desk, entityTypeId=2, scope="C", data=data) == said
    assert told(desk, scope="C", data=[ABOUT]) == "Parameter 'entityTypeId' is not defined"


def test_what_is_not_kept_and_whose_pipeline_is_not_meant_is_complained_of(desk: Desk) -> None:
    renamed = {**ABOUT, "elements": [{"name": "TITLE", "title": "Имя"}]}
    desk.call(SET, entityTypeId=2, scope="C", extras={"categoryId": 0}, data=[renamed])

    assert [text.split(": ")[1] for text in desk.world.complaints] == [
        "the unknown key 'categoryId' of extras was ignored",
        "'title' of a section or a field was not kept",
    ]
    desk.world.complaints.clear()


def test_the_card_shows_the_fields_of_its_layout_and_names_the_others(desk: Desk) -> None:
    for name, label in (("UF_CRM_A", "Адрес"), ("UF_CRM_B", "Бригада")):
        field = {"entityId": "CRM_DEAL", "fieldName": name, "userTypeId": "string", "editFormLabel": {"ru": label}}
        desk.call("userfieldconfig.add", moduleId="crm", field=field)
    deal = desk.deal(title="Окна")["id"]
    assert hidden(desk, deal) == ""

    desk.call(SET, entityTypeId=2, scope="C", data=[{**ABOUT, "elements": [{"name": "UF_CRM_B"}]}])
    assert hidden(desk, deal).endswith(": Адрес")
    desk.call(SET, entityTypeId=2, userId=MANAGER, data=[ABOUT])
    assert hidden(desk, deal, MANAGER).endswith(": Адрес, Бригада")
    assert hidden(desk, deal).endswith(": Адрес")
