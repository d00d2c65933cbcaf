"""YAML with lines, without surprises and without bombs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.core.process_yaml import MAX_CHARACTERS, read_yaml


def problems_of(text: str) -> list[tuple[int, str]]:
    return [(problem.place.line, problem.message.en) for problem in read_yaml(text, "f.yaml")[1]]


def test_values_are_what_they_look_like() -> None:
    root, problems = read_yaml(
        "at: 10:00\non: yes\ncount: 3\nzero: 007\nflag: true\nnone: ~\nday: 2026-12-31\ntext: '5'\n", "f"
    )

    assert problems == []
    assert root is not None
    assert root.plain() == {
        "at": "10:00",
        "on": "yes",
        "count": 3,
        "zero": "007",
        "flag": True,
        "none": None,
        "day": "2026-12-31",
        "text": "5",
    }


def test_every_value_knows_its_line() -> None:
    root, _ = read_yaml("a: 1\nb:\n  - x\n  - c: {d: 2}\n", "f")

    assert root is not None and root.mapping is not None
    listed = root.mapping["b"].sequence
    assert root.mapping["b"].line == 2
    assert listed is not None and listed[1].mapping is not None
    assert (listed[0].line, listed[1].mapping["c"].line) == (3, 4)


def test_a_key_written_twice_is_a_problem_at_the_second_one() -> None:
    assert problems_of("a: 1\nb: 2\na: 3\n") == [(3, "the key “a” is already there in line 1")]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: [1\nb: 2\n", 2, "this is not YAML"),
        ("a: b\x00c", 1, "this is not YAML"),
        ("", 1, "the file is empty"),
        ("# only a comment\n", 1, "the file is empty"),
        ("---\na: 1\n---\nb: 2\n", 3, "a file holds one document"),
        ("a: *nobody\n", 1, "the alias *nobody points to nothing"),
        ("a: &a [*a]\n", 1, "the alias *a points to nothing"),
        ("? [1, 2]\n: 3\n", 1, "a key has to be a plain word"),
        ("a: " + "[" * 5000, 1, "nested deeper than"),
        ("x" * (MAX_CHARACTERS + 1), 1, "longer than"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, line: int, said: str) -> None:
    (found,) = problems_of(text)

    assert found[0] == line
    assert said in found[1]


def test_aliases_may_repeat_a_part_but_not_explode() -> None:
    root, problems = read_yaml("a: &x [1, 2]\nb: *x\n", "f")
    assert problems == [] and root is not None and root.plain() == {"a": [1, 2], "b": [1, 2]}

    laughs = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    laughs += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "more than 20000 values" in problems_of("\n".join(laughs))[0][1]


def test_tags_create_no_objects() -> None:
    root, _ = read_yaml("a: !!python/object/apply:os.system ['echo']\n", "f")

    assert root is not None and root.plain() == {"a": ["echo"]}


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    root, problems = read_yaml(text, "f.yaml")

    assert root is not None or problems
    assert all(problem.place.line >= 1 for problem in problems)
