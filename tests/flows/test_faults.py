"""Each fault of a portal has its own right answer; nothing is lost, nothing is done twice, nothing is tried without end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from requests.adapters import HTTPAdapter

import assembly
from b24app.bitrix.budget import ENTERPRISE
from b24app.bitrix.callbacks import page
from b24app.bitrix.commands import Command
from b24app.bitrix.tempo import OPERATING_LIMIT
from b24app.engine.access import gate_of
from b24app.engine.acting import perform
from b24app.engine.arriving.openings import opened
from b24app.engine.decisions import decide
from b24app.engine.running.lane import Lane
from tests.flows.stage import ADMIN, HEAD, MARIA, Stage, leaping

SIGN = "Подписать договор"
TASK = "tasks.task.add"
COMMENT = "crm.timeline.comment.add"
HISTORY = "crm.stagehistory.list"


def created(stage: Stage, title: str = "Потолки") -> int:
    """Create a deal while nobody works yet."""
    fields = {"title": title, "assignedById": MARIA, "categoryId": stage.tie().category_id, "contactId": 1}
    return int(stage.portal.as_user(MARIA).call("crm.item.add", entityTypeId=2, fields=fields)["item"]["id"])


def begun(stage: Stage, *deals: int) -> None:
    """Tell that deals have begun as they should, once each: the task with its lines, and the lesson."""
    for deal in deals:
        assert stage.titles(deal, open_only=False) == [SIGN]
        assert len(stage.lines(deal, SIGN)) == 5
        assert len(stage.comments(deal)) == 1


def sent(stage: Stage, method: str, since: int = 0) -> int:
    """Count how often a method was sent, tries that failed among them."""
    lines = [line for record in stage.portal.requests[since:] for line in (record.method, *record.commands)]
    return sum(line.partition("?")[0] == method for line in lines)


def another_process(stage: Stage) -> None:
    """Go on in a process that was just started: it knows what the rows tell, and nothing else."""
    workshop = stage.application.workshop
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "open_database", lambda url: workshop.database.engine)
        pace = leaping(stage.clock() + timedelta(days=2))
        stage.application = assembly.assemble(workshop.settings, clock=stage.clock, pace=pace)
    stage.holder["web"] = stage.application.web


def minutes(stage: Stage, number: int) -> None:
    for _ in range(number):
        stage.turn(minutes=1)


# Limits ------------------------------------------------------------------------------------------------------------------


def test_a_spent_request_limit_keeps_everybody_away_for_seconds_and_doubles_nothing(stage: Stage) -> None:
    workshop = stage.application.workshop
    object.__setattr__(workshop, "pace", stage.clock)  # the budget by the clock the test turns
    with workshop.database.write() as connection:
        workshop.portals.set_spent(connection, stage.portal_id, 0)
    deals = [created(stage, f"Сделка {n}") for n in range(2)]
    fault = stage.portal.faults.add("query_limit", TASK)
    stage.settle()
    told = len(stage.portal.requests)

    with workshop.database.read() as connection:
        spent, _ = workshop.portals.spent(connection, stage.portal_id)
    assert spent / 1e6 - stage.clock().timestamp() == pytest.approx(ENTERPRISE.burst / ENTERPRISE.rate)
    another_process(stage)
    lanes = [Thread(target=Lane(stage.application.workshop, stage.portal_id, f"w{n}").drain) for n in range(3)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    assert len(stage.portal.requests) == told  # nobody tried before the pause was over

    stage.turn(seconds=5)
    begun(stage, *deals)
    assert (fault.hits, sent(stage, TASK)) == (1, 4)


def test_a_blocked_method_waits_for_its_reset_and_the_others_go_on(stage: Stage) -> None:
    stage.portal.limits.operating_limit = OPERATING_LIMIT
    stage.portal.limits.costs[TASK] = OPERATING_LIMIT + 1
    stage.portal.limits.spend(stage.card.client_id, TASK)  # somebody used it up, and we were not told
    deal = created(stage)
    stage.settle()
    assert (stage.titles(deal), len(stage.comments(deal))) == ([], 1)
    minutes(stage, 9)
    assert stage.titles(deal) == []
    refused = stage.portal.limits.blocked
    assert 1 <= refused <= 10
    minutes(stage, 2)
    assert stage.titles(deal) == [SIGN]
    assert stage.portal.limits.blocked == refused


def test_a_new_worker_does_not_run_into_a_limit_the_one_before_was_told_of(stage: Stage) -> None:
    stage.portal.limits.operating_limit = OPERATING_LIMIT
    stage.portal.limits.costs[TASK] = OPERATING_LIMIT + 1
    first = created(stage, "Первая")
    stage.settle()
    begun(stage, first)

    another_process(stage)
    second = created(stage, "Вторая")
    stage.settle()
    assert (stage.titles(second), len(stage.comments(second)), stage.portal.limits.blocked) == ([], 1, 0)
    web = stage.application.web.test_client()
    assert f'b24app_portal_operating_seconds{{method="{TASK}"}} {OPERATING_LIMIT + 1}' in web.get("/metrics").text
    portals = operators(stage).get("/admin/portals", headers={"Accept-Language": "ru"}).text
    assert f"{TASK}: 480 / 480 с" in portals
    assert re.search(r"Запросов в лимите: \d+ / 250", portals)
    minutes(stage, 11)
    begun(stage, second)
    assert stage.portal.limits.blocked == 0


def test_while_the_history_may_not_be_read_what_is_due_is_done(stage: Stage) -> None:
    deal = stage.new_deal(contactId=1)
    other = created(stage)
    stage.portal.faults.refuse(HISTORY, "OPERATION_TIME_LIMIT", status=429, times=None)
    stage.turn(hours=24)
    assert len(stage.titles(deal, user=HEAD)) == 1
    since = len(stage.portal.requests)
    minutes(stage, 5)
    assert len(stage.portal.requests) - since <= 5
    assert stage.titles(other) == []
    stage.portal.faults.clear()
    minutes(stage, 2)
    begun(stage, other)


# A portal that fails -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("error500", TASK),
        ("html502", COMMENT),
        ("cut_json", TASK),
        ("cut_json", COMMENT),
        ("operating", TASK),
        ("overload", COMMENT),
    ],
)
def test_a_failure_in_the_middle_of_writing_is_looked_up_and_not_done_twice(stage: Stage, method: str, kind: str) -> None:
    fault = stage.portal.faults.add(kind, method)
    deal = stage.new_deal(contactId=1)
    minutes(stage, 3)
    begun(stage, deal)
    assert (fault.hits, sent(stage, method)) == (1, 1 if kind == "cut_json" else 2)


@contextmanager
def cut_off(method: str, error: requests.RequestException, *, done: bool) -> Iterator[list[int]]:
    """Break the first request that carries a method: ``done`` when the portal has carried it out all the same."""
    honest, hits = HTTPAdapter.send, list[int]()

    def send(adapter: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
        if hits or method.encode() not in (request.body or b""):
            return honest(adapter, request, *args, **how)
        hits.append(1)
        if done:
            honest(adapter, request, *args, **how).close()
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPAdapter, "send", send)
        yield hits


@pytest.mark.parametrize(
    ("error", "done", "times"),
    [
        (requests.ReadTimeout(), True, 1),
        (requests.ReadTimeout(), False, 1),
        (requests.ConnectTimeout(), False, 1),
    ],
)
def test_a_request_that_takes_too_long_is_looked_up_before_it_is_sent_again(
    stage: Stage, error: requests.RequestException, done: bool, times: int
) -> None:
    with cut_off(TASK, error, done=done) as hits:
        deal = stage.new_deal(contactId=1)
        minutes(stage, 3)
    assert hits == [1]
    begun(stage, deal)
    assert sent(stage, TASK) == times


def test_half_an_hour_without_the_portal_costs_few_requests_is_told_and_loses_nothing(stage: Stage) -> None:
    deal = stage.new_deal(contactId=1)
    stage.turn(hours=23, minutes=55)
    fault = stage.portal.faults.add("html502", times=None)
    stage.portal.events.queue.clear()
    since = len(stage.portal.requests)
    for _ in range(60):
        stage.clock.advance(timedelta(seconds=30))
        stage.drain()
    assert 10 < fault.hits == len(stage.portal.requests) - since < 40
    incidents = operators(stage).get("/admin/incidents", headers={"Accept-Language": "ru"}).text
    assert "Портал не удаётся прочитать с 02.06.2026 09:55" in incidents
    assert "502" in incidents

    stage.portal.faults.clear()
    minutes(stage, 3)
    assert len(stage.titles(deal, user=HEAD)) == 1
    assert "Сбоев нет" in operators(stage).get("/admin/incidents", headers={"Accept-Language": "ru"}).text


def test_a_portal_that_fails_for_minutes_between_two_readings_makes_no_incidents(stage: Stage) -> None:
    """Where the history is read once an hour, a failing portal is met by writing."""
    workshop = stage.application.workshop
    object.__setattr__(workshop, "settings", workshop.settings.model_copy(update={"reader_period": 3600}))
    deal = stage.new_deal(contactId=1)
    stage.turn(hours=23, minutes=58)
    stage.settle()
    stage.portal.faults.add("html502", TASK, times=None)
    stage.turn(minutes=2)
    for _ in range(perform.TRIES + 2):
        stage.turn(minutes=2)
    assert stage.troubles() == []
    stage.portal.faults.clear()
    for _ in range(3):
        stage.turn(minutes=10)
    assert len(stage.titles(deal, user=HEAD)) == 1


# What cannot succeed -----------------------------------------------------------------------------------------------------


def operators(stage: Stage) -> FlaskClient:
    client = stage.application.web.test_client()
    client.post("/admin/login", data={"who": "Ольга", "token": stage.application.workshop.settings.admin_token})
    return client


def retried(stage: Stage, said: str) -> None:
    """Find the one incident on the operators' page by its reason, and press its button."""
    client = operators(stage)
    shown = client.get("/admin/incidents", headers={"Accept-Language": "ru"}).text
    assert said in shown
    (action,) = re.findall(r'action="(/admin/incidents/[^"]+/retry)"', shown)
    found = re.search(r'name="csrf" value="([^"]+)"', shown)
    assert found is not None
    assert client.post(action, data={"csrf": found.group(1), "why": "исправлено"}).status_code == 303


