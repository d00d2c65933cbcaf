"""The corrections of a portal with their figures, put together from the database alone: no portal is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from b24app.calendar import calendar_of
from b24app.core.correction import Office, Record, correction_of, groups_of, times_of
from b24app.core.figures import Correction, UnclearHistory
from b24app.core.process import ProcessDef
from b24app.core.text import Lang, T
from b24app.engine.decisions.remembered import finals
from b24app.engine.known import people_of, process_of_version
from b24app.engine.workshop import Workshop
from b24app.store import corrections as store
from b24app.store import processes
from b24app.store.corrections import Kept, Since
from b24app.store.portals import Portal
from b24app.store.processes import Tie

UNCLEAR = T(
    "Время стадий не посчитано, история карточки неясна: «{title}»",
    "No stage times, the history of the card is unclear: “{title}”",
)


LONG_AGO = timedelta(days=60)
"""After how long an ended correction is taken for settled: only what asks for everything looks at it again."""


@dataclass(frozen=True, slots=True)
class Figured:
    """The corrections of a portal; ``notices`` name those that could not be figured in full."""

    rows: tuple[Correction, ...]
    notices: tuple[T, ...] = ()


def corrections(
    workshop: Workshop,
    connection: Connection,
    portal: Portal,
    lang: Lang | None = None,
    *,
    since: datetime | None = None,
) -> tuple[Correction, ...]:
    """Return the corrections of a portal, oldest first, with texts in a language (the portal's own unless told).

    With ``since``, only those that are open or moved at that moment or later. Deleted ones are left out. Empty for a portal
    without a process of corrections.
    """
    return figured(workshop, connection, portal, lang, since=since).rows


def figured(
    workshop: Workshop,
    connection: Connection,
    portal: Portal,
    lang: Lang | None = None,
    *,
    since: datetime | None = None,
) -> Figured:
    """Return the same together with what could not be figured."""
    rows: list[Correction] = []
    notices: list[T] = []
    for tie, process in corrected(workshop, connection, portal):
        known = [one for one in kept_of(connection, portal, tie, process, since) if not one.gone]
        office = _office(workshop, connection, portal, tie, process, known, lang or portal.settings.lang)
        for one in known:
            row, unclear = _figured(one.record, office)
            rows.append(row)
            notices += [UNCLEAR.fill(title=row.title)] if unclear else []
    return Figured(tuple(sorted(rows, key=lambda row: (row.started_at, row.item))), tuple(notices))


def corrected(workshop: Workshop, connection: Connection, portal: Portal) -> list[tuple[Tie, ProcessDef]]:
    """Return the processes of corrections a portal runs, as they are tied."""
    found = []
    for tie in processes.ties(connection, portal.id):
        process = process_of_version(connection, workshop, portal, tie.code, tie.version)
        if process is not None and process.corrections is not None:
            found.append((tie, process))
    return found


def kept_of(
    connection: Connection, portal: Portal, tie: Tie, process: ProcessDef, since: datetime | None = None
) -> list[Kept]:
    """Return what is kept of the corrections of a pipeline: of all, or of those open or moved at a moment or later."""
    chosen = Since(since, finals(tie, process)) if since is not None else None
    return store.kept(connection, portal.id, tie.entity_type_id, tie.category_id, chosen)


def pipelines(workshop: Workshop, connection: Connection, portal: Portal, lang: Lang) -> tuple[str, ...]:
    """Name the pipelines all corrections came from."""
    titles = _pipelines(workshop, connection, portal)
    found = set()
    for tie, _ in corrected(workshop, connection, portal):
        for named, process in store.pipelines(connection, portal.id, tie.entity_type_id):
            found.add(named or (titles[process].at(lang) if process in titles else ""))
    return tuple(sorted(found - {""}))


def _office(
    workshop: Workshop,
    connection: Connection,
    portal: Portal,
    tie: Tie,
    process: ProcessDef,
    known: Iterable[Kept],
    lang: Lang,
) -> Office:
    stages = {tie.stages[stage.key]: stage for stage in process.stages if stage.key in tie.stages}
    groups = {tie.stages[key]: group for key, group in groups_of(process).items() if key in tie.stages}
    now = workshop.now()
    return Office(
        portal=portal.member_id,
        url=portal.url,
        stages=stages,
        groups=groups,
        pipelines=_pipelines(workshop, connection, portal),
        violations=_violations(connection, process, known),
        people=people_of(connection, workshop, portal),
        calendar=calendar_of(portal.settings, now.date()),
        lang=lang,
        now=now,
    )


def _pipelines(workshop: Workshop, connection: Connection, portal: Portal) -> Mapping[str, T]:
    tied = processes.ties(connection, portal.id)
    found = {tie.code: process_of_version(connection, workshop, portal, tie.code, tie.version) for tie in tied}
    return {code: process.title for code, process in found.items() if process is not None}


def _violations(connection: Connection, process: ProcessDef, known: Iterable[Kept]) -> Mapping[str, T]:
    """Name the types of violations: as the process does now, and as versions did whose forms were filled in."""
    used = {sent.version for one in known for sent in one.record.forms}
    versions: Sequence[ProcessDef | None] = [*(processes.version(connection, each) for each in sorted(used)), process]
    tables = [each.corrections for each in versions if each is not None and each.corrections is not None]
    return {code: kind.name for table in tables for code, kind in table.violation_types.items()}


def _figured(record: Record, office: Office) -> tuple[Correction, bool]:
    try:
        return correction_of(record, office, times_of(record, office)), False
    except UnclearHistory:
        return correction_of(record, office, {}), True
