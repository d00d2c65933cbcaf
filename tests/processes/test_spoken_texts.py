"""Every step of the ceiling process can be decided, and what it says has no holes, in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from b24app.core.actions import AddTask, Comment, Notify, SendSms, Step
from b24app.core.call import Call, Cause, FieldsChanged, Place, StagePoint, TaskFinished
from b24app.core.item import File
from b24app.core.needs import Ledger
from b24app.core.process import ProcessDef, StageDef
from b24app.core.process_file import read_folder
from b24app.core.properties import from_file
from b24app.core.robot import Outcome
from b24app.core.text import LANGS, Lang, T
from robots import CATALOGUE
from tests.builders import INSTALLER, a_call, a_deal, a_house, a_task, an_own_task, decided, facts

FOLDER = Path(__file__).parents[2] / "processes"
PROCESS: ProcessDef = next(f.process for f in read_folder(FOLDER, CATALOGUE) if f.process.item == "deal")
POINTS = tuple(StagePoint(s.key, f"C7:S{n}", s.name, s.semantics) for n, s in enumerate(PROCESS.stages))
FIELDS = {
    "contract_file": (File("31", "https://romashka.bitrix24.ru/31"),),
    "documents": (File("32", "https://romashka.bitrix24.ru/32"),),
    "prepayment_date": date(2026, 6, 15),
    "payment_note": "Перевод в понедельник",
    "install_date": date(2026, 6, 16),
    "install_time": "10:00",
    "installer": INSTALLER,
    "address": "Лесная, 5",
    "materials": "Каркас, плиты",
    "conditions": "4-й этаж, лифт",
}


CAUSES: dict[str, Cause] = {
    "record": TaskFinished("prepayment", 500),
    "check_again": FieldsChanged(("install_date",)),
}


def all_steps(steps: tuple[Step, ...]) -> list[Step]:
    found: list[Step] = []
    for step in steps:
        props, _ = from_file(CATALOGUE[step.robot], step.props)
        found += [step, *all_steps(getattr(props, "done", ()))]
    return found


def steps_of(stage: StageDef) -> tuple[Step, ...]:
    changes = stage.changes.then if stage.changes else ()
    return (*stage.checks, *stage.all_otherwise, *stage.enter, *changes, *stage.leave)


CASES = [(stage.key, step) for stage in PROCESS.stages for step in all_steps(steps_of(stage))]


def outcome_of(key: str, step: Step, lang: Lang) -> Outcome:
    here = next(point for point in POINTS if point.key == key)
    house = replace(a_house(), lang=lang, roles=PROCESS.roles, labels=PROCESS.labels)
    call: Call = replace(
        a_call(CAUSES.get(step.robot)),
        place=Place(here.id, POINTS, POINTS[0].id, 100),
        house=house,
        reasons=(T("дата прошла", "the date has passed"),),
    )
    props, problems = from_file(CATALOGUE[step.robot], step.props)
    assert problems == []
    ledger = Ledger(tasks=(an_own_task("install", purpose="install"),), returns={here.id: 1})
    if step.robot == "installer_task":
        ledger = Ledger()
    world = facts(a_deal(stage_id=here.id, fields=FIELDS), ledger=ledger, tasks={500: a_task("completed")})
    return decided(CATALOGUE[step.robot], call, world, props)


def said_by(outcome: Outcome) -> list[str]:
    texts: list[str] = []
    for action in outcome.actions:
        match action:
            case AddTask():
                texts += [action.title, action.description, *action.checklist]
            case Comment() | Notify() | SendSms():
                texts.append(action.text)
            case _:
                continue
    return texts


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("key", "step"), CASES, ids=lambda v: v.robot if isinstance(v, Step) else v)
def test_what_a_step_says_has_no_holes(key: str, step: Step, lang: Lang) -> None:
    outcome = outcome_of(key, step, lang)

    holes = [text for text in said_by(outcome) if re.search(r"\{\w+\}|—\.|: —", text)]
    assert outcome.why
    assert holes == []


@pytest.mark.parametrize("lang", LANGS)
def test_the_client_reads_when_where_and_who(lang: Lang) -> None:
    step = next(step for key, step in CASES if step.robot == "send_sms")
    (sms,) = said_by(outcome_of("installation_set", step, lang))[:1]

    assert "16.06.2026" in sms and "10:00" in sms and "Лесная, 5" in sms


def test_the_installer_gets_the_whole_order() -> None:
    step = next(step for key, step in CASES if step.robot == "installer_task")
    description = said_by(outcome_of("installation_set", step, "ru"))[1]

    for part in ("16.06.2026", "Лесная, 5", "4-й этаж", "Каркас", "/31", "/32", "Мария Менова"):
        assert part in description


def test_a_lesson_brings_links_with_titles_and_a_video() -> None:
    step = next(step for key, step in CASES if step.robot == "training_comment")
    (lesson,) = said_by(outcome_of("contract", step, "ru"))

    assert "[URL=https://helpdesk.bitrix24.ru/open/22804914/]Карточка CRM[/URL]" in lesson
    assert "▶ [URL=https://" in lesson
    assert "5. Отметьте все пункты чек-листа" in lesson
