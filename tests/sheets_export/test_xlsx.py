"""The workbook, read back as the XML that Excel reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest

from b24app.core.figures import Correction, Source
from b24app.core.text import Lang
from sheets_export.columns import COLUMNS
from sheets_export.xlsx import HEADS, workbook
from tests.sheets_export.desk import OFFICE, correction

AT = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


@dataclass
class Opened:
    titles: list[str]
    sheets: list[list[list[str | float | None]]]
    formulas: int
    parts: list[str]


def opened(*rows: Correction, lang: Lang = "ru") -> Opened:
    return read_back(workbook(rows, OFFICE, lang, AT))


def read_back(book: bytes) -> Opened:
    """Read a workbook the way Excel does."""
    archive = ZipFile(BytesIO(book))
    shared = [
        "".join(text.text or "" for text in item.iter(f"{{{NS['m']}}}t"))
        for item in ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
    ]
    titles = [
        str(s.get("name")) for s in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{{{NS['m']}}}sheet")
    ]
    trees = [ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{n}.xml")) for n in (1, 2)]
    formulas = sum(len(tree.findall(".//m:f", NS)) for tree in trees)
    return Opened(titles, [_cells(tree, shared) for tree in trees], formulas, archive.namelist())


def _cells(tree: ElementTree.Element, shared: list[str]) -> list[list[str | float | None]]:
    made = []
    for row in tree.findall(".//m:row", NS):
        line: list[str | float | None] = []
        for cell in row.findall("m:c", NS):
            value = cell.findtext("m:v", None, NS)
            line.append(None if value is None else shared[int(value)] if cell.get("t") == "s" else float(value))
        made.append(line)
    return made


def test_the_workbook_has_all_columns_and_a_summary() -> None:
    book = opened(correction(1), correction(2), correction(3))

    assert book.titles == ["Коррекции", "Сводка"]
    assert book.sheets[0][0] == [column.title.ru for column in COLUMNS]
    first = dict(zip(book.sheets[0][0], book.sheets[0][1], strict=True))
    assert (first["Дата старта"], first["Ответственный"], first["Затраты, ч"]) == (46113.385417, "Петрова Анна", 2)
    assert len(book.sheets[0]) == 4


def test_the_summary_reads_by_people_months_pipelines_and_violations() -> None:
    _, summary = opened(correction(1), correction(2), correction(3)).sheets

    assert summary[0] == ["Сводка по коррекциям на 01.06.2026 12:30"]
    assert summary[1] == ["Ответственный", *(text.ru for text, _ in HEADS)]
    assert [line[0] for line in summary[2:6]] == ["Иванов Иван", "Петрова Анна", "Сидоров Пётр", "Всего"]
    assert summary[3][1:9] == [1, 1, 1, 2, 1.5, 0, 1, 0]
    assert summary[2][1:9] == [1, 0, 1, 2, 1.5, None, None, None]
    assert summary[5][1:4] == [3, 2, 3]
    assert [line[0] for line in summary[7:10]] == ["2026-05", "2026-06", "в работе"]
    assert "ошибка в документах" in [line[0] for line in summary]


def test_what_was_cancelled_or_has_no_pipeline_is_named_so() -> None:
    _, summary = opened(correction(1, cancelled=True), correction(2, source=Source(""))).sheets
    names = [line[0] for line in summary]
    assert "отменена" in names
    assert "не указано" in names
    assert "в работе" not in names


@pytest.mark.parametrize("text", ["=1+1", "+7", "-5", "@SUM(A1)", "https://example.org", "{=1}", "12", "\tx"])
def test_no_text_is_a_formula_a_link_or_a_number(text: str) -> None:
    book = opened(correction(1, title=text))

    assert book.formulas == 0
    assert book.sheets[0][1][1] == text
    assert not any("rels" in part and "sheet1" in part for part in book.parts)


def test_a_text_longer_than_excel_holds_is_cut() -> None:
    book = opened(correction(1, measures=("ж" * 40_000,)))
    assert max(len(cell) for cell in book.sheets[0][1] if isinstance(cell, str)) == 32_767


def test_an_empty_table_is_a_workbook_all_the_same() -> None:
    book = opened(lang="en")
    assert book.titles == ["Corrections", "Summary"]
    assert len(book.sheets[0]) == 1
