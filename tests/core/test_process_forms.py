"""Forms and the tables of corrections in process files: what they may say, and every mistake with its line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from b24app.core.actions import Step
from b24app.core.call import Call
from b24app.core.forms import Question, When
from b24app.core.needs import Facts
from b24app.core.process import ProcessDef, process_from_json, process_to_json
from b24app.core.process_file import ProcessProblems, read_process
from b24app.core.quality import Approval, Route
from b24app.core.robot import Catalogue, Outcome, Robot, prop
from b24app.core.roles import Role
from b24app.core.text import EMPTY, T
from b24app.core.worktime import Pause

L = T("Свойство", "Property")


@dataclass(frozen=True, slots=True)
class AskProps:
    form: str = prop(L)
    to: Role = prop(L, default=Role("responsible"))
    deadline: Pause | None = prop(L, default=None)


@dataclass(frozen=True, slots=True)
class NoteProps:
    text: T = prop(L)


def decide(call: Call, props: Any, facts: Facts) -> Outcome:
    return Outcome(EMPTY)


CATALOGUE: Catalogue = {
    "ask_summary": Robot("ask_summary", L, L, decide, AskProps),
    "note": Robot("note", L, L, decide, NoteProps),
}

DEALS = """\
process: sales
title: {ru: Продажи, en: Sales}
item: deal
pipeline: {default: true}
roles: {officer: user(5)}
quality:
  stages: [won, lost]
  ask: officer
  deadline: 2 working days
  form:
    title: {ru: Итоги, en: Summing up}
    about: {ru: Минута на итоги, en: A minute}
    questions:
      - {name: happy, ask: {ru: Доволен клиент, en: Happy client}, type: scale}
      - {name: in_time, ask: {ru: Сроки, en: Terms}, type: yes_no}
      - name: why
        ask: {ru: Почему, en: Why}
        help: {ru: Коротко, en: In short}
        type: text
        required: false
        when: {in_time: false, happy: [1, 2]}
    submitted:
      - note: {text: {ru: Заполнено, en: Done}}
  analysis:
    - {ru: Прослушать звонки, en: Listen to the calls}
stages:
  new: {name: {ru: Новая, en: New}}
  won: {name: {ru: Успех, en: Won}, semantics: success}
  lost: {name: {ru: Провал, en: Lost}, semantics: failure}
"""
CORRECTIONS = """\
process: corrections
title: {ru: Коррекции, en: Corrections}
item: smart
smart: {title: {ru: Анализ, en: Analysis}}
roles: {officer: user(5), sales: user(6)}
tables:
  violation_types:
    calls: {name: {ru: Звонки, en: Calls}, heads: [sales, head_of(responsible)]}
    papers: {name: {ru: Документы, en: Papers}, heads: [officer]}
  routes:
    - {kind: system, pipeline: Продажи ОПТ, group: {ru: ИТ, en: IT}, responsible: officer}
    - {group: {ru: Прочее, en: Other}, responsible: sales}
  kanban:
    - {ru: Ожидает, en: Waiting}
    - {ru: Приёмка, en: Acceptance}
approval: {quorum: 2, deadline: 3 working days}
points: 15
stages:
  analysis:
    name: {ru: Анализ, en: Analysis}
    form:
      name: analysis
      who: officer
      title: {ru: Анализ, en: Analysis}
      questions:
        - name: violations
          ask: {ru: Нарушения, en: Violations}
          type: rows
          from: 0
          to: 9
          questions:
            - {name: kind, ask: {ru: Вид, en: Kind}, type: choice, options: violation_types}
            - {name: link, ask: {ru: Ссылка, en: Link}, type: link, when: {kind: papers}}
  approval:
    name: {ru: Согласование, en: Approval}
    form:
      name: vote
      each: true
      title: {ru: Голос, en: Vote}
      questions:
        - {name: vote, ask: {ru: Ваш, en: My}, type: choice, options: {for: {ru: За, en: For}, against: {ru: Нет, en: No}}}
  done: {name: {ru: Готово, en: Done}, semantics: success}
