"""The way in: the application for a web server, the one of the demonstration, the command line."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from flask import Flask
from prometheus_client import start_http_server

from assembly import Application, assemble, load_processes, ticking
from b24app import clock as clocks
from b24app import log as logs
from b24app.core.process_file import ProcessProblems
from b24app.engine.figures import exports
from b24app.engine.figures.exporting import NotSettled
from b24app.engine.restored import StillWorked, note_restored
from b24app.engine.running.workers import inherit
from b24app.engine.watching.admin import NotThere
from b24app.engine.watching.doctor import diagnose
from b24app.engine.workshop import Workshop
from b24app.settings import BadSettings, Settings, read_settings
from b24app.store.alone import AlreadyServed, alone
from b24app.store.database import is_shared
from b24app.store.migrate import migrate as migrate_schema
from b24app.store.secrets import WrongSecretKey
from b24app.web.factory import MAX_BODY

if TYPE_CHECKING:
    from b24app.engine.running.queueing import Jobs

HANDOVER = 0.0002
"""Seconds after which a busy worker hands the interpreter to a callback that waits for it.

A callback needs it a dozen times: with Python's own 5 ms hundreds of them a second cannot be answered beside a worker."""
ROOM: Mapping[str, Any] = {"threads": 32, "connection_limit": 1000, "asyncore_use_poll": True}
"""How many callbacks are taken in at once: those that wait together are written in one transaction.

Above the limit they wait in the system's queue, which drops them for seconds when it is full. So many need ``poll``."""


def create_app(settings: Settings | None = None) -> Flask:
    """Build the web application for a server such as gunicorn; its portals are worked by ``flask --app app work``."""
    logs.set_up_logging(readable=sys.stderr.isatty())
    if settings is None and "check" in sys.argv[1:]:  # offline: process files and catalogue, no settings needed
        web = Flask("b24app.offline")
    else:
        application = assemble(settings or _settings_or_exit())
        web = application.web
        web.extensions["b24app"] = application
    _add_commands(web)
    return web


def create_demo(settings: Settings, clock: clocks.Clock) -> Application:
    """Join the parts for a pretend portal, by its clock; the request budget sees minutes leap: nothing waits."""
    migrate_schema(settings.database_url)
    looks = count()
    return assemble(settings, clock=clock, pace=lambda: clock() + timedelta(minutes=next(looks)))


def _settings_or_exit() -> Settings:
    try:
        return read_settings()
    except BadSettings as error:
        click.echo("The application cannot start. Settings to mend:", err=True)
        for problem in error.problems:
            click.echo(f"  {problem}", err=True)
        raise SystemExit(2) from None


# The command line -----------------------------------------------------------------------------------------------------


def _add_commands(web: Flask) -> None:
    for command in (check, migrate, serve, work, clock, doctor, export, restored):
        web.cli.add_command(command)


def _application() -> Application:
    found: Application = click.get_current_context().obj.load_app().extensions["b24app"]
    return found


@click.command
def check() -> None:
    """Check the process files, without a portal and without settings."""
    folder = Path(os.environ.get("B24APP_PROCESSES", "processes"))
    try:
        common, own = load_processes(folder)
    except ProcessProblems as error:
        for problem in error.problems:
            click.echo(f"{problem.place}: {problem.message.ru} / {problem.message.en}", err=True)
        raise SystemExit(1) from None
    for process in (*common.values(), *(p for files in own.values() for p in files.values())):
        click.echo(f"{process.code} {process.version}: {process.title.ru} / {process.title.en}")


@click.command
def migrate() -> None:
    """Bring the database to the newest schema, and what it keeps secret under the key in force."""
    bring_up_to_date(_application().workshop)


def bring_up_to_date(workshop: Workshop) -> None:
    """Migrate the store, and the job tables where the database is shared; encrypt anew while the key is being changed."""
    url = workshop.settings.database_url
    migrate_schema(url)
    if workshop.settings.secret_key_other:
        try:
            with workshop.database.write() as connection:
                workshop.portals.lock_again(connection)
        except WrongSecretKey:
            click.echo("Neither B24APP_SECRET_KEY nor B24APP_SECRET_KEY_OTHER opens what is stored.", err=True)
            raise SystemExit(2) from None
    if is_shared(url):
        from b24app.engine.running.queueing import apply_schema

        apply_schema(url)


@click.command
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
def serve(host: str, port: int) -> None:
    """Run everything in one process: pages, workers and clock. Meant for one machine with SQLite."""
    import waitress

    application = _application()
    url = application.workshop.settings.database_url
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with alone(url):
            bring_up_to_date(application.workshop)
            if not is_shared(url):
                inherit(application.workshop)
            with application.working():
                limits = {"max_request_body_size": MAX_BODY}  # else a gigabyte is taken in before it is refused
                sys.setswitchinterval(HANDOVER)
                logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a line for each callback that waits its turn
                waitress.serve(application.web, host=host, port=port, ident="b24app", **ROOM, **limits)
    except AlreadyServed as taken:
        _refuse_beside(taken)


