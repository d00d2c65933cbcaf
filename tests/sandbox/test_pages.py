"""The page of the pretend portal, spoken to without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sandbox.apps import Placement
from sandbox.page_backstage import mark_of, next_working_morning
from sandbox.page_bbcode import bb_html
from sandbox.page_desk import WHO
from sandbox.pages import PAGES
from sandbox.server import portal_app
from tests.sandbox.conftest import ADMIN, INSTALLER, MANAGER, Desk

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.fixture
def page(desk: Desk) -> Iterator[FlaskClient]:
    """A browser without scripts, of the manager."""
    with portal_app(desk.portal, PAGES).test_client() as client:
        client.set_cookie(WHO, str(MANAGER))
        yield client


def shown(client: FlaskClient, path: str) -> str:
    reply = client.get(path)
    assert reply.status_code == 200, reply.text
    return reply.text


def sent(client: FlaskClient, path: str, **form: Any) -> TestResponse:
    reply = client.post(path, data=form)
    assert reply.status_code == 303, reply.text
    return reply


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[B]да[/B] и [i]нет[/i]", "<b>да</b> и <i>нет</i>"),
        ("раз\nдва", "раз<br>два"),
        ("[LIST]\n[*]раз\n[*][b]два\n[/LIST]конец", "<ul><li>раз</li><li><b>два</b></li></ul>конец"),
        ("[LIST=1][*]a[/LIST]", "<ol><li>a</li></ol>"),
        ("<script>[B]x", "&lt;script&gt;<b>x</b>"),
        ("[USER=3][/USER] [USER=5]Пётр[/USER]", None),
        ("[IMG]http://a.test/x.png[/IMG]", "[IMG]http://a.test/x.png[/IMG]"),
        ("[/B] просто", "[/B] просто"),
        ("цена &#91;руб&#93; &amp;lt;", "цена &#91;руб&#93; &amp;amp;lt;"),
    ],
)
def test_bb_codes_become_markup_and_nothing_else_does(text: str, html: str | None) -> None:
    written = str(bb_html(text, lambda user_id: f"№{user_id}"))

    if html is not None:
        assert written == html
    else:
        assert 'href="/company/personal/user/5/">Пётр</a>' in written


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.test", 'http://a.test/"onclick="x'])
def test_a_link_cannot_carry_a_script(address: str) -> None:
    written = str(bb_html(f"[URL={address}]да[/URL]", str))

    assert 'href="javascript' not in written
    assert 'href="data' not in written
    assert 'href="//' not in written
    assert '"onclick' not in written


def test_links_of_the_web_and_of_the_portal_are_followed() -> None:
    written = str(bb_html("[URL=/tasks/]тут[/URL] [url]https://a.test/?a=1&b=2[/url]", str))

    assert '<a href="/tasks/"' in written
    assert 'href="https://a.test/?a=1&amp;b=2"' in written


@pytest.mark.parametrize(
    ("now", "morning"),
    [
        ((2026, 6, 4, 9, 0), (2026, 6, 4)),
        ((2026, 6, 4, 10, 0), (2026, 6, 5)),
        ((2026, 6, 5, 18, 0), (2026, 6, 8)),
        ((2026, 6, 11, 18, 0), (2026, 6, 15)),
        ((2026, 12, 30, 12, 0), (2026, 12, 31)),
    ],
)
def test_the_next_working_morning_skips_weekends_and_holidays(
    desk: Desk, now: tuple[int, ...], morning: tuple[int, int, int]
) -> None:
    found = next_working_morning(desk.portal, datetime(*now, tzinfo=MOSCOW))  # type: ignore[misc,arg-type]

    assert found == datetime(*morning, 10, tzinfo=MOSCOW)


def test_every_user_sees_his_own_tasks_and_may_do_what_he_may(desk: Desk, page: FlaskClient) -> None:
    desk.task(INSTALLER, TITLE="Замерить")

    assert "Замерить" not in shown(page, "/tasks/")
    page.set_cookie(WHO, str(INSTALLER))
    assert "Замерить" in shown(page, "/tasks/")
    assert "Завершить" in shown(page, "/tasks/")


def test_a_refusal_is_told_above_the_page_the_user_came_from(desk: Desk, page: FlaskClient) -> None:
    task = desk.task(INSTALLER)

    came_from = {"Referer": "http://localhost/tasks/?role=all"}
    reply = page.post(f"/_sandbox/tasks/{task}/do/complete", headers=came_from)

    assert reply.location == "/tasks/?role=all"
    assert "Действие над задачей не разрешено" in shown(page, "/tasks/")
    assert "Действие над задачей не разрешено" not in shown(page, "/tasks/")


def test_saving_a_card_untouched_changes_nothing(desk: Desk, page: FlaskClient) -> None:
    deal = desk.deal(title="Окна", assignedById=MANAGER)["id"]
    before = dict(desk.portal.crm.items[2][deal])
    text = shown(page, f"/crm/deal/details/{deal}/")

    assert "Окна" in text
    sent(page, f"/_sandbox/items/2/{deal}/save", before='{"title": ["Окна"]}', **{"f:title": "Окна"})
    assert desk.portal.crm.items[2][deal] == before


def test_what_the_app_changed_meanwhile_is_not_overwritten(desk: Desk, page: FlaskClient) -> None:
    deal = desk.deal(title="Окна", opportunity=100)["id"]
    desk.call("crm.item.update", entityTypeId=2, id=deal, fields={"opportunity": 500})

    form = {"before": '{"title": ["Окна"], "opportunity": ["100"]}', "f:title": "Двери", "f:opportunity": "100"}
    sent(page, f"/_sandbox/items/2/{deal}/save", **form)

    item = desk.portal.crm.items[2][deal]
    assert (item["title"], item["opportunity"], item["updatedBy"]) == ("Двери", 500.0, MANAGER)


def test_a_smart_process_is_moved_with_its_pipeline(desk: Desk, page: FlaskClient) -> None:
    relations = {"parent": [{"entityTypeId": 2, "isChildrenListEnabled": "true"}]}
    fields = {"title": "Рекламации", "isStagesEnabled": "Y", "relations": relations}
    card = desk.call("crm.type.add", fields=fields)["type"]
    type_id = card["entityTypeId"]
    item = desk.call("crm.item.add", entityTypeId=type_id, fields={"title": "Провис"})["item"]
    stage = desk.portal.crm.stages.stages(type_id, item["categoryId"])[1]

    assert "Провис" in shown(page, f"/crm/type/{type_id}/")
    sent(page, f"/_sandbox/items/{type_id}/{item['id']}/move", stageId=stage.status_id)

    assert desk.portal.crm.items[type_id][item["id"]]["stageId"] == stage.status_id
    assert "Рекламации" in shown(page, f"/crm/type/{type_id}/details/{item['id']}/")
    deal = desk.deal(title="Окна")["id"]
    desk.call("crm.item.update", entityTypeId=type_id, id=item["id"], fields={"parentId2": deal})
    assert f'href="/crm/deal/details/{deal}/"' in shown(page, f"/crm/type/{type_id}/details/{item['id']}/")


def test_deals_open_at_the_pipeline_where_life_is_or_that_was_looked_at_last(desk: Desk, page: FlaskClient) -> None:
    category = desk.call("crm.category.add", entityTypeId=2, fields={"name": "Монтаж"})["category"]["id"]
    chosen = f'<option value="{category}" selected>Монтаж</option>'

    assert chosen in shown(page, "/crm/deal/")
    desk.deal(title="Окна")
    assert chosen not in shown(page, "/crm/deal/")
    shown(page, f"/crm/deal/?category={category}")
    assert chosen in shown(page, "/crm/deal/")


def test_unread_notifications_are_counted_until_they_are_read(desk: Desk, page: FlaskClient) -> None:
    desk.call("im.notify.system.add", USER_ID=MANAGER, MESSAGE="Новая [B]сделка[/B]")

    assert (page.get("/_sandbox/changes").json or {})["unread"] == 1
    assert "<b>сделка</b>" in shown(page, "/notifications/")
    sent(page, "/notifications/read")
    assert (page.get("/_sandbox/changes").json or {})["unread"] == 0


def test_the_mark_changes_with_what_pages_show_and_not_with_time(desk: Desk, page: FlaskClient) -> None:
    deal = desk.deal()["id"]
    mark = mark_of(desk.portal)

    desk.later(minutes=30)
    assert (page.get(f"/_sandbox/changes?since={mark}").json or {})["changed"] is False
    fields = {"ENTITY_TYPE": "deal", "ENTITY_ID": deal, "COMMENT": "Да"}
    desk.call("crm.timeline.comment.add", fields=fields)
    assert (page.get(f"/_sandbox/changes?since={mark}").json or {})["changed"] is True


def test_faults_are_switched_by_a_form(desk: Desk, page: FlaskClient) -> None:
    sent(page, "/_sandbox/troubles", drop_events="50", delay_minutes="2", refuse_refresh="-1", leaky="on")
    sent(page, "/_sandbox/troubles/add", kind="error500", method="profile", times="1", after="0")

    faults = desk.portal.faults
    assert (faults.drop_events, faults.delay_seconds, faults.refuse_refresh) == (0.5, 120, -1)
    assert desk.refusal("profile") == (500, "INTERNAL_SERVER_ERROR")
    assert "500 INTERNAL_SERVER_ERROR" in shown(page, "/_sandbox/troubles")
    sent(page, "/_sandbox/troubles/clear")
    assert (faults.active, desk.portal.limits.leaky) == ([], False)


def test_only_an_administrator_sees_secrets_and_touches_applications_and_robots(desk: Desk, page: FlaskClient) -> None:
    assert desk.app.client_secret not in shown(page, "/devops/")
    sent(page, f"/devops/{desk.app.number}/uninstall")
    assert desk.portal.apps.cards == [desk.app]

    page.set_cookie(WHO, str(ADMIN))
    assert desk.app.client_secret in shown(page, "/devops/")
    sent(page, f"/devops/{desk.app.number}/reinstall")
    assert not desk.app.installed


def test_an_employee_is_told_that_an_app_is_not_installed_completely(desk: Desk, page: FlaskClient) -> None:
    desk.portal.apps.reinstall(desk.app)

    assert "установлено не до конца" in shown(page, f"/marketplace/app/{desk.app.number}/")


def test_a_page_in_a_frame_gets_the_documented_form_and_a_named_window(desk: Desk, page: FlaskClient) -> None:
    desk.app.placements.append(Placement("CRM_DEAL_DETAIL_TAB", "http://127.0.0.1:9/b24/tab", "Почему"))
    deal = desk.deal()["id"]

    text = shown(page, f"/crm/deal/details/{deal}/?tab=app{desk.app.number}-0")

    assert 'action="http://127.0.0.1:9/b24/tab?DOMAIN=portal.sandbox&amp;PROTOCOL=0&amp;LANG=ru&amp;APP_SID=' in text
    assert 'name="PLACEMENT" value="CRM_DEAL_DETAIL_TAB"' in text
    assert f'<iframe name="{desk.portal.domain}|0|' in text
    assert "frame-ancestors" in page.get("/crm/deal/").headers["Content-Security-Policy"]


def test_robot_properties_arrive_as_a_portal_sends_them(desk: Desk, page: FlaskClient) -> None:
    properties = {
        "day": {"Name": "День", "Type": "date"},
        "who": {"Name": "Кто", "Type": "user"},
        "rows": {"Name": "Строки", "Type": "string", "Multiple": "Y"},
    }
    url = "http://127.0.0.1:9/r"
    asked = {"CODE": "r", "HANDLER": url, "NAME": "R", "AUTH_USER_ID": 1, "USE_SUBSCRIPTION": "N", "PROPERTIES": properties}
    desk.call("bizproc.robot.add", **asked)
    page.set_cookie(WHO, str(ADMIN))

    form = {"type": "2", "stage": "NEW", "robot": "r", "p:day": "2026-06-08", "p:who": "user_3", "p:rows": "a\r\nb"}
    sent(page, "/automation/place/", **form)

    placed = desk.portal.automation.placed[0]
    assert placed.properties == {"day": "08.06.2026", "who": "user_3", "rows": ["a", "b"]}
    assert "08.06.2026" in shown(page, "/automation/?type=2&category=0")


def test_the_library_of_application_pages_is_served_and_rest_answers_their_scripts(desk: Desk, page: FlaskClient) -> None:
    assert "window.BX24 = BX24" in shown(page, "/api/v1/")
    assert page.get("/rest/profile").headers["Access-Control-Allow-Origin"] == "*"


def test_what_is_not_there_is_told_in_words(page: FlaskClient) -> None:
    reply = page.get("/crm/deal/details/99/")

    assert reply.status_code == 404
    assert "Такой карточки нет" in reply.text
