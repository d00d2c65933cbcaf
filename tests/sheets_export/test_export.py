"""Exports into a spreadsheet people work in, over the wire to the pretend Sheets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sandbox.sheets_change import change
from sandbox.sheets_grid import JSON, Formula
from sheets_export import plan as plan_module
from sheets_export.columns import COLUMNS, cells
from sheets_export.incidents import (
    AccessRevoked,
    KeyColumnGone,
    QuotaExhausted,
    RowsRepeated,
    SheetGone,
    SheetRenamed,
    SheetsRefused,
    SheetsUnreachable,
    SpreadsheetGone,
    SummaryGone,
)
from sheets_export.layout import fresh, new_corrections
from sheets_export.plan import KEYS_AT_ONCE, PAYLOAD, upsert
from sheets_export.reading import ExportState
from tests.sheets_export.desk import OFFICE, Desk, correction

ONE, TWO, THREE = correction(1), correction(2), correction(3)


def by_hand(desk: Desk, **request: JSON) -> None:
    """Do what people do in the browser."""
    change(desk.book, [request])


def sort_by(desk: Desk, code: str, order: str = "DESCENDING") -> None:
    area = {"sheetId": desk.sheet.id, "startRowIndex": 1}
    by_hand(desk, sortRange={"range": area, "sortSpecs": [{"dimensionIndex": desk.column(code), "sortOrder": order}]})


def move_column(desk: Desk, code: str, to: int) -> None:
    at = desk.column(code)
    span = {"sheetId": desk.sheet.id, "dimension": "COLUMNS", "startIndex": at, "endIndex": at + 1}
    by_hand(desk, moveDimension={"source": span, "destinationIndex": to})


def own_column(desk: Desk, at: int, head: str) -> None:
    desk.sheet.insert("COLUMNS", at, 1)
    desk.sheet.put(0, at, head)


def test_the_first_export_makes_both_sheets_and_all_rows(desk: Desk) -> None:
    report = desk.export(ONE, TWO, THREE)

    assert [sheet.title for sheet in desk.book.sheets] == ["Лист1", "Коррекции", "Сводка"]
    assert desk.heads == [column.title.ru for column in COLUMNS]
    assert list(desk.table()) == ["portal-1/T416_1", "portal-1/T416_2", "portal-1/T416_3"]
    assert desk.sheet.hidden_columns == {0}
    assert desk.sheet.frozen_rows == 1
    assert (report.written, report.calls) == (3, 3)


def test_a_row_says_when_who_what_and_how_long(desk: Desk) -> None:
    desk.export(ONE, THREE)

    row = desk.table()["portal-1/T416_1"]
    assert {head: row.get(head) for head in ("Дата старта", "Дата финализации", "Месяц", "Ответственный")} == {
        "Дата старта": 46113.385417,
        "Дата финализации": 46162.729167,
        "Месяц": "2026-05",
        "Ответственный": "Петрова Анна",
    }
    assert (row["Затраты, ч"], row["Анализ и формулирование, ч"], row["Анализ и формулирование, рабочих ч"]) == (2, 30, 12)
    assert (row["Результат"], row["A: корректно"], row["B: есть что улучшить"]) == ("B", 0, 1)
    assert row["Нарушения"] == "нарушение сроков; ошибка в документах"
    assert desk.cell(THREE.key, "month") == "в работе"
    assert desk.sheet.format_of(1, desk.column("started"))["numberFormat"]["pattern"] == "dd.mm.yyyy hh:mm"


def test_an_increment_costs_two_calls_and_three_with_new_rows(desk: Desk) -> None:
    desk.export(ONE, TWO, THREE)
    desk.methods()

    changed = desk.export(replace(TWO, stage="Изменения"))
    assert (changed.calls, desk.methods()) == (2, ["get", "values.batchUpdate"])
    added = desk.export(correction(4), replace(ONE, rounds=5))
    assert (added.calls, desk.methods()) == (3, ["get", "batchUpdate", "values.batchUpdate"])

    assert desk.cell(TWO.key, "stage") == "Изменения"
    assert desk.cell(ONE.key, "rounds") == 5
    assert list(desk.table())[-1] == correction(4).key


def test_nothing_to_export_costs_nothing(desk: Desk) -> None:
    assert desk.export().calls == 0


def test_a_value_that_became_empty_is_emptied(desk: Desk) -> None:
    desk.export(ONE)
    desk.export(replace(ONE, finished_at=None, grade=None, measures=()))
    assert [desk.cell(ONE.key, code) for code in ("finished", "grade", "grade_a", "measures")] == [None] * 4


@pytest.mark.parametrize("text", ["=1+1", "+7 900", "-5", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(1)", "'quoted", "1e5"])
def test_text_that_looks_like_a_formula_stays_text(desk: Desk, text: str) -> None:
    desk.export(replace(ONE, title=text, measures=(text,)))

    assert desk.cell(ONE.key, "title") == text
    assert not any(isinstance(cell, Formula) for line in desk.sheet.cells for cell in line)


def test_a_text_longer_than_a_cell_is_cut(desk: Desk) -> None:
    desk.export(replace(ONE, measures=("ж" * 60_000,)))
    assert len(str(desk.cell(ONE.key, "measures"))) == 50_000


def test_rows_sorted_by_hand_are_found_by_their_keys(desk: Desk) -> None:
    desk.export(ONE, TWO, THREE)
    sort_by(desk, "key")
    desk.export(replace(ONE, stage="Анализ"), correction(4))

    assert [desk.cell(c.key, "title") for c in (ONE, TWO, THREE)] == [c.title for c in (ONE, TWO, THREE)]
    assert list(desk.table()) == [THREE.key, TWO.key, ONE.key, correction(4).key]
    assert desk.cell(ONE.key, "stage") == "Анализ"


def test_columns_moved_by_hand_stay_where_they_were_put(desk: Desk) -> None:
    desk.export(ONE, TWO)
    move_column(desk, "stage", 1)
    move_column(desk, "key", 9)
    order = list(desk.heads)
    report = desk.export(replace(ONE, stage="Анализ"), THREE)

    assert desk.heads == order
    assert (desk.cell(ONE.key, "stage"), desk.cell(TWO.key, "title")) == ("Анализ", TWO.title)
    assert report.calls == 4
    assert desk.export(replace(ONE, stage="Формулирование"), correction(4)).calls == 3


def test_own_columns_are_never_touched(desk: Desk) -> None:
    desk.export(ONE, TWO)
    own_column(desk, 3, "Моя заметка")
    desk.sheet.put(1, 3, "важно")
    desk.sheet.put(2, 3, Formula("=B2"))
    desk.export(replace(ONE, stage="Анализ"), replace(TWO, stage="Анализ"), THREE, full=True)

    notes = {key: row.get("Моя заметка") for key, row in desk.table().items()}
    assert notes == {ONE.key: "важно", TWO.key: Formula("=B2"), THREE.key: None}
    assert desk.cell(TWO.key, "source") == TWO.source.title


def test_a_head_people_changed_stays_changed(desk: Desk) -> None:
    desk.export(ONE)
    at = desk.column("bonus")
    desk.sheet.put(0, at, "Премия")
    desk.export(replace(ONE, bonus=ONE.bonus + 1), TWO)

    assert desk.heads[at] == "Премия"
    assert [line[at] for line in desk.sheet.cells[1:3]] == [2.5, 1.5]
    assert len(desk.heads) == len(COLUMNS)


def test_columns_without_marks_are_known_by_their_heads(desk: Desk) -> None:
    desk.export(ONE)
    desk.sheet.column_metadata.clear()
    move_column(desk, "stage", 1)
    desk.export(replace(ONE, stage="Анализ"))

    assert len(desk.heads) == len(COLUMNS)
    assert desk.cell(ONE.key, "stage") == "Анализ"


def test_a_column_of_ours_that_was_deleted_comes_back_at_the_right_edge(desk: Desk) -> None:
    desk.export(ONE)
    own_column(desk, len(COLUMNS), "Моё")
    at = desk.column("stage")
    span = {"sheetId": desk.sheet.id, "dimension": "COLUMNS", "startIndex": at, "endIndex": at + 1}
    by_hand(desk, deleteDimension={"range": span})
    desk.export(ONE)

    assert desk.heads[-2:] == ["Моё", "Стадия"]
    assert desk.cell(ONE.key, "stage") == ONE.stage


def test_notes_under_the_table_move_down_with_it(desk: Desk) -> None:
    desk.export(ONE)
    desk.sheet.insert("ROWS", 2, 3)
    desk.sheet.put(3, 1, "Итого по мнению Анны")
    desk.export(TWO, THREE)

    assert [line[1] if len(line) > 1 else None for line in desk.sheet.cells[1:6]] == [
        ONE.title,
        TWO.title,
        THREE.title,
        None,
        "Итого по мнению Анны",
    ]


def test_a_table_cut_to_its_last_row_grows_all_the_same(desk: Desk) -> None:
    desk.export(ONE)
    desk.sheet.delete("ROWS", 2, desk.sheet.row_count)
    desk.export(TWO, THREE)

    assert list(desk.table()) == [ONE.key, TWO.key, THREE.key]
    assert desk.sheet.row_count == 5


def test_a_title_line_above_the_heads_does_no_harm(desk: Desk) -> None:
    desk.export(ONE)
    by_hand(
        desk,
        insertDimension={"range": {"sheetId": desk.sheet.id, "dimension": "ROWS", "startIndex": 0, "endIndex": 1}},
    )
    desk.sheet.put(0, 1, "Отдел качества")
    desk.export(replace(ONE, stage="Анализ"), TWO)

    assert [line[1] for line in desk.sheet.cells[:4]] == ["Отдел качества", "Коррекция", ONE.title, TWO.title]
    assert desk.pivot()[0][0] == "Ответственный"
    assert desk.pivot()[-1][2] == 2


def test_a_row_copied_by_hand_is_emptied_and_told(desk: Desk) -> None:
    desk.export(ONE, TWO)
    desk.sheet.insert("ROWS", 3, 1)
    for column, value in enumerate(list(desk.sheet.cells[1])):
        desk.sheet.put(3, column, value)
    report = desk.export(replace(ONE, stage="Анализ"))

    assert report.notices == (RowsRepeated(1),)
    assert list(desk.table()) == [ONE.key, TWO.key]
    assert set(desk.sheet.cells[3]) == {None}


def test_another_portal_has_rows_of_its_own_in_the_same_sheet(desk: Desk) -> None:
    desk.export(ONE, TWO)
    own, desk.state = desk.state, ExportState()
    desk.export(replace(ONE, portal="portal-2", title="Другая фирма"), full=True)

    assert desk.state.sheet == own.sheet
    assert [row["Коррекция"] for row in desk.table().values()] == [ONE.title, TWO.title, "Другая фирма"]


def test_what_a_full_export_did_not_bring_is_told_and_left(desk: Desk) -> None:
    desk.export(ONE, TWO)
    report = desk.export(ONE, full=True)

    assert report.strangers == (TWO.key,)
    assert TWO.key in desk.table()


def test_everything_is_found_again_without_any_memory(desk: Desk) -> None:
    desk.export(ONE, TWO)
    desk.state = ExportState()
    report = desk.export(replace(ONE, stage="Анализ"), THREE)

    assert [sheet.title for sheet in desk.book.sheets] == ["Лист1", "Коррекции", "Сводка"]
    assert list(desk.table()) == [ONE.key, TWO.key, THREE.key]
    assert report.notices == ()
    assert report.calls == 4


def test_a_sheet_of_other_people_with_our_title_is_left_alone(desk: Desk) -> None:
    by_hand(desk, addSheet={"properties": {"title": "коррекции"}})
    desk.export(ONE)

    assert [sheet.title for sheet in desk.book.sheets] == ["Лист1", "коррекции", "Коррекции 2", "Сводка"]
    assert desk.book.sheets[1].cells == []


def test_the_sheet_speaks_english_to_an_english_company(desk: Desk) -> None:
    desk.lang = "en"
    desk.export(THREE)
    assert [sheet.title for sheet in desk.book.sheets[1:]] == ["Corrections", "Summary"]
    assert desk.cell(THREE.key, "month") == "in progress"


# ------------------------------------------------------------------------------------------------ the pivot tables


def test_the_summary_counts_hours_points_and_quality_by_person_and_month(desk: Desk) -> None:
    desk.export_all([correction(number) for number in range(1, 7)])

    by_person, by_month = desk.pivot(0), desk.pivot(1)
    heads = ["Коррекций", "Затраты всего, ч", "Баллы", "Доля A", "Доля B", "Доля C", "Просрочка всего, дней"]
    assert by_person[0] == ["Ответственный", "Месяц", *heads]
    assert [line[:3] for line in by_person[1:]] == [
        ["Иванов Иван", "в работе", 2],
        ["Итого: Иванов Иван", None, 2],
        ["Петрова Анна", "2026-05", 2],
        ["Итого: Петрова Анна", None, 2],
        ["Сидоров Пётр", "2026-06", 2],
        ["Итого: Сидоров Пётр", None, 2],
        ["Общий итог", None, 6],
    ]
    assert by_person[3][2:] == [2, 4, 3, 0, 1, 0, 1]
    assert by_person[-1][2:5] == [6, 12, 9]
    assert [line[:2] for line in by_month] == [
        ["Месяц", "Коррекций"],
        ["2026-05", 2],
        ["2026-06", 2],
        ["в работе", 2],
        ["Общий итог", 6],
    ]


def test_the_pivot_grows_with_the_rows_and_keeps_what_people_changed(desk: Desk) -> None:
    desk.export(ONE, TWO)
    assert desk.state.summary is not None
    summary = desk.book.sheet(desk.state.summary)
    table = summary.pivots[2, 0]
    table["rows"][0]["sortOrder"] = "DESCENDING"
    table["rows"][0]["showTotals"] = False
    table["values"].append({"sourceColumnOffset": 4, "summarizeFunction": "COUNTUNIQUE", "name": "Сделок"})
    del table["values"][1]

    report = desk.export(THREE, correction(4))

    assert report.calls == 3
    grown = desk.pivot()
    assert grown[0][2:4] == ["Коррекций", "Баллы"]
    assert grown[0][-1] == "Сделок"
    assert [line[0] for line in grown if line[0] and "Итого" not in str(line[0])] == [
        "Ответственный",
        "Сидоров Пётр",
        "Петрова Анна",
        "Иванов Иван",
    ]


def test_the_pivot_follows_columns_that_were_moved(desk: Desk) -> None:
    desk.export(ONE, TWO, THREE)
    before = desk.pivot()
    move_column(desk, "responsible", 1)
    own_column(desk, 2, "Моё")
    assert desk.pivot() != before
    desk.export(ONE)
    assert desk.pivot() == before


def test_a_pivot_somebody_built_on_the_summary_grows_too(desk: Desk) -> None:
    desk.export(ONE)
    assert desk.state.summary is not None
    summary = desk.book.sheet(desk.state.summary)
    own = {**summary.pivots[2, 0], "rows": [], "values": [{"sourceColumnOffset": 0, "summarizeFunction": "COUNTA"}]}
    summary.pivots[2, 20] = own
    desk.export(TWO, THREE)
    assert desk.pivot(2)[-1] == [3]


def test_pivots_that_were_deleted_come_back_with_a_full_export_only(desk: Desk) -> None:
    desk.export(ONE)
    assert desk.state.summary is not None
    summary = desk.book.sheet(desk.state.summary)
    summary.pivots.clear()
    desk.export(TWO)
    assert summary.pivots == {}
    desk.export(ONE, TWO, full=True)
    assert sorted(summary.pivots) == [(2, 0), (2, 10)]


def test_a_table_without_rows_gets_its_pivots_with_the_first_row(desk: Desk) -> None:
    desk.export(full=True)
    assert desk.state.summary is not None
    assert desk.book.sheet(desk.state.summary).pivots == {}
    desk.export(ONE)
    assert desk.pivot()[-1][2] == 1


# ------------------------------------------------------------------------------------------------ when things go wrong


def test_too_many_requests_are_waited_for_and_continued(desk: Desk) -> None:
    desk.export(ONE)
    desk.world.sheets.fault("quota", "values.batchUpdate", times=3)
    desk.export(TWO, THREE)

    assert desk.waits == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8)]
    assert list(desk.table()) == [ONE.key, TWO.key, THREE.key]
    assert desk.cell(THREE.key, "title") == THREE.title


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


# ------------------------------------------------------------------------------------------------ size


def test_fifty_thousand_rows_cost_at_most_ten_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = cells(ONE, OFFICE, "ru")
    monkeypatch.setattr(plan_module, "cells", lambda row, calendar, lang: usual)
    rows = [correction(number) for number in range(1, 50_001)]
    listing, state = 1, ExportState(sheet=1, title="Коррекции", summary=2)
    plan = upsert(fresh(state), rows, OFFICE, "ru", first=new_corrections([], "ru")[0], pivots=True)

    assert listing + len(plan.changes) + len(plan.chunks) <= 10
    assert [key for chunk in plan.chunks for key in chunk.keys] == [row.key for row in rows]


def test_a_table_larger_than_six_pieces_is_written_in_larger_ones(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty thousand rows over the wire, everything a hundred times smaller."""
    monkeypatch.setattr(plan_module, "PAYLOAD", PAYLOAD // 100)
    monkeypatch.setattr(plan_module, "KEYS_AT_ONCE", KEYS_AT_ONCE // 100)
    rows = [correction(number) for number in range(1, 501)]
    first = desk.export_all(rows, full=True)
    sort_by(desk, "key")
    again = desk.export_all([replace(row, stage="Анализ") for row in rows], full=True)

    assert (first.calls, again.calls) == (9, 7)
    assert {key: row["Коррекция"] for key, row in desk.table().items()} == {row.key: row.title for row in rows}
    assert set(desk.values("stage")[:500]) == {"Анализ"}
    assert desk.pivot()[-1][2] == 500


def test_a_quota_in_the_middle_of_a_large_table_is_continued_where_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_module, "PAYLOAD", PAYLOAD // 100)
    rows = [correction(number) for number in range(1, 301)]
    desk.world.sheets.fault("quota", "values.batchUpdate", after=2)
    desk.export_all(rows, full=True)

    written = [
        len(r.body["data"][0]["values"])
        for r in desk.world.sheets.requests
        if r.method == "values.batchUpdate" and r.status == 200
    ]
    assert sum(written) == 300
    assert {key: row["Коррекция"] for key, row in desk.table().items()} == {row.key: row.title for row in rows}
