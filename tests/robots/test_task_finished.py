from __future__ import annotations

from datetime import timedelta

from b24app.core.actions import CancelTimers, Notify, RenewTask
from b24app.core.item import ChecklistItem, Task
from b24app.core.needs import Ledger
from b24app.core.robot import NoProps, Outcome
from robots.task_finished import ROBOT
from tests.builders import MANAGER, NOW, a_call, a_task, an_own_task, decided, facts, lines
from tests.builders import finished as task_finished

CLOSED = a_task("completed", closed_at=NOW - timedelta(minutes=19))


def look(task: Task | None = CLOSED, checklist: tuple[ChecklistItem, ...] = (), *, full: bool = False) -> Outcome:
    ledger = Ledger(tasks=(an_own_task(full_checklist=full),))
    world = facts(ledger=ledger, tasks={500: task}, checklist=checklist)
    return decided(ROBOT, a_call(task_finished()), world, NoProps())


def test_a_finished_task_ends_its_control() -> None:
    outcome = look()

    (timers,) = outcome.actions
    assert isinstance(timers, CancelTimers)
    assert timers.task == "contract"
    assert outcome.ok
    assert outcome.why.ru == "Задача «Подписать договор» завершена 10.06.2026 11:41, через 23 ч 41 мин после постановки"


def test_open_lines_bring_a_task_back_to_work_and_are_named() -> None:
    outcome = look(checklist=lines(True, False, False), full=True)

    renewed, notice = outcome.actions
    assert isinstance(renewed, RenewTask)
    assert "«Согласовать»; «Подписать»" in renewed.reason
    assert isinstance(notice, Notify)
    assert notice.user == MANAGER
    assert not outcome.ok


def test_a_full_checklist_lets_the_task_end() -> None:
    assert look(checklist=lines(True, True), full=True).ok


def test_open_lines_do_no_harm_where_a_full_checklist_is_not_asked_for() -> None:
    assert look(checklist=lines(False)).ok


def test_a_task_that_is_in_work_again_is_not_finished() -> None:
    outcome = look(a_task("in_progress"))
    assert (outcome.ok, outcome.actions) == (False, ())


def test_a_deleted_task_leaves_no_timers_behind() -> None:
    outcome = look(None)
    assert not outcome.ok
    assert isinstance(outcome.actions[0], CancelTimers)


def test_codes_in_a_line_are_not_codes_in_the_comment() -> None:
    outcome = look(checklist=(ChecklistItem(1, "[URL=http://evil]x[/URL]", False),), full=True)
    assert isinstance(outcome.actions[0], RenewTask)
    assert "[URL" not in outcome.actions[0].reason


def test_a_task_the_ledger_has_lost_is_still_looked_at() -> None:
    outcome = decided(ROBOT, a_call(task_finished()), facts(tasks={500: CLOSED}), NoProps())
    assert outcome.why.ru == "Задача «Подписать договор» завершена 10.06.2026 11:41"


def test_the_moment_it_was_finished_is_the_best_one_known() -> None:
    own = an_own_task(open=False, finished_at=NOW - timedelta(minutes=5))
    world = facts(ledger=Ledger(tasks=(own,)), tasks={500: a_task("awaiting_control")})
    outcome = decided(ROBOT, a_call(task_finished()), world, NoProps())
    assert outcome.why.ru == "Задача «Подписать договор» завершена 10.06.2026 11:55, через 23 ч 55 мин после постановки"


def test_any_other_cause_is_none_of_its_business() -> None:
    assert not decided(ROBOT, a_call(), facts(), NoProps()).ok
