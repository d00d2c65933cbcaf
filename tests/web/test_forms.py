from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from b24app.core.forms import MAX_ROWS
from b24app.core.item import DEAL, ItemRef
from b24app.store import tables as t
from b24app.store.portals import Portal
from b24app.web import forms
from b24app.web.forms import sent_answers
from tests.builders import DIRECTOR, HEAD, INSTALLER, MANAGER
from tests.filled import CARD, a_portal_that_asks, arrives, has_task, on
from tests.seeded import House, Refusal, a_card, an_opening, portal_answers, profile
from tests.web.pages import BASE, a_client, press, token_of, words

OFFICER = INSTALLER
EVIL = "<script>alert(1)</script>"
CLEAN = {"form": "analysis", "round": "1", "q.clean": "yes"}
ROWS = {
    **CLEAN,
    "q.clean": "no",
    "q.violations.0.kind": "papers",
    "q.violations.0.fact": f"Счёт без печати {EVIL}",
    "q.violations.0.proof": "https://docs.test/счёт",
    "q.violations.1.kind": "",
    "q.violations.1.fact": "",
}


@pytest.fixture
def portal(house: House) -> Portal:
    found = a_portal_that_asks(house)
    arrives(house, found, "contract")
    return found


@pytest.fixture
def client(house: House) -> FlaskClient:
    return a_client(house.workshop, [forms.pages])


def page(house: House, portal: Portal, client: FlaskClient, user: int, answers: Any = CARD, **told: Any) -> str:
    """Return the page as a browser gets it."""
    form = told.pop("form", {})
    with portal_answers(answers):
        answer = press(client, "/b24/card/quality", token_of(house, portal, user, **told), **form)
    assert answer.status_code == 200, answer.data
    return answer.get_data(as_text=True)


def send(house: House, portal: Portal, client: FlaskClient, user: int, form: Any, answers: Any = CARD, **told: Any) -> str:
    with portal_answers(answers):
        answer = press(client, "/b24/card/quality/send", token_of(house, portal, user, **told), **form)
    assert answer.status_code == 200, answer.data
    return answer.get_data(as_text=True)


def read(html: str) -> str:
    bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(bare).split())


# Opening ------------------------------------------------------------------------------------------------------------------


def test_the_officer_opens_the_tab_and_is_asked(house: House, portal: Portal, client: FlaskClient) -> None:
    with portal_answers({"profile": profile, **CARD}):
        said = words(client.post("/b24/placement/quality", **an_opening(portal, OFFICER, '{"ID":"12"}')))

    assert "Анализ сделки" in said
    assert "Замечаний нет?" in said
    assert "Только если «Замечаний нет?» — нет" in said
    assert "Отправить" in said


def test_a_stranger_to_the_card_is_turned_away(house: House, portal: Portal, client: FlaskClient) -> None:
    with portal_answers({"profile": profile, "crm.item.get": Refusal("ACCESS_DENIED")}):
        answer = client.post("/b24/placement/quality", **an_opening(portal, HEAD, '{"ID":"12"}'))
    assert answer.status_code == 403
    assert answer.get_json()["error"] == "not_visible"


