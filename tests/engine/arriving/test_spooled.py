"""A database that takes nothing: callbacks are kept on the disk, sealed, and come in once it takes them again."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from b24app.engine.arriving.intake import NotStored, accept_event, accept_robot, accept_sms
from b24app.engine.arriving.spooled import Delivery, bring_in
from b24app.engine.watching.alarms import alarms
from b24app.store import audit, spool
from b24app.store.database import Database
from b24app.store.spool import Spool, Spooled
from b24app.web.factory import create_web
from tests.engine.arriving.test_intake import body_of, never, stored
from tests.shop import Shop, shop

FORM = "application/x-www-form-urlencoded"
ROBOT = body_of("robot_deal", code="autotask")


@dataclass(slots=True)
class Breakable:
    """A database that stops answering when it is told to."""

    real: Database
    down: bool = False

    @contextmanager
    def read(self) -> Iterator[Connection]:
        self._answer()
        with self.real.read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self._answer()
        with self.real.write() as connection:
            yield connection

    def _answer(self) -> None:
        if self.down:
            raise OperationalError("select", {}, sa.exc.DBAPIError("x", {}, Exception("the server closed the connection")))


def down(known: Shop) -> Breakable:
    return cast(Breakable, known.workshop.database)


def restarted(known: Shop) -> Shop:
    """Give the shop as a process sees it that has just started: with nothing in memory."""
    return replace(
        known, workshop=replace(known.workshop, spool=Spool(known.workshop.spool.folder, known.workshop.portals._vault))
    )


@pytest.fixture
def known(tmp_path: Path) -> Shop:
    """A shop that has taken in an event of its portal, and then loses its database."""
    opened = shop(tmp_path)
    opened = replace(opened, workshop=replace(opened.workshop, database=cast(Database, Breakable(opened.workshop.database))))
    opened.add_portal()
    accept_event(opened.workshop, body_of("deal_update"), sleep=never)
    down(opened).down = True
    return opened


def quietly(_seconds: float) -> None:
    """Wait for nothing."""


def kept(known: Shop) -> list[Path]:
    return [known.workshop.spool.folder / name for name in known.workshop.spool.names()]


def test_what_the_database_does_not_take_is_answered_kept_and_taken_in_later_once(known: Shop) -> None:
    assert accept_robot(known.workshop, "autotask", ROBOT, sleep=quietly).new
    assert accept_robot(known.workshop, "autotask", ROBOT, sleep=quietly).new
    assert accept_sms(known.workshop, body_of("sms_request"), sleep=quietly).new
    assert accept_event(known.workshop, body_of("task_update"), sleep=quietly).new
    assert len(kept(known)) == 4
    assert not bring_in(known.workshop)

    down(known).down = False
    assert bring_in(known.workshop)
    assert [arrival.kind for arrival in stored(known)] == ["event", "robot", "sms", "event"]
    assert kept(known) == []
    with known.workshop.database.read() as connection:
        (noted,) = audit.audited(connection)
    assert (noted["what"], noted["details"]["number"]) == ("spool_emptied", 4)


def test_while_something_lies_there_nobody_waits_for_the_database(known: Shop) -> None:
    accept_event(known.workshop, body_of("deal_update"), sleep=quietly)
    accept_event(known.workshop, body_of("deal_update"), sleep=never)
    assert len(kept(known)) == 2


def test_a_process_that_starts_takes_in_what_the_one_before_kept(known: Shop) -> None:
    accept_robot(known.workshop, "autotask", ROBOT, sleep=quietly)
    down(known).down = False
    again = restarted(known)
    delivery = Delivery(again.workshop, quietly)
    delivery.look()
    assert delivery.thread is not None
    delivery.thread.join()
    assert [arrival.kind for arrival in stored(again)] == ["event", "robot"]
    delivery.thread = None
    delivery.look()
    assert delivery.thread is None


def test_the_thread_tries_until_the_database_answers(known: Shop) -> None:
    def come_back(_seconds: float) -> None:
        pauses.append(_seconds)
        down(known).down = len(pauses) < 3

    pauses: list[float] = []
    accept_robot(known.workshop, "autotask", ROBOT, sleep=quietly)
    delivery = Delivery(known.workshop, come_back)
    delivery.look()
    assert delivery.thread is not None
    delivery.thread.join()
    assert pauses == [1.0, 1.0, 1.0]
    assert len(stored(known)) == 2


def test_portals_are_answered_over_http_while_the_database_is_away(known: Shop) -> None:
    client = create_web(known.workshop, sleep=lambda _seconds: setattr(down(known), "down", False)).test_client()
    known.workshop.spool.in_use = True  # an outage that has lasted for a while
    answer = client.post("/b24/robot/autotask", data=ROBOT, content_type=FORM)
    assert (answer.status_code, answer.data) == (200, b"")
    assert client.get("/health").status_code == 200


def test_a_stranger_fills_no_disk(known: Shop) -> None:
    strange = {"auth[member_id]": "0" * 32}, {"auth[application_token]": "wrong"}
    for changed in strange:
        with pytest.raises(NotStored):
            accept_event(known.workshop, body_of("deal_update", **changed), sleep=quietly)
    assert kept(known) == []


def test_what_is_kept_is_sealed_and_for_its_owner_alone(known: Shop) -> None:
    accept_robot(known.workshop, "autotask", ROBOT, sleep=quietly)
    (path,) = kept(known)
    assert b"token" not in path.read_bytes()
    assert oct(path.stat().st_mode)[-3:] == "600"
    assert oct(path.parent.stat().st_mode)[-3:] == "700"


def test_a_disk_that_is_full_is_a_callback_refused(known: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_file: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(NotStored):
        accept_event(known.workshop, body_of("deal_update"), sleep=quietly)
    assert kept(known) == []
    assert list(known.workshop.spool.folder.iterdir()) == [], "half a file takes room, too"


def test_what_comes_while_the_spool_is_emptied_is_not_forgotten(known: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_more(self: Spool, spooled: Spooled) -> None:
        done(self, spooled)
        if len(stored(known)) == 2:
            self.keep("robot", "autotask", ROBOT)

    done = Spool.done
    accept_event(known.workshop, body_of("deal_update"), sleep=quietly)
    down(known).down = False
    monkeypatch.setattr(Spool, "done", one_more)
    bring_in(known.workshop)
    assert known.workshop.spool.in_use
    assert bring_in(known.workshop)
    assert not known.workshop.spool.in_use


def test_the_spool_has_an_end(known: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MOST", 2)
    for _ in range(2):
        accept_event(known.workshop, body_of("deal_update"), sleep=quietly)
    with pytest.raises(NotStored):
        accept_event(known.workshop, body_of("deal_update"), sleep=quietly)


def test_a_portal_that_left_meanwhile_is_turned_away_and_keeps_nobody_else_back(known: Shop) -> None:
    accept_robot(known.workshop, "autotask", ROBOT, sleep=quietly)
    accept_event(known.workshop, body_of("deal_update"), sleep=quietly)
    down(known).down = False
    again = restarted(known)
    with again.workshop.database.write() as connection:
        again.workshop.portals._write(connection, 1, application_tokens=again.workshop.portals._vault.lock('["another"]'))
    assert bring_in(again.workshop)
    assert len(stored(again)) == 1
    assert kept(again) == []


def test_operators_see_that_callbacks_lie_on_the_disk(known: Shop) -> None:
    accept_event(known.workshop, body_of("deal_update"), sleep=quietly)
    down(known).down = False
    (alarm,) = alarms(known.workshop)
    assert (alarm.kind, alarm.portal_id) == ("spool", None)
    assert "1" in alarm.text.ru
    bring_in(known.workshop)
    assert alarms(known.workshop) == []
