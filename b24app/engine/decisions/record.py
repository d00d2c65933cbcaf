"""Writing a decision down: the run, its actions with their keys, and what takes effect at once. One transaction."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from b24app.bitrix.effects import LOCAL
from b24app.core import actions as a
from b24app.core.call import Call, Cause, FieldsChanged, FormSubmitted, StageEntered, TaskFinished, TimerDue
from b24app.core.item import ItemRef
from b24app.core.properties import portal_text, results_text
from b24app.core.robot import Outcome, Robot
from b24app.core.text import T
from b24app.store import entries, forms, given_tasks, journal, queue, timers, training, visits
from b24app.store.journal import ActionState
from b24app.store.portals import Portal


@dataclass(frozen=True, slots=True)
class Origin:
    """What a run belongs to, beside the call itself."""

    key: str
    work_id: int | None
    version: str = ""
    stage_key: str = ""
    asked_by: str = ""
    happened_at: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


class SlotTaken(Exception):
    """A slot that a decision took for free was claimed by another order meanwhile; decide again."""


def mark_of(portal: Portal, run_key: str, number: int, kind: str) -> str:
    """Make the key of a run's ``number``-th action of a kind from what caused it; what it creates carries these digits.

    Nothing in it is a number of this database: decided again from an older copy of it, the same action has the same key.
    """
    return hashlib.sha256(f"{portal.member_id}|{run_key}|{number}|{kind}".encode()).hexdigest()[:12]


def record(
    connection: Connection,
    portal: Portal,
    call: Call,
    robot: Robot[Any],
    props: Any,
    outcome: Outcome,
    origin: Origin,
    at: datetime,
    state: str = "decided",
) -> int | None:
    """Store a run and its actions; None (and nothing stored) when the run exists already. Raises `SlotTaken`."""
    run_id = journal.add_run(
        connection,
        portal.id,
        key=origin.key,
        item=call.item,
        robot=robot.code,
        ok=outcome.ok,
        why=outcome.why,
        state=state,
        at=at,
        work_id=origin.work_id,
        entry_id=call.place.entry_id,
        process=call.place.process,
        version=origin.version,
        stage_id=call.place.stage,
        cause=cause_json(call.cause),
        props=props_json(props),
        facts=origin.facts,
        returns=results_text(outcome.returns),
        asked_by=origin.asked_by,
    )
    if run_id is None:
        return None
    for mark, action in marked(portal, origin.key, outcome.actions):
        _store_action(connection, portal, call, run_id, action, mark, origin, at)
    return run_id


def marked(portal: Portal, run_key: str, actions: Iterable[a.Action]) -> Iterator[tuple[str, a.Action]]:
    """Give each action of a run with its key."""
    before: Counter[str] = Counter()
    for action in actions:
        yield mark_of(portal, run_key, before[action.kind], action.kind), action
        before[action.kind] += 1


def _store_action(
    connection: Connection,
    portal: Portal,
    call: Call,
    run_id: int,
    action: a.Action,
    mark: str,
    origin: Origin,
    at: datetime,
) -> None:
    if isinstance(action, a.CancelTimers) and not timers.cancel(connection, portal.id, action, at):
        return  # there was nothing to cancel, and nothing to tell
    state: ActionState = "done" if isinstance(action, LOCAL) else "pending"
    item = item_of_action(action, call.item)
    action_id = journal.add_action(connection, portal.id, run_id, item, mark, action, state, at)
    match action:
        case a.AddTask():
            given_tasks.add(connection, portal.id, action_id, mark, action, origin.stage_key, call.place.entry_id, at)
        case a.CloseTask():
            given_tasks.closed_by_us(connection, portal.id, action.task_id, at)
            row = given_tasks.by_task_id(connection, portal.id, action.task_id)
            if row is not None:
                timers.cancel(connection, portal.id, a.CancelTimers(action.item, action.reason, task=row.name), at)
        case a.UpdateTask() if action.deadline is not None:
            given_tasks.set_deadline(connection, portal.id, action.task_id, action.deadline)
        case a.ClaimSlot():
            if visits.claim(connection, portal.id, action, str(origin.facts.get("title", "")), at) is not None:
                raise SlotTaken
        case a.ReleaseSlots():
            visits.release(connection, portal.id, action.item)
        case a.SetTimer():
            timers.put(connection, portal.id, run_id, call.place.entry_id, mark, action, at)
        case a.MarkTrained():
            training.was_trained(connection, portal.id, action.item, action.stage, at)
        case a.AwardPoints():
            forms.award(connection, portal.id, action, at)
        case a.RunStageAgain():
            _run_again(connection, portal, call, mark, origin.happened_at, at)
        case _:
            pass


def carried_out(connection: Connection, portal_id: int, action: a.Action, decided_at: datetime | None = None) -> None:
    """Remember what follows from an action that was carried out: just now, or since it was decided some time ago."""
    match action:
        case a.RenewTask(task_id=task_id):
            given_tasks.renewed(connection, portal_id, task_id, decided_at)
        case a.CancelVisit(visit=visit):
            visits.cancelled(connection, portal_id, visit)
        case _:
            pass


def _run_again(
    connection: Connection, portal: Portal, call: Call, mark: str, happened_at: datetime | None, at: datetime
) -> None:
    last = entries.last(connection, portal.id, call.item)
    if last is None:
        return
    entry_id = entries.add(
        connection,
        portal.id,
        call.item,
        history_id=None,
        key=mark,
        stage_id=last.stage_id,
        category_id=last.category_id,
        at=at,
        seen_at=at,
        came_from=last.came_from,
    )
    body = {"entry_id": entry_id, "again": True}
    queue.add_work(connection, portal.id, call.item, f"again:{mark}", "entry", body, at, happened_at=happened_at)


def item_of_action(action: a.Action, default: ItemRef) -> ItemRef:
    """Return the item an action waits in line for."""
    match action:
        case a.AddItem():
            return action.about
        case a.Notify() | a.AnswerRobot():
            return action.item or default
        case _:
            return action.item


def cause_json(cause: Cause) -> dict[str, Any]:
    """Write a cause down, without a robot's token."""
    told = {key: portal_value(value) for key, value in asdict(cause).items() if key != "token"}
    return {"kind": type(cause).__name__, **told}


