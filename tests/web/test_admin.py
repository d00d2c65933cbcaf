from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from b24app.core.actions import AddTask, MoveStage, SetTimer, Step
from b24app.core.text import T
from b24app.engine.work import BadStep
from b24app.engine.workshop import Workshop
from b24app.store import journal, ledger, queue
from b24app.store import tables as t
from b24app.store.portals import Portal
from b24app.web import admin
from tests.builders import MANAGER
from tests.seeded import ADMIN_TOKEN, DEAL_12, House, a_house, a_portal, a_run, an_action
from tests.web.pages import a_client
from tests.web.test_admin_api import Asked, Done

EVIL = "<script>alert(1)</script>"
PAGES = ("/admin/runs", "/admin/incidents", "/admin/timers", "/admin/portals", "/admin/audit", "/admin/versions")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def stranger(house: House, asked: Asked) -> FlaskClient:
    return a_client(house.workshop, [lambda workshop: admin.pages(workshop, asked)])


@pytest.fixture
def client(stranger: FlaskClient) -> FlaskClient:
    answer = sign_in(stranger)
    assert answer.status_code == 302
    return stranger


@pytest.fixture
def portal(house: House) -> Portal:
    return a_portal(house)


def sign_in(client: FlaskClient, token: str = ADMIN_TOKEN, **headers: str) -> TestResponse:
    return client.post(
        "/admin/login", data={"who": "Ольга", "token": token}, base_url="https://app.example.test", headers=headers
    )


def look(client: FlaskClient, path: str) -> str:
    answer = client.get(path, base_url="https://app.example.test", headers={"Accept-Language": "ru"})
    assert answer.status_code == 200, (path, answer.data)
    return answer.get_data(as_text=True)


def press(client: FlaskClient, path: str, csrf: str | None = None, why: str = "клиент ждёт", **form: str) -> TestResponse:
    if csrf is None:
        found = re.search(r'name="csrf" value="([^"]+)"', look(client, "/admin/runs"))
        assert found is not None
        csrf = found.group(1)
    headers = {"Accept-Language": "ru", "Accept": "text/html"}
    return client.post(path, data={"csrf": csrf, "why": why, **form}, base_url="https://app.example.test", headers=headers)


# The door --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PAGES, "/admin", "/admin/runs/1"])
def test_a_stranger_is_sent_to_the_door(stranger: FlaskClient, path: str) -> None:
    answer = stranger.get(path)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/login")


def test_the_cookie_is_kept_from_scripts_and_other_sites(stranger: FlaskClient) -> None:
    cookie = sign_in(stranger).headers["Set-Cookie"]

    for word in ("HttpOnly", "SameSite=Strict", "Secure", "Path=/admin"):
        assert word in cookie
    assert ADMIN_TOKEN not in cookie


def test_a_wrong_key_opens_nothing_and_guessing_shuts_the_door(stranger: FlaskClient, house: House) -> None:
    for _ in range(10):
        assert sign_in(stranger, "wrong").status_code == 401
    assert sign_in(stranger).status_code == 401

    house.pass_time(timedelta(minutes=1))
    assert sign_in(stranger).status_code == 302


def test_a_session_ends_after_eight_hours(client: FlaskClient, house: House) -> None:
    look(client, "/admin/runs")

    house.pass_time(timedelta(hours=8))

    assert client.get("/admin/runs", base_url="https://app.example.test").status_code == 302


def test_a_forged_cookie_is_nobody(stranger: FlaskClient) -> None:
    stranger.set_cookie("b24app_operator", "eyJ3aG8iOiJ4In0.forged", domain="app.example.test", path="/admin")

    assert stranger.get("/admin/runs", base_url="https://app.example.test").status_code == 302


def test_signing_out_ends_the_session(client: FlaskClient) -> None:
    press(client, "/admin/logout")

    assert client.get("/admin/runs", base_url="https://app.example.test").status_code == 302


# Changes ---------------------------------------------------------------------------------------------------------------


def test_nothing_changes_without_session_form_token_or_reason(stranger: FlaskClient, house: House, portal: Portal) -> None:
    path = f"/admin/portals/{portal.id}/wake"
    assert press(stranger, path, csrf="x").status_code == 403
    sign_in(stranger)
    assert press(stranger, path, csrf="x").status_code == 403
    assert press(stranger, path, why=" a ").status_code == 400
    assert house.woken == []

    assert press(stranger, path).status_code == 303
    assert house.woken == [portal.id]