def test_one_refused_command_of_a_batch_is_an_incident_and_the_others_count(stage: Stage) -> None:
    stage.portal.faults.refuse(COMMENT, "ACCESS_DENIED", "Нет прав на ленту", status=403)
    deal = stage.new_deal(contactId=1)
    assert (stage.titles(deal), stage.comments(deal)) == ([SIGN], [])
    minutes(stage, 5)
    assert sent(stage, COMMENT) == 1
    retried(stage, "Нет прав на ленту")
    stage.settle()
    begun(stage, deal)


def test_a_write_that_always_fails_ends_as_an_incident_after_a_bounded_number_of_tries(stage: Stage) -> None:
    stage.portal.faults.refuse(COMMENT, "INTERNAL_SERVER_ERROR", status=500, times=None)
    deal = stage.new_deal(contactId=1)
    for _ in range(perform.TRIES + 2):
        stage.turn(minutes=5)
    assert sent(stage, COMMENT) == perform.TRIES
    stage.portal.faults.clear()
    retried(stage, "INTERNAL_SERVER_ERROR")
    stage.settle()
    begun(stage, deal)


def test_an_item_that_can_never_be_read_ends_as_an_incident_after_a_bounded_number_of_tries(stage: Stage) -> None:
    stage.portal.faults.refuse("crm.item.get", "INTERNAL_SERVER_ERROR", status=500, times=None)
    deal = created(stage)
    for _ in range(decide.TRIES_OF_PORTAL + 2):
        stage.turn(minutes=11)
    assert sent(stage, "crm.item.get") == decide.TRIES_OF_PORTAL
    stage.portal.faults.clear()
    retried(stage, "INTERNAL_SERVER_ERROR")
    stage.settle()
    begun(stage, deal)


