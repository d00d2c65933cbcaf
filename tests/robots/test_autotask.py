from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from b24app.core.actions import AddTask, Comment, SetTimer, Step
from b24app.core.needs import Ledger
from b24app.core.robot import Outcome
from b24app.core.roles import Role
from b24app.core.text import T
from b24app.core.worktime import Pause
from robots.autotask import ROBOT, Props
from tests.builders import GONE, HEAD, MANAGER, NOW, a_call, a_deal, a_house, a_place, an_own_task, decided, facts, people

SIGN = Props(
    title=T("Подписать договор: {client}", "Sign the contract: {client}"),
    name="contract",
    checklist=(T("Оформить", "Draw up"), T("Вручить счёт", "Hand over the invoice")),
    deadline=Pause(1, "w"),
    done=(Step("record", {"text": "Договор подписан"}),),
)
GUARDED = replace(SIGN, control_after=Pause(24, "h"), control_hint=T("Позвоните клиенту", "Call the client"))


def run(props: Props = SIGN, ledger: Ledger | None = None, **call: Any) -> Outcome:
    return decided(ROBOT, a_call(**call), facts(ledger=ledger), props)


def test_the_responsible_gets_the_task_with_its_checklist_and_deadline() -> None:
    (task,) = run().actions

    assert isinstance(task, AddTask)
    assert (task.name, task.title, task.responsible) == ("contract", "Подписать договор: Анна Клиентова", MANAGER)
    assert task.checklist == ("Оформить", "Вручить счёт")
    assert task.deadline == NOW.replace(day=11, hour=18)
    assert (task.holds, task.full_checklist, task.purpose) == ("return", True, "work")
    assert task.done == SIGN.done


def test_it_says_to_whom_and_until_when() -> None:
    assert run().why.ru == "Задача «Подписать договор: Анна Клиентова» поставлена: Мария Менова, срок 11.06.2026 18:00"


def test_a_control_pause_is_a_timer_that_lives_with_the_task() -> None:
    _, timer = run(GUARDED).actions

    assert isinstance(timer, SetTimer)
    assert (timer.name, timer.lives, timer.task, timer.due) == (
        "control:contract",
        "task",
        "contract",
        NOW + timedelta(hours=24),
    )
    assert timer.step.robot == "control_task"
    assert timer.step.props["task"] == "contract"
    assert timer.step.props["hint"] == {"ru": "Позвоните клиенту", "en": "Call the client"}


def test_an_open_task_of_that_name_is_kept_and_no_second_one_given() -> None:
    outcome = run(GUARDED, Ledger(tasks=(an_own_task(),)))

    assert outcome.actions == ()
    assert "поставлена 09.06.2026 12:00 и ещё открыта" in outcome.why.ru
    assert outcome.returns.task_name == "contract"


def test_a_finished_task_is_not_repeated_when_the_application_moved_the_deal_back() -> None:
    ledger = Ledger(tasks=(an_own_task(open=False),))

    assert run(ledger=ledger, place=a_place(returned=True)).actions == ()
    assert len(run(ledger=ledger).actions) == 1


def test_a_task_that_was_taken_back_is_given_again_after_a_return() -> None:
    ledger = Ledger(tasks=(an_own_task(open=False, withdrawn=True),))
    assert len(run(ledger=ledger, place=a_place(returned=True)).actions) == 1


def test_nobody_to_give_it_to_leaves_a_comment() -> None:
    props = replace(SIGN, to=Role.parse("field(installer)"))
    outcome = decided(ROBOT, a_call(house=a_house(fallback=GONE)), facts(), props)

    (comment,) = outcome.actions
    assert isinstance(comment, Comment)
    assert "field(installer)" in comment.text
    assert outcome.ok


def test_a_dismissed_manager_s_task_goes_to_the_head_and_says_so() -> None:
    outcome = decided(ROBOT, a_call(), facts(staff=people(without=[MANAGER])), SIGN)

    (task,) = outcome.actions
    assert isinstance(task, AddTask)
    assert task.responsible == HEAD
    assert "Пётр Главин" in task.description
    assert "никого не нашла" in outcome.why.ru


def test_an_unnamed_task_is_named_after_its_title_and_always_the_same() -> None:
    props = Props(title=T.same("Связаться с клиентом!"))
    assert run(props).returns.task_name == "связаться-с-клиентом" == run(props).returns.task_name


def test_long_texts_and_codes_of_the_crm_do_no_harm() -> None:
    deal = a_deal(title="[URL=http://evil]😀" + "ы" * 60_000)
    props = replace(SIGN, title=T.same("{title}"), description=T.same("{title}"))
    (task,) = decided(ROBOT, a_call(), facts(deal), props).actions

    assert isinstance(task, AddTask)
    assert len(task.title) == 250
    assert "😀" in task.title
    assert "[URL" not in task.description
    assert len(task.description) < 20_001


def test_a_deleted_deal_gets_no_task() -> None:
    assert decided(ROBOT, a_call(), facts(deleted=True), SIGN).actions == ()