def test_another_sites_form_is_refused(client: FlaskClient, house: House, portal: Portal) -> None:
    csrf = re.search(r'name="csrf" value="([^"]+)"', look(client, "/admin/runs"))
    assert csrf is not None

    answer = client.post(
        f"/admin/portals/{portal.id}/wake",
        data={"csrf": csrf.group(1), "why": "так надо"},
        base_url="https://app.example.test",
        headers={"Sec-Fetch-Site": "cross-site"},
    )

    assert answer.status_code == 403
    assert sign_in(client, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert house.woken == []


def test_a_failure_is_shown_with_its_reason_and_retried_under_the_operators_name(
    client: FlaskClient, house: House, portal: Portal
) -> None:
    with house.database.write() as connection:
        work = queue.add_work(connection, portal.id, DEAL_12, "k", "ask", {}, house.at[0])
        assert work is not None
        queue.end_work(connection, work, house.at[0], "BadStep: " + EVIL)
    page = look(client, "/admin/incidents")
    assert "BadStep: &lt;script&gt;" in page

    assert press(client, "/admin/incidents/work-1/retry").status_code == 303

    assert "Сбоев нет" in look(client, "/admin/incidents")
    assert [(row["who"], row["what"], row["why"]) for row in house.rows(t.audit)] == [("Ольга", "retry", "клиент ждёт")]
    assert press(client, "/admin/incidents/work-1/retry").status_code == 404


def test_a_timer_is_shown_by_the_companys_clock_and_cancelled(client: FlaskClient, house: House, portal: Portal) -> None:
    due = house.at[0] + timedelta(hours=24)
    with house.database.write() as connection:
        action = SetTimer(DEAL_12, "control", due, Step("control_task"), "контроль задачи")
        ledger.set_timer(connection, portal.id, 1, None, action, house.at[0])
    assert "11.06.2026 12:00" in look(client, "/admin/timers")

    assert press(client, "/admin/timers/1/cancel").status_code == 303

    assert "Ничего не ждёт" in look(client, "/admin/timers")


def test_a_rerun_is_previewed_and_then_confirmed(client: FlaskClient, house: House, portal: Portal, asked: Asked) -> None:
    run_id = a_run(house, portal)

    preview = press(client, f"/admin/runs/{run_id}/rerun").get_data(as_text=True)
    assert "Было бы сделано" in preview
    assert 'name="do"' in preview
    done = press(client, f"/admin/runs/{run_id}/rerun", do="yes", force="yes").get_data(as_text=True)
    assert "Было бы сделано" not in done

    assert asked.calls == [
        ("run", run_id, "Ольга", "клиент ждёт", True, False),
        ("run", run_id, "Ольга", "клиент ждёт", False, True),
    ]


class Broken(Asked):
    def rerun_run(self, workshop: Workshop, run_id: int, who: str, why: str, *, dry_run: bool, force: bool) -> Done:
        raise BadStep(T.same(f"autotask: {EVIL}"))


def test_a_rerun_that_cannot_be_says_why(house: House, portal: Portal) -> None:
    client = a_client(house.workshop, [lambda workshop: admin.pages(workshop, Broken())])
    sign_in(client)

    answer = press(client, f"/admin/runs/{a_run(house, portal)}/rerun", do="yes")

    assert answer.status_code == 200
    assert "Запустить не получилось: autotask: &lt;script&gt;" in answer.get_data(as_text=True)


# What is shown ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_list_says_what_to_do(client: FlaskClient, path: str) -> None:
    assert 'class="empty"' in look(client, path)


def test_a_run_tells_names_and_not_numbers(client: FlaskClient, house: House, portal: Portal) -> None:
    run_id = a_run(house, portal, cause={"kind": "FieldsChanged", "names": ["install_date"]}, why=T(EVIL, EVIL))
    an_action(house, portal, run_id, AddTask(DEAL_12, "contract", f"Договор {EVIL}", MANAGER), "failed", "Refused: " + EVIL)
    an_action(house, portal, run_id, MoveStage(DEAL_12, "C7:EXECUTING", "C7:NEW", "готово"))

    page = look(client, f"/admin/runs/{run_id}")

    for words in ("Заключить договор", "Мария Менова", "изменились поля: Дата монтажа", "Дата начала работ согласована"):
        assert words in page
    assert "<script>alert" not in page
    assert "12:00" in page


def test_runs_are_filtered_and_paged(client: FlaskClient, house: House, portal: Portal) -> None:
    for number in range(51):
        a_run(house, portal, key=f"r{number}", why=T(f"решение {number}.", "decision"))

    first = look(client, "/admin/runs")
    assert "решение 50." in first
    assert "решение 0." not in first
    assert "решение 0." in look(client, "/admin/runs?before=2")
    assert "решение" not in look(client, "/admin/runs?state=skipped")
    assert "решение" in look(client, f"/admin/runs?portal={portal.id}&item=D_12")


def test_a_portal_is_shown_with_what_is_wrong_and_without_secrets(client: FlaskClient, house: House, portal: Portal) -> None:
    with house.database.write() as connection:
        house.workshop.portals.set_state(connection, portal.id, "reconnect", "auth_lost")

    page = look(client, "/admin/portals")

    assert "нужно переподключить" in page
    assert "Доступ к порталу потерян" in page
    assert "Ольга Дирова" in page
    for secret in ("access-romashka", "refresh-romashka", "token-romashka"):
        assert secret not in page


def test_the_audit_shows_who_and_why(client: FlaskClient, house: House, portal: Portal) -> None:
    with house.database.write() as connection:
        journal.note(connection, portal.id, house.at[0], EVIL, "settings", "потому что", key="значение")
        journal.note(connection, None, house.at[0], "Ольга", "start")

    page = look(client, "/admin/audit")

    assert "&lt;script&gt;alert(1)" in page
    assert "потому что" in page
    assert "значение" in page


def test_pages_speak_english_too(client: FlaskClient) -> None:
    answer = client.get("/admin/runs", base_url="https://app.example.test", headers={"Accept-Language": "en"})

    assert "No runs." in answer.get_data(as_text=True)


def test_no_page_may_stand_in_a_frame(client: FlaskClient) -> None:
    answer = client.get("/admin/runs", base_url="https://app.example.test")

    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
