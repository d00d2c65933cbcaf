"""What the portal calls: events, robots, texts to send. Verify, write down, answer; workers do the rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from b24app.engine.arriving import intake
from b24app.engine.arriving.intake import Accepted
from b24app.engine.workshop import Workshop
from b24app.web.refusals import TAKEN, Refusal

FORM = "application/x-www-form-urlencoded"


def callbacks(workshop: Workshop, sleep: Callable[[float], None] = time.sleep) -> Blueprint:
    """Build the addresses the portal calls."""
    bp = Blueprint("callbacks", __name__)

    @bp.post("/b24/event")
    def event() -> ResponseReturnValue:
        """Take in an event."""
        return _taken(intake.accept_event(workshop, form_body(), sleep=sleep))

    @bp.post("/b24/robot/<code>")
    def robot(code: str) -> ResponseReturnValue:
        """Take in a robot call; a repeated event token changes nothing."""
        return _taken(intake.accept_robot(workshop, code, form_body(), sleep=sleep))

    @bp.post("/b24/sms")
    def sms() -> ResponseReturnValue:
        """Take in a text that the portal asks to send."""
        return _taken(intake.accept_sms(workshop, form_body(), sleep=sleep))

    return bp


def form_body() -> bytes:
    """Return the raw form of a request; raises ``Refusal`` 415 for anything else."""
    if request.mimetype != FORM:
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content_type")
    return request.get_data(parse_form_data=False)


def _taken(accepted: Accepted) -> ResponseReturnValue:
    TAKEN.labels(accepted.kind, "yes" if accepted.new else "no").inc()
    return "", HTTPStatus.OK
