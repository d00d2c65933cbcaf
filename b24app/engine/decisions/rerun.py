"""Doing again: one run, the steps of a stage entry, or a robot on an item. Shown first, written down who asked and why.

A preview is the real decision, made in a transaction that is taken back. Without ``force`` what was done is not done again:
only runs that failed, were skipped, or left something undone are worth repeating.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy.engine import Connection

from b24app.core.actions import to_json
from b24app.core.item import ItemRef
from b24app.core.properties import properties_of
from b24app.core.robot import Robot
from b24app.core.text import T, join
from b24app.engine.access import gate_of
from b24app.engine.decisions.decide import Decider
from b24app.engine.decisions.plan import digest
from b24app.engine.workshop import Workshop
from b24app.store import audit, entries, journal, queue
from b24app.store.journal import OPEN, Run, StoredAction
from b24app.store.portals import Portal
from b24app.store.queue import WorkKind

DONE = T("Всё уже выполнено; повторить можно только принудительно", "All of this is done; it can only be repeated by force")
ASKED = T("Это уже поручено этой же кнопкой", "This button has asked for it already")
NOTHING = T("Выполнять нечего", "There is nothing to do")


class AlreadyAsked(Exception):
    """What is to be done once has been put down before."""


class NoSuchThing(LookupError):
    """No run, entry or robot of this name exists."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rerun does, or would do: actions as stored, the reasons in words, and the runs it made (none yet, or none)."""

    actions: list[dict[str, Any]]
    why: T
    run_ids: tuple[int, ...] = ()


def rerun_run(workshop: Workshop, run_id: int, who: str, why: str, *, dry_run: bool, force: bool, once: str = "") -> Preview:
    """Run a robot again the way a run did; raises `NoSuchThing`, `BadStep`, and the `PortalError` that reading met."""
    with workshop.database.read() as connection:
        found = journal.get_run(connection, run_id)
        if found is None:
            raise NoSuchThing(f"run {run_id}")
        portal_id, run = found
        done = _all_done([run], journal.actions_of(connection, [run.id]))
    if done and not force:
        return Preview([], DONE)
    robot = workshop.catalogue.get(run.robot)
    if robot is None:
        raise NoSuchThing(f"robot {run.robot}")
    body = {
        "steps": [{"robot": run.robot, "props": written_again(robot, run.props)}],
        "by": who,
        "why": why,
        "cause": dict(run.cause),
        "reasons": run.facts.get("reasons", []),
        "force": force,
    }
    return _do(workshop, portal_id, run.item, "rerun", body, who, why, dry_run, once, what=f"run {run_id}")


def rerun_entry(
    workshop: Workshop, entry_id: int, who: str, why: str, *, dry_run: bool, force: bool, once: str = ""
) -> Preview:
    """Run the checks and steps of a stage entry again; raises `NoSuchThing`, `BadStep`, and the `PortalError` it met."""
    with workshop.database.read() as connection:
        entry = entries.get(connection, entry_id)
        portal_id = entries.portal_of(connection, entry_id)
        if entry is None or portal_id is None:
            raise NoSuchThing(f"stage entry {entry_id}")
        runs = journal.runs_of_entry(connection, entry_id)
        done = bool(runs) and _all_done(runs, journal.actions_of(connection, [run.id for run in runs]))
    if done and not force:
        return Preview([], DONE)
    body = {"entry_id": entry_id, "again": True, "by": who, "force": force}
    return _do(workshop, portal_id, entry.item, "entry", body, who, why, dry_run, once, what=f"entry {entry_id}")


def run_robot(
    workshop: Workshop,
    portal_id: int,
    item: ItemRef,
    code: str,
    props: Mapping[str, Any],
    who: str,
    why: str,
    *,
    dry_run: bool,
    once: str = "",
) -> Preview:
    """Run a robot on an item; raises `NoSuchThing`, `BadStep`, and the `PortalError` reading its facts met."""
    if code not in workshop.catalogue:
        raise NoSuchThing(f"robot {code}")
    body = {"steps": [{"robot": code, "props": dict(props)}], "by": who, "why": why}
    return _do(workshop, portal_id, item, "rerun", body, who, why, dry_run, once, what=f"robot {code}")


def _do(
    workshop: Workshop,
    portal_id: int,
    item: ItemRef,
    kind: WorkKind,
    body: Mapping[str, Any],
    who: str,
    why: str,
    dry_run: bool,
    once: str,
    *,
    what: str,
) -> Preview:
    """Show what would be done and, if wanted, put it down: one time for each ``once``, where one is given."""
    portal = workshop.portal(portal_id)
    shown = preview(workshop, portal, item, kind, body)
    now = workshop.now()
    try:
        with workshop.database.write() as connection:
            details = {"item": item.binding, "dry_run": dry_run, "of": what}
            audit.note(connection, portal_id, now, who, "rerun", why, **details)
            if not dry_run:
                _put_down(connection, workshop, portal, item, kind, body, once)
                workshop.portals.wake(connection, portal_id, now)
    except AlreadyAsked:
        return Preview([], ASKED)
    if not dry_run:
        workshop.wake(portal_id)
    return shown


def _put_down(
    connection: Connection,
    workshop: Workshop,
    portal: Portal,
    item: ItemRef,
    kind: WorkKind,
    body: Mapping[str, Any],
    once: str = "",
) -> int:
    """Put the work down under a key of its own; a stage is run again as an entry of its own. Raises `AlreadyAsked`."""
    now = workshop.now()
    given, once = dict(body), once or uuid4().hex
    if kind == "entry":
        old = entries.get(connection, int(body["entry_id"]))
        assert old is not None
        given["entry_id"] = entries.add(
            connection,
            portal.id,
            item,
            history_id=None,
            key=f"rerun:{digest(once)}",
            stage_id=old.stage_id,
            category_id=old.category_id,
            at=now,
            seen_at=now,
            came_from=old.came_from,
        )
    work_id = queue.add_work(connection, portal.id, item, f"rerun:{once}", kind, given, now)
    if work_id is None:
        raise AlreadyAsked
    return work_id


def preview(workshop: Workshop, portal: Portal, item: ItemRef, kind: WorkKind, body: Mapping[str, Any]) -> Preview:
    """Decide as if it were done, and keep nothing; raises `BadStep` for properties a robot does not understand."""
    decider = Decider(workshop, portal, gate_of(workshop, portal))
    runs: list[Run] = []
    actions: list[StoredAction] = []

    def put_down(connection: Connection) -> int:
        return _put_down(connection, workshop, portal, item, kind, body)

    def look(connection: Connection, work_id: int) -> None:
        runs[:] = journal.runs_of_work(connection, work_id)
        actions[:] = journal.actions_of(connection, [run.id for run in runs])

    decider.rehearse(item, put_down, look)
    if not runs:
        return Preview([], NOTHING)
    whys = [T(f"{run.robot}: {run.why.ru}", f"{run.robot}: {run.why.en}") for run in runs]
    return Preview([to_json(stored.action) for stored in actions], join(whys, "\n"))


def _all_done(runs: Sequence[Run], actions: Sequence[StoredAction]) -> bool:
    return all(run.state == "decided" for run in runs) and all(a.state in ("done", *OPEN) for a in actions)


def written_again(robot: Robot[Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Turn properties as the journal shows them into what a process file would say; what is empty is left out."""
    names = {p.name for p in properties_of(robot.props)}
    empty: tuple[Any, ...] = (None, "", [], {}, {"ru": "", "en": ""})
    return {name: value for name, value in stored.items() if name in names and value not in empty}
