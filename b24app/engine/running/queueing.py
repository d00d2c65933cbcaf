"""Work shared between processes and machines: Procrastinate's jobs in the same PostgreSQL database.

A job says "drain portal N". One job of a portal waits at most, and one runs at most (``queueing_lock``, ``lock``). Jobs may
be lost or doubled all the same: the rows of the store are the truth, the clock wakes whatever was forgotten, and the lane
keeps two workers apart. A job whose worker died, as its heartbeat tells, makes room for a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from sqlalchemy.engine import make_url

from b24app.engine.running.workers import drain, due_portals, worker_name
from b24app.engine.workshop import Workshop
from b24app.log import log

TASK = "drain"
HEARTBEAT = 2.0
DEAD_AFTER = 6.0
"""Seconds without a heartbeat after which a worker counts as dead and its jobs go to others."""

_log = log("queueing")


def conninfo(url: str) -> str:
    """Return a database's address the way psycopg wants it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def apply_schema(url: str) -> None:
    """Create Procrastinate's tables where they are missing."""
    app = App(connector=SyncPsycopgConnector(conninfo=conninfo(url)))
    with app.open():
        if not app.check_connection():
            app.schema_manager.apply_schema()


@dataclass(slots=True)
class Jobs:
    """Puts jobs down, from any thread of a web or clock process."""

    workshop: Workshop
    _app: App = field(init=False)
    _open: bool = False

    def __post_init__(self) -> None:
        connector = SyncPsycopgConnector(conninfo=conninfo(self.workshop.settings.database_url), min_size=1, max_size=4)
        self._app = App(connector=connector)

    def wake(self, portal_id: int) -> None:
        """Let some worker drain a portal soon; what goes wrong here is mended by the next tick."""
        try:
            if not self._open:
                self._app.open()
                self._open = True
            name = f"portal:{portal_id}"
            self._app.configure_task(TASK, lock=name, queueing_lock=name).defer(portal_id=portal_id)
        except AlreadyEnqueued:
            return
        except ConnectorException as trouble:
            _log.warning("a wake-up was lost", portal=portal_id, error=type(trouble).__name__)

    def tick(self) -> None:
        """Wake every portal that has something to do."""
        for portal_id in due_portals(self.workshop):
            self.wake(portal_id)

    def close(self) -> None:
        if self._open:
            self._app.close()
            self._open = False


async def work(workshop: Workshop, stop: asyncio.Event, concurrency: int = 4) -> None:
    """Work through jobs until told to stop; running drains end after the step they are at."""
    app = App(connector=PsycopgConnector(conninfo=conninfo(workshop.settings.database_url)))
    owner = worker_name()

    @app.task(name=TASK)
    def drain_portal(portal_id: int) -> None:
        drain(workshop, portal_id, f"{owner}:{portal_id}", stop.is_set)

    async with app.open_async():
        helpers = [asyncio.create_task(_take_over(app, stop)), asyncio.create_task(_end(app, stop, concurrency))]
        await stop.wait()
        for helper in helpers:
            helper.cancel()
        for helper in helpers:
            with contextlib.suppress(asyncio.CancelledError):
                await helper


async def _end(app: App, stop: asyncio.Event, concurrency: int) -> None:
    """Run the worker; should it end by itself, the process ends with it rather than idle."""
    try:
        await app.run_worker_async(
            concurrency=concurrency,
            wait=True,
            listen_notify=True,
            fetch_job_polling_interval=1.0,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=DEAD_AFTER,
            shutdown_graceful_timeout=30,
        )
    finally:
        stop.set()


async def _take_over(app: App, stop: asyncio.Event) -> None:
    """Give the portals of dead workers to living ones."""
    while not stop.is_set():
        try:
            await take_over(app)
        except ConnectorException as trouble:
            _log.warning("looking for dead workers failed", error=type(trouble).__name__)
        await asyncio.sleep(HEARTBEAT)


async def take_over(app: App, dead_after: float = DEAD_AFTER) -> None:
    """Put down a new job for each one whose worker has given no heartbeat for so many seconds.

    The old one goes: the clock has put down another one for its portal meanwhile as a rule, beside which it could not wait
    again, and which cannot begin before it.
    """
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=dead_after):
        with contextlib.suppress(AlreadyEnqueued):
            await app.job_manager.finish_job(job, Status.ABORTED, delete_job=True)
            _log.warning("a dead worker's portal was taken over", job=job.id)
            again = app.configure_task(TASK, lock=job.lock, queueing_lock=job.queueing_lock)
            await again.defer_async(**job.task_kwargs)
