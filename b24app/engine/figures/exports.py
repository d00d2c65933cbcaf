"""When corrections go into the spreadsheet: every quarter of an hour, when one has ended, and when somebody asks.

Portals are read and Google is written to outside of the lanes: a slow Google holds up nobody's work. Page: docs/sheets.md.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from b24app.bitrix.errors import BudgetExhausted, PortalError
from b24app.calendar import calendar_of
from b24app.core.text import EMPTY, T
from b24app.engine.access import leased
from b24app.engine.decisions.remembered import READ
from b24app.engine.figures.corrections import corrections
from b24app.engine.figures.effort import refresh
from b24app.engine.figures.exporting import Exported, NotSettled, Sleep, export, sharing
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import audit, exports, queue
from b24app.store.exports import ExportRow
from b24app.store.portals import Portal
from b24app.store.tables import EPOCH
from sheets_export import xlsx

PERIOD = timedelta(minutes=15)
READING = timedelta(minutes=5)
"""How long a reader that died is waited for; a reading that takes longer may be done twice, which changes nothing."""
_log = log("exports")


@dataclass(frozen=True, slots=True)
class ExportStatus:
    """What operators are shown of the exports; ``running`` when one is under way, ``works`` when the last one was done.

    While no portal has corrections nothing is known of Google: that is no work done.
    """

    settled: bool
    link: str = ""
    row: ExportRow = field(default_factory=ExportRow)
    running: bool = False
    works: bool = False
    trouble: T = EMPTY
    remedy: T = EMPTY
    since: datetime | None = None
    """Since when exports have failed for this reason."""
    notices: tuple[T, ...] = ()


def status(workshop: Workshop) -> ExportStatus:
    """Return how the exports stand."""
    settings = workshop.settings
    if not settings.exports:
        return ExportStatus(False)
    with workshop.database.read() as connection:
        row = exports.export_row(connection, settings.spreadsheet_id)
    return ExportStatus(
        settled=True,
        link=f"https://docs.google.com/spreadsheets/d/{settings.spreadsheet_id}/edit",
        row=row,
        running=row.held_until is not None and row.held_until > workshop.now(),
        works=row.done_at is not None and not row.trouble and bool(row.report.get("portals")),
        trouble=_text(row.trouble.get("text")),
        remedy=_text(row.trouble.get("remedy")),
        since=datetime.fromisoformat(row.trouble["since"]) if row.trouble else None,
        notices=tuple(_text(told) for told in row.report.get("notices", ())),
    )


def ask(workshop: Workshop, who: str, why: str, *, full: bool) -> None:
    """Have the clock export soon; raises `NotSettled`."""
    if not workshop.settings.exports:
        raise NotSettled
    with workshop.database.write() as connection:
        now = workshop.now()
        exports.ask(connection, workshop.settings.spreadsheet_id, now, full=full, now=True)
        audit.note(connection, None, now, who, "export", why, full=full)


def workbook(workshop: Workshop, portal_id: int) -> bytes:
    """Make an XLSX file of a portal's corrections, in its language: the rows and their sums, as in the spreadsheet."""
    portal, now = workshop.portal(portal_id), workshop.now()
    with workshop.database.read() as connection:
        rows = corrections(workshop, connection, portal)
    return xlsx.workbook(rows, calendar_of(portal.settings, now.date()), portal.settings.lang, now)


# The clock ------------------------------------------------------------------------------------------------------------


def look(workshop: Workshop, sleep: Sleep) -> Exported | None:
    """Read what is due of portals, and export when it is time; None when it is not."""
    row = _due_export(workshop)
    thorough = row is not None and row.full and row.asked_at is not None
    for portal in sharing(workshop):
        if portal.works and (thorough or _is_due(workshop, portal)):
            read(workshop, portal, thorough=thorough)
    return export(workshop, sleep) if row is not None else None


def read(workshop: Workshop, portal: Portal, *, thorough: bool = False) -> None:
    """Read what the figures of a portal need; what the portal refuses now is read the next time."""
    with leased(workshop, portal.id, "figures", READING) as mine:
        if not mine:
            return
        began, before = workshop.now(), _read_at(workshop, portal)
        try:
            refresh(workshop, portal, thorough=thorough)
        except BudgetExhausted:
            return  # other work goes first; the next look goes on
        except PortalError as error:
            _log.warning("the figures of corrections could not be read", portal=portal.host, error=str(error))
        with workshop.database.write() as connection:
            if queue.cursor(connection, portal.id, READ) == before:  # else a correction has ended meanwhile
                queue.set_cursor(connection, portal.id, READ, (began - EPOCH) // timedelta(microseconds=1))


def _read_at(workshop: Workshop, portal: Portal) -> int | None:
    with workshop.database.read() as connection:
        return queue.cursor(connection, portal.id, READ)


def _is_due(workshop: Workshop, portal: Portal) -> bool:
    since = workshop.now() - (EPOCH + timedelta(microseconds=_read_at(workshop, portal) or 0))
    return not timedelta() <= since < PERIOD


def _due_export(workshop: Workshop) -> ExportRow | None:
    """Return how the spreadsheet stands when it is time to export to it."""
    if not workshop.settings.exports:
        return None
    now = workshop.now()
    with workshop.database.read() as connection:
        row = exports.export_row(connection, workshop.settings.spreadsheet_id)
    if row.not_before is not None and row.not_before > now:
        return None
    fresh = row.tried_at is not None and timedelta() <= now - row.tried_at < PERIOD
    return None if fresh and row.asked_at is None else row


def export_now(workshop: Workshop, sleep: Sleep, *, full: bool) -> Exported:
    """Read the portals and export at once, a full export after a thorough reading; raises `NotSettled`."""
    if not workshop.settings.exports:
        raise NotSettled
    for portal in sharing(workshop):
        if portal.works:
            read(workshop, portal, thorough=full)
    return export(workshop, sleep, full=full)


def asleep(length: timedelta) -> None:
    """Wait in real time."""
    time.sleep(length.total_seconds())


def _text(told: Any) -> T:
    return T(str(told["ru"]), str(told["en"])) if isinstance(told, Mapping) else EMPTY
