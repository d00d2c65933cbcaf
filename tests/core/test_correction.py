from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from b24app.core.correction import Given, Office, Record, correction_of, days_overdue, groups_of, times_of
from b24app.core.figures import Entry, Person, Source, Spent, UnclearHistory, altogether
from b24app.core.forms import Answers, Submission
from b24app.core.item import ItemRef, People, User
from b24app.core.process_file import read_folder
from b24app.core.text import T
from b24app.core.worktime import WorkCalendar
from robots import CATALOGUE
from tests.builders import MOSCOW

PROCESS = next(
    found.process for found in read_folder(Path("processes"), CATALOGUE) if found.process.code == "analysis_and_corrections"
)
STAGES = {key.upper(): key for key in ("analysis", "measures", "approval", "changes", "finalisation", "done", "cancelled")}
OFFICE = WorkCalendar()
ITEM = ItemRef(1032, 5)


def at(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=MOSCOW)


def office() -> Office:
    stages = {code: stage for code, key in STAGES.items() if (stage := PROCESS.stage(key)) is not None}
    groups = groups_of(PROCESS)
    assert PROCESS.corrections is not None
    return Office(
        portal="romashka",
        url="https://romashka.bitrix24.test/",
        stages=stages,
        groups={code: groups[key] for code, key in STAGES.items() if key in groups},
        pipelines={"ceilings": T("Потолки", "Ceilings")},
        violations={code: kind.name for code, kind in PROCESS.corrections.violation_types.items()},
        people=People({3: User(3, "Мария"), 8: User(8, "Николай", active=False)}),
        calendar=OFFICE,
        lang="ru",
        now=at(30),
    )


def moves(*stages: str) -> tuple[Entry, ...]:
    return tuple(Entry(stage, at(number), number) for number, stage in enumerate(stages, 1))


def sent(form: str, turn: int = 1, **answers: object) -> Submission:
    return Submission(form, turn, 8, answers, at(2))


WHOLE = Record(
    ITEM,
    moves("ANALYSIS", "MEASURES", "APPROVAL", "CHANGES", "FINALISATION", "DONE"),
    title="Анализ сделки",
    responsible=8,
    fields={"employee": 3, "source_title": "Садовая, 5", "source_link": "https://x.test/1", "source_process": "ceilings"},
    forms=(
        sent("analysis", violations=[{"type": "terms"}, {"type": "documents"}, {"type": "terms"}, {"type": "forgotten"}]),
        sent("measures", outcome="partial", measures=[{"kind": "regulation", "text": "Сверять срок"}]),
        sent("approval", decision="reject"),
        sent("measures", 2, outcome="partial", measures=[{"kind": "regulation", "text": "Сверять срок"}]),
        sent("approval", 2, decision="approve"),
    ),
    points=10,
    effort=timedelta(hours=3),
)


def test_the_stages_of_the_process_fall_into_the_three_groups() -> None:
    assert groups_of(PROCESS) == {
        "analysis": "analysis",
        "measures": "analysis",
        "approval": "approval",
        "changes": "changes",
        "finalisation": "changes",
    }


def test_a_finished_correction_tells_everything_kept_of_it() -> None:
    made = correction_of(WHOLE, office(), times_of(WHOLE, office()))
    assert made.key == "romashka/T408_5"
    assert made.link == "https://romashka.bitrix24.test/crm/type/1032/details/5/"
    assert (made.started_at, made.finished_at, made.stage) == (at(1), at(6), "Коррекция завершена")
    assert made.source == Source("Потолки", "Садовая, 5", "https://x.test/1")
    assert (made.responsible, made.officer) == (Person(3, "Мария"), Person(8, "Николай"))
    assert made.violations == ("Нарушены сроки или нормативы", "Ошибки в документах", "forgotten")
    assert (made.grade, made.measures, made.rounds) == ("C", ("Сверять срок",), 2)
    assert (made.bonus, made.effort) == (Decimal(10), timedelta(hours=3))
    day = Spent(timedelta(days=1), timedelta(hours=9))
    assert made.times == {"analysis": day + day, "approval": day, "changes": Spent(timedelta(days=2), timedelta(hours=17))}


