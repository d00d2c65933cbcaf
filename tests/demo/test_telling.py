"""What the demonstration reads in pages and says of the journal."""

from __future__ import annotations

from typing import Any

import pytest

from demo.screens import forms_of
from demo.telling import actions_worth_telling, done_in_words, plain, worth_telling
from demo.words import Narrator

PAGE = """
<form action="/save#crew"><input name="url" value="http://x/"><input type="checkbox" name="crew" value="6" checked>
<input type="checkbox" name="crew" value="7">
<select name="zone"><option>Europe/Moscow</option><option selected>Asia/Omsk</option>
</select><select name="who"><option value="">nobody</option><option value="3">Maria</option></select>
<textarea name="fields">to={phone}
text={text}</textarea></form><pre class="secret">k123</pre><div data-ok="yes"></div>
"""


@pytest.fixture
def tell() -> Narrator:
    return Narrator("en", lambda _: None)


def a_run(*actions: dict[str, Any], robot: str = "autotask", why: str = "", ok: bool = True) -> dict[str, Any]:
    return {"robot": robot, "state": "decided", "ok": ok, "why": {"ru": why, "en": ""}, "actions": list(actions)}


def an_action(kind: str, **body: Any) -> dict[str, Any]:
    return {"kind": kind, "state": "done", "error": "", "body": body}


def test_a_form_is_read_with_what_is_chosen_and_written_in_it() -> None:
    page = forms_of(PAGE)
    (form,) = page.found
    assert form == (
        "/save",
        [
            ("url", "http://x/"),
            ("crew", "6"),
            ("zone", "Asia/Omsk"),
            ("who", ""),
            ("fields", "to={phone}\ntext={text}"),
        ],
    )
    assert (page.secret, page.marks) == ("k123", {"data-ok": "yes"})


def test_what_was_left_out_is_no_part_of_the_story() -> None:
    assert not worth_telling({**a_run(), "state": "skipped"})
    assert not worth_telling(a_run(robot="check_open_tasks"))
    assert worth_telling(a_run(robot="check_open_tasks", ok=False))


def test_an_action_the_reason_tells_already_is_not_told_twice() -> None:
    task, comment = an_action("add_task", title="Позвонить"), an_action("comment", text="Обучение")
    assert actions_worth_telling(a_run(task, comment, why="Задача «Позвонить» поставлена")) == [comment]


def test_a_failed_action_is_told_whatever_the_reason_says(tell: Narrator) -> None:
    failed = {**an_action("add_task", title="Позвонить"), "state": "failed", "error": "ACCESS_DENIED"}
    assert actions_worth_telling(a_run(failed, why="Задача «Позвонить» поставлена")) == [failed]
    hidden = {**an_action("mark_trained"), "state": "failed", "error": "ACCESS_DENIED"}
    assert done_in_words(tell, hidden, {}, {}) == "mark_trained: failed ACCESS_DENIED"


def test_a_task_is_told_with_its_person_deadline_and_lines(tell: Narrator) -> None:
    body = {"title": "Позвонить", "responsible": 3, "deadline": "2026-06-02T07:00:00+00:00", "checklist": ["a", "b"]}
    said = done_in_words(tell, an_action("add_task", **body), {3: "Мария"}, {})
    assert said == "task «Позвонить» — Мария, due 02.06 10:00, lines: 2"


def test_formatting_is_taken_out_of_comments() -> None:
    assert plain("[B]Обучение[/B]: [URL=https://x/]тут[/URL]\n[*]раз") == "Обучение : тут раз"


def test_an_expectation_that_is_not_met_is_kept_with_what_was_seen() -> None:
    lines: list[str] = []
    tell = Narrator("ru", lines.append)
    tell.expect("да", "yes", seen=True)
    tell.expect("задача есть", "there is a task", seen=False, instead=["другая"])
    assert (tell.met, tell.missed) == (1, ["задача есть"])
    assert "НЕ СБЫЛОСЬ: задача есть; увидели: ['другая']" in lines[-1]


def test_a_card_points_and_news_are_told(tell: Narrator) -> None:
    made = an_action("add_item", entity_type_id=1030, fields={"title": "Анализ"})
    assert done_in_words(tell, made, {}, {}) == "a card is made «Анализ»"
    assert done_in_words(tell, an_action("add_item", entity_type_id=2, fields={}), {}, {}) == "a deal is made"
    assert done_in_words(tell, an_action("award_points", user=3, points=10), {3: "Мария"}, {}) == "bonus points — Мария: 10"
    assert done_in_words(tell, an_action("add_news", title="Изменения"), {}, {}) == "news: Изменения"
