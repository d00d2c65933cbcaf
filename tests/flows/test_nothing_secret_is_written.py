"""A whole flow with every fault: no log line, no page and no answer of the API holds a token, a key or a password."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
import structlog
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from b24app import log as logs
from b24app.core.portal import Gateway, Secrets
from b24app.engine.watching.doctor import diagnose
from b24app.engine.watching.upkeep import Upkeep
from b24app.web.settings_forms import gateway_fields, read_gateway
from sandbox.faults import KINDS
from tests.flows.stage import ADMIN, AGREED, MARIA, Stage

GATEWAY_PASSWORD = "gateway-Passw0rd+77"
PAYMENT_KEY = "payment-key-of-the-bank-31"
FORGED = "forged-application-token-99"
STRANGER = "a-strangers-access-token-0042"
OPERATORS = (
    *("/admin/runs", "/admin/timers", "/admin/portals", "/admin/incidents", "/admin/audit", "/admin/versions"),
    *("/health", "/ready", "/metrics"),
)
API = ("runs?limit=200", "timers?state=all", "portals", "incidents", "audit")


@dataclass
class Record:
    """Everything written while a test ran: log lines and what was answered, by where it stood."""

    log: io.StringIO
    answers: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def leaks(self) -> list[str]:
        """Name every place that holds a secret, and which."""
        places = {"log": self.log.getvalue(), **self.answers}
        return [
            f"{place}: {name}"
            for place, text in places.items()
            for secret, name in self.secrets.items()
            if secret in text or quote(secret, safe="") in text
        ]


@pytest.fixture
def record(stage: Stage) -> Iterator[Record]:
    """Write the log as a process does that was just started: it knows the settings' secrets and nothing else yet."""
    root, before = logging.getLogger(), (logging.getLogger().handlers[:], logging.getLogger().level)
    written, stderr = io.StringIO(), sys.stderr
    sys.stderr = written
    logs.set_up_logging(level=logging.DEBUG)
    sys.stderr = stderr
    settings = stage.application.workshop.settings
    logs.mask.forget()
    logs.mask.keep(settings.client_secret, settings.secret_key, settings.admin_token)
    found = Record(written)
    _note_secrets(stage, found)
    try:
        yield found
    finally:
        root.handlers[:], level = before
        root.setLevel(level)
        structlog.reset_defaults()


def _note_secrets(stage: Stage, record: Record) -> None:
    """Collect what must not be written; every token the pretend world gives out from now on is added by itself."""
    settings, tokens = stage.application.workshop.settings, stage.world.tokens
    issue = tokens.issue

    def issued(*args: Any, **more: Any) -> tuple[str, str]:
        access, refresh = issue(*args, **more)
        record.secrets |= {access: "access token", refresh: "refresh token"}
        return access, refresh

    tokens.issue = issued  # type: ignore[method-assign]
    record.secrets |= dict.fromkeys(tokens.access, "access token") | dict.fromkeys(tokens.refresh, "refresh token")
    record.secrets |= {
        stage.card.application_token: "application token",
        settings.client_secret: "client secret",
        settings.secret_key: "secret key",
        settings.admin_token: "admin token",
        GATEWAY_PASSWORD: "gateway password",
        PAYMENT_KEY: "payment key",
        FORGED: "a forged token",
        STRANGER: "a stranger's token",
    }


def a_gateway(stage: Stage, host: str) -> None:
    """Describe a gateway that carries its password in the address, a field and a header, as some want it."""
    gateway = Gateway(
        url=f"http://{host}/sms/send?psw={quote(GATEWAY_PASSWORD)}",
        method="GET",
        fields={"to": "{phone}", "text": "{text}", "id": "{id}", "key": GATEWAY_PASSWORD},
        headers={"X-Api-Key": GATEWAY_PASSWORD},
        status_url=f"http://{host}/sms/status?psw={quote(GATEWAY_PASSWORD)}&id={{id}}",
    )
    workshop = stage.application.workshop
    with workshop.database.write() as connection:
        workshop.portals.set_secrets(connection, stage.portal_id, Secrets(gateway=gateway, payment_key=PAYMENT_KEY))


