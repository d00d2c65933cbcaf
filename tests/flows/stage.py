"""A stage for flows: the pretend portal and the application as real servers on loopback, one clock the test turns."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from sqlalchemy import select

from assembly import Application, assemble
from b24app.bitrix.callbacks import page
from b24app.core.item import ItemRef
from b24app.core.portal import Gateway, PortalSettings, Secrets
from b24app.engine.access import gate_of
from b24app.engine.arriving.openings import Opened, opened
from b24app.engine.running.lane import LEASE, Lane
from b24app.engine.setup.install import set_up
from b24app.settings import Settings
from b24app.store import journal, processes, timers
from b24app.store.journal import Run
from b24app.store.migrate import migrate
from b24app.store.tables import actions, work
from sandbox.apps import AppCard
from sandbox.clock import SandboxClock
from sandbox.company import demo_company
from sandbox.portal import Portal as PretendPortal
from sandbox.serve import Running, serve
from sandbox.server import BlueprintMaker
from sandbox.world import World
from tests.flows.cuts import Cut, Killed

MONDAY = datetime.fromisoformat("2026-06-01T10:00:00+03:00")
SCOPES = [
    *("crm", "task", "tasks", "bizproc", "user", "department"),
    *("im", "calendar", "placement", "messageservice", "userfieldconfig", "log", "sonet_group"),
]
CEILING = "ceiling_installation"
AGREED: dict[str, Any] = {
    "install_date": "2026-06-08",
    "install_time": "10:00",
    "installer": 6,
    "address": "ул. Садовая, 5",
}
"""A visit on the next Monday morning, by Alexey."""
SOLD: dict[str, Any] = {"contactId": 1, "opportunity": 100000, "currencyId": "RUB"}
"""What a deal needs to leave its first stage, but for the contract."""
SUMMING_UP = "Подвести итоги работы: Потолки, ул. Садовая, 5"
"""What a manager is asked when a deal has ended."""
MOURNING = timedelta(minutes=2)
"""How long after a worker's death others are given for what it left behind."""
ADMIN, HEAD, MARIA, IVAN, FOREMAN, ALEXEY, DMITRY = 1, 2, 3, 4, 5, 6, 7


