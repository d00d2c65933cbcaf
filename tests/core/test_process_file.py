"""Reading process files: what they may say, and every mistake with its line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from b24app.core.actions import Step
from b24app.core.call import Call
from b24app.core.needs import Facts
from b24app.core.process import Changes, PipelineDef, ProcessDef, SmartType
from b24app.core.process_file import ProcessProblems, read_folder, read_process, read_process_file
from b24app.core.robot import Catalogue, NoProps, Outcome, Robot, prop
from b24app.core.roles import Role
from b24app.core.text import EMPTY, T
from b24app.core.worktime import Pause

L = T("Свойство", "Property")


@dataclass(frozen=True, slots=True)
class TaskProps:
    title: T = prop(L)
    to: Role = prop(L, default=Role("responsible"))
    checklist: tuple[T, ...] = prop(L, default=())
    deadline: Pause | None = prop(L, default=None)
    name: str = prop(L, default="")
    holds: str = prop(L, default="return", options={"return": L, "ignore": L})
    control_after: Pause | None = prop(L, default=None)
    control_to: Role = prop(L, default=Role("head_of(responsible)"))
    control_title: T = prop(L, default=T("Почему не закрыта «{task}»", "Why is “{task}” open"))
    links: tuple[T, ...] = prop(L, default=())
    done: tuple[Step, ...] = prop(L, default=())


@dataclass(frozen=True, slots=True)
class DateProps:
    date_field: str = prop(L, default="install_date")
    user_field: str = prop(L, default="")
    at: str = prop(L, default="10:00")


@dataclass(frozen=True, slots=True)
class BackProps:
    to: str = prop(L, default="")


@dataclass(frozen=True, slots=True)
class RequireProps:
    fields: tuple[str, ...] = prop(L)


@dataclass(frozen=True, slots=True)
class NotifyProps:
    text: T = prop(L)
    to: Role = prop(L, default=Role("responsible"))


@dataclass(frozen=True, slots=True)
class WindUpProps:
    tasks: tuple[str, ...] = prop(L, default=())


@dataclass(frozen=True, slots=True)
class DealProps:
    pipeline: str = prop(L)
    wait: Pause = prop(L, default=Pause(2, "m"))


def nothing(call: Call, props: Any, facts: Facts) -> Outcome:
    return Outcome(EMPTY)


def a_robot(code: str, props: type[Any], **more: Any) -> Robot[Any]:
    return Robot(code, L, L, nothing, props, **more)


CATALOGUE: Catalogue = {
    robot.code: robot
    for robot in (
        a_robot("autotask", TaskProps),
        a_robot("check_date", DateProps, check=True),
        a_robot("require_fields", RequireProps, check=True),
        a_robot("return_deal", BackProps),
        a_robot("notify", NotifyProps),
        a_robot("wind_up", WindUpProps),
        a_robot("create_deal", DealProps, entity_types=frozenset({1})),
        a_robot("check_open_tasks", NoProps, check=True, internal=True),
    )
}

GOOD = """\
process: windows
title: {ru: Окна, en: Windows}
item: deal
pipeline: {name: {ru: Окна, en: Windows}}
roles: {manager: responsible, boss: head_of(manager), master: field(installer)}
fields:
  install_date: {type: date, label: {ru: Дата, en: Date}}
  install_time: {type: string, label: {ru: Время, en: Time}}
  installer: {type: employee, label: {ru: Мастер, en: Installer}, code: UF_CRM_MASTER}
  colour: {type: enumeration, label: {ru: Цвет, en: Colour}, options: {white: {ru: Белый, en: White}}}
booking: {date: install_date, time: install_time, person: installer, hours: 3}
payments: [{stage: new, to: "C7:WON", close: [call]}]
stages:
  new:
    name: {ru: Новая, en: New}
    aliases: [Свежая]
    requires: [contact, colour]
    checks: [check_date: {date_field: install_date}]
    otherwise:
      - notify: {text: {ru: "{reasons}", en: "{reasons}"}, to: boss}
    enter:
      - autotask:
          name: call
          title: {ru: "Позвонить: {title}", en: "Call: {title}"}
          to: manager
          checklist: ["{phone}", {ru: Спросить цвет, en: Ask the colour}]
          control: {after: 24h, to: boss}
          done:
            - notify: {text: {ru: Готово, en: Done}, to: master}
    changes:
      fields: [install_date]
      then: [return_deal]
    leave:
      - wind_up:
  "C7:WON":
    name: {ru: Успех, en: Won}
    semantics: success