def rest(stage: Stage) -> None:
    """Let a minute pass several times, so that what was put off is tried again."""
    for _ in range(2):
        stage.turn(minutes=2)


def troubled_flow(stage: Stage) -> int:
    """Play a deal while everything fails in turn; return the deal."""
    stage.portal.automation.place(2, "EXECUTING", "check_installation_date", {})
    deal = stage.arrive("date_agreed", **AGREED)
    for kind in KINDS:
        if kind != "overload":
            stage.portal.faults.add(kind, times=2)
            stage.new_deal(f"Сделка при сбое {kind}")
            rest(stage)
    stage.portal.faults.refuse("tasks.task.add", "expired_token", status=401)
    stage.portal.faults.refuse("crm.timeline.comment.add", "ACCESS_DENIED", "auth=secret refused", status=403)
    stage.clock.advance(timedelta(hours=2))
    other = stage.new_deal("Сделка с истёкшим токеном", categoryId=0)
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=2, id=other, fields={"stageId": "EXECUTING"})
    rest(stage)
    return deal


def send_sms(stage: Stage, deal: int) -> None:
    """Send through gateways that refuse, break and are not there."""
    a_gateway(stage, "127.0.0.1:9")
    stage.portal.automation.place(2, "PREPAYMENT_INVOICE", "send_sms", {"text": "Ждём вас"})
    fields = {"stageId": "PREPAYMENT_INVOICE"}
    other = stage.new_deal("СМС", categoryId=0, contactId=1)
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=2, id=other, fields=fields)
    rest(stage)


def bad_callbacks(stage: Stage, record: Record, client: FlaskClient) -> None:
    """Post what strangers post, with tokens in every place."""
    auth = {"member_id": stage.portal.member_id, "application_token": FORGED, "domain": stage.portal.domain}
    tokens = {
        "access_token": STRANGER,
        "refresh_token": STRANGER,
        "server_endpoint": f"http://{stage.world.oauth_domain}/rest/",
    }
    for event in ("ONCRMDEALUPDATE", "ONAPPINSTALL", "ONAPPUPDATE", "ONAPPTEST", STRANGER):
        form = {"event": event, "data[FIELDS][ID]": "1", **{f"auth[{k}]": v for k, v in {**auth, **tokens}.items()}}
        _post(record, client, "/b24/event", form)
    form = {"event_token": STRANGER, "code": "notify", **{f"auth[{k}]": v for k, v in {**auth, **tokens}.items()}}
    _post(record, client, "/b24/robot/notify", form)
    _post(record, client, "/b24/app", {"AUTH_ID": STRANGER, "REFRESH_ID": STRANGER, "member_id": stage.portal.member_id})
    _post(record, client, "/b24/app", {"AUTH_ID": STRANGER, "auth[": STRANGER * 3})
    _post(record, client, "/admin/login", {"who": "x", "token": STRANGER})
    answer = client.get("/admin/api/runs", headers={"Authorization": f"Bearer {STRANGER}"})
    record.answers["api of a stranger"] = answer.get_data(as_text=True)


def _post(record: Record, client: FlaskClient, path: str, form: dict[str, str]) -> None:
    answer = client.post(path, data=form, headers={"Accept": "text/html"})
    assert answer.status_code >= 400, (path, answer.status_code)
    record.answers[f"{path} {len(record.answers)}"] = answer.get_data(as_text=True)


