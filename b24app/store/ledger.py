"""The application's own memory of items: tasks it gave, timers it set, time it holds, visits it booked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.actions import AddTask, AddVisit, CancelTimers, ClaimSlot, SetTimer, Step
from b24app.core.item import Busy, ItemRef
from b24app.core.needs import Entry, Ledger, OwnTask, Visit
from b24app.store import tables as t
from b24app.store.sql import insert, insert_once

FINISHED = ("completed", "awaiting_control", "gone", "closed")


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task of ours with what is needed to notice that it was finished."""

    id: int
    item: ItemRef
    task_id: int
    name: str
    purpose: str
    status: str
    rounds: int
    finished_at: datetime | None
    full_checklist: bool
    done: tuple[Step, ...]
    entry_id: int | None
    stage: str


@dataclass(frozen=True, slots=True)
class Timer:
    """A waiting (or ended) timer."""

    id: int
    item: ItemRef
    name: str
    what: str
    due: datetime
    step: Step
    lives: str
    task: str
    state: str
    reason: str
    set_at: datetime
    entry_id: int | None


def _of(table: sa.Table, portal_id: int, item: ItemRef) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.portal_id == portal_id, table.c.entity_type_id == item.entity_type_id, table.c.item_id == item.id)


def _item_values(portal_id: int, item: ItemRef) -> dict[str, int]:
    return {"portal_id": portal_id, "entity_type_id": item.entity_type_id, "item_id": item.id}


def _here(table: sa.Table) -> sa.ColumnElement[bool]:
    """Say `_of` with parameters, for statements that are built once; `_item_values` gives them."""
    names = ("portal_id", "entity_type_id", "item_id")
    return sa.and_(*(table.c[name] == sa.bindparam(name) for name in names))


_PORTAL: sa.BindParameter[int] = sa.bindparam("portal_id")
_ENTRIES = sa.select(t.entries).where(_here(t.entries)).order_by(t.entries.c.id)
_TASKS = sa.select(t.tasks).where(_here(t.tasks)).order_by(t.tasks.c.id)
_SLOTS = sa.select(t.slots).where(t.slots.c.portal_id == _PORTAL)
_VISIT = sa.select(t.visits).where(_here(t.visits), sa.not_(t.visits.c.cancelled)).order_by(t.visits.c.id.desc()).limit(1)
_TRAINED = sa.select(t.trained.c.stage).where(_here(t.trained))
_LEARNED = sa.select(t.learned.c.user_id).where(t.learned.c.portal_id == _PORTAL)
_TEXTS = sa.select(t.actions.c.body).where(
    _here(t.actions), t.actions.c.kind == "send_sms", t.actions.c.state.not_in(("failed", "dropped"))
)


def ledger(connection: Connection, portal_id: int, item: ItemRef) -> Ledger:
    """Gather what is remembered of an item."""
    here = _item_values(portal_id, item)
    entries = connection.execute(_ENTRIES, here).all()
    returned_from = Counter(row.came_from for row in entries if row.moved_by_action is not None and row.came_from)
    claimed, others = _slots(connection, portal_id, item)
    return Ledger(
        tasks=tuple(_own_tasks(connection, portal_id, item)),
        entries=tuple(_entry(row) for row in entries),
        visit=_visit(connection, portal_id, item),
        claimed=claimed,
        others=others,
        sms_texts=frozenset(_sms_texts(connection, portal_id, item)),
        trained=frozenset(connection.execute(_TRAINED, here).scalars()),
        returns=dict(returned_from),
        learned=frozenset(connection.execute(_LEARNED, {"portal_id": portal_id}).scalars()),
    )


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(row.id, row.stage_id, row.at, row.moved_by_action is not None, again=row.history_id is None)


def _own_tasks(connection: Connection, portal_id: int, item: ItemRef) -> Iterable[OwnTask]:
    for row in connection.execute(_TASKS, _item_values(portal_id, item)):
        yield OwnTask(
            name=row.name,
            title=row.title,
            responsible=row.responsible,
            purpose=row.purpose,
            stage=row.stage,
            task_id=row.task_id,
            open=row.status not in FINISHED,
            opened_at=row.opened_at,
            finished_at=row.finished_at,
            deadline=row.deadline,
            holds=row.holds,
            full_checklist=row.full_checklist,
            withdrawn=row.status == "closed",
        )


def _slots(connection: Connection, portal_id: int, item: ItemRef) -> tuple[tuple[Busy, ...], tuple[Busy, ...]]:
    mine: list[Busy] = []
    others: list[Busy] = []
    for row in connection.execute(_SLOTS, {"portal_id": portal_id}):
        held_for = ItemRef(row.entity_type_id, row.item_id)
        busy = Busy(row.start, row.end, "visit", row.title, held_for, row.user_id)
        (mine if held_for == item else others).append(busy)
    return tuple(mine), tuple(others)