"""


def good() -> ProcessDef:
    return read_process(GOOD, "windows.yaml", CATALOGUE)


def problems_of(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(ProcessProblems) as caught:
        read_process(text, "windows.yaml", CATALOGUE)
    return [(problem.place.line, problem.place.path, problem.message.en) for problem in caught.value.problems]


def only_problem(text: str) -> tuple[int, str, str]:
    (found,) = problems_of(text)
    return found


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, f"{old!r} stands {GOOD.count(old)} times in the example"
    return GOOD.replace(old, new)


# What is read -----------------------------------------------------------------------------------------------------------


def test_a_good_file_is_read_whole() -> None:
    process = good()
    new = process.stages[0]

    assert (process.code, process.item, process.pipeline) == ("windows", "deal", PipelineDef(name=T("Окна", "Windows")))
    assert new.checks == (
        Step("require_fields", {"fields": ["contact", "colour"]}),
        Step("check_date", {"date_field": "install_date"}),
    )
    assert new.enter[0].props["control"] == {"after": "24h", "to": "boss"}
    assert new.enter[0].props["checklist"] == ["{phone}", {"ru": "Спросить цвет", "en": "Ask the colour"}]
    assert new.changes == Changes(("install_date",), (Step("return_deal"),))
    assert new.leave == (Step("wind_up"),)
    assert process.fields["installer"].code == "UF_CRM_MASTER"
    assert process.fields["colour"].options == {"white": T("Белый", "White")}
    assert process.booking is not None and process.booking.hours == 3
    assert (process.payments[0].to, process.stages[1].key, process.stages[1].id) == ("C7:WON", "C7:WON", "C7:WON")


def test_a_role_has_a_title_and_one_without_a_meaning_is_open() -> None:
    boss, master = "boss: {is: head_of(manager), title: {ru: Босс, en: Boss}}", "master: {title: {ru: М, en: M}}"
    text = changed("boss: head_of(manager), master: field(installer)", f"{boss}, {master}")
    process = read_process(text.replace("{manager: responsible", "{manager: {is: responsible}"), "w", CATALOGUE)

    assert process.roles == {"manager": "responsible", "boss": "head_of(manager)", "master": ""}
    assert process.role_titles == {"boss": T("Босс", "Boss"), "master": T("М", "M")}


def test_comments_and_layout_do_not_change_the_version() -> None:
    assert (
        read_process("# a comment\n" + GOOD.replace("[Свежая]", "\n      - Свежая"), "w", CATALOGUE).version
        == good().version
    )
    assert read_process(changed("after: 24h", "after: 25h"), "w", CATALOGUE).version != good().version


def test_a_step_can_be_found_in_its_file() -> None:
    file = read_process_file(GOOD, "windows.yaml", CATALOGUE)

    assert str(file.place("stages.new.enter[0]")) == "windows.yaml:22 stages.new.enter[0]"
    assert file.place("stages.new.enter[0].autotask.title.ru").line == 22
    assert file.place("nowhere").line == 1


def test_a_smart_process_is_named_by_title_or_by_number() -> None:
    smart = changed("item: deal\npipeline: {name: {ru: Окна, en: Windows}}", "item: smart\nsmart: {entity_type_id: 1038}")

    process = read_process(smart, "w", CATALOGUE)

    assert process.smart == SmartType(entity_type_id=1038)
    assert process.pipeline == PipelineDef(default=True)


# What is refused ----------------------------------------------------------------------------------------------------------

TEN_MISTAKES = """\
process: windows
title: {ru: Окна, en: Windows}
item: deal
pipeline: {name: {ru: Окна}}
roles: {boss: head_of(chief)}
stages:
  new:
    name: {ru: Новая, en: New}
    entr: []
    requires: [kolour]
    enter:
      - autotsk: {title: {ru: а, en: a}}
      - autotask:
          title: {ru: Позвонить, en: Call}
          holds: forever
          checklist: []
          control: {after: 24h}
      - notify: {text: {ru: "Привет, {nobody}", en: Hello}}
      - return_deal: {to: nowhere}
  won: {name: {ru: Новая, en: Won}, semantics: success}
