from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.core import agreed, phones, wording
from b24app.core.giving import Assignment, give, task_name
from b24app.core.item import COMPANY, CONTACT, Client, File, ItemRef
from b24app.core.needs import Facts, NeedClient, NeedItem, NeedPeople
from b24app.core.roles import Role
from b24app.core.text import T
from tests.builders import DEAL_12, HEAD, INSTALLER, MOSCOW, NOW, a_call, a_deal, a_house, people, utc

CALL = a_call()
FIELDS: dict[str, Any] = {
    "install_date": date(2026, 6, 12),
    "install_time": "10:00",
    "installer": INSTALLER,
    "address": "Лесная, 5 [двор]",
    "contract_file": (File("1", "https://romashka.bitrix24.ru/1"), File("2", "javascript:1")),
    "tags": ("[a]", "б"),
    "moment": utc(2026, 6, 12, 7),
}
DEAL = a_deal(fields=FIELDS)
VALUES = wording.values(CALL, DEAL, Client(3, "Анна [B]", ("8 916 123-45-67",)), people())


def test_every_place_has_a_value() -> None:
    assert set(VALUES) >= wording.PLACES


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("title", "Потолки на Лесной"),
        ("client", "Анна &#91;B&#93;"),
        ("phone", "8 916 123-45-67"),
        ("date", "12.06.2026"),
        ("time", "10:00"),
        ("when", "12.06.2026 10:00"),
        ("address", "Лесная, 5 &#91;двор&#93;"),
        ("installer", "Иван Мастеров"),
        ("responsible", "Мария Менова"),
        ("amount", "120 000"),
        ("currency", "RUB"),
        ("stage", "Дата начала работ согласована"),
        ("link", "https://romashka.bitrix24.ru/crm/deal/details/12/"),
        ("contract_file", "[URL=https://romashka.bitrix24.ru/1]файл 1[/URL], файл 2"),
        ("tags", "&#91;a&#93;, б"),
        ("moment", "12.06.2026 10:00"),
    ],
)
def test_a_place_is_filled_and_brings_no_codes_along(place: str, shown: str) -> None:
    assert wording.render(CALL, T.same(f"{{{place}}}"), VALUES) == shown


def test_the_installer_has_a_name_even_where_no_process_says_what_the_field_holds() -> None:
    call = a_call(house=a_house(employee_fields=frozenset()))
    assert wording.title(call, T.same("{installer}"), wording.values(call, DEAL, None, people())) == "Иван Мастеров"


def test_a_title_is_plain_and_keeps_brackets() -> None:
    assert wording.title(CALL, T.same("{client}\n{contract_file}"), VALUES) == "Анна [B] файл 1, файл 2"


def test_what_is_not_known_is_a_dash_and_what_is_no_place_stays() -> None:
    bare = wording.values(CALL, a_deal(currency=""))
    assert wording.render(CALL, T.same("{client} {date} {currency} {adress}"), bare) == "— — — {adress}"


def test_the_english_portal_reads_english() -> None:
    call = a_call(house=a_house(lang="en"))
    assert wording.title(call, T("Сделка {stage}", "Deal {stage}"), wording.values(call, DEAL)) == "Deal Date agreed"
    assert wording.told(T("Да {stage}", "Yes {stage}"), VALUES) == T("Да Дата начала работ согласована", "Yes Date agreed")


def test_codes_an_administrator_wrote_stay_codes() -> None:
    assert wording.render(CALL, T.same("[B]{title}[/B]"), {"title": "[I]"}) == "[B]&#91;I&#93;[/B]"


@given(
    st.text(max_size=60),
    st.dictionaries(st.sampled_from(sorted(wording.PLACES)), st.text(max_size=60) | st.none() | st.integers()),
)
@settings(max_examples=80, deadline=None)
def test_wording_never_fails_and_always_fits(template: str, given_values: dict[str, object]) -> None:
    text = T.same(template + "{title}{client}")
    assert len(wording.title(CALL, text, given_values)) <= wording.TITLE
    assert len(wording.render(CALL, text, given_values, 40)) <= 40
    assert "\n" not in wording.sms(CALL, text, given_values)


@given(st.integers(1, 80))
@settings(max_examples=40, deadline=None)
def test_an_escaped_bracket_is_never_cut_in_two(limit: int) -> None:
    assert wording.cut_bb("&#91;" * 20, limit).rstrip("…").replace("&#91;", "") == ""


def test_texts_of_sixty_thousand_characters_are_cut() -> None:
    huge = "[" * 60_000
    assert len(wording.render(CALL, T.same("{title}" * 100), {"title": huge})) <= wording.BODY
    assert len(wording.sms(CALL, T.same(huge), {})) == wording.SMS


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "ftp://x", "//x", "https://", "просто текст", "", "http://[", "data:text/html,x"]
)
def test_only_addresses_of_the_web_become_links(address: str) -> None:
    assert wording.url(address, "x") == ""


def test_a_link_cannot_be_ended_early() -> None:
    assert wording.url("https://a.ru/[x]?q=1 2", "[/URL]") == "[URL=https://a.ru/%5Bx%5D?q=1%202]&#91;/URL&#93;[/URL]"


def test_without_the_portal_s_address_there_are_no_links() -> None:
    call = a_call(house=a_house(portal_url=""))
    assert (wording.item_link(call, DEAL_12), wording.task_link(call, 7, 5)) == ("", "")
    assert wording.item_link(CALL, ItemRef(176, 5)).endswith("/crm/type/176/details/5/")