def _visit(connection: Connection, portal_id: int, item: ItemRef) -> Visit | None:
    row = connection.execute(_VISIT, _item_values(portal_id, item)).one_or_none()
    return None if row is None else Visit(row.visit_id, row.user_id, row.start, row.end)


def _sms_texts(connection: Connection, portal_id: int, item: ItemRef) -> Iterable[str]:
    return (body["text"] for body in connection.execute(_TEXTS, _item_values(portal_id, item)).scalars())


def news(connection: Connection, portal_id: int, item: ItemRef) -> tuple[int | None, ...]:
    """Return the numbers of the news posted about an item, oldest first; None for one still on its way."""
    a = t.actions.c
    where = sa.and_(_of(t.actions, portal_id, item), a.kind == "add_news", a.state.not_in(("failed", "dropped")))
    rows = connection.execute(sa.select(a.progress).where(where).order_by(a.id)).scalars()
    return tuple(int(done["post_id"]) if done.get("post_id") else None for done in rows)


# Tasks ----------------------------------------------------------------------------------------------------------------


def add_task(
    connection: Connection, portal_id: int, action_id: int, action: AddTask, stage: str, entry_id: int | None, at: datetime
) -> None:
    """Remember a task from the moment it is decided, before the portal gives it a number."""
    row = {
        **_item_values(portal_id, action.item),
        "action_id": action_id,
        "name": action.name,
        "title": action.title,
        "purpose": action.purpose,
        "stage": stage,
        "entry_id": entry_id,
        "responsible": action.responsible,
        "holds": action.holds,
        "full_checklist": action.full_checklist,
        "done": [{"robot": step.robot, "props": dict(step.props)} for step in action.done],
        "status": "pending",
        "deadline": action.deadline,
        "opened_at": at,
    }
    insert_once(connection, t.tasks, row)


def task_created(connection: Connection, action_id: int, task_id: int) -> None:
    connection.execute(sa.update(t.tasks).where(t.tasks.c.action_id == action_id).values(task_id=task_id))


def task_failed(connection: Connection, action_id: int, at: datetime) -> None:
    """Forget to wait for a task the portal refused to create."""
    values = {"status": "gone", "finished_at": at}
    connection.execute(sa.update(t.tasks).where(t.tasks.c.action_id == action_id).values(**values))


def task_by_portal_id(connection: Connection, portal_id: int, task_id: int) -> TaskRow | None:
    where = (t.tasks.c.portal_id == portal_id) & (t.tasks.c.task_id == task_id)
    row = connection.execute(sa.select(t.tasks).where(where)).one_or_none()
    return None if row is None else _task(row)


def get_task(connection: Connection, row_id: int) -> TaskRow | None:
    row = connection.execute(sa.select(t.tasks).where(t.tasks.c.id == row_id)).one_or_none()
    return None if row is None else _task(row)


def own_task_ids(connection: Connection, portal_id: int, task_ids: Iterable[int]) -> dict[int, TaskRow]:
    """Return those of the tasks that are ours and may still change, by the portal's id."""
    where = (t.tasks.c.portal_id == portal_id) & t.tasks.c.task_id.in_(list(task_ids)) & (t.tasks.c.status != "closed")
    return {row.task_id: _task(row) for row in connection.execute(sa.select(t.tasks).where(where))}


def _task(row: sa.Row[Any]) -> TaskRow:
    return TaskRow(
        id=row.id,
        item=ItemRef(row.entity_type_id, row.item_id),
        task_id=row.task_id,
        name=row.name,
        purpose=row.purpose,
        status=row.status,
        rounds=row.rounds,
        finished_at=row.finished_at,
        full_checklist=row.full_checklist,
        done=tuple(Step(step["robot"], step["props"]) for step in row.done),
        entry_id=row.entry_id,
        stage=row.stage,
    )


def task_status(connection: Connection, row_id: int, status: str, finished_at: datetime | None, rounds: int) -> None:
    """Write down a task's new state; ``rounds`` counts how often it was finished."""
    values = {"status": status, "finished_at": finished_at, "rounds": rounds}
    connection.execute(sa.update(t.tasks).where(t.tasks.c.id == row_id).values(**values))


def task_closed_by_us(connection: Connection, portal_id: int, task_id: int, at: datetime) -> None:
    """Remember that this application closed a task, so that its completion starts nothing."""
    where = (t.tasks.c.portal_id == portal_id) & (t.tasks.c.task_id == task_id)
    connection.execute(sa.update(t.tasks).where(where).values(status="closed", finished_at=at))


