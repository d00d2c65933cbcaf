"""The operators' pages: the journal, what waits, what failed, who changed what; and the buttons that go with them."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from b24app.core.text import cut, plain
from b24app.engine.access import reason_of
from b24app.engine.figures import exports
from b24app.engine.figures.exporting import NotSettled
from b24app.engine.watching import admin
from b24app.engine.watching.admin import NotThere
from b24app.engine.watching.alarms import alarms
from b24app.engine.workshop import Workshop
from b24app.web import admin_reruns, shown, texts
from b24app.web.admin_api import a_workbook, item_of, wanted_of
from b24app.web.operators import CHANGES, FAILURES, Door, Pace, Reruns
from b24app.web.refusals import Refusal, count
from b24app.web.sessions import Session, Sessions
from b24app.web.texts_admin import ADMIN
from b24app.web.texts_audit import act, doer, failed

texts.add(ADMIN)
_ID = "<int(max=9007199254740991):number>"
Show = Callable[..., str]


def pages(workshop: Workshop, reruns: Reruns) -> Blueprint:
    """Make the pages."""
    bp = Blueprint("admin", __name__, url_prefix="/admin")
    sessions = Sessions(workshop)

    @bp.before_request
    def guard() -> ResponseReturnValue | None:
        """Send whoever is not signed in to the door."""
        if request.endpoint in ("admin.login", "admin.enter") or request.method == "POST" or sessions.current():
            return None
        return redirect(url_for("admin.login"))

    @bp.errorhandler(NotThere)
    def not_there(_error: NotThere) -> ResponseReturnValue:
        count("not_found")
        status = HTTPStatus.NOT_FOUND
        return render_template("refused.html", text="refused_not_found", reason="not_found", status=int(status)), status

    def show(template: str, **values: Any) -> str:
        session = sessions.current() or Session("", "")
        return render_template(template, session=session, shown=shown, here=request.endpoint, **values)

    _door(bp, workshop, sessions)
    _journal(bp, workshop, show)
    _lists(bp, workshop, show)
    _changes(bp, workshop, sessions)
    _export(bp, workshop, sessions, show)
    admin_reruns.pages(bp, workshop, sessions, reruns, show, _why)
    return bp


def _door(bp: Blueprint, workshop: Workshop, sessions: Sessions) -> None:
    door = Door(workshop.settings.admin_token, Pace(FAILURES))

    @bp.get("/login")
    def login() -> ResponseReturnValue:
        return render_template("admin_login.html", wrong=False, who="")

    @bp.post("/login")
    def enter() -> ResponseReturnValue:
        """Exchange the admin token for a session."""
        who = cut(plain(request.form.get("who", "")), 100) or "operator"
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise Refusal(HTTPStatus.FORBIDDEN, "foreign_page")
        if not door.opens(request.form.get("token", "").strip(), request.remote_addr or "", workshop.now()):
            return render_template("admin_login.html", wrong=True, who=who), HTTPStatus.UNAUTHORIZED
        response = redirect(url_for("admin.runs"))
        sessions.begin(response, who)
        return response

    @bp.post("/logout")
    def logout() -> ResponseReturnValue:
        sessions.changing()
        response = redirect(url_for("admin.login"))
        sessions.end(response)
        return response


def _journal(bp: Blueprint, workshop: Workshop, show: Show) -> None:
    @bp.get("")
    def home() -> ResponseReturnValue:
        return redirect(url_for("admin.runs"))

    @bp.get("/runs")
    def runs() -> ResponseReturnValue:
        wanted = wanted_of(workshop)
        found = admin.runs(workshop, wanted)
        older = found[-1][1].id if len(found) == wanted.limit else None
        query = {name: value for name in ("portal", "item", "robot", "state") if (value := request.args.get(name, ""))}
        names = admin.names_for(workshop, (portal_id for portal_id, _ in found))
        robots = workshop.catalogue.values()
        known = admin.portals(workshop)
        return show("admin_runs.html", runs=found, names=names, older=older, query=query, robots=robots, portals=known)

    @bp.get(f"/runs/{_ID}")
    def run(number: int) -> ResponseReturnValue:
        return admin_reruns.run_page(workshop, show, number)


def _lists(bp: Blueprint, workshop: Workshop, show: Show) -> None:
    @bp.get("/timers")
    def timers() -> ResponseReturnValue:
        found = admin.list_timers(workshop, item=item_of(request.args.get("item", "")))
        return show("admin_timers.html", timers=found, names=admin.names_for(workshop, (number for number, _ in found)))

    @bp.get("/portals")
    def portals() -> ResponseReturnValue:
        found = admin.portals(workshop)
        names = admin.names_for(workshop, (row.portal.id for row in found))
        url = workshop.settings.public_url
        return show("admin_portals.html", portals=found, names=names, url=url, reason=reason_of)

    @bp.get("/incidents")
    def incidents() -> ResponseReturnValue:
        found = admin.incidents(workshop)
        wrong = alarms(workshop)
        of = [*(one.portal_id for one in found), *(one.portal_id for one in wrong if one.portal_id is not None)]
        names = admin.names_for(workshop, of)
        return show("admin_incidents.html", incidents=found, alarms=wrong, names=names, failed=failed)

    @bp.get("/audit")
    def audit() -> ResponseReturnValue:
        found = admin.list_audit(workshop)
        names = admin.names_for(workshop, (row["portal_id"] for row in found if row["portal_id"] is not None))
        return show("admin_audit.html", audit=found, names=names, pretty=admin_reruns.pretty, act=act, doer=doer)

    @bp.get("/versions")
    def versions() -> ResponseReturnValue:
        return show("admin_versions.html", versions=admin.versions(workshop))


def _changes(bp: Blueprint, workshop: Workshop, sessions: Sessions) -> None:
    pace = Pace(CHANGES)

    def change() -> tuple[str, str]:
        """Tell who changes something and why; raises `Refusal`."""
        session = sessions.changing()
        return session.who, _why(workshop, pace, session)

    @bp.post("/incidents/<incident>/retry")
    def retry(incident: str) -> Response:
        admin.retry_incident(workshop, incident, *change())
        return redirect(url_for("admin.incidents"), HTTPStatus.SEE_OTHER)

    @bp.post(f"/timers/{_ID}/cancel")
    def cancel(number: int) -> Response:
        admin.cancel_timer(workshop, number, *change())
        return redirect(url_for("admin.timers"), HTTPStatus.SEE_OTHER)

    @bp.post(f"/portals/{_ID}/wake")
    def wake(number: int) -> Response:
        admin.wake_portal(workshop, number, *change())
        return redirect(url_for("admin.portals"), HTTPStatus.SEE_OTHER)


def _export(bp: Blueprint, workshop: Workshop, sessions: Sessions, show: Show) -> None:
    pace = Pace(CHANGES)

    @bp.get("/export")
    def export() -> ResponseReturnValue:
        known = admin.names_for(workshop, (row.portal.id for row in admin.portals(workshop)))
        return show("admin_export.html", export=exports.status(workshop), portals=known)

    @bp.get(f"/portals/{_ID}/corrections.xlsx")
    def workbook(number: int) -> ResponseReturnValue:
        return a_workbook(exports.workbook(workshop, admin.find_portal(workshop, str(number)).id))

    @bp.post("/export")
    def ask_export() -> ResponseReturnValue:
        """Have the corrections exported, all of them when the second button was pressed."""
        session = sessions.changing()
        why = _why(workshop, pace, session)
        try:
            exports.ask(workshop, session.who, why, full=request.form.get("full") == "yes")
        except NotSettled as error:
            raise Refusal(HTTPStatus.CONFLICT, "not_settled") from error
        return redirect(url_for("admin.export"), HTTPStatus.SEE_OTHER)


def _why(workshop: Workshop, pace: Pace, session: Session) -> str:
    why = plain(request.form.get("why", ""))
    if not 3 <= len(why) <= 500:
        raise Refusal(HTTPStatus.BAD_REQUEST, "why")
    if pace.full(session.who, workshop.now()):
        raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "pace")
    pace.note(session.who, workshop.now())
    return why
