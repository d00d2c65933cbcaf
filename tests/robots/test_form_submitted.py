from __future__ import annotations

from dataclasses import replace

from b24app.core.actions import CloseTask
from b24app.core.call import FormSubmitted
from b24app.core.forms import FormDef
from b24app.core.needs import Ledger
from b24app.core.robot import NoProps, Outcome
from b24app.core.text import T
from robots.form_submitted import ROBOT
from tests.builders import HEAD, MANAGER, a_call, a_house, an_own_task, decided, facts

TASKS = (
    an_own_task("vote", task_id=500),
    an_own_task(f"vote:{MANAGER}", task_id=501),
    an_own_task(f"vote:{HEAD}", task_id=502, responsible=HEAD),
    an_own_task("vote:old", task_id=503, open=False),
    an_own_task("votes", task_id=504),
)


def look(*, each: bool, by: int = MANAGER) -> Outcome:
    form = FormDef("vote", T("Голосование", "Vote"), (), each=each)
    call = a_call(FormSubmitted("vote", {"vote": "for"}, by, 1, "Мария [b]Менова"), house=a_house(forms={"vote": form}))
    return decided(ROBOT, call, facts(ledger=Ledger(tasks=TASKS)), NoProps())


def closed(outcome: Outcome) -> list[int]:
    return [action.task_id for action in outcome.actions if isinstance(action, CloseTask)]


def test_one_answer_closes_every_task_that_asked_for_the_form() -> None:
    outcome = look(each=False)

    assert closed(outcome) == [500, 501, 502]
    assert outcome.why.en == "Мария &#91;b&#93;Менова filled in the form “Vote”"


def test_an_own_answer_closes_the_own_tasks_only() -> None:
    assert closed(look(each=True)) == [500, 501]
    assert closed(look(each=True, by=HEAD)) == [502]


def test_a_form_the_process_no_longer_has_is_named_by_its_code() -> None:
    call = replace(a_call(FormSubmitted("old", {}, MANAGER)))
    assert decided(ROBOT, call, facts(), NoProps()).why.en == f"№ {MANAGER} filled in the form “old”"


def test_without_a_form_nothing_is_done() -> None:
    outcome = decided(ROBOT, a_call(), facts(), NoProps())
    assert (outcome.ok, outcome.actions) == (False, ())