@dataclass(slots=True)
class Stage:
    """The two sides and what a test does with them."""

    world: World
    running: Running
    portal: PretendPortal
    clock: SandboxClock
    application: Application
    card: AppCard
    portal_id: int = 0
    holder: dict[str, Any] = field(default_factory=dict)
    others: list[Stage] = field(default_factory=list)
    """The same application on further portals."""
    cut: Cut | None = None
    """Where workers are to die, for tests of that."""
    expected_troubles: list[str] = field(default_factory=list)
    """What a test knows to have failed at its end; everything else that failed fails the test."""

    # the application ------------------------------------------------------------------------------------------------

    def install(self, create: Iterable[str] | None = None) -> None:
        """Install the application the way the frame of an administrator does, and create its pipelines."""
        workshop, seen = self.application.workshop, self.reopen()
        self.portal_id = seen.portal.id
        wanted = tuple(workshop.processes_of(seen.portal)) if create is None else tuple(create)
        report = set_up(workshop, seen.portal, wanted)
        assert report.ok, report.failures
        self.portal.finish_install(self.card)
        with workshop.database.write() as connection:
            workshop.portals.set_state(connection, self.portal_id, "active")
            workshop.portals.set_settings(
                connection, self.portal_id, PortalSettings(crew_users=(ALEXEY, DMITRY), public_holidays=False)
            )
            gateway = Gateway(
                url=f"http://{self.world.sms.domain}/sms/send",
                fields={"to": "{phone}", "text": "{text}", "id": "{id}", "key": self.world.sms.key},
            )
            workshop.portals.set_secrets(connection, self.portal_id, Secrets(gateway=gateway, payment_key="k" * 20))

    def reopen(self) -> Opened:
        """Open the application's page as an administrator: what installs it, and what gives it access back."""
        url, form = self.portal.open_app_post(self.card, ADMIN)
        return opened(self.application.workshop, page(urlsplit(url).query, urlencode(form).encode()))

    def drain(self) -> None:
        """Let the application do all it has to do now; where a worker dies of it, others go on.

        They come when the lane's lease is over, and do all that comes due soon after for what the dead one left behind.
        """
        ends = self.clock()
        while True:
            try:
                again = self._work()
            except Killed:
                self.clock.advance(LEASE + timedelta(seconds=1))
                ends = self.clock() + MOURNING
                continue
            if again is None or not self.clock() < again <= ends:
                break
            self._pass_to(again)
        if self.cut and self.cut.under_way:
            self._pass_to(ends)
            self.drain()

    def _pass_to(self, moment: datetime) -> None:
        """Let time pass; what a dead worker has sent is done meanwhile."""
        self.clock.set(moment)
        if self.cut:
            self.cut.arrive(moment)

    def _work(self) -> datetime | None:
        """Drain the portal's lane and return when it wants to be drained again; what a worker sleeps passes by the clock."""
        workshop = self.application.workshop

        def sleep(seconds: float) -> None:
            self.clock.advance(timedelta(seconds=seconds))

        lane = Lane(workshop, self.portal_id, f"worker {uuid4()}", gates=partial(gate_of, sleep=sleep))
        with self.cut.armed(workshop) if self.cut else nullcontext():
            return lane.drain().again

    def settle(self) -> None:
        """Deliver events and let the application work until both sides are quiet."""
        for _ in range(20):
            delivered = self.portal.deliver()
            self.drain()
            if not delivered and not self.portal.deliver():
                return
        raise AssertionError("the two sides do not come to rest")

    def turn(self, **how_far: float) -> None:
        """Turn the clock on, and let everything come due."""
        self.clock.advance(timedelta(**how_far))
        self.settle()

    def runs(self, item: ItemRef | int, robot: str = "") -> list[Run]:
        """Return the journal of an item, oldest first."""
        item = ItemRef(2, item) if isinstance(item, int) else item
        with self.application.workshop.database.read() as connection:
            found = journal.list_runs(connection, portal_id=self.portal_id, item=item, robot=robot, limit=500)
        return [run for _, run in reversed(found)]

    def waiting(self) -> dict[str, str]:
        """Return by name when timers are due, by Moscow's clock."""
        return {timer.name: f"{timer.due.astimezone(MONDAY.tzinfo):%d.%m %H:%M}" for timer in self.timers()}

    def timers(self, state: str = "waiting") -> list[timers.Timer]:
        with self.application.workshop.database.read() as connection:
            return [timer for _, timer in timers.listed(connection, portal_id=self.portal_id, state=state)]

    def tie(self, code: str = CEILING) -> processes.Tie:
        with self.application.workshop.database.read() as connection:
            return next(tie for tie in processes.ties(connection, self.portal_id) if tie.code == code)

    def troubles(self) -> list[str]:
        """Return everything that failed: actions and work."""
        with self.application.workshop.database.read() as connection:
            failed = [f"{r.kind}: {r.error}" for r in connection.execute(select(actions)) if r.state == "failed"]
            broken = [f"{r.key}: {r.error}" for r in connection.execute(select(work)) if r.error]
        return failed + broken

    # people at their screens ------------------------------------------------------------------------------------------

    @property
    def deal(self) -> int:
        """The deal that was made first."""
        return next(iter(self.portal.crm.items[2]))

    def stage_id(self, key: str, code: str = CEILING) -> str:
        return self.tie(code).stages[key]

    def code_of(self, name: str, code: str = CEILING) -> str:
        return self.tie(code).fields[name]

    def new_deal(self, title: str = "Потолки, ул. Садовая, 5", by: int = MARIA, **fields: Any) -> int:
        """Create a deal in the ceiling pipeline as a manager does, and let both sides come to rest."""
        given = {"title": title, "assignedById": by, "categoryId": self.tie().category_id, **fields}
        added = self.portal.as_user(by).call("crm.item.add", entityTypeId=2, fields=given, useOriginalUfNames="Y")
        self.settle()
        return int(added["item"]["id"])

    def write(self, deal: int, by: int = MARIA, **fields: Any) -> None:
        """Fill fields in the card; own fields by their process names."""
        tie = self.tie()
        given = {tie.fields.get(name, name): value for name, value in fields.items()}
        self.portal.as_user(by).call("crm.item.update", entityTypeId=2, id=deal, fields=given, useOriginalUfNames="Y")
        self.settle()

    def arrive(self, key: str, title: str = "Потолки, ул. Садовая, 5", by: int = MARIA, **fields: Any) -> int:
        """Create a deal right on a stage, with the fields a sold order has; further ones by their process names."""
        tie = self.tie()
        given = {**SOLD, **fields}
        return self.new_deal(title, by, stageId=tie.stages[key], **{tie.fields.get(n, n): v for n, v in given.items()})

    def move(self, deal: int, key: str, by: int = MARIA) -> None:
        """Drag the card to another stage."""
        fields = {"stageId": self.stage_id(key)}
        self.portal.as_user(by).call("crm.item.update", entityTypeId=2, id=deal, fields=fields)
        self.settle()

    def stage_of(self, deal: int) -> str:
        """Return the process file's name of the stage a deal stands on."""
        item = self.portal.as_user(ADMIN).call("crm.item.get", entityTypeId=2, id=deal)["item"]
        return self.tie().key_of(item["stageId"]) or item["stageId"]

    def tasks(self, deal: int) -> list[dict[str, Any]]:
        """Return the tasks of a deal, oldest first."""
        found = self.portal.as_user(ADMIN).call("tasks.task.list", filter={"UF_CRM_TASK": f"D_{deal}"}, order={"ID": "asc"})
        return list(found["tasks"])

    def titles(self, deal: int, *, open_only: bool = True, user: int | None = None) -> list[str]:
        """Return titles of the tasks of a deal, open ones unless told otherwise."""
        return [
            task["title"]
            for task in self.tasks(deal)
            if (not open_only or task["status"] in ("2", "3")) and (user is None or str(task["responsibleId"]) == str(user))
        ]

    def close(self, deal: int, title: str, by: int = MARIA, *, tick: bool = True) -> None:
        """Close the open task whose title contains a text, its checklist ticked unless told otherwise."""
        task = next(t for t in self.tasks(deal) if title in t["title"] and t["status"] in ("2", "3"))
        person = self.portal.as_user(by)
        if tick:
            for line in person.call("task.checklistitem.getlist", **{"0": int(task["id"])}):
                if line["PARENT_ID"] != "0" and line["PARENT_ID"] != 0:
                    person.call("task.checklistitem.complete", **{"0": int(task["id"]), "1": int(line["ID"])})
        person.call("tasks.task.complete", taskId=int(task["id"]))
        self.settle()

    def task(self, deal: int, title: str) -> dict[str, Any]:
        """Return the newest task of a deal whose title contains a text, as the portal tells it."""
        number = next(int(t["id"]) for t in reversed(self.tasks(deal)) if title in t["title"])
        select = ["ID", "TITLE", "DESCRIPTION", "STATUS", "DEADLINE", "RESPONSIBLE_ID", "CREATED_BY", "CLOSED_DATE"]
        found = self.portal.as_user(ADMIN).call("tasks.task.get", taskId=number, select=select)
        return dict(found["task"])

    def lines(self, deal: int, title: str) -> list[str]:
        """Return the checklist of a task."""
        number = int(self.task(deal, title)["id"])
        rows = self.portal.as_user(ADMIN).call("task.checklistitem.getlist", **{"0": number})
        return [row["TITLE"] for row in rows if str(row["PARENT_ID"]) != "0"]

    def task_comments(self, deal: int, title: str) -> list[str]:
        number = int(self.task(deal, title)["id"])
        return [comment.text for comment in self.portal.tasks.comments if comment.task_id == number]

    def notices(self, user: int) -> list[str]:
        """Return what a user was notified of, oldest first."""
        return self.portal.messages.of(user)

    def visits(self, user: int) -> list[str]:
        """Return when visits begin that are in a user's calendar, by Moscow's clock."""
        entries = [entry for entry in self.portal.calendars.events.values() if entry.concerns(user)]
        return sorted(f"{entry.start.astimezone(MONDAY.tzinfo):%d.%m %H:%M}" for entry in entries)

    def comments(self, deal: int) -> list[str]:
        filters = {"ENTITY_ID": deal, "ENTITY_TYPE": "deal"}
        rows = self.portal.as_user(ADMIN).call("crm.timeline.comment.list", filter=filters, order={"ID": "ASC"})
        return [row["COMMENT"] for row in rows]


