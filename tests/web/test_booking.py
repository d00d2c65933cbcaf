from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from b24app.core.actions import ClaimSlot
from b24app.core.item import DEAL, ItemRef
from b24app.store import tables as t
from b24app.store import visits
from b24app.store.portals import Portal
from b24app.web import booking
from tests.builders import INSTALLER, MANAGER
from tests.engine.people.test_booking import FRIDAY_TEN, entry
from tests.seeded import (
    House,
    Refusal,
    a_card,
    an_opening,
    changed,
    portal_answers,
    profile,
    stands_on,
)
from tests.web.pages import a_client, press, token_of, words

FREE = {"crm.item.get": a_card(), "calendar.accessibility.get": {}}
SLOT = f"{INSTALLER}|2026-06-12T10:00:00+03:00"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def client(house: House) -> FlaskClient:
    return a_client(house.workshop, [booking.pages])


def pick(house: House, portal: Portal, client: FlaskClient, slot: str = SLOT, answers: Any = None) -> str:
    with portal_answers(answers or FREE):
        return words(press(client, "/b24/card/booking/choose", token_of(house, portal, MANAGER), slot=slot))


def look(house: House, portal: Portal, client: FlaskClient, answers: Any = None, admin: bool = False, **form: str) -> str:
    with portal_answers(answers or FREE):
        return words(press(client, "/b24/card/booking", token_of(house, portal, MANAGER, admin=admin), **form))


def held_for_windows(house: House, portal: Portal) -> None:
    with house.database.write() as connection:
        claim = ClaimSlot(ItemRef(DEAL, 13), INSTALLER, FRIDAY_TEN, FRIDAY_TEN + timedelta(hours=4))
        visits.claim(connection, portal.id, claim, "Окна на Садовой", house.at[0])


def test_the_tab_shows_the_crews_week(house: House, portal: Portal, client: FlaskClient) -> None:
    with portal_answers({"profile": profile, **FREE}):
        answer = client.post("/b24/placement/booking", **an_opening(portal, MANAGER, '{"ID":"12"}'))

    page = words(answer)
    for said in (
        "«Потолки на Лесной», выезд 4 ч",
        "Лесная, 5",
        "08.06 – 14.06.2026",
        "Иван Мастеров",
        "пт 12.06 09:00–13:00",
    ):
        assert said in page
    assert "Время ещё не выбрано" in page
    assert SLOT.encode() in answer.data


def test_who_may_not_see_the_deal_books_nothing(house: House, portal: Portal, client: FlaskClient) -> None:
    with portal_answers({"profile": profile, "crm.item.get": Refusal("ACCESS_DENIED")}):
        opened = client.post("/b24/placement/booking", **an_opening(portal, MANAGER, '{"ID":"12"}'))
    assert opened.status_code == 403
    for token in ("", "x", token_of(house, portal, MANAGER, item=None)):
        assert press(client, "/b24/card/booking/choose", token, slot=SLOT).status_code == 403
    assert house.count(t.slots) == 0


def test_a_choice_is_confirmed_and_then_shown_as_held(house: House, portal: Portal, client: FlaskClient) -> None:
    stands_on(house, portal, "contract")

    page = pick(house, portal, client)

    assert "Забронировано: Иван Мастеров, 12.06.2026 10:00" in page
    assert "Сейчас занято: Иван Мастеров, 12.06.2026 10:00" in page
    assert [row["asked_by"] for row in house.rows(t.runs)] == ["Сотрудник 7"]


