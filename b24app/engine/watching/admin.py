"""What operators look at and change; every change is written into the audit with who and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from b24app.core.item import ItemRef
from b24app.engine.known import Names, names_of
from b24app.engine.watching.strain import Strain, strain_of
from b24app.engine.workshop import Workshop
from b24app.store import audit, entries, journal, queue, retention, timers, views
from b24app.store.entries import StageEntry
from b24app.store.journal import Run, StoredAction
from b24app.store.portals import Portal, Reads
from b24app.store.queue import Healed
from b24app.store.timers import Timer
from b24app.store.views import Incident, Load

LONGEST = 10_000
"""Runs of one item given at once."""


class NotThere(LookupError):
    """What was asked for is not stored, or not in a state in which this can be done."""


@dataclass(frozen=True, slots=True)
class RunStory:
    """A run with everything that became of it."""

    portal_id: int
    run: Run
    actions: tuple[StoredAction, ...]


@dataclass(frozen=True, slots=True)
class PortalRow:
    """A portal with what waits for it and when it was last read; ``at_rest`` when nothing is done or to be done now."""

    portal: Portal
    load: Load
    reads: Reads
    at_rest: bool = False
    strain: Strain = field(default_factory=Strain)
    healed: Healed = field(default_factory=Healed)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs to show; ``state`` as in `b24app.store.journal.list_runs`, ``before`` pages on."""

    portal_id: int | None = None
    item: ItemRef | None = None
    robot: str = ""
    state: str = ""
    before: int | None = None
    limit: int = 50


def find_portal(workshop: Workshop, written: str) -> Portal:
    """Return a portal by its number, its ``member_id`` or its host; raises `NotThere`."""
    with workshop.database.read() as connection:
        for portal in workshop.portals.all(connection):
            if written in (str(portal.id), portal.member_id, portal.host):
                return portal
    raise NotThere(f"portal {written}")


def runs(workshop: Workshop, wanted: Wanted) -> list[tuple[int, Run]]:
    """Return runs, newest first, each with its portal."""
    with workshop.database.read() as connection:
        return journal.list_runs(
            connection,
            portal_id=wanted.portal_id,
            item=wanted.item,
            robot=wanted.robot,
            state=wanted.state,
            before=wanted.before,
            limit=wanted.limit,
        )


def run_story(workshop: Workshop, run_id: int) -> RunStory:
    """Return a run with its actions; raises `NotThere`."""
    with workshop.database.read() as connection:
        found = journal.get_run(connection, run_id)
        if found is None:
            raise NotThere(f"run {run_id}")
        return RunStory(found[0], found[1], tuple(journal.actions_of(connection, [run_id])))


def list_timers(
    workshop: Workshop, portal_id: int | None = None, item: ItemRef | None = None, state: str = "waiting"
) -> list[tuple[int, Timer]]:
    """Return timers by due time, each with its portal."""
    with workshop.database.read() as connection:
        return timers.listed(connection, portal_id=portal_id, item=item, state=state)


def portals(workshop: Workshop) -> list[PortalRow]:
    """Return all portals with what waits for each."""
    period = timedelta(seconds=workshop.settings.reader_period)
    with workshop.database.read() as connection:
        counted = views.loads(connection)
        due = workshop.portals.due(connection, workshop.now(), period)
        return [
            PortalRow(
                portal,
                counted.get(portal.id, Load()),
                workshop.portals.reads(connection, portal.id),
                portal.id not in due and not workshop.portals.lane_taken(connection, portal.id),
                strain_of(workshop, connection, portal.id),
                queue.healed(connection, portal.id),
            )
            for portal in workshop.portals.all(connection)
        ]


def incidents(workshop: Workshop, portal_id: int | None = None) -> list[Incident]:
    """Return failed work and failed actions, newest first."""
    with workshop.database.read() as connection:
        return views.incidents(connection, portal_id)


def stories(workshop: Workshop, portal_id: int, item: ItemRef) -> list[RunStory]:
    """Return everything the journal holds of an item, oldest first, for whoever may ask what is kept of him."""
    with workshop.database.read() as connection:
        found = [run for _, run in journal.list_runs(connection, portal_id=portal_id, item=item, limit=LONGEST)]
        actions = journal.actions_of(connection, [run.id for run in found])
    return [RunStory(portal_id, run, tuple(a for a in actions if a.run_id == run.id)) for run in reversed(found)]


