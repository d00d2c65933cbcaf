from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.bitrix.form import BadForm, Form, Limits, as_list, decode, decode_query, encode


def test_brackets_become_nested_maps() -> None:
    assert decode(b"data[FIELDS][ID]=7&data[FIELDS][NAME]=x") == {"data": {"FIELDS": {"ID": "7", "NAME": "x"}}}


def test_encoded_brackets_mean_the_same_as_plain_ones() -> None:
    assert decode(b"data%5BFIELDS%5D%5BID%5D=7") == decode(b"data[FIELDS][ID]=7")


def test_plus_is_a_space_and_percent_plus_is_a_plus() -> None:
    assert decode(b"to=%2B79001234567&text=%D0%B0+%D0%B1") == {"to": "+79001234567", "text": "а б"}


def test_empty_brackets_append_after_the_highest_number() -> None:
    assert decode(b"a[]=x&a[7]=y&a[]=z") == {"a": {"0": "x", "7": "y", "8": "z"}}


def test_each_empty_bracket_in_the_middle_starts_a_new_row() -> None:
    assert decode(b"a[][id]=1&a[][id]=2") == {"a": {"0": {"id": "1"}, "1": {"id": "2"}}}


def test_a_name_given_twice_keeps_the_last_value_as_php_does() -> None:
    assert decode(b"a=1&a=2&b[k]=1&b[k]=2") == {"a": "2", "b": {"k": "2"}}


def test_a_name_without_an_equals_sign_is_an_empty_text() -> None:
    assert decode(b"a&b=&&c=1") == {"a": "", "b": "", "c": "1"}


def test_a_broken_percent_sign_stays_as_it_is() -> None:
    assert decode(b"a=100%&b=%zz") == {"a": "100%", "b": "%zz"}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"a=1&a[b]=2", "field 2"),
        (b"a[b]=2&a=1", "field 2"),
        (b"a[b][c]=2&a[b]=1", "field 2"),
        (b"a[b=1", "field 1"),
        (b"a]b=1", "field 1"),
        (b"a[b]c=1", "field 1"),
        (b"a[b[c]]=1", "field 1"),
        (b"=1", "field 1"),
        (b"[a]=1", "field 1"),
        (b"ok=1&a=%FF%FE", "field 2"),
        (b"a=%00", "field 1"),
        (b"a" + b"[x]" * 13 + b"=1", "field 1"),
    ],
)
def test_what_no_honest_sender_writes_is_refused_with_its_place(body: bytes, place: str) -> None:
    with pytest.raises(BadForm) as refused:
        decode(body)
    assert refused.value.place == place


def test_a_form_over_a_limit_is_refused_before_it_is_taken_apart() -> None:
    limits = Limits(max_bytes=100, max_fields=3, max_value=10, max_name=5)
    assert decode(b"a=1&b=2&c=3", limits=limits) == {"a": "1", "b": "2", "c": "3"}
    for body in (b"a" * 101, b"a&b&c&d", b"a=" + b"1" * 11, b"abcdef=1"):
        with pytest.raises(BadForm):
            decode(body, limits=limits)


def test_a_refusal_never_quotes_what_was_sent() -> None:
    with pytest.raises(BadForm) as refused:
        decode(b"secret[token=hunter2&secret=hunter2")
    assert "hunter2" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_query_is_read_like_a_body() -> None:
    assert decode_query("?DOMAIN=okna.bitrix24.ru&LANG=ru") == {"DOMAIN": "okna.bitrix24.ru", "LANG": "ru"}
    assert decode_query(b"a[b]=1") == {"a": {"b": "1"}}
    with pytest.raises(BadForm):
        decode_query("a=\ud800")


def test_a_list_is_read_from_a_numbered_map_a_single_text_or_nothing() -> None:
    assert as_list({"0": "a", "2": "b"}) == ["a", "b"]
    assert as_list("a") == ["a"]
    assert as_list("") == []
    assert as_list(None) == []
    with pytest.raises(BadForm):
        as_list({"x": "a"})


def test_lists_are_written_with_numbers_and_empty_ones_as_an_empty_text() -> None:
    assert encode({"a": ["x", "y"], "b": [], "c": {}}) == "a[0]=x&a[1]=y&b=&c="


def test_signs_inside_keys_and_values_are_encoded_once() -> None:
    assert encode({"filter": {">=ID": 5}, "t": "a+b & 100%#"}) == "filter[%3E%3DID]=5&t=a%2Bb%20%26%20100%25%23"


@pytest.mark.parametrize("value", [True, False, None, date(2026, 5, 1), b"x", {1, 2}, float("nan"), object()])
def test_values_that_php_would_misread_are_not_written(value: Any) -> None:
    with pytest.raises(TypeError, match=r"fields\[X\]"):
        encode({"fields": {"X": value}})


@pytest.mark.parametrize("key", ["", "a]b", "a[b"])
def test_keys_that_would_change_the_shape_are_not_written(key: str) -> None:
    with pytest.raises(ValueError, match="bracket"):
        encode({"fields": {key: "x"}})


KEYS = st.text(st.characters(exclude_characters="[]\0", exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda key: not key.isdigit()
)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    TEXTS | st.integers(-(10**9), 10**9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def as_php_sees(value: Any) -> Any:
    """What arrives for a value: texts only, lists as numbered maps, empty containers as an empty text."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else ((str(i), item) for i, item in enumerate(value))
        return {key: as_php_sees(item) for key, item in pairs} or ""
    return str(value)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
@settings(max_examples=100, deadline=None)
def test_whatever_is_written_is_read_back(params: dict[str, Any]) -> None:
    generous = Limits(max_depth=50)
    expected: Form = {key: as_php_sees(value) for key, value in params.items()}
    assert decode(encode(params).encode(), limits=generous) == expected


@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(st.sampled_from([b"a", b"[", b"]", b"=", b"&", b"%5B", b"%", b"0", b"9" * 20, b"\xff", b"+"])).map(
            b"".join
        ),
    )
)
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused_and_nothing_else(body: bytes) -> None:
    try:
        form = decode(body)
    except BadForm:
        return
    assert all(isinstance(key, str) for key in form)
