"""The web application: its blueprints, limits, headers and what it answers to whoever is turned away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from http import HTTPStatus

from flask import Blueprint, Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from b24app.bitrix.sender import BadCallback
from b24app.core.text import Lang
from b24app.engine.arriving.intake import NotStored
from b24app.engine.arriving.openings import lang_of
from b24app.engine.arriving.spooled import Delivery
from b24app.engine.arriving.trust import UnknownSender, Unproven
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.web import texts
from b24app.web.callbacks import callbacks
from b24app.web.headers import ANYWHERE, add_headers, allow_frame, nonce
from b24app.web.health import health
from b24app.web.install import entrance, install, main_page
from b24app.web.refusals import Refusal, count

MAX_BODY = 1024 * 1024
MAX_FIELDS = 2000
FRAMED = "/b24/"
"""Where the pages are that stand in a frame of a portal."""

_log = log("web")

MakeBlueprint = Callable[[Workshop], Blueprint]


def create_web(
    workshop: Workshop, pages: Iterable[MakeBlueprint] = (), *, sleep: Callable[[float], None] = time.sleep
) -> Flask:
    """Build the web application; ``pages`` make the blueprints of further pages."""
    app = Flask("b24app.web", template_folder=None, static_folder=None)
    app.jinja_loader = texts.loader()
    app.static_folder = str(texts.HERE / "static")
    app.add_url_rule("/static/<path:filename>", "static", app.send_static_file)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, MAX_FORM_MEMORY_SIZE=MAX_BODY, MAX_FORM_PARTS=MAX_FIELDS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(callbacks(workshop, sleep))
    app.register_blueprint(health(workshop))
    app.register_blueprint(install(workshop, sleep))
    app.register_blueprint(entrance(workshop))
    for make in pages:
        app.register_blueprint(make(workshop))
    if not any(rule.rule == "/b24/app" and "POST" in (rule.methods or ()) for rule in app.url_map.iter_rules()):
        app.register_blueprint(main_page(workshop))
    app.before_request(Delivery(workshop, sleep).look)
    add_headers(app, https=workshop.settings.public_url.startswith("https://"))
    _speak(app, workshop.settings.lang)
    _refuse(app)
    return app


def _speak(app: Flask, default: Lang) -> None:
    """Give templates their texts in the reader's language, and the nonce of the response."""

    @app.context_processor
    def words() -> dict[str, object]:
        lang: Lang = g.get("lang") or lang_of(request.accept_languages.best or "", default)
        return {"t": texts.speaker(lang), "lang": lang, "nonce": nonce()}


def _refuse(app: Flask) -> None:
    """Answer whoever is turned away: counted, without details a stranger could use."""

    @app.errorhandler(BadCallback)
    def malformed(error: BadCallback) -> ResponseReturnValue:
        _log.info("malformed request", path=request.path, place=error.place)
        return _answer(HTTPStatus.BAD_REQUEST, "malformed")

    @app.errorhandler(UnknownSender)
    def stranger(error: UnknownSender) -> ResponseReturnValue:
        if isinstance(error, Unproven):
            later = error.why == "later"
            return _answer(HTTPStatus.SERVICE_UNAVAILABLE if later else HTTPStatus.FORBIDDEN, error.why)
        return _answer(HTTPStatus.FORBIDDEN, "unknown_sender")

    @app.errorhandler(NotStored)
    def not_stored(_error: NotStored) -> ResponseReturnValue:
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "not_stored")

    @app.errorhandler(Refusal)
    def refusal(error: Refusal) -> ResponseReturnValue:
        return _answer(error.status, error.reason)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        return _answer(HTTPStatus(error.code or 500), f"http_{error.code}")

    @app.errorhandler(Exception)
    def broken(error: Exception) -> ResponseReturnValue:
        _log.error("a request broke", path=request.path, exc_info=error)
        return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, "broken")


def _answer(status: HTTPStatus, reason: str) -> ResponseReturnValue:
    """Answer machines with a word and people with a page."""
    count(reason)
    if request.accept_mimetypes.accept_html and "text/html" in request.headers.get("Accept", ""):
        if request.path.startswith(FRAMED):
            allow_frame(ANYWHERE)
        return render_template("refused.html", text=texts.refusal(reason), reason=reason, status=int(status)), status
    text = texts.speaker(g.get("lang") or "en")(texts.refusal(reason))
    return {"error": reason, "text": str(text)}, status
