"""Tasks the application gave: what they are for, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.actions import AddTask, Step
from b24app.core.item import ItemRef
from b24app.store import tables as t
from b24app.store.sql import insert_once, item_values

FINISHED = ("completed", "awaiting_control", "gone", "closed")


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task of ours with what is needed to notice that it was finished."""

    id: int
    key: str
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


def add(
    connection: Connection,
    portal_id: int,
    action_id: int,
    key: str,
    action: AddTask,
    stage: str,
    entry_id: int | None,
    at: datetime,
) -> None:
    """Remember a task from the moment it is decided, before the portal gives it a number."""
    row = {
        **item_values(portal_id, action.item),
        "action_id": action_id,
        "key": key,
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


def created(connection: Connection, action_id: int, task_id: int) -> None:
    connection.execute(sa.update(t.tasks).where(t.tasks.c.action_id == action_id).values(task_id=task_id))


def failed(connection: Connection, action_id: int, at: datetime) -> None:
    """Forget to wait for a task the portal refused to create."""
    values = {"status": "gone", "finished_at": at}
    connection.execute(sa.update(t.tasks).where(t.tasks.c.action_id == action_id).values(**values))


def by_task_id(connection: Connection, portal_id: int, task_id: int) -> TaskRow | None:
    where = (t.tasks.c.portal_id == portal_id) & (t.tasks.c.task_id == task_id)
    row = connection.execute(sa.select(t.tasks).where(where)).one_or_none()
    return None if row is None else _task(row)


def get(connection: Connection, row_id: int) -> TaskRow | None:
    row = connection.execute(sa.select(t.tasks).where(t.tasks.c.id == row_id)).one_or_none()
    return None if row is None else _task(row)


def by_task_ids(connection: Connection, portal_id: int, task_ids: Iterable[int]) -> dict[int, TaskRow]:
    """Return those of the tasks that are ours and may still change, by the portal's id."""
    where = (t.tasks.c.portal_id == portal_id) & t.tasks.c.task_id.in_(list(task_ids)) & (t.tasks.c.status != "closed")
    return {row.task_id: _task(row) for row in connection.execute(sa.select(t.tasks).where(where))}


def _task(row: sa.Row[Any]) -> TaskRow:
    return TaskRow(
        id=row.id,
        key=row.key,
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


def set_status(connection: Connection, row_id: int, status: str, finished_at: datetime | None, rounds: int) -> None:
    """Write down a task's new state; ``rounds`` counts how often it was finished."""
    values = {"status": status, "finished_at": finished_at, "rounds": rounds}
    connection.execute(sa.update(t.tasks).where(t.tasks.c.id == row_id).values(**values))


def closed_by_us(connection: Connection, portal_id: int, task_id: int, at: datetime) -> None:
    """Remember that this application closed a task, so that its completion starts nothing."""
    where = (t.tasks.c.portal_id == portal_id) & (t.tasks.c.task_id == task_id)
    connection.execute(sa.update(t.tasks).where(where).values(status="closed", finished_at=at))


def renewed(connection: Connection, portal_id: int, task_id: int, finished_by: datetime | None = None) -> None:
    """Remember that a task is in work again; with ``finished_by``, unless it is known to have been finished after that."""
    where = (t.tasks.c.portal_id == portal_id) & (t.tasks.c.task_id == task_id)
    if finished_by is not None:
        where &= t.tasks.c.finished_at <= finished_by
    connection.execute(sa.update(t.tasks).where(where).values(status="pending", finished_at=None))


def set_deadline(connection: Connection, portal_id: int, task_id: int, deadline: datetime) -> None:
    where = (t.tasks.c.portal_id == portal_id) & (t.tasks.c.task_id == task_id)
    connection.execute(sa.update(t.tasks).where(where).values(deadline=deadline))


def any_open(connection: Connection, portal_id: int) -> bool:
    """Tell whether any task of ours may still change."""
    where = (t.tasks.c.portal_id == portal_id) & t.tasks.c.status.not_in(("closed", "gone"))
    return connection.execute(sa.select(t.tasks.c.id).where(where).limit(1)).first() is not None
