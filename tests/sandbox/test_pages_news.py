"""News, boards of projects, time spent and shared spreadsheets on the page of the pretend portal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from sandbox.page_bbcode import bb_html
from sandbox.page_desk import WHO
from sandbox.pages import PAGES
from sandbox.server import portal_app
from tests.sandbox.conftest import ADMIN, INSTALLER, MANAGER, Desk


@pytest.fixture
def page(desk: Desk) -> Iterator[FlaskClient]:
    with portal_app(desk.portal, PAGES).test_client() as client:
        client.set_cookie(WHO, str(MANAGER))
        yield client


def test_news_is_shown_to_those_it_was_written_for_and_read_by_a_button(desk: Desk, page: FlaskClient) -> None:
    dest = [f"U{MANAGER}"]
    call = desk.portal.as_user(ADMIN).call
    post = call("log.blogpost.add", POST_TITLE="Новый порядок", POST_MESSAGE="Читайте", DEST=dest, IMPORTANT="Y")

    assert "Новый порядок" in page.get("/stream/").text
    assert "пока никто" in page.get("/stream/").text
    page.post(f"/_sandbox/news/{post}/read")
    assert "вы прочитали" in page.get("/stream/").text
    assert call("log.blogpost.getusers.important", POST_ID=post) == [str(MANAGER)]

    page.set_cookie(WHO, str(INSTALLER))
    assert "Новый порядок" not in page.get("/stream/").text
    page.post(f"/_sandbox/news/{post}/read")
    assert call("log.blogpost.getusers.important", POST_ID=post) == [str(MANAGER)]


def test_a_task_goes_over_the_board_of_its_project_and_its_time_is_noted(desk: Desk, page: FlaskClient) -> None:
    group = desk.portal.groups.add("Регламенты", ADMIN, visible=True)
    columns = desk.portal.groups.board("G", group.id)
    fields = {"TITLE": "Дополнить", "GROUP_ID": group.id, "STAGE_ID": columns[0].id, "ALLOW_TIME_TRACKING": "Y"}
    task = desk.portal.tasks.tasks[int(desk.task(MANAGER, **fields))]

    assert "Дополнить" in page.get(f"/workgroups/group/{group.id}/tasks/").text
    page.post(f"/_sandbox/tasks/{task.id}/column", data={"column": columns[1].id})
    assert task.fields["STAGE_ID"] == columns[1].id
    page.post(f"/_sandbox/tasks/{task.id}/time", data={"minutes": "90"})
    card = page.get(f"/company/personal/user/{MANAGER}/tasks/task/view/{task.id}/").text
    assert "1 ч 30 мин" in card
    assert f"/workgroups/group/{group.id}/tasks/" in card


def test_the_access_to_a_spreadsheet_is_turned_on_the_page_of_faults(desk: Desk, page: FlaskClient) -> None:
    book = desk.portal.world.sheets.add("Отчёты")
    assert "Отчёты" in page.get("/_sandbox/troubles").text
    for access in ("none", "writer", "owner"):
        page.post("/_sandbox/troubles/sheets", data={"book": book.id, "access": access})
        assert book.access == (access if access != "owner" else "writer")


def test_bare_addresses_are_links_up_to_the_sentence() -> None:
    written = str(bb_html("Карточка: https://a.test/d/1/?x=1&y=2. [URL=https://b.test]https://b.test[/URL]", str))
    assert written.count("<a ") == 2
    assert 'href="https://a.test/d/1/?x=1&amp;y=2"' in written
