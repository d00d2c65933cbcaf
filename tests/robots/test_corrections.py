"""The robots of analysis and corrections, decision by decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from b24app.core.actions import (
    AddItem,
    AddNews,
    AddTask,
    AwardPoints,
    CloseTask,
    Comment,
    MoveStage,
    Notify,
    RenewTask,
    SetTimer,
    UpdateItem,
)
from b24app.core.call import Call, Cause, FieldsChanged, FormSubmitted, House
from b24app.core.changes import measures_of
from b24app.core.forms import FormDef, Question, Submission
from b24app.core.item import Item, ItemRef, Task
from b24app.core.needs import Entry, Facts, Ledger, Need, NeedItem, NeedProcess, NeedReaders, Neighbour, News
from b24app.core.quality import Approval, Board, Corrections, Quality, Route, ViolationType
from b24app.core.robot import Outcome, Robot
from b24app.core.text import T
from b24app.core.worktime import Pause
from robots import (
    ask_summary,
    check_analysed,
    check_approved,
    check_changes_done,
    check_measures,
    close_correction,
    count_votes,
    form_commission,
    form_submitted,
    form_task,
    form_wanted,
    give_changes,
    news_readers,
    open_correction,
    publish_news,
    receive_correction,
    record_outcome,
    remind_member,
    start_approval,
)
from tests.builders import (
    DEAL_12,
    DIRECTOR,
    GONE,
    HEAD,
    INSTALLER,
    MANAGER,
    NOW,
    a_call,
    a_deal,
    a_house,
    a_place,
    a_task,
    an_own_task,
    decided,
    facts,
    finished,
    lines,
    people,
    timer_due,
)

SOURCE = ItemRef(2, 77)
PROCESS = "analysis_and_corrections"
QUESTIONS = (Question("satisfaction", T("Доволен ли клиент?", "Is the client satisfied?"), "scale"),)
SUMMARY = FormDef("summary", T("Итоги", "Summing-up"), QUESTIONS)
FORMS = {
    "summary": SUMMARY,
    "analysis": FormDef("analysis", T("Анализ", "Analysis"), ()),
    "measures": FormDef("measures", T("Меры", "Measures"), ()),
    "approval": FormDef("approval", T("Решение", "Decision"), (), each=True),
}
RULES = Corrections(
    violation_types={"terms": ViolationType(T("Сроки", "Terms"), ("responsible", "user(9)"))},
    routes=(Route(T("IT", "IT"), "user(9)", kind="system"),),
    approval=Approval("all", "2 working days", "1 working day"),
)
HOUSE = a_house(forms=FORMS, corrections=RULES, quality=Quality(("won", "lost"), SUMMARY), boards={"IT": Board(4, (31, 32))})
ANALYSIS_RUNS: dict[Need[Any], Any] = {NeedProcess(PROCESS): Neighbour(PROCESS, T("Анализ", "Analysis"), 1030)}
REGULATION = {"kind": "regulation", "text": "Дополнить регламент"}
SYSTEM = {"kind": "system", "system": "bitrix24", "text": "Проверять дату"}
LEARN = {"kind": "order", "employee": INSTALLER, "text": "Курс"}


def call(cause: Cause | None = None, house: House = HOUSE, **place: Any) -> Call:
    return a_call(cause, house=house, place=a_place(**place))


def a_correction(**fields: Any) -> Item:
    known = {"source": "D_77", "source_title": "Потолки", "source_process": "ceilings", "employee": MANAGER}
    return a_deal(title="Анализ: Потолки", responsible_id=HEAD, fields={**known, **fields})


def sent(form: str, by: int = MANAGER, turn: int = 1, **answers: Any) -> Submission:
    return Submission(form, turn, by, answers, NOW, "Мария")


def measured(*rows: dict[str, Any], outcome: str = "partial") -> Submission:
    return sent("measures", outcome=outcome, measures=list(rows or (SYSTEM,)))


def voted(by: int, decision: str = "approve", comment: str = "") -> Submission:
    return sent("approval", by, decision=decision, comment=comment)


def submitted(form: str = "summary", by: int = MANAGER, turn: int = 1, **answers: Any) -> FormSubmitted:
    return FormSubmitted(form, answers, by, turn, "Мария")


VIOLATED = sent("analysis", violations=[{"type": "terms", "fact": "На день позже"}])
TWICE = (Entry(1, "C7:EXECUTING", NOW), Entry(2, "C7:EXECUTING", NOW))
SEATED = a_correction(commission=(str(HEAD), str(INSTALLER)))
CHANGED = FieldsChanged(("commission",))


def of(kind: type, outcome: Outcome) -> list[Any]:
    return [action for action in outcome.actions if isinstance(action, kind)]


def ask(robot: Robot[Any], what: Call, world: Facts, **props: Any) -> Outcome:
    return decided(robot, what, world, robot.props(**props))


# Asking -------------------------------------------------------------------------------------------------------------


def test_a_summing_up_is_asked_for_with_a_way_to_the_form() -> None:
    outcome = ask(ask_summary.ROBOT, call(key="won"), facts(), form="summary")
    (task,), (timer,) = of(AddTask, outcome), of(SetTimer, outcome)
    assert (task.name, task.responsible, task.holds) == ("summary", MANAGER, "ignore")
    assert "«Итоги» во вкладке «Качество»" in task.description
    assert (timer.task, timer.step.robot) == ("summary", "control_task")


def test_a_summing_up_is_asked_for_once_for_each_end() -> None:
    entered = tuple(Entry(n, stage, NOW) for n, stage in enumerate(("C7:WON", "C7:NEW", "C7:LOSE")))
    asked = Ledger(tasks=(an_own_task("summary"),))
    assert ask(ask_summary.ROBOT, call(key="won"), facts(ledger=asked), form="summary").actions == ()
    first = facts(forms=(sent("summary"),), ledger=Ledger(entries=entered[:1]))
    assert ask(ask_summary.ROBOT, call(key="won"), first, form="summary").actions == ()
    second = facts(forms=(sent("summary"),), ledger=Ledger(entries=entered))
    assert of(AddTask, ask(ask_summary.ROBOT, call(key="lost"), second, form="summary"))


def test_a_process_without_the_form_asks_nothing() -> None:
    assert ask(ask_summary.ROBOT, call(house=a_house()), facts(), form="summary").actions == ()


def test_the_task_of_a_form_takes_the_checklist_of_the_process_the_item_came_from() -> None:
    lines_there = (T("Прослушать звонки", "Listen to the calls"),)
    quality = Quality(("won",), SUMMARY, analysis=lines_there)
    neighbour = Neighbour("ceilings", T("Потолки", "Ceilings"), 2, quality)
    world = facts(a_correction(), more={NeedProcess("ceilings"): neighbour})
    (task,) = of(AddTask, ask(form_task.ROBOT, call(), world, form="analysis", of_source=True))
    assert (task.checklist, task.full_checklist) == (("Прослушать звонки",), True)


def test_a_source_without_a_process_of_its_own_brings_no_checklist() -> None:
    world = facts(a_correction(), more={NeedProcess("ceilings"): None})
    (task,) = of(AddTask, ask(form_task.ROBOT, call(), world, form="analysis", of_source=True))
    assert task.checklist == ()


def test_measures_stand_when_the_application_moved_the_item_back_unless_they_were_rejected() -> None:
    item = a_correction(commission=(str(HEAD),))
    stands = facts(
        item, forms=(measured(),), ledger=Ledger(entries=(Entry(1, "C7:EXECUTING", NOW), Entry(2, "C7:EXECUTING", NOW)))
    )
    assert ask(form_task.ROBOT, call(returned=True), stands, form="measures").actions == ()
    rejected = facts(
        item, forms=(measured(), voted(HEAD, "reject")), ledger=Ledger(entries=(Entry(1, "C7:EXECUTING", NOW),) * 2)
    )
    assert of(AddTask, ask(form_task.ROBOT, call(returned=True), rejected, form="measures"))


def test_an_outcome_at_odds_with_the_violations_found_is_written_anew() -> None:
    wrong = facts(a_correction(), forms=(VIOLATED, measured(outcome="correct")), ledger=Ledger(entries=TWICE))
    assert of(AddTask, ask(form_task.ROBOT, call(returned=True), wrong, form="measures"))
    right = facts(a_correction(), forms=(measured(outcome="correct"),), ledger=Ledger(entries=TWICE))
    assert ask(form_task.ROBOT, call(returned=True), right, form="measures").actions == ()


def test_a_task_closed_without_its_form_is_renewed() -> None:
    ledger = Ledger(tasks=(an_own_task("summary"),))
    done = call(finished("summary"))
    (renewed,) = of(RenewTask, ask(form_wanted.ROBOT, done, facts(ledger=ledger), form="summary"))
    assert renewed.task_id == 500
    filled = facts(ledger=ledger, forms=(sent("summary"),))
    assert ask(form_wanted.ROBOT, done, filled, form="summary").actions == ()
    before = replace(sent("summary"), at=NOW - timedelta(days=9))
    assert of(RenewTask, ask(form_wanted.ROBOT, done, facts(ledger=ledger, forms=(before,)), form="summary"))


def test_the_vote_of_another_does_not_settle_ones_own_task() -> None:
    ledger = Ledger(tasks=(an_own_task("approval:7"),))
    world = facts(ledger=ledger, forms=(voted(HEAD),))
    assert of(RenewTask, ask(form_wanted.ROBOT, call(finished("approval:7")), world, form="approval"))


@pytest.mark.parametrize(("done", "closed"), [((True, True), 1), ((True, False), 0)])
def test_a_form_closes_its_task_when_the_checklist_is_ticked(done: tuple[bool, ...], closed: int) -> None:
    ledger = Ledger(tasks=(an_own_task("analysis", full_checklist=True),))
    world = facts(ledger=ledger, tasks={500: a_task()}, checklist=lines(*done))
    outcome = decided(form_submitted.ROBOT, call(submitted("analysis")), world)
    assert len(of(CloseTask, outcome)) == closed


# From the source to the correction ----------------------------------------------------------------------------------


def test_answers_become_an_item_that_names_its_source() -> None:
    world = facts(forms=(sent("summary"),), more=ANALYSIS_RUNS)
    outcome = ask(open_correction.ROBOT, call(submitted(satisfaction=4), key="won"), world)
    (item,) = of(AddItem, outcome)
    assert (item.entity_type_id, item.about) == (1030, DEAL_12)
    assert item.fields["source"] == "D_12"
    assert (item.fields["parentId2"], item.fields["pipeline"], item.fields["employee"]) == (12, PROCESS, MANAGER)
    assert "Доволен ли клиент? 4 / 5" in str(item.fields["summary"])
    assert item.fields["assignedById"] == DIRECTOR  # nobody has the role, so the fallback does it


def test_the_officer_is_who_stands_in_for_the_role() -> None:
    world = facts(more=ANALYSIS_RUNS)
    house = replace(HOUSE, stand_ins={"quality_officer": INSTALLER})
    (item,) = of(AddItem, ask(open_correction.ROBOT, call(submitted(), house), world))
    assert item.fields["assignedById"] == INSTALLER


def test_no_correction_is_opened_without_its_process_or_for_second_answers() -> None:
    outcome = ask(open_correction.ROBOT, call(submitted()), facts())
    assert (of(AddItem, outcome), outcome.ok) == ([], False)
    late = facts(forms=(sent("summary", HEAD), sent("summary")), more=ANALYSIS_RUNS)
    assert ask(open_correction.ROBOT, call(submitted()), late).actions == ()


def received(world: Facts) -> Outcome:
    return decided(receive_correction.ROBOT, call(), world)


def test_a_correction_and_its_source_refer_to_each_other_once() -> None:
    there: dict[Need[Any], Any] = {
        NeedItem(SOURCE): a_deal(ref=SOURCE),
        NeedProcess("ceilings"): Neighbour("ceilings", T("Потолки", "C"), 2),
    }
    outcome = received(facts(a_correction(), more=there))
    assert [comment.item for comment in of(Comment, outcome)] == [DEAL_12, SOURCE]
    assert of(UpdateItem, outcome)[0].fields == {"source_pipeline": "Потолки"}
    again = Ledger(entries=(Entry(1, "C7:EXECUTING", NOW), Entry(2, "C7:EXECUTING", NOW)))
    assert received(facts(a_correction(), more=there, ledger=again)).actions == ()


def test_a_deleted_source_is_told_and_not_written_to() -> None:
    outcome = received(facts(a_correction(), more={NeedItem(SOURCE): None, NeedProcess("ceilings"): None}))
    assert [comment.item for comment in of(Comment, outcome)] == [DEAL_12]
    assert "удалён" in outcome.why.ru


def test_a_correction_opened_by_hand_has_no_source() -> None:
    assert received(facts(a_correction(source=None, source_process=None))).actions == ()


# Commission and outcome ---------------------------------------------------------------------------------------------


def test_the_commission_leaves_out_whose_work_is_judged() -> None:
    analysis = sent("analysis", violations=[{"type": "terms", "fact": "Поздно"}])
    item = a_correction(employee=HEAD)  # the card is his, too
    outcome = ask(form_commission.ROBOT, call(submitted("analysis")), facts(item, forms=(analysis,)), always=())
    assert of(UpdateItem, outcome)[0].fields == {"commission": [str(DIRECTOR), str(INSTALLER)], "violations": "Сроки"}
    assert [notice.user for notice in of(Notify, outcome)] == [DIRECTOR, INSTALLER]


def test_no_commission_is_formed_of_nothing() -> None:
    assert not ask(form_commission.ROBOT, call(), facts(a_correction())).ok
    clean = facts(a_correction(), forms=(sent("analysis"),))
    assert not ask(form_commission.ROBOT, call(), clean, always=()).ok
    assert not ask(form_commission.ROBOT, call(house=a_house()), clean).ok


def test_correct_work_is_awarded_and_told() -> None:
    outcome = decided(record_outcome.ROBOT, call(), facts(a_correction(), forms=(measured(outcome="correct"),)))
    assert [(award.user, award.points) for award in of(AwardPoints, outcome)] == [(MANAGER, 10)]
    assert [notice.user for notice in of(Notify, outcome)] == [MANAGER]


def test_no_points_are_awarded_for_work_in_which_violations_were_found() -> None:
    world = facts(a_correction(points=10), forms=(VIOLATED, sent("measures", outcome="correct")))
    outcome = ask(record_outcome.ROBOT, call(), world)
    assert [(award.user, award.points) for award in of(AwardPoints, outcome)] == [(MANAGER, 0)]
    assert of(Notify, outcome) == []
    assert "не сходится с записанными нарушениями" in outcome.why.ru


def test_a_dismissed_employees_points_are_kept_without_a_notice() -> None:
    outcome = decided(record_outcome.ROBOT, call(), facts(a_correction(employee=GONE), forms=(measured(outcome="correct"),)))
    assert [award.user for award in of(AwardPoints, outcome)] == [GONE]
    assert of(Notify, outcome) == []


@pytest.mark.parametrize(("had", "awards"), [(None, []), (10, [0])])
def test_points_are_taken_back_with_the_outcome(had: int | None, awards: list[int]) -> None:
    outcome = decided(record_outcome.ROBOT, call(), facts(a_correction(points=had), forms=(measured(),)))
    assert [award.points for award in of(AwardPoints, outcome)] == awards


# Approval -----------------------------------------------------------------------------------------------------------


def approval(item: Item | None = None, *forms: Submission, ledger: Ledger | None = None, **world: Any) -> Outcome:
    there = item or a_correction(commission=(str(HEAD), str(INSTALLER)))
    return ask(start_approval.ROBOT, call(), facts(there, forms=forms or (measured(),), ledger=ledger, **world))


def test_every_member_is_asked_and_watched() -> None:
    outcome = approval()
    assert [(task.name, task.responsible) for task in of(AddTask, outcome)] == [
        ("approval:5", HEAD),
        ("approval:9", INSTALLER),
    ]
    assert [timer.name for timer in of(SetTimer, outcome)][:2] == ["remind:approval:5", "head:approval:5"]
    assert "1. Проверять дату" in of(AddTask, outcome)[0].description


def test_members_are_asked_once() -> None:
    asked = Ledger(tasks=(an_own_task("approval:5", responsible=HEAD),))
    assert [task.name for task in of(AddTask, approval(None, ledger=asked))] == ["approval:9"]
    assert [task.name for task in of(AddTask, approval(None, measured(), voted(HEAD)))] == ["approval:9"]
    assert of(AddTask, approval(None, measured(), voted(HEAD), voted(INSTALLER))) == []
    assert of(AddTask, approval(None, measured(outcome="correct"))) == []


def test_a_member_who_has_left_is_replaced() -> None:
    outcome = approval(a_correction(commission=(str(GONE),)))
    assert [(task.name, task.responsible) for task in of(AddTask, outcome)] == [("approval:11", HEAD)]
    assert "Яков Уволенов" in outcome.why.ru


def test_whoever_is_put_onto_the_commission_is_asked_and_whoever_leaves_it_no_longer() -> None:
    left = (an_own_task("approval:7", responsible=MANAGER, task_id=501), an_own_task("approval:7:head", task_id=502))
    ledger = Ledger(tasks=(*left, an_own_task("approval:5", responsible=HEAD)))
    outcome = ask(start_approval.ROBOT, call(CHANGED), facts(SEATED, forms=(measured(),), ledger=ledger))
    assert [task.name for task in of(AddTask, outcome)] == ["approval:9"]
    assert [closed.task_id for closed in of(CloseTask, outcome)] == [501, 502]
    assert "Мария Менова" in of(Comment, outcome)[0].text


def test_a_commission_that_stays_the_same_is_left_in_peace() -> None:
    ledger = Ledger(tasks=(an_own_task("approval:5", responsible=HEAD), an_own_task("approval:9", responsible=INSTALLER)))
    assert ask(start_approval.ROBOT, call(CHANGED), facts(SEATED, forms=(measured(),), ledger=ledger)).actions == ()


def test_where_nobody_sits_one_is_named() -> None:
    outcome = approval(a_correction())
    assert of(UpdateItem, outcome)[0].fields == {"commission": [str(DIRECTOR)]}
    assert [task.responsible for task in of(AddTask, outcome)] == [DIRECTOR]


def counted(
    *votes: Submission,
    cause: Cause | None = None,
    members: tuple[int, ...] = (HEAD, INSTALLER),
    ledger: Ledger | None = None,
) -> Outcome:
    """Count votes after the last of them, unless told what for."""
    asked = ledger or Ledger(tasks=(an_own_task("approval:9", responsible=INSTALLER, task_id=501),))
    item = a_correction(commission=tuple(str(member) for member in members))
    world = facts(replace(item, stage_id="C7:FINAL"), forms=(measured(), *votes), ledger=asked)
    why = cause or submitted("approval", votes[-1].by)
    return ask(count_votes.ROBOT, call(why, key="assigned"), world, back="materials")


def test_an_open_vote_only_tells_how_it_stands() -> None:
    outcome = counted(voted(HEAD))
    assert {action.kind for action in outcome.actions} == {"comment"}
    assert "Иван Мастеров" in outcome.why.ru


def test_approved_measures_go_on_with_the_officer() -> None:
    outcome = counted(voted(HEAD), voted(INSTALLER))
    (task,) = of(AddTask, outcome)
    assert (task.name, task.responsible, task.checklist) == ("approved", HEAD, ("Проверять дату",))
    assert of(MoveStage, outcome) == []


def test_rejected_measures_go_back_with_the_comments_and_the_votes_left_are_dropped() -> None:
    outcome = counted(voted(HEAD, "reject", "Мало [B]мер[/B]"))
    (move,) = of(MoveStage, outcome)
    assert (move.to, move.leaving) == ("C7:PREPARATION", "C7:FINAL")
    assert [closed.task_id for closed in of(CloseTask, outcome)] == [501]
    assert "Мало &#91;B&#93;мер" in of(Comment, outcome)[0].text


def test_of_votes_sent_at_once_one_decides_and_the_later_ones_are_written_down() -> None:
    all_three = (voted(HEAD), voted(INSTALLER, "reject", "Мало"), voted(DIRECTOR, "reject", "Поздно"))
    members = (HEAD, INSTALLER, DIRECTOR)
    first, second, third = (counted(*all_three, cause=submitted("approval", vote.by), members=members) for vote in all_three)
    assert [of(MoveStage, outcome) != [] for outcome in (first, second, third)] == [False, True, False]
    assert "Ещё не ответили" in first.why.ru
    assert [action.kind for action in third.actions] == ["comment"]
    assert "Ольга Дирова: против — Поздно" in of(Comment, third)[0].text


def test_the_commission_decides_when_the_one_it_waited_for_is_taken_off() -> None:
    outcome = counted(voted(HEAD), cause=CHANGED, members=(HEAD,))
    assert [task.name for task in of(AddTask, outcome)] == ["approved"]
    assert counted(voted(HEAD), cause=CHANGED).actions == ()
    done = Ledger(tasks=(an_own_task("approved", open=False, opened_at=NOW),))
    assert counted(voted(HEAD), cause=CHANGED, members=(HEAD,), ledger=done).actions == ()


def reminded(turn: str, *votes: Submission, ledger: Ledger | None = None) -> Outcome:
    asked = ledger or Ledger(tasks=(an_own_task("approval:9", responsible=INSTALLER),))
    item = a_correction(commission=(str(HEAD), str(INSTALLER)))
    world = facts(item, forms=(measured(), *votes), ledger=asked)
    return ask(remind_member.ROBOT, call(timer_due()), world, member=INSTALLER, turn=turn)


def test_a_silent_member_is_reminded_then_his_head_is_asked() -> None:
    assert [notice.user for notice in of(Notify, reminded("remind"))] == [INSTALLER]
    (task,) = of(AddTask, reminded("head"))
    assert (task.name, task.responsible, task.purpose) == ("approval:9:head", DIRECTOR, "control")


@pytest.mark.parametrize(
    ("silent", "votes", "asked"),
    [(MANAGER, (), HEAD), (MANAGER, (HEAD,), DIRECTOR), (MANAGER, (HEAD, DIRECTOR), INSTALLER), (DIRECTOR, (), INSTALLER)],
)
def test_a_head_who_has_voted_for_himself_is_not_asked_to_vote_once_more(
    silent: int, votes: tuple[int, ...], asked: int
) -> None:
    seats = (silent, *votes)
    item = a_correction(commission=tuple(str(seat) for seat in seats))
    world = facts(item, forms=(measured(), *(voted(user) for user in votes)))
    what = call(timer_due(), replace(HOUSE, fallback=INSTALLER))
    (task,) = of(AddTask, ask(remind_member.ROBOT, what, world, member=silent, turn="head"))
    assert task.responsible == asked


def test_who_has_voted_is_left_in_peace() -> None:
    assert reminded("remind", voted(INSTALLER)).actions == ()
    assert reminded("head", voted(HEAD, "reject")).actions == ()
    twice = Ledger(tasks=(an_own_task("approval:9:head"),))
    assert reminded("head", ledger=twice).actions == ()


def test_correct_work_passes_to_its_end_only() -> None:
    world = facts(a_correction(), forms=(sent("measures", outcome="correct"),))
    assert decided(check_measures.ROBOT, call(), world, check_measures.Props()).ok
    outcome = decided(check_measures.ROBOT, call(), world, check_measures.Props(correct=False))
    assert not outcome.ok
    assert "только на успешную стадию" in outcome.why.ru


# Changes ------------------------------------------------------------------------------------------------------------


def given(*rows: dict[str, Any], ledger: Ledger | None = None, tasks: dict[int, Task | None] | None = None) -> Outcome:
    world = facts(a_correction(), forms=(measured(*rows),), ledger=ledger, tasks=tasks)
    return ask(give_changes.ROBOT, call(), world)


def test_each_measure_goes_its_way() -> None:
    system, regulation, order = of(AddTask, given(SYSTEM, REGULATION, LEARN))
    assert (system.responsible, system.group, system.stage, system.under_control) == (INSTALLER, 4, 31, True)
    assert (regulation.responsible, regulation.group) == (HEAD, None)  # no route: the officer decides
    assert (order.responsible, order.title, order.creator) == (INSTALLER, "Курс", HEAD)


def test_nobody_is_sent_to_learn_for_somebody_who_has_left() -> None:
    outcome = given({**LEARN, "employee": GONE})
    (task,) = of(AddTask, outcome)
    assert (task.responsible, task.title) == (HEAD, "Решить, кому поручить: Курс")
    assert "Яков Уволенов больше не работает" in outcome.why.ru


def test_a_measure_written_twice_is_one() -> None:
    forms = (measured(SYSTEM, SYSTEM),)
    assert "мер: 1" in ask(record_outcome.ROBOT, call(), facts(a_correction(), forms=forms)).why.ru
    assert "записано: 1" in decided(check_measures.ROBOT, call(), facts(a_correction(), forms=forms)).why.ru
    assert of(AddTask, approval(None, *forms))[0].description.count("Проверять дату") == 1


def own(row: dict[str, Any], **changes: Any) -> Ledger:
    (measure,) = measures_of((measured(row),))
    return Ledger(tasks=(an_own_task(measure.task, **changes),))


def test_a_change_is_given_once_and_again_when_it_was_deleted() -> None:
    assert of(AddTask, given(SYSTEM, ledger=own(SYSTEM), tasks={500: a_task()})) == []
    assert len(of(AddTask, given(SYSTEM, ledger=own(SYSTEM), tasks={500: None}))) == 1


def test_the_task_of_a_measure_that_was_dropped_is_closed() -> None:
    outcome = given(SYSTEM, ledger=own(REGULATION))
    assert [closed.task_id for closed in of(CloseTask, outcome)] == [500]


@pytest.mark.parametrize(
    ("task", "why"),
    [
        (a_task("completed"), ""),
        (a_task("awaiting_control"), "ждёт приёмки"),
        (a_task("in_progress"), "не завершена"),
        (None, "удалена"),
    ],
)
def test_only_accepted_changes_let_the_card_pass(task: Task | None, why: str) -> None:
    world = facts(a_correction(), forms=(measured(SYSTEM),), ledger=own(SYSTEM), tasks={500: task})
    outcome = decided(check_changes_done.ROBOT, call(), world)
    assert (outcome.ok, why in outcome.why.ru) == (not why, True)


def test_a_change_nobody_was_given_holds_the_card() -> None:
    assert not decided(check_changes_done.ROBOT, call(), facts(a_correction(), forms=(measured(),))).ok
    assert decided(check_changes_done.ROBOT, call(), facts(a_correction(), forms=(measured(outcome="correct"),))).ok


@pytest.mark.parametrize(
    ("robot", "forms", "ok"),
    [
        (check_analysed.ROBOT, (), False),
        (check_analysed.ROBOT, (sent("analysis"),), True),
        (check_measures.ROBOT, (), False),
        (check_measures.ROBOT, (sent("measures", outcome="partial"),), False),
        (check_measures.ROBOT, (measured(),), True),
        (check_measures.ROBOT, (measured(), voted(HEAD, "reject")), False),
        (check_measures.ROBOT, (measured(), voted(HEAD, "reject"), measured(REGULATION)), True),
        (check_measures.ROBOT, (sent("measures", outcome="correct"),), True),
        (check_measures.ROBOT, (VIOLATED, sent("measures", outcome="correct")), False),
        (check_measures.ROBOT, (VIOLATED, sent("analysis"), sent("measures", outcome="correct")), True),
        (check_approved.ROBOT, (measured(),), False),
        (check_approved.ROBOT, (measured(), voted(HEAD, "reject")), False),
        (check_approved.ROBOT, (measured(), voted(HEAD)), True),
        (check_approved.ROBOT, (sent("measures", outcome="correct"),), True),
    ],
)
def test_gates_open_when_what_they_wait_for_is_there(robot: Robot[Any], forms: tuple[Submission, ...], ok: bool) -> None:
    outcome = decided(robot, call(), facts(a_correction(commission=(str(HEAD),)), forms=forms))
    assert (outcome.ok, outcome.returns.ok) == (ok, ok)


# News and the end ---------------------------------------------------------------------------------------------------


def posted(ledger: Ledger | None = None, news: tuple[News, ...] = (), **props: Any) -> Outcome:
    item = a_correction(commission=(str(INSTALLER),), measures="1. Проверять дату")
    return ask(publish_news.ROBOT, call(), facts(item, ledger=ledger, news=news), tasks=("docs",), **props)


def test_news_wait_for_the_publishing_and_are_posted_once() -> None:
    (news,) = of(AddNews, posted(readers_after=Pause(1, "w")))
    assert (news.dest, news.important, news.text) == (("DR2", "DR3"), True, "1. Проверять дату")
    assert of(AddNews, posted(Ledger(tasks=(an_own_task("docs"),)))) == []
    assert of(AddNews, posted(news=(News(None, "1. Проверять дату"),))) == []
    assert of(AddNews, posted(news=(News(8, "1. Проверять дату"), News(9, "1. Совсем другое")))) == []
    assert len(of(AddNews, posted(news=(News(8, "1. Совсем другое"),)))) == 1
    assert of(AddNews, posted(everybody=True))[0].dest == ("UA",)


def test_readers_are_looked_for_only_when_important_news_were_posted() -> None:
    assert of(SetTimer, posted()) == []
    assert of(SetTimer, posted(readers_after=Pause(1, "w"), important=False)) == []
    (timer,) = of(SetTimer, posted(readers_after=Pause(1, "w")))
    assert (timer.lives, timer.step.props) == ("item", {"departments": ["2", "3"]})


def test_those_who_have_not_read_the_news_are_named_and_reminded() -> None:
    world = facts(a_correction(), news=(News(8),), more={NeedReaders(8): (HEAD,)})
    outcome = ask(news_readers.ROBOT, call(timer_due()), world, departments=("2",))
    assert [notice.user for notice in of(Notify, outcome)] == [MANAGER]
    assert of(UpdateItem, outcome)[0].fields == {"news_read": "Новость прочитали 1 из 2"}
    everyone = ask(news_readers.ROBOT, call(timer_due()), world, departments=("1",))
    assert len(of(Notify, everyone)) == 3  # departments below count, too


def test_news_still_on_their_way_are_looked_at_later() -> None:
    outcome = ask(news_readers.ROBOT, call(timer_due()), facts(a_correction(), news=(News(None),)), departments=("2",))
    assert [timer.name for timer in of(SetTimer, outcome)] == ["news_readers"]


@pytest.mark.parametrize(("source", "told"), [(a_deal(ref=SOURCE), [DEAL_12, SOURCE]), (None, [DEAL_12])])
def test_the_end_is_told_to_the_source_if_it_is_there(source: Item | None, told: list[ItemRef]) -> None:
    outcome = decided(close_correction.ROBOT, call(), facts(a_correction(), more={NeedItem(SOURCE): source}))
    assert [comment.item for comment in of(Comment, outcome)] == told
    assert [notice.user for notice in of(Notify, outcome)] == [MANAGER]


def test_the_end_says_in_each_language_what_came_of_it() -> None:
    item = a_correction(outcome="результат частично корректный")
    outcome = decided(close_correction.ROBOT, call(), facts(item, forms=(measured(),), more={NeedItem(SOURCE): None}))
    assert outcome.why.en.startswith("The correction has ended: the result is partly correct; changes: 1")
    assert "результат частично корректный" in outcome.why.ru


def test_nobody_tells_a_dismissed_employee() -> None:
    world = facts(a_correction(), staff=people(without=(MANAGER,)), more={NeedItem(SOURCE): None})
    assert of(Notify, decided(close_correction.ROBOT, call(), world)) == []
