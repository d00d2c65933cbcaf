from __future__ import annotations

import ast
import re
from datetime import timedelta
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import b24app
from b24app.core.actions import Action, AddTask, MoveStage, SetTimer, Step
from b24app.core.text import T
from b24app.engine.decisions.plan import BadStep
from b24app.engine.workshop import Workshop
from b24app.store import audit, queue, timers
from b24app.store import tables as t
from b24app.store.portals import Portal
from b24app.web import admin
from b24app.web.texts_audit import ACTS, FAILED
from robots import CATALOGUE
from tests.builders import MANAGER
from tests.seeded import ADMIN_TOKEN, DEAL_12, House, a_run, an_action, stands_on
from tests.web.pages import a_client
from tests.web.test_admin_api import Asked, Done

EVIL = "<script>alert(1)</script>"
PAGES = (
    "/admin/runs",
    "/admin/incidents",
    "/admin/timers",
    "/admin/portals",
    "/admin/audit",
    "/admin/versions",
    "/admin/export",
)


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


@pytest.mark.parametrize("path", [*PAGES, "/admin", "/admin/runs/1", "/admin/portals/1/corrections.xlsx"])
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


def test_a_wrong_key_marks_its_field(stranger: FlaskClient) -> None:
    page = sign_in(stranger, "wrong").get_data(as_text=True)

    assert re.findall(r'<input [^>]*name="(\w+)"[^>]*aria-invalid="true"', page) == ["token"]


def test_every_page_has_a_title_of_its_own(client: FlaskClient) -> None:
    titles = {re.search(r"<title>(.+?)</title>", look(client, path))[1] for path in PAGES}  # type: ignore[index]

    assert len(titles) == len(PAGES)
    assert "Сбои — Обслуживание" in titles


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
    assert "работа: просьба сотрудника" in page

    assert press(client, "/admin/incidents/work-1/retry").status_code == 303

    assert "Сбоев нет" in look(client, "/admin/incidents")
    assert [(row["who"], row["what"], row["why"]) for row in house.rows(t.audit)] == [("Ольга", "retry", "клиент ждёт")]
    assert press(client, "/admin/incidents/work-1/retry").status_code == 404


def test_a_timer_is_shown_by_the_companys_clock_and_cancelled(client: FlaskClient, house: House, portal: Portal) -> None:
    due = house.at[0] + timedelta(hours=24)
    with house.database.write() as connection:
        action = SetTimer(DEAL_12, "control", due, Step("control_task"), "контроль задачи")
        timers.put(connection, portal.id, 1, None, "0" * 12, action, house.at[0])
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
    def rerun_run(
        self, workshop: Workshop, run_id: int, who: str, why: str, *, dry_run: bool, force: bool, once: str = ""
    ) -> Done:
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
        audit.note(connection, portal.id, house.at[0], EVIL, "settings", "потому что", key="значение")
        audit.note(connection, None, house.at[0], "Ольга", "start")

    page = look(client, "/admin/audit")

    assert "&lt;script&gt;alert(1)" in page
    assert "потому что" in page
    assert "<td>Настройки</td>" in page
    assert "значение" in page


