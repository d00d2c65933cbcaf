"""The doctor and the silence alarm over the wire: what is broken is found, named and, where it can be, mended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete, update

from b24app.engine.notes import note_down
from b24app.engine.setup.layout import PLACED
from b24app.engine.watching.alarms import SILENT_AFTER, SKEW, listen, silences
from b24app.engine.watching.doctor import Diagnosis, diagnose
from b24app.engine.watching.doctor_checks import Finding
from b24app.engine.watching.upkeep import Upkeep, keep_alive
from b24app.store import tables as t
from tests.flows.stage import ADMIN, ALEXEY, MARIA, Stage


def doctor(stage: Stage, *, fix: bool = False, listening: bool = True) -> Diagnosis:
    """Ask the doctor; while it waits, the portal delivers (unless nobody listens) and no time passes."""

    def meanwhile(_seconds: float) -> None:
        if listening:
            stage.portal.deliver()

    return diagnose(stage.application.workshop, fix=fix, sleep=meanwhile)


def of(found: Diagnosis, code: str) -> list[Finding]:
    return [finding for part in found.parts for finding in part.findings if finding.code == code]


def bad(found: Diagnosis) -> dict[str, str]:
    """Return by code what is worse than a note."""
    return {f.code: f.level for part in found.parts for f in part.findings if f.level in ("warning", "broken")}


EXPECTED = {"address": "warning", "oauth": "warning", "roles": "warning"}
"""A stage is served over plain http beside an authorization server of its own, and no quality officer is named yet."""


def test_a_portal_in_order_has_nothing_to_mend(stage: Stage) -> None:
    found = doctor(stage)

    assert bad(found) == EXPECTED
    assert found.exit_code == 1
    assert of(found, "way_in")[0].level == "ok"
    assert any("Тестовое событие пришло" in line for line in found.lines("ru"))
    assert found.as_json("en")["parts"][1]["place"] == stage.portal.domain


def test_it_costs_few_requests(stage: Stage) -> None:
    before = len(stage.portal.requests)
    doctor(stage)

    assert len(stage.portal.requests) - before <= 5


def test_what_an_update_of_the_application_dropped_is_named_and_registered_again(stage: Stage) -> None:
    stage.portal.apps.update(stage.card, new_token=False)
    stage.portal.events.queue.clear()

    found = doctor(stage)
    mended = doctor(stage, fix=True)

    assert {"robots", "events", "placements"} <= {code for code, level in bad(found).items() if level == "broken"}
    assert "ONCRMDEALUPDATE" in of(found, "events")[0].text.ru
    assert found.exit_code == 2
    assert bad(mended) == EXPECTED
    assert mended.parts[1].mended


def test_a_way_in_that_is_shut_is_found_within_bounds(stage: Stage) -> None:
    found = doctor(stage, listening=False)
    stage.portal.events.queue.clear()

    assert bad(found)["way_in"] == "broken"
    assert "/b24/event" in of(found, "way_in")[0].remedy.en


def test_a_clock_that_is_wrong_is_found(stage: Stage) -> None:
    fast = replace(stage.application.workshop, clock=lambda: stage.clock() + timedelta(minutes=7))

    assert bad(diagnose(fast, sleep=lambda _seconds: None))["clock"] == "broken"


def test_a_scope_taken_away_is_named_with_what_stops_working(stage: Stage) -> None:
    stage.card.scopes.remove("calendar")

    found = [finding for finding in of(doctor(stage), "scopes") if finding.level == "broken"]

    assert [f.text.en for f in found] == ["Scope calendar is missing: visits in calendars do not work"]


def test_an_installer_who_is_no_administrator_any_more_is_named(stage: Stage) -> None:
    stage.portal.people.users[ADMIN].admin = False

    assert bad(doctor(stage))["user"] == "broken"


def test_fields_deleted_on_the_portal_are_made_again(stage: Stage) -> None:
    code = stage.code_of("install_date")
    rows = stage.portal.as_user(ADMIN).call("userfieldconfig.list", moduleId="crm", filter={"entityId": "CRM_DEAL"})
    number = next(row["id"] for row in rows["fields"] if row["fieldName"] == code)
    stage.portal.as_user(ADMIN).call("userfieldconfig.delete", moduleId="crm", id=number)

    found, mended = doctor(stage), doctor(stage, fix=True)

    broken = [f.text.ru for f in of(found, "process") if f.level == "broken"]
    assert any("Дата монтажа" in text for text in broken)
    assert bad(mended) == EXPECTED
    assert stage.code_of("install_date") in stage.portal.as_user(ADMIN).call("crm.deal.fields")


ABOUT: dict[str, Any] = {"name": "main", "title": "О сделке", "type": "section", "elements": [{"name": "TITLE"}]}


def arranged(stage: Stage, about: dict[str, Any], *, placed: bool) -> tuple[int, int]:
    """Let the company have arranged the cards of the pipeline, after the fields were put there or before."""
    card = (2, stage.tie().category_id)
    stage.portal.crm.layouts.set(card, [about])
    if not placed:
        workshop = stage.application.workshop
        with workshop.database.write() as connection:
            note_down(workshop, connection, stage.portal_id, {PLACED: None})
    return card


def test_fields_that_never_were_in_an_arranged_card_are_named_and_put_there(stage: Stage) -> None:
    card = arranged(stage, ABOUT, placed=False)

    found, mended = doctor(stage), doctor(stage, fix=True)

    (missing,) = [f for f in of(found, "card") if f.level == "warning"]
    assert "Подписанный договор, Дата монтажа" in missing.text.ru
    assert "doctor --fix" in missing.remedy.ru
    assert bad(mended) == EXPECTED
    assert {f.level for f in of(mended, "card")} == {"ok"}
    assert "поля выведены в карточки" in [said.ru for said in mended.parts[1].mended]
    sections = stage.portal.crm.layouts.get(card) or []
    assert [section["name"] for section in sections] == ["main", "b24app_ceiling_installation"]
    assert sections[1]["elements"][0]["name"] == stage.code_of("contract_file")


def test_fields_somebody_took_out_of_the_card_are_told_and_left_out(stage: Stage) -> None:
    card = arranged(stage, ABOUT, placed=True)

    found = doctor(stage, fix=True)

    assert bad(found) == EXPECTED
    assert ["убраны из карточки" in f.text.ru for f in of(found, "card") if f.level == "note"] == [True]
    assert stage.portal.crm.layouts.get(card) == [ABOUT]


def test_fields_a_person_has_to_put_into_the_card_are_named_for_him(stage: Stage) -> None:
    renamed = {**ABOUT, "elements": [{"name": "TITLE", "title": "Заказ"}]}
    card = arranged(stage, renamed, placed=False)

    (missing,) = [f for f in of(doctor(stage, fix=True), "card") if f.level == "warning"]

    assert missing.remedy.ru.startswith("добавьте поля сами")
    assert "doctor" not in missing.remedy.ru
    assert stage.portal.crm.layouts.get(card) == [renamed]


def test_a_field_deleted_and_made_anew_is_in_the_arranged_card_again(stage: Stage) -> None:
    code = stage.code_of("install_date")
    card = arranged(stage, ABOUT, placed=True)
    fields = stage.portal.crm.user_fields
    del fields.fields[next(uf.id for uf in fields.fields.values() if uf.name == code)]

    doctor(stage, fix=True)

    sections = stage.portal.crm.layouts.get(card) or []
    assert [[one["name"] for one in section["elements"]] for section in sections] == [["TITLE"], [code]]


def test_a_deleted_stage_is_broken_and_a_renamed_one_is_told(stage: Stage) -> None:
    tie = stage.tie()
    rows = stage.portal.as_user(ADMIN).call("crm.status.list", filter={"ENTITY_ID": f"DEAL_STAGE_{tie.category_id}"})
    working = [row for row in rows if row["STATUS_ID"] in tie.stages.values() and (row.get("SEMANTICS") or "P") == "P"]
    stage.portal.as_user(ADMIN).call("crm.status.update", id=working[1]["ID"], fields={"NAME": "Зови меня иначе"})
    stage.portal.as_user(ADMIN).call("crm.status.delete", id=working[2]["ID"], params={"FORCED": "Y"})

    found = of(doctor(stage), "process")

    assert any(f.level == "broken" and working[2]["NAME"] in f.text.ru for f in found)
    assert any(f.level == "note" and "Зови меня иначе" in f.text.ru for f in found)


def test_a_dismissed_installer_in_the_crew_is_named(stage: Stage) -> None:
    stage.portal.people.users[ALEXEY].active = False
    stage.clock.advance(timedelta(minutes=11))
    stage.drain()

    assert any("бригада" in f.text.ru for f in of(doctor(stage), "people") if f.level == "warning")


def test_a_portal_that_waits_for_its_administrator_says_so_and_is_asked_nothing(stage: Stage) -> None:
    stage.portal.faults.refuse_refresh = -1
    stage.clock.advance(timedelta(hours=2))
    first = doctor(stage)
    before = len(stage.portal.requests)

    again = doctor(stage, fix=True)

    assert bad(first)["portal"] == bad(again)["portal"] == "broken"
    assert "открывает приложение" in of(again, "portal")[0].remedy.ru
    assert len(stage.portal.requests) == before
    assert stage.application.workshop.portal(stage.portal_id).state == "reconnect"


def test_work_nobody_does_is_found(stage: Stage) -> None:
    stage.clock.advance(timedelta(minutes=50))
    found = doctor(stage)

    assert bad(found)["reading"] == "broken"


def test_a_database_without_its_tables_is_said_so(stage: Stage) -> None:
    workshop = stage.application.workshop
    with workshop.database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")

    found = doctor(stage)

    assert [part.place for part in found.parts] == [""]
    assert bad(found)["database"] == "broken"
    with workshop.database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")


# Silence -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def silent(stage: Stage) -> Stage:
    """A portal that stopped sending events and whose people go on moving deals."""
    stage.turn(minutes=30)
    stage.portal.faults.drop_events = 1.0
    stage.new_deal()
    stage.turn(minutes=1)
    return stage


def test_silence_is_noticed_when_the_history_has_moved_for_hours(silent: Stage) -> None:
    assert listen(silent.application.workshop) == []
    silent.clock.advance(SILENT_AFTER)

    (found,) = listen(silent.application.workshop)

    assert found.entries == 1
    assert bad(doctor(silent))["silence"] == "broken"
    web = silent.application.web.test_client()
    gauge = [
        line for line in web.get("/metrics").get_data(as_text=True).splitlines() if line.startswith("b24app_events_silent")
    ]
    assert float(gauge[0].split()[-1]) > SILENT_AFTER.total_seconds() - 120


def test_the_administrator_is_told_of_silence_once_a_day(silent: Stage) -> None:
    silent.clock.advance(SILENT_AFTER)
    before = len(silent.notices(ADMIN))
    for _ in range(3):
        listen(silent.application.workshop)
        silent.drain()
    first = silent.notices(ADMIN)[before:]
    silent.clock.advance(timedelta(days=1))
    listen(silent.application.workshop)
    silent.drain()

    assert len(first) == 1
    assert "перестал присылать события" in first[0]
    assert len(silent.notices(ADMIN)) == before + 2


def test_a_quiet_portal_and_one_that_speaks_again_are_not_silent(silent: Stage) -> None:
    silent.clock.advance(SILENT_AFTER)
    listen(silent.application.workshop)
    silent.portal.faults.drop_events = 0.0
    silent.new_deal("Another")

    assert listen(silent.application.workshop) == []
    silent.clock.advance(timedelta(days=3))
    assert silences(silent.application.workshop) == []


def test_a_portal_whose_clock_is_ahead_is_not_taken_for_silent(stage: Stage) -> None:
    stage.new_deal()
    workshop = stage.application.workshop
    with workshop.database.write() as connection:
        connection.execute(update(t.entries).values(at=stage.clock() + SKEW))
    stage.clock.advance(SILENT_AFTER + 2 * SKEW)

    assert silences(workshop) == []


# Upkeep ------------------------------------------------------------------------------------------------------------------


def test_a_portal_that_used_no_token_for_a_month_has_it_renewed(stage: Stage) -> None:
    workshop = stage.application.workshop
    old = workshop.portal(stage.portal_id)
    assert keep_alive(workshop) == []
    stage.clock.advance(timedelta(days=31))

    Upkeep(workshop).look()

    assert workshop.portal(stage.portal_id).grant.refresh != old.grant.refresh
    assert keep_alive(workshop) == []


def test_a_month_old_token_that_is_refused_puts_the_portal_to_rest(stage: Stage) -> None:
    workshop = stage.application.workshop
    stage.portal.faults.refuse_refresh = 1
    stage.clock.advance(timedelta(days=31))

    assert keep_alive(workshop) == []
    assert workshop.portal(stage.portal_id).state == "reconnect"


def test_old_rows_go_and_open_tasks_keep_what_they_came_from(stage: Stage) -> None:
    deal = stage.new_deal()
    workshop = stage.application.workshop
    with workshop.database.read() as connection:
        kept = {row.run_id for row in connection.execute(t.actions.select()) if row.kind == "add_task"}
    assert kept, stage.runs(deal)
    stage.clock.advance(timedelta(days=500))

    Upkeep(workshop).look()

    with workshop.database.read() as connection:
        runs = {row.id for row in connection.execute(t.runs.select())}
        assert kept <= runs
        assert not connection.execute(t.inbox.select().where(t.inbox.c.handled_at.is_not(None))).all()
        assert not connection.execute(t.work.select().where(t.work.c.state == "done")).all()
        assert connection.execute(t.entries.select()).all()
    with workshop.database.write() as connection:
        connection.execute(update(t.tasks).values(status="closed"))
        connection.execute(delete(t.timers))

    Upkeep(workshop).look()

    assert stage.runs(deal) == []


# What people see -----------------------------------------------------------------------------------------------------------


def main_page(stage: Stage, user: int) -> str:
    url, form = stage.portal.open_app_post(stage.card, user)
    parts = urlsplit(url)
    answer = stage.application.web.test_client().post(f"{parts.path}?{parts.query}", data=form)
    return answer.get_data(as_text=True)


def operators(stage: Stage) -> tuple[str, dict[str, Any]]:
    """Return the page of incidents and what the API tells of them."""
    client, token = stage.application.web.test_client(), stage.application.workshop.settings.admin_token
    client.post("/admin/login", data={"who": "Ольга", "token": token})
    told = client.get("/admin/api/incidents", headers={"Authorization": f"Bearer {token}"}).get_json()
    return client.get("/admin/incidents", headers={"Accept-Language": "ru"}).get_data(as_text=True), told


def test_silence_is_seen_by_operators_and_by_the_portals_administrator(silent: Stage) -> None:
    assert "портал не сообщил" not in main_page(silent, ADMIN)
    silent.clock.advance(SILENT_AFTER)
    page, told = operators(silent)

    assert "портал не сообщил ни об одном событии: 1 переход по стадиям" in page
    assert [alarm["kind"] for alarm in told["alarms"]] == ["silence"]
    assert "портал не сообщил ни об одном событии" in main_page(silent, ADMIN)


def test_a_dead_refresh_token_is_seen_by_operators_and_colleagues_and_healed_by_an_administrator(stage: Stage) -> None:
    stage.portal.faults.refuse_refresh = 1
    stage.turn(hours=2)
    page, told = operators(stage)

    assert [alarm["kind"] for alarm in told["alarms"]] == ["reconnect"]
    assert "Доступ к порталу потерян" in page
    assert "попросите администратора портала открыть это приложение" in main_page(stage, MARIA)
    assert "Доступ к порталу потерян" not in main_page(stage, ADMIN)
    assert stage.application.workshop.portal(stage.portal_id).works


def test_what_is_kept_of_an_item_is_given_and_deleted_on_request(stage: Stage) -> None:
    deal = stage.new_deal()
    client, workshop = stage.application.web.test_client(), stage.application.workshop
    headers = {"Authorization": f"Bearer {workshop.settings.admin_token}", "X-Operator": "Olga"}
    address, runs = f"/admin/api/items/D_{deal}/journal", [run.id for run in stage.runs(deal)]
    kept = client.get(f"{address}?portal={stage.portal.domain}", headers=headers).get_json()["runs"]
    body = {"portal": stage.portal.domain, "why": "the client asked for it"}
    gone = client.delete(address, json=body, headers=headers).get_json()["deleted"]

    left = client.get(f"{address}?portal={stage.portal.domain}", headers=headers).get_json()["runs"]
    assert [run["id"] for run in kept] == runs
    assert all("actions" in run for run in kept)
    assert gone["runs"] == len(kept) - len(left) > 0
    assert client.delete(address, json={"why": "no portal"}, headers=headers).status_code == 400
    with workshop.database.read() as connection:
        (audited,) = [row for row in connection.execute(t.audit.select()) if row.what == "forget"]
    assert (audited.who, audited.details["item"]) == ("Olga", f"D_{deal}")
