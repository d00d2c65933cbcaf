from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from b24app.core.actions import AddTask, SetTimer, Step
from b24app.core.item import DEAL, ItemRef
from b24app.core.text import T
from b24app.store import given_tasks, timers
from b24app.store import tables as t
from b24app.store.portals import Portal
from b24app.web import journal
from tests.builders import MANAGER
from tests.seeded import (
    DEAL_12,
    House,
    Refusal,
    a_card,
    a_portal,
    a_run,
    an_action,
    an_opening,
    portal_answers,
    profile,
    stands_on,
)
from tests.web.pages import a_client, press, token_of, words

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def client(house: House) -> FlaskClient:
    return a_client(house.workshop, [journal.pages])


def read(house: House, portal: Portal, client: FlaskClient, **form: str) -> str:
    return words(press(client, "/b24/card/journal", token_of(house, portal, MANAGER), **form))


# Who may look ----------------------------------------------------------------------------------------------------------


def test_the_card_shows_its_journal_to_who_may_see_the_deal(house: House, portal: Portal, client: FlaskClient) -> None:
    stands_on(house, portal, "contract")
    with portal_answers({"profile": profile, "crm.item.get": a_card()}) as wire:
        answer = client.post("/b24/placement/journal", **an_opening(portal, MANAGER, '{"ID":"12"}'))

    assert "Стадия: Заключить договор" in words(answer)
    assert dict(wire.commands)["crm.item.get"]["auth"] == "viewer-7"
    assert "frame-ancestors https://romashka.bitrix24.test" in answer.headers["Content-Security-Policy"]
    assert "viewer-7" not in answer.get_data(as_text=True)


def test_who_may_not_see_the_deal_sees_no_journal(house: House, portal: Portal, client: FlaskClient) -> None:
    with portal_answers({"profile": profile, "crm.item.get": Refusal("ACCESS_DENIED")}):
        answer = client.post("/b24/placement/journal", **an_opening(portal, MANAGER, '{"ID":"12"}'))

    assert answer.status_code == 403


def test_outside_of_a_card_there_is_no_journal(house: House, portal: Portal, client: FlaskClient) -> None:
    with portal_answers({"profile": profile}):
        opened = an_opening(portal, MANAGER, "", "DEFAULT")
        assert client.post("/b24/placement/journal", **opened).status_code == 400


def test_strangers_and_pages_of_no_card_are_refused(house: House, portal: Portal, client: FlaskClient) -> None:
    for token in ("", "x", token_of(house, portal, MANAGER, item=None), token_of(house, portal, MANAGER)[:-2]):
        for path in ("/b24/card/journal", "/b24/card/help", "/b24/card/learned"):
            assert press(client, path, token).status_code == 403
    assert house.count(t.work) == 0
    assert house.count(t.learned) == 0


def test_another_portals_page_shows_its_own_deal_only(house: House, portal: Portal, client: FlaskClient) -> None:
    other = a_portal(house, "lilia", "lilia.bitrix24.test")
    a_run(house, portal, why=T("Тайна ромашки", "A secret"))

    assert "Тайна" in read(house, portal, client)
    assert "Тайна" not in read(house, other, client)


# What it tells ---------------------------------------------------------------------------------------------------------


def test_the_journal_tells_what_why_and_what_became_of_it(house: House, portal: Portal, client: FlaskClient) -> None:
    stands_on(house, portal, "contract")
    run_id = a_run(house, portal)
    an_action(house, portal, run_id, AddTask(DEAL_12, "contract", "Подписать договор", MANAGER))

    page = read(house, portal, client)

    assert "Задача поставлена: Мария Менова карточка вошла в стадию" in page
    assert "сделано Задача «Подписать договор» — Мария Менова" in page
    assert "10.06.2026 12:00 · Заключить договор" in page
    assert "C7:NEW" not in page


def test_what_was_not_done_is_told_with_its_reason(house: House, portal: Portal, client: FlaskClient) -> None:
    a_run(house, portal, robot="control_task", why=T("Задача закрыта через 23 ч 41 мин", "Closed after 23 h 41 min"))

    page = read(house, portal, client)

    assert "Задача закрыта через 23 ч 41 мин" in page
    assert "ничего не делалось" in page


