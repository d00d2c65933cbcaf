"""The pivot tables: made once, kept as people changed them, and reading all rows after every export."""

from __future__ import annotations

from tests.sheets_export.desk import Desk, correction, move_column, own_column

ONE, TWO, THREE = correction(1), correction(2), correction(3)


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
