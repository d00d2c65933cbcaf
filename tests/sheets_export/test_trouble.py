"""Quotas, doubtful answers, and people who rename, delete and revoke."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sheets_export.incidents import (
    AccessRevoked,
    KeyColumnGone,
    QuotaExhausted,
    SheetGone,
    SheetRenamed,
    SheetsRefused,
    SheetsUnreachable,
    SpreadsheetGone,
    SummaryGone,
)
from tests.sheets_export.desk import Desk, by_hand, correction, sort_by

ONE, TWO, THREE = correction(1), correction(2), correction(3)


def test_too_many_requests_are_waited_for_and_continued(desk: Desk) -> None:
    desk.export(ONE)
    desk.world.sheets.fault("quota", "values.batchUpdate", times=3)
    desk.export(TWO, THREE)

    assert desk.waits == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8)]
    assert list(desk.table()) == [ONE.key, TWO.key, THREE.key]
    assert desk.cell(THREE.key, "title") == THREE.title


def test_a_full_spreadsheet_is_told_and_nothing_is_half_written(desk: Desk) -> None:
    desk.export(ONE)
    other = desk.book.sheets[0]
    other.row_count += (10_000_000 - desk.book.size) // other.column_count
    with pytest.raises(SheetsRefused, match="limit of 10000000 cells") as incident:
        desk.export(TWO)
    assert "удалите лишние листы" in incident.value.remedy.ru
    assert list(desk.table()) == [ONE.key]

    desk.book.sheets[0].row_count = 1000
    desk.export(TWO)
    assert list(desk.table()) == [ONE.key, TWO.key]


def test_a_quota_that_stays_used_up_ends_with_when_to_come_again(desk: Desk) -> None:
    desk.export(ONE)
    desk.world.sheets.fault("quota", "*", times=None)
    with pytest.raises(QuotaExhausted) as incident:
        desk.export(TWO)
    assert incident.value.retry_after == timedelta(minutes=1)
    assert sum(desk.waits, timedelta()) <= timedelta(seconds=75)

    desk.world.sheets.faults.clear()
    desk.export(TWO)
    assert list(desk.table()) == [ONE.key, TWO.key]


@pytest.mark.parametrize("kind", ["committed500", "lost_reply", "error500", "error503", "hang_up"])
@pytest.mark.parametrize("method", ["batchUpdate", "values.batchUpdate"])
def test_an_answer_that_does_not_tell_neither_doubles_nor_shifts_a_row(desk: Desk, kind: str, method: str) -> None:
    desk.export(ONE, TWO)
    desk.world.sheets.fault(kind, method)
    desk.export(replace(ONE, stage="Анализ"), THREE, correction(4))

    assert {key: row["Коррекция"] for key, row in desk.table().items()} == {
        c.key: c.title for c in (ONE, TWO, THREE, correction(4))
    }
    assert desk.cell(ONE.key, "stage") == "Анализ"
    assert desk.sheet.row_count == 6


@pytest.mark.parametrize("kind", ["committed500", "error500", "hang_up", "quota"])
def test_the_first_export_survives_a_doubtful_answer(desk: Desk, kind: str) -> None:
    desk.world.sheets.fault(kind, "batchUpdate")
    desk.export(ONE, TWO)

    assert [sheet.title for sheet in desk.book.sheets] == ["Лист1", "Коррекции", "Сводка"]
    assert list(desk.table()) == [ONE.key, TWO.key]
    assert desk.pivot()[-1][2] == 2


def test_rows_sorted_while_we_wait_are_found_again(desk: Desk) -> None:
    desk.export(ONE, TWO, THREE)
    desk.world.sheets.fault("committed500", "values.batchUpdate")
    desk.while_waiting.append(lambda: sort_by(desk, "key"))
    desk.export(replace(ONE, stage="Анализ"), replace(TWO, stage="Анализ"), correction(4))

    titles = {key: row["Коррекция"] for key, row in desk.table().items()}
    assert titles == {c.key: c.title for c in (ONE, TWO, THREE, correction(4))}
    assert desk.cell(TWO.key, "stage") == "Анализ"


def test_a_google_that_does_not_answer_ends_with_when_to_come_again(desk: Desk) -> None:
    desk.world.sheets.fault("error503", "*", times=None)
    with pytest.raises(SheetsUnreachable) as incident:
        desk.export(ONE)
    assert incident.value.retry_after == timedelta(minutes=1)
    assert "HTTP 503" in incident.value.text.ru


def test_a_renamed_sheet_is_found_by_its_id_and_told(desk: Desk) -> None:
    desk.export(ONE)
    desk.sheet.title = "Качество '26"
    report = desk.export(TWO)

    assert report.notices == (SheetRenamed("Коррекции", "Качество '26"),)
    assert "Качество" in report.notices[0].text.en
    assert list(desk.table()) == [ONE.key, TWO.key]
    assert desk.export(THREE).notices == ()


def test_a_new_sheet_under_the_old_title_does_not_mislead(desk: Desk) -> None:
    desk.export(ONE)
    desk.sheet.title = "Архив"
    by_hand(desk, addSheet={"properties": {"title": "Коррекции"}})
    desk.export(TWO)

    assert desk.sheet.title == "Архив"
    assert list(desk.table()) == [ONE.key, TWO.key]


def test_a_deleted_sheet_is_an_incident_until_everything_is_exported(desk: Desk) -> None:
    desk.export(ONE)
    by_hand(desk, deleteSheet={"sheetId": desk.sheet.id})
    with pytest.raises(SheetGone) as incident:
        desk.export(TWO)
    assert "Полная выгрузка" in incident.value.text.ru

    desk.export(ONE, TWO, full=True)
    assert list(desk.table()) == [ONE.key, TWO.key]
    assert desk.sheet.title == "Коррекции"


def test_a_deleted_summary_is_told_once_and_made_anew_by_a_full_export(desk: Desk) -> None:
    desk.export(ONE)
    assert desk.state.summary is not None
    by_hand(desk, deleteSheet={"sheetId": desk.state.summary})

    assert desk.export(TWO).notices == (SummaryGone("Сводка"),)
    assert desk.export(THREE).notices == ()
    desk.sheet.title = "Иначе"
    desk.export(ONE)
    assert len(desk.book.sheets) == 2
    desk.export(ONE, TWO, THREE, full=True)
    assert desk.pivot()[-1][2] == 3


def test_without_the_key_column_nothing_is_written(desk: Desk) -> None:
    desk.export(ONE)
    by_hand(
        desk,
        deleteDimension={"range": {"sheetId": desk.sheet.id, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1}},
    )
    before = [list(line) for line in desk.sheet.cells]
    with pytest.raises(KeyColumnGone):
        desk.export(TWO, full=True)
    assert desk.sheet.cells == before


def test_revoked_access_and_a_missing_spreadsheet_are_told_apart(desk: Desk) -> None:
    desk.export(ONE)
    for access in ("reader", "none"):
        desk.book.access = access
        with pytest.raises(AccessRevoked, match="does not have permission"):
            desk.export(TWO)
    desk.world.sheets.books.pop(desk.book.id)
    with pytest.raises(SpreadsheetGone) as gone:
        desk.export(TWO)
    assert desk.book.id in gone.value.text.ru


def test_a_refusal_that_stays_is_told_with_google_s_words(desk: Desk) -> None:
    desk.export(ONE)
    assert desk.state.summary is not None
    pivot = desk.book.sheet(desk.state.summary).pivots[2, 0]
    pivot["columns"] = [{"sourceColumnOffset": 9}]
    with pytest.raises(SheetsRefused, match="column groups"):
        desk.export(TWO)
