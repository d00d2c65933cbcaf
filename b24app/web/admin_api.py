"""The operators' API: look, explain, run again, retry. Every call carries ``Authorization: Bearer ADMIN_TOKEN``.

Changes are JSON posts that say why; reruns only show what they would do unless ``dry_run`` is false. ``X-Operator`` names
who asks, for the audit.
"""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from b24app.bitrix.errors import PortalError, Transient
from b24app.core.item import ItemRef, ref_of_binding
from b24app.core.properties import BadProperty
from b24app.core.text import cut, plain
from b24app.engine.decisions.plan import BadStep
from b24app.engine.decisions.rerun import NoSuchThing
from b24app.engine.figures import exports
from b24app.engine.figures.exporting import NotSettled
from b24app.engine.watching import admin
from b24app.engine.watching.admin import NotThere, Wanted
from b24app.engine.watching.alarms import alarms
from b24app.engine.workshop import Workshop
from b24app.web.operators import CHANGES, FAILURES, Door, Pace, Preview, Reruns
from b24app.web.refusals import Refusal
from b24app.web.shown import action_json, as_json, run_json

LONGEST_PAGE = 200
B = TypeVar("B", bound=BaseModel)


class Change(BaseModel):
    """The body of a change: why it is made."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    why: Annotated[str, Field(min_length=3, max_length=500)]


class Forget(Change):
    """Deletes the settled journal of an item of a portal."""

    portal: Annotated[str, Field(min_length=1, max_length=255)]


class Rerun(Change):
    """The body of a rerun; ``force`` repeats what is recorded as done; what has the same ``once`` is done one time."""

    dry_run: bool = True
    force: bool = False
    once: Annotated[str, Field(max_length=64)] = ""


class Export(Change):
    """Asks for an export: of what changed, or of everything."""

    full: bool = False


class EntryRerun(Rerun):
    """Runs the newest stage entry of an item of a portal again."""

    portal: Annotated[str, Field(min_length=1, max_length=255)]


class RobotRun(Change):
    """Runs a robot for an item (``D_12``) with properties as a process file writes them."""

    portal: Annotated[str, Field(min_length=1, max_length=255)]
    item: Annotated[str, Field(max_length=40)]
    props: dict[str, Any] = Field(default_factory=dict)
    dry_run: bool = True
    once: Annotated[str, Field(max_length=64)] = ""


def pages(workshop: Workshop, reruns: Reruns) -> Blueprint:
    """Make the API."""
    bp = Blueprint("admin_api", __name__, url_prefix="/admin/api")
    door, pace = Door(workshop.settings.admin_token, Pace(FAILURES)), Pace(CHANGES)

    @bp.before_request
    def guard() -> None:
        """Let operators in; changes are JSON and come at a bounded pace."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not door.opens(given.strip(), request.remote_addr or "", workshop.now()):
            raise Refusal(HTTPStatus.UNAUTHORIZED, "admin_token")
        if request.method == "GET":
            return
        if request.mimetype != "application/json":
            raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content_type")
        if pace.full(_who(), workshop.now()):
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "pace")
        pace.note(_who(), workshop.now())

    _errors(bp)
    _looks(bp, workshop)
    _changes(bp, workshop)
    _exports(bp, workshop)
    _reruns(bp, workshop, reruns)
    return bp


def _errors(bp: Blueprint) -> None:
    @bp.errorhandler(NotThere)
    def not_there(error: NotThere) -> ResponseReturnValue:
        return jsonify(error="not_found", description=str(error)), HTTPStatus.NOT_FOUND

    @bp.errorhandler(NoSuchThing)
    def no_such_thing(error: NoSuchThing) -> ResponseReturnValue:
        return jsonify(error="not_found", description=str(error)), HTTPStatus.NOT_FOUND

    @bp.errorhandler(BadStep)
    @bp.errorhandler(BadProperty)
    def senseless(error: BadStep | BadProperty) -> ResponseReturnValue:
        return jsonify(error="malformed", description=str(error)), HTTPStatus.BAD_REQUEST

    @bp.errorhandler(PortalError)
    def portal_trouble(error: PortalError) -> ResponseReturnValue:
        status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, Transient) else HTTPStatus.BAD_GATEWAY
        return jsonify(error="portal", description=str(error)), status

    @bp.errorhandler(ValidationError)
    def malformed(error: ValidationError) -> ResponseReturnValue:
        wrong = {".".join(str(part) for part in problem["loc"]) or "body": problem["msg"] for problem in error.errors()}
        return jsonify(error="malformed", fields=wrong), HTTPStatus.BAD_REQUEST