def test_the_choice_is_for_the_deal_of_the_page_whatever_the_form_says(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    with portal_answers(FREE):
        press(client, "/b24/card/booking/choose", token_of(house, portal, MANAGER), slot=SLOT, item="13", ID="13")

    assert [row["item_id"] for row in house.rows(t.slots)] == [12]


def test_the_loser_is_told_which_order_was_faster(house: House, portal: Portal, client: FlaskClient) -> None:
    held_for_windows(house, portal)

    page = pick(house, portal, client)

    assert "это время занимает заказ «Окна на Садовой»" in page
    assert house.count(t.runs) == 0


def test_absence_and_other_orders_are_seen_before_choosing(house: House, portal: Portal, client: FlaskClient) -> None:
    held_for_windows(house, portal)
    ill = entry(FRIDAY_TEN - timedelta(days=1), FRIDAY_TEN - timedelta(hours=20), "absent")

    page = look(house, portal, client, {**FREE, "calendar.accessibility.get": {str(INSTALLER): [ill]}})

    assert "10:00–14:00 заказ «Окна на Садовой»" in page
    assert "10:00–14:00 отсутствует" in page
    assert "Врач" not in page


@pytest.mark.parametrize("slot", ["", "9", "x|y", f"{INSTALLER}|2026-06-12T10:00:00", "9|2026-13-40T99:00", f"9|{'9' * 50}"])
def test_a_form_without_a_proper_choice_asks_for_one(house: House, portal: Portal, client: FlaskClient, slot: str) -> None:
    assert "Сначала выберите время" in pick(house, portal, client, slot)
    assert house.count(t.slots) == 0


def test_an_hour_that_was_not_offered_is_refused(house: House, portal: Portal, client: FlaskClient) -> None:
    for slot in (
        f"{INSTALLER}|2026-06-13T10:00:00+03:00",
        f"{INSTALLER}|0001-01-01T00:00:00+14:00",
        f"{MANAGER}|{SLOT[2:]}",
    ):
        pick(house, portal, client, slot)

    assert house.count(t.slots) == 0


def test_weeks_are_turned(house: House, portal: Portal, client: FlaskClient) -> None:
    assert "15.06 – 21.06.2026" in look(house, portal, client, day="2026-06-15")
    assert "08.06 – 14.06.2026" in look(house, portal, client, day="rubbish")
    assert "свободного времени нет" in look(house, portal, client, day="2026-06-01")


@pytest.mark.parametrize(("admin", "said"), [(True, "Откройте приложение «Процессы»"), (False, "Попросите администратора")])
def test_without_a_crew_it_is_said_who_can_name_one(
    house: House, portal: Portal, client: FlaskClient, admin: bool, said: str
) -> None:
    with house.database.write() as connection:
        house.workshop.portals.set_settings(connection, portal.id, changed(portal, crew_users=()))

    assert said in look(house, portal, client, admin=admin)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"crm.item.get": Refusal("NOT_FOUND")}, "больше нет в CRM"),
        ({"crm.item.get": a_card(categoryId=0)}, "выезды не бронируются"),
        ({"crm.item.get": Refusal("INTERNAL_SERVER_ERROR")}, "Портал сейчас не отвечает"),
        ({"calendar.accessibility.get": Refusal("INTERNAL_SERVER_ERROR")}, "Портал сейчас не отвечает"),
        ({"calendar.accessibility.get": Refusal("ACCESS_DENIED")}, "учтены только заказы"),
    ],
)
def test_every_trouble_says_what_it_is(
    house: House, portal: Portal, client: FlaskClient, answers: dict[str, Any], said: str
) -> None:
    assert said in look(house, portal, client, {**FREE, **answers})


def test_a_portal_in_trouble_books_nothing(house: House, portal: Portal, client: FlaskClient) -> None:
    page = pick(house, portal, client, answers={**FREE, "crm.item.get": Refusal("INTERNAL_SERVER_ERROR")})

    assert "Портал сейчас не отвечает" in page
    assert house.count(t.slots) == 0


def test_titles_of_the_portal_are_shown_as_texts(house: House, portal: Portal, client: FlaskClient) -> None:
    with portal_answers({**FREE, "crm.item.get": a_card(title=EVIL)}):
        answer = press(client, "/b24/card/booking/choose", token_of(house, portal, MANAGER), slot=SLOT)

    assert b"<script>alert" not in answer.data
    assert b"&lt;script&gt;" in answer.data


def test_every_choice_has_a_label_and_the_form_needs_no_script(house: House, portal: Portal, client: FlaskClient) -> None:
    with portal_answers(FREE):
        page = press(client, "/b24/card/booking", token_of(house, portal, MANAGER)).get_data(as_text=True)

    assert len(re.findall(r'<label class="slot"><input type="radio"', page)) == page.count('type="radio"') > 0
    assert "onclick" not in page
    assert "style=" not in page