def task_renewed(connection: Connection, portal_id: int, task_id: int) -> None:
    where = (t.tasks.c.portal_id == portal_id) & (t.tasks.c.task_id == task_id)
    connection.execute(sa.update(t.tasks).where(where).values(status="pending", finished_at=None))


def task_deadline(connection: Connection, portal_id: int, task_id: int, deadline: datetime) -> None:
    where = (t.tasks.c.portal_id == portal_id) & (t.tasks.c.task_id == task_id)
    connection.execute(sa.update(t.tasks).where(where).values(deadline=deadline))


# Timers ---------------------------------------------------------------------------------------------------------------


def set_timer(
    connection: Connection, portal_id: int, run_id: int, entry_id: int | None, action: SetTimer, at: datetime
) -> None:
    """Set a timer; a waiting one of the same name on the item gives way."""
    replaced = _of(t.timers, portal_id, action.item) & (t.timers.c.name == action.name) & (t.timers.c.state == "waiting")
    values = {"state": "cancelled", "reason": "replaced", "ended_at": at}
    connection.execute(sa.update(t.timers).where(replaced).values(**values))
    row = {
        **_item_values(portal_id, action.item),
        "run_id": run_id,
        "entry_id": entry_id,
        "name": action.name,
        "what": action.what,
        "due": action.due,
        "step": {"robot": action.step.robot, "props": dict(action.step.props)},
        "lives": action.lives,
        "task": action.task,
        "state": "waiting",
        "set_at": at,
    }
    insert(connection, t.timers, row)


def cancel_timers(connection: Connection, portal_id: int, action: CancelTimers, at: datetime) -> int:
    where = _of(t.timers, portal_id, action.item) & (t.timers.c.state == "waiting")
    if action.name:
        where &= t.timers.c.name == action.name
    if action.task:
        where &= (t.timers.c.task == action.task) & (t.timers.c.lives == "task")
    values = {"state": "cancelled", "reason": action.reason, "ended_at": at}
    return connection.execute(sa.update(t.timers).where(where).values(**values)).rowcount


def leave_stage(connection: Connection, portal_id: int, item: ItemRef, reason: str, at: datetime) -> int:
    """Cancel the timers that lived only as long as the item stood on its stage."""
    where = _of(t.timers, portal_id, item) & (t.timers.c.state == "waiting") & (t.timers.c.lives == "entry")
    values = {"state": "cancelled", "reason": reason, "ended_at": at}
    return connection.execute(sa.update(t.timers).where(where).values(**values)).rowcount


def due_timers(connection: Connection, portal_id: int, at: datetime, limit: int = 500) -> list[Timer]:
    where = (t.timers.c.portal_id == portal_id) & (t.timers.c.state == "waiting") & (t.timers.c.due <= at)
    statement = sa.select(t.timers).where(where).order_by(t.timers.c.due, t.timers.c.id).limit(limit)
    return [_timer(row) for row in connection.execute(statement)]


def next_due(connection: Connection, portal_id: int) -> datetime | None:
    """Return when the next timer of a portal comes due."""
    where = (t.timers.c.portal_id == portal_id) & (t.timers.c.state == "waiting")
    found: datetime | None = connection.execute(
        sa.select(sa.func.min(t.timers.c.due, type_=t.Moment())).where(where)
    ).scalar()
    return found


def get_timer(connection: Connection, timer_id: int) -> Timer | None:
    row = connection.execute(sa.select(t.timers).where(t.timers.c.id == timer_id)).one_or_none()
    return None if row is None else _timer(row)


def fired(connection: Connection, timer_id: int, at: datetime) -> bool:
    """Mark a timer as fired; False when it was cancelled meanwhile."""
    where = (t.timers.c.id == timer_id) & (t.timers.c.state == "waiting")
    return connection.execute(sa.update(t.timers).where(where).values(state="fired", ended_at=at)).rowcount == 1


def list_timers(
    connection: Connection,
    *,
    portal_id: int | None = None,
    item: ItemRef | None = None,
    state: str = "waiting",
    limit: int = 200,
) -> list[tuple[int, Timer]]:
    """Return timers by due time, each with its portal."""
    statement = sa.select(t.timers).order_by(t.timers.c.due, t.timers.c.id).limit(limit)
    if portal_id is not None:
        statement = statement.where(t.timers.c.portal_id == portal_id)
    if item is not None:
        statement = statement.where(t.timers.c.entity_type_id == item.entity_type_id, t.timers.c.item_id == item.id)
    if state:
        statement = statement.where(t.timers.c.state == state)
    return [(row.portal_id, _timer(row)) for row in connection.execute(statement)]