def cause_from_json(told: Mapping[str, Any]) -> Cause | None:
    """Read a cause back, for a run that is done again; None for what is none. A robot's token is gone for good."""
    match told.get("kind"):
        case "TimerDue":
            due, set_at = datetime.fromisoformat(told["due"]), datetime.fromisoformat(told["set_at"])
            return TimerDue(str(told["name"]), due, set_at)
        case "TaskFinished":
            return TaskFinished(str(told["name"]), int(told["task_id"]), bool(told["full_checklist"]))
        case "FormSubmitted":
            by, again = int(told["by"]), int(told["round"])
            return FormSubmitted(str(told["form"]), told["answers"], by, again, str(told["name"]))
        case "FieldsChanged":
            return FieldsChanged(tuple(told["names"]))
        case "StageEntered":
            return StageEntered(again=True)
        case _:
            return None


def props_json(props: Any) -> dict[str, Any]:
    """Write properties down the way they are shown to people."""
    if props is None:
        return {}
    return {name: portal_value(getattr(props, name)) for name in props.__dataclass_fields__}


def portal_value(value: Any) -> Any:
    """Write a value as JSON that reads well."""
    match value:
        case T():
            return value.both()
        case a.Step():
            return {value.robot: {k: portal_value(v) for k, v in value.props.items()}}
        case tuple() | list():
            return [portal_value(one) for one in value]
        case dict():
            return {str(k): portal_value(v) for k, v in value.items()}
        case bool() | int() | float() | str() | None:
            return value
        case datetime():
            return value.isoformat(timespec="seconds")
        case _:
            return portal_text(value)
