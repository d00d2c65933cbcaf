"""Corrections on their way into the spreadsheet: on time, at their end, by hand, and when something is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from flask.cli import ScriptInfo
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import app
from b24app.core.item import ItemRef
from b24app.engine.figures import exporting, exports
from b24app.engine.figures.exporting import Exported
from b24app.engine.figures.exports import ExportStatus
from b24app.engine.watching.doctor_sheets import sheets
from sandbox.sheets_grid import Book, Sheet
from tests.flows.corrections import CLEAN, CODE, CORRECT, OFFICER, Loop
from tests.flows.stage import ADMIN
from tests.flows.theatre import Theatre
from tests.sheets_export.test_xlsx import read_back


@dataclass(slots=True)
class Desk:
    """The company's spreadsheet, and the clock that looks after it."""

    loop: Loop
    requests: list[tuple[str, ...]]
    """What the portal was asked for since last asked."""

    @property
    def item(self) -> ItemRef:
        return self.loop.item

    @property
    def book(self) -> Book:
        (book,) = self.loop.stage.world.sheets.books.values()
        return book

    @property
    def sheet(self) -> Sheet:
        return next(sheet for sheet in self.book.sheets if sheet.title == "Коррекции")

    def sleep(self, length: timedelta) -> None:
        self.loop.stage.clock.advance(length)

    def look(self) -> Exported | None:
        """Let the clock look, with all waiting done in no time."""
        return exports.look(self.loop.stage.application.workshop, self.sleep)

    def exported(self) -> Exported:
        done = self.look()
        assert done is not None
        assert done.how == "done", done.text
        return done

    def failed(self) -> ExportStatus:
        done = self.look()
        assert done is not None
        assert done.how == "failed"
        return self.status()

    def status(self) -> ExportStatus:
        return exports.status(self.loop.stage.application.workshop)

    def table(self) -> list[dict[Any, Any]]:
        """Return the rows with a key as people see them."""
        heads, *lines = self.sheet.cells
        return [dict(zip(heads, line, strict=False)) for line in lines if line and line[0]]

    def later(self) -> None:
        self.loop.stage.clock.advance(timedelta(minutes=15))

    def fault(self, kind: str, method: str = "*", times: int | None = 1) -> None:
        self.loop.stage.world.sheets.fault(kind, method, times=times)

    def asked(self) -> list[str]:
        """Name what the portal was asked for since last asked; batches are opened."""
        found = [name for names in self.requests for name in names]
        self.requests.clear()
        return found


@pytest.fixture
def desk(after_summary: Theatre) -> Iterator[Desk]:
    """One correction is on the desk of the quality officer; nothing was exported yet."""
    with after_summary.stage() as stage:
        requests: list[tuple[str, ...]] = []
        stage.world.before_request = lambda server, methods: requests.append(methods) if server == "portal" else None
        yield Desk(Loop(stage), requests)
        assert stage.world.complaints == []
        assert stage.troubles() == []


def work_on(desk: Desk, item: Any, hours: float, by: int = OFFICER) -> None:
    """Write time down on the newest task of a correction."""
    number = int(desk.loop.rows(item)[-1]["id"])
    desk.loop.stage.portal.as_user(by).call(
        "task.elapseditem.add", **{"0": number, "1": {"SECONDS": int(hours * 3600), "COMMENT_TEXT": "разбор"}}
    )


def test_corrections_are_exported_every_quarter_of_an_hour(desk: Desk) -> None:
    """S3-41, DC-09: the first time in full, then what changed, in no more than three requests."""
    item, first = desk.item, desk.exported()
    assert (first.rows, first.full) == (1, True)
    (row,) = desk.table()
    assert (row["Стадия"], row["Ответственный"]) == ("Проводим анализ", "Мария Кузнецова")
    assert row["На стадии с"] == row["Дата старта"]
    assert [sheet.title for sheet in desk.book.sheets] == ["Лист1", "Коррекции", "Сводка"]

    assert desk.look() is None  # it is not time yet
    desk.later()
    assert desk.exported() == Exported("done")  # and nothing has changed: Google is not asked

    desk.loop.items._update(item, {"title": "Анализ: Садовая"})
    desk.loop.lost_deal()
    desk.loop.stage.turn(minutes=15)
    done = desk.exported()
    assert (done.rows, done.full) == (1, False)
    assert 1 <= done.calls <= 3
    assert desk.table()[0]["Коррекция"] == "Анализ: Садовая"


