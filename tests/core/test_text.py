from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.core.text import T, bb, clean, counted, cut, join, plain, show

ANY = st.text(max_size=200)


def test_places_are_filled_language_by_language() -> None:
    text = T("«{stage}» — {day}", "“{stage}”: {day}").fill(stage=T("Новая", "New"), day=date(2026, 6, 1))
    assert text == T("«Новая» — 01.06.2026", "“New”: 01.06.2026")


def test_a_place_without_a_value_stays_as_written() -> None:
    assert T.same("{a} {b} {not a place}").fill(a=1).ru == "1 {b} {not a place}"


def test_a_place_may_have_any_name() -> None:
    assert T.same("{self} {text}").fill(self=1, text=2).ru == "1 2"


def test_a_value_is_never_filled_again() -> None:
    assert T.same("{a}").fill(a="{b}", b="secret").ru == "{b}"


@given(ANY, ANY)
@settings(max_examples=50, deadline=None)
def test_filling_never_fails(template: str, value: str) -> None:
    T.same(template).fill(title=value, self=value)


@pytest.mark.parametrize(
    ("value", "ru", "en"),
    [
        (None, "—", "—"),
        (True, "да", "yes"),
        (False, "нет", "no"),
        (time(9, 5), "09:05", "09:05"),
        (datetime(2026, 6, 1, 9, 5), "01.06.2026 09:05", "01.06.2026 09:05"),  # noqa: DTZ001
        (12, "12", "12"),
    ],
)
def test_values_are_shown_the_way_people_read_them(value: object, ru: str, en: str) -> None:
    assert (show(value, "ru"), show(value, "en")) == (ru, en)


def test_an_empty_text_is_false() -> None:
    assert not T(" ", "")
    assert T("", "a")


def test_texts_are_joined_language_by_language() -> None:
    assert join([T("а", "a"), T("б", "b")], "; ") == T("а; б", "a; b")


@given(ANY)
@settings(max_examples=50, deadline=None)
def test_an_escaped_text_holds_no_brackets(text: str) -> None:
    assert not set("[]") & set(bb(text))


@given(st.text(max_size=60), st.integers(1, 40))
@settings(max_examples=50, deadline=None)
def test_a_cut_text_fits(text: str, limit: int) -> None:
    assert len(cut(text, limit)) <= limit
    assert cut(text, 100) == text


@given(ANY)
@settings(max_examples=100, deadline=None)
def test_a_plain_text_is_one_line_and_stays_as_it_is_when_made_plain_again(text: str) -> None:
    once = plain(text)
    assert "\n" not in once
    assert "\x00" not in once
    assert plain(once) == once


@given(ANY)
@settings(max_examples=100, deadline=None)
def test_a_clean_text_stays_as_it_is_when_cleaned_again(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_emoji_are_kept_whole_and_lone_surrogates_are_not() -> None:
    family = "👨\u200d👩\u200d👧"
    assert plain(f"{family}\ud800 ✅") == f"{family} ✅"
    assert clean(f"{family}\r\n\x07✅") == f"{family}\n ✅"


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0 дней"),
        (1, "1 день"),
        (2, "2 дня"),
        (5, "5 дней"),
        (11, "11 дней"),
        (21, "21 день"),
        (112, "112 дней"),
        (104, "104 дня"),
    ],
)
def test_nouns_follow_their_numbers(number: int, written: str) -> None:
    assert counted(number, "день", "дня", "дней") == written