def _timer(row: sa.Row[Any]) -> Timer:
    return Timer(
        id=row.id,
        item=ItemRef(row.entity_type_id, row.item_id),
        name=row.name,
        what=row.what,
        due=row.due,
        step=Step(row.step["robot"], row.step["props"]),
        lives=row.lives,
        task=row.task,
        state=row.state,
        reason=row.reason,
        set_at=row.set_at,
        entry_id=row.entry_id,
    )


# Time held and visits -------------------------------------------------------------------------------------------------


def claim_slot(connection: Connection, portal_id: int, action: ClaimSlot, title: str, at: datetime) -> Busy | None:
    """Hold time for an item; return what stands in the way, or None when it is held.

    The portal's row is locked first, so that two claims at once are decided one after the other.
    """
    connection.execute(sa.select(t.portals.c.id).where(t.portals.c.id == portal_id).with_for_update())
    s = t.slots.c
    overlapping = sa.and_(s.portal_id == portal_id, s.user_id == action.user, s.start < action.end, s.end > action.start)
    for row in connection.execute(sa.select(t.slots).where(overlapping)):
        held_for = ItemRef(row.entity_type_id, row.item_id)
        if held_for != action.item:
            return Busy(row.start, row.end, "visit", row.title, held_for, row.user_id)
    release_slots(connection, portal_id, action.item)
    row_values = {
        **_item_values(portal_id, action.item),
        "user_id": action.user,
        "start": action.start,
        "end": action.end,
        "title": title,
        "claimed_at": at,
    }
    insert(connection, t.slots, row_values)
    return None


def release_slots(connection: Connection, portal_id: int, item: ItemRef) -> None:
    connection.execute(sa.delete(t.slots).where(_of(t.slots, portal_id, item)))


def held_slots(connection: Connection, portal_id: int, users: Iterable[int], start: datetime, end: datetime) -> list[Busy]:
    """Return the time held of these users in a span."""
    s = t.slots.c
    where = sa.and_(s.portal_id == portal_id, s.user_id.in_(list(users)), s.start < end, s.end > start)
    return [
        Busy(row.start, row.end, "visit", row.title, ItemRef(row.entity_type_id, row.item_id), row.user_id)
        for row in connection.execute(sa.select(t.slots).where(where))
    ]


def visit_booked(connection: Connection, portal_id: int, action_id: int, visit_id: int, action: AddVisit) -> None:
    row = {
        **_item_values(portal_id, action.item),
        "action_id": action_id,
        "visit_id": visit_id,
        "user_id": action.user,
        "start": action.start,
        "end": action.end,
        "cancelled": False,
    }
    insert_once(connection, t.visits, row)


def visit_cancelled(connection: Connection, portal_id: int, visit_id: int) -> None:
    where = (t.visits.c.portal_id == portal_id) & (t.visits.c.visit_id == visit_id)
    connection.execute(sa.update(t.visits).where(where).values(cancelled=True))


# Training -------------------------------------------------------------------------------------------------------------


def was_trained(connection: Connection, portal_id: int, item: ItemRef, stage: str, at: datetime) -> None:
    insert_once(connection, t.trained, {**_item_values(portal_id, item), "stage": stage, "at": at})


def set_learned(connection: Connection, portal_id: int, user_id: int, learned: bool, at: datetime) -> None:
    """Remember that a user knows the process by heart, or no longer."""
    if learned:
        insert_once(connection, t.learned, {"portal_id": portal_id, "user_id": user_id, "at": at})
    else:
        where = (t.learned.c.portal_id == portal_id) & (t.learned.c.user_id == user_id)
        connection.execute(sa.delete(t.learned).where(where))


def learned_users(connection: Connection, portal_id: int) -> set[int]:
    return set(connection.execute(sa.select(t.learned.c.user_id).where(t.learned.c.portal_id == portal_id)).scalars())


def own_visits(connection: Connection, portal_id: int) -> set[int]:
    """Return the calendar's ids of the visits booked here and not cancelled."""
    where = (t.visits.c.portal_id == portal_id) & sa.not_(t.visits.c.cancelled)
    return set(connection.execute(sa.select(t.visits.c.visit_id).where(where)).scalars())


def has_open_tasks(connection: Connection, portal_id: int) -> bool:
    """Tell whether any task of ours may still change."""
    where = (t.tasks.c.portal_id == portal_id) & t.tasks.c.status.not_in(("closed", "gone"))
    return connection.execute(sa.select(t.tasks.c.id).where(where).limit(1)).first() is not None
