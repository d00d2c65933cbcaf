"""The command line's own parts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
import requests

from app import bring_up_to_date, counted_at, restored
from assembly import Application, assemble
from b24app.core.portal import PortalSettings
from b24app.engine.restored import StillWorked, note_restored
from b24app.engine.workshop import Workshop
from b24app.settings import Settings
from b24app.store import views
from b24app.store.alone import alone
from b24app.store.portals import Grant
from tests.shop import MEMBER


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_a_worker_tells_prometheus_what_it_counted_while_it_works() -> None:
    address = f"127.0.0.1:{a_free_port()}"
    with counted_at(address):
        assert "b24app_portal_commands" in requests.get(f"http://{address}/metrics", timeout=5).text
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://{address}/metrics", timeout=5)


def test_without_an_address_nobody_is_told() -> None:
    with counted_at(""):
        pass


@pytest.mark.parametrize("wrong", ["9101", ":9101", "127.0.0.1:", "127.0.0.1:x", "192.0.2.1:9101"])
def test_an_address_that_cannot_be_listened_at_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(click.BadParameter, match=r"127\.0\.0\.1:9101|192\.0\.2\.1"), counted_at(wrong):
        raise AssertionError("nobody works")


def test_a_new_secret_key_is_put_in_force_at_the_start_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def opened(key: str, other: str = "") -> Workshop:
        return assemble(
            Settings(
                public_url="https://app.example",
                client_id="local.1",
                client_secret="client-secret",
                secret_key=key,
                secret_key_other=other,
                admin_token="operators-token-1",
                database_url=f"sqlite:///{tmp_path / 'app.db'}",
            )
        ).workshop

    former = opened("the-former-key-16")
    bring_up_to_date(former)
    grant = Grant(
        "access-1", "refresh-1", datetime(2026, 6, 1, tzinfo=UTC), 1, "https://a.example/rest/", "https://b.example/rest/"
    )
    with former.database.write() as connection:
        former.portals.add(connection, MEMBER, grant, "token", PortalSettings(), grant.expires)

    with pytest.raises(SystemExit):
        bring_up_to_date(opened("the-new-key-of-16", "a-wrong-key-of-16"))
    assert "B24APP_SECRET_KEY_OTHER" in capsys.readouterr().err
    bring_up_to_date(opened("the-new-key-of-16", "the-former-key-16"))
    assert opened("the-new-key-of-16").portal(1).grant.refresh == "refresh-1"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Application]:
    """An installation with one portal."""
    made = assemble(
        Settings(
            public_url="https://app.example",
            client_id="local.1",
            client_secret="client-secret",
            secret_key="0123456789abcdef",
            admin_token="operators-token-1",
            database_url=f"sqlite:///{tmp_path / 'app.db'}",
        )
    )
    made.web.extensions["b24app"] = made
    made.web.cli.add_command(restored)
    bring_up_to_date(made.workshop)
    now = datetime(2026, 6, 1, tzinfo=UTC)
    grant = Grant("access-1", "refresh-1", now, 1, "https://a.example/rest/", "https://b.example/rest/")
    with made.workshop.database.write() as connection:
        made.workshop.portals.add(connection, MEMBER, grant, "token", PortalSettings(), now)
    yield made
    made.workshop.database.close()


def test_an_operator_tells_of_a_restored_copy_once_nothing_works_on_it(served: Application) -> None:
    run, url = served.web.test_cli_runner().invoke, served.workshop.settings.database_url
    with alone(url):
        beside = run(args=["restored"])
    done = run(args=["restored", "--why", "the disk broke"])

    assert (beside.exit_code, "Stop it first" in beside.stderr) == (2, True)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (
        0,
        "Noted for 1 portals; 0 actions are looked up before they are carried out.",
    )
    assert served.workshop.portal(1).doubts(served.workshop.now())
    with served.workshop.database.read() as connection:
        assert [(row["what"], row["why"]) for row in views.audit_rows(connection)] == [("restored", "the disk broke")]


def test_a_restoration_is_not_noted_while_a_worker_has_a_portal(served: Application) -> None:
    workshop = served.workshop
    with workshop.database.write() as connection:
        workshop.portals.take_lane(connection, 1, "a worker", workshop.now(), timedelta(minutes=1))
    with pytest.raises(StillWorked, match=r"a\.example"):
        note_restored(workshop, "Anna")
