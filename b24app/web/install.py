"""The installation page, the plain main page, and the way back in by an authorization code.

The portal shows the installation page until it is told that the installation is finished, which only a browser can tell it.
So the page may be opened and run any number of times. Page: settings/app-installation/installation-finish.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from b24app.bitrix.errors import AuthLost, PortalError, PortalGone, Transient
from b24app.engine.arriving import oauth_flow
from b24app.engine.arriving.trust import UnknownSender, Unproven
from b24app.engine.setup import install as engine
from b24app.engine.setup.install import AlreadyRunning, Report
from b24app.engine.setup.pipelines import offers as offers_of
from b24app.engine.workshop import Workshop
from b24app.web.pages_auth import Visitor, frame_words, opened_page, page_token, sign, visitor
from b24app.web.refusals import Refusal
from b24app.web.texts import speaker

PATIENCE = 5.0  # seconds proposed where the portal names none


def install(workshop: Workshop, sleep: Callable[[float], None] = time.sleep) -> Blueprint:
    """Build the installation page."""
    bp = Blueprint("install", __name__)

    @bp.get("/b24/install")
    def explain() -> ResponseReturnValue:
        """Explain to a person with a browser where this page belongs."""
        return render_template("outside.html")

    @bp.post("/b24/install")
    def opening() -> ResponseReturnValue:
        """Show what will be done; an administrator's opening has connected the portal by now."""
        seen = opened_page(workshop)
        if not seen.viewer.admin:
            raise Refusal(HTTPStatus.FORBIDDEN, "not_admin")
        offers = offers_of(workshop, seen.portal)
        words = frame_words(workshop, seen.portal, page_token(workshop, seen))
        return render_template("install.html", name=seen.viewer.name, offers=offers, report=None, trouble=None, **words)

    @bp.post("/b24/install/run")
    def run() -> ResponseReturnValue:
        """Set the portal up and tell what became of it."""
        who = visitor(workshop, admin=True)
        report, trouble = _run(workshop, who, tuple(request.form.getlist("process")), sleep)
        if request.accept_mimetypes.best == "application/json":
            return _as_json(who, report, trouble)
        words = frame_words(workshop, who.portal, sign(workshop, who))
        offers = offers_of(workshop, who.portal)
        return render_template("install.html", name=who.name, offers=offers, report=report, trouble=trouble, **words)

    @bp.get("/b24/install/progress")
    def progress() -> ResponseReturnValue:
        """Tell in words how far the set-up has come."""
        who = visitor(workshop, admin=True)
        return {"text": _step(who, engine.progress(workshop, who.portal.id))}

    return bp


def entrance(workshop: Workshop) -> Blueprint:
    """Build the main page of an application without further pages, and the way in by an authorization code."""
    bp = Blueprint("entrance", __name__)

    @bp.get("/b24/app")
    @bp.get("/b24/oauth")
    def returned() -> ResponseReturnValue:
        """Take the code a portal sends an administrator back with; explain to anybody else where this page belongs."""
        code, state = request.args.get("code", ""), request.args.get("state", "")
        if not code:
            return render_template("outside.html")
        try:
            portal = oauth_flow.returned(workshop, code, state)
        except UnknownSender as refusal:
            if isinstance(refusal, Unproven) and refusal.why != "refused":
                raise
            raise Refusal(HTTPStatus.FORBIDDEN, "code_spent") from refusal
        return render_template("connected.html", portal=portal)

    @bp.get("/b24/oauth/start")
    def start() -> ResponseReturnValue:
        """Send an administrator to his portal to confirm the application."""
        try:
            address = oauth_flow.authorize_address(workshop, request.args.get("portal", ""))
        except UnknownSender as refusal:
            raise Refusal(HTTPStatus.FORBIDDEN, "unknown_portal") from refusal
        return "", HTTPStatus.FOUND, {"Location": address}

    return bp


def main_page(workshop: Workshop) -> Blueprint:
    """Build the main page for an application that has no other one."""
    bp = Blueprint("main_page", __name__)

    @bp.post("/b24/app")
    def main() -> ResponseReturnValue:
        seen = opened_page(workshop)
        return render_template("main.html", **frame_words(workshop, seen.portal, page_token(workshop, seen)))

    return bp


Trouble = tuple[str, int]
"""The name of a text and the seconds after which to try again, 0 where trying again needs a person."""


def _run(
    workshop: Workshop, who: Visitor, create: tuple[str, ...], sleep: Callable[[float], None]
) -> tuple[Report | None, Trouble | None]:
    try:
        return engine.set_up(workshop, who.portal, create, sleep=sleep), None
    except AlreadyRunning:
        return None, ("install_someone", int(PATIENCE))
    except Transient as error:
        return None, ("install_busy", max(int(error.retry_after or PATIENCE), 1))
    except (AuthLost, PortalGone):
        return None, ("refused_refused", 0)
    except PortalError:
        return None, ("refused_later", 0)


def _as_json(who: Visitor, report: Report | None, trouble: Trouble | None) -> ResponseReturnValue:
    if trouble is not None:
        name, seconds = trouble
        return {"ok": False, "text": str(speaker(who.lang)(name, seconds=seconds)), "retry_after": seconds}
    assert report is not None
    return {"ok": report.ok, "html": render_template("install_report.html", report=report)}


def _step(who: Visitor, found: object) -> str:
    say = speaker(who.lang)
    known = found if isinstance(found, dict) else {}
    process = known.get("process") or ["", ""]
    name = process[0] if who.lang == "ru" else process[1]
    words = {"reading", "registering", "pipelines", "done"}
    step = known.get("step")
    if step not in words:
        return str(say("install_running"))
    return str(say("install_done") if step == "done" else say(f"install_step_{step}", process=name))
