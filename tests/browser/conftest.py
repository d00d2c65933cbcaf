"""Served pretend portals with a tiny application or with ours, and Chromium windows of their users."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sandbox.apps import AppCard
from sandbox.clock import SandboxClock
from sandbox.company import demo_company
from sandbox.page_desk import WHO
from sandbox.pages import PAGES
from sandbox.portal import Portal
from sandbox.serve import serve
from sandbox.world import World
from tests.browser.tiny_app import TinyApp
from tests.flows.stage import CEILING, IVAN, Stage, a_stage

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
FRIDAY = datetime(2026, 6, 5, 7, 30, tzinfo=UTC)
ADMIN, HEAD, MANAGER, INSTALLER = 1, 2, 3, 6
FORM_REFUSED = ("status of 401 (UNAUTHORIZED)", "status of 422 (UNPROCESSABLE ENTITY)")
DESK, PHONE = 1200, 360
"""Widths of windows."""
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
HEIGHT = "Math.max(Math.ceil(document.body.getBoundingClientRect().height) + 2, 120)"
"""How high the library of a portal makes the frame of a page."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium for a module: its event loop must not outlive it, other tests run loops of their own."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine")
    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Windows:
    """Windows users have opened; ``troubles`` are the errors their scripts ran into."""

    browser: Browser
    base: str
    troubles: list[str] = field(default_factory=list)

    def open(self, user_id: int, path: str, width: int = 1280, locale: str = "ru-RU") -> Page:
        """Open a page as a user, in a window of its own."""
        context = self.browser.new_context(viewport={"width": width, "height": 800}, base_url=self.base, locale=locale)
        context.add_cookies([{"name": WHO, "value": str(user_id), "url": self.base}])
        page = context.new_page()
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda line: self._heard(line.text) if line.type == "error" else None)
        page.goto(path)
        return page

    def _heard(self, text: str) -> None:
        """Note an error; a form that comes back with its mistakes is none, though Chromium says so."""
        if not text.endswith(FORM_REFUSED):
            self.troubles.append(text)

    def close(self) -> None:
        """Close all of them."""
        for context in list(self.browser.contexts):
            context.close()


@contextmanager
def opened_windows(browser: Browser, base: str) -> Iterator[Windows]:
    """Give windows that are closed afterwards; an error of a script fails the test."""
    windows = Windows(browser, base)
    yield windows
    windows.close()
    assert windows.troubles == []


@dataclass
class Office:
    """A portal people work at in their windows, and the tiny application registered on it."""

    world: World
    portal: Portal
    clock: SandboxClock
    tiny: TinyApp
    app: AppCard
    windows: Windows

    def open(self, user_id: int, path: str, width: int = 1280) -> Page:
        """Open a page of the portal as a user."""
        return self.windows.open(user_id, path, width)

    def deal(self, title: str = "Окна", **fields: Any) -> int:
        """Create a deal as the manager and give its number."""
        asked = {"title": title, "assignedById": MANAGER, **fields}
        item = self.portal.as_user(MANAGER).call("crm.item.add", entityTypeId=2, fields=asked)["item"]
        return int(item["id"])


@pytest.fixture
def office(chromium: Browser) -> Iterator[Office]:
    """A portal on a Friday morning; what a real portal would have let pass silently must not happen."""
    clock = SandboxClock(FRIDAY)
    world = World(clock)
    portal = demo_company(Portal(world))
    running = serve(world, blueprints=PAGES)
    try:
        tiny = TinyApp()
        tiny.address = f"http://{running.start(tiny.web())}"
        app = portal.register_local_app("Помощник", f"{tiny.address}/app", f"{tiny.address}/install")
        with opened_windows(chromium, f"http://{portal.domain}") as windows:
            yield Office(world, portal, clock, tiny, app, windows)
        assert world.complaints == []
    finally:
        running.close()


Look = Callable[..., None]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Look at a page and the frame in it, at a desk and on a phone; pictures are kept where B24APP_SHOTS says."""
    folder = Path(os.environ.get("B24APP_SHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def looked(page: Page, name: str, *, widths: tuple[int, ...] = (DESK, PHONE), whole: bool = True) -> None:
        for width in widths:
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate("window.scrollTo(0, 0)")
            for frame in page.frames[1:]:
                frame.wait_for_load_state()
                expect(page.locator("iframe")).to_have_attribute("style", f"height: {frame.evaluate(HEIGHT)}px;")
            page.screenshot(path=folder / f"{name}-{width}.png", full_page=whole, scale="css", animations="disabled")
            wide = [frame.url for frame in page.frames if not frame.evaluate(FITS)]
            assert wide == [], f"{name} is wider than {width} px"
        page.set_viewport_size({"width": DESK, "height": 800})

    return looked


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A portal with its pages and the application installed on it, for the stories of a module; Ivan reads English."""
    with a_stage(tmp_path_factory.mktemp("company"), blueprints=PAGES) as stage:
        stage.portal.people.users[IVAN].language = "en"
        stage.install([CEILING])
        stage.settle()
        yield stage
        assert stage.world.complaints == []


@pytest.fixture
def windows(chromium: Browser, company: Stage) -> Iterator[Windows]:
    """Windows on the company's portal."""
    with opened_windows(chromium, f"http://{company.portal.domain}") as opened:
        yield opened
