from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from b24app.core.actions import AddTask, SetTimer
from b24app.core.item import Value
from b24app.core.needs import Ledger
from b24app.core.properties import from_file
from b24app.core.robot import Outcome
from b24app.core.text import T
from b24app.core.worktime import Pause
from robots.remind_before import ROBOT, Props
from tests.builders import MANAGER, MOSCOW, NOW, a_call, a_deal, a_house, an_own_task, decided, facts, timer_due

CALL = Props(name="confirm", checklist=(T("Позвонить", "Call"),))


def run(day: Value, clock: Value = "14:00", props: Props = CALL, ledger: Ledger | None = None, **call: Any) -> Outcome:
    deal = a_deal(fields={"install_date": day, "install_time": clock})
    return decided(ROBOT, a_call(**call), facts(deal, ledger=ledger), props)


def due_of(outcome: Outcome) -> datetime:
    (timer,) = outcome.actions
    assert isinstance(timer, SetTimer)
    return timer.due


def test_a_day_before_at_ten_a_timer_is_set_that_lives_with_the_stage() -> None:
    outcome = run(date(2026, 6, 12))

    (timer,) = outcome.actions
    assert isinstance(timer, SetTimer)
    assert timer.due == datetime(2026, 6, 11, 10, tzinfo=MOSCOW)
    assert (timer.name, timer.lives) == ("remind:confirm", "entry")
    assert from_file(ROBOT, timer.step.props) == (CALL, [])
    assert outcome.why.ru == "Работы 12.06.2026 14:00: напоминание назначено на 11.06.2026 10:00 (1 день до начала)"


def test_a_day_off_moves_the_reminder_to_the_working_day_before() -> None:
    assert due_of(run(date(2026, 6, 15))) == datetime(2026, 6, 12, 10, tzinfo=MOSCOW)
    assert due_of(run(date(2026, 6, 15), props=replace(CALL, working_day=False))) == datetime(2026, 6, 14, 10, tzinfo=MOSCOW)
    assert due_of(run(date(2026, 6, 15), props=replace(CALL, before=Pause(2, "w")))) == datetime(
        2026, 6, 11, 10, tzinfo=MOSCOW
    )


def test_hours_count_from_the_very_beginning() -> None:
    assert due_of(run(date(2026, 6, 12), props=replace(CALL, before=Pause(3, "h")))) == datetime(
        2026, 6, 12, 11, tzinfo=MOSCOW
    )


def test_an_unreadable_hour_of_the_reminder_is_ten() -> None:
    assert due_of(run(date(2026, 6, 12), props=replace(CALL, at="утром"))).astimezone(MOSCOW).hour == 10


def test_a_reminder_due_already_is_given_at_once() -> None:
    (task,) = run(date(2026, 6, 11)).actions

    assert isinstance(task, AddTask)
    assert (task.name, task.purpose, task.responsible) == ("confirm", "remind", MANAGER)
    assert task.title == "Связаться с клиентом и подтвердить готовность: 11.06.2026 14:00"
    assert task.deadline == NOW.replace(hour=18)
    assert task.checklist == ("Позвонить",)


def test_a_title_may_name_day_and_hour_apart() -> None:
    props = replace(CALL, title=T.same("{date} в {time}"))
    titles = [
        a.title for clock in ("14:00", None) for a in run(date(2026, 6, 11), clock, props).actions if isinstance(a, AddTask)
    ]
    assert titles == ["11.06.2026 в 14:00", "11.06.2026 в —"]


def test_the_task_has_to_be_done_before_the_works_begin() -> None:
    (task,) = run(date(2026, 6, 10)).actions
    assert isinstance(task, AddTask)
    assert task.deadline == NOW.replace(hour=14)

    late = run(date(2026, 6, 11), "08:00", at=NOW.replace(hour=20)).actions[0]
    assert isinstance(late, AddTask)
    assert late.deadline == datetime(2026, 6, 11, 8, tzinfo=MOSCOW)


def test_works_that_have_begun_need_no_reminder() -> None:
    assert run(date(2026, 6, 10), "12:00").actions == ()


def test_a_date_taken_away_ends_the_reminder() -> None:
    outcome = run(None, cause=timer_due("remind:confirm"))
    assert outcome.actions == ()
    assert outcome.why.ru == "Дата не указана, напоминать не о чем"


def test_a_date_moved_on_moves_the_reminder_along() -> None:
    outcome = run(date(2026, 6, 19), cause=timer_due("remind:confirm"))
    assert due_of(outcome) == datetime(2026, 6, 18, 10, tzinfo=MOSCOW)
    assert outcome.why.ru.startswith("Дата изменилась, напоминать рано. Работы 19.06.2026")


def test_the_same_reminder_is_not_given_twice() -> None:
    given = NOW.replace(hour=10)
    for still_open in (True, False):
        ledger = Ledger(tasks=(an_own_task("confirm", open=still_open, opened_at=given),))
        assert run(date(2026, 6, 11), ledger=ledger).actions == ()


def test_a_reminder_of_an_earlier_date_does_not_stand_for_this_one() -> None:
    ledger = Ledger(tasks=(an_own_task("confirm", open=False, opened_at=NOW - timedelta(days=5)),))
    assert len(run(date(2026, 6, 11), ledger=ledger).actions) == 1


def test_a_reminder_taken_back_with_an_earlier_agreement_is_given_for_the_new_hour() -> None:
    ledger = Ledger(tasks=(an_own_task("confirm", open=False, opened_at=NOW.replace(hour=10), withdrawn=True),))
    assert len(run(date(2026, 6, 11), ledger=ledger).actions) == 1


def test_nobody_to_remind_leaves_a_comment() -> None:
    deal = a_deal(responsible_id=99, fields={"install_date": date(2026, 6, 11)})
    outcome = decided(ROBOT, a_call(house=a_house(fallback=None)), facts(deal), CALL)
    assert [a.kind for a in outcome.actions] == ["comment"]