def a_file(name: str = "contract.pdf") -> list[str]:
    """Return a file the way a file field is written."""
    return [name, base64.b64encode(b"%PDF-1.4").decode()]


def leaping(begin: datetime = MONDAY) -> Callable[[], datetime]:
    """Return a clock that leaps a minute at every look, so that no request of a test waits for the budget."""
    looks = count()
    return lambda: begin + timedelta(minutes=next(looks))


_SCHEMA: dict[str, bytes] = {}


def _migrated(url: str, folder: Path) -> None:
    """Bring a database up to date; SQLite gets a copy of the first one made so."""
    path = folder / "app.db"
    if url != f"sqlite:///{path}":
        migrate(url)
        return
    if not _SCHEMA:
        migrate(url)
        _SCHEMA["sqlite"] = path.read_bytes()
    path.write_bytes(_SCHEMA["sqlite"])


@contextmanager
def a_stage(
    folder: Path,
    *,
    start: datetime = MONDAY,
    files: Path = Path("processes"),
    companies: int = 1,
    blueprints: Iterable[BlueprintMaker] = (),
    **settings: Any,
) -> Iterator[Stage]:
    """Open a stage whose database lies in a folder of the test, with a portal for each of the companies wanted."""
    clock = SandboxClock(start)
    world = World(clock)
    offices = [demo_company(PretendPortal(world, name=f"company-{n}")) for n in range(1, companies + 1)]
    running = serve(world, blueprints=blueprints)
    holder: dict[str, Any] = {}
    host = running.start(lambda environ, start_response: holder["web"](environ, start_response))
    cards = [
        portal.register_local_app("b24app", f"http://{host}/b24/app", f"http://{host}/b24/install", SCOPES)
        for portal in offices
    ]
    for card in cards[1:]:  # one application in all portals, as a solution of the market is
        card.client_id, card.client_secret = cards[0].client_id, cards[0].client_secret
    chosen = Settings(
        public_url=f"http://{host}",
        client_id=cards[0].client_id,
        client_secret=cards[0].client_secret,
        secret_key="0123456789abcdef0123",
        admin_token="operators-token-of-tests",
        database_url=settings.pop("database_url", f"sqlite:///{folder / 'app.db'}"),
        oauth_hosts=(world.oauth_domain,),
        allow_http=(host.partition(":")[0],),
        processes=files,
        spreadsheet_id=world.sheets.add("Отчёты", "figures-of-the-company").id,
        sheets_url=f"http://{world.sheets_domain}",
        **settings,
    )
    _migrated(chosen.database_url, folder)
    application = assemble(chosen, clock=clock, pace=leaping())
    holder["web"] = application.web
    stages = [
        Stage(world, running, portal, clock, application, card, holder=holder)
        for portal, card in zip(offices, cards, strict=True)
    ]
    stages[0].others = stages[1:]
    try:
        yield stages[0]
    finally:
        running.close()
        application.workshop.database.close()
        assert threading.active_count() < 200