def test_lengths_of_time_are_told_in_two_units() -> None:
    lengths = (
        timedelta(seconds=-5),
        timedelta(minutes=5),
        timedelta(hours=23, minutes=41),
        timedelta(days=2, hours=3, minutes=5),
    )
    assert [wording.duration(n).ru for n in lengths] == ["минуту", "5 мин", "23 ч 41 мин", "2 д 3 ч"]


def test_amounts_are_grouped_and_whole_ones_have_no_cents() -> None:
    assert [wording.money(Decimal(n)) for n in ("0", "1234567.5", "NaN")] == ["0", "1 234 567.50", "NaN"]


def test_the_client_is_read_only_where_a_text_speaks_of_him() -> None:
    read = Facts({NeedItem(DEAL_12): DEAL, NeedPeople(): people()})
    assert NeedClient(ItemRef(CONTACT, 3)) in wording.reading(CALL, read, [T.same("{phone}")])
    assert wording.reading(CALL, read, [T.same("{title}")]) == [NeedItem(DEAL_12), NeedPeople()]
    assert wording.reading(CALL, Facts(), [T.same("{client}")]) == [NeedItem(DEAL_12), NeedPeople()]
    assert wording.client_of(a_deal(contact_id=None, company_id=4)) == ItemRef(COMPANY, 4)


def test_a_visit_begins_at_the_agreed_hour_and_without_one_takes_the_day() -> None:
    visit = agreed.visit(CALL, DEAL, "install_date", "install_time", 4)
    assert visit is not None
    assert agreed.words(visit) == "12.06.2026 10:00–14:00"
    whole = agreed.visit(CALL, a_deal(fields={"install_date": date(2026, 6, 12)}), "install_date", "install_time", 4)
    assert whole is not None
    assert (agreed.words(whole), agreed.starts(whole)) == ("12.06.2026 09:00–18:00", "12.06.2026")
    assert agreed.visit(CALL, a_deal(), "install_date", "install_time", 4) is None


def test_an_hour_may_come_with_the_date_and_its_own_field_wins() -> None:
    moment = datetime(2026, 6, 12, 15, tzinfo=MOSCOW)
    both = a_deal(fields={"install_date": moment, "install_time": "9:00"})
    assert str(agreed.clock_time(CALL, both, "install_date", "install_time")) == "09:00:00"
    assert str(agreed.clock_time(CALL, both, "install_date", "other")) == "15:00:00"
    midnight = a_deal(fields={"install_date": moment.replace(hour=0)})
    assert agreed.clock_time(CALL, midnight, "install_date", "install_time") is None


def test_a_visit_over_the_end_of_the_day_says_both_days() -> None:
    late = agreed.visit(
        CALL, a_deal(fields={"install_date": date(2026, 6, 12), "install_time": "22:00"}), "install_date", "install_time", 4
    )
    assert late is not None
    assert agreed.words(late) == "12.06.2026 22:00 – 13.06.2026 02:00"


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("8 (916) 123-45-67", "RU", "+79161234567"),
        ("+7 916 123 45 67", "US", "+79161234567"),
        ("9161234567", "RU", "+79161234567"),
        ("+375 29 123-45-67", "RU", "+375291234567"),
        ("123", "RU", None),
        ("нет", "RU", None),
        ("", "RU", None),
        ("8916" * 1000, "RU", None),
    ],
)
def test_a_number_is_brought_into_one_form(written: str, country: str, number: str | None) -> None:
    assert phones.e164(written, country) == number


@given(st.lists(st.text(max_size=30), max_size=4))
@settings(max_examples=60, deadline=None)
def test_choosing_a_number_never_fails(written: list[str]) -> None:
    chosen = phones.for_sms(written, "RU")
    assert chosen is None or chosen.startswith("+")


def test_a_name_of_a_task_is_its_own_or_its_title_s() -> None:
    long = T.same("Связаться с клиентом и уточнить дату предоплаты за материалы")
    other = T.same("Связаться с клиентом и уточнить дату предоплаты за работы")
    assert task_name(long, " own ") == "own"
    assert task_name(T.same("Подписать договор")) == "подписать-договор"
    assert task_name(long) == task_name(long) != task_name(other)
    assert task_name(T.same("😀"))


def test_a_checklist_has_no_empty_and_no_double_lines() -> None:
    what = Assignment("n", T.same("Т"), Role("user(5)"), checklist=(T.same("а"), T.same(" "), T.same("а"), T.same("б")))
    task = give(CALL, DEAL, people(), what, VALUES).task
    assert task is not None
    assert (task.checklist, task.responsible, task.deadline) == (("а", "б"), HEAD, None)


def test_a_deadline_may_be_a_moment() -> None:
    given_task = give(CALL, DEAL, people(), Assignment("n", T.same("Т"), Role("user(5)"), deadline=NOW), VALUES)
    assert given_task.task is not None
    assert given_task.task.deadline == NOW
    assert given_task.why.ru == "Задача «Т» поставлена: Пётр Главин, срок 10.06.2026 12:00"


def test_labels_of_the_process_come_before_standard_ones() -> None:
    call = a_call(house=replace(a_house(), labels={"amount": T("Бюджет", "Budget")}))
    assert wording.label(call, "amount").ru == "Бюджет"
    assert wording.label(CALL, "amount").ru == "Сумма и валюта"
    assert wording.label(CALL, "UF_X") == T.same("UF_X")
