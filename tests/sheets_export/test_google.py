"""What is particular to Google: keys, tokens, refusals, the pace of requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.oauth2.service_account import Credentials

from sheets_export.google import GOOGLE, GoogleSheets, Pace, account, authorized, connect
from sheets_export.incidents import (
    AccessRevoked,
    BadCredentials,
    Incident,
    SheetsRefused,
    SpreadsheetGone,
    Throttled,
    Unsure,
)

EMAIL = "export@project.iam.example"
TOKENS = "https://oauth2.example/token"
BOOK = f"{GOOGLE}/v4/spreadsheets/book"
NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)


@cache
def key() -> str:
    """A service account's key as Google hands it out."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return json.dumps({"type": "service_account", "client_email": EMAIL, "private_key": pem, "token_uri": TOKENS})


@pytest.fixture(autouse=True)
def no_lookup_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread of its own google-auth asks where an account may be used: a stray call in the next test."""
    monkeypatch.setattr(Credentials, "_build_regional_access_boundary_lookup_url", lambda *args, **kwargs: None)


@pytest.fixture
def google() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def sheets(session: requests.Session | None = None) -> GoogleSheets:
    return GoogleSheets(session or requests.Session(), "book", GOOGLE, lambda: NOW, lambda time: None, EMAIL)


def token(mock: responses.RequestsMock, **answer: Any) -> None:
    mock.post(TOKENS, **answer or {"json": {"access_token": "secret-token", "expires_in": 3600, "token_type": "Bearer"}})


def test_a_key_may_be_a_file_or_the_json_itself(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(key(), encoding="utf-8")
    assert account(str(path)) == account(key()) == EMAIL


@pytest.mark.parametrize("credentials", ["", "no/such/file.json", "{", "[]", '{"client_email": "x"}', "{}"])
def test_a_key_that_cannot_be_read_is_an_incident_without_the_key_in_it(credentials: str, tmp_path: Path) -> None:
    if credentials == "[]":
        (tmp_path / "list.json").write_text("[]")
        credentials = str(tmp_path / "list.json")
    with pytest.raises(BadCredentials) as incident:
        authorized(credentials)
    assert "SHEETS_CREDENTIALS" in incident.value.text.ru


def test_requests_carry_a_token_and_the_body_is_plain_utf_8(google: responses.RequestsMock) -> None:
    token(google)
    google.post(f"{BOOK}/values:batchUpdate", json={})
    sheets(authorized(key())).write([{"range": "A1", "values": [["Разбор"]]}])

    sent = google.calls[-1].request
    assert sent.headers["Authorization"] == "Bearer secret-token"
    assert isinstance(sent.body, bytes)
    assert "Разбор".encode() in sent.body
    assert json.loads(sent.body)["valueInputOption"] == "RAW"


def test_a_stand_in_is_asked_without_any_credentials(google: responses.RequestsMock) -> None:
    google.get("http://127.0.0.1:9/v4/spreadsheets/book", status=404, json={"error": {"code": 404, "message": "no"}})
    made = connect("", "book", url="http://127.0.0.1:9/", clock=lambda: NOW, sleep=lambda time: None)
    with pytest.raises(SpreadsheetGone):
        made.read((), "sheets")
    assert "Authorization" not in google.calls[0].request.headers


def test_a_revoked_key_names_the_account(google: responses.RequestsMock) -> None:
    token(google, status=400, json={"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    with pytest.raises(AccessRevoked, match="invalid_grant") as incident:
        sheets(authorized(key())).read((), "sheets")
    assert EMAIL in incident.value.text.en


def test_a_token_host_that_is_down_is_no_revocation(google: responses.RequestsMock) -> None:
    token(google, body=requests.ConnectionError("down"))
    with pytest.raises(Unsure):
        sheets(authorized(key())).read((), "sheets")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, SheetsRefused),
        (401, AccessRevoked),
        (403, AccessRevoked),
        (404, SpreadsheetGone),
        (408, Unsure),
        (429, Throttled),
        (500, Unsure),
        (503, Unsure),
    ],
)
def test_a_refusal_is_told_by_its_status(google: responses.RequestsMock, status: int, kind: type[Exception]) -> None:
    google.get(BOOK, status=status, json={"error": {"code": status, "message": "because", "status": "X"}})
    with pytest.raises(kind) as refusal:
        sheets().read((), "sheets")
    if isinstance(refusal.value, Incident):
        assert refusal.value.text.ru != refusal.value.text.en
        assert "service account" not in refusal.value.text.ru


@pytest.mark.parametrize(("status", "body"), [(502, "<html>Bad Gateway</html>"), (200, '{"sheets": ['), (200, "")])
def test_an_answer_that_is_no_json_tells_nothing(google: responses.RequestsMock, status: int, body: str) -> None:
    google.get(BOOK, status=status, body=body)
    with pytest.raises(Unsure):
        sheets().read((), "sheets")


def test_google_s_own_word_on_when_to_come_again_is_kept(google: responses.RequestsMock) -> None:
    google.get(BOOK, status=429, headers={"Retry-After": "17"}, json={"error": {"code": 429, "message": "slow"}})
    with pytest.raises(Throttled) as slow:
        sheets().read((), "sheets")
    assert slow.value.retry_after == timedelta(seconds=17)


def test_every_request_counts_also_one_that_failed(google: responses.RequestsMock) -> None:
    google.get(BOOK, status=500, json={"error": {"code": 500, "message": "x"}})
    wire = sheets()
    for _ in range(2):
        with pytest.raises(Unsure):
            wire.read((), "sheets")
    assert wire.calls == 2


def test_the_pace_waits_before_the_request_too_many() -> None:
    now, waits = [NOW], []

    def sleep(time: timedelta) -> None:
        waits.append(time)
        now[0] += time

    pace = Pace(3, lambda: now[0], sleep)
    for _ in range(3):
        pace.take()
        now[0] += timedelta(seconds=10)
    pace.take()
    pace.take()
    now[0] += timedelta(minutes=5)
    pace.take()

    assert waits == [timedelta(seconds=30), timedelta(seconds=10)]
