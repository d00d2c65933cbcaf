from __future__ import annotations

from datetime import timedelta
from typing import Any

from b24app.core.actions import AddTask, Comment, SetTimer
from b24app.core.item import Task
from b24app.core.needs import Ledger, OwnTask
from b24app.core.properties import from_file
from b24app.core.robot import Outcome
from b24app.core.text import T
from b24app.core.worktime import Pause
from robots.control_task import ROBOT, Props
from tests.builders import HEAD, MANAGER, NOW, a_call, a_house, a_task, an_own_task, decided, facts, timer_due

WATCH = Props(
    task="contract", after=Pause(24, "h"), deadline=Pause(4, "h"), checklist=(T("Узнать причину", "Find out why"),)
)


def due(task: Task | None, props: Props = WATCH, *own: OwnTask, **call: Any) -> Outcome:
    ledger = Ledger(tasks=own or (an_own_task(),))
    return decided(ROBOT, a_call(timer_due(), **call), facts(ledger=ledger, tasks={500: task}), props)


def test_a_pause_comes_first() -> None:
    outcome = decided(ROBOT, a_call(), facts(ledger=Ledger(tasks=(an_own_task(),)), tasks={500: a_task()}), WATCH)

    (timer,) = outcome.actions
    assert isinstance(timer, SetTimer)
    assert (timer.due, timer.lives, timer.task) == (NOW + timedelta(hours=24), "task", "contract")
    assert from_file(ROBOT, timer.step.props) == (WATCH, [])
    assert timer.what == "контроль задачи «Подписать договор»"
    assert outcome.why.ru == ("Задача «Подписать договор» под контролем. Контроль — 11.06.2026 12:00 (пауза 24 часа)")


def test_without_a_pause_it_looks_at_once() -> None:
    ledger = Ledger(tasks=(an_own_task(),))
    outcome = decided(ROBOT, a_call(), facts(ledger=ledger, tasks={500: a_task()}), Props(task="contract"))
    assert isinstance(outcome.actions[0], AddTask)


def test_an_open_task_gets_the_head_a_control_task() -> None:
    outcome = due(a_task())

    (task,) = outcome.actions
    assert isinstance(task, AddTask)
    assert (task.responsible, task.purpose, task.name) == (HEAD, "control", "control:contract")
    assert task.title == "Разобраться, почему не закрыта задача «Подписать договор»"
    assert "user/7/tasks/task/view/500/]Подписать договор[/URL]" in task.description
    assert task.deadline == NOW + timedelta(hours=4)
    assert outcome.why.ru.startswith("Задача «Подписать договор» не закрыта за 1 д 0 ч")
    assert outcome.returns.overdue


def test_a_task_closed_in_time_needs_no_control_and_the_journal_says_so() -> None:
    closed = a_task("completed", closed_at=NOW - timedelta(minutes=19))
    outcome = due(closed)

    assert outcome.actions == ()
    assert "закрыта через 23 ч 41 мин" in outcome.why.ru


def test_a_task_waiting_for_control_counts_as_closed() -> None:
    assert due(a_task("awaiting_control")).actions == ()


def test_a_deleted_task_needs_no_control() -> None:
    outcome = due(None)
    assert outcome.actions == ()
    assert "удалена" in outcome.why.ru


def test_there_is_one_control_task_at_a_time() -> None:
    control = an_own_task("control:contract", purpose="control", responsible=HEAD, task_id=501)
    outcome = due(a_task(), WATCH, an_own_task(), control)

    assert outcome.actions == ()
    assert "Пётр Главин" in outcome.why.ru


def test_a_hint_is_written_for_the_employee_only_while_training_is_on() -> None:
    props = Props(task="contract", hint=T("Позвоните: {phone}", "Call: {phone}"))
    hints = [a for a in due(a_task(), props).actions if isinstance(a, Comment)]

    assert len(hints) == 1
    assert "Позвоните: 8 916 123-45-67" in hints[0].text
    assert not [a for a in due(a_task(), props, house=a_house(training=False)).actions if isinstance(a, Comment)]


def test_a_task_the_portal_has_not_got_yet_is_looked_at_later() -> None:
    outcome = due(None, WATCH, an_own_task(task_id=None))

    (timer,) = outcome.actions
    assert isinstance(timer, SetTimer)
    assert timer.due == NOW + timedelta(hours=1)
    assert "ещё не дошла до портала" in outcome.why.ru


def test_an_unknown_task_is_said_to_be_unknown() -> None:
    assert "«other» на этой карточке не ставилась" in due(None, Props(task="other")).why.ru


def test_without_a_name_the_newest_open_work_task_is_watched() -> None:
    mend = an_own_task("mend:x", purpose="mend", task_id=502)
    assert "«Подписать договор»" in due(a_task(), Props(), an_own_task(), mend).why.ru
    assert due(None, Props(), mend).why.ru == "Контролировать нечего: открытых задач нет"


def test_the_manager_is_not_asked_to_control_himself() -> None:
    (task,) = due(a_task()).actions
    assert isinstance(task, AddTask)
    assert task.responsible != MANAGER


def test_a_deleted_deal_ends_the_control() -> None:
    ledger = Ledger(tasks=(an_own_task(),))
    assert decided(ROBOT, a_call(timer_due()), facts(deleted=True, ledger=ledger, tasks={500: None}), WATCH).actions == ()
