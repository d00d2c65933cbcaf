"""Events are hints: lost, doubled, without tokens, or caused by ourselves, they change nothing in what is done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import requests
import sqlalchemy as sa

from b24app.core.item import ItemRef
from b24app.engine.access import gate_of
from b24app.engine.people.booking import choose
from b24app.store import tables as t
from sandbox.registry import SYSTEM
from sandbox.wire import decode_form
from tests.flows.stage import AGREED, ALEXEY, MARIA, MONDAY, Stage

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def entered(stage: Stage, deal: int) -> list[sa.Row[tuple[object, ...]]]:
    statement = sa.select(t.entries).where(t.entries.c.item_id == deal).order_by(t.entries.c.id)
    with stage.application.workshop.database.read() as connection:
        return list(connection.execute(statement))


def dragged(stage: Stage, deal: int, key: str) -> None:
    """Move a deal while nobody works."""
    fields = {"stageId": stage.stage_id(key)}
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=2, id=deal, fields=fields)


def test_after_a_day_without_any_event_every_entry_is_handled_in_order_and_reported_as_found(stage: Stage) -> None:
    deals = [stage.arrive("materials_paid", title=f"Сделка {n}") for n in range(3)]
    stage.portal.faults.drop_events = 1.0
    way = ("materials_bought", "date_agreed", "installation_set", "lost")
    for key in way:
        for deal in deals:
            stage.clock.advance(timedelta(hours=2))
            dragged(stage, deal, key)
    assert [len(entered(stage, deal)) for deal in deals] == [1, 1, 1]
    stage.turn(minutes=2)

    for deal in deals:
        rows = entered(stage, deal)[1:]
        told = stage.portal.as_user(MARIA).call(
            "crm.stagehistory.list", entityTypeId=2, filter={"OWNER_ID": deal}, order={"ID": "ASC"}
        )["items"][1:]
        assert [row.stage_id for row in rows] == [stage.stage_id(key) for key in way]
        assert [(row.history_id, stage.portal.stamp(row.at)) for row in rows] == [
            (int(line["ID"]), line["CREATED_TIME"]) for line in told
        ]
        assert all(row.healed for row in rows)
        seen = [run.entry_id for run in stage.runs(deal) if run.entry_id and run.entry_id >= rows[0].id]
        assert set(seen) == {row.id for row in rows}
        assert all(one <= other for one, other in pairwise(seen))
        assert stage.stage_of(deal) == "lost"
    assert stage.world.sms.outbox == []

    client, token = stage.application.web.test_client(), stage.application.workshop.settings.admin_token
    client.post("/admin/login", data={"who": "Ольга", "token": token})
    page = client.get("/admin/portals", headers={"Accept-Language": "ru"}).text
    assert "Найдено в истории без события (последний раз 02.06.2026 10:02): 12" in page
    told = client.get("/admin/api/portals", headers={"Authorization": f"Bearer {token}"}).get_json()["portals"][0]
    assert told["healed"]["entries"] == 12
    assert "b24app_entries_healed 12.0" in client.get("/metrics").text


def test_a_robot_call_that_comes_a_hundred_times_at_once_is_one_run(stage: Stage) -> None:
    stage.portal.automation.place(2, "EXECUTING", "autotask", {"title": "Собрать"})
    sent: list[tuple[str, str]] = []

    def listening(url: str, body: str) -> int:
        sent.append((url, body))
        return 200

    honest, stage.world.transport = stage.world.transport, listening
    fields = {"title": "Склад", "assignedById": MARIA, "categoryId": 0, "stageId": "EXECUTING"}
    deal = int(stage.portal.as_user(MARIA).call("crm.item.add", entityTypeId=2, fields=fields)["item"]["id"])
    stage.portal.deliver()
    stage.world.transport = honest
    ((url, body),) = [(url, body) for url, body in sent if url.endswith("/autotask")]

    with ThreadPoolExecutor(25) as crowd:
        answers = list(crowd.map(lambda _: requests.post(url, body, headers=FORM, timeout=30).status_code, range(100)))
    stage.settle()
    assert answers == [200] * 100
    assert (len(stage.runs(deal, "autotask")), stage.titles(deal)) == (1, ["Собрать"])


def test_an_event_without_tokens_is_as_good_as_any(stage: Stage) -> None:
    """Automation acts as nobody, and its events carry no tokens."""
    deal = stage.arrive("materials_paid")
    sent: list[str] = []
    honest = stage.world.transport

    def listening(url: str, body: str) -> int:
        sent.append(body)
        return honest(url, body)

    stage.world.transport = listening
    stage.portal.crm.update(2, deal, {"stageId": stage.stage_id("lost")}, SYSTEM)
    stage.settle()
    told = decode_form(next(body for body in sent if "ONCRMDEALUPDATE" in body))
    assert "access_token" not in told["auth"]
    assert [row.healed for row in entered(stage, deal)] == [False, False]
    assert "Подвести итоги" in " ".join(stage.titles(deal))


# Our own writes ----------------------------------------------------------------------------------------------------------


def after(stage: Stage, since: int, what: str) -> list[str]:
    """Return what the requests after the last one that wrote ``what`` were about."""
    made = [" ".join(dict.fromkeys(line.split("?")[0] for line in r.commands)) for r in stage.portal.requests[since:]]
    last = max(n for n, methods in enumerate(made) if what in methods)
    return made[last + 1 :]


READING = "crm.stagehistory.list"


def test_tasks_comments_and_notices_of_ours_cause_no_further_request(stage: Stage) -> None:
    since = len(stage.portal.requests)
    stage.new_deal(contactId=1)
    assert after(stage, since, "task.checklistitem.add") == []
    stage.turn(hours=24)
    since = len(stage.portal.requests)
    stage.turn(minutes=1)
    assert len(stage.portal.requests) - since == 1


def test_a_move_of_ours_costs_two_readings_and_the_stage_it_leads_to(stage: Stage) -> None:
    """One at once, since nobody may tell of it; and one when the portal has told."""
    since = len(stage.portal.requests)
    deal = stage.arrive("date_agreed", **{**AGREED, "install_date": "2026-05-29"})
    assert stage.stage_of(deal) == "materials_bought"
    left = after(stage, since, "crm.item.update")
    assert [methods.split()[0] for methods in left].count(READING) == 2
    assert (left[0].split()[0], left[-1].split()[0]) == (READING, READING)


def test_fields_of_ours_cost_one_reading_and_no_decision(stage: Stage) -> None:
    """The portal tells of the change; that it was we who wrote is seen without a look at the item."""
    deal = stage.arrive("materials_bought")
    workshop, item = stage.application.workshop, ItemRef(2, deal)
    portal = workshop.portal(stage.portal_id)
    runs = len(stage.runs(deal))
    since = len(stage.portal.requests)
    choose(workshop, gate_of(workshop, portal), portal, item, ALEXEY, MONDAY + timedelta(days=7), "Мария")
    stage.settle()
    assert stage.visits(ALEXEY) == ["08.06 10:00"]
    told, *more = after(stage, since, "crm.item.update")
    assert (told.split()[0], len(more)) == (READING, 1)  # and one for whoever chose
    assert len(stage.runs(deal)) == runs + 1