figures: [officer, head_of(officer)]
"""


def read(text: str) -> ProcessDef:
    return read_process(text, "file.yaml", CATALOGUE)


def wrong(text: str) -> list[str]:
    """Return everything that is wrong, as ``line path: message`` in English."""
    with pytest.raises(ProcessProblems) as caught:
        read(text)
    return [f"{p.place.line} {p.place.path}: {p.message.en}" for p in caught.value.problems]


def changed(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


# What files may say -------------------------------------------------------------------------------------------------------


def test_the_ends_of_a_process_ask_for_a_summing_up() -> None:
    process = read(DEALS)

    quality = process.quality
    assert quality is not None
    assert (quality.stages, quality.ask, quality.form.name) == (("won", "lost"), "officer", "quality")
    assert quality.analysis == (T("Прослушать звонки", "Listen to the calls"),)
    assert quality.form.submitted == (Step("note", {"text": {"ru": "Заполнено", "en": "Done"}}),)
    assert quality.form.questions[2] == Question(
        "why",
        T("Почему", "Why"),
        "text",
        help=T("Коротко", "In short"),
        required=False,
        when=(When("in_time", ("no",)), When("happy", ("1", "2"))),
    )


def test_entering_an_end_runs_its_steps_and_asks() -> None:
    process = read(DEALS)
    won, new = process.stage("won"), process.stage("new")
    assert won is not None and new is not None

    asked = Step("ask_summary", {"form": "quality", "to": "officer", "deadline": "2 working days"})
    assert process.enter_steps(won) == (asked,)
    assert process.enter_steps(new) == ()


def test_forms_are_found_by_stage_and_by_name() -> None:
    deals, corrections = read(DEALS), read(CORRECTIONS)

    assert [form.name if (form := deals.form_on(key)) else None for key in ("new", "won", "lost")] == [
        None, "quality", "quality",
    ]  # fmt: skip
    assert deals.stages_of_form("quality") == ("won", "lost")
    assert list(corrections.forms) == ["analysis", "vote"]
    assert corrections.forms["vote"].each
    assert corrections.forms["analysis"].who == "officer"
    assert corrections.stages_of_form("vote") == ("approval",)


def test_the_tables_of_corrections_are_read() -> None:
    found = read(CORRECTIONS).corrections

    assert found is not None
    assert found.violation_types["calls"].heads == ("sales", "head_of(responsible)")
    assert found.approval == Approval("2", "3 working days", "1 working day")
    assert found.points == 15
    assert found.figures == ("officer", "head_of(officer)")
    assert found.kanban == (T("Ожидает", "Waiting"), T("Приёмка", "Acceptance"))


def test_a_change_goes_the_first_way_that_fits() -> None:
    found = read(CORRECTIONS).corrections
    assert found is not None

    it = Route(T("ИТ", "IT"), "officer", kind="system", pipeline="Продажи ОПТ")
    assert found.route("system", "Битрикс24", "«продажи опт»") == it
    assert found.route("system", "1С", "Розница") == Route(T("Прочее", "Other"), "sales")


def test_a_table_gives_the_answers_to_choose_from() -> None:
    rows = read(CORRECTIONS).forms["analysis"].questions[0]

    assert (rows.low, rows.high) == (0, 9)
    assert rows.questions[0].options == {"calls": T("Звонки", "Calls"), "papers": T("Документы", "Papers")}


@pytest.mark.parametrize("text", [DEALS, CORRECTIONS], ids=["deals", "corrections"])
def test_a_process_with_forms_is_read_back_as_it_was_written(text: str) -> None:
    process = read(text)
    assert process_from_json(process_to_json(process)) == process


def test_another_question_makes_another_version() -> None:
    assert read(DEALS).version != read(changed(DEALS, ("ru: Доволен клиент", "ru: Рад ли клиент"))).version


# Mistakes -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("stages: [won, lost]", "stages: [won, closed]", "7 quality.stages[1]: there is no stage “closed”"),
        ("ask: officer", "ask: oficer", "8 quality.ask_summary.to: the role “oficer” is not declared under roles"),
        ("2 working days", "soon", "9 quality.deadline: this is no length of time: write 2 working days, for example"),
        ("type: scale", "type: stars", "14 quality.form.questions[0].type: one of these is wanted"),
        ("type: scale", "type: scale, from: 5, to: 1", "14 quality.form.questions[0].from: “from” has to be less than “to”"),
        ("type: scale", "type: scale, to: 20", "14 quality.form.questions[0]: a scale has 11 marks at most"),
        ("type: scale", "type: scale, options: {a: {ru: а, en: a}}", "14 quality.form.questions[0]: only choice and severa"),
        ("type: scale", "type: choice", "14 quality.form.questions[0]: a question of choice needs its “options”"),
        ("type: scale", "type: rows", "14 quality.form.questions[0]: rows need their “questions”"),
        ("type: yes_no", "type: yes_no, from: 1", "15 quality.form.questions[1].from: a question of type yes_no has no “fr"),
        ("name: in_time", "name: happy", "15 quality.form.questions[1]: the form has a question “happy” already"),
        ("name: in_time", "name: В срок", "15 quality.form.questions[1].name: “В срок” does not fit"),
        ("{in_time: false,", "{intime: false,", "21 quality.form.questions[2].when.intime: there is no question “intime” a"),
        ("{in_time: false,", "{in_time: never,", "21 quality.form.questions[2].when.in_time: the question “in_time” has no"),
        ("happy: [1, 2]}", "happy: [0, 2]}", "21 quality.form.questions[2].when.happy: the question “happy” has no answer "),
        ("- note:", "- nota:", "23 quality.form.submitted[0]: there is no robot “nota” — did you mean “note”?"),
        ("won: {name", "won: {form: {name: end, title: {ru: К, en: E}, questions: []}, name", "7 quality.stages[0]: the st"),
        ("en: New}}", "en: New}, form: {title: {ru: К, en: E}, questions: []}}", "27 stages.new.form: the key “name” is mi"),
        ("en: New}}", "en: New}, form: {name: f, title: {ru: К, en: E}, questions: []}}", "27 stages.new.form.questions: t"),
    ],
)  # fmt: skip
def test_a_mistake_in_what_the_ends_ask_is_told_with_its_line(old: str, new: str, told: str) -> None:
    assert any(problem.startswith(told) for problem in wrong(changed(DEALS, (old, new)))), wrong(changed(DEALS, (old, new)))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("heads: [officer]", "heads: [nobody]", "9 tables.violation_types.papers.heads[0]: the role “nobody” is not declar"),
        ("responsible: sales", "responsible: user(x)", "12 tables.routes[1].responsible: the role cannot be read: “user(x)"),
        ("quorum: 2", "quorum: most", "16 approval.quorum: all, majority or a number of votes is wanted"),
        ("[officer, head", "[boss, head", "43 figures[0]: the role “boss” is not declared under roles"),
        ("points: 15", "points: many", "17 points: a whole number from 0 to 1000000 is wanted here"),
        ("options: violation_types", "options: violations", "32 stages.analysis.form.questions[0].questions[0].options: th"),
        ("when: {kind: papers}", "when: {violations: papers}", "33 stages.analysis.form.questions[0].questions[1].when.vio"),
        ("type: link,", "type: rows,", "33 stages.analysis.form.questions[0].questions[1]: there are no rows inside of row"),
        ("name: vote\n      each", "name: analysis\n      each", "37 stages.approval.form.name: the process has a form “an"),
        ("who: officer", "who: boss", "23 stages.analysis.form.who: the role “boss” is not declared under roles"),
    ],
)  # fmt: skip
def test_a_mistake_in_corrections_is_told_with_its_line(old: str, new: str, told: str) -> None:
    found = wrong(changed(CORRECTIONS, (old, new)))
    assert any(problem.startswith(told) for problem in found), found


def test_a_question_may_not_depend_on_one_without_ready_answers() -> None:
    depends = ("type: yes_no}", "type: text}")
    assert (
        "21 quality.form.questions[2].when.in_time: a question may depend only on one with ready answers: scale, yes_no, "
        "choice, several" in wrong(changed(DEALS, depends))
    )


def test_asking_needs_the_robot_that_asks() -> None:
    without = {code: robot for code, robot in CATALOGUE.items() if code != "ask_summary"}
    with pytest.raises(ProcessProblems) as caught:
        read_process(DEALS, "file.yaml", without)
    assert [p.message.en for p in caught.value.problems] == ["there is no robot “ask_summary”"]
