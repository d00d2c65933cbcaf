"""An application's page inside the portal: the frame, the form posted into it, and the talk of the two windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.apps import AppCard, Placement
from sandbox.page_desk import Desk
from sandbox.wire import JSON


@dataclass(frozen=True, slots=True)
class Frame:
    """What a template needs to show an application: its name as the portal's library reads it, and the form."""

    window: str
    url: str
    form: dict[str, str]
    origin: str
    settings: JSON


def framed(desk: Desk, app: AppCard, widget: Placement | None = None, options: Mapping[str, Any] | None = None) -> Frame:
    """Open an application for the user; raises ``RestError`` when it may not be shown (settings/oauth/simple-way.md).

    The frame's window name is ``host|protocol|APP_SID``, as the layout of a real portal writes it.
    """
    code = widget.code if widget else "DEFAULT"
    url, form = desk.portal.open_app_post(
        app, desk.who.id, code, dict(options or {}), handler=widget.handler if widget else ""
    )
    parts = urlsplit(url)
    session = parse_qs(parts.query)["APP_SID"][0]
    settings: JSON = {
        "session": session,
        "origin": f"{parts.scheme}://{parts.netloc}",
        "client_id": app.client_id,
        "finishes": not app.installed,
        "placement": code,
        "options": dict(options or {}),
        "lang": desk.who.language,
        "admin": desk.who.admin,
        "auth": {
            "access_token": form["AUTH_ID"],
            "refresh_token": form["REFRESH_ID"],
            "expires_in": int(form["AUTH_EXPIRES"]),
            "domain": desk.portal.domain,
            "member_id": form["member_id"],
        },
    }
    return Frame(f"{desk.portal.domain}|0|{session}", url, form, str(settings["origin"]), settings)
