"""The installation page, from the frame's post to the finished application, against the pretend portal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from b24app.store import processes
from b24app.web import process_pages, settings_page
from b24app.web.factory import create_web
from tests.world import ADMIN, Theatre, process_files, theatre

HTML = {"Accept": "text/html"}
JSON = {"Accept": "application/json"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Theatre]:
    with theatre(tmp_path, processes=True) as made:
        yield made
        assert made.world.complaints == []


@pytest.fixture
def client(stage: Theatre) -> FlaskClient:
    return create_web(stage.shop.workshop, sleep=lambda _seconds: None).test_client()


def post(stage: Theatre, client: FlaskClient, user_id: int = ADMIN, **changed: str) -> TestResponse:
    """Open the page the way the portal's frame does."""
    url, form = stage.portal.open_app_post(stage.app, user_id)
    parts = urlsplit(url)
    return client.post(f"{parts.path}?{parts.query}", data={**form, **changed}, headers=HTML)


def token_in(page: TestResponse) -> str:
    found = re.search(r'name="page_token" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


def run(client: FlaskClient, token: str, **headers: str) -> TestResponse:
    return client.post(
        "/b24/install/run", data={"process": ["ceiling_installation"]}, headers={"X-Page-Token": token, **headers}
    )


def test_an_administrator_installs_the_application(stage: Theatre, client: FlaskClient) -> None:
    page = post(stage, client)
    assert page.status_code == 200
    assert stage.shop.workshop.portal(1).state == "installing"
    for what in (
        "воронка «Монтаж потолков»; стадий: 9",
        "смарт-процесс «Анализ и коррекции»",
        "стадии, которые есть на портале",
    ):
        assert what in page.text

    told = run(client, token_in(page), Accept="application/json")

    assert told.status_code == 200, told.text
    assert told.json is not None
    assert told.json["ok"], told.json
    assert 'data-ok="yes"' in told.json["html"]
    assert stage.shop.workshop.portal(1).works


def test_the_page_works_without_its_script(stage: Theatre, client: FlaskClient) -> None:
    token = token_in(post(stage, client))
    page = client.post("/b24/install/run", data={"page_token": token, "process": "ceiling_installation"}, headers=HTML)
    assert page.status_code == 200
    assert 'data-ok="yes"' in page.text
    assert "Готово" in page.text


def test_the_page_may_be_opened_and_run_again(stage: Theatre, client: FlaskClient) -> None:
    run(client, token_in(post(stage, client)))
    again = run(client, token_in(post(stage, client)), Accept="application/json")
    assert again.json is not None
    assert again.json["ok"]


def test_the_progress_is_told_in_words(stage: Theatre, client: FlaskClient) -> None:
    token = token_in(post(stage, client))
    assert client.get("/b24/install/progress", headers={"X-Page-Token": token}).json == {"text": "Устанавливаем…"}
    run(client, token)
    assert client.get("/b24/install/progress", headers={"X-Page-Token": token}).json == {"text": "Готово"}


def test_what_failed_is_told_and_can_be_tried_again(stage: Theatre, client: FlaskClient) -> None:
    token = token_in(post(stage, client))
    stage.portal.denied.add((ADMIN, "event.bind"))
    told: Any = run(client, token, Accept="application/json").json
    assert not told["ok"]
    assert 'data-ok="no"' in told["html"]
    assert "ONCRMDEALUPDATE" in told["html"]

    stage.portal.denied.clear()
    told = run(client, token, Accept="application/json").json
    assert told["ok"]


def test_a_portal_that_wants_patience_is_asked_again_later(stage: Theatre, client: FlaskClient) -> None:
    token = token_in(post(stage, client))
    stage.portal.faults.add("query_limit", method="bizproc.robot.list", times=1)
    told: Any = run(client, token, Accept="application/json").json
    assert not told["ok"]
    assert told["retry_after"] > 0
    assert "подождать" in told["text"]


def test_an_employee_cannot_install(stage: Theatre, client: FlaskClient) -> None:
    stage.portal.finish_install(stage.app)
    url, form = stage.portal.open_app_post(stage.app, stage.employee())
    page = client.post(f"/b24/install?{urlsplit(url).query}", data=form, headers=HTML)
    assert page.status_code == 403
    assert "администратор" in page.text
    with stage.shop.workshop.database.read() as connection:
        assert stage.shop.workshop.portals.all(connection) == []


def test_an_application_with_foreign_credentials_is_told_where_they_stand(stage: Theatre, client: FlaskClient) -> None:
    stage.portal.apps.uninstall(stage.app)
    other = stage.portal.register_local_app("other", "https://app.test/b24/app", "https://app.test/b24/install")
    url, form = stage.portal.open_app_post(other, ADMIN)
    page = client.post(f"/b24/install?{urlsplit(url).query}", data=form, headers=HTML)
    assert page.status_code == 403
    assert "CLIENT_SECRET" in page.text
    assert "frame-ancestors *" in page.headers["Content-Security-Policy"]  # else nobody would read it on the portal
    assert not re.search("<(form|button|a|script) ", page.text)


def test_the_page_speaks_the_viewers_language(stage: Theatre, client: FlaskClient) -> None:
    stage.portal.people.users[ADMIN].language = "en"
    page = post(stage, client)
    assert "Installing the application" in page.text
    assert '<html lang="en">' in page.text


def test_the_page_is_shown_in_its_portals_frame_only_and_runs_its_own_scripts_only(
    stage: Theatre, client: FlaskClient
) -> None:
    page = post(stage, client)
    policy = page.headers["Content-Security-Policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce is not None
    assert f"frame-ancestors http://{stage.portal.domain}" in policy
    assert "default-src 'none'" in policy
    assert set(re.findall(r'<script nonce="([^"]+)"', page.text)) == {nonce[1]}
    assert page.text.count("<script") == page.text.count("<script nonce=")
    assert "X-Frame-Options" not in page.headers
    assert "Set-Cookie" not in page.headers
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert f'src="http://{stage.portal.domain}/api/v1/"' in page.text


def test_no_token_of_the_portal_reaches_the_page(stage: Theatre, client: FlaskClient) -> None:
    url, form = stage.portal.open_app_post(stage.app, ADMIN)
    page = client.post(f"/b24/install?{urlsplit(url).query}", data=form)
    for secret in ("AUTH_ID", "REFRESH_ID", "APPLICATION_TOKEN"):
        assert form[secret] not in page.text


def test_pages_outside_the_portal_may_stand_in_no_frame(client: FlaskClient) -> None:
    page = client.get("/b24/install", headers=HTML)
    assert page.status_code == 200
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert client.get("/b24/app").status_code == 200


def test_a_pipeline_of_the_portals_own_is_chosen_and_the_fields_it_lacks_are_created(stage: Theatre) -> None:
    client = create_web(stage.shop.workshop, [settings_page.pages, process_pages.pages]).test_client()
    crm, boss = stage.portal.crm, stage.portal.as_user(ADMIN)
    category = boss.call("crm.category.add", entityTypeId=2, fields={"name": "Наш монтаж"})["category"]["id"]
    for number in range(2):
        step = {"ENTITY_ID": f"DEAL_STAGE_{category}", "STATUS_ID": f"OURS{number}", "NAME": f"Шаг {number}", "SORT": 11}
        boss.call("crm.status.add", fields=step)
    token = token_in(post(stage, client))
    assert client.post("/b24/install/run", headers={"X-Page-Token": token, **JSON}).json == {"ok": True, "html": ANY}
    theirs = [known.status_id for known in crm.stages.stages(2, category)]
    process = process_files()["ceiling_installation"]
    chosen = {f"stage:{known.key}": one for known, one in zip(process.stages, theirs, strict=False)}

    answer = client.post(
        "/b24/app/process/ceiling_installation/tie",
        data={"category": category, "make_fields": "yes", **chosen},
        headers={"X-Page-Token": token, **HTML},
    )

    assert answer.status_code == 200, answer.text
    with stage.shop.workshop.database.read() as connection:
        (tie,) = processes.ties(connection, 1)
    assert (tie.category_id, list(tie.stages.values())) == (category, theirs[: len(process.stages)])
    assert set(tie.fields) == set(process.fields)
    assert [known.status_id for known in crm.stages.stages(2, category)] == theirs, "no stage was added"


def test_an_administrator_connects_the_portal_by_a_code(stage: Theatre, client: FlaskClient) -> None:
    post(stage, client)
    start = client.get("/b24/oauth/start", query_string={"portal": stage.portal.domain})
    assert start.status_code == 302
    back = requests.get(start.headers["Location"], allow_redirects=False, timeout=5).headers["Location"]
    assert "code" in parse_qs(urlsplit(back).query)
    parts = urlsplit(back)
    page = client.get(f"{parts.path}?{parts.query}", headers=HTML)
    assert page.status_code == 200
    assert stage.portal.domain in page.text

    again = client.get(f"{parts.path}?{parts.query}", headers=HTML)
    assert again.status_code == 403
    assert "/b24/oauth/start" in again.text


def test_a_portal_that_works_is_handed_over_to_another_administrator_on_purpose(stage: Theatre, client: FlaskClient) -> None:
    post(stage, client)
    heir = stage.portal.people.users[stage.employee()]
    heir.admin = True
    start = client.get("/b24/oauth/start", query_string={"portal": stage.portal.domain}).headers["Location"]

    parts = urlsplit(requests.get(f"{start}&as_user={heir.id}", allow_redirects=False, timeout=5).headers["Location"])
    assert client.get(f"{parts.path}?{parts.query}", headers=HTML).status_code == 200

    assert stage.shop.workshop.portal(1).grant.user == heir.id


def test_nobody_is_sent_to_an_address_a_stranger_chose(client: FlaskClient) -> None:
    for host in ("evil.example", "evil.example/.bitrix24.ru", "a@evil.bitrix24.ru", "", "127.0.0.1:1"):
        refused = client.get("/b24/oauth/start", query_string={"portal": host})
        assert (refused.status_code, refused.json["error"]) == (403, "unknown_portal")  # type: ignore[index]
    there = client.get("/b24/oauth/start", query_string={"portal": "okna.bitrix24.ru"}).headers["Location"]
    assert there.startswith("https://okna.bitrix24.ru/oauth/authorize/?")
