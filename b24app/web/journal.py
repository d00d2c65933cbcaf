"""The journal tab: what the application did with this item and why, what is open, what waits, and a call for help."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from b24app.core.item import ItemRef
from b24app.engine.people.asks import NothingToTell, ask_help, set_learned
from b24app.engine.people.story import story_of
from b24app.engine.workshop import Workshop
from b24app.web import texts
from b24app.web.cards import card_visitor, opened_card, show_page
from b24app.web.pages_auth import Visitor
from b24app.web.texts_cards import JOURNAL

texts.add(JOURNAL)


def pages(workshop: Workshop) -> Blueprint:
    """Make the tab."""
    bp = Blueprint("journal", __name__)

    @bp.post("/b24/placement/journal")
    def opening() -> ResponseReturnValue:
        """Show the journal to whoever opened the card."""
        return _show(workshop, *opened_card(workshop))

    @bp.post("/b24/card/journal")
    def turn() -> ResponseReturnValue:
        """Show another page of the journal."""
        written = request.form.get("before", "")
        before = int(written) if written.isascii() and written.isdigit() and len(written) < 16 else None
        return _show(workshop, *card_visitor(workshop), before=before)

    @bp.post("/b24/card/help")
    def help_me() -> ResponseReturnValue:
        """Have the stage's training written into the card once more."""
        who, item = card_visitor(workshop)
        try:
            said = "jou_help_asked" if ask_help(workshop, who.portal, item, who.name) else "jou_help_already"
        except NothingToTell:
            said = "jou_help_none"
        return _show(workshop, who, item, said)

    @bp.post("/b24/card/learned")
    def learned() -> ResponseReturnValue:
        """Switch the viewer's own training off or on."""
        who, item = card_visitor(workshop)
        knows = request.form.get("learned") == "yes"
        set_learned(workshop, who.portal, who.user_id, knows, who.name)
        return _show(workshop, who, item, "jou_learned" if knows else "jou_learning")

    return bp


def _show(workshop: Workshop, who: Visitor, item: ItemRef, said: str = "", before: int | None = None) -> str:
    story = story_of(workshop, who.portal, item, who.user_id, before)
    return show_page(
        workshop, who, "journal.html", story=story, names=story.names, said=said, before=before, now=workshop.now()
    )
