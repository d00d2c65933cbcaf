from __future__ import annotations

from b24app.core.actions import CancelTimers, CloseTask, Comment
from b24app.core.item import Busy
from b24app.core.needs import Ledger, Visit
from b24app.core.robot import Outcome
from b24app.core.text import T
from robots.wind_up import ROBOT, Props
from tests.builders import DEAL_12, HEAD, INSTALLER, NOW, a_call, an_own_task, decided, facts

CONTRACT = an_own_task(task_id=500)
CONTROL = an_own_task("control:contract", title="Контроль", task_id=501, purpose="control", responsible=HEAD)
INSTALL = an_own_task("install", title="Монтаж", task_id=502)
DONE = an_own_task("old", task_id=503, open=False)
ALL = Ledger(
    tasks=(CONTRACT, CONTROL, INSTALL, DONE),
    visit=Visit(8, INSTALLER, NOW, NOW),
    claimed=(Busy(NOW, NOW, "visit", user=INSTALLER),),
)


def wind(props: Props | None = None, ledger: Ledger = ALL) -> Outcome:
    return decided(ROBOT, a_call(), facts(ledger=ledger), props or Props(reason=T.same("Сделка проиграна")))


def closed(outcome: Outcome) -> list[int]:
    return [a.task_id for a in outcome.actions if isinstance(a, CloseTask)]


def test_everything_open_is_wound_up_and_written_down() -> None:
    outcome = wind()

    assert closed(outcome) == [500, 501, 502]
    assert [a.kind for a in outcome.actions[3:]] == ["cancel_visit", "release_slots", "comment", "cancel_timers"]
    comment = outcome.actions[5]
    assert isinstance(comment, Comment)
    assert comment.text.startswith(
        "Сделка проиграна: закрыты задачи: «Подписать договор», «Контроль», «Монтаж»; визит отменён"
    )


def test_only_named_tasks_go_and_take_their_control_along() -> None:
    outcome = wind(Props(tasks=("contract",), visit=False))

    assert closed(outcome) == [500, 501]
    timers = [a for a in outcome.actions if isinstance(a, CancelTimers)]
    assert {a.task for a in timers if a.task} == {"contract", "control:contract"}
    assert "remind:contract" in {a.name for a in timers}
    assert not [a for a in outcome.actions if a.kind in ("cancel_visit", "release_slots")]


def test_kept_tasks_stay_with_their_control_and_timers() -> None:
    outcome = wind(Props(keep=("contract",)))
    assert closed(outcome) == [502]
    assert [a.task for a in outcome.actions if isinstance(a, CancelTimers) and a.task] == ["install"]


def test_timers_may_stay() -> None:
    assert not [a for a in wind(Props(timers=False)).actions if isinstance(a, CancelTimers)]


def test_with_nothing_to_wind_up_nothing_is_written() -> None:
    outcome = wind(ledger=Ledger(tasks=(DONE,)))
    assert outcome.actions == (CancelTimers(DEAL_12, "Сделка проиграна"),)
    assert outcome.why.ru.startswith("Сворачивать нечего")


def test_a_task_the_portal_has_not_got_yet_is_named() -> None:
    outcome = wind(ledger=Ledger(tasks=(an_own_task(task_id=None),)))
    assert "ещё не дошла до портала" in outcome.why.ru
    assert closed(outcome) == []


def test_titles_cannot_bring_codes_into_the_comment() -> None:
    comment = wind(ledger=Ledger(tasks=(an_own_task(title="[URL=x]"),))).actions[1]
    assert isinstance(comment, Comment)
    assert "[URL" not in comment.text