def test_an_ended_correction_is_exported_at_once_with_the_time_it_took(desk: Desk) -> None:
    """S3-42, S3-45."""
    item = desk.item
    desk.loop.tick(item, "Провести анализ", OFFICER)
    desk.loop.fill(item, OFFICER, CLEAN)
    desk.loop.items.move(item, "measures")
    desk.exported()
    work_on(desk, item, 1.5)
    desk.loop.fill(item, OFFICER, CORRECT)
    assert desk.look() is None
    desk.loop.items.move(item, "done")
    assert desk.exported().rows == 1
    (row,) = desk.table()
    assert (row["Стадия"], row["Затраты, ч"], row["Премиальные баллы"], row["A: корректно"]) == (
        "Коррекция завершена",
        1.5,
        10,
        1,
    )
    assert row["Дата финализации"] > row["Дата старта"] - 1
    assert row["На стадии с"] in ("", None)


def test_time_is_read_in_batches_and_only_of_corrections_that_changed(desk: Desk) -> None:
    first, _ = desk.item, desk.loop.begun()
    desk.exported()
    desk.later()
    desk.asked()
    desk.exported()
    assert "task.elapseditem.getlist" not in desk.asked()

    work_on(desk, first, 2)
    desk.loop.finish(first, "Провести анализ", OFFICER)
    desk.later()
    desk.asked()
    desk.exported()
    assert desk.asked().count("task.elapseditem.getlist") == 1
    assert sorted(row["Затраты, ч"] for row in desk.table()) == [0, 2]


def test_time_of_an_open_correction_is_read_again_the_next_day_and_of_many_records_all(desk: Desk) -> None:
    item = desk.item
    desk.exported()
    for _ in range(60):
        work_on(desk, item, 0.5)
    desk.loop.stage.turn(days=1)
    desk.exported()
    assert desk.table()[0]["Затраты, ч"] == 30


def test_tasks_given_by_hand_count_and_deleted_ones_keep_their_time(desk: Desk) -> None:
    item = desk.item
    officer = desk.loop.stage.portal.as_user(OFFICER)
    fields = {"TITLE": "Позвонить", "RESPONSIBLE_ID": OFFICER, "UF_CRM_TASK": [item.binding], "ALLOW_TIME_TRACKING": "Y"}
    number = int(officer.call("tasks.task.add", fields=fields)["task"]["id"])
    work_on(desk, item, 1)
    desk.exported()
    assert desk.table()[0]["Затраты, ч"] == 1
    officer.call("tasks.task.delete", taskId=number)
    desk.loop.stage.turn(days=1)
    desk.exported()
    assert desk.table()[0]["Затраты, ч"] == 1


def test_a_revoked_access_is_an_incident_until_it_is_given_back(desk: Desk) -> None:
    desk.book.access = "reader"
    status = desk.failed()
    assert "Google не пускает в таблицу" in status.trouble.ru
    assert "как редактору" in status.remedy.ru
    since = status.since
    desk.later()
    assert desk.failed().since == since
    desk.book.access = "writer"
    assert desk.look() is None
    desk.later()
    desk.exported()
    assert not desk.status().trouble
    assert len(desk.table()) == 1


def test_a_trouble_is_looked_after_though_nothing_is_left_to_write(desk: Desk) -> None:
    item = desk.item
    desk.exported()
    desk.book.access = "none"
    desk.loop.items._update(item, {"title": "Анализ: Садовая"})
    desk.later()
    desk.failed()
    desk.loop.stage.portal.as_user(ADMIN).call("crm.item.delete", entityTypeId=item.entity_type_id, id=item.id)
    desk.loop.stage.turn(minutes=15)
    desk.failed()  # the access is still missing


def test_a_deleted_sheet_is_an_incident_and_made_anew_by_a_full_export(desk: Desk) -> None:
    desk.exported()
    desk.book.sheets.remove(desk.sheet)
    desk.loop.begun()
    desk.later()
    assert "удалён" in desk.failed().trouble.ru
    done = desk.exported()
    assert (done.full, done.rows) == (True, 2)
    assert len(desk.table()) == 2
    assert not desk.status().trouble