def list_audit(workshop: Workshop, portal_id: int | None = None, limit: int = 100) -> list[Mapping[str, Any]]:
    """Return who changed what and why, newest first."""
    with workshop.database.read() as connection:
        return list(views.audit_rows(connection, portal_id, limit))


def versions(workshop: Workshop) -> list[tuple[str, str, datetime]]:
    """Return every version of every process: process, version, first seen."""
    with workshop.database.read() as connection:
        return views.known_versions(connection)


def names_for(workshop: Workshop, portal_ids: Iterable[int]) -> dict[int, tuple[Portal, Names]]:
    """Return some portals with what their ids are called; unknown ones are left out."""
    with workshop.database.read() as connection:
        found = (workshop.portals.by_id(connection, portal_id) for portal_id in sorted(set(portal_ids)))
        return {portal.id: (portal, names_of(connection, workshop, portal)) for portal in found if portal is not None}


def last_entry_of(workshop: Workshop, portal_id: int, item: ItemRef) -> int:
    """Return the newest stage entry of an item; raises `NotThere`."""
    with workshop.database.read() as connection:
        found = views.last_entry_id(connection, portal_id, item)
    if found is None:
        raise NotThere(f"stage entry of {item}")
    return found


def newest_entry(workshop: Workshop, portal_id: int, item: ItemRef) -> StageEntry | None:
    """Return the newest stage entry of an item; None where none is known."""
    with workshop.database.read() as connection:
        return entries.last(connection, portal_id, item)


# Changes --------------------------------------------------------------------------------------------------------------


def retry_incident(workshop: Workshop, incident_id: str, who: str, why: str) -> Incident:
    """Do failed work or a failed action once more; raises `NotThere` for one that has not failed.

    An action is looked up on the portal before it is repeated.
    """
    kind, _, number = incident_id.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        raise NotThere(f"incident {incident_id}")
    with workshop.database.write() as connection:
        incident = _incident(connection, kind, int(number))
        retried = journal.retry_action if incident.kind == "action" else queue.retry_work
        if not retried(connection, int(number)):
            raise NotThere(f"incident {incident_id}")
        _changed(connection, workshop, incident.portal_id, who, "retry", why, incident=incident.id, item=str(incident.item))
    workshop.wake(incident.portal_id)
    return incident


def _incident(connection: Connection, kind: str, number: int) -> Incident:
    read = {"work": views.incident_of_work, "action": views.incident_of_action}.get(kind)
    found = read(connection, number) if read else None
    if found is None:
        raise NotThere(f"incident {kind}-{number}")
    return found


def cancel_timer(workshop: Workshop, timer_id: int, who: str, why: str) -> None:
    """Cancel a waiting timer; raises `NotThere`."""
    with workshop.database.write() as connection:
        portal_id = views.portal_of_timer(connection, timer_id)
        if portal_id is None or not views.cancel_timer(connection, timer_id, f"{who}: {why}", workshop.now()):
            raise NotThere(f"waiting timer {timer_id}")
        _changed(connection, workshop, portal_id, who, "cancel_timer", why, timer=timer_id)


def forget_item(workshop: Workshop, portal_id: int, item: ItemRef, who: str, why: str) -> Mapping[str, int]:
    """Delete what is settled of an item: its runs with their actions, its work, its ended timers; return how many.

    What is still open stays: an unsettled action, a waiting timer, an open task and the run it came from.
    """
    with workshop.database.write() as connection:
        gone = retention.forget_item(connection, portal_id, item)
        audit.note(connection, portal_id, workshop.now(), who, "forget", why, item=str(item), **gone)
    return gone


def wake_portal(workshop: Workshop, portal_id: int, who: str, why: str) -> None:
    """Have a portal read and worked for now; raises `NotThere`."""
    with workshop.database.write() as connection:
        if workshop.portals.by_id(connection, portal_id) is None:
            raise NotThere(f"portal {portal_id}")
        _changed(connection, workshop, portal_id, who, "wake", why)
    workshop.wake(portal_id)


def _changed(
    connection: Connection, workshop: Workshop, portal_id: int, who: str, what: str, why: str, **details: Any
) -> None:
    now = workshop.now()
    audit.note(connection, portal_id, now, who, what, why, **details)
    workshop.portals.wake(connection, portal_id, now)
