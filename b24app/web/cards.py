"""Tabs in the card of an item: only for who may see the item, which the portal is asked with his own token."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import g, render_template

from b24app.bitrix.errors import PortalError, Transient
from b24app.core.item import ItemRef
from b24app.engine.arriving.openings import may_see
from b24app.engine.workshop import Workshop
from b24app.web import shown
from b24app.web.pages_auth import Visitor, frame_words, opened_page, sign, visitor
from b24app.web.refusals import Refusal


def opened_card(workshop: Workshop) -> tuple[Visitor, ItemRef]:
    """Verify that a tab was opened in the card of an item its opener may see; raises `Refusal` and what openings raise."""
    seen = opened_page(workshop)
    item = seen.item
    if item is None:
        raise Refusal(HTTPStatus.BAD_REQUEST, "no_card")
    try:
        allowed = may_see(workshop, seen, item)
    except Transient as trouble:
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "later") from trouble
    except PortalError as refusal:
        raise Refusal(HTTPStatus.FORBIDDEN, "refused") from refusal
    if not allowed:
        raise Refusal(HTTPStatus.FORBIDDEN, "not_visible")
    viewer = seen.viewer
    return Visitor(seen.portal, viewer.user_id, viewer.admin, viewer.name, viewer.lang, item), item


def card_visitor(workshop: Workshop) -> tuple[Visitor, ItemRef]:
    """Return whose page of which card sent this request; raises `Refusal`."""
    who = visitor(workshop)
    if who.item is None:
        raise Refusal(HTTPStatus.FORBIDDEN, "page_token")
    return who, who.item


def show_page(workshop: Workshop, who: Visitor, template: str, **values: Any) -> str:
    """Render a page inside the portal, with a fresh page token, in the viewer's language."""
    g.lang = who.lang
    return render_template(
        template, shown=shown, who=who, **frame_words(workshop, who.portal, sign(workshop, who)), **values
    )
