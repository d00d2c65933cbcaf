"""The pretend Sheets, with gspread itself as the client, against Google's description of its API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import gspread
import pytest
import requests
from gspread.exceptions import APIError
from gspread.utils import ValueRenderOption

from sandbox.clock import SandboxClock
from sandbox.serve import Running
from sandbox.sheets import sheets_app
from sandbox.sheets_grid import Book, Formula
from sandbox.world import World
from tests.sandbox.discovery import problems_of_answer, problems_of_request

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


class Turned(requests.Session):
    """A session that turns Google's address to the stand-in and holds every answer against the description."""

    def __init__(self, host: str) -> None:
        super().__init__()
        self.host = host
        self.found: list[str] = []

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **rest: Any) -> requests.Response:
        answer = super().request(
            method, str(url).replace("https://sheets.googleapis.com", f"http://{self.host}"), *args, **rest
        )
        if answer.ok:
            path = unquote(urlsplit(answer.url).path)
            self.found += problems_of_answer(str(method), path, answer.json())
        return answer


@dataclass
class Office:
    """A spreadsheet, gspread opened on it, and the world they live in."""

    world: World
    clock: SandboxClock
    book: Book
    session: Turned
    client: gspread.Client
    opened: gspread.Spreadsheet = field(init=False)

    def __post_init__(self) -> None:
        self.opened = self.client.open_by_key(self.book.id)

    @property
    def sheet(self) -> gspread.Worksheet:
        return self.opened.sheet1

    def change(self, **request: Any) -> Any:
        return self.opened.batch_update({"requests": [request]})


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[World, SandboxClock, str]]:
    clock = SandboxClock(START)
    world = World(clock)
    running = Running(world)
    yield world, clock, running.start(sheets_app(world))
    running.close()


@pytest.fixture
def office(served: tuple[World, SandboxClock, str]) -> Iterator[Office]:
    world, clock, host = served
    clock.advance(timedelta(minutes=2))
    world.sheets.faults.clear()
    session = Turned(host)
    client = gspread.Client(auth=None, session=session)  # type: ignore[arg-type]
    yield Office(world, clock, world.sheets.add("Отчёты"), session, client)
    session.close()
    asked = [problem for record in world.sheets.requests for problem in problems_of_request(record)]
    world.sheets.requests.clear()
    assert session.found == []
    assert asked == []
    assert world.complaints == []


def test_gspread_writes_and_reads_values(office: Office) -> None:
    office.sheet.update([["Имя", "Часы"], ["Анна", 7.5], ["=1+1", 3]], "A1")

    assert office.sheet.get_all_values() == [["Имя", "Часы"], ["Анна", "7.5"], ["=1+1", "3"]]
    assert office.sheet.get("A2:B3", value_render_option=ValueRenderOption.unformatted) == [["Анна", 7.5], ["=1+1", 3]]
    assert office.sheet.col_values(1) == ["Имя", "Анна", "=1+1"]
    assert office.book.sheets[0].at(2, 0) == "=1+1"


def test_what_is_entered_as_by_a_person_is_parsed(office: Office) -> None:
    office.sheet.update([["=1+1", "+7 900", "12", "0.5", "'=text", "TRUE"]], "A1", raw=False)

    row = office.book.sheets[0].cells[0]
    assert row == [Formula("=1+1"), Formula("=+7 900"), 12, 0.5, "=text", True]


def test_null_leaves_a_cell_alone_and_an_empty_text_clears_it(office: Office) -> None:
    office.sheet.update([["a", "b", "c"]], "A1")
    office.sheet.batch_update([{"range": "A1:C1", "values": [[None, "", "d"]]}])

    assert office.sheet.row_values(1) == ["a", "", "d"]


def test_a_range_outside_of_the_grid_or_of_no_sheet_is_refused(office: Office) -> None:
    for text, said in (("A1001", "exceeds grid limits"), ("Нет!A1", "Unable to parse range")):
        with pytest.raises(APIError, match=said):
            office.sheet.client.values_get(office.book.id, text)
    office.sheet.add_rows(5)
    office.sheet.update([["here"]], "A1005")
    assert office.sheet.acell("A1005").value == "here"


def test_a_refused_batch_changes_nothing(office: Office) -> None:
    with pytest.raises(APIError, match=r"requests\[1\].deleteSheet"):
        office.opened.batch_update(
            {"requests": [{"addSheet": {"properties": {"title": "Новый"}}}, {"deleteSheet": {"sheetId": 77}}]}
        )
    with pytest.raises(APIError, match="exceeds grid"):
        office.sheet.batch_update([{"range": "A1", "values": [["x"]]}, {"range": "ZZ1", "values": [["y"]]}])

    assert [sheet.title for sheet in office.opened.worksheets()] == ["Лист1"]
    assert office.sheet.get_all_values() == [[]]