def look_at_everything(stage: Stage, record: Record, deal: int) -> None:
    """Open every page people and operators have, and ask the whole API."""
    client = stage.application.web.test_client()
    placements: tuple[tuple[str, str, int], ...] = (
        ("DEFAULT", "", ADMIN),
        ("DEFAULT", "", MARIA),
        ("CRM_DEAL_DETAIL_TAB", "journal", ADMIN),
        ("CRM_DEAL_DETAIL_TAB", "booking", MARIA),
    )
    for code, name, user in placements:
        handler = f"{stage.application.workshop.settings.public_url}/b24/placement/{name}" if name else ""
        url, form = stage.portal.open_app_post(stage.card, user, code, {"ID": str(deal)} if name else {}, handler=handler)
        parts = urlsplit(url)
        answer = client.post(
            f"{parts.path}?{parts.query}", data=urlencode(form), content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == 200, (name, answer.get_data(as_text=True))
        record.answers[f"{code} {name} of {user}"] = answer.get_data(as_text=True)
    _operators(stage, record, every_run=True)
    found = diagnose(stage.application.workshop, sleep=lambda _seconds: None)
    record.answers["doctor"] = "\n".join(found.lines("ru")) + str(found.as_json("en"))


def _operators(stage: Stage, record: Record, *, every_run: bool) -> None:
    client, token = stage.application.web.test_client(), stage.application.workshop.settings.admin_token
    headers = {"Authorization": f"Bearer {token}"}
    client.post("/admin/login", data={"who": "Ольга", "token": token})
    runs = client.get("/admin/api/runs?limit=200", headers=headers).get_json()["runs"]
    assert len(runs) > 10
    runs = runs if every_run else []
    for path in (*OPERATORS, *(f"/admin/runs/{run['id']}" for run in runs)):
        answer = client.get(path)
        assert answer.status_code == 200, path
        record.answers[path] = answer.get_data(as_text=True)
    for path in (*API, *(f"runs/{run['id']}" for run in runs)):
        answer = client.get(f"/admin/api/{path}", headers=headers)
        assert answer.status_code == 200, path
        record.answers[f"/admin/api/{path}"] = answer.get_data(as_text=True)


def test_no_secret_is_written_whatever_fails(stage: Stage, record: Record) -> None:
    deal = troubled_flow(stage)
    send_sms(stage, deal)
    bad_callbacks(stage, record, stage.application.web.test_client())
    stage.portal.faults.clear()
    rest(stage)
    Upkeep(stage.application.workshop).look()
    look_at_everything(stage, record, deal)
    stage.portal.faults.refuse_refresh = -1
    stage.clock.advance(timedelta(hours=2))
    stage.drain()
    _operators(stage, record, every_run=False)
    record.secrets |= {run.token: "event token" for run in stage.portal.automation.runs}

    stage.expected_troubles = stage.troubles()
    assert stage.application.workshop.portal(stage.portal_id).state == "reconnect"
    lines = record.log.getvalue().splitlines()
    assert any("portal lost" in line for line in lines)
    assert any("portal paused" in line for line in lines)
    assert len(stage.portal.automation.runs) >= 2
    assert len(record.secrets) > 20
    assert record.leaks() == []


def test_a_leak_would_be_seen(stage: Stage, record: Record) -> None:
    """The sieve itself holds: a secret in a log line or on a page is found, also escaped for an address."""
    access = stage.application.workshop.portal(stage.portal_id).grant.access
    record.answers["page"] = f"<p>{access}</p>"
    record.answers["address"] = quote(GATEWAY_PASSWORD, safe="")
    logs.log("test").info("kept", note=f"the bank signs with {PAYMENT_KEY}")

    assert {leak.partition(":")[0] for leak in record.leaks()} == {"page", "address", "log"}


def test_a_process_that_runs_for_months_masks_the_newest_tokens_and_all_keys() -> None:
    mask = logs.Mask(remembered=3)
    mask.keep("key-of-the-settings")
    mask.learn(*(f"token-number-{n}" for n in range(5)))

    assert mask.text("key-of-the-settings token-number-1 token-number-4") == f"{logs.MASK} token-number-1 {logs.MASK}"


def test_a_hidden_value_in_a_gateways_address_stays_what_it_was() -> None:
    old = Gateway(url="https://sms.example/send?psw=s3cret&to={phone}&mes={text}")
    shown = gateway_fields(old)["url"]
    form = MultiDict({"url": shown, "method": "GET"})

    assert "s3cret" not in shown
    assert read_gateway(form, old)[0].url == old.url
