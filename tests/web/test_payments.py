from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from b24app.core.portal import Secrets
from b24app.engine.people.payments import signature
from b24app.store import tables as t
from b24app.store.portals import Portal
from b24app.web.payments import pages
from tests.seeded import NOW, House, a_house, a_portal

KEY = "payment-key-of-romashka"
TOLD = {
    "portal": "romashka",
    "payment_id": "1C-000042",
    "deal_id": 12,
    "amount": "50000.00",
    "currency": "RUB",
    "note": "аванс",
}
STAMP = str(int(NOW.timestamp()))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


@pytest.fixture
def portal(house: House) -> Portal:
    return with_key(house, a_portal(house), KEY)


@pytest.fixture
def client(house: House, portal: Portal) -> FlaskClient:
    app = Flask("payments")
    app.register_blueprint(pages(house.workshop))
    return app.test_client()


def with_key(house: House, portal: Portal, key: str) -> Portal:
    with house.database.write() as connection:
        house.workshop.portals.set_secrets(connection, portal.id, Secrets(payment_key=key))
    return house.workshop.portal(portal.id)


def tell(client: FlaskClient, body: Any = None, *, key: str = KEY, stamp: str = STAMP, **headers: str) -> TestResponse:
    written = body if isinstance(body, bytes) else json.dumps({**TOLD, **(body or {})}).encode()
    sent = {"X-Timestamp": stamp, "X-Signature": f"sha256={signature(key, stamp, written)}", **headers}
    return client.post("/api/payments", data=written, content_type="application/json", headers=sent)


def test_a_signed_payment_is_written_down_and_wakes_the_portal(house: House, portal: Portal, client: FlaskClient) -> None:
    answer = tell(client)

    assert (answer.status_code, answer.json) == (202, {"accepted": True, "repeated": False})
    (work,) = house.rows(t.work)
    assert (work["kind"], work["entity_type_id"], work["item_id"]) == ("payment", 2, 12)
    assert work["body"] == {"payment_id": "1C-000042", "amount": "50000.00", "currency": "RUB", "note": "аванс"}
    assert house.woken == [portal.id]
    assert [row["what"] for row in house.rows(t.audit)] == ["payment"]


def test_a_repeated_payment_counts_once(house: House, client: FlaskClient) -> None:
    tell(client)

    again = tell(client)

    assert (again.status_code, again.json) == (200, {"accepted": True, "repeated": True})
    assert house.count(t.work) == 1


@pytest.mark.parametrize("other", [{"deal_id": 13}, {"amount": "50001.00"}, {"currency": "USD"}])
def test_another_payment_under_the_same_number_is_a_conflict(
    client: FlaskClient, house: House, other: dict[str, Any]
) -> None:
    tell(client)

    assert tell(client, other).status_code == 409
    assert house.count(t.payments) == 1


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_clock_five_minutes_off_is_good_enough(client: FlaskClient, seconds: int) -> None:
    assert tell(client, stamp=str(int(NOW.timestamp()) + seconds)).status_code == 202


@pytest.mark.parametrize(
    "stamp", [str(int(NOW.timestamp()) - 301), str(int(NOW.timestamp()) + 301), "", "now", "9" * 30, "-5"]
)
def test_an_old_or_senseless_time_is_refused(house: House, client: FlaskClient, stamp: str) -> None:
    assert tell(client, stamp=stamp).status_code == 401
    assert house.count(t.payments) == 0


def test_a_message_is_good_for_five_minutes_only(house: House, client: FlaskClient) -> None:
    house.pass_time(timedelta(minutes=6))

    assert tell(client).status_code == 401


def test_a_wrong_key_a_foreign_key_and_an_unknown_portal_look_alike(house: House, client: FlaskClient) -> None:
    with_key(house, a_portal(house, "lilia", "lilia.bitrix24.test"), "payment-key-of-lilia")
    a_portal(house, "keyless", "keyless.bitrix24.test")

    refused = [
        tell(client, key="wrong"),
        tell(client, key="payment-key-of-lilia"),
        tell(client, {"portal": "nobody"}),
        tell(client, {"portal": "keyless"}, key=""),
        tell(client, {"portal": "keyless"}, key="no key"),
        tell(client, **{"X-Signature": ""}),
    ]

    assert {answer.status_code for answer in refused} == {401}
    assert len({answer.data for answer in refused}) == 1
    assert house.count(t.work) == 0


def test_a_removed_portal_takes_no_payments(house: House, portal: Portal, client: FlaskClient) -> None:
    with house.database.write() as connection:
        house.workshop.portals.set_state(connection, portal.id, "removed")

    assert tell(client).status_code == 401


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"amount": "-5"}, "amount"),
        ({"amount": "many"}, "amount"),
        ({"deal_id": 0}, "deal_id"),
        ({"deal_id": "D_12"}, "deal_id"),
        ({"payment_id": ""}, "payment_id"),
        ({"payment_id": "a\u0000b"}, "payment_id"),
        ({"currency": "roubles"}, "currency"),
        ({"note": "x" * 1001}, "note"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_malformed_message_is_refused_with_the_name_of_the_field(
    client: FlaskClient, house: House, body: dict[str, Any], named: str
) -> None:
    answer = tell(client, body)

    assert (answer.status_code, (answer.json or {})["description"]) == (400, named)
    assert house.count(t.payments) == 0


def test_other_content_types_and_long_messages_are_refused(client: FlaskClient) -> None:
    assert client.post("/api/payments", data={"a": "b"}).status_code == 415
    assert tell(client, {"note": "x" * 20_000}).status_code == 413
    assert client.get("/api/payments").status_code == 405


@pytest.fixture(scope="module")
def rubbish(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes, str], int]:
    house = a_house(tmp_path_factory.mktemp("rubbish"))
    with_key(house, a_portal(house), KEY)
    app = Flask("payments")
    app.register_blueprint(pages(house.workshop))
    client = app.test_client()
    return lambda body, stamp: tell(client, body, stamp=stamp).status_code


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*TOLD, "x"]), inner, max_size=6),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    ),
    stamp=st.sampled_from([STAMP, "0", "x"]),
)
def test_rubbish_is_the_senders_fault(rubbish: Callable[[bytes, str], int], body: bytes, stamp: str) -> None:
    assert 400 <= rubbish(body, stamp) < 500


def test_a_nested_bomb_is_the_senders_fault(rubbish: Callable[[bytes, str], int]) -> None:
    assert rubbish(b'{"portal":' + b"[" * 8000, STAMP) == 401
