"""One application serves two portals; nothing of one is ever visible to the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from b24app.core.portal import Gateway, PortalSettings, Secrets
from b24app.engine.people.payments import signature
from sandbox.wire import decode_form, encode_form
from tests.flows.stage import AGREED, ALEXEY, HEAD, MARIA, Stage, a_file, a_stage

SIGN = "Подписать договор"


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Stage, Stage]]:
    with a_stage(tmp_path, companies=2) as first:
        (second,) = first.others
        for stage in (first, second):
            stage.install()
            stage.settle()
        yield first, second
        assert first.world.complaints == []
        assert first.troubles() == []


def test_deals_of_the_same_number_live_their_own_lives(both: tuple[Stage, Stage]) -> None:
    first, second = both
    one, other = first.new_deal("Первый портал", contactId=1), second.new_deal("Второй портал", contactId=1)
    assert one == other
    first.close(one, SIGN)
    assert (first.titles(one), second.titles(other)) == ([], [SIGN])
    first.turn(hours=24)
    second.settle()
    assert (first.titles(one, user=HEAD), len(second.titles(other, user=HEAD))) == ([], 1)
    for stage, other_title in ((first, "Второй портал"), (second, "Первый портал")):
        shown = " ".join([*stage.comments(one), *stage.notices(MARIA), *(repr(run) for run in stage.runs(one))])
        assert other_title not in shown


def test_installers_of_the_same_number_are_booked_apart(both: tuple[Stage, Stage]) -> None:
    first, second = both
    one, other = first.arrive("date_agreed", **AGREED), second.arrive("date_agreed", **AGREED)
    assert (first.stage_of(one), second.stage_of(other)) == ("date_agreed", "date_agreed")
    assert (first.visits(ALEXEY), second.visits(ALEXEY)) == (["08.06 10:00"], ["08.06 10:00"])


def test_each_portal_has_its_own_settings_and_secrets(both: tuple[Stage, Stage]) -> None:
    first, second = both
    workshop = first.application.workshop
    with workshop.database.write() as connection:
        workshop.portals.set_settings(connection, second.portal_id, PortalSettings(training=False, lang="en"))
        workshop.portals.set_secrets(connection, second.portal_id, Secrets(gateway=Gateway()))
    one, other = first.arrive("installation_set", **AGREED), second.arrive("installation_set", **AGREED)
    assert len(first.world.sms.outbox) == 1
    assert second.titles(other, user=MARIA)[0].startswith("Tell the client of the installation by phone")
    assert first.titles(one, user=MARIA) == []
    assert [comment for comment in second.comments(other) if "Training" in comment] == []


def test_the_payment_key_of_one_portal_opens_nothing_in_the_other(both: tuple[Stage, Stage]) -> None:
    first, second = both
    workshop = first.application.workshop
    with workshop.database.write() as connection:
        workshop.portals.set_secrets(connection, second.portal_id, Secrets(payment_key="another key, long enough"))
    deal = first.arrive("contract_signed", contract_file=a_file())
    told = {"portal": first.portal.member_id, "payment_id": "1", "deal_id": deal, "amount": "1", "currency": "RUB"}
    body, stamp = json.dumps(told).encode(), str(int(first.clock.now().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "X-Timestamp": stamp,
        "X-Signature": "sha256=" + signature("another key, long enough", stamp, body),
    }
    url = f"{workshop.settings.public_url}/api/payments"
    assert requests.post(url, data=body, headers=headers, timeout=5).status_code == 401
    first.settle()
    assert first.stage_of(deal) == "contract_signed"


def test_an_event_of_one_portal_that_names_the_other_is_refused(both: tuple[Stage, Stage]) -> None:
    first, second = both
    sent: list[tuple[str, str]] = []
    honest = first.world.transport

    def listening(url: str, body: str) -> int:
        sent.append((url, body))
        return honest(url, body)

    first.world.transport = listening
    first.new_deal(contactId=1)
    url, body = next((url, body) for url, body in sent if "ONCRMDEALADD" in body)
    forged = decode_form(body)
    forged["auth"]["member_id"] = second.portal.member_id
    answer = requests.post(
        url, data=encode_form(forged), headers={"Content-Type": "application/x-www-form-urlencoded"}, timeout=5
    )
    assert answer.status_code == 403
    second.turn(minutes=2)
    assert second.runs(1) == []


def test_a_portal_that_has_taken_its_access_back_does_not_stop_the_other(both: tuple[Stage, Stage]) -> None:
    first, second = both
    one, other = first.new_deal(contactId=1), second.new_deal(contactId=1)
    second.portal.faults.refuse_refresh = -1
    first.turn(hours=24)
    second.settle()
    assert second.application.workshop.portal(second.portal_id).state == "reconnect"
    assert second.titles(other, user=HEAD) == []
    assert len(first.titles(one, user=HEAD)) == 1
    second.portal.faults.refuse_refresh = 0
    second.install()
    second.settle()
    assert len(second.titles(other, user=HEAD)) == 1
