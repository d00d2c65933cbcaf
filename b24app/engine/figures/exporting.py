"""One export: what every portal has to write, written into the spreadsheet by whoever has the right to it alone.

The right ends soon after its holder has died. What goes wrong is kept for operators to see. Page: docs/sheets.md.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from b24app.calendar import calendar_of
from b24app.core.figures import Correction
from b24app.core.item import ItemRef
from b24app.core.text import EMPTY, Lang, T
from b24app.core.worktime import WorkCalendar
from b24app.engine.figures.corrections import LONG_AGO, corrected, figured
from b24app.engine.pulse import Pulse
from b24app.engine.running.workers import worker_name
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import corrections, exports
from b24app.store.exports import ExportRow
from b24app.store.portals import Portal
from sheets_export.columns import cells
from sheets_export.exporter import Exporter
from sheets_export.incidents import Incident, Notice, RowsRepeated, SheetGone, SheetsUnreachable
from sheets_export.reading import ExportState

if TYPE_CHECKING:
    from sheets_export.google import GoogleSheets

LEASE = timedelta(seconds=45)
PULSE = 15.0
"""Seconds after which a living exporter renews its right to the spreadsheet."""
SHARED = ("active", "reconnect")
"""States of portals whose corrections are exported; what is known of one that waits for its administrator stays true."""
STRANGERS = T(
    "Строк без коррекции (она удалена на портале): {number}", "Rows without a correction (deleted on the portal): {number}"
)
NOBODY = T("Ни на одном портале нет процесса коррекций", "No portal has a process of corrections")
DONE = T("Выгружено строк: {rows}, запросов: {calls}", "Rows exported: {rows}, requests: {calls}")
BUSY = T("Другая выгрузка ещё идёт", "Another export is under way")
Sleep = Callable[[timedelta], None]
_log = log("exports")


class NotSettled(Exception):
    """No spreadsheet is settled to export to."""


@dataclass(frozen=True, slots=True)
class Exported:
    """How an export went: ``busy`` when another one is under way; ``text`` says what a person has to know."""

    how: Literal["done", "failed", "busy"]
    rows: int = 0
    calls: int = 0
    full: bool = False
    text: T = EMPTY
    notices: tuple[T, ...] = ()

    def lines(self, lang: Lang) -> list[str]:
        """Write it down for a terminal."""
        said = {"done": DONE.fill(rows=self.rows, calls=self.calls), "busy": BUSY, "failed": self.text}[self.how]
        return [said.at(lang), *(notice.at(lang) for notice in self.notices)]


def sharing(workshop: Workshop) -> list[Portal]:
    """Return the portals with a process of corrections."""
    with workshop.database.read() as connection:
        found = [portal for portal in workshop.portals.all(connection) if portal.state in SHARED]
        return [portal for portal in found if corrected(workshop, connection, portal)]


def export(workshop: Workshop, sleep: Sleep, *, full: bool = False) -> Exported:
    """Export what changed since the last time, or everything; raises `NotSettled`.

    What goes wrong is kept as the trouble operators see until an export succeeds.
    """
    if not workshop.settings.exports:
        raise NotSettled
    run = _Export(workshop, workshop.settings.spreadsheet_id, worker_name(), sleep)
    with run.alone() as mine:
        return run.run(full) if mine else Exported("busy")


@dataclass(frozen=True, slots=True)
class _Share:
    """What a portal has to write: of the corrections looked at those whose rows are other than in the spreadsheet.

    ``whole`` is how many corrections there are in all.
    """

    portal: Portal
    calendar: WorkCalendar
    rows: tuple[Correction, ...]
    whole: int
    hashes: Mapping[ItemRef, str]
    changed: tuple[Correction, ...]
    notices: tuple[T, ...]


@dataclass(slots=True)
class _Export:
    """One export; ``holder`` names it for as long as it has the right to the spreadsheet."""

    workshop: Workshop
    spreadsheet: str
    holder: str
    sleep: Sleep
    calls: int = 0
    written: int = 0
    notices: list[T] = field(default_factory=list)
    again: bool = False
    """Whether a full export is wanted after this one."""
    pulse: Pulse | None = None

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Hold the right to the spreadsheet; gives False while somebody else has it."""
        if not self._take():
            yield False
            return
        self.pulse = Pulse(self._take, PULSE)
        try:
            yield True
        finally:
            self.pulse.stop()
            with self.workshop.database.write() as connection:
                exports.leave(connection, self.spreadsheet, self.holder)

    def _take(self) -> bool:
        with self.workshop.database.write() as connection:
            return exports.take(connection, self.spreadsheet, self.holder, self.workshop.now(), LEASE)

    def run(self, full: bool) -> Exported:
        with self.workshop.database.write() as connection:
            row = exports.export_row(connection, self.spreadsheet)
            exports.begun(connection, self.spreadsheet, self.holder, self.workshop.now())
        full = full or row.full
        shares = self._shares(None if full or row.done_at is None else row.done_at - LONG_AGO)
        if row.trouble and not full and not any(share.changed for share in shares):
            full, shares = True, self._shares(None)  # which tells whether the trouble has gone
        self.notices += [] if shares else [NOBODY]
        try:
            self._write(shares, ExportState.model_validate(row.state), full)
        except Incident as incident:
            return self._failed(incident, row)
        return self._done(shares, full)

    def _shares(self, since: datetime | None) -> list[_Share]:
        return [self._share(portal, since) for portal in sharing(self.workshop)]

    def _share(self, portal: Portal, since: datetime | None) -> _Share:
        with self.workshop.database.read() as connection:
            found = figured(self.workshop, connection, portal, since=since)
            before = corrections.exported(connection, portal.id)
        calendar = calendar_of(portal.settings, self.workshop.now().date())
        hashes = {row.item: self._hash(row, calendar, portal) for row in found.rows}
        changed = tuple(row for row in found.rows if before.get(row.item) != hashes[row.item])
        whole = len(before.keys() | hashes.keys())
        return _Share(portal, calendar, found.rows, whole, hashes, changed, found.notices)

    def _hash(self, row: Correction, calendar: WorkCalendar, portal: Portal) -> str:
        told = json.dumps([self.spreadsheet, *cells(row, calendar, portal.settings.lang)], ensure_ascii=False)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def _write(self, shares: Sequence[_Share], state: ExportState, full: bool) -> None:
        from sheets_export.google import connect  # loaded where there is something to export: it takes 13 MB

        settings = self.workshop.settings
        wire = connect(
            settings.sheets_credentials,
            self.spreadsheet,
            url=settings.sheets_url,
            clock=self.workshop.clock,
            sleep=self.sleep,
        )
        for share in shares:
            if self.pulse is not None and self.pulse.lost:
                raise SheetsUnreachable("another export has taken over", LEASE)
            self.notices += share.notices
            if full or share.changed:
                state = self._write_one(wire, share, state, full)

    def _write_one(self, wire: GoogleSheets, share: _Share, state: ExportState, full: bool) -> ExportState:
        exporter = Exporter(wire, share.calendar, share.portal.settings.lang, sleep=self.sleep, jitter=random.random)
        chosen = share.rows if full else share.changed
        report = exporter.export(chosen, state, full)
        self.calls += report.calls
        self.written += report.written
        self.notices += [notice.text for notice in report.notices]
        self.again = self.again or _wants_more(report.notices, full)
        if report.strangers:
            self.notices.append(STRANGERS.fill(number=len(report.strangers)))
        with self.workshop.database.write() as connection:
            corrections.keep_exported(connection, share.portal.id, {row.item: share.hashes[row.item] for row in chosen})
            exports.written(connection, self.spreadsheet, self.holder, report.state.model_dump(mode="json"))
        return report.state

    def _done(self, shares: Sequence[_Share], full: bool) -> Exported:
        told = {
            "full": full,
            "calls": self.calls,
            "written": self.written,
            "rows": sum(share.whole for share in shares),
            "portals": len(shares),
            "notices": [notice.both() for notice in dict.fromkeys(self.notices)],
        }
        with self.workshop.database.write() as connection:
            exports.ended(connection, self.spreadsheet, self.holder, self.workshop.now(), told, full=self.again)
        _log.info("corrections exported", rows=self.written, calls=self.calls, full=full)
        return Exported("done", self.written, self.calls, full, notices=tuple(dict.fromkeys(self.notices)))

    def _failed(self, incident: Incident, row: ExportRow) -> Exported:
        now, kind = self.workshop.now(), type(incident).__name__
        same = row.trouble.get("type") == kind
        trouble = {
            "type": kind,
            "text": incident.text.both(),
            "remedy": incident.remedy.both(),
            "since": row.trouble["since"] if same else now.isoformat(),
        }
        gone = isinstance(incident, SheetGone)
        again = now if gone else (now + incident.retry_after if incident.retry_after else None)
        with self.workshop.database.write() as connection:
            exports.failed(connection, self.spreadsheet, self.holder, trouble, again=again, full=gone)
        _log.warning("corrections could not be exported", trouble=kind, error=str(incident))
        return Exported("failed", self.written, self.calls, text=incident.text)


def _wants_more(notices: Sequence[Notice], full: bool) -> bool:
    return not full and any(isinstance(notice, RowsRepeated) for notice in notices)
