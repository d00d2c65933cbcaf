"""Large tables within the quota."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sheets_export import plan as plan_module
from sheets_export.columns import cells
from sheets_export.layout import fresh, new_corrections
from sheets_export.plan import KEYS_AT_ONCE, PAYLOAD, upsert
from sheets_export.reading import ExportState
from tests.sheets_export.desk import OFFICE, Desk, correction, sort_by

ONE, TWO, THREE = correction(1), correction(2), correction(3)


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