"""


def test_ten_mistakes_of_a_file_are_told_at_once_with_their_lines() -> None:
    assert problems_of(TEN_MISTAKES) == [
        (4, "pipeline.name", "no text in language: en"),
        (5, "roles.boss", "the role “chief” is not declared under roles"),
        (9, "stages.new.entr", "unknown key “entr” — did you mean “enter”?"),
        (10, "stages.new.requires.require_fields.fields", "the field “kolour” is not declared under fields"),
        (12, "stages.new.enter[0]", "there is no robot “autotsk” — did you mean “autotask”?"),
        (13, "stages.new.enter[1]", "the task has no checklist"),
        (15, "stages.new.enter[1].autotask.holds", "holds: one of these is wanted: return, ignore"),
        (17, "stages.new.enter[1].autotask.control_after", "the pause “control_after” has no addressee: write “control_to”"),
        (18, "stages.new.enter[2].notify.text", "unknown place {nobody} in the text"),
        (19, "stages.new.enter[3].return_deal.to", "there is no stage “nowhere”"),
        (20, "stages.won.name", "“Новая” is the stage “new” already"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("item: deal", "item: dael", "one of these is wanted: deal, lead, smart — did you mean “deal”?"),
        ("process: windows", "process: Окна", "does not fit: small Latin letters"),
        ("title: {ru: Окна, en: Windows}\nitem", "title: Окна\nitem", "the text is needed in both languages"),
        (
            "title: {ru: Окна, en: Windows}\nitem",
            "title: {ru: Окна, en: Windows, de: Fenster}\nitem",
            "unknown language “de”",
        ),
        ("title: {ru: Окна, en: Windows}\nitem", "item", "the key “title” is missing"),
        ("pipeline: {name: {ru: Окна, en: Windows}}\n", "", "deals need the section “pipeline”"),
        ("pipeline: {name: {ru: Окна, en: Windows}}", "pipeline: {id: 7, default: true}", "exactly one of these keys"),
        ("pipeline: {name: {ru: Окна, en: Windows}}", "pipeline: [7]", "“key: value” pairs are wanted here"),
        ("pipeline: {name", "smart: {entity_type_id: 1038}\npipeline: {name", "“smart” belongs to item: smart only"),
        ("boss: head_of(manager)", "boss: head_of(boss)", "the role “boss” is defined by itself"),
        ("boss: head_of(manager)", "boss: the head", "the role cannot be read: “the head”"),
        ("master: field(installer)", "master: field(install_date)", "has to be of type employee"),
        ("master: field(installer)", "master: user(0)", "user(0) is nobody: give the role a title"),
        ("master: field(installer)", "master: {}", "the key “title” is missing"),
        ("master: field(installer)", "master: {is: boss, named: x}", "unknown key “named”"),
        ("master: field(installer)", "master: {title: Мастер}", "the text is needed in both languages"),
        ("master: field(installer)", "master: {is: field(gone)}", "the field “gone” is not declared"),
        ("{type: date,", "{type: dete,", "did you mean “date”?"),
        (", options: {white: {ru: Белый, en: White}}", "", "an enumeration needs its “options”"),
        ("code: UF_CRM_MASTER", "code: master", "does not fit: a portal's field code"),
        (
            "install_time: {type: string,",
            "amount: {type: money, label: {ru: а, en: a}}\n  install_time: {type: string,",
            "every item",
        ),
        ("hours: 3", "hours: 30", "a whole number from 1 to 24 is wanted here"),
        ("person: installer, hours", "person: install_time, hours", "has to be of type employee"),
        ("close: [call]", "close: [cal]", "no step gives a task named “cal” — did you mean “call”?"),
        ('stage: new, to: "C7:WON"', 'stage: "C7:WON", to: new', "a payment moves an item forward only"),
        ("semantics: success", "semantics: failure", "there is no stage of success"),
        ("semantics: success", "semantics: success\n  late: {name: {ru: Поздно, en: Late}}", "the stage cannot be reached"),
        (
            "semantics: success",
            "semantics: success\n  two: {name: {ru: Два, en: Two}, semantics: success}",
            "one stage of success",
        ),
        (
            "semantics: success",
            'semantics: success\n  lost: {name: {ru: Х, en: X}, semantics: failure, id: "C7:WON"}',
            "the id “C7:WON”",
        ),
        ("aliases: [Свежая]", "aliases: [успех!]", "“Успех” is the stage “new” already"),
        ("checks: [check_date", "checks: [notify: {text: '1'}, check_date", "“notify” is no check, it belongs under enter"),
        ("checks: [check_date", "checks: [check_open_tasks, check_date", "is internal and not written in files"),
        ("{date_field: install_date}", "{date_field: install_time}", "has to be of type date / datetime"),
        (
            "{date_field: install_date}",
            "{date_field: install_date, user_field: master}",
            "the field “master” is not declared",
        ),
        ("{date_field: install_date}", "{date_field: install_date, at: noon}", "a time of day is wanted"),
        ("- wind_up:\n", "- wind_up: {tasks: [letter]}\n", "no step gives a task named “letter”"),
        ("- wind_up:\n", "- wind_up: all\n", "a step is written as “robot: {properties}”"),
        ("- wind_up:\n", "- create_deal: {pipeline: x}\n", "the robot “create_deal” is not for this kind of item"),
        ("then: [return_deal]", 'then: [return_deal: {to: "C7:WON"}]', "an item is returned to an earlier stage only"),
        ("then: [return_deal]", "then: []", "changes has no steps “then”"),
        ("fields: [install_date]\n", "fields: []\n", "changes has no “fields”"),
        ("fields: [install_date]\n", "fields: [instal_date]\n", "did you mean “install_date”?"),
        ("after: 24h", "after: soon", "cannot read “soon”"),
        ("after: 24h", "aftr: 24h", "the robot has no such property — did you mean “control_after”?"),
        ("to: manager\n", "to: manger\n", "the role “manger” is not declared under roles — did you mean “manager”?"),
        (
            "to: manager\n",
            "to: user(7)\n          links: ['javascript:alert(1)']\n",
            "a link of http:// or https:// is wanted",
        ),
        ("text: {ru: Готово, en: Done}", "text: Готово", "the text is needed in both languages"),
        ("text: {ru: Готово, en: Done}", "text: {ru: Готово, en: ''}", "no text in language: en"),
        ("text: {ru: Готово, en: Done}", "txt: {ru: Готово, en: Done}, text: '1'", "did you mean “text”?"),
        ("- notify: {text: {ru: Готово, en: Done}", "- notifi: {text: {ru: Готово, en: Done}", "there is no robot “notifi”"),
        ("en: Ask the colour", f"en: {'a' * 251}", "the text is longer than 250 characters (en)"),
        ("en: Ask the colour", "en: 'Ask {color}'", "unknown place {color} in the text — did you mean “colour”?"),
    ],
)
def test_a_mistake_is_told(old: str, new: str, said: str) -> None:
    assert said in only_problem(changed(old, new))[2]


def test_a_pause_of_the_robots_own_needs_an_addressee_too() -> None:
    @dataclass(frozen=True, slots=True)
    class Remind:
        before: Pause = prop(L, default=Pause(1, "d"))
        to: Role = prop(L, default=Role("responsible"))

    catalogue = {**CATALOGUE, "remind": a_robot("remind", Remind)}
    with pytest.raises(ProcessProblems, match="the pause “before” has no addressee: write “to”"):
        read_process(changed("- wind_up:\n", "- remind:\n"), "w", catalogue)
    assert read_process(changed("- wind_up:\n", "- remind: {to: boss}\n"), "w", catalogue)


def test_a_text_may_hold_the_places_the_robot_itself_fills() -> None:
    text = changed(
        "to: boss}\n          done", "to: boss, title: {ru: 'Где {task}?', en: 'Where is {task}?'}}\n          done"
    )

    assert read_process(text, "w", CATALOGUE)


def test_mistakes_deep_inside_steps_that_follow_are_told_with_their_line() -> None:
    text = changed(
        "- notify: {text: {ru: Готово, en: Done}, to: master}",
        "- autotask:\n"
        "                title: {ru: Ещё, en: More}\n"
        "                checklist: [{ru: Раз, en: One}]\n"
        "                done:\n"
        "                  - notify: {to: mastre}\n",
    )

    assert problems_of(text) == [
        (33, "stages.new.enter[0].autotask.done[0].autotask.done[0].notify.text", "text: a required property is missing"),
        (
            33,
            "stages.new.enter[0].autotask.done[0].autotask.done[0].notify.to",
            "the role “mastre” is not declared under roles — did you mean “master”?",
        ),
    ]


def test_leads_have_no_pipelines() -> None:
    assert only_problem(changed("item: deal", "item: lead"))[2] == "leads have no pipelines"


def test_a_problem_reads_in_both_languages() -> None:
    with pytest.raises(ProcessProblems, match=r"windows\.yaml:3 item: one of these is wanted") as caught:
        read_process(changed("item: deal", "item: dael"), "windows.yaml", CATALOGUE)

    assert caught.value.problems[0].message.ru == "нужно одно из: deal, lead, smart — может быть, «deal»?"


@pytest.mark.parametrize(
    "text", ["[]", "5", "stages: []", "stages: {}", "process: [1]\nfields: 7\nstages: {a: 1}\npayments: {}"]
)
def test_the_strangest_file_gives_problems_and_no_crash(text: str) -> None:
    assert problems_of(text)


# A folder -----------------------------------------------------------------------------------------------------------------

LEAD = """\
process: leads
title: {ru: Лиды, en: Leads}
item: lead
stages:
  CONVERTED:
    name: {ru: Качественный лид, en: Good lead}
    semantics: success
    enter: [create_deal: {pipeline: windows}]
