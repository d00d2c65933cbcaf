"""Tying processes to pipelines from the settings: create what is missing, choose what is there, switch, migrate."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from b24app.bitrix.errors import PortalError
from b24app.core.process import ProcessDef
from b24app.core.text import T
from b24app.engine.access import gate_of
from b24app.engine.people import settling
from b24app.engine.setup.layout import place
from b24app.engine.setup.pipelines import CannotTie, Proposal, create, map_existing, offer
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store.processes import Tie
from b24app.web import texts
from b24app.web.cards import show_page
from b24app.web.pages_auth import Visitor, visitor
from b24app.web.refusals import Refusal
from b24app.web.settings_page import Answer, show
from b24app.web.texts_settings import SETTINGS

texts.add(SETTINGS)
_log = log("processes")


def pages(workshop: Workshop) -> Blueprint:
    """Make the forms."""
    bp = Blueprint("process", __name__, url_prefix="/b24/app/process/<code>")

    @bp.post("/create")
    def make(code: str) -> ResponseReturnValue:
        """Tie a process (anew), creating what is missing; new items get the version of the file."""
        who, process = _asked(workshop, code)
        return _tied(workshop, who, lambda: create(workshop, who.portal, process))

    @bp.post("/choose")
    def choices(code: str) -> ResponseReturnValue:
        """Show what the portal has to choose from."""
        who, process = _asked(workshop, code)
        return _choices(workshop, who, process, _number(request.form.get("category", "")))

    @bp.post("/tie")
    def tie(code: str) -> ResponseReturnValue:
        """Tie a process to the chosen pipeline, stages and fields."""
        who, process = _asked(workshop, code)
        category = _number(request.form.get("category", "")) or 0
        stages = {stage.key: request.form.get(f"stage:{stage.key}", "") for stage in process.stages}
        fields = {name: code for name in process.fields if (code := request.form.get(f"field:{name}", ""))}

        def chosen() -> Tie:
            tied = map_existing(workshop, who.portal, process, category, stages, fields)
            wanted = request.form.get("make_fields") == "yes" and len(fields) < len(process.fields)
            return create(workshop, who.portal, process) if wanted else tied

        def again(said: T) -> ResponseReturnValue:
            return _choices(workshop, who, process, category, said)

        return _tied(workshop, who, chosen, again)

    _running(bp, workshop)
    return bp


def _running(bp: Blueprint, workshop: Workshop) -> None:
    @bp.post("/switch")
    def switch(code: str) -> ResponseReturnValue:
        """Switch a process on or off."""
        who, _ = _asked(workshop, code)
        running = next((one for one in settling.desk_of(workshop, who.portal).processes if one.process.code == code), None)
        training = running.tie.training if running and running.tie else True
        enabled = request.form.get("enabled") == "yes"
        settling.switch(workshop, who.portal, code, training=training, enabled=enabled, by=who.name)
        return show(workshop, who, Answer("processes", texts.WORDS["set_saved"]))

    @bp.post("/migrate")
    def migrate(code: str) -> ResponseReturnValue:
        """Let running items go on with the current version."""
        who, _ = _asked(workshop, code)
        moved = settling.migrate(workshop, who.portal, code, who.name)
        return show(workshop, who, Answer("processes", texts.WORDS["set_migrated"].fill(n=moved)))


def _asked(workshop: Workshop, code: str) -> tuple[Visitor, ProcessDef]:
    """Return which administrator asks about which process; raises `Refusal`."""
    who = visitor(workshop, admin=True)
    process = workshop.processes_of(who.portal).get(code)
    if process is None:
        raise Refusal(HTTPStatus.NOT_FOUND, "not_found")
    return who, process


def _tied(
    workshop: Workshop, who: Visitor, tie: Callable[[], Tie], again: Callable[[T], ResponseReturnValue] | None = None
) -> ResponseReturnValue:
    """Tie a process; where that cannot be, show the form ``again``, or the settings, with what is missing."""
    try:
        settling.note_tied(workshop, who.portal, tie(), who.name)
    except CannotTie as missing:
        said = texts.WORDS["set_cannot_tie"].fill(what=missing.what)
        return again(said) if again else _trouble(workshop, who, said)
    except PortalError as error:
        _log.warning("a process could not be tied", portal=who.portal.host, error=str(error))
        return _trouble(workshop, who, texts.WORDS["set_portal_trouble"])
    _into_cards(workshop, who)
    return show(workshop, who, Answer("processes", texts.WORDS["set_tied"]))


def _into_cards(workshop: Workshop, who: Visitor) -> None:
    """Put the fields into the cards; where the portal is busy, the next check of the installation does."""
    try:
        place(workshop, who.portal, gate_of(workshop, who.portal))
    except PortalError as error:
        _log.warning("fields were not put into cards", portal=who.portal.host, error=str(error))


def _trouble(workshop: Workshop, who: Visitor, said: T) -> ResponseReturnValue:
    return show(workshop, who, Answer("processes", said, "bad")), HTTPStatus.UNPROCESSABLE_ENTITY


def _choices(
    workshop: Workshop, who: Visitor, process: ProcessDef, category: int | None, said: T | None = None
) -> ResponseReturnValue:
    try:
        found = offer(workshop, who.portal, process, gate_of(workshop, who.portal))
    except PortalError as error:
        _log.warning("pipelines could not be read", portal=who.portal.host, error=str(error))
        return _trouble(workshop, who, texts.WORDS["set_portal_trouble"])
    proposed = found.category.id if found.category else (found.categories[0].id if found.categories else 0)
    chosen = proposed if category is None else category
    page = show_page(
        workshop,
        who,
        "process.html",
        process=process,
        offer=found,
        chosen=chosen,
        stages=found.stage_choices.get(chosen, ()),
        picked=dict(request.form) if said else _picked(found, chosen, proposed),
        make_fields=not said or "make_fields" in request.form,
        said=said,
        lang=who.lang,
    )
    return (page, HTTPStatus.UNPROCESSABLE_ENTITY) if said else page


def _picked(found: Proposal, chosen: int, proposed: int) -> dict[str, str | None]:
    """Choose for a beginning what was found; in a pipeline nobody proposed, stages of the same name."""
    named = {stage.name: stage.status_id for stage in found.stage_choices.get(chosen, ())}
    picked = {
        f"stage:{stage.key}": found.stages.get(stage.key)
        if chosen == proposed
        else named.get(stage.name.ru) or named.get(stage.name.en)
        for stage in found.process.stages
    }
    return picked | {f"field:{name}": found.fields.get(name) for name in found.process.fields}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
