from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.core.actions import Step
from b24app.core.properties import (
    BadProperty,
    from_file,
    from_portal,
    portal_text,
    properties_of,
    registration,
    results_text,
    sameness,
    written,
)
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role
from b24app.core.text import EMPTY, T
from b24app.core.worktime import Pause
from robots.autotask import ROBOT as AUTOTASK
from robots.autotask import Props as TaskProps

LABEL = T("Название", "Label")


@dataclass(frozen=True, slots=True)
class Props:
    title: T = prop(LABEL, same=True)
    fields: tuple[str, ...] = prop(LABEL, default=("a", "b"), same=True)
    count: int = prop(LABEL, default=3, help=T("Сколько", "How many"))
    day: date | None = prop(LABEL, default=None)
    flag: bool = prop(LABEL, default=True)
    choice: str = prop(LABEL, default="x", options={"x": T("Икс", "Ex"), "y": T("Игрек", "Why")})
    pause: Pause | None = prop(LABEL, default=None)
    who: Role = prop(LABEL, default=Role("responsible"))
    lines: tuple[T, ...] = prop(LABEL, default=())
    hidden: str = prop(LABEL, default="h", portal=False)
    done: tuple[Step, ...] = prop(LABEL, default=())


@dataclass(frozen=True, slots=True)
class Returns:
    ok: bool = prop(LABEL)
    day: date | None = prop(LABEL)


ROBOT = Robot("r", LABEL, LABEL, lambda call, props, facts: Outcome(LABEL), Props, returns=Returns)


def test_the_portal_is_told_types_defaults_and_choices() -> None:
    told = registration(Props)

    assert list(told) == ["title", "fields", "count", "day", "flag", "choice", "pause", "who", "lines"]
    assert told["title"] == {"Name": {"ru": "Название", "en": "Label"}, "Type": "text", "Required": "Y", "Multiple": "N"}
    assert told["fields"]["Default"] == ["a", "b"]
    assert (told["fields"]["Multiple"], told["lines"]["Multiple"]) == ("Y", "Y")
    assert (told["count"]["Type"], told["count"]["Default"], told["count"]["Description"]["en"]) == ("int", "3", "How many")
    assert (told["flag"]["Type"], told["flag"]["Default"]) == ("bool", "Y")
    assert (told["day"]["Type"], told["pause"]["Type"], told["who"]["Default"]) == ("date", "string", "responsible")
    assert (told["choice"]["Type"], told["choice"]["Options"]) == ("select", {"x": "Икс", "y": "Игрек"})


def test_results_are_registered_and_written_the_same_way() -> None:
    assert list(registration(Returns)) == ["ok", "day"]
    assert results_text(Returns(True, date(2026, 6, 1))) == {"ok": "Y", "day": "01.06.2026"}
    assert (registration(None), results_text(None)) == ({}, {})


def test_a_type_no_portal_knows_is_a_mistake_of_the_robot() -> None:
    @dataclass(frozen=True)
    class Odd:
        x: bytes = prop(LABEL)

    with pytest.raises(TypeError, match="no portal type"):
        properties_of(Odd)


def test_a_call_of_the_portal_is_read_whatever_the_case_of_its_names() -> None:
    sent = {
        "TITLE": " Текст ",
        "Fields": {"0": "x"}.get("0"),
        "count": "12",
        "day": "01.06.2026",
        "flag": "N",
        "choice": "y",
        "pause": "3 рабочих дня",
        "who": "user_5",
        "lines": ["один", "", "два"],
        "hidden": "not to be set from outside",
    }
    assert from_portal(ROBOT, sent) == Props(
        T.same("Текст"),
        ("x",),
        12,
        date(2026, 6, 1),
        False,
        "y",
        Pause(3, "w"),
        Role("user(5)"),
        (T.same("один"), T.same("два")),
    )


def test_what_the_portal_leaves_empty_keeps_its_default() -> None:
    assert from_portal(ROBOT, {"title": ["Текст"], "count": "", "fields": [""], "who": []}) == Props(T.same("Текст"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", "много"),
        ("flag", "может быть"),
        ("choice", "z"),
        ("day", "завтра"),
        ("pause", "вечность"),
        ("who", "кто-нибудь там"),
    ],
)
def test_a_value_nobody_can_read_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadProperty) as refused:
        from_portal(ROBOT, {"title": "Текст", name: value})
    assert refused.value.name == name
    assert refused.value.why.ru
    assert refused.value.why.en


def test_a_required_property_has_to_come() -> None:
    with pytest.raises(BadProperty, match="title"):
        from_portal(ROBOT, {"title": " "})


WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=10)
TEXTS = st.builds(T.same, WORDS)


@given(
    st.builds(
        Props,
        title=TEXTS,
        fields=st.lists(WORDS, min_size=1, max_size=3).map(tuple),
        count=st.integers(-5, 10**6),
        day=st.none() | st.dates(date(1990, 1, 1), date(2090, 1, 1)),
        flag=st.booleans(),
        choice=st.sampled_from(["x", "y"]),
        pause=st.none() | st.builds(Pause, st.integers(0, 999), st.sampled_from("mhdw")),
        who=st.sampled_from([Role("responsible"), Role("head_of(responsible)"), Role("user(7)"), Role("boss")]),
        lines=st.lists(TEXTS, max_size=3).map(tuple),
    )
)
@settings(max_examples=60, deadline=None)
def test_what_was_sent_is_what_is_read(props: Props) -> None:
    sent = {p.name: portal_text(getattr(props, p.name)) for p in properties_of(Props)}
    assert from_portal(ROBOT, sent) == props
    assert from_file(ROBOT, written(props)) == (props, [])


@given(
    st.dictionaries(
        st.sampled_from([p.name for p in properties_of(Props)]), st.text(max_size=10) | st.lists(st.text(max_size=5))
    )
)
@settings(max_examples=100, deadline=None)
def test_nothing_the_portal_sends_breaks_more_than_a_property(sent: dict[str, Any]) -> None:
    try:
        from_portal(ROBOT, sent)
    except BadProperty as problem:
        assert problem.name in {p.name for p in properties_of(Props)}


def test_a_step_of_a_file_is_read_with_its_nested_control() -> None:
    props, problems = from_file(
        AUTOTASK,
        {
            "title": {"ru": "Подписать", "en": "Sign"},
            "checklist": ["Оформить", {"ru": "Вручить", "en": "Hand over"}],
            "deadline": "1 working day",
            "important": True,
            "control": {"after": 24, "to": "head_of_sales", "title": {"ru": "Почему", "en": "Why"}},
            "done": ["check_again", {"record": {"text": "Готово"}}, {"notify": None}],
        },
    )
    assert problems == []
    assert props == TaskProps(
        title=T("Подписать", "Sign"),
        checklist=(T.same("Оформить"), T("Вручить", "Hand over")),
        deadline=Pause(1, "w"),
        important=True,
        control_after=Pause(24, "h"),
        control_to=Role("head_of_sales"),
        control_title=T("Почему", "Why"),
        done=(Step("check_again"), Step("record", {"text": "Готово"}), Step("notify")),
    )


def test_ten_mistakes_are_told_at_once() -> None:
    props, problems = from_file(
        AUTOTASK,
        {
            "titel": "опечатка",
            "to": "two people",
            "description": {"ru": "только по-русски"},
            "checklist": "не список",
            "deadline": "soon",
            "holds": "for ever",
            "important": "maybe",
            "control": {"after": None, "whom": "head"},
            "done": [{"a": {}, "b": {}}],
        },
    )
    assert props is None
    assert [problem.name for problem in problems] == [
        "titel", "to", "description", "checklist", "deadline", "holds", "important", "control_after",
        "control_whom", "done", "title",
    ]  # fmt: skip
    assert all(problem.why.ru and problem.why.en for problem in problems)


@pytest.mark.parametrize("text", [{"ru": "а", "en": "b", "de": "c"}, {"ru": " ", "en": "b"}, {}, ["а"], None])
def test_a_text_is_one_string_or_both_languages(text: Any) -> None:
    _, problems = from_file(AUTOTASK, {"title": text})
    assert [problem.name for problem in problems] == ["title"]


def test_a_day_of_a_file_may_be_a_date_of_its_own() -> None:
    assert from_file(ROBOT, {"title": "x", "day": date(2026, 6, 1)})[0] == Props(T.same("x"), day=date(2026, 6, 1))
    assert from_file(ROBOT, {"title": "x", "count": ["1"]})[1][0].name == "count"


def test_two_uses_of_a_robot_are_told_apart_by_what_makes_them_the_same() -> None:
    assert sameness(ROBOT, Props(T.same("А"))) != sameness(ROBOT, Props(T.same("Б")))
    assert sameness(ROBOT, Props(T.same("А"), count=1)) == sameness(ROBOT, Props(T.same("А"), count=2))


def test_values_are_written_as_robots_carry_them() -> None:
    values = (None, True, T("а", "b"), datetime(2026, 6, 1, 9), (1, EMPTY))  # noqa: DTZ001
    assert [portal_text(v) for v in values] == ["", "Y", "а", "01.06.2026 09:00:00", ["1", ""]]
