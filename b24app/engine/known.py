"""What is already known of a portal without asking it: its people, its processes, the names of its stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy.engine import Connection

from b24app.calendar import calendar_of
from b24app.core.item import ItemRef, People
from b24app.core.process import ProcessDef, StageDef
from b24app.core.text import T
from b24app.core.worktime import WorkCalendar
from b24app.engine.knowledge import people_kept
from b24app.engine.workshop import Workshop
from b24app.store import entries, processes
from b24app.store.portals import Portal
from b24app.store.processes import Tie


@dataclass(frozen=True, slots=True)
class Standing:
    """The process an item runs in, in the version it keeps, and the stage it was last seen on."""

    process: ProcessDef
    tie: Tie
    stage_id: str

    @property
    def stage(self) -> StageDef | None:
        """The stage of the process file; None for a stage outside of it."""
        key = self.tie.key_of(self.stage_id)
        return self.process.stage(key) if key else None


def people_of(connection: Connection, workshop: Workshop, portal: Portal) -> People:
    """Return the employees and departments as last read from the portal; empty before the first reading."""
    return people_kept(workshop, connection, portal.id)


def standing_of(
    connection: Connection, workshop: Workshop, portal: Portal, item: ItemRef, category_id: int | None = None
) -> Standing | None:
    """Tell in which process an item stands; None for an item outside of all of them.

    An item not seen yet is placed by ``category_id``, where that is known.
    """
    ties = processes.ties(connection, portal.id)
    kept = processes.pinned(connection, portal.id, item)
    entry = entries.last(connection, portal.id, item)
    if kept is not None:
        tie = next((tie for tie in ties if tie.code == kept.process), None)
        stage_id = kept.stage_id or (entry.stage_id if entry else "")
        return _standing(connection, workshop, portal, tie, kept.version, stage_id) if tie else None
    category = entry.category_id if entry else category_id
    tie = next((tie for tie in ties if (tie.entity_type_id, tie.category_id) == (item.entity_type_id, category)), None)
    if tie is None:
        return None
    return _standing(connection, workshop, portal, tie, tie.version, entry.stage_id if entry else "")


def _standing(
    connection: Connection, workshop: Workshop, portal: Portal, tie: Tie, version: str, stage_id: str
) -> Standing | None:
    process = process_of_version(connection, workshop, portal, tie.code, version)
    return Standing(process, tie, stage_id) if process else None


def process_of_version(
    connection: Connection, workshop: Workshop, portal: Portal, code: str, version: str
) -> ProcessDef | None:
    """Return a process in a version: as published, else as loaded where the version is the same or unpublished."""
    return processes.version(connection, version) or workshop.processes_of(portal).get(code)


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called, so that nobody has to read a number."""

    people: People
    stages: Mapping[str, T]
    """By ``STATUS_ID``."""
    processes: Mapping[str, T]
    """By the code of the process."""
    fields: Mapping[str, T]
    """By the names of process files."""
    employees: frozenset[str]
    """Fields that hold an employee."""
    robots: Mapping[str, T]
    calendar: WorkCalendar
    """Moments are shown by the company's clock."""


def names_of(connection: Connection, workshop: Workshop, portal: Portal) -> Names:
    """Gather the names of a portal's people, stages, processes, fields and robots."""
    stages: dict[str, T] = {}
    titles: dict[str, T] = {}
    fields: dict[str, T] = {}
    employees: set[str] = set()
    for tie in processes.ties(connection, portal.id):
        process = process_of_version(connection, workshop, portal, tie.code, tie.version)
        if process is None:
            continue
        titles[tie.code] = process.title
        fields |= process.labels
        employees |= {name for name, known in process.fields.items() if known.type == "employee"}
        stages |= {tie.stages[stage.key]: stage.name for stage in process.stages if stage.key in tie.stages}
    return Names(
        people=people_of(connection, workshop, portal),
        stages=stages,
        processes=titles,
        fields=fields,
        employees=frozenset(employees),
        robots={code: robot.name for code, robot in workshop.catalogue.items()},
        calendar=calendar_of(portal.settings, workshop.now().date()),
    )


def with_stage(standing: Standing, stage_id: str) -> Standing:
    """Give the same standing on another stage, as just read from the portal."""
    return replace(standing, stage_id=stage_id) if stage_id else standing
