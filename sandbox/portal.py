"""One pretend portal: its parts, its address, and what tests and the demo do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sandbox import rest
from sandbox.apps import AppCard, Apps
from sandbox.automation import Automation
from sandbox.calendars import Calendars
from sandbox.crm.items import Crm
from sandbox.events import Delivered, Events
from sandbox.faults import Faults
from sandbox.groups import Groups
from sandbox.limits import Limits
from sandbox.messages import Messages
from sandbox.people import People
from sandbox.registry import Caller
from sandbox.tasks import Tasks
from sandbox.timeline import Timeline
from sandbox.wire import JSON
from sandbox.workflows import Workflows
from sandbox.world import World


@dataclass(slots=True)
class RequestRecord:
    """One REST request over HTTP; a batch is one, with its commands' methods inside."""

    n: int
    method: str
    commands: tuple[str, ...]
    at: datetime
    status: int | None = None
    fault: str = ""


class RequestLog(list[RequestRecord]):
    """The requests of a portal, oldest first; nothing secret is kept in it."""

    def count(self, method: object = None) -> int:
        """Count requests, or only those that carried a method (inside a batch, too)."""
        if method is None:
            return len(self)
        return sum(1 for record in self if method in {record.method, *record.commands})


def fresh_options() -> JSON:
    """Give the switches of a portal as they stand on the first day."""
    return {
        "convert_leads": False,
        "check_required": False,
        "checklist_events": False,
        "rewrite_final_rows": False,
        "dialect": "full",
        "features": {"rest_auth_connector": "Y"},
        "license": "ru_ent250",
    }


class Person:
    """A user at the screen: calls run as his clicks would, without any app."""

    def __init__(self, portal: Portal, user_id: int) -> None:
        self._portal = portal
        self._caller = Caller(user_id)

    def call(self, method: str, /, **params: Any) -> Any:
        """Do what a REST method does, as this user; raises ``RestError``."""
        with self._portal.world.lock:
            return rest.execute(self._portal, self._caller, method, params).result


class Portal:
    """Everything one portal has; ``domain`` is host:port, set when the world is served."""

    def __init__(
        self,
        world: World,
        *,
        server_zone: str = "Europe/Kaliningrad",
        name: str = "Потолки",
        domain: str = "portal.sandbox",
    ) -> None:
        self.world = world
        self.name = name
        self.member_id = world.hex(32)
        self.domain = domain
        self.server_zone = ZoneInfo(server_zone)
        self.options = fresh_options()
        self.denied: set[tuple[int, str]] = set()
        """Pairs of user and method that are refused with ACCESS_DENIED."""
        self.former_domains: set[str] = set()
        """Host:port of earlier addresses; requests there are answered with 302."""
        self.webhooks: dict[tuple[int, str], frozenset[str]] = {}
        self.files: dict[int, tuple[str, bytes]] = {}
        self.people = People(self)
        self.faults = Faults()
        self.limits = Limits(self)
        self.crm = Crm(self)
        self.apps = Apps(self)
        self.events = Events(self)
        self.automation = Automation(self)
        self.tasks = Tasks(self)
        self.groups = Groups(self)
        self.timeline = Timeline(self)
        self.messages = Messages(self)
        self.calendars = Calendars(self)
        self.workflows = Workflows(self)
        self.requests = RequestLog()
        self.before_request: Callable[[RequestRecord], None] | None = None
        self.after_request: Callable[[RequestRecord], None] | None = None
        world.portals.append(self)

    @property
    def client_endpoint(self) -> str:
        """Give the address of the portal's REST."""
        return f"http://{self.domain}/rest/"

    @property
    def deliveries(self) -> list[Delivered]:
        """Give what became of every event and robot call."""
        return self.events.deliveries

    def now(self) -> datetime:
        """Give the present moment in the server's zone."""
        return self.world.now().astimezone(self.server_zone)

    def stamp(self, moment: datetime | None) -> str | None:
        """Write a moment as the portal does: ISO 8601 with the server's offset, whole seconds."""
        if moment is None:
            return None
        return moment.astimezone(self.server_zone).replace(microsecond=0).isoformat()

    def day(self, value: date | None) -> str | None:
        """Write a date-only value: midnight with the server's offset."""
        return None if value is None else datetime.combine(value, time(), self.server_zone).isoformat()

    def complain(self, text: str) -> None:
        """Record what a real portal would have let pass silently."""
        self.world.complain(text)

    def register_local_app(
        self,
        name: str,
        handler_url: str,
        install_url: str = "",
        scopes: list[str] | None = None,
        *,
        api_only: bool = False,
    ) -> AppCard:
        """Save a local application's card."""
        return self.apps.register(name, handler_url, install_url, scopes or [], api_only=api_only)

    def open_app_post(
        self,
        app: AppCard,
        user_id: int,
        placement: str = "DEFAULT",
        options: Mapping[str, Any] | None = None,
        *,
        handler: str = "",
    ) -> tuple[str, dict[str, str]]:
        """Give the address and the form the frame would POST."""
        return self.apps.open_post(app, user_id, placement, options or {}, handler)

    def finish_install(self, app: AppCard) -> None:
        """Do what ``BX24.installFinish`` does."""
        self.apps.finish(app)

    def as_user(self, user_id: int) -> Person:
        """Act as a user at the screen."""
        return Person(self, user_id)

    def add_webhook(self, user_id: int, scopes: list[str] | None = None) -> str:
        """Create an inbound webhook and give its address."""
        secret = self.world.hex(16)
        self.webhooks[user_id, secret] = frozenset(scopes or ["*"])
        return f"{self.client_endpoint}{user_id}/{secret}/"

    def deliver(self, max: int | None = None) -> int:
        """Time robots out, send what the queue has due, and give how many calls were made."""
        with self.world.lock:
            self.automation.expire()
        return self.events.deliver(max)

    def store_file(self, name: str, content: bytes) -> int:
        """Keep a file's content and give its id."""
        number = len(self.files) + 1
        self.files[number] = (name, content)
        return number
