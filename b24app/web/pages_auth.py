"""Who looks at a page inside the portal, from its opening to its last form.

An opening is verified once; from then on the page carries a signed token of its own, in a header or a hidden field, and no
cookie: a frame's cookies are third-party ones. Whatever changes something also has to come from a page of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from flask import g, request
from itsdangerous import BadSignature, URLSafeSerializer

from b24app.bitrix import callbacks
from b24app.core.item import ItemRef
from b24app.core.text import Lang
from b24app.engine.arriving.openings import Opened, opened
from b24app.engine.workshop import UnknownPortal, Workshop
from b24app.store.portals import Portal
from b24app.web.callbacks import form_body
from b24app.web.headers import allow_frame
from b24app.web.refusals import Refusal

LIFE = timedelta(hours=12)
HEADER = "X-Page-Token"
FIELD = "page_token"
OFFICIAL_LIBRARY = "https://api.bitrix24.tech/api/v1/"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whom a page token speaks of. ``item`` is the card the page was opened in, where the viewer may see it."""

    portal: Portal
    user_id: int
    admin: bool
    name: str
    lang: Lang
    item: ItemRef | None = None


def opened_page(workshop: Workshop) -> Opened:
    """Verify the opening in this request; the answer may then be shown in that portal's frame, in the viewer's language.

    Raises ``Refusal``, ``BadCallback``, ``UnknownSender`` or ``Unproven``.
    """
    seen = opened(workshop, callbacks.page(request.query_string, form_body()))
    allow_frame(seen.portal.url)
    g.lang = seen.viewer.lang
    return seen


def page_token(workshop: Workshop, seen: Opened, item: ItemRef | None = None) -> str:
    """Sign who looks; give ``item`` once `may_see` has answered."""
    viewer = seen.viewer
    return sign(workshop, Visitor(seen.portal, viewer.user_id, viewer.admin, viewer.name, viewer.lang, item))


def sign(workshop: Workshop, visitor: Visitor) -> str:
    """Sign a page token that is good for `LIFE`."""
    item = [visitor.item.entity_type_id, visitor.item.id] if visitor.item else None
    ends = int((workshop.now() + LIFE).timestamp())
    claims = [visitor.portal.id, visitor.user_id, visitor.admin, visitor.name, visitor.lang, item, ends]
    return _signer(workshop).dumps(claims)


def visitor(workshop: Workshop, *, admin: bool = False) -> Visitor:
    """Return whose page sent this request; raises ``Refusal`` 403 for a bad token, a foreign page, or no administrator."""
    _from_our_page(workshop)
    found = _visitor_of(workshop, request.headers.get(HEADER) or request.form.get(FIELD, ""))
    allow_frame(found.portal.url)
    g.lang = found.lang
    if admin and not found.admin:
        raise Refusal(HTTPStatus.FORBIDDEN, "admin_only")
    return found


def library_of(workshop: Workshop, portal: Portal) -> str:
    """Give the address of the BX24 library: the official one, or a stand-in portal's own."""
    plain = portal.url.startswith("http://")
    return f"{portal.url}/api/v1/" if plain and workshop.settings.allow_http else OFFICIAL_LIBRARY


def frame_words(workshop: Workshop, portal: Portal, token: str) -> dict[str, Any]:
    """Give what templates built on ``base_frame.html`` need."""
    return {"page_token": token, "bx24": library_of(workshop, portal), "portal": portal}


def _visitor_of(workshop: Workshop, token: str) -> Visitor:
    try:
        portal_id, user_id, admin, name, lang, item, ends = _signer(workshop).loads(token)
        found = workshop.portal(portal_id)
    except (BadSignature, UnknownPortal) as wrong:
        raise Refusal(HTTPStatus.FORBIDDEN, "page_token") from wrong
    if datetime.fromtimestamp(ends, workshop.now().tzinfo) < workshop.now() or found.state == "removed":
        raise Refusal(HTTPStatus.FORBIDDEN, "page_token")
    return Visitor(found, user_id, admin, name, lang, ItemRef(*item) if item else None)


def _from_our_page(workshop: Workshop) -> None:
    """Refuse what browsers say another site's page has sent; a client that says nothing needs the token all the same.

    Our pages send no referrer, and so post with ``Origin: null``: where a browser says ``Sec-Fetch-Site``, that decides.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = "/".join(workshop.settings.public_url.split("/")[:3])
    if site != "same-origin" if site is not None else origin not in (None, ours):
        raise Refusal(HTTPStatus.FORBIDDEN, "foreign_page")


def _signer(workshop: Workshop) -> URLSafeSerializer:
    return URLSafeSerializer([*reversed(workshop.settings.secret_keys)], salt="page")