def test_an_opening_without_a_card_or_with_a_foreign_token_is_turned_away(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    with portal_answers({"profile": profile}):
        assert client.post("/b24/placement/quality", **an_opening(portal, OFFICER)).status_code == 400
    form = {"page_token": "forged", **CLEAN}
    assert client.post("/b24/card/quality/send", data=form, base_url=BASE).status_code == 403
    abroad = {"Origin": "https://evil.test"}
    token = token_of(house, portal, OFFICER)
    answer = client.post("/b24/card/quality/send", data={**form, "page_token": token}, base_url=BASE, headers=abroad)
    assert answer.status_code == 403
    assert house.count(t.forms) == 0


def test_a_colleague_is_told_who_fills_it_in_and_sees_no_answers(house: House, portal: Portal, client: FlaskClient) -> None:
    send(house, portal, client, OFFICER, ROWS)
    arrives(house, portal, "date_agreed")
    arrives(house, portal, "contract")

    said = read(page(house, portal, client, HEAD))

    assert "Эту форму заполняет: Иван Мастеров." in said
    assert "Ответы видят только те, кто участвует" in said
    assert "Счёт без печати" not in said
    assert "Отправить" not in said


def test_a_colleague_who_sends_anyway_changes_nothing(house: House, portal: Portal, client: FlaskClient) -> None:
    assert "Эту форму заполняет другой сотрудник." in read(send(house, portal, client, HEAD, CLEAN))
    assert "другой сотрудник" in read(send(house, portal, client, DIRECTOR, CLEAN, admin=True))
    assert house.count(t.forms) == house.count(t.work) == 0


def test_the_token_of_another_portal_speaks_of_that_portal_only(house: House, portal: Portal, client: FlaskClient) -> None:
    send(house, portal, client, OFFICER, ROWS)
    other = a_portal_that_asks(house, "vektor", host="vektor.bitrix24.test")
    arrives(house, other, "contract")

    with portal_answers(CARD, host="vektor.bitrix24.test"):
        answer = press(client, "/b24/card/quality", token_of(house, other, OFFICER))

    said = words(answer)
    assert "Отправить" in said
    assert "Счёт без печати" not in said


def test_the_token_of_one_card_says_nothing_of_another(house: House, portal: Portal, client: FlaskClient) -> None:
    asked: list[str] = []

    def other_card(told: Any) -> Any:
        asked.append(str(told.get("id")))
        return Refusal("NOT_FOUND")

    html = page(house, portal, client, OFFICER, {"crm.item.get": other_card}, item=ItemRef(DEAL, 13))
    assert "Этого элемента больше нет в CRM." in read(html)
    assert asked == ["['13']"]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"crm.item.get": Refusal("NOT_FOUND")}, "Этого элемента больше нет в CRM."),
        ({"crm.item.get": Refusal("QUERY_LIMIT_EXCEEDED")}, "Портал сейчас не отвечает."),
        (on("contract", categoryId=9), "не участвует ни в одном процессе"),
    ],
)
def test_where_there_is_no_form_the_page_says_why(
    house: House, portal: Portal, client: FlaskClient, answers: Any, said: str
) -> None:
    assert said in read(page(house, portal, client, OFFICER, answers))


def test_a_stage_without_a_form_asks_nothing(house: House, portal: Portal, client: FlaskClient) -> None:
    assert "На этой стадии заполнять нечего." in read(
        page(house, portal, client, OFFICER, {"crm.item.get": a_card(stageId="C7:X")})
    )


def test_the_page_speaks_english_too(house: House, portal: Portal, client: FlaskClient) -> None:
    said = read(re.sub("<select.*?</select>", "", page(house, portal, client, OFFICER, lang="en"), flags=re.DOTALL))
    assert "Analysis of the deal" in said
    assert "Only if “No remarks?” is no" in said
    assert set(re.findall("[а-яё]+", said.casefold())) == {"потолки", "на", "лесной"}


# Filling in ---------------------------------------------------------------------------------------------------------------


def test_answers_are_taken_and_shown_to_those_who_take_part(house: House, portal: Portal, client: FlaskClient) -> None:
    html = send(house, portal, client, OFFICER, ROWS)

    said = read(html)
    assert "Спасибо, ответы приняты." in said
    assert "Форма заполнена, от вас больше ничего не нужно." in said
    assert "Нарушения, 1: Вид Документы" in said
    assert 'href="https://docs.test/счёт" target="_blank" rel="noopener noreferrer"' in html
    assert EVIL not in html
    (row,) = house.rows(t.forms)
    assert row["answers"]["violations"][0]["proof"] == "https://docs.test/счёт"


