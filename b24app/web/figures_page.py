"""The page of the head of quality: how much was analysed, what came of it, what it cost, and where that goes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from http import HTTPStatus

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from b24app.calendar import calendar_of
from b24app.core.figures import CANCELLED, GRADES, GROUPS, Figures
from b24app.core.overview import Choice, Overview
from b24app.core.text import EMPTY, Lang, T
from b24app.core.wording import is_web
from b24app.engine.people.head_of_quality import NotForYou, look
from b24app.engine.workshop import Workshop
from b24app.web import charts, texts
from b24app.web.cards import show_page
from b24app.web.charts import Bar, Row
from b24app.web.pages_auth import Visitor, visitor
from b24app.web.refusals import Refusal
from b24app.web.texts_figures import FIGURES

texts.add(FIGURES)
MONTHS = 24
"""So many months a chart shows; the table has all of them."""
TOP = 12
"""So many bars a chart shows; the table has all of them."""
ROWS = 200
"""So many corrections are listed, the newest."""


def pages(workshop: Workshop) -> Blueprint:
    """Make the page."""
    bp = Blueprint("figures", __name__)

    @bp.post("/b24/app/figures")
    def show() -> ResponseReturnValue:
        """Show the figures of the last twelve months, or of what was chosen, to whoever may see them."""
        who = visitor(workshop)
        today = calendar_of(who.portal.settings, workshop.now().date()).today(workshop.now())
        choice, wrong = chosen(request.form.get("from"), request.form.get("to"), request.form.get("pipeline", ""), today)
        try:
            found = look(workshop, who.portal, who.user_id, choice, who.lang, admin=who.admin)
        except NotForYou as refused:
            raise Refusal(HTTPStatus.FORBIDDEN, "figures_only") from refused
        return _page(workshop, who, found, wrong)

    return bp


def chosen(start: str | None, end: str | None, pipeline: str, today: date) -> tuple[Choice, T]:
    """Read what is to be looked at: the last twelve months unless told; and what was wrong with it."""
    if start is None and end is None:
        return Choice(_eleven_months_before(today), today), EMPTY
    days = [_day(text or "") for text in (start, end)]
    begin, until = days
    if any(text and day is None for text, day in zip((start, end), days, strict=True)):
        return Choice(begin, until, pipeline[:200]), texts.WORDS["fig_wrong_day"]
    if begin is not None and until is not None and begin > until:
        return Choice(until, begin, pipeline[:200]), texts.WORDS["fig_turned"]
    return Choice(begin, until, pipeline[:200]), EMPTY


def _eleven_months_before(day: date) -> date:
    months = day.year * 12 + day.month - 1 - 11
    return date(months // 12, months % 12 + 1, 1)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def _page(workshop: Workshop, who: Visitor, found: Overview, wrong: T) -> str:
    months, lang = found.finished_months[-MONTHS:], who.lang
    mean = [_hours(month.effort / month.count) for month in months]
    costs = [Row(month.key, f"{_hours(month.effort):.0f}", {"cost": _hours(month.effort)}) for month in months]
    return show_page(
        workshop,
        who,
        "figures.html",
        view=found,
        wrong=wrong,
        calendar=calendar_of(who.portal.settings, workshop.now().date()),
        month_chart=charts.columns([_row(month, month.key) for month in months]),
        cost_chart=charts.columns(costs, mean),
        groups=_groups(found),
        hours=lambda time: hours(time, lang),
        percent=lambda share: f"{share * 100:.0f}",
        change=change,
        rows=found.rows[:ROWS],
        is_web=is_web,
        grades=GRADES,
        cancelled=CANCELLED,
        spent_in=GROUPS,
    )


def _groups(found: Overview) -> Iterable[tuple[str, tuple[Figures, ...], tuple[Bar, ...] | None]]:
    """Give each grouping its name, its sums, and its chart of the largest; months have charts of their own."""
    yield "months", found.months, None
    for name, sums in (
        ("responsibles", found.responsibles),
        ("officers", found.officers),
        ("pipelines", found.by_pipeline),
        ("violations", found.violations),
    ):
        largest = sorted(sums, key=lambda one: -one.count)[:TOP]
        yield name, sums, charts.bars([_row(one, one.name) for one in largest])


def _row(figures: Figures, name: str) -> Row:
    """Show a sum as its outcomes: of each grade, and without any yet."""
    graded = {f"grade-{grade}": float(figures.shares[grade] * figures.graded) for grade in GRADES}
    return Row(name, str(figures.count), {**graded, "grade-none": figures.count - figures.graded})


def _hours(time: timedelta) -> float:
    return time / timedelta(hours=1)


def hours(time: timedelta, lang: Lang) -> str:
    """Write a length of time in hours, with one digit."""
    text = f"{_hours(time):.1f}"
    return f"{text.replace('.', ',')} ч" if lang == "ru" else f"{text} h"


def change(before: timedelta, now: timedelta) -> str:
    """Say by how much a length of time has changed: ``−25 %``; nothing where there was none before."""
    if not before:
        return ""
    by = round((now / before - 1) * 100)
    return f"{'−' if by < 0 else '+' if by else '±'}{abs(by)} %"