def test_sheets_come_go_and_are_renamed(office: Office) -> None:
    made = office.opened.add_worksheet("Сводка", rows=10, cols=4)
    made.update_title("Итоги")
    made.freeze(rows=1)
    with pytest.raises(APIError, match="already exists"):
        office.opened.add_worksheet("итоги", rows=1, cols=1)
    office.opened.del_worksheet(office.sheet)

    assert [(s.title, s.row_count, s.col_count, s.frozen_row_count) for s in office.opened.worksheets()] == [
        ("Итоги", 10, 4, 1)
    ]


def test_rows_and_columns_are_inserted_moved_sorted_and_deleted(office: Office) -> None:
    office.sheet.update([["n", "k"], [3, "c"], [1, "a"], [2, "b"]], "A1")
    office.sheet.sort((1, "asc"), range="A2:B4")
    office.change(
        insertDimension={
            "range": {"sheetId": 0, "dimension": "COLUMNS", "startIndex": 1, "endIndex": 2},
            "inheritFromBefore": True,
        }
    )
    office.change(
        moveDimension={
            "source": {"sheetId": 0, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1},
            "destinationIndex": 3,
        }
    )
    office.sheet.delete_rows(3)

    assert office.sheet.get_all_values() == [["", "k", "n"], ["", "a", "1"], ["", "c", "3"]]


def test_metadata_of_a_column_travels_with_it(office: Office) -> None:
    location = {"dimensionRange": {"sheetId": 0, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1}}
    note = {"metadataKey": "column", "metadataValue": "hours", "visibility": "DOCUMENT", "location": location}
    office.change(createDeveloperMetadata={"developerMetadata": note})
    office.change(
        moveDimension={
            "source": {"sheetId": 0, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1},
            "destinationIndex": 3,
        }
    )

    fields = "sheets.data(columnMetadata.developerMetadata(metadataKey,metadataValue,location))"
    columns = office.sheet.client.spreadsheets_get(office.book.id, {"fields": fields})["sheets"][0]["data"][0][
        "columnMetadata"
    ]
    found = [(n, column["developerMetadata"][0]["metadataValue"]) for n, column in enumerate(columns) if column]
    assert found == [(2, "hours")]


def test_a_hidden_or_wide_column_stays_so_when_it_is_moved(office: Office) -> None:
    office.sheet.hide_columns(0, 1)
    span = {"sheetId": 0, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1}
    office.change(updateDimensionProperties={"range": span, "properties": {"pixelSize": 250}, "fields": "pixelSize"})
    office.change(moveDimension={"source": span, "destinationIndex": 2})

    fields = "sheets.data.columnMetadata(hiddenByUser,pixelSize)"
    columns = office.sheet.client.spreadsheets_get(office.book.id, {"fields": fields})["sheets"][0]["data"][0][
        "columnMetadata"
    ]
    assert columns[:2] == [{"pixelSize": 100}, {"pixelSize": 250, "hiddenByUser": True}]


def test_a_field_mask_and_ranges_cut_the_answer(office: Office) -> None:
    office.opened.add_worksheet("Другой", 5, 5)
    office.sheet.update([["a", 2, True]], "A1")
    params: dict[str, Any] = {
        "ranges": ["Лист1!1:1"],
        "fields": "sheets(properties.title,data.rowData.values.effectiveValue)",
    }

    assert office.sheet.client.spreadsheets_get(office.book.id, params) == {
        "sheets": [
            {
                "properties": {"title": "Лист1"},
                "data": [
                    {
                        "rowData": [
                            {
                                "values": [
                                    {"effectiveValue": {"stringValue": "a"}},
                                    {"effectiveValue": {"numberValue": 2}},
                                    {"effectiveValue": {"boolValue": True}},
                                ]
                            }
                        ]
                    }
                ],
            }
        ]
    }


PIVOT = {
    "source": {"sheetId": 0, "startRowIndex": 0, "endRowIndex": 5, "startColumnIndex": 0, "endColumnIndex": 3},
    "rows": [
        {"sourceColumnOffset": 0, "showTotals": True, "sortOrder": "ASCENDING", "label": "Кто"},
        {"sourceColumnOffset": 1, "showTotals": False, "sortOrder": "DESCENDING"},
    ],
    "values": [
        {"sourceColumnOffset": 2, "summarizeFunction": "SUM", "name": "Часы"},
        {"sourceColumnOffset": 2, "summarizeFunction": "AVERAGE"},
    ],
}


