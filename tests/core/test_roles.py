from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.core.item import Department, People, User
from b24app.core.roles import Resolved, Role, holders, resolve
from b24app.core.text import T
from tests.builders import DIRECTOR, GONE, HEAD, INSTALLER, MANAGER, a_deal, a_house, people

DEAL = a_deal(fields={"installer": INSTALLER, "dismissed": GONE})


@pytest.mark.parametrize(
    ("role", "user"),
    [
        ("responsible", MANAGER),
        ("head_of(responsible)", HEAD),
        ("field(installer)", INSTALLER),
        ("user(5)", HEAD),
        ("user_5", HEAD),
        ("5", HEAD),
        ("manager", MANAGER),
        ("boss", HEAD),
    ],
)
def test_a_role_finds_whom_it_means(role: str, user: int) -> None:
    house = a_house(roles={"manager": "responsible", "boss": "head_of(manager)"})
    found = resolve(Role.parse(role), DEAL, people(), house)
    assert (found.user, found.how) == (user, None)


def test_a_dismissed_person_s_head_gets_it_and_the_reader_is_told() -> None:
    found = resolve(Role.parse("field(dismissed)"), DEAL, people(), a_house())
    assert found.user == HEAD
    assert found.how is not None
    assert "Пётр Главин" in found.how.ru


def test_a_named_person_who_has_left_is_told_by_name() -> None:
    found = resolve(Role.parse(f"user({GONE})"), DEAL, people(), a_house())
    assert found.user == HEAD
    assert found.how is not None
    assert found.how.ru == "Яков Уволенов больше не работает, поэтому назначен Пётр Главин"


def test_a_stand_in_comes_before_the_head() -> None:
    house = a_house(stand_ins={"field(dismissed)": INSTALLER})
    found = resolve(Role.parse("field(dismissed)"), DEAL, people(), house)
    assert found.user == INSTALLER
    assert found.how is not None
    assert "замещает" in found.how.ru


def test_an_open_role_is_whoever_the_settings_name() -> None:
    house = a_house(roles={"officer": "", "boss": "head_of(officer)"}, stand_ins={"officer": MANAGER})
    assert resolve(Role.parse("officer"), None, people(), house) == Resolved(MANAGER)
    assert resolve(Role.parse("boss"), None, people(), house) == Resolved(HEAD)


def test_an_open_role_without_anybody_says_so_by_its_title() -> None:
    house = a_house(roles={"officer": ""}, role_titles={"officer": T("Качество", "Quality")})
    found = resolve(Role.parse("officer"), DEAL, people(), house)
    assert found.user == DIRECTOR
    assert found.how is not None
    assert found.how.ru.startswith("на роль «Качество» никто не назначен в настройках")


def test_whoever_was_named_and_left_is_followed_by_his_head() -> None:
    house = a_house(roles={"officer": ""}, stand_ins={"officer": GONE})
    assert resolve(Role.parse("officer"), DEAL, people(), house).user == HEAD


def test_a_role_is_held_by_whom_it_means_and_by_its_stand_in_but_never_by_the_fallback() -> None:
    house = a_house(roles={"officer": "", "boss": "head_of(officer)"}, stand_ins={"officer": MANAGER, "boss": INSTALLER})
    assert holders(Role.parse("boss"), people(), house) == {HEAD, INSTALLER}
    assert holders(Role.parse("responsible"), people(), house) == frozenset()
    gone = a_house(roles={"officer": ""}, stand_ins={"officer": GONE})
    assert holders(Role.parse("officer"), people(), gone) == {HEAD}


def test_a_dismissed_stand_in_stands_in_for_nobody() -> None:
    house = a_house(stand_ins={"field(dismissed)": GONE})
    assert resolve(Role.parse("field(dismissed)"), DEAL, people(), house).user == HEAD


def test_an_empty_field_falls_back_to_the_administrator() -> None:
    assert resolve(Role.parse("field(nothing)"), DEAL, people(), a_house()).user == DIRECTOR
    assert resolve(Role.parse("field(nothing)"), DEAL, people(), a_house(fallback=GONE)).user is None
    assert resolve(Role.parse("responsible"), None, people(), a_house()).user == DIRECTOR


def test_roles_that_name_each_other_find_nobody_and_end() -> None:
    house = a_house(roles={"a": "b", "b": "a"}, fallback=None)
    assert resolve(Role.parse("a"), DEAL, people(), house).user is None


@pytest.mark.parametrize("text", ["", "head_of()", "head_of(head_of(responsible))", "user(x)", "a b", "field(", "{=A}"])
def test_what_is_no_role_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a role"):
        Role.parse(text)


def test_only_names_of_the_process_have_to_be_looked_up() -> None:
    assert Role.parse("boss").name == "boss"
    assert [Role.parse(r).name for r in ("responsible", "user(1)", "field(x)", "head_of(responsible)")] == [None] * 4


@given(
    active=st.dictionaries(st.integers(1, 6), st.booleans(), min_size=1),
    heads=st.dictionaries(st.integers(1, 4), st.integers(1, 6)),
    role=st.sampled_from(["responsible", "head_of(responsible)", "field(installer)", "user(3)", "named"]),
    stand_in=st.integers(1, 6),
    fallback=st.none() | st.integers(1, 6),
)
@settings(max_examples=150, deadline=None)
def test_a_dismissed_user_never_gets_anything(
    active: dict[int, bool], heads: dict[int, int], role: str, stand_in: int, fallback: int | None
) -> None:
    users = {n: User(n, f"Имя {n}", works, (n % 4 + 1,)) for n, works in active.items()}
    departments = {n: Department(n, f"Отдел {n}", n - 1 or None, heads.get(n)) for n in range(1, 5)}
    company = People(users, departments)
    house = a_house(roles={"named": "head_of(responsible)"}, stand_ins={role: stand_in}, fallback=fallback)
    found = resolve(Role.parse(role), a_deal(responsible_id=1, fields={"installer": 2}), company, house)
    assert found.user is None or company.active(found.user)
