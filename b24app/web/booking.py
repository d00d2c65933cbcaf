"""The booking tab: the crew's week, and the choice of a free hour for this order. A plain form; no script is needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from b24app.bitrix.errors import PortalError
from b24app.core.item import ItemRef
from b24app.core.text import T
from b24app.engine.access import gate_of
from b24app.engine.people.booking import Chosen, NoBooking, NoCrew, OrderGone, Plan, StillWriting, choose, plan
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.web import texts
from b24app.web.cards import card_visitor, opened_card, show_page
from b24app.web.pages_auth import Visitor
from b24app.web.texts_cards import BOOKING

texts.add(BOOKING)
WEEKDAYS = ("boo_mon", "boo_tue", "boo_wed", "boo_thu", "boo_fri", "boo_sat", "boo_sun")

_log = log("booking")


@dataclass(frozen=True, slots=True)
class Said:
    """What came of the last press of a button."""

    tone: str
    text: T


def pages(workshop: Workshop) -> Blueprint:
    """Make the tab."""
    bp = Blueprint("booking", __name__)

    @bp.post("/b24/placement/booking")
    def opening() -> ResponseReturnValue:
        """Show this week to whoever opened the card."""
        return _show(workshop, *opened_card(workshop))

    @bp.post("/b24/card/booking")
    def turn() -> ResponseReturnValue:
        """Show the week of another day."""
        return _show(workshop, *card_visitor(workshop), day=_day(request.form.get("day", "")))

    @bp.post("/b24/card/booking/choose")
    def pick() -> ResponseReturnValue:
        """Book the chosen time for the order."""
        who, item = card_visitor(workshop)
        chosen, day = _slot(request.form.get("slot", "")), _day(request.form.get("day", ""))
        if chosen is None:
            return _show(workshop, who, item, Said("warn", texts.WORDS["boo_pick_one"]), day)
        said = _pick(workshop, who, item, *chosen)
        return _show(workshop, who, item, said, chosen[1].date())

    return bp


def _pick(workshop: Workshop, who: Visitor, item: ItemRef, user: int, start: datetime) -> Said | None:
    """Book, and say what came of it; None where the page itself will say what is missing."""
    try:
        done = choose(workshop, gate_of(workshop, who.portal), who.portal, item, user, start, who.name)
    except StillWriting:
        return Said("warn", texts.WORDS["boo_still"])
    except (NoBooking, NoCrew, OrderGone):
        return None
    except PortalError as error:
        _log.warning("a visit was not booked", portal=who.portal.host, error=str(error))
        return Said("bad", texts.WORDS["boo_later"])
    if isinstance(done, Chosen):
        at = f"{done.slot.start:%d.%m.%Y %H:%M}"
        return Said("good", texts.WORDS["boo_chosen"].fill(who=done.user.name, start=at))
    if done.by is not None and done.by.what:
        return Said("bad", texts.WORDS["boo_taken_by"].fill(what=done.by.what))
    return Said("bad", texts.WORDS["boo_taken"])


def _show(workshop: Workshop, who: Visitor, item: ItemRef, said: Said | None = None, day: date | None = None) -> str:
    """Show the week of a day, or why there is none to show."""
    found, empty = _plan(workshop, who, item, day)
    values: dict[str, Any] = {"said": said, "plan": found, "empty": empty, "weekdays": WEEKDAYS}
    if found is not None:
        monday = found.week.monday
        values |= {"earlier": monday - timedelta(7), "later": monday + timedelta(7), "held_by": _held_by(found)}
    return show_page(workshop, who, "booking.html", **values)


def _plan(workshop: Workshop, who: Visitor, item: ItemRef, day: date | None) -> tuple[Plan | None, str]:
    try:
        return plan(workshop, gate_of(workshop, who.portal), who.portal, item, day), ""
    except NoCrew:
        return None, "no_crew"
    except NoBooking:
        return None, "no_booking"
    except OrderGone:
        return None, "gone"
    except PortalError as error:
        _log.warning("a week could not be read", portal=who.portal.host, error=str(error))
        return None, "later"


def _held_by(found: Plan) -> str:
    """Name who is held for the order now."""
    held = found.held
    member = next((user for user in found.week.crew if held is not None and user.id == held.user), None)
    return member.name if member else ""


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _slot(written: str) -> tuple[int, datetime] | None:
    """Read a chosen time, ``9|2026-06-12T10:00:00+03:00``."""
    user, _, moment = written.partition("|")
    if not (user.isascii() and user.isdigit() and len(user) < 12):
        return None
    try:
        start = datetime.fromisoformat(moment)
        start.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return (int(user), start) if start.tzinfo is not None and 2000 < start.year < 2200 else None
