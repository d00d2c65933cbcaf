"""Taking in callbacks: who is believed, what is written down, what a database in trouble does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from b24app.bitrix.sender import BadCallback
from b24app.engine.arriving import intake
from b24app.engine.arriving.intake import accept_event, accept_robot, accept_sms
from b24app.engine.arriving.trust import UnknownSender
from b24app.engine.notes import ROUND_TRIP, SET_UP_WANTED, noted
from b24app.store import queue
from b24app.store.database import Database
from tests.shop import MEMBER, Shop, shop

WIRE = Path(__file__).parents[2] / "wire"


def body_of(name: str, **changed: str) -> bytes:
    """Return a payload of the wire samples with some fields changed."""
    pairs = dict(parse_qsl("&".join((WIRE / f"{name}.txt").read_text().split()), keep_blank_values=True))
    return urlencode({**pairs, **changed}).encode()


@pytest.fixture
def opened(tmp_path: Path) -> Shop:
    return shop(tmp_path)


@pytest.fixture
def known(opened: Shop) -> Shop:
    opened.add_portal()
    return opened


def stored(given: Shop) -> list[queue.Arrival]:
    with given.workshop.database.read() as connection:
        return queue.arrivals(connection, 1)


def never(_seconds: float) -> None:
    raise AssertionError("nothing is waited for here")


def test_an_event_is_written_down_and_wakes_its_portal(known: Shop) -> None:
    accepted = accept_event(known.workshop, body_of("deal_update"), sleep=never)

    (arrival,) = stored(known)
    assert accepted.new
    assert arrival.kind == "event"
    assert (arrival.body["kind"], arrival.body["change"], arrival.body["entity_type_id"]) == ("deal", "update", 2)
    assert known.woken == [1]
    with known.workshop.database.read() as connection:
        assert known.workshop.portals.reads(connection, 1).wakes == 1


def test_a_task_event_names_its_task(known: Shop) -> None:
    accept_event(known.workshop, body_of("task_update"))
    (arrival,) = stored(known)
    assert arrival.body["kind"] == "task"
    assert arrival.body["id"] == arrival.body["task_id"]


def test_an_event_of_a_robot_without_a_user_is_taken_in_too(known: Shop) -> None:
    accept_event(known.workshop, body_of("deal_update_by_robot"))
    assert stored(known)[0].body["user_id"] is None


def test_an_event_that_means_nothing_to_us_leaves_no_trace(known: Shop) -> None:
    assert not accept_event(known.workshop, body_of("calendar_entry_add")).new
    assert stored(known) == []
    assert known.woken == []


@pytest.mark.parametrize("wrong", ["app-token-51f1", "", "x" * 500, "токен"])
def test_a_wrong_application_token_is_refused(known: Shop, wrong: str) -> None:
    with pytest.raises((UnknownSender, BadCallback)):
        accept_event(known.workshop, body_of("deal_update", **{"auth[application_token]": wrong}))
    assert stored(known) == []


def test_a_portal_nobody_installed_is_refused(opened: Shop) -> None:
    with pytest.raises(UnknownSender):
        accept_event(opened.workshop, body_of("deal_update"))


def test_the_token_of_one_portal_opens_no_other(known: Shop) -> None:
    known.add_portal("another", "another-token")
    with pytest.raises(UnknownSender):
        accept_event(known.workshop, body_of("deal_update", **{"auth[application_token]": "another-token"}))


def test_the_sender_is_verified_before_the_event_is_read(known: Shop) -> None:
    rubbish = {"event": "ONCRMDEALUPDATE", "data[FIELDS][ID]": "seven"}
    with pytest.raises(UnknownSender):
        accept_event(known.workshop, body_of("deal_update", **rubbish, **{"auth[application_token]": "wrong"}))
    with pytest.raises(BadCallback):
        accept_event(known.workshop, body_of("deal_update", **rubbish))


def test_the_application_token_before_an_update_stays_good_for_late_deliveries(known: Shop) -> None:
    with known.workshop.database.write() as connection:
        known.workshop.portals.accept_token(connection, 1, "newer")
    assert accept_event(known.workshop, body_of("deal_update")).new
    assert accept_event(known.workshop, body_of("deal_update", **{"auth[application_token]": "newer"})).new


def test_a_robot_call_is_taken_in_once(known: Shop) -> None:
    body = body_of("robot_deal", code="autotask")
    first = accept_robot(known.workshop, "autotask", body)
    again = accept_robot(known.workshop, "autotask", body)

    (arrival,) = stored(known)
    assert (first.new, again.new) == (True, False)
    assert known.woken == [1]
    assert arrival.kind == "robot"
    assert arrival.body["code"] == "autotask"
    assert (arrival.body["entity_type_id"], arrival.body["id"]) == (2, 4821)
    assert arrival.body["properties"]["to"] == ["user_5", "user_7"]
    assert arrival.body["use_subscription"] is True
    assert arrival.body["event_token"].startswith("66e412fd")


def test_a_robot_call_at_another_robots_address_is_refused(known: Shop) -> None:
    with pytest.raises(BadCallback):
        accept_robot(known.workshop, "autotask", body_of("robot_deal"))


def test_a_text_to_send_is_taken_in_once(known: Shop) -> None:
    assert accept_sms(known.workshop, body_of("sms_request")).new
    assert not accept_sms(known.workshop, body_of("sms_request")).new
    (arrival,) = stored(known)
    assert (arrival.kind, arrival.body["to"], arrival.body["text"]) == ("sms", "+79001234567", "Замер завтра в 10:00")


def test_a_removed_application_stops_working_and_keeps_what_it_knows(known: Shop) -> None:
    accept_event(known.workshop, body_of("deal_update"))
    accept_event(known.workshop, body_of("app_uninstall"))
    portal = known.workshop.portal(1)
    assert (portal.state, portal.reason, portal.works) == ("removed", "uninstalled", False)
    assert len(stored(known)) == 1


def test_an_update_with_the_known_token_asks_for_everything_to_be_registered_again(known: Shop) -> None:
    accept_event(known.workshop, body_of("app_update", **{"auth[application_token]": "app-token-51f0"}), sleep=never)
    assert noted(known.workshop, 1, SET_UP_WANTED) == "updated"
    assert known.woken == [1]


def test_the_test_event_leaves_the_time_of_the_round_trip(known: Shop) -> None:
    accept_event(known.workshop, body_of("app_test", ts=str(int(known.clock().timestamp()) - 3)))
    assert noted(known.workshop, 1, ROUND_TRIP)["seconds"] == 3


def in_trouble(given: Shop, times: int) -> Shop:
    """Give a shop whose database refuses the next writes."""
    left = [times]
    real = given.workshop.database

    class Troubled:
        read = real.read

        @contextmanager
        def write(self) -> Iterator[Any]:
            if left[0]:
                left[0] -= 1
                raise OperationalError("insert", {}, sa.exc.DBAPIError("x", {}, Exception("database is locked")))
            with real.write() as connection:
                yield connection

    return replace(given, workshop=replace(given.workshop, database=cast(Database, Troubled())))


def test_a_callback_survives_a_database_in_trouble_for_seconds(known: Shop) -> None:
    waited: list[float] = []
    assert accept_event(in_trouble(known, 3).workshop, body_of("deal_update"), sleep=waited.append).new
    assert len(stored(known)) == 1
    assert len(waited) == 3


def test_a_callback_is_kept_on_the_disk_when_the_database_stays_in_trouble(known: Shop) -> None:
    waited: list[float] = []
    troubled = in_trouble(known, 99)
    assert accept_event(troubled.workshop, body_of("deal_update"), sleep=waited.append).new
    assert 4 <= sum(waited) <= 6
    assert tuple(waited) == intake.PAUSES
    assert len(troubled.workshop.spool.names()) == 1
    assert stored(known) == []


def test_a_members_id_is_not_enough(opened: Shop) -> None:
    opened.add_portal(MEMBER, "")
    with pytest.raises(UnknownSender):
        accept_event(opened.workshop, body_of("deal_update", **{"auth[application_token]": "anything"}))
