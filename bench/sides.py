"""Both sides as processes of their own: the pretend portal, and the application the way operators start it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

HERE = Path(__file__).resolve().parent
ADMIN = 1
ADMIN_TOKEN = "operators-token-of-the-benches"
SCOPES = [
    *("crm", "task", "tasks", "bizproc", "user", "department"),
    *("im", "calendar", "placement", "messageservice", "userfieldconfig"),
]
FLASK = [sys.executable, "-m", "flask", "--app", "app"]
FORM = re.compile(r'<form[^>]*action="([^"]*)"(.*?)</form>', re.S)
FIELD = re.compile(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"')


@dataclass(slots=True)
class StandIn:
    """The pretend portal's process, seen from outside."""

    process: subprocess.Popen[str]
    portal: str
    oauth: str
    member: str

    def ask(self, path: str, **body: Any) -> Any:
        """Turn something on the portal; a call without a body reads."""
        url = f"http://{self.portal}/{path}"
        reply = requests.post(url, json=body, timeout=600) if body else requests.get(url, timeout=600)
        reply.raise_for_status()
        return reply.json()

    def progress(self, since: int = 0) -> dict[str, Any]:
        return dict(self.ask(f"_bench/progress?since={since}"))

    def as_admin(self, method: str, **params: Any) -> Any:
        return self.ask(f"_sandbox/as/{ADMIN}/{method}", **params)["result"]


@contextmanager
def stand_in(**options: Any) -> Iterator[StandIn]:
    """Run a pretend portal while the block runs; options as in `bench.standin`."""
    command = [sys.executable, "-m", "bench.standin", json.dumps(options)]
    with ended(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield StandIn(process, told["portal"], told["oauth"], told["member"])


@contextmanager
def ended(process: subprocess.Popen[Any]) -> Iterator[Any]:
    """End a process with the block: politely, then for good."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(slots=True)
class App:
    """A running application and the portal's card of it."""

    address: str
    card: Mapping[str, Any]
    environment: Mapping[str, str]
    folder: Path
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What runs, by name: ``serve``, or ``web``, ``work 1``... and ``clock``."""
    processes: dict[str, subprocess.Popen[Any]] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.address.removeprefix("http://")

    def api(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        return requests.get(f"{self.address}/admin/api/{path}", headers=headers, timeout=60).json()

    def start(self, name: str) -> None:
        """Start one of the processes, in a group of its own as a service has it."""
        how: dict[str, Any] = {"env": dict(self.environment), "cwd": HERE.parent, "start_new_session": True}
        with (self.folder / "app.log").open("a") as log:
            self.processes[name] = subprocess.Popen(self.commands[name], stdout=log, stderr=log, **how)

    def kill(self, name: str) -> None:
        """Kill a process with all it has started, the way the machine does when memory runs out."""
        process = self.processes[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        """End all processes: politely, then for good."""
        for process in self.processes.values():
            process.terminate()
        for name, process in self.processes.items():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill(name)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def application(portal: StandIn, database: str = "", *, workers: int = 1, **settings: object) -> Iterator[App]:
    """Run the application for a portal: ``serve`` on SQLite, or web, work and clock processes on PostgreSQL.

    ``settings`` are further ones by their names without ``B24APP_``, in small letters.
    """
    with tempfile.TemporaryDirectory(prefix="b24app-bench-") as made:
        folder = Path(made)
        host = f"127.0.0.1:{free_port()}"
        address = f"http://{host}"
        card = portal.ask(
            "_sandbox/apps",
            name="b24app",
            handler_url=f"{address}/b24/app",
            install_url=f"{address}/b24/install",
            scopes=SCOPES,
        )
        environment = {
            **os.environ,
            "B24APP_PUBLIC_URL": address,
            "B24APP_CLIENT_ID": card["client_id"],
            "B24APP_CLIENT_SECRET": card["client_secret"],
            "B24APP_SECRET_KEY": "0123456789abcdef0123",
            "B24APP_ADMIN_TOKEN": ADMIN_TOKEN,
            "B24APP_DATABASE_URL": database or f"sqlite:///{folder / 'app.db'}",
            "B24APP_OAUTH_HOSTS": portal.oauth,
            "B24APP_ALLOW_HTTP": f"{host},{portal.portal},{portal.oauth}",
            "B24APP_PROCESSES": str(HERE / "processes"),
            **{f"B24APP_{name.upper()}": str(value) for name, value in settings.items()},
        }
        app = App(address, card, environment, folder, commands(host, workers if database else 0))
        if database:
            subprocess.run([*FLASK, "migrate"], env=environment, cwd=HERE.parent, check=True, stderr=subprocess.DEVNULL)
        try:
            for name in app.commands:
                app.start(name)
            wait_for(address)
            yield app
        finally:
            app.end()
            keep = os.environ.get("BENCH_KEEP_LOG")
            if keep:
                shutil.copy(folder / "app.log", keep)


def commands(host: str, workers: int) -> dict[str, Sequence[str]]:
    """Return what operators type to start the application (README, docs/operations.md); without workers, one process."""
    if not workers:
        return {"serve": [*FLASK, "serve", "--port", host.partition(":")[2]]}
    threads = ["--worker-class", "gthread", "--workers", "2", "--threads", "32"]
    return {
        "web": [sys.executable, "-m", "gunicorn", "--bind", host, *threads, "app:create_app()"],
        **{f"work {number}": [*FLASK, "work"] for number in range(1, workers + 1)},
        "clock": [*FLASK, "clock"],
    }


def wait_for(address: str, seconds: float = 90) -> None:
    """Wait until the application answers."""
    ends = time.monotonic() + seconds
    while True:
        try:
            if requests.get(f"{address}/health", timeout=30).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            pass
        if time.monotonic() > ends:
            raise TimeoutError(f"nobody answers at {address}")
        time.sleep(0.1)


def install(portal: StandIn, app: App) -> dict[str, Any]:
    """Install the application as an administrator does; give the pipeline's number and its stages by name."""
    frame = portal.ask("_sandbox/frame", client_id=app.card["client_id"], user_id=ADMIN)
    page = requests.post(frame["url"], data=frame["form"], headers={"Accept": "text/html"}, timeout=120).text
    action, inner = next((action, inner) for action, inner in FORM.findall(page) if action.endswith("/run"))
    form = [*FIELD.findall(inner), ("process", "mass_move")]
    done = requests.post(f"{app.address}{action}", data=dict(form), headers={"Accept": "application/json"}, timeout=120)
    assert done.json().get("ok"), done.text[:500]
    portal.ask(f"_sandbox/apps/{app.card['client_id']}/finish", x=1)
    category = next(
        c for c in portal.as_admin("crm.category.list", entityTypeId=2)["categories"] if c["name"] == "Массовый перенос"
    )
    filters = {"ENTITY_ID": f"DEAL_STAGE_{category['id']}"}
    stages = {row["NAME"]: row["STATUS_ID"] for row in portal.as_admin("crm.status.list", filter=filters)}
    return {"category": int(category["id"]), "stages": stages}


def until_quiet(portal: StandIn, seconds: float = 60, calm: float = 1.5) -> None:
    """Wait until the application asks the portal for nothing any more."""
    ends, before, since = time.monotonic() + seconds, -1, time.monotonic()
    while time.monotonic() < ends:
        now = portal.progress()
        if now["requests"] != before or now["events_waiting"]:
            before, since = now["requests"], time.monotonic()
        elif time.monotonic() - since > calm:
            return
        time.sleep(0.2)