def pivot(office: Office, definition: dict[str, Any]) -> None:
    cell = {"values": [{"pivotTable": definition}]}
    start = {"sheetId": 0, "rowIndex": 0, "columnIndex": 5}
    office.change(updateCells={"rows": [cell], "start": start, "fields": "pivotTable"})


def test_a_pivot_table_sums_what_it_reads_and_grows_with_rows_put_into_its_range(office: Office) -> None:
    office.sheet.update([["who", "month", "h"], ["b", "05", 1], ["a", "05", 2], ["a", "06", 4], ["b", "05", 5]], "A1")
    pivot(office, PIVOT)
    assert office.sheet.get("F1:I10") == [
        ["Кто", "month", "Часы", "AVERAGE of h"],
        ["a", "06", "4", "4"],
        ["", "05", "2", "2"],
        ["b", "05", "6", "3"],
        ["Общий итог", "", "12", "3"],
    ]

    office.change(insertDimension={"range": {"sheetId": 0, "dimension": "ROWS", "startIndex": 2, "endIndex": 3}})
    office.sheet.update([["a", "06", 10]], "A3")
    assert office.sheet.get("F2:H2") == [["a", "06", "14"]]
    assert office.book.sheets[0].pivots[0, 5]["source"]["endRowIndex"] == 6


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({**PIVOT, "source": {"sheetId": 9}}, "No grid with id: 9"),
        ({**PIVOT, "values": [{"sourceColumnOffset": 7, "summarizeFunction": "SUM"}]}, "sourceColumnOffset"),
        ({**PIVOT, "columns": [{"sourceColumnOffset": 0}]}, "column groups"),
    ],
)
def test_a_pivot_table_that_cannot_be_is_refused(office: Office, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(APIError, match=said):
        pivot(office, wrong)


def test_the_quota_of_a_minute_is_sixty_writes_and_sixty_reads(office: Office) -> None:
    sheet = office.sheet
    office.clock.advance(timedelta(minutes=2))
    for _ in range(60):
        sheet.update([["x"]], "A1")
    with pytest.raises(APIError, match="Write requests per minute per user") as refused:
        sheet.update([["y"]], "A1")

    assert (refused.value.response.status_code, refused.value.error["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert sheet.acell("A1").value == "x"
    office.clock.advance(timedelta(seconds=61))
    sheet.update([["y"]], "A1")
    assert sheet.acell("A1").value == "y"


def test_faults_strike_before_and_after_the_work(office: Office) -> None:
    sheet = office.sheet
    for kind, done in (("quota", ""), ("error503", ""), ("error500", ""), ("committed500", "committed500")):
        office.world.sheets.fault(kind, "values.update")
        with pytest.raises(APIError):
            sheet.update([[kind]], "A1")
        assert (sheet.acell("A1").value or "") == done
    for kind, done in (("hang_up", "committed500"), ("lost_reply", "lost_reply")):
        office.world.sheets.fault(kind, "values.update")
        with pytest.raises(requests.ConnectionError):
            sheet.update([[kind]], "A1")
        assert sheet.acell("A1").value == done
    with pytest.raises(ValueError, match="unknown fault"):
        office.world.sheets.fault("earthquake")


def test_a_spreadsheet_that_is_gone_or_not_shared_is_not_given(office: Office) -> None:
    sheet = office.sheet
    office.book.access = "reader"
    with pytest.raises(APIError) as readonly:
        sheet.update([["x"]], "A1")
    office.book.access = "none"
    with pytest.raises(APIError) as denied:
        sheet.acell("A1")
    with pytest.raises(gspread.SpreadsheetNotFound):
        office.client.open_by_key("nowhere")

    assert [refusal.value.response.status_code for refusal in (readonly, denied)] == [403, 403]


def test_the_page_shows_every_sheet_with_its_pivot_and_no_markup_of_a_cell(office: Office) -> None:
    office.sheet.update(
        [["who", "month", "h"], ["<b>Иван</b>", "05", 1], ["a", "05", 2], ["a", "06", 4], ["b", "05", 5]], "A1"
    )
    pivot(office, PIVOT)

    page = requests.get(f"http://{office.session.host}/spreadsheets/d/{office.book.id}", timeout=5).text

    assert "&lt;b&gt;Иван&lt;/b&gt;" in page
    assert "<td>Общий итог</td>" in page
    assert "Отчёты" in requests.get(f"http://{office.session.host}/", timeout=5).text