def test_a_copied_row_is_emptied_and_a_full_export_follows(desk: Desk) -> None:
    item = desk.item
    desk.exported()
    at = len(desk.table()) + 1
    for column, cell in enumerate(list(desk.sheet.cells[1])):
        desk.sheet.put(at, column, cell)
    desk.loop.items._update(item, {"title": "Анализ: Садовая"})
    desk.loop.stage.turn(minutes=15)
    assert "Повторных строк очищено: 1" in desk.exported().notices[0].ru
    assert desk.exported().full
    assert desk.look() is None
    assert len(desk.table()) == 1


def test_a_quota_is_waited_for_and_a_longer_one_tried_again_when_google_says(desk: Desk) -> None:
    desk.fault("quota", "values.batchUpdate", times=2)
    desk.exported()
    assert len(desk.table()) == 1

    desk.loop.begun()
    desk.later()
    desk.fault("quota", times=None)
    assert "Квота" in desk.failed().trouble.ru
    desk.loop.stage.world.sheets.faults.clear()
    assert desk.look() is None
    desk.loop.stage.clock.advance(timedelta(minutes=1))
    desk.exported()
    assert len(desk.table()) == 2


def test_an_answer_that_does_not_tell_doubles_no_row(desk: Desk) -> None:
    desk.fault("committed500", "batchUpdate")
    desk.fault("lost_reply", "values.batchUpdate")
    desk.exported()
    assert len(desk.table()) == 1
    assert not desk.status().trouble


def test_two_exports_are_never_at_once_and_a_dead_one_is_followed(desk: Desk) -> None:
    stage = desk.loop.stage
    workshop, inner = stage.application.workshop, list[Exported]()

    def meanwhile(server: str, methods: tuple[str, ...]) -> None:
        if server == "sheets" and not inner:
            inner.append(exporting.export(workshop, desk.sleep))

    stage.world.before_request = meanwhile
    desk.exported()
    assert inner == [Exported("busy")]

    run = exporting._Export(workshop, workshop.settings.spreadsheet_id, "dead", desk.sleep)
    assert run._take()
    desk.later()
    assert desk.exported().rows == 0  # its right has ended


def test_a_full_export_by_hand_reads_every_card_and_tells_of_rows_that_are_gone(desk: Desk) -> None:
    item, _ = desk.item, desk.loop.begun()
    desk.exported()
    stage = desk.loop.stage
    kind = stage.portal.crm.items[item.entity_type_id]
    del kind[item.id]  # and no event told of it
    exports.ask(stage.application.workshop, "Ольга", "сверка", full=True)
    done = desk.exported()
    assert (done.full, done.rows) == (True, 1)
    assert "Строк без коррекции (она удалена на портале): 1" in [notice.ru for notice in done.notices]
    assert len(desk.table()) == 2
    assert stage.tie(CODE).enabled


def test_a_portal_that_does_not_answer_holds_no_export_up(desk: Desk) -> None:
    desk.loop.stage.portal.faults.add("error500", times=None)
    desk.exported()
    assert len(desk.table()) == 1
    assert desk.asked() != []


# By hand, and where it is seen ------------------------------------------------------------------------------------------


def api(desk: Desk, path: str, **body: Any) -> TestResponse:
    """Ask the operators' API; a body makes it a change."""
    web, headers = desk.loop.stage.application.web.test_client(), {"Authorization": "Bearer operators-token-of-tests"}
    if body:
        return web.post(f"/admin/api{path}", json=body, headers=headers)
    return web.get(f"/admin/api{path}", headers=headers)


def operator(desk: Desk) -> FlaskClient:
    """Sign in at the operators' pages."""
    web = desk.loop.stage.application.web.test_client()
    web.post("/admin/login", data={"who": "Ольга", "token": "operators-token-of-tests"})
    return web


