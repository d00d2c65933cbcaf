"""Monitoring: is the process alive, can it take work, what has it counted."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import DBAPIError

from b24app.engine.watching.alarms import measure
from b24app.engine.watching.readiness import Readiness, readiness
from b24app.engine.watching.strain import measure_strain
from b24app.engine.workshop import Workshop
from b24app.log import log

_log = log("health")


def health(workshop: Workshop) -> Blueprint:
    """Build the addresses monitoring asks."""
    bp = Blueprint("health", __name__)

    @bp.get("/health")
    def alive() -> ResponseReturnValue:
        """Tell that the process answers."""
        return {"alive": True}

    @bp.get("/ready")
    def ready() -> ResponseReturnValue:
        """Tell whether work can be taken; 503 while the database does not answer."""
        found: Readiness = readiness(workshop)
        status = HTTPStatus.OK if found.ready else HTTPStatus.SERVICE_UNAVAILABLE
        return {"ready": found.ready, "problem": found.problem}, status

    @bp.get("/metrics")
    def metrics() -> ResponseReturnValue:
        """Give the counters of this process, and what the database tells; without it the counters alone."""
        try:
            measure(workshop)
            measure_strain(workshop)
        except DBAPIError as trouble:
            _log.warning("the database could not be measured", error=type(trouble.orig).__name__)
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)

    return bp
