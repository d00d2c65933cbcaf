"""What cannot be read, decided or carried out is an incident with a button, and holds up nothing else of its portal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from b24app.bitrix import commands
from b24app.bitrix.replies import Reply
from b24app.core.item import ItemRef
from b24app.engine.acting import perform
from b24app.engine.decisions import decide
from b24app.engine.running.workers import due_portals
from tests.flows.stage import AGREED, ALEXEY, CEILING, HEAD, Stage
from tests.flows.test_faults import COMMENT, TASK, begun, created, minutes, retried

LINE = "task.checklistitem.add"
VISIT = "calendar.event.add"


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Keep tracebacks out of the output: drawing them takes longer than everything else."""
    with capture_logs():
        yield


def mistaken(stage: Stage, code: str, place: str, deal: int) -> Callable[[], None]:
    """Put a mistake into a robot that shows with one deal only; return what takes it out again."""
    workshop = stage.application.workshop
    honest = workshop.catalogue
    ask = getattr(honest[code], place)

    def odd(call: Any, *rest: Any) -> Any:
        if call.item == ItemRef(2, deal):
            raise KeyError("odd")
        return ask(call, *rest)

    changed: dict[str, Any] = {place: odd}
    object.__setattr__(workshop, "catalogue", {**honest, code: replace(honest[code], **changed)})
    return lambda: object.__setattr__(workshop, "catalogue", honest)


def answering(patch: pytest.MonkeyPatch, method: str, result: Any, **only: int) -> list[str]:
    """Let the portal do what a method asks and answer nonsense, where its parameters are these; return what it was asked."""
    honest, asked = commands._answer, list[str]()

    def odd(command: commands.Command, *rest: Any) -> Any:
        reply = honest(command, *rest)
        meant = command.method == method and only.items() <= command.params.items()
        if not meant or not isinstance(reply, Reply):
            return reply
        asked.append(method)
        return replace(reply, result=result)

    patch.setattr(commands, "_answer", odd)
    return asked


@pytest.mark.parametrize("place", ["needs", "decide"])
def test_a_robot_that_fails_with_one_deal_leaves_the_others_alone(stage: Stage, place: str) -> None:
    odd, other = created(stage), created(stage)
    mend = mistaken(stage, "autotask", place, odd)
    stage.settle()
    begun(stage, other)
    minutes(stage, 5 * decide.TRIES)
    assert stage.titles(odd) == []
    mend()
    retried(stage, "KeyError")
    stage.settle()
    begun(stage, odd)


def test_a_deal_whose_fields_cannot_be_read_leaves_the_others_alone(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    odd, other = created(stage), created(stage)
    with monkeypatch.context() as patch:
        asked = answering(patch, "crm.item.get", {"item": ["odd"]}, entityTypeId=2, id=odd)
        stage.settle()
        for _ in range(decide.TRIES_OF_PORTAL + 2):
            stage.turn(minutes=11)
    begun(stage, other)
    assert len(asked) == decide.TRIES_OF_PORTAL
    retried(stage, "AttributeError")
    stage.settle()
    begun(stage, odd)


@pytest.mark.parametrize(
    ("method", "result"),
    [(TASK, []), (TASK, {"task": []}), (TASK, {"task": {"id": "x"}}), (COMMENT, None), (COMMENT, True), (LINE, False)],
)
def test_nonsense_after_something_was_done_is_looked_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, method: str, result: Any
) -> None:
    answering(monkeypatch, method, result)
    deal = stage.new_deal(contactId=1)
    minutes(stage, 3)
    begun(stage, deal)


def test_a_visit_whose_number_is_not_told_is_looked_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, VISIT, {"id": "odd"})
    stage.arrive("date_agreed", **AGREED)
    minutes(stage, 3)
    assert stage.visits(ALEXEY) == ["08.06 10:00"]


def test_an_answer_that_stays_nonsense_ends_as_an_incident(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        asked = answering(patch, COMMENT, None)
        answering(patch, "crm.timeline.comment.list", [{"ID": "odd", "COMMENT": "Запись журнала"}])
        deal = stage.new_deal(contactId=1)
        for _ in range(perform.TRIES + 2):
            stage.turn(minutes=5)
    assert (stage.titles(deal), len(asked) <= perform.TRIES) == (["Подписать договор"], True)
    stage.expected_troubles = stage.troubles()


def test_a_timer_whose_step_fails_for_good_is_an_incident_and_keeps_nobody_awake(stage: Stage) -> None:
    deal = stage.new_deal(contactId=1)
    mend = mistaken(stage, "control_task", "decide", deal)
    stage.turn(hours=24)
    for _ in range(decide.TRIES):
        stage.turn(minutes=11)
    assert due_portals(stage.application.workshop) == []
    mend()
    retried(stage, "KeyError")
    stage.settle()
    assert len(stage.titles(deal, user=HEAD)) == 1


def test_a_pipeline_whose_stages_may_not_be_read_leaves_the_others_alone(stage: Stage) -> None:
    stage.portal.automation.place(2, "EXECUTING", "notify", {"text": "Начали", "to": "responsible"})
    stage.portal.faults.refuse("crm.status.list", "ACCESS_DENIED", status=403, times=None)
    stage.new_deal("В другой воронке", categoryId=0, stageId="EXECUTING")
    deal = stage.new_deal(contactId=1)
    begun(stage, deal)
    assert stage.tie(CEILING).category_id != 0
    stage.portal.faults.clear()
    retried(stage, "ACCESS_DENIED")
    stage.settle()
