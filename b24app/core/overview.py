"""What the head of quality looks at: the corrections of a period and a pipeline, their sums, and where cost and speed go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from b24app.core.figures import (
    CANCELLED,
    Correction,
    Figures,
    altogether,
    by_month,
    by_officer,
    by_pipeline,
    by_responsible,
    by_violation,
)
from b24app.core.worktime import WorkCalendar


@dataclass(frozen=True, slots=True)
class Choice:
    """What is looked at: days from ``start`` to ``end``, both included, and a pipeline; empty ones choose everything."""

    start: date | None = None
    end: date | None = None
    pipeline: str = ""

    def since(self, calendar: WorkCalendar) -> datetime | None:
        """Return the moment from which on a correction has to be open or have moved to be looked at; None for any."""
        return calendar.at(self.start, time()) if self.start is not None else None

    def fits(self, correction: Correction, calendar: WorkCalendar) -> bool:
        """Tell whether a correction is looked at: by the day it was finished, while it is open by the day it began."""
        day = calendar.today(correction.finished_at or correction.started_at)
        early, late = self.start is not None and day < self.start, self.end is not None and day > self.end
        return not early and not late and self.pipeline in ("", correction.source.pipeline)


@dataclass(frozen=True, slots=True)
class Trend:
    """What one finished correction took on average in a month and in the one before it (of those with any finished)."""

    before: Figures
    now: Figures

    @property
    def cost(self) -> tuple[timedelta, timedelta]:
        """The elapsed time of its tasks, before and now."""
        return self.before.effort / self.before.count, self.now.effort / self.now.count

    @property
    def speed(self) -> tuple[timedelta, timedelta]:
        """The working time from its beginning to its end, before and now."""
        return self.before.mean_working, self.now.mean_working


@dataclass(frozen=True, slots=True)
class Overview:
    """The corrections that were chosen, newest first, and sums over them; ``pipelines`` are all there are to choose from."""

    choice: Choice
    pipelines: tuple[str, ...]
    rows: tuple[Correction, ...]
    whole: Figures
    months: tuple[Figures, ...]
    responsibles: tuple[Figures, ...]
    officers: tuple[Figures, ...]
    by_pipeline: tuple[Figures, ...]
    violations: tuple[Figures, ...]

    @property
    def finished_months(self) -> tuple[Figures, ...]:
        """The months in which any correction was finished, oldest first."""
        return tuple(month for month in self.months if month.key not in ("", CANCELLED))

    @property
    def overdue(self) -> int:
        """How many corrections were ever behind a deadline."""
        return sum(row.days_overdue > 0 for row in self.rows)

    @property
    def trend(self) -> Trend | None:
        """The last two months compared; None before there are two."""
        done = self.finished_months
        return Trend(done[-2], done[-1]) if len(done) > 1 else None


def overview(
    corrections: Iterable[Correction], choice: Choice, calendar: WorkCalendar, pipelines: Iterable[str] = ()
) -> Overview:
    """Choose corrections and sum them up; ``pipelines`` are there to choose from besides those of the corrections."""
    known: Sequence[Correction] = list(corrections)
    chosen = [correction for correction in known if choice.fits(correction, calendar)]
    return Overview(
        choice=choice,
        pipelines=tuple(sorted({*pipelines, *(correction.source.pipeline for correction in known)} - {""})),
        rows=tuple(sorted(chosen, key=lambda row: (row.started_at, row.item), reverse=True)),
        whole=altogether(chosen),
        months=by_month(chosen, calendar),
        responsibles=by_responsible(chosen),
        officers=by_officer(chosen),
        by_pipeline=by_pipeline(chosen),
        violations=by_violation(chosen),
    )