def test_the_audit_has_words_for_everything_that_is_written_into_it() -> None:
    written = {
        said.value
        for path in Path(b24app.__file__).parent.rglob("*.py")
        if "audit.note(" in (source := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        if ast.unparse(node.func) in ("audit.note", "_changed", "_change_secrets")
        if isinstance(said := node.args[4], ast.Constant)
    }
    assert {"booking", "retry", "payment_key", "rounds_stopped", "tie"} <= written
    assert written - set(ACTS) == set()


def test_every_work_and_action_that_may_fail_has_words() -> None:
    actions = {get_args(get_type_hints(kind)["kind"])[0] for kind in get_args(get_args(Action)[0])}
    kinds = actions | set(get_args(queue.WorkKind))
    assert kinds - set(FAILED) == set()


def test_pages_speak_english_too(client: FlaskClient) -> None:
    answer = client.get("/admin/runs", base_url="https://app.example.test", headers={"Accept-Language": "en"})

    assert "No runs." in answer.get_data(as_text=True)


def test_no_page_may_stand_in_a_frame(client: FlaskClient) -> None:
    answer = client.get("/admin/runs", base_url="https://app.example.test")

    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


# Doing again on an item ------------------------------------------------------------------------------------------------


@pytest.fixture
def robots(house: House) -> None:
    """The house knows its robots."""
    object.__setattr__(house.workshop, "catalogue", CATALOGUE)


def item_path(portal: Portal, item: str = "D_12") -> str:
    return f"/admin/portals/{portal.id}/items/{item}"


@pytest.mark.usefixtures("robots")
def test_an_item_is_shown_with_its_stage_and_reached_from_its_runs(
    client: FlaskClient, house: House, portal: Portal
) -> None:
    run_id = a_run(house, portal)
    stands_on(house, portal, "date_agreed")

    for page in ("/admin/runs", f"/admin/runs/{run_id}"):
        assert f'href="{item_path(portal)}"' in look(client, page)
    shown = look(client, item_path(portal))
    assert "Дата начала работ согласована" in shown
    assert 'value="autotask"' in shown
    assert 'name="do"' not in shown


def test_a_stage_is_run_again_once_the_preview_was_confirmed(
    client: FlaskClient, house: House, portal: Portal, asked: Asked
) -> None:
    entry = stands_on(house, portal, "contract")

    preview = press(client, f"{item_path(portal)}/stage").get_data(as_text=True)
    assert "Было бы сделано" in preview
    assert preview.count('name="do"') == 1
    done = press(client, f"{item_path(portal)}/stage", do="yes", force="yes").get_data(as_text=True)
    assert "Было бы сделано" not in done

    assert asked.calls == [
        ("entry", entry, "Ольга", "клиент ждёт", True, False),
        ("entry", entry, "Ольга", "клиент ждёт", False, True),
    ]
    assert press(client, f"{item_path(portal, 'D_99')}/stage").status_code == 404
    assert press(client, "/admin/portals/99/items/D_12/stage").status_code == 404
    assert press(client, f"{item_path(portal, 'x')}/stage").status_code == 404


@pytest.mark.usefixtures("robots")
def test_a_robot_is_run_with_properties_written_as_in_a_process_file(
    client: FlaskClient, portal: Portal, asked: Asked
) -> None:
    props = "to: responsible\ntext: {ru: Позвоните, en: Call}\nhours: 2"

    preview = press(client, f"{item_path(portal)}/robot", robot="notify", props=props).get_data(as_text=True)
    assert 'name="do"' in preview
    assert "text: {ru: Позвоните, en: Call}" in preview
    press(client, f"{item_path(portal)}/robot", robot="notify", props=props, do="yes")

    given = {"to": "responsible", "text": {"ru": "Позвоните", "en": "Call"}, "hours": 2}
    assert asked.calls == [
        ("robot", portal.id, DEAL_12, "notify", given, "Ольга", "клиент ждёт", True),
        ("robot", portal.id, DEAL_12, "notify", given, "Ольга", "клиент ждёт", False),
    ]
    assert press(client, f"{item_path(portal)}/robot", robot="nobody").status_code == 404


@pytest.mark.usefixtures("robots")
@pytest.mark.parametrize(
    ("props", "said"),
    [
        ("to: [", "это не YAML"),
        ("just a text", "строками «имя: значение»"),
        (f"a: {'x' * 20_001}", "длиннее 20000"),
        (f"{EVIL}: 1\n{EVIL}: 2", "&lt;script&gt;"),
    ],
)
def test_properties_that_cannot_be_read_are_said_so_and_kept(
    client: FlaskClient, portal: Portal, asked: Asked, props: str, said: str
) -> None:
    page = press(client, f"{item_path(portal)}/robot", robot="notify", props=props, do="yes").get_data(as_text=True)

    assert "Запустить не получилось" in page
    assert said in page
    assert EVIL not in page
    assert asked.calls == []


def test_nothing_is_run_again_without_session_form_token_or_reason(
    stranger: FlaskClient, house: House, portal: Portal, asked: Asked
) -> None:
    stands_on(house, portal, "contract")
    paths = [f"{item_path(portal)}/stage", f"{item_path(portal)}/robot"]
    assert stranger.get(item_path(portal)).status_code == 302
    for path in paths:
        assert press(stranger, path, csrf="x", robot="notify", do="yes").status_code == 403
    sign_in(stranger)
    for path in paths:
        assert press(stranger, path, csrf="x", robot="notify", do="yes").status_code == 403
        assert press(stranger, path, why=" ", robot="notify", do="yes").status_code == 400
    assert asked.calls == []