def test_operators_ask_for_an_export_and_see_how_it_went(desk: Desk) -> None:
    desk.exported()
    assert api(desk, "/export", why="сверка", full=True).status_code == 202
    assert api(desk, "/export").json["asked_at"] is not None  # type: ignore[index]
    assert desk.exported().full
    told = api(desk, "/export").json
    assert told is not None
    assert (told["asked_at"], told["report"]["rows"], told["trouble"]) == (None, 1, None)
    (entry,) = [row for row in api(desk, "/audit").json["audit"] if row["what"] == "export"]  # type: ignore[index]
    assert (entry["why"], entry["details"]) == ("сверка", {"full": True})


def test_a_failing_export_is_seen_on_the_pages_by_monitoring_and_by_the_doctor(desk: Desk) -> None:
    workshop, web = desk.loop.stage.application.workshop, operator(desk)
    desk.book.access = "none"
    desk.failed()
    for page in ("/admin/incidents", "/admin/export"):
        shown = web.get(page).get_data(as_text=True)
        assert "Google не пускает в таблицу" in shown
        assert "как редактору" in shown
    assert "b24app_export_failing 1.0" in web.get("/metrics").get_data(as_text=True)
    assert [(f.code, f.level) for f in sheets(workshop)] == [("sheets", "broken")]

    desk.book.access = "writer"
    assert [(f.code, f.level) for f in sheets(workshop)] == [("sheets", "ok"), ("export", "broken")]
    page = web.get("/admin/export").get_data(as_text=True)
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    assert web.post("/admin/export", data={"csrf": found.group(1), "why": "доступ вернули"}).status_code == 303
    desk.exported()
    assert "Google не пускает" not in web.get("/admin/incidents").get_data(as_text=True)
    assert "Сбоев нет" in web.get("/admin/incidents").get_data(as_text=True)
    shown = web.get("/admin/export").get_data(as_text=True)
    assert "строк записано: 1 из 1" in shown
    assert ">работает<" in shown
    assert "b24app_export_failing 0.0" in web.get("/metrics").get_data(as_text=True)
    assert [(f.code, f.level) for f in sheets(workshop)] == [("sheets", "ok"), ("export", "ok")]
    desk.loop.stage.clock.advance(timedelta(hours=1))
    assert [(f.code, f.level) for f in sheets(workshop)] == [("sheets", "ok"), ("export", "warning")]


def test_half_of_the_settings_is_told_by_the_doctor(desk: Desk) -> None:
    workshop = desk.loop.stage.application.workshop
    settings = workshop.settings.model_copy(update={"sheets_url": ""})
    (half,) = sheets(replace(workshop, settings=settings))
    assert (half.level, "B24APP_SHEETS_CREDENTIALS" in half.text.en) == ("warning", True)
    (bad,) = sheets(replace(workshop, settings=settings.model_copy(update={"sheets_credentials": "/nowhere.json"})))
    assert (bad.level, "B24APP_SHEETS_CREDENTIALS" in bad.remedy.en) == ("broken", True)


def test_the_workbook_holds_the_same_rows_as_the_sheet(desk: Desk) -> None:
    desk.exported()
    stage = desk.loop.stage
    answer = operator(desk).get(f"/admin/portals/{stage.portal_id}/corrections.xlsx")
    book = read_back(answer.data)
    assert book.titles == ["Коррекции", "Сводка"]
    (row,) = desk.table()
    assert book.sheets[0] == [list(row), [cell if cell != "" else None for cell in row.values()]]
    assert answer.headers["Content-Disposition"] == "attachment; filename=corrections.xlsx"
    stranger = stage.application.web.test_client().get(f"/admin/portals/{stage.portal_id}/corrections.xlsx")
    assert stranger.status_code == 302


def test_the_command_exports_at_once(desk: Desk) -> None:
    web = desk.loop.stage.application.web
    web.extensions["b24app"] = desk.loop.stage.application
    runner = web.test_cli_runner()
    done = runner.invoke(app.export, ["--full"], obj=ScriptInfo(create_app=lambda: web))
    assert (done.exit_code, "Выгружено строк: 1" in done.output) == (0, True), done.output
    desk.book.access = "none"
    desk.loop.begun()
    failed = runner.invoke(app.export, [], obj=ScriptInfo(create_app=lambda: web))
    assert (failed.exit_code, "Google не пускает" in failed.output) == (1, True), failed.output