def test_mistakes_are_marked_at_their_questions_and_nothing_typed_is_lost(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    html = send(house, portal, client, OFFICER, {**ROWS, "q.violations.0.proof": "docs", "q.violations.1.kind": "calls"})

    said = read(html)
    assert "Ответы пока не отправлены" in said
    assert "Нужна ссылка, начинающаяся с http:// или https://" in said
    assert "Счёт без печати &lt;script&gt;" in html
    assert 'value="docs" id="q-violations-0-proof-in" aria-invalid="true"' in html
    assert 'id="q-violations-1-fact-error"' in html
    assert re.search(r'value="no" checked', html)
    assert house.count(t.forms) == 0


def test_another_row_is_added_without_a_script_and_without_complaints(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    html = send(house, portal, client, OFFICER, {**ROWS, "more": "violations"})

    assert 'name="q.violations.2.kind"' in html
    assert "error" not in re.sub(r"<script.*?</script>", "", html)
    assert house.count(t.forms) == 0

    html = send(house, portal, client, OFFICER, {**ROWS, "q.violations.2.fact": "x", "more": "violations"})
    assert 'name="q.violations.3.kind"' not in html  # there may be three


def test_sending_twice_keeps_the_first_answers(house: House, portal: Portal, client: FlaskClient) -> None:
    send(house, portal, client, OFFICER, CLEAN)
    assert "Ответы уже приняты раньше" in read(send(house, portal, client, OFFICER, ROWS))
    assert house.count(t.forms) == 1


def test_a_page_of_an_earlier_stage_shows_what_is_needed_now(house: House, portal: Portal, client: FlaskClient) -> None:
    html = send(house, portal, client, MANAGER, CLEAN, on("won"))

    said = read(html)
    assert "элемент перешёл на другую стадию" in said
    assert "Клиент доволен?" in said


def test_a_new_round_begins_with_the_answers_of_the_last(house: House, portal: Portal, client: FlaskClient) -> None:
    send(house, portal, client, OFFICER, ROWS)
    for key in ("date_agreed", "contract"):
        arrives(house, portal, key)

    html = page(house, portal, client, OFFICER)

    assert "Подставлены ваши прошлые ответы" in read(html)
    assert "Повторно: 2-й раз" in read(html)
    assert "Счёт без печати" in html
    assert 'value="papers" selected' in html


def test_coming_to_the_stage_again_without_an_answer_is_no_new_round_to_people(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    for key in ("date_agreed", "contract"):
        arrives(house, portal, key)

    assert "Повторно" not in read(page(house, portal, client, OFFICER))


def test_a_member_votes_from_his_own_card(house: House, portal: Portal, client: FlaskClient) -> None:
    send(house, portal, client, OFFICER, ROWS)
    arrives(house, portal, "date_agreed")
    has_task(house, portal, f"vote:{HEAD}", HEAD, 90)
    card = {**on("date_agreed"), "tasks.task.get": {"task": {"id": "90", "title": "x", "status": "2", "responsibleId": "5"}}}

    said = read(page(house, portal, client, HEAD, card))
    assert 0 < said.index("Счёт без печати") < said.index("Ваш голос"), "whoever votes reads first what he votes on"

    form = {"form": "vote", "round": "1", "q.vote": "against"}
    assert "Ответьте на этот вопрос" in read(send(house, portal, client, HEAD, form, card))
    assert "Спасибо" in read(send(house, portal, client, HEAD, {**form, "q.why": "дорого"}, card))


def test_a_portal_that_does_not_answer_loses_nothing_that_was_typed(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    html = send(house, portal, client, OFFICER, ROWS, {"crm.item.get": Refusal("QUERY_LIMIT_EXCEEDED")})
    assert "Портал сейчас не отвечает" in read(html)
    assert house.count(t.forms) == 0

    hidden = re.findall('<input type="hidden" name="(.*?)" value="(.*?)">', html)
    typed = {unescape(name): unescape(value) for name, value in hidden}
    assert {**typed, "page_token": ""} == {**ROWS, "page_token": ""}
    assert "Спасибо" in read(send(house, portal, client, OFFICER, {n: v for n, v in typed.items() if n != "page_token"}))


# What a browser may send --------------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.text(max_size=12) | st.sampled_from(["q.a", "q.b.0.c", "q.b.99.c", "q.b.7.c", "q.a.b", "q.", "q.b.100.c"]),
            st.text(max_size=8),
        ),
        max_size=12,
    )
)
def test_any_fields_are_read_or_passed_over(fields: list[tuple[str, str]]) -> None:
    raw = sent_answers(MultiDict(fields))
    assert all(len(value) <= 100 for value in raw.values() if isinstance(value, list))


def test_rows_keep_their_numbers() -> None:
    sent = MultiDict([("q.v.2.k", "x"), ("q.v.0.k", "y"), ("q.s", "1"), ("q.s", "2"), ("page_token", "z"), ("q.v.٣.k", "?")])
    assert sent_answers(sent) == {"v": [{"k": "y"}, {}, {"k": "x"}], "s": ["1", "2"]}
    assert MAX_ROWS < 100
