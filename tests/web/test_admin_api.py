from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from b24app.bitrix.errors import AuthLost, ServerTrouble
from b24app.core.actions import AddTask, SetTimer, Step
from b24app.core.item import ItemRef
from b24app.core.text import T
from b24app.engine.decisions.plan import BadStep
from b24app.engine.decisions.rerun import NoSuchThing
from b24app.engine.workshop import Workshop
from b24app.store import queue, timers
from b24app.store import tables as t
from b24app.store.portals import Portal
from b24app.web import admin_api
from b24app.web.site import PAGES
from tests.builders import MANAGER
from tests.seeded import ADMIN_TOKEN, DEAL_12, House, a_house, a_portal, a_run, an_action, stands_on
from tests.web.pages import a_client

TASK = AddTask(DEAL_12, "contract", "Подписать договор", MANAGER)


@dataclass
class Done:
    actions: list[dict[str, Any]] = field(default_factory=lambda: [{"kind": "add_task"}])
    why: T = field(default_factory=lambda: T("Задача была бы поставлена", "A task would be given"))
    run_ids: tuple[int, ...] = ()


@dataclass
class Asked:
    """Notes which reruns were asked for."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def rerun_run(
        self, workshop: Workshop, run_id: int, who: str, why: str, *, dry_run: bool, force: bool, once: str = ""
    ) -> Done:
        self.calls.append(("run", run_id, who, why, dry_run, force))
        return Done()

    def rerun_entry(
        self, workshop: Workshop, entry_id: int, who: str, why: str, *, dry_run: bool, force: bool, once: str = ""
    ) -> Done:
        self.calls.append(("entry", entry_id, who, why, dry_run, force))
        return Done()

    def run_robot(
        self,
        workshop: Workshop,
        portal_id: int,
        item: ItemRef,
        code: str,
        props: Any,
        who: str,
        why: str,
        *,
        dry_run: bool,
        once: str = "",
    ) -> Done:
        self.calls.append(("robot", portal_id, item, code, dict(props), who, why, dry_run))
        return Done()


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def client(house: House, asked: Asked) -> FlaskClient:
    return a_client(house.workshop, [lambda workshop: admin_api.pages(workshop, asked)])


def headers(token: str = ADMIN_TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "X-Operator": "Ольга"}


def look(client: FlaskClient, path: str) -> Any:
    answer = client.get(f"/admin/api{path}", headers=headers())
    assert answer.status_code == 200, answer.data
    return answer.json


def change(client: FlaskClient, path: str, body: Any = None, token: str = ADMIN_TOKEN) -> TestResponse:
    return client.post(f"/admin/api{path}", json={"why": "клиент ждёт", **(body or {})}, headers=headers(token))


def a_timer(house: House, portal: Portal) -> int:
    action = SetTimer(DEAL_12, "control", house.at[0], Step("control_task"), "контроль задачи")
    with house.database.write() as connection:
        timers.put(connection, portal.id, 1, None, "0" * 12, action, house.at[0])
        return timers.listed(connection)[-1][1].id


# Who may come in -------------------------------------------------------------------------------------------------------

PATHS = ("/runs", "/runs/1", "/timers", "/portals", "/incidents", "/audit", "/export", "/portals/1/corrections.xlsx")
CHANGES = (
    "/export",
    "/incidents/work-1/retry",
    "/timers/1/cancel",
    "/portals/1/wake",
    "/runs/1/rerun",
    "/robots/autotask/run",
)


@pytest.mark.parametrize("path", PATHS)
def test_nobody_looks_without_the_token(client: FlaskClient, path: str) -> None:
    for sent in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {ADMIN_TOKEN}"},
        headers("wrong-token-0123456789"),
    ):
        assert client.get(f"/admin/api{path}", headers=sent).status_code == 401


@pytest.mark.parametrize("path", CHANGES)
def test_nobody_changes_anything_without_the_token(house: House, client: FlaskClient, asked: Asked, path: str) -> None:
    assert change(client, path, token="wrong-token-0123456789").status_code == 401
    assert asked.calls == []
    assert house.count(t.audit) == 0


def test_who_guesses_too_often_is_not_heard_for_a_while(client: FlaskClient) -> None:
    for number in range(10):
        client.get("/admin/api/runs", headers=headers(f"guess-{number}"))

    assert client.get("/admin/api/runs", headers=headers()).status_code == 401


def test_changes_come_as_json_and_say_why(house: House, portal: Portal, client: FlaskClient) -> None:
    path = f"/admin/api/portals/{portal.id}/wake"

    assert client.post(path, data={"why": "так надо"}, headers=headers()).status_code == 415
    bodies: tuple[Any, ...] = ({}, {"why": " "}, {"why": "x" * 501}, {"why": "так надо", "extra": 1}, [])
    for body in bodies:
        assert client.post(path, json=body, headers=headers()).status_code == 400
    assert house.woken == []


def test_changes_come_at_a_bounded_pace(house: House, portal: Portal, client: FlaskClient) -> None:
    codes = [change(client, f"/portals/{portal.id}/wake").status_code for _ in range(61)]

    assert codes == [200] * 60 + [429]


# Looking ---------------------------------------------------------------------------------------------------------------


def test_runs_are_filtered_and_paged(house: House, portal: Portal, client: FlaskClient) -> None:
    other = a_portal(house, "lilia", "lilia.bitrix24.test")
    for number in range(3):
        a_run(house, portal, key=f"a{number}")
    a_run(house, portal, key="b", robot="notify", state="skipped")
    a_run(house, other, key="c")

    assert len(look(client, "/runs")["runs"]) == 5
    assert len(look(client, "/runs?portal=lilia")["runs"]) == 1
    assert [run["robot"] for run in look(client, f"/runs?portal={portal.id}&state=skipped")["runs"]] == ["notify"]
    assert look(client, "/runs?robot=notify&item=D_12")["next"] is None
    page = look(client, "/runs?limit=2&portal=romashka")
    rest = look(client, f"/runs?limit=2&portal=romashka&before={page['next']}")
    assert [run["id"] for run in page["runs"] + rest["runs"]] == [4, 3, 2, 1]


def test_one_run_tells_cause_reason_and_the_fate_of_its_actions(house: House, portal: Portal, client: FlaskClient) -> None:
    run_id = a_run(house, portal, facts={"title": "Потолки"}, props={"title": "x"})
    an_action(house, portal, run_id, TASK, "failed", "ACCESS_DENIED")

    told = look(client, f"/runs/{run_id}")

    assert told["why"]["ru"] == "Задача поставлена: Мария Менова"
    assert (told["facts"], told["props"], told["item"]) == ({"title": "Потолки"}, {"title": "x"}, "D_12")
    assert [(a["kind"], a["state"], a["error"]) for a in told["actions"]] == [("add_task", "failed", "ACCESS_DENIED")]


def test_a_portal_is_at_rest_when_it_was_read_and_nobody_has_its_lane(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    portals, now = house.workshop.portals, house.at[0]

    def at_rest() -> bool:
        return bool(look(client, "/portals")["portals"][0]["at_rest"])

    with house.database.write() as connection:
        portals.set_state(connection, portal.id, "active")
    assert not at_rest()
    with house.database.write() as connection:
        portals.was_read(connection, portal.id, portals.reads(connection, portal.id).wakes, now)
    assert at_rest()
    with house.database.write() as connection:
        assert portals.take_lane(connection, portal.id, "worker", now, timedelta(seconds=90))
    assert not at_rest()


def test_portals_are_told_without_their_secrets(house: House, portal: Portal, client: FlaskClient) -> None:
    answer = client.get("/admin/api/portals", headers=headers())

    assert [row["host"] for row in (answer.json or {})["portals"]] == ["romashka.bitrix24.test"]
    for secret in (b"access-romashka", b"refresh-romashka", b"token-romashka"):
        assert secret not in answer.data


def test_timers_tell_what_waits_and_for_what(house: House, portal: Portal, client: FlaskClient) -> None:
    a_timer(house, portal)

    (timer,) = look(client, "/timers?item=D_12")["timers"]
    assert (timer["what"], timer["due"], timer["portal"]) == ("контроль задачи", "2026-06-10T09:00:00+00:00", portal.id)
    assert look(client, "/timers?item=D_13")["timers"] == []
    assert look(client, "/timers?state=fired")["timers"] == []


@pytest.mark.parametrize(
    "path", ["/runs/99", "/runs/99999999999999999999", "/runs?portal=none", "/runs?item=deal", "/timers?item=Tfffffffff_1"]
)
def test_what_is_not_there_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(f"/admin/api{path}", headers=headers()).status_code == 404


# Changing --------------------------------------------------------------------------------------------------------------


def test_failed_work_is_retried_once_and_audited(house: House, portal: Portal, client: FlaskClient) -> None:
    with house.database.write() as connection:
        work_id = queue.add_work(connection, portal.id, DEAL_12, "k", "ask", {}, house.at[0])
        assert work_id is not None
        queue.end_work(connection, work_id, house.at[0], "BadStep: no such robot")
    (incident,) = look(client, "/incidents")["incidents"]
    assert (incident["id"], incident["error"], incident["item"]) == ("work-1", "BadStep: no such robot", "D_12")

    assert change(client, "/incidents/work-1/retry").status_code == 200

    assert change(client, "/incidents/work-1/retry").status_code == 404
    assert look(client, "/incidents")["incidents"] == []
    assert house.woken == [portal.id]
    (noted,) = look(client, "/audit")["audit"]
    assert (noted["who"], noted["what"], noted["why"]) == ("Ольга", "retry", "клиент ждёт")


def test_a_failed_action_is_looked_up_before_it_is_repeated(house: House, portal: Portal, client: FlaskClient) -> None:
    number = an_action(house, portal, a_run(house, portal), TASK, "failed", "LostReply")

    assert change(client, f"/incidents/action-{number}/retry").status_code == 200

    assert [row["state"] for row in house.rows(t.actions)] == ["unknown"]


@pytest.mark.parametrize("incident", ["work-99", "action-99", "work-", "work-x", "run-1", "x", "work-99999999999999999999"])
def test_an_incident_that_is_none_is_not_found(client: FlaskClient, incident: str) -> None:
    assert change(client, f"/incidents/{incident}/retry").status_code == 404


def test_a_timer_is_cancelled_once_with_the_reason(house: House, portal: Portal, client: FlaskClient) -> None:
    number = a_timer(house, portal)

    assert change(client, f"/timers/{number}/cancel").status_code == 200
    assert change(client, f"/timers/{number}/cancel").status_code == 404

    assert [(row["state"], row["reason"]) for row in house.rows(t.timers)] == [("cancelled", "Ольга: клиент ждёт")]
    assert [row["what"] for row in house.rows(t.audit)] == ["cancel_timer"]


def test_a_portal_is_woken_by_number_member_or_host(house: House, portal: Portal, client: FlaskClient) -> None:
    for name in (str(portal.id), "romashka", "romashka.bitrix24.test"):
        assert change(client, f"/portals/{name}/wake").status_code == 200
    assert change(client, "/portals/lilia/wake").status_code == 404
    assert house.woken == [portal.id] * 3


def test_a_rerun_only_shows_unless_it_is_meant(house: House, portal: Portal, client: FlaskClient, asked: Asked) -> None:
    run_id = a_run(house, portal)

    shown = change(client, f"/runs/{run_id}/rerun")
    change(client, f"/runs/{run_id}/rerun", {"dry_run": False, "force": True})

    assert shown.json == {
        "dry_run": True,
        "actions": [{"kind": "add_task"}],
        "why": {"ru": "Задача была бы поставлена", "en": "A task would be given"},
        "runs": [],
    }
    assert asked.calls == [
        ("run", run_id, "Ольга", "клиент ждёт", True, False),
        ("run", run_id, "Ольга", "клиент ждёт", False, True),
    ]


def test_the_stage_of_an_item_is_run_again_by_its_newest_entry(
    house: House, portal: Portal, client: FlaskClient, asked: Asked
) -> None:
    stands_on(house, portal, "contract")
    entry = stands_on(house, portal, "date_agreed")

    assert change(client, "/items/D_12/entries/rerun", {"portal": "romashka"}).status_code == 200
    assert change(client, "/items/D_99/entries/rerun", {"portal": "romashka"}).status_code == 404
    assert change(client, "/items/x/entries/rerun", {"portal": "romashka"}).status_code == 404

    assert asked.calls == [("entry", entry, "Ольга", "клиент ждёт", True, False)]


def test_only_a_known_robot_is_run(house: House, portal: Portal, client: FlaskClient, asked: Asked) -> None:
    answer = change(client, "/robots/unknown/run", {"portal": "romashka", "item": "D_12"})

    assert answer.status_code == 404
    assert asked.calls == []


class Broken(Asked):
    """Meets a trouble of its own with every rerun."""

    def rerun_run(
        self, workshop: Workshop, run_id: int, who: str, why: str, *, dry_run: bool, force: bool, once: str = ""
    ) -> Done:
        raise {
            "step": BadStep(T.same("autotask: title")),
            "gone": NoSuchThing("robot set_booking"),
            "busy": ServerTrouble("", "the portal is down", 500),
            "lost": AuthLost("", "no access"),
        }[why]


@pytest.mark.parametrize(("trouble", "status"), [("step", 400), ("gone", 404), ("busy", 503), ("lost", 502)])
def test_a_rerun_that_cannot_be_says_why(house: House, portal: Portal, trouble: str, status: int) -> None:
    client = a_client(house.workshop, [lambda workshop: admin_api.pages(workshop, Broken())])

    answer = change(client, f"/runs/{a_run(house, portal)}/rerun", {"why": trouble})

    assert answer.status_code == status
    assert (answer.json or {})["description"]


def test_the_real_reruns_fit_the_api(house: House, portal: Portal) -> None:
    client = a_client(house.workshop, PAGES)

    assert change(client, f"/runs/{a_run(house, portal, state='failed')}/rerun").status_code == 404


@examples(max_examples=40, deadline=None)
@given(st.text(max_size=12), st.text(max_size=12))
def test_rubbish_in_filters_is_the_operators_fault(rubbish: FlaskClient, one: str, other: str) -> None:
    for name in ("portal", "item", "robot", "state", "before", "limit"):
        answer = rubbish.get("/admin/api/runs", query_string={name: one, "x": other}, headers=headers())
        assert answer.status_code in (200, 404)


@pytest.fixture(scope="module")
def rubbish(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    house = a_house(tmp_path_factory.mktemp("rubbish"))
    a_portal(house)
    return a_client(house.workshop, [lambda workshop: admin_api.pages(workshop, Asked())])


# The export -------------------------------------------------------------------------------------------------------------


def test_an_export_wants_a_spreadsheet(house: House, client: FlaskClient) -> None:
    assert look(client, "/export")["settled"] is False
    assert change(client, "/export").status_code == 409
    assert house.count(t.audit) == 0


def test_the_workbook_is_there_without_a_spreadsheet(portal: Portal, client: FlaskClient) -> None:
    answer = client.get(f"/admin/api/portals/{portal.host}/corrections.xlsx", headers=headers())
    assert (answer.status_code, answer.data[:2]) == (200, b"PK")
    assert client.get("/admin/api/portals/nobody/corrections.xlsx", headers=headers()).status_code == 404