def test_open_tasks_and_waiting_timers_are_listed_by_the_companys_clock(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    soon = house.at[0] + timedelta(hours=24)
    run_id = a_run(house, portal)
    task = AddTask(DEAL_12, "contract", "Подписать договор", MANAGER, deadline=house.at[0] - timedelta(hours=1))
    number = an_action(house, portal, run_id, task)
    with house.database.write() as connection:
        given_tasks.add(connection, portal.id, number, f"{number:012x}", task, "contract", None, house.at[0])
        timer = SetTimer(DEAL_12, "control", soon, Step("control_task"), "контроль задачи «Подписать договор»")
        timers.put(connection, portal.id, run_id, None, "0" * 12, timer, house.at[0])

    page = read(house, portal, client)

    assert "Подписать договор Мария Менова, срок 10.06.2026 11:00 просрочена" in page
    assert "контроль задачи «Подписать договор» в 11.06.2026 12:00" in page


def test_an_untouched_deal_and_a_foreign_one_say_what_will_come(house: House, portal: Portal, client: FlaskClient) -> None:
    page = read(house, portal, client)

    for said in ("не участвует ни в одном процессе", "Здесь пока пусто", "Открытых задач приложения нет"):
        assert said in page
    assert "помощь" not in page


def test_texts_of_the_portal_are_shown_as_texts(house: House, portal: Portal, client: FlaskClient) -> None:
    run_id = a_run(house, portal, why=T(EVIL, EVIL), cause={"kind": "AskedByPerson", "user": EVIL})
    an_action(house, portal, run_id, AddTask(DEAL_12, "x", EVIL, MANAGER))

    answer = press(client, "/b24/card/journal", token_of(house, portal, MANAGER))

    assert b"<script>alert" not in answer.data
    assert answer.data.count(b"&lt;script&gt;alert(1)") >= 3


def test_a_long_journal_is_paged(house: House, portal: Portal, client: FlaskClient) -> None:
    for number in range(30):
        a_run(house, portal, key=f"r{number}", why=T(f"решение {number}.", "decision"))

    first = read(house, portal, client)
    assert "решение 29." in first
    assert "решение 4." not in first
    second = read(house, portal, client, before="6")
    assert "решение 4." in second
    assert "решение 29." not in second
    assert "решение 29." in read(house, portal, client, before="x")


def test_the_journal_speaks_english(house: House, portal: Portal, client: FlaskClient) -> None:
    a_run(house, portal)

    page = words(press(client, "/b24/card/journal", token_of(house, portal, MANAGER, lang="en")))

    assert "The task was given to" in page
    assert "the item entered the stage" in page


# Buttons ---------------------------------------------------------------------------------------------------------------


def test_help_is_asked_for_once_an_hour(house: House, portal: Portal, client: FlaskClient) -> None:
    stands_on(house, portal, "contract")
    token = token_of(house, portal, MANAGER)

    assert "Подсказка появится" in words(press(client, "/b24/card/help", token))
    assert "уже просили" in words(press(client, "/b24/card/help", token))

    (work,) = house.rows(t.work)
    assert work["body"]["by"] == "Сотрудник 7"


def test_a_stage_without_a_hint_says_whom_to_ask(house: House, portal: Portal, client: FlaskClient) -> None:
    stands_on(house, portal, "date_agreed")

    assert "Спросите руководителя" in words(press(client, "/b24/card/help", token_of(house, portal, MANAGER)))
    assert house.count(t.work) == 0


def test_help_is_about_the_deal_of_the_page_and_no_other(house: House, portal: Portal, client: FlaskClient) -> None:
    stands_on(house, portal, "contract")
    stands_on(house, portal, "contract", ItemRef(DEAL, 13))

    press(client, "/b24/card/help", token_of(house, portal, MANAGER), item="13", ID="13")

    assert [row["item_id"] for row in house.rows(t.work)] == [12]


def test_who_knows_it_switches_the_training_off_for_himself(house: House, portal: Portal, client: FlaskClient) -> None:
    stands_on(house, portal, "contract")
    token = token_of(house, portal, MANAGER)
    assert "Я это знаю" in read(house, portal, client)

    assert "Обучение для вас выключено" in words(press(client, "/b24/card/learned", token, learned="yes"))
    assert "Снова показывать обучение" in read(house, portal, client)
    press(client, "/b24/card/learned", token, learned="no", user="9")

    assert "Я это знаю" in read(house, portal, client)
