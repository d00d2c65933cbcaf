"""Exports into a spreadsheet people work in, over the wire to the pretend Sheets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.sheets_grid import Formula
from sheets_export.columns import COLUMNS
from sheets_export.incidents import (
    RowsRepeated,
)
from sheets_export.reading import ExportState
from tests.sheets_export.desk import Desk, by_hand, correction, move_column, own_column, sort_by

ONE, TWO, THREE = correction(1), correction(2), correction(3)


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