def _refuse_beside(taken: AlreadyServed) -> NoReturn:
    """End because another process works on this database."""
    click.echo(f"Another serve (process {taken.holder or '?'}) works on this database and holds {taken.lock}.", err=True)
    click.echo("Stop it first; several processes need PostgreSQL (B24APP_DATABASE_URL).", err=True)
    raise SystemExit(2) from None


@click.command
@click.option("--why", default="", help="What happened, for the audit.")
def restored(why: str) -> None:
    """Tell that an older copy of the database was put in place, before anything works on it.

    What was done since the copy is looked up on the portals by its mark before it is done; what cannot be looked up
    becomes an incident.
    """
    workshop = _application().workshop
    try:
        with alone(workshop.settings.database_url):
            bring_up_to_date(workshop)
            if not is_shared(workshop.settings.database_url):
                inherit(workshop)
            noted = note_restored(workshop, "command line", why)
    except AlreadyServed as taken:
        _refuse_beside(taken)
    except StillWorked as found:
        click.echo(f"Somebody works for {', '.join(found.hosts)}. Stop all workers first.", err=True)
        raise SystemExit(2) from None
    click.echo(f"Noted for {noted.portals} portals; {noted.actions} actions are looked up before they are carried out.")


@click.command
@click.option("--concurrency", default=4, show_default=True, help="Portals worked for at the same time.")
@click.option("--metrics", default="", metavar="HOST:PORT", help="Where Prometheus may ask this process for its counters.")
def work(concurrency: int, metrics: str) -> None:
    """Work for the portals; any number of these may run beside each other on one PostgreSQL database."""
    application = _application()
    _needs_shared(application)
    with counted_at(metrics):
        asyncio.run(_work(application.workshop, concurrency))


@contextmanager
def counted_at(address: str) -> Iterator[None]:
    """Answer Prometheus at ``host:port`` while the block runs; nowhere without one. Raises `click.BadParameter`."""
    if not address:
        yield
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise click.BadParameter("give a host and a port, as 127.0.0.1:9101", param_hint="--metrics")
    try:
        server, thread = start_http_server(int(port), addr=host)
    except OSError as error:
        raise click.BadParameter(f"{address}: {error.strerror}", param_hint="--metrics") from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def _work(workshop: Workshop, concurrency: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    from b24app.engine.running import queueing

    await queueing.work(workshop, stop, concurrency)


@click.command
def clock() -> None:
    """Look every second what has come due and wake the workers; two of these do no harm."""
    application = _application()
    jobs = _needs_shared(application)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ticking(jobs.tick, application.workshop):
        stop.wait()
    jobs.close()


@click.command
@click.option("--portal", default="", help="Only this portal: its number, member_id or host.")
@click.option("--fix", is_flag=True, help="Mend what can be mended, and look again.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(portal: str, fix: bool, as_json: bool) -> None:
    """Look for what is wrong, on line, with reasons and remedies; ends with 0 (fine), 1 (warnings) or 2 (broken)."""
    workshop = _application().workshop
    try:
        found = diagnose(workshop, portal, fix=fix)
    except NotThere:
        click.echo(f"There is no portal {portal}.", err=True)
        raise SystemExit(2) from None
    lang = workshop.settings.lang
    click.echo(json.dumps(found.as_json(lang), ensure_ascii=False, indent=2) if as_json else "\n".join(found.lines(lang)))
    raise SystemExit(found.exit_code)


@click.command
@click.option("--full", is_flag=True, help="Write every row anew, with all cards and all time read from the portals again.")
def export(full: bool) -> None:
    """Export the corrections to Google Sheets now; ends with 1 when that fails, 2 when nothing is settled to export to."""
    workshop = _application().workshop
    try:
        done = exports.export_now(workshop, exports.asleep, full=full)
    except NotSettled:
        click.echo("Settle B24APP_SPREADSHEET_ID and B24APP_SHEETS_CREDENTIALS first (docs/sheets.md).", err=True)
        raise SystemExit(2) from None
    for line in done.lines(workshop.settings.lang):
        click.echo(line, err=done.how != "done")
    raise SystemExit(0 if done.how == "done" else 1)


def _needs_shared(application: Application) -> Jobs:
    if application.jobs is None:
        click.echo("Several processes need PostgreSQL (B24APP_DATABASE_URL); on SQLite run: flask --app app serve", err=True)
        raise SystemExit(2)
    return application.jobs
