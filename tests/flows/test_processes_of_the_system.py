"""Real processes: one server per SQLite file, and all of them end within seconds when they are asked to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from b24app.engine.running.lane import LEASE, Lane
from b24app.engine.running.workers import inherit
from b24app.store import queue
from b24app.store.alone import AlreadyServed, alone
from tests.flows.stage import MARIA, Stage

ROOT = Path(__file__).parents[2]
SECONDS = 30.0
"""What a process may take on a machine that has much else to do; it takes one or two."""


def environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "B24APP_PUBLIC_URL": "https://app.example",
        "B24APP_CLIENT_ID": "local.1",
        "B24APP_CLIENT_SECRET": "client-secret",
        "B24APP_SECRET_KEY": "0123456789abcdef",
        "B24APP_ADMIN_TOKEN": "operators-token-1",
        "B24APP_DATABASE_URL": f"sqlite:///{folder / 'served.db'}",
        "B24APP_LANG": "en",
    }


def flask(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "flask", "--app", "app", *words]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def a_free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A server on a database of its own, ready to answer."""
    port = a_free_port()
    process = flask(tmp_path, "serve", "--port", str(port))
    ends = time.monotonic() + SECONDS
    try:
        while not _answers(port):
            assert process.poll() is None and time.monotonic() < ends, "the server did not start"
            time.sleep(0.05)  # a real process: there is nothing else to wait for
        yield process
    finally:
        process.kill()
        process.communicate()


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/ready", timeout=1).status_code == 200
    except requests.RequestException:
        return False


@pytest.mark.processes
def test_a_second_server_on_a_database_is_refused_and_the_first_ends_when_asked(
    served: subprocess.Popen[str], tmp_path: Path
) -> None:
    second = flask(tmp_path, "serve", "--port", str(a_free_port()))
    _, said = second.communicate(timeout=SECONDS)
    asked = time.monotonic()
    served.send_signal(signal.SIGTERM)
    served.communicate(timeout=SECONDS)

    assert second.returncode == 2
    assert f"process {served.pid}" in said
    assert "PostgreSQL" in said
    assert served.returncode == 0
    assert time.monotonic() - asked < 10
    with alone(environment(tmp_path)["B24APP_DATABASE_URL"]):
        pass


def test_a_database_is_served_by_one_and_free_again_after_him(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'app.db'}"
    with alone(url):
        with pytest.raises(AlreadyServed) as met, alone(url):
            pass
        assert met.value.holder == str(os.getpid())
    with alone(url):
        pass


@pytest.mark.parametrize("url", ["sqlite:///:memory:", "sqlite://", "postgresql://localhost/app"])
def test_what_is_no_file_is_not_locked(url: str) -> None:
    with alone(url), alone(url):
        pass


def test_the_only_server_of_a_database_does_not_wait_for_the_dead_one_before_it(stage: Stage) -> None:
    workshop = stage.application.workshop
    with workshop.database.write() as connection:
        workshop.portals.take_lane(connection, stage.portal_id, "dead", workshop.now(), LEASE)
        workshop.portals.wake(connection, stage.portal_id, workshop.now())
    assert not Lane(workshop, stage.portal_id, "next").drain().worked
    inherit(workshop)
    assert Lane(workshop, stage.portal_id, "next").drain().worked


def test_a_worker_told_to_stop_leaves_lane_and_work_to_the_next(stage: Stage) -> None:
    workshop = stage.application.workshop
    tie = stage.tie()
    fields = {"title": "Потолки", "assignedById": MARIA, "categoryId": tie.category_id}
    stage.portal.as_user(MARIA).call("crm.item.add", entityTypeId=2, fields=fields)
    stage.portal.deliver()
    looks = iter([False])
    stopped = Lane(workshop, stage.portal_id, "first", stopping=lambda: next(looks, True)).drain()

    with workshop.database.read() as connection:
        assert not workshop.portals.lane_taken(connection, stage.portal_id)
        assert queue.has_open_work(connection, stage.portal_id)
    assert stopped.worked
    stage.settle()
    with workshop.database.read() as connection:
        assert not queue.has_open_work(connection, stage.portal_id)
