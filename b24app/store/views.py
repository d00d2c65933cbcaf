"""What people look at: rows put together for pages and for operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.actions import Action, from_json
from b24app.core.item import ItemRef
from b24app.store import tables as t
from b24app.store.given_tasks import FINISHED
from b24app.store.journal import OPEN


@dataclass(frozen=True, slots=True)
class Incident:
    """Work or an action that failed for good and waits for a person."""

    id: str
    """``work-7`` or ``action-9``."""
    portal_id: int
    item: ItemRef
    kind: Literal["work", "action"]
    what: str
    run_id: int | None
    error: str
    tries: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Load:
    """How much of a portal waits, failed, or is hung up on a clock."""

    work: int = 0
    failed_work: int = 0
    actions: int = 0
    failed_actions: int = 0
    timers: int = 0


@dataclass(frozen=True, slots=True)
class CalledRobot:
    """A robot the portal's own automation called on a stage."""

    robot: str
    process: str
    stage_id: str
    times: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An action that is not yet carried out."""

    id: int
    kind: str
    state: str


def incidents(connection: Connection, portal_id: int | None = None, limit: int = 100) -> list[Incident]:
    """Return failed work and failed actions, newest first."""
    w, a = t.work.c, t.actions.c
    works = sa.select(t.work).where(w.state == "failed").order_by(w.id.desc()).limit(limit)
    acts = sa.select(t.actions).where(a.state == "failed").order_by(a.id.desc()).limit(limit)
    if portal_id is not None:
        works, acts = works.where(w.portal_id == portal_id), acts.where(a.portal_id == portal_id)
    found = [_of_work(row) for row in connection.execute(works)] + [_of_action(row) for row in connection.execute(acts)]
    return sorted(found, key=lambda incident: incident.at, reverse=True)[:limit]


def incident_of_work(connection: Connection, work_id: int) -> Incident | None:
    where = (t.work.c.id == work_id) & (t.work.c.state == "failed")
    row = connection.execute(sa.select(t.work).where(where)).one_or_none()
    return None if row is None else _of_work(row)


def incident_of_action(connection: Connection, action_id: int) -> Incident | None:
    where = (t.actions.c.id == action_id) & (t.actions.c.state == "failed")
    row = connection.execute(sa.select(t.actions).where(where)).one_or_none()
    return None if row is None else _of_action(row)


def _of_work(row: sa.Row[Any]) -> Incident:
    item = ItemRef(row.entity_type_id, row.item_id)
    at = row.ended_at or row.created_at
    return Incident(f"work-{row.id}", row.portal_id, item, "work", row.kind, None, row.error, row.tries, at)


def _of_action(row: sa.Row[Any]) -> Incident:
    item = ItemRef(row.entity_type_id, row.item_id)
    at = row.ended_at or row.created_at
    return Incident(f"action-{row.id}", row.portal_id, item, "action", row.kind, row.run_id, row.error, row.tries, at)


def loads(connection: Connection) -> dict[int, Load]:
    """Count what waits and what failed, by portal."""
    counted: dict[int, dict[str, int]] = {}

    def count(table: sa.Table, where: sa.ColumnElement[bool], name: str) -> None:
        statement = sa.select(table.c.portal_id, sa.func.count()).where(where).group_by(table.c.portal_id)
        for portal_id, number in connection.execute(statement):
            counted.setdefault(portal_id, {})[name] = number

    count(t.work, t.work.c.state == "ready", "work")
    count(t.work, t.work.c.state == "failed", "failed_work")
    count(t.actions, t.actions.c.state.in_(OPEN), "actions")
    count(t.actions, t.actions.c.state == "failed", "failed_actions")
    count(t.timers, t.timers.c.state == "waiting", "timers")
    return {portal_id: Load(**numbers) for portal_id, numbers in counted.items()}


def audit_rows(connection: Connection, portal_id: int | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """Return who changed what, newest first."""
    statement = sa.select(t.audit).order_by(t.audit.c.id.desc()).limit(limit)
    if portal_id is not None:
        statement = statement.where(t.audit.c.portal_id == portal_id)
    return [dict(row) for row in connection.execute(statement).mappings()]


def portal_of_timer(connection: Connection, timer_id: int) -> int | None:
    """Return the portal a timer belongs to."""
    found: int | None = connection.execute(sa.select(t.timers.c.portal_id).where(t.timers.c.id == timer_id)).scalar()
    return found


def cancel_timer(connection: Connection, timer_id: int, reason: str, at: datetime) -> bool:
    """Cancel one waiting timer; False when it is not waiting any more."""
    waiting = (t.timers.c.id == timer_id) & (t.timers.c.state == "waiting")
    values = {"state": "cancelled", "reason": reason, "ended_at": at}
    return connection.execute(sa.update(t.timers).where(waiting).values(**values)).rowcount == 1


def portal_of_entry(connection: Connection, entry_id: int) -> int | None:
    """Return the portal a stage entry belongs to."""
    found: int | None = connection.execute(sa.select(t.entries.c.portal_id).where(t.entries.c.id == entry_id)).scalar()
    return found


def last_entry_id(connection: Connection, portal_id: int, item: ItemRef) -> int | None:
    """Return the newest stage entry of an item."""
    e = t.entries.c
    where = (e.portal_id == portal_id) & (e.entity_type_id == item.entity_type_id) & (e.item_id == item.id)
    found: int | None = connection.execute(sa.select(sa.func.max(e.id)).where(where)).scalar()
    return found


def called_robots(connection: Connection, portal_id: int) -> list[CalledRobot]:
    """Return which robots the portal's automation called, stage by stage."""
    r = t.runs.c
    statement = (
        sa.select(
            r.robot, r.process, r.stage_id, sa.func.count().label("times"), sa.func.max(r.at, type_=t.Moment()).label("last")
        )
        .join(t.work, t.work.c.id == r.work_id)
        .where(r.portal_id == portal_id, t.work.c.kind == "call")
        .group_by(r.robot, r.process, r.stage_id)
        .order_by(r.process, r.stage_id, r.robot)
    )
    return [CalledRobot(row.robot, row.process, row.stage_id, row.times, row.last) for row in connection.execute(statement)]


