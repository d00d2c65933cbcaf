"""Serves the pretend portal and the application in one process on loopback, with one clock for both."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from app import create_demo
from assembly import Application, ticking
from b24app.core.text import Lang
from b24app.engine.figures import exports
from b24app.settings import Settings
from sandbox.clock import SandboxClock
from sandbox.company import demo_company, quality_department
from sandbox.pages import PAGES
from sandbox.portal import Portal
from sandbox.serve import Running, serve
from sandbox.world import World

MONDAY = datetime.fromisoformat("2026-06-01T10:00:00+03:00")
"""When the story begins."""
EXPORTS = 3600
"""Seconds between two looks of the clock at the export: while the story leaps by days, its own chapter looks instead."""
TICK = 0.1
"""Seconds between two looks of the application at a clock that is turned by days."""


@dataclass(slots=True)
class Together:
    """Both sides, served. The application answers once somebody has given it what its form on the portal says."""

    world: World
    portal: Portal
    clock: SandboxClock
    running: Running
    folder: Path
    admin_token: str
    address: str = ""
    spreadsheet: str = ""
    """The number of the spreadsheet corrections are exported to."""
    _application: Application | None = None
    _web: dict[str, Any] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    @property
    def portal_address(self) -> str:
        return f"http://{self.portal.domain}"

    @property
    def spreadsheet_address(self) -> str:
        """Where people look at the spreadsheet."""
        return f"http://{self.world.sheets_domain}/spreadsheets/d/{self.spreadsheet}/edit"

    @property
    def gateway(self) -> Mapping[str, str]:
        """What an administrator knows of the SMS gateway: its address and his key."""
        return {"url": f"http://{self.world.sms.domain}/sms/send", "key": self.world.sms.key}

    def start_application(self, client_id: str, client_secret: str) -> None:
        """Start the application with what the portal's form has given out, as an operator does with its settings."""
        host = self.address.removeprefix("http://")
        settings = Settings(
            public_url=self.address,
            client_id=client_id,
            client_secret=client_secret,
            secret_key=secrets.token_hex(16),
            admin_token=self.admin_token,
            database_url=f"sqlite:///{self.folder / 'b24app.db'}",
            oauth_hosts=(self.world.oauth_domain,),
            allow_http=(host, self.portal.domain, self.world.oauth_domain, self.world.sms.domain),
            processes=Path(__file__).parent.parent / "processes",
            spreadsheet_id=self.spreadsheet,
            sheets_url=f"http://{self.world.sheets_domain}",
        )
        self._application = application = create_demo(settings, self.clock)
        self._open.callback(application.workshop.database.close)
        self._open.enter_context(application.working(TICK, EXPORTS))
        self._web["app"] = application.web

    def look_at_exports(self, lang: Lang) -> str:
        """Look whether it is time to export, as the clock does; gives what came of it."""
        if self._application is None:
            raise LookupError("the application has not been started yet")
        done = exports.look(self._application.workshop, exports.asleep)
        return " ".join(done.lines(lang)) if done else ""

    def let_run(self, lang: Lang) -> None:
        """Let the clock go on by itself, deliver events as they come and export as usual, for a visitor who clicks.

        Whoever he plays reads the portal's pages in ``lang``.
        """
        for user in self.portal.people.users.values():
            user.language = lang
        self.clock.run()
        self.running.run(self.running.deliver_forever)
        if self._application is not None:
            self._open.enter_context(ticking(lambda: None, self._application.workshop))

    def answer(self, environ: Any, start_response: Any) -> Any:
        """Pass a request on to the application."""
        if "app" not in self._web:
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"The application has not been started yet."]
        return self._web["app"](environ, start_response)

    def close(self) -> None:
        """Stop serving, then working."""
        self.running.close()
        self._open.close()


@contextmanager
def together(folder: Path, *, ports: Mapping[str, int] | None = None) -> Iterator[Together]:
    """Serve both sides while the block runs; ``ports`` may fix "portal" and "app", free ones are taken otherwise."""
    wanted = dict(ports or {})
    clock = SandboxClock(MONDAY)
    world = World(clock)
    portal = quality_department(demo_company(Portal(world)))
    running = serve(world, ports={portal.name: wanted.get("portal", 0)}, blueprints=PAGES)
    book = world.sheets.add("Отдел качества")
    both = Together(world, portal, clock, running, folder, secrets.token_urlsafe(18))
    both.spreadsheet = book.id
    both.address = f"http://{running.start(both.answer, wanted.get('app', 0))}"
    try:
        yield both
    finally:
        both.close()
