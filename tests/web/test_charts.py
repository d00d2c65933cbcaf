from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from b24app.web.charts import FEW, HEAD, PLOT, Row, bars, columns

AMOUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=40)


def rows(amounts: list[tuple[int, int]]) -> list[Row]:
    return [
        Row(f"{2020 + n // 12}-{n % 12 + 1:02}", str(sum(parts)), {"good": parts[0], "bad": parts[1]})
        for n, parts in enumerate(amounts)
    ]


def test_the_longest_bar_is_as_wide_as_the_page_and_the_others_in_proportion() -> None:
    found = bars([Row("a", "4", {"good": 3, "bad": 1}), Row("b", "1", {"good": 0, "bad": 1}), Row("c", "0", {})])
    assert [[(piece.kind, piece.start, piece.length) for piece in bar.pieces] for bar in found] == [
        [("good", 0, 75), ("bad", 75, 25)],
        [("bad", 0, 25)],
        [],
    ]


def test_columns_stand_on_the_floor_and_the_line_has_their_scale() -> None:
    found = columns([Row("2026-05", "2", {"cost": 2}), Row("2026-06", "4", {"cost": 4})], [2, 1])
    assert [(column.left, column.width, column.top) for column in found.columns] == [(19, 12, HEAD + 60), (69, 12, HEAD)]
    assert [column.year for column in found.columns] == ["2026", ""]
    assert found.line == ((25, HEAD + 60, 75, HEAD + 90),)


@given(AMOUNTS)
def test_nothing_leaves_the_chart_and_few_columns_are_named(amounts: list[tuple[int, int]]) -> None:
    lying, standing = bars(rows(amounts)), columns(rows(amounts))
    for bar in lying:
        assert all(piece.start >= 0 and piece.start + piece.length <= 100.01 for piece in bar.pieces)
    for column in standing.columns:
        assert column.left >= 0
        assert column.left + column.width <= 100
        assert all(piece.start >= HEAD - 0.1 and piece.start + piece.length <= HEAD + PLOT + 0.2 for piece in column.pieces)
    assert sum(column.named for column in standing.columns) <= FEW