"""


def test_a_folder_is_read_by_name_and_without_its_folders(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "a.yml").write_text("\ufeff" + LEAD, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a process", encoding="utf-8")
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "c.yaml").write_text("broken: [", encoding="utf-8")

    files = read_folder(tmp_path, CATALOGUE)

    assert [(file.file, file.process.code) for file in files] == [("a.yml", "leads"), ("b.yaml", "windows")]


def test_two_files_may_not_share_a_name_or_a_pipeline(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(GOOD, encoding="utf-8")

    with pytest.raises(ProcessProblems) as caught:
        read_folder(tmp_path, CATALOGUE)

    assert [str(problem) for problem in caught.value.problems] == [
        "b.yaml:1 process: the process “windows” is already described in a.yaml",
        "b.yaml:4 pipeline: this pipeline is already run by a.yaml",
    ]


def test_a_deal_is_created_only_in_a_process_that_exists(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(LEAD, encoding="utf-8")

    with pytest.raises(ProcessProblems, match=r"a\.yaml:8 .*there is no process “windows” of deals"):
        read_folder(tmp_path, CATALOGUE)


def test_the_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("broken: [", encoding="utf-8")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "c.yaml").write_text(changed("item: deal", "item: dael"), encoding="utf-8")

    with pytest.raises(ProcessProblems) as caught:
        read_folder(tmp_path, CATALOGUE)

    assert [problem.place.file for problem in caught.value.problems] == ["a.yaml", "b.yaml", "c.yaml"]


def test_a_missing_folder_is_a_problem_and_an_empty_one_is_not(tmp_path: Path) -> None:
    assert read_folder(tmp_path, CATALOGUE) == ()
    with pytest.raises(ProcessProblems, match="there is no such folder"):
        read_folder(tmp_path / "none", CATALOGUE)
