"""The desk a visitor sits at: who he is, how times look to him, what he did and what he was refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from sandbox.errors import RestError
from sandbox.page_bbcode import bb_html
from sandbox.people import User
from sandbox.wire import whole

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from sandbox.portal import Portal

WHO = "sandbox_user"
QUIET = "X-Sandbox-Quiet"
"""Sent by the script that refreshes a page in the background: nothing counts as seen then."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "frame-src http: https:; form-action 'self' http: https:; base-uri 'none'; frame-ancestors 'none'"
)

View = Callable[..., "ResponseReturnValue"]


class Desk:
    """The page of one portal; ``board`` collects its views."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.board = Blueprint("pages", __name__)
        self.read_up_to: dict[int, int] = {}
        """The last notification each user has looked at."""
        self.looked_at: dict[tuple[int, int], int] = {}
        """The pipeline each user looked at last, by type of cards."""
        self._told: dict[int, list[str]] = {}
        self._rules = 0
        self.board.register_error_handler(RestError, self._refused)

    def view(self, rule: str, *methods: str) -> Callable[[View], View]:
        """Register a view; the world stands still while it runs."""

        def register(run: View) -> View:
            @wraps(run)
            def held(**names: Any) -> ResponseReturnValue:
                with self.portal.world.lock:
                    return run(**names)

            self._rules += 1
            endpoint = f"{run.__name__}_{self._rules}"
            self.board.add_url_rule(rule, view_func=held, endpoint=endpoint, methods=list(methods or ("GET",)))
            return run

        return register

    @property
    def who(self) -> User:
        """Give the user the visitor plays; the technical administrator at first."""
        people = self.portal.people
        chosen = whole(request.cookies.get(WHO, ""))
        return people.users[chosen if people.active(chosen) else people.first_admin()]

    @property
    def zone(self) -> ZoneInfo:
        """Give the time zone of the user."""
        return ZoneInfo(self.who.time_zone) if self.who.time_zone else self.portal.server_zone

    def say(self, ru: str, en: str) -> str:
        """Give a text in the user's language."""
        return en if self.who.language == "en" else ru

    def call(self, method: str, /, **params: Any) -> Any:
        """Do what a REST method does, as the user; raises ``RestError``."""
        return self.portal.as_user(self.who.id).call(method, **params)

    def tell(self, text: str) -> None:
        """Show a text on the next page the user opens."""
        self._told.setdefault(self.who.id, []).append(text)

    def local(self, moment: datetime | None, form: str = "%d.%m.%Y %H:%M") -> str:
        """Write a moment in the user's zone."""
        return moment.astimezone(self.zone).strftime(form) if moment else ""

    def read_local(self, text: str) -> datetime:
        """Read what a date-and-time input sent, in the user's zone; raises ``RestError``."""
        try:
            return datetime.fromisoformat(text).replace(tzinfo=self.zone)
        except ValueError as mistake:
            raise RestError("ERROR_ARGUMENT", self.say("Укажите дату и время", "Give a date and a time")) from mistake

    def name(self, user_id: int) -> str:
        """Give a user's name; the system has none of its own."""
        user = self.portal.people.users.get(user_id)
        return user.full_name if user else self.say("Система", "System")

    def unread(self, user_id: int) -> int:
        """Count the notifications a user has not looked at."""
        seen = self.read_up_to.get(user_id, 0)
        return sum(1 for note in self.portal.messages.notifications if note.user_id == user_id and note.id > seen)

    def page(self, template: str, status: int = 200, **names: Any) -> Response:
        """Render a page in the frame all of them share."""
        quiet = QUIET in request.headers
        shared = {
            "desk": self,
            "portal": self.portal,
            "who": self.who,
            "L": self.say,
            "bb": lambda text: bb_html(text, self.name),
            "told": [] if quiet else self._told.pop(self.who.id, []),
            "quiet": quiet,
        }
        answer = make_response(render_template(f"portal/{template}", **shared, **names), status)
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def back(self, fallback: str = "/") -> WerkzeugResponse:
        """Send the visitor back to where he came from."""
        came = urlsplit(request.referrer or "")
        same = came.netloc == request.host and bool(came.path)
        return redirect(came.path + (f"?{came.query}" if came.query else "") if same else fallback, 303)

    def _refused(self, refusal: RestError) -> ResponseReturnValue:
        """Tell a refusal: above the page he came from, or on a page of its own."""
        text = bb_html(refusal.description.replace("<br>", " ").strip(), self.name) or refusal.code
        if request.method == "POST":
            self.tell(text)
            return self.back()
        return self.page("refused.html", max(refusal.status, 400), text=text)