def test_a_card_that_comes_back_with_the_same_measures_begins_no_new_round_of_approval() -> None:
    measures, yes = sent("measures", outcome="partial"), sent("approval", decision="approve")
    again = sent("approval", 2, decision="approve")
    rounds = [
        correction_of(replace(WHOLE, forms=forms), office(), {}).rounds
        for forms in ((measures,), (measures, yes, again), (measures, yes, measures, again), (measures, measures, yes))
    ]
    assert rounds == [0, 1, 2, 1]


def test_measures_are_told_by_kind() -> None:
    rows = [{"kind": "order", "text": "Курс"}, {"kind": "order", "text": "Тренинг"}, {"kind": "system", "text": "Робот"}]
    forms = (sent("measures", outcome="improvable", measures=rows),)
    made = correction_of(replace(WHOLE, forms=forms), office(), {})
    assert made.kinds == {"order": 2, "system": 1}
    assert altogether([made, made]).kinds == {"regulation": 0, "system": 2, "order": 4}


def test_new_conditions_are_those_of_the_last_analysis_that_met_with_any() -> None:
    case = {"unforeseen": True, "unforeseen_case": "Оплата криптовалютой"}

    def told(*analyses: Answers) -> str:
        forms = tuple(sent("analysis", **answers) for answers in analyses)
        return correction_of(replace(WHOLE, forms=forms), office(), {}).unforeseen

    assert told(case) == "Оплата криптовалютой"
    assert told(case, {"unforeseen": False}) == ""
    assert told() == ""


def test_a_cancelled_correction_ends_without_a_grade() -> None:
    record = replace(WHOLE, moves=moves("ANALYSIS", "MEASURES", "CANCELLED"))
    made = correction_of(record, office(), times_of(record, office()))
    assert (made.cancelled, made.finished_at, made.grade) == (True, at(3), None)
    assert made.times["analysis"].calendar == timedelta(days=2)


def test_a_correction_opened_again_has_no_end() -> None:
    record = replace(WHOLE, moves=moves("ANALYSIS", "DONE", "MEASURES"))
    made = correction_of(record, office(), times_of(record, office()))
    assert (made.finished_at, made.stage) == (None, "Формулирование мер коррекции")
    assert made.times["analysis"].calendar == timedelta(days=1)  # the stage it stands on does not count yet
    assert made.stay is not None
    assert (made.stay.since, made.stay.group, made.stay.spent.calendar) == (at(3), "analysis", timedelta(days=27))
    assert correction_of(WHOLE, office(), times_of(WHOLE, office())).stay is None


def test_a_correction_of_which_nothing_but_its_history_is_known_is_a_row() -> None:
    made = correction_of(Record(ITEM, moves("ANALYSIS")), office(), {})
    assert (made.title, made.responsible.id, made.officer, made.grade) == ("Без названия", 0, None, None)


def test_a_stage_outside_of_the_process_is_said_to_be_one() -> None:
    assert correction_of(Record(ITEM, moves("ANALYSIS", "OWN")), office(), {}).stage == "Стадия вне процесса"


def test_two_stages_at_one_moment_are_unclear() -> None:
    with pytest.raises(UnclearHistory):
        times_of(replace(WHOLE, moves=(Entry("ANALYSIS", at(1)), Entry("DONE", at(1)))), office())


def test_nobody_named_is_the_officer_himself() -> None:
    fields: Answers = {**WHOLE.fields, "employee": None}
    assert correction_of(replace(WHOLE, fields=fields), office(), {}).responsible == Person(8, "Николай")


@pytest.mark.parametrize(
    ("tasks", "days"),
    [
        ((), 0),
        ((Given(1, True, at(12)),), 0),
        ((Given(1, True, at(8)),), 2),
        ((Given(1, False, at(8), at(8, 18)),), 0),
        ((Given(1, False, at(3), at(5)), Given(2, False, at(4), at(6))), 3),  # the 5th counts once
        ((Given(1, False, None, at(5)), Given(2, False, at(4), None)), 0),
    ],
    ids=["no tasks", "ahead", "open", "the same day", "days count once", "no deadline, no end"],
)
def test_days_behind_the_deadlines_count_once(tasks: tuple[Given, ...], days: int) -> None:
    assert days_overdue(tasks, at(10), OFFICE) == days