# Tokens ------------------------------------------------------------------------------------------------------------------


def refreshes(stage: Stage) -> list[str]:
    """Record every request for a token from now on."""
    seen: list[str] = []
    stage.world.before_request = lambda server, methods: seen.extend(methods) if server == "oauth" else None
    return seen


def test_a_token_that_expires_in_mid_batch_is_renewed_and_only_what_it_missed_is_repeated(stage: Stage) -> None:
    asked = refreshes(stage)
    stage.portal.faults.refuse(TASK, "expired_token", status=401)
    deal = stage.new_deal(contactId=1)
    begun(stage, deal)
    assert (asked, sent(stage, TASK), sent(stage, COMMENT)) == (["token"], 2, 1)


def test_a_refresh_raced_by_many_is_made_once(stage: Stage) -> None:
    stage.new_deal(contactId=1)
    asked = refreshes(stage)
    stage.clock.advance(timedelta(hours=2))
    workshop, met = stage.application.workshop, list[object]()

    def look() -> None:
        met.append(gate_of(workshop, workshop.portal(stage.portal_id)).call(Command("server.time")).result)

    people = [Thread(target=look) for _ in range(8)] + [Thread(target=stage.drain)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert (asked, len(met)) == (["token"], 8)


def test_an_authorization_server_that_fails_once_delays_by_seconds(stage: Stage) -> None:
    deal = stage.new_deal(contactId=1)
    stage.portal.faults.oauth_down = 1
    asked = refreshes(stage)
    stage.turn(hours=24)
    assert stage.titles(deal, user=HEAD) == []
    stage.turn(seconds=20)
    assert len(stage.titles(deal, user=HEAD)) == 1
    assert asked == ["token"] * 2


def test_a_refresh_refused_for_ever_stops_everything_until_an_administrator_opens_the_application(stage: Stage) -> None:
    deal = stage.new_deal(contactId=1)
    stage.portal.faults.refuse_refresh = -1
    asked, since = refreshes(stage), len(stage.portal.requests)
    other = created(stage)
    for _ in range(30):
        stage.turn(hours=1)
    assert (asked, len(stage.portal.requests)) == (["token"], since)
    assert "Доступ к порталу потерян" in operators(stage).get("/admin/incidents", headers={"Accept-Language": "ru"}).text

    stage.portal.faults.clear()
    url, form = stage.portal.open_app_post(stage.card, ADMIN)
    opened(stage.application.workshop, page(urlsplit(url).query, urlencode(form).encode()))
    stage.settle()
    begun(stage, other)
    assert len(stage.titles(deal, user=HEAD)) == 1


def test_a_deleted_portal_is_asked_nothing_any_more(stage: Stage) -> None:
    stage.new_deal(contactId=1)
    stage.portal.faults.refuse(HISTORY, "PORTAL_DELETED", status=500, times=None)
    since = len(stage.portal.requests)
    stage.turn(minutes=1)
    for _ in range(25):
        stage.turn(hours=1)
    assert len(stage.portal.requests) == since + 1
    assert stage.application.workshop.portal(stage.portal_id).reason == "portal_gone"
    assert "удалён или его тариф" in operators(stage).get("/admin/incidents", headers={"Accept-Language": "ru"}).text


def test_a_portal_that_moved_is_followed_and_its_deals_go_on(stage: Stage) -> None:
    first = stage.new_deal(contactId=1)
    stage.running.move(stage.portal)
    second = created(stage)
    for _ in range(2):
        stage.turn(minutes=1)
    begun(stage, first, second)
    assert stage.application.workshop.portal(stage.portal_id).host == stage.portal.domain
