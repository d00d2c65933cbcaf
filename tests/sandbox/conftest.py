"""A pretend portal with its demo company and an app, spoken to over WSGI without sockets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sandbox.apps import AppCard
from sandbox.clock import SandboxClock
from sandbox.company import demo_company
from sandbox.oauth import oauth_app
from sandbox.portal import Portal
from sandbox.server import portal_app
from sandbox.wire import decode_form
from sandbox.world import World

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
HANDLER = "http://127.0.0.1:9/b24/event"
ADMIN, HEAD, MANAGER, OTHER_MANAGER, INSTALLER = 1, 2, 3, 4, 6


@dataclass
class Mailbox:
    """A handler that takes every call and answers with a status."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    status: int = 200

    def __call__(self, url: str, body: str) -> int:
        self.calls.append((url, decode_form(body)))
        return self.status

    def events(self) -> list[str]:
        """Give the names of the events that came."""
        return [body["event"] for _, body in self.calls if "event" in body]


@dataclass
class Desk:
    """Everything a test of the pretend portal holds in its hands."""

    world: World
    portal: Portal
    clock: SandboxClock
    mailbox: Mailbox
    app: AppCard
    http: FlaskClient
    oauth: FlaskClient
    token: str
    refresh: str

    def ask(self, method: str, token: str = "", /, **params: Any) -> TestResponse:
        """Call a method over HTTP with a JSON body and give the whole answer."""
        return self.http.post(f"/rest/{method}", json={**params, "auth": token or self.token})

    def call(self, method: str, token: str = "", /, **params: Any) -> Any:
        """Call a method that has to succeed and give its result."""
        reply = self.ask(method, token, **params)
        assert reply.status_code == 200, reply.text
        assert reply.json is not None
        return reply.json["result"]

    def refusal(self, method: str, token: str = "", /, **params: Any) -> tuple[int, str]:
        """Call a method that has to fail and give (status, code)."""
        reply = self.ask(method, token, **params)
        assert reply.json is not None
        return reply.status_code, reply.json["error"]

    def token_of(self, user_id: int) -> str:
        """Give an access token of another user."""
        return self.world.tokens.issue(self.portal, self.app, user_id)[0]

    def later(self, **parts: float) -> None:
        """Turn the clock forward."""
        self.clock.advance(timedelta(**parts))

    def deal(self, **fields: Any) -> dict[str, Any]:
        """Create a deal as the administrator."""
        item: dict[str, Any] = self.call("crm.item.add", entityTypeId=2, fields=fields)["item"]
        return item

    def move(self, deal_id: int, stage: str) -> dict[str, Any]:
        """Move a deal as the administrator."""
        params = {"entityTypeId": 2, "id": deal_id, "fields": {"stageId": stage}}
        item: dict[str, Any] = self.call("crm.item.update", **params)["item"]
        return item

    def task(self, responsible: int = MANAGER, **fields: Any) -> int:
        """Set a task as the administrator and give its number."""
        given = {"TITLE": "Подписать договор", "RESPONSIBLE_ID": responsible, **fields}
        return int(self.call("tasks.task.add", fields=given)["task"]["id"])


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A portal with an installed app; what the portal would have let pass silently must not happen."""
    clock, mailbox = SandboxClock(START), Mailbox()
    world = World(clock, transport=mailbox)
    portal = demo_company(Portal(world))
    app = portal.register_local_app("app", "http://127.0.0.1:9/b24/app", "http://127.0.0.1:9/b24/install")
    url, form = portal.open_app_post(app, ADMIN)
    assert urlsplit(url).path == "/b24/install"
    portal.finish_install(app)
    http, oauth = portal_app(portal).test_client(), oauth_app(world).test_client()
    yield Desk(world, portal, clock, mailbox, app, http, oauth, form["AUTH_ID"], form["REFRESH_ID"])
    assert world.complaints == []
