"""A pretend portal on loopback with the application registered on it, and a workshop that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from b24app.bitrix import callbacks
from b24app.bitrix.callbacks import PageOpened
from b24app.core.process import ProcessDef
from b24app.core.process_file import read_folder
from b24app.core.robot import Catalogue
from b24app.engine.arriving.openings import Opened, opened
from robots import CATALOGUE
from sandbox import company
from sandbox.apps import AppCard
from sandbox.portal import Portal as Pretend
from sandbox.serve import Running, serve
from sandbox.world import World
from tests.shop import Shop, TurnedClock, shop

PUBLIC = "http://app.example"
ADMIN = 1
PROCESSES = Path(__file__).parents[1] / "processes"


@cache
def process_files() -> Mapping[str, ProcessDef]:
    """Read the process files of the repository, once for all tests."""
    return {file.process.code: file.process for file in read_folder(PROCESSES, CATALOGUE)}


@dataclass(slots=True)
class Theatre:
    """The pretend world, its first portal and the application's card there, and our workshop."""

    running: Running
    world: World
    portal: Pretend
    app: AppCard
    shop: Shop

    def page(self, user_id: int = ADMIN, placement: str = "DEFAULT", **options: Any) -> PageOpened:
        """Open a page the way the frame posts it."""
        url, form = self.portal.open_app_post(self.app, user_id, placement, options)
        return callbacks.page(urlsplit(url).query, urlencode(form).encode())

    def open(self, user_id: int = ADMIN) -> Opened:
        return opened(self.shop.workshop, self.page(user_id))

    def employee(self) -> int:
        """Give somebody who is no administrator."""
        return next(user.id for user in self.portal.people.users.values() if not user.admin and user.active)

    def requests(self) -> int:
        return len(self.portal.requests)


@contextmanager
def theatre(
    tmp_path: Path, catalogue: Catalogue = CATALOGUE, *, processes: bool = False, **settings: Any
) -> Iterator[Theatre]:
    """Serve a world with one company and the application's card; nothing is installed yet."""
    clock = TurnedClock()
    world = World(clock)
    portal = Pretend(world)
    company.demo_company(portal)
    running = serve(world)
    try:
        app = portal.register_local_app("b24app", f"{PUBLIC}/b24/app", f"{PUBLIC}/b24/install")
        files = dict(process_files()) if processes else {}
        given = {
            "public_url": PUBLIC,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "oauth_hosts": (world.oauth_domain,),
            "allow_http": ("127.0.0.1",),
            **settings,
        }
        made = shop(tmp_path, catalogue=catalogue, processes=files, clock=clock, **given)
        yield Theatre(running, world, portal, app, made)
        made.workshop.database.close()
    finally:
        running.close()
