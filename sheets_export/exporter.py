"""Brings corrections into a spreadsheet: read, plan, write; and again from reading whenever something went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from b24app.core.figures import Correction
from b24app.core.text import Lang
from b24app.core.worktime import WorkCalendar
from sheets_export import layout, reading
from sheets_export.columns import KEY
from sheets_export.incidents import (
    Notice,
    QuotaExhausted,
    RowsRepeated,
    SheetGone,
    SheetRenamed,
    SheetsRefused,
    SheetsUnreachable,
    SummaryGone,
    Throttled,
    Unsure,
)
from sheets_export.plan import upsert
from sheets_export.reading import JSON, ExportState, Found

PATIENCE = timedelta(seconds=75)
"""How long one export waits in all; Google's quota is one of a minute."""

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(seconds=32)
MINUTE = timedelta(minutes=1)


class Wire(Protocol):
    """A spreadsheet at the other end: ``calls`` counts the requests that were sent.

    Each method raises `Throttled` (nothing was done), `Unsure` (nobody knows), `SheetsRefused`, or another `Incident`.
    """

    @property
    def calls(self) -> int: ...

    def read(self, ranges: Sequence[str], fields: str) -> JSON:
        """Read the spreadsheet: whole, or some ranges of it."""

    def change(self, requests: Sequence[JSON]) -> None:
        """Change sheets; all requests are done, or none."""

    def write(self, ranges: Sequence[JSON]) -> None:
        """Write values as they are into exact ranges; null leaves a cell alone."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did: requests sent, rows written, what to remember, and what people should know.

    ``strangers`` are keys of the same portals that stand in the sheet and were not among the rows of a full export.
    """

    calls: int
    written: int
    state: ExportState
    notices: tuple[Notice, ...] = ()
    strangers: tuple[str, ...] = ()


@dataclass(slots=True)
class _Run:
    """One export under way."""

    rows: dict[str, Correction]
    state: ExportState
    full: bool
    left: dict[str, Correction] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    strangers: tuple[str, ...] = ()
    waited: timedelta = timedelta()
    tries: int = 0
    refused: bool = False


class Exporter:
    """Exports corrections; ``sleep`` waits, ``jitter`` gives 0..1 so that many do not come back at one moment.

    Two exports into one spreadsheet must not run at once: both might insert the same row.
    """

    def __init__(
        self,
        wire: Wire,
        calendar: WorkCalendar,
        lang: Lang,
        *,
        sleep: Callable[[timedelta], None],
        jitter: Callable[[], float],
        patience: timedelta = PATIENCE,
    ) -> None:
        self._wire, self._calendar, self._lang = wire, calendar, lang
        self._sleep, self._jitter, self._patience = sleep, jitter, patience

    def export(self, rows: Iterable[Correction], state: ExportState, full: bool) -> ExportReport:
        """Write rows, all of them (``full``) or those that changed; a full export makes deleted sheets anew.

        Raises an `Incident`; what was written until then stays, and the next export finds it by the keys.
        """
        run = _Run({row.key: row for row in rows}, state, full)
        run.left = dict(run.rows)
        before = self._wire.calls
        while run.left or full:
            try:
                self._attempt(run)
                break
            except Throttled as slow:
                self._wait(run, slow.retry_after, QuotaExhausted(slow.retry_after or MINUTE))
            except Unsure as unsure:
                self._wait(run, None, SheetsUnreachable(str(unsure), MINUTE))
            except SheetsRefused:
                if run.refused:
                    raise
                run.refused = True  # a sheet may have been renamed or deleted between reading and writing: look again
        calls = self._wire.calls - before
        return ExportReport(calls, len(run.rows), run.state, tuple(dict.fromkeys(run.notices)), run.strangers)

    def _wait(self, run: _Run, asked: timedelta | None, otherwise: QuotaExhausted | SheetsUnreachable) -> None:
        backoff = min(FIRST_WAIT * 2**run.tries, LONGEST_WAIT)
        wait = max(asked or timedelta(), backoff * (0.75 + self._jitter() / 2))
        run.tries += 1
        run.waited += wait
        if run.waited > self._patience:
            raise otherwise
        self._sleep(wait)

    def _attempt(self, run: _Run) -> None:
        found, first, state = self._look(run)
        if run.full:
            portals = tuple({f"{row.portal}/" for row in run.rows.values()})
            run.strangers = tuple(key for key in found.keys if key.startswith(portals) and key not in run.rows)
        if found.repeated:
            run.notices.append(RowsRepeated(len(found.repeated)))
        pivots = run.full or not state.pivots
        plan = upsert(found, run.left.values(), self._calendar, self._lang, first=first, pivots=pivots)
        for change in plan.changes:
            self._wire.change(change)
        made = found.summary is not None and bool(found.keys or run.left)
        run.state = state.model_copy(update={"pivots": state.pivots or made})
        for chunk in plan.chunks:
            self._wire.write(chunk.ranges)
            for key in chunk.keys:
                del run.left[key]

    def _look(self, run: _Run) -> tuple[Found, list[JSON], ExportState]:
        """Find our sheet, the requests that have to be done first, and what is to be remembered after them."""
        known = self._remembered(run)
        if known is not None:
            return known, [], run.state
        listed = reading.index(self._wire.read((), reading.INDEX_FIELDS))
        placed = reading.place(listed, run.state)
        self._notice(run, placed)
        if placed.sheet is not None:
            found = self._seen(placed)
            state = placed.model_copy(update={"key_column": found.places[KEY.code]})
            first: list[JSON] = []
        elif run.state.sheet is not None and not run.full:
            raise SheetGone(title=run.state.title)
        else:
            first, made = layout.new_corrections(listed, self._lang)
            state = placed.model_copy(update={"sheet": made.sheet, "title": made.title, "key_column": 0})
            found = layout.fresh(state)
        if state.summary is None and (run.full or run.state.sheet is None):
            more, summary, title = layout.new_summary(listed, self._lang)
            first = first + more
            state = state.model_copy(update={"summary": summary, "summary_title": title, "pivots": False})
        return replace(found, summary=state.summary), first, state

    def _remembered(self, run: _Run) -> Found | None:
        """Read our sheet where it was last time; None when it is not there."""
        if run.state.sheet is None or (run.full and run.state.summary is None):
            return None
        state = run.state
        for _ in range(2):
            try:
                seen = reading.read(self._wire.read(reading.ranges(state), reading.SHEET_FIELDS), state)
            except SheetsRefused:  # the title is not known any more
                return None
            if isinstance(seen, Found):
                run.state = state
                return seen
            if seen is None:
                return None
            state = seen
        return None

    def _seen(self, placed: ExportState) -> Found:
        """Read our sheet where the list of sheets says it is."""
        for _ in range(2):
            seen = reading.read(self._wire.read(reading.ranges(placed), reading.SHEET_FIELDS), placed)
            if isinstance(seen, Found):
                return seen
            placed = seen or placed
        raise Unsure("sheets are being moved right now")

    @staticmethod
    def _notice(run: _Run, placed: ExportState) -> None:
        before = run.state
        if placed.sheet is not None and placed.sheet == before.sheet and placed.title != before.title:
            run.notices.append(SheetRenamed(before.title, placed.title))
        if before.summary is None:
            return
        if placed.summary is None:
            if not run.full:
                run.notices.append(SummaryGone(before.summary_title))
        elif placed.summary_title != before.summary_title:
            run.notices.append(SheetRenamed(before.summary_title, placed.summary_title))