def _looks(bp: Blueprint, workshop: Workshop) -> None:
    @bp.get("/runs")
    def runs() -> ResponseReturnValue:
        """List runs, newest first; ``before`` pages on with the ``next`` of the answer."""
        wanted = wanted_of(workshop)
        found = admin.runs(workshop, wanted)
        following = found[-1][1].id if len(found) == wanted.limit else None
        return jsonify(runs=[run_json(portal_id, run) for portal_id, run in found], next=following)

    @bp.get("/runs/<int(max=9007199254740991):run_id>")
    def run(run_id: int) -> ResponseReturnValue:
        return jsonify(_story_json(admin.run_story(workshop, run_id)))

    @bp.get("/timers")
    def timers() -> ResponseReturnValue:
        portal_id, item = _portal_id(workshop), item_of(request.args.get("item", ""))
        state = request.args.get("state", "waiting")
        found = admin.list_timers(workshop, portal_id, item, "" if state == "all" else state)
        return jsonify(timers=[{"portal": number, **as_json(asdict(timer))} for number, timer in found])

    @bp.get("/portals")
    def portals() -> ResponseReturnValue:
        return jsonify(portals=[_portal_json(row) for row in admin.portals(workshop)])

    @bp.get("/incidents")
    def incidents() -> ResponseReturnValue:
        found = admin.incidents(workshop, _portal_id(workshop))
        wrong = [as_json(asdict(alarm)) for alarm in alarms(workshop)]
        return jsonify(incidents=[{**as_json(asdict(one)), "item": str(one.item)} for one in found], alarms=wrong)

    @bp.get("/items/<binding>/journal")
    def item_journal(binding: str) -> ResponseReturnValue:
        """Give everything the journal holds of an item."""
        portal = admin.find_portal(workshop, request.args.get("portal", ""))
        found = admin.stories(workshop, portal.id, _item(binding))
        return jsonify(runs=[_story_json(story) for story in found])

    @bp.get("/audit")
    def audit() -> ResponseReturnValue:
        return jsonify(audit=as_json(admin.list_audit(workshop, _portal_id(workshop))))


def _changes(bp: Blueprint, workshop: Workshop) -> None:
    @bp.post("/incidents/<incident_id>/retry")
    def retry(incident_id: str) -> ResponseReturnValue:
        """Do failed work or a failed action once more."""
        incident = admin.retry_incident(workshop, incident_id, _who(), _body(Change).why)
        return jsonify(retried=incident.id)

    @bp.post("/timers/<int(max=9007199254740991):timer_id>/cancel")
    def cancel(timer_id: int) -> ResponseReturnValue:
        """Cancel a waiting timer."""
        admin.cancel_timer(workshop, timer_id, _who(), _body(Change).why)
        return jsonify(cancelled=timer_id)

    @bp.delete("/items/<binding>/journal")
    def forget(binding: str) -> ResponseReturnValue:
        """Delete what is settled of an item from the journal."""
        body, item = _body(Forget), _item(binding)
        portal = admin.find_portal(workshop, body.portal)
        return jsonify(deleted=dict(admin.forget_item(workshop, portal.id, item, _who(), body.why)))

    @bp.post("/portals/<portal>/wake")
    def wake(portal: str) -> ResponseReturnValue:
        """Have a portal read and worked for now."""
        found = admin.find_portal(workshop, portal)
        admin.wake_portal(workshop, found.id, _who(), _body(Change).why)
        return jsonify(woken=found.id)


def _exports(bp: Blueprint, workshop: Workshop) -> None:
    @bp.get("/export")
    def export_state() -> ResponseReturnValue:
        """Tell how the export to Google Sheets stands."""
        found = exports.status(workshop)
        row = {name: value for name, value in asdict(found.row).items() if name not in ("state", "trouble", "held_until")}
        told = {"settled": found.settled, "link": found.link, "running": found.running, **row}
        trouble = {"text": found.trouble, "remedy": found.remedy, "since": found.since} if found.trouble else None
        return jsonify({**as_json(told), "trouble": as_json(trouble)})

    @bp.post("/export")
    def export() -> ResponseReturnValue:
        """Have the corrections exported within seconds; 409 where no spreadsheet is settled."""
        body = _body(Export)
        try:
            exports.ask(workshop, _who(), body.why, full=body.full)
        except NotSettled:
            return jsonify(error="not_settled", description="no spreadsheet is settled to export to"), HTTPStatus.CONFLICT
        return jsonify(asked=True, full=body.full), HTTPStatus.ACCEPTED

    @bp.get("/portals/<portal>/corrections.xlsx")
    def workbook(portal: str) -> ResponseReturnValue:
        """Give the corrections of a portal as a workbook."""
        return a_workbook(exports.workbook(workshop, admin.find_portal(workshop, portal).id))


