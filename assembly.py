"""Joins the parts: the web application, the workers, the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from b24app import clock as clocks
from b24app import log as logs
from b24app.bitrix.addresses import Addresses
from b24app.bitrix.gate import Observer
from b24app.bitrix.oauth import OAuth
from b24app.bitrix.transport import new_session
from b24app.core.process import ProcessDef
from b24app.core.process_file import read_folder
from b24app.engine.figures import exports
from b24app.engine.running.workers import Workers
from b24app.engine.watching.metrics import Metrics
from b24app.engine.watching.upkeep import Upkeep
from b24app.engine.workshop import Workshop
from b24app.settings import Settings
from b24app.store.database import Database, is_shared, open_database
from b24app.store.portals import Portals
from b24app.store.secrets import Vault
from b24app.store.spool import Spool
from b24app.web.factory import create_web
from b24app.web.site import PAGES
from robots import CATALOGUE

if TYPE_CHECKING:
    from b24app.engine.running.queueing import Jobs

AGENT = "b24app/0.1 (+self-hosted)"
TICK = 1
"""Seconds between two looks at what has come due."""
UPKEEP = 60
"""Seconds between two looks at what is to be kept up: idle access, silence, old rows."""

EXPORTS = 15
"""Seconds between two looks whether figures are to be read and exported."""


@dataclass(frozen=True, slots=True)
class Application:
    """Everything joined, ready to serve or to work; ``jobs`` wakes workers in other processes of a shared database."""

    workshop: Workshop
    web: Flask
    workers: Workers
    jobs: Jobs | None = None

    @contextmanager
    def working(self, tick: float = TICK, exporting: float = EXPORTS) -> Iterator[Application]:
        """Work in this process while the block runs: threads, and the clock's look every ``tick`` seconds."""
        self.workers.start()
        try:
            with ticking(self.workers.tick, self.workshop, tick, exporting):
                yield self
        finally:
            self.workers.stop()


@contextmanager
def ticking(
    look: Callable[[], None], workshop: Workshop, seconds: float = TICK, exporting: float = EXPORTS
) -> Iterator[None]:
    """Look again and again what has come due while the block runs, keep things up, and export; several clocks do no harm."""
    stop = threading.Event()

    def sleep(length: timedelta) -> None:
        stop.wait(length.total_seconds())

    def export() -> None:
        exports.look(workshop, sleep)

    scheduler = BackgroundScheduler(timezone="UTC")
    for job, period in ((look, seconds), (Upkeep(workshop).look, UPKEEP), (export, exporting)):
        scheduler.add_job(job, "interval", seconds=period, max_instances=1, coalesce=True)
    scheduler.start()
    try:
        yield
    finally:
        stop.set()
        scheduler.shutdown(wait=False)


def assemble(
    settings: Settings,
    *,
    clock: clocks.Clock = clocks.now,
    pace: clocks.Clock = clocks.now,
    observer: Observer | None = None,
    threads: int = 4,
) -> Application:
    """Join the parts for these settings; raises `ProcessProblems` for process files that cannot be used."""
    logs.mask.keep(settings.client_secret, *settings.secret_keys, settings.admin_token)
    common, own = load_processes(settings.processes)
    addresses = Addresses(settings.oauth_hosts, settings.allow_http)
    sessions = sessions_of_threads()
    vault = Vault(*settings.secret_keys)
    wakers: list[Callable[[int], None]] = []
    workshop = Workshop(
        settings=settings,
        database=Database(open_database(settings.database_url)),
        portals=Portals(vault),
        spool=Spool(settings.spool_folder, vault),
        clock=clock,
        catalogue=CATALOGUE,
        processes=common,
        portal_processes=own,
        oauth=OAuth(new_session(AGENT), settings.client_id, settings.client_secret, addresses, clock),
        addresses=addresses,
        session=sessions,
        wake=lambda portal_id: wakers[0](portal_id),
        observer=observer or Metrics(),
        pace=pace,
    )
    workers = Workers(workshop, threads)
    jobs = shared_jobs(workshop) if is_shared(settings.database_url) else None
    wakers.append(jobs.wake if jobs else workers.wake)
    return Application(workshop, create_web(workshop, PAGES), workers, jobs)


def shared_jobs(workshop: Workshop) -> Jobs:
    """Open the jobs of a shared database; what they need is loaded only there: it is a tenth of the memory of ``serve``."""
    from b24app.engine.running.queueing import Jobs

    return Jobs(workshop)


def sessions_of_threads() -> Callable[[], Any]:
    """Give each thread one HTTP session of its own: connections are kept, and never shared."""
    kept = threading.local()

    def session() -> Any:
        if not hasattr(kept, "session"):
            kept.session = new_session(AGENT)
        return kept.session

    return session


def load_processes(folder: Path) -> tuple[Mapping[str, ProcessDef], Mapping[str, Mapping[str, ProcessDef]]]:
    """Read the common process files, and those of single portals in folders named by their ``member_id``."""
    common = {found.process.code: found.process for found in read_folder(folder, CATALOGUE)}
    own = {
        inner.name: {found.process.code: found.process for found in read_folder(inner, CATALOGUE)}
        for inner in sorted(folder.iterdir())
        if inner.is_dir() and inner.name != "examples"
    }
    return common, own
