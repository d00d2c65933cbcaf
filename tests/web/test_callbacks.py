"""The addresses the portal calls, through the web application."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from b24app.web.factory import MAX_BODY, create_web
from b24app.web.site import PAGES
from tests.engine.arriving.test_intake import body_of, stored
from tests.shop import Shop, shop

FORM = "application/x-www-form-urlencoded"
INBOUND = ("/b24/event", "/b24/robot/autotask", "/b24/sms", "/b24/install", "/b24/app", "/b24/install/run")


@pytest.fixture
def known(tmp_path: Path) -> Shop:
    opened = shop(tmp_path)
    opened.add_portal()
    return opened


@pytest.fixture
def client(known: Shop) -> FlaskClient:
    return create_web(known.workshop).test_client()


def rejected(reason: str) -> float:
    return REGISTRY.get_sample_value("b24app_rejected_total", {"reason": reason}) or 0


def test_an_event_is_answered_at_once_and_kept(client: FlaskClient, known: Shop) -> None:
    answer = client.post("/b24/event", data=body_of("deal_update"), content_type=FORM)
    assert (answer.status_code, answer.data) == (200, b"")
    assert len(stored(known)) == 1


def test_a_robot_call_is_answered_twice_and_kept_once(client: FlaskClient, known: Shop) -> None:
    body = body_of("robot_deal", code="autotask")
    statuses = [client.post("/b24/robot/autotask", data=body, content_type=FORM).status_code for _ in range(2)]
    assert statuses == [200, 200]
    assert len(stored(known)) == 1


def test_a_text_to_send_is_kept(client: FlaskClient, known: Shop) -> None:
    assert client.post("/b24/sms", data=body_of("sms_request"), content_type=FORM).status_code == 200
    assert stored(known)[0].kind == "sms"


def test_a_stranger_is_refused_and_counted(client: FlaskClient, known: Shop) -> None:
    before = rejected("unknown_sender")
    body = body_of("deal_update", **{"auth[member_id]": "somebody"})
    assert client.post("/b24/event", data=body, content_type=FORM).status_code == 403
    assert rejected("unknown_sender") == before + 1
    assert stored(known) == []


def test_an_unreadable_callback_is_refused_and_counted(client: FlaskClient) -> None:
    before = rejected("malformed")
    assert client.post("/b24/event", data=b"auth=x", content_type=FORM).status_code == 400
    assert rejected("malformed") == before + 1


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_anything_but_a_form_is_refused(client: FlaskClient, kind: str) -> None:
    assert client.post("/b24/event", data=body_of("deal_update"), content_type=kind).status_code == 415


def test_a_body_that_is_too_large_is_refused_unread(client: FlaskClient, known: Shop) -> None:
    body = body_of("deal_update") + b"&x=" + b"a" * MAX_BODY
    assert client.post("/b24/event", data=body, content_type=FORM).status_code == 413
    assert stored(known) == []


def test_too_many_fields_and_too_deep_ones_are_refused(client: FlaskClient) -> None:
    many = body_of("deal_update") + b"&" + b"&".join(b"a=1" for _ in range(3000))
    deep = body_of("deal_update") + b"&a" + b"[b]" * 40 + b"=1"
    assert client.post("/b24/event", data=many, content_type=FORM).status_code == 400
    assert client.post("/b24/event", data=deep, content_type=FORM).status_code == 400


def test_a_refusal_tells_a_stranger_nothing(client: FlaskClient) -> None:
    wrong = client.post("/b24/event", data=body_of("deal_update", **{"auth[application_token]": "wrong"}), content_type=FORM)
    nobody = client.post("/b24/event", data=body_of("deal_update", **{"auth[member_id]": "nobody"}), content_type=FORM)
    assert (wrong.status_code, wrong.data) == (nobody.status_code, nobody.data)


def test_monitoring_is_answered(client: FlaskClient, known: Shop) -> None:
    assert client.get("/health").status_code == 200
    assert client.get("/ready").json == {"ready": True, "problem": ""}
    client.post("/b24/event", data=body_of("deal_update"), content_type=FORM)
    assert b'b24app_taken_total{kind="event",new="yes"}' in client.get("/metrics").data


def test_an_application_without_its_tables_is_not_ready(known: Shop, client: FlaskClient) -> None:
    with known.workshop.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE portals")
    answer = client.get("/ready")
    assert (answer.status_code, answer.json) == (503, {"ready": False, "problem": "database"})


@pytest.fixture(scope="module")
def rubbish_app() -> Iterator[Flask]:
    with tempfile.TemporaryDirectory() as folder:
        opened = shop(Path(folder), oauth_hosts=("127.0.0.1:1",))
        opened.add_portal(endpoint="http://127.0.0.1:1/rest/")  # an address the settings forbid: nothing is ever sent
        yield create_web(opened.workshop, sleep=lambda _seconds: None)
        opened.workshop.database.close()


NAMES = st.sampled_from(
    b"event auth auth[member_id] auth[application_token] data[FIELDS][ID] document_id[] AUTH_ID member_id REFRESH_ID "
    b"SERVER_ENDPOINT event_token ts page_token PLACEMENT_OPTIONS code".split()
)
VALUES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([b"ONAPPINSTALL", b"app-token-51f0", b"3f1c0e5d7a9b4c2e8d6f0a1b2c3d4e5f", b"9" * 30, b"{", b"-1"]),
)
FORMS = st.lists(st.tuples(NAMES, VALUES), max_size=8).map(lambda pairs: b"&".join(n + b"=" + v for n, v in pairs))


@pytest.fixture(scope="module")
def whole_app() -> Iterator[Flask]:
    """The application with all of its pages, as it is served."""
    with tempfile.TemporaryDirectory() as folder:
        opened = shop(Path(folder), oauth_hosts=("127.0.0.1:1",))
        opened.add_portal(endpoint="http://127.0.0.1:1/rest/")
        yield create_web(opened.workshop, PAGES, sleep=lambda _seconds: None)
        opened.workshop.database.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(pick=st.integers(0, 10**6), body=st.one_of(st.binary(max_size=200), FORMS), query=st.text(max_size=30))
def test_rubbish_breaks_no_address_that_takes_a_post(whole_app: Flask, pick: int, body: bytes, query: str) -> None:
    rules = sorted(rule.rule for rule in whole_app.url_map.iter_rules() if "POST" in (rule.methods or ()))
    assert {"/b24/placement/booking", "/b24/placement/quality", "/api/payments"} <= set(rules)
    path = re.sub(r"<[^>]+>", "1", rules[pick % len(rules)])
    answer = whole_app.test_client().post(path, data=body, content_type=FORM, query_string={"DOMAIN": query, "x": query})
    assert answer.status_code < 500, path


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(path=st.sampled_from(INBOUND), body=st.one_of(st.binary(max_size=200), FORMS), query=st.text(max_size=30))
def test_rubbish_is_the_senders_fault_at_every_inbound_address(
    rubbish_app: Flask, path: str, body: bytes, query: str
) -> None:
    answer = rubbish_app.test_client().post(path, data=body, content_type=FORM, query_string={"DOMAIN": query, "x": query})
    assert 400 <= answer.status_code < 500


@settings(max_examples=30, deadline=None)
@given(token=st.text(max_size=40))
def test_rubbish_for_a_page_token_is_refused(rubbish_app: Flask, token: str) -> None:
    client = rubbish_app.test_client()
    assert client.post("/b24/install/run", data={"page_token": token}).status_code == 403


@settings(max_examples=30, deadline=None)
@given(code=st.text(max_size=20), state=st.text(max_size=40), portal=st.text(max_size=40))
def test_rubbish_for_an_authorization_code_is_refused(rubbish_app: Flask, code: str, state: str, portal: str) -> None:
    client = rubbish_app.test_client()
    assert client.get("/b24/oauth", query_string={"code": code, "state": state}).status_code < 500
    assert client.get("/b24/oauth/start", query_string={"portal": portal}).status_code in (403, 400, 302)