def a_workbook(made: bytes) -> Response:
    """Answer with a workbook to be saved."""
    response = Response(made, mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    response.headers["Content-Disposition"] = "attachment; filename=corrections.xlsx"
    response.headers["Cache-Control"] = "no-store"
    return response


def _reruns(bp: Blueprint, workshop: Workshop, reruns: Reruns) -> None:
    @bp.post("/runs/<int(max=9007199254740991):run_id>/rerun")
    def rerun(run_id: int) -> ResponseReturnValue:
        """Run a robot once more as it was called then; shows what it would do unless ``dry_run`` is false."""
        body = _body(Rerun)
        admin.run_story(workshop, run_id)
        done = reruns.rerun_run(workshop, run_id, _who(), body.why, dry_run=body.dry_run, once=body.once, force=body.force)
        return jsonify(preview_json(done, body.dry_run))

    @bp.post("/items/<binding>/entries/rerun")
    def rerun_entry(binding: str) -> ResponseReturnValue:
        """Run the checks and steps of an item's stage once more."""
        body = _body(EntryRerun)
        portal = admin.find_portal(workshop, body.portal)
        entry_id = admin.last_entry_of(workshop, portal.id, _item(binding))
        done = reruns.rerun_entry(
            workshop, entry_id, _who(), body.why, dry_run=body.dry_run, once=body.once, force=body.force
        )
        return jsonify(preview_json(done, body.dry_run))

    @bp.post("/robots/<code>/run")
    def run_robot(code: str) -> ResponseReturnValue:
        """Run a robot for an item."""
        body = _body(RobotRun)
        if code not in workshop.catalogue:
            raise NotThere(f"robot {code}")
        portal, item = admin.find_portal(workshop, body.portal), _item(body.item)
        done = reruns.run_robot(
            workshop, portal.id, item, code, body.props, _who(), body.why, dry_run=body.dry_run, once=body.once
        )
        return jsonify(preview_json(done, body.dry_run))


def wanted_of(workshop: Workshop) -> Wanted:
    """Read the filters of a list of runs from the query."""
    asked = request.args
    return Wanted(
        portal_id=_portal_id(workshop),
        item=item_of(asked.get("item", "")),
        robot=cut(plain(asked.get("robot", "")), 64),
        state=cut(plain(asked.get("state", "")), 16),
        before=_number(asked.get("before", "")),
        limit=min(max(_number(asked.get("limit", "")) or 50, 1), LONGEST_PAGE),
    )


def item_of(written: str) -> ItemRef | None:
    """Read an optional item (``D_12``); raises `NotThere` for what names none."""
    return _item(written) if written else None


def preview_json(done: Preview, dry_run: bool) -> dict[str, Any]:
    """Write down what a rerun did, or would do."""
    return {"dry_run": dry_run, "actions": as_json(done.actions), "why": as_json(done.why), "runs": as_json(done.run_ids)}


def _item(written: str) -> ItemRef:
    found = ref_of_binding(written) if len(written) <= 40 else None
    if found is None or found.id >= 2**53 or found.entity_type_id >= 2**31:
        raise NotThere(f"item {cut(written, 40)}")
    return found


def _portal_id(workshop: Workshop) -> int | None:
    written = request.args.get("portal", "")
    return admin.find_portal(workshop, written).id if written else None


def _story_json(story: admin.RunStory) -> dict[str, Any]:
    more = {"props": story.run.props, "facts": story.run.facts, "returns": story.run.returns}
    told = {**run_json(story.portal_id, story.run), **as_json(more)}
    return {**told, "actions": [action_json(action) for action in story.actions]}


def _portal_json(row: admin.PortalRow) -> dict[str, Any]:
    portal = row.portal
    told = {
        "id": portal.id,
        "member_id": portal.member_id,
        "host": portal.host,
        "state": portal.state,
        "reason": portal.reason,
        "token_user": portal.grant.user,
        "token_expires": portal.grant.expires,
        "scope": portal.grant.scope,
        "installed_at": portal.installed_at,
        "read_at": row.reads.read_at,
        "left_alone_until": row.reads.not_before,
        "waiting": asdict(row.load),
        "at_rest": row.at_rest,
        "healed": asdict(row.healed),
        "strain": {**asdict(row.strain), "waits": row.strain.waits.total_seconds()},
    }
    return {key: as_json(value) for key, value in told.items()}


def _number(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 16 else None


def _who() -> str:
    return cut(plain(request.headers.get("X-Operator", "")), 100) or "operator"


def _body(shape: type[B]) -> B:
    return shape.model_validate_json(request.get_data(cache=True) or b"{}")
