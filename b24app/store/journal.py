"""The journal: what was decided and why, and what became of every action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.actions import Action, from_json, to_json
from b24app.core.item import ItemRef
from b24app.core.text import T
from b24app.store import tables as t
from b24app.store.sql import insert, insert_once

ActionState = Literal["pending", "sending", "unknown", "done", "failed", "dropped"]
OPEN: tuple[ActionState, ...] = ("pending", "sending", "unknown")


@dataclass(frozen=True, slots=True)
class Run:
    """One invocation of a robot, with the reason in words."""

    id: int
    key: str
    item: ItemRef
    robot: str
    process: str
    version: str
    stage_id: str
    entry_id: int | None
    work_id: int | None
    cause: Mapping[str, Any]
    props: Mapping[str, Any]
    facts: Mapping[str, Any]
    ok: bool
    why: T
    returns: Mapping[str, str]
    state: str
    at: datetime
    asked_by: str


@dataclass(frozen=True, slots=True)
class StoredAction:
    """An action with its key and its fate."""

    id: int
    run_id: int
    key: str
    action: Action
    state: ActionState
    progress: Mapping[str, Any]
    tries: int
    error: str
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    item: ItemRef
    """The item in whose line it waits."""
    not_before: datetime | None = None
    priority: int = 2
    """The priority of the work that decided it."""


def add_run(
    connection: Connection,
    portal_id: int,
    *,
    key: str,
    item: ItemRef,
    robot: str,
    ok: bool,
    why: T,
    state: str,
    at: datetime,
    work_id: int | None,
    entry_id: int | None,
    process: str,
    version: str,
    stage_id: str,
    cause: Mapping[str, Any],
    props: Mapping[str, Any],
    facts: Mapping[str, Any],
    returns: Mapping[str, str],
    asked_by: str = "",
) -> int | None:
    """Write a run down; None when a run of this key exists."""
    row = {
        "portal_id": portal_id,
        "key": key,
        "entity_type_id": item.entity_type_id,
        "item_id": item.id,
        "robot": robot,
        "ok": ok,
        "why_ru": why.ru,
        "why_en": why.en,
        "state": state,
        "at": at,
        "work_id": work_id,
        "entry_id": entry_id,
        "process": process,
        "version": version,
        "stage_id": stage_id,
        "cause": dict(cause),
        "props": dict(props),
        "facts": dict(facts),
        "returns": dict(returns),
        "asked_by": asked_by,
    }
    return insert_once(connection, t.runs, row)


_BY_KEY = sa.select(t.runs).where(t.runs.c.portal_id == sa.bindparam("portal_id"), t.runs.c.key == sa.bindparam("key"))


def run_of_key(connection: Connection, portal_id: int, key: str) -> Run | None:
    row = connection.execute(_BY_KEY, {"portal_id": portal_id, "key": key}).one_or_none()
    return None if row is None else _run(row)


def get_run(connection: Connection, run_id: int) -> tuple[int, Run] | None:
    """Return a run and the portal it belongs to."""
    row = connection.execute(sa.select(t.runs).where(t.runs.c.id == run_id)).one_or_none()
    return None if row is None else (row.portal_id, _run(row))


def list_runs(
    connection: Connection,
    *,
    portal_id: int | None = None,
    item: ItemRef | None = None,
    robot: str = "",
    state: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[tuple[int, Run]]:
    """Return runs, newest first, each with its portal; ``before`` pages on by run id.

    ``state``: ``decided``, ``skipped``, ``failed``, or ``trouble`` for runs with an action that failed or hangs.
    """
    r = t.runs.c
    statement = sa.select(t.runs).order_by(r.id.desc()).limit(limit)
    if portal_id is not None:
        statement = statement.where(r.portal_id == portal_id)
    if item is not None:
        statement = statement.where(r.entity_type_id == item.entity_type_id, r.item_id == item.id)
    if robot:
        statement = statement.where(r.robot == robot)
    if state == "trouble":
        bad = sa.exists().where(t.actions.c.run_id == r.id, t.actions.c.state.in_(("failed", "unknown")))
        statement = statement.where(sa.or_(r.state == "failed", bad))
    elif state:
        statement = statement.where(r.state == state)
    if before is not None:
        statement = statement.where(r.id < before)
    return [(row.portal_id, _run(row)) for row in connection.execute(statement)]


def runs_of_entry(connection: Connection, entry_id: int) -> list[Run]:
    """Return the runs of a stage entry, in order."""
    statement = sa.select(t.runs).where(t.runs.c.entry_id == entry_id).order_by(t.runs.c.id)
    return [_run(row) for row in connection.execute(statement)]


def runs_of_work(connection: Connection, work_id: int) -> list[Run]:
    """Return the runs of a piece of work, in order."""
    statement = sa.select(t.runs).where(t.runs.c.work_id == work_id).order_by(t.runs.c.id)
    return [_run(row) for row in connection.execute(statement)]


def _run(row: sa.Row[Any]) -> Run:
    return Run(
        id=row.id,
        key=row.key,
        item=ItemRef(row.entity_type_id, row.item_id),
        robot=row.robot,
        process=row.process,
        version=row.version,
        stage_id=row.stage_id,
        entry_id=row.entry_id,
        work_id=row.work_id,
        cause=row.cause,
        props=row.props,
        facts=row.facts,
        ok=row.ok,
        why=T(row.why_ru, row.why_en),
        returns=row.returns,
        state=row.state,
        at=row.at,
        asked_by=row.asked_by,
    )


# Actions --------------------------------------------------------------------------------------------------------------


def add_action(
    connection: Connection,
    portal_id: int,
    run_id: int,
    item: ItemRef,
    key: str,
    action: Action,
    state: ActionState,
    at: datetime,
) -> int:
    row = {
        "portal_id": portal_id,
        "entity_type_id": item.entity_type_id,
        "item_id": item.id,
        "run_id": run_id,
        "key": key,
        "kind": action.kind,
        "body": to_json(action),
        "state": state,
        "progress": {},
        "created_at": at,
        "ended_at": None if state in OPEN else at,
    }
    return insert(connection, t.actions, row)


def open_actions(connection: Connection, portal_id: int, at: datetime, limit: int = 500) -> list[StoredAction]:
    """Return what is to be carried out now: what more urgent work decided first, then in the order it was decided.

    An action waits behind an earlier one of the same item that is not yet due.
    """
    asked = {"portal_id": portal_id, "now": at, "most": limit}
    return [replace(_action(row), priority=row.priority) for row in connection.execute(_OPEN_ACTIONS, asked)]


def _open_actions() -> sa.Select[Any]:
    a, now = t.actions.c, sa.bindparam("now", type_=t.Moment())
    earlier = t.actions.alias()
    behind = sa.exists().where(
        earlier.c.portal_id == a.portal_id,
        earlier.c.entity_type_id == a.entity_type_id,
        earlier.c.item_id == a.item_id,
        earlier.c.id < a.id,
        earlier.c.state.in_(OPEN),
        earlier.c.not_before > now,
    )
    priority = sa.func.coalesce(t.work.c.priority, 2).label("priority")
    decided_by = t.actions.join(t.runs, t.runs.c.id == a.run_id).outerjoin(t.work, t.work.c.id == t.runs.c.work_id)
    due = sa.or_(a.not_before.is_(None), a.not_before <= now)
    return (
        sa.select(t.actions, priority)
        .select_from(decided_by)
        .where(a.portal_id == sa.bindparam("portal_id"), a.state.in_(OPEN), due, sa.not_(behind))
        .order_by(priority, a.id)
        .limit(sa.bindparam("most", type_=sa.Integer))
    )


_OPEN_ACTIONS = _open_actions()


def rest(connection: Connection, action_ids: Sequence[int], until: datetime, why: str) -> None:
    """Leave actions alone until a moment, whatever they have come to."""
    connection.execute(sa.update(t.actions).where(t.actions.c.id.in_(action_ids)).values(not_before=until, error=why))


def next_open(connection: Connection, portal_id: int) -> datetime | None:
    """Return when the next action that waits is to be tried again."""
    a = t.actions.c
    where = (a.portal_id == portal_id) & a.state.in_(OPEN) & a.not_before.is_not(None)
    found: datetime | None = connection.execute(sa.select(sa.func.min(a.not_before, type_=t.Moment())).where(where)).scalar()
    return found


def actions_of(connection: Connection, run_ids: Sequence[int]) -> list[StoredAction]:
    statement = sa.select(t.actions).where(t.actions.c.run_id.in_(run_ids)).order_by(t.actions.c.id)
    return [_action(row) for row in connection.execute(statement)]


def get_action(connection: Connection, action_id: int) -> tuple[int, StoredAction] | None:
    row = connection.execute(sa.select(t.actions).where(t.actions.c.id == action_id)).one_or_none()
    return None if row is None else (row.portal_id, _action(row))


def claim(connection: Connection, actions: Sequence[StoredAction], at: datetime, known_from: datetime | None = None) -> None:
    """Note that these are about to be sent: after a crash they count as possibly done, and are left alone until then."""
    ids = [action.id for action in actions]
    values = {"state": "sending", "sent_at": at, "not_before": known_from}
    connection.execute(sa.update(t.actions).where(t.actions.c.id.in_(ids)).values(**values))


def settle(
    connection: Connection,
    action_id: int,
    state: ActionState,
    at: datetime,
    *,
    progress: Mapping[str, Any],
    error: str = "",
    tries: int = 0,
    not_before: datetime | None = None,
) -> None:
    """Write down how far an action has come; ``tries`` counts its failures since the last step that worked."""
    values = {
        "action_id": action_id,
        "tries": tries,
        "state": state,
        "progress": dict(progress),
        "error": error,
        "not_before": not_before,
        "ended_at": None if state in OPEN else at,
    }
    connection.execute(_SETTLE, values)


_SETTLE = sa.update(t.actions).where(t.actions.c.id == sa.bindparam("action_id"))


def retry_action(connection: Connection, action_id: int) -> bool:
    """Make a failed action pending again; it is looked up on the portal before it is repeated."""
    failed = (t.actions.c.id == action_id) & (t.actions.c.state == "failed")
    values = {"state": "unknown", "error": "", "not_before": None, "ended_at": None, "tries": 0}
    return connection.execute(sa.update(t.actions).where(failed).values(**values)).rowcount == 1


def moves_not_seen(
    connection: Connection, portal_id: int, entity_type_id: int, item_ids: Iterable[int]
) -> dict[int, list[tuple[int, str]]]:
    """Return the own moves that no stage entry was matched with yet, by item: number and target, oldest first."""
    a, e = t.actions.c, t.entries.c
    matched = sa.exists().where(
        e.portal_id == a.portal_id,
        e.entity_type_id == a.entity_type_id,
        e.item_id == a.item_id,
        e.moved_by_action == a.id,
    )
    statement = (
        sa.select(a.id, a.item_id, a.body, a.progress)
        .where(
            a.portal_id == portal_id,
            a.entity_type_id == entity_type_id,
            a.item_id.in_(list(item_ids)),
            a.kind == "move_stage",
            a.state.in_(("sending", "unknown", "done")),
            sa.not_(matched),
        )
        .order_by(a.id)
    )
    found: dict[int, list[tuple[int, str]]] = {}
    for row in connection.execute(statement):
        if not row.progress.get("superseded"):
            found.setdefault(row.item_id, []).append((row.id, row.body["to"]))
    return found


def _action(row: sa.Row[Any]) -> StoredAction:
    return StoredAction(
        id=row.id,
        run_id=row.run_id,
        key=row.key,
        action=from_json(row.body),
        state=row.state,
        progress=row.progress,
        tries=row.tries,
        error=row.error,
        created_at=row.created_at,
        sent_at=row.sent_at,
        ended_at=row.ended_at,
        not_before=row.not_before,
        item=ItemRef(row.entity_type_id, row.item_id),
    )