def versions_in_use(connection: Connection, portal_id: int) -> Mapping[str, Mapping[str, int]]:
    """Count the running items of each process by the version they keep."""
    i = t.items.c
    statement = (
        sa.select(i.process, i.version, sa.func.count())
        .where(i.portal_id == portal_id, sa.not_(i.gone))
        .group_by(i.process, i.version)
    )
    used: dict[str, dict[str, int]] = {}
    for process, version, number in connection.execute(statement):
        used.setdefault(process, {})[version] = number
    return used


def known_versions(connection: Connection) -> list[tuple[str, str, datetime]]:
    """Return every version of every process that was ever used: process, version, first seen."""
    v = t.process_versions.c
    rows = connection.execute(sa.select(v.code, v.version, v.seen_at).order_by(v.code, v.seen_at.desc()))
    return [(row.code, row.version, row.seen_at) for row in rows]


def unsettled_of_robot(connection: Connection, portal_id: int, item: ItemRef, robot: str) -> list[Unsettled]:
    """Return the actions a robot decided for an item that are not yet carried out."""
    a = t.actions.c
    statement = (
        sa.select(a.id, a.kind, a.state)
        .join(t.runs, t.runs.c.id == a.run_id)
        .where(
            a.portal_id == portal_id,
            a.entity_type_id == item.entity_type_id,
            a.item_id == item.id,
            a.state.in_(OPEN),
            t.runs.c.robot == robot,
        )
        .order_by(a.id)
    )
    return [Unsettled(row.id, row.kind, row.state) for row in connection.execute(statement)]


def actions_since(
    connection: Connection, portal_id: int, item: ItemRef, kind: str, since: datetime
) -> list[tuple[Action, datetime]]:
    """Return the actions of a kind decided for an item after a moment, with when; none that failed or was dropped."""
    a = t.actions.c
    statement = (
        sa.select(a.body, a.created_at)
        .where(a.portal_id == portal_id, a.entity_type_id == item.entity_type_id, a.item_id == item.id)
        .where(a.kind == kind, a.state.in_((*OPEN, "done")), a.created_at > since)
    )
    return [(from_json(row.body), row.created_at) for row in connection.execute(statement)]


def run_ended_since(connection: Connection, portal_id: int, item: ItemRef, robot: str, suffix: str, since: datetime) -> bool:
    """Tell whether a robot has a run of an item, its key ending with ``suffix``, after a moment."""
    r = t.runs.c
    statement = (
        sa.select(r.id)
        .where(r.portal_id == portal_id, r.entity_type_id == item.entity_type_id, r.item_id == item.id)
        .where(r.robot == robot, r.key.endswith(suffix, autoescape=True), r.at > since)
    )
    return connection.execute(statement.limit(1)).first() is not None


def drop_pending(connection: Connection, action_ids: list[int], reason: str, at: datetime) -> int:
    """Drop actions that nobody has begun to carry out; return how many were still waiting."""
    waiting = t.actions.c.id.in_(action_ids) & (t.actions.c.state == "pending")
    values = {"state": "dropped", "error": reason, "ended_at": at}
    return connection.execute(sa.update(t.actions).where(waiting).values(**values)).rowcount


@dataclass(frozen=True, slots=True)
class OpenTask:
    """An open task this application gave somebody, with the item it belongs to."""

    item: ItemRef
    task_id: int | None
    title: str
    deadline: datetime | None


def open_tasks_of(connection: Connection, portal_id: int, user_id: int, limit: int = 100) -> list[OpenTask]:
    """Return the open tasks of a user, the most urgent first."""
    k = t.tasks.c
    statement = (
        sa.select(t.tasks)
        .where(k.portal_id == portal_id, k.responsible == user_id, k.status.not_in(FINISHED))
        .order_by(k.deadline.is_(None), k.deadline, k.id)
        .limit(limit)
    )
    rows = connection.execute(statement)
    return [OpenTask(ItemRef(row.entity_type_id, row.item_id), row.task_id, row.title, row.deadline) for row in rows]
