from __future__ import annotations

from b24app.core.item import Task
from b24app.core.needs import Ledger, OwnTask
from b24app.core.robot import Outcome
from robots.accept_work import ROBOT, Props
from tests.builders import a_call, a_task, an_own_task, decided, facts

INSTALL = an_own_task("install", title="Монтаж", open=False)


def accept(task: Task | None, own: OwnTask = INSTALL, props: Props | None = None) -> Outcome:
    return decided(ROBOT, a_call(), facts(ledger=Ledger(tasks=(own,)), tasks={500: task}), props or Props())


def test_work_that_waits_for_control_is_accepted() -> None:
    outcome = accept(a_task("awaiting_control"))
    assert [a.kind for a in outcome.actions] == ["approve_task", "comment"]
    assert outcome.why.ru == "Работа принята, задача «Монтаж» снята с контроля"
    assert outcome.returns.accepted


def test_work_accepted_before_is_not_accepted_twice() -> None:
    outcome = accept(a_task("completed"))
    assert outcome.actions == ()
    assert outcome.returns.accepted


def test_unfinished_work_is_not_accepted_and_the_responsible_hears_of_it() -> None:
    for outcome in (accept(a_task("in_progress")), accept(None, an_own_task("install", task_id=None))):
        assert [a.kind for a in outcome.actions] == ["notify"]
        assert not outcome.returns.accepted


def test_a_task_that_is_gone_or_never_was_cannot_be_accepted() -> None:
    assert "удалена" in accept(None).why.ru
    assert "не ставилась" in accept(None, props=Props("other")).why.ru
