"""The operators' session: a signed cookie of their own pages, and a token in every form."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from flask import request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from b24app.engine.workshop import Workshop
from b24app.web.refusals import Refusal

COOKIE = "b24app_operator"
LASTS = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Session:
    """An operator who signed in; ``csrf`` stands in each of his forms."""

    who: str
    csrf: str


class Sessions:
    """Makes and reads the cookie; a session ends eight hours after the sign-in, by the workshop's clock."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        settings = workshop.settings
        keys = [key + settings.admin_token for key in reversed(settings.secret_keys)]
        self._signer = URLSafeSerializer(keys, salt="operator's session")

    def begin(self, response: Response, who: str) -> None:
        """Give the browser a session."""
        ends = int((self._workshop.now() + LASTS).timestamp())
        signed = self._signer.dumps({"who": who, "csrf": secrets.token_urlsafe(24), "ends": ends})
        response.set_cookie(
            COOKIE,
            signed if isinstance(signed, str) else signed.decode(),
            max_age=LASTS,
            path="/admin",
            secure=self._workshop.settings.public_url.startswith("https://"),
            httponly=True,
            samesite="Strict",
        )

    def end(self, response: Response) -> None:
        """Take the session back from the browser."""
        response.delete_cookie(COOKIE, path="/admin", httponly=True, samesite="Strict")

    def current(self) -> Session | None:
        """Return who is signed in; None for nobody."""
        try:
            told = self._signer.loads(request.cookies.get(COOKIE, ""))
        except BadSignature:
            return None
        if told["ends"] <= self._workshop.now().timestamp():
            return None
        return Session(told["who"], told["csrf"])

    def changing(self) -> Session:
        """Return who makes this change; raises `Refusal` unless it comes from one of our own forms."""
        session = self.current()
        if session is None:
            raise Refusal(HTTPStatus.FORBIDDEN, "session")
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise Refusal(HTTPStatus.FORBIDDEN, "foreign_page")
        if not hmac.compare_digest(session.csrf.encode(), request.form.get("csrf", "").encode("utf-8", "replace")):
            raise Refusal(HTTPStatus.FORBIDDEN, "foreign_page")
        return session
