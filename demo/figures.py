"""The figures of the corrections: the page of the head of quality, and the spreadsheet they are exported to."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import unescape
from html.parser import HTMLParser

import requests

from demo.corrections import HEAD_OF_QUALITY
from demo.quality import QUALITY_OFFICER
from demo.screens import TIMEOUT, Browser, Refused
from demo.walk import Walk

Lines = list[list[str]]
FIGURES = "/b24/app/figures"
SHOWN = ("Коррекция", "Ответственный", "Месяц", "Результат", "Мер принято", "Кругов согласования", "Затраты, ч")
HOURS, POINTS, COUNT = "15", "10", "2"
"""What people noted in the tasks of both corrections, what the second earned, and how many there are."""


class Grids(HTMLParser):
    """The sheets on a page of the pretend Sheets: by title, the texts of their cells; columns without any are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: dict[str, Lines] = {}
        self._into: str | None = None
        self._title = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a title, a row or a cell."""
        if tag == "h2":
            self._title = ""
        elif tag == "tr" and self._title:
            self.sheets.setdefault(self._title, []).append([])
        elif tag == "td":
            self.sheets[self._title][-1].append("")
        self._into = tag if tag in ("h2", "td") else None

    def handle_data(self, data: str) -> None:
        """Take up what is written in a title or a cell."""
        if self._into == "h2":
            self._title += data.strip()
        elif self._into == "td":
            self.sheets[self._title][-1][-1] += data.strip()

    def handle_endtag(self, tag: str) -> None:
        """End it."""
        self._into = None


def sheets(address: str) -> list[Lines]:
    """Read the sheets of a spreadsheet, each without empty rows; raises `Refused`."""
    reply = requests.get(address, timeout=TIMEOUT)
    if reply.status_code >= 400:
        raise Refused(f"GET {address}: {reply.status_code}")
    page = Grids()
    page.feed(reply.text)
    return [[line for line in lines if any(line)] for lines in page.sheets.values()]


def looked_at(walk: Walk) -> None:
    """Let the head of quality open the figures in the application; her officer is offered no such page."""
    tell = walk.tell
    tell.chapter("Показатели для руководителя отдела качества", "The figures for the head of quality")
    walk.say(
        HEAD_OF_QUALITY,
        "открывает приложение и нажимает «Показатели качества»",
        "opens the application and presses “Figures of quality”",
    )
    hers, his = Browser(), Browser()
    hers.post(*walk.portal.frame(walk.client_id, HEAD_OF_QUALITY))
    opened = walk.portal.requests()
    hers.submit(FIGURES)
    asked = walk.portal.requests() - opened
    totals = re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", hers.page)
    half = (len(totals) + 1) // 2
    for part in (totals[:half], totals[half:]):
        tell.note("; ".join(f"{unescape(name)}: {unescape(said)}" for name, said in part))
    tell.expect(
        f"разобрано коррекций: {COUNT}, графиков на странице: {hers.page.count('<svg')}",
        f"corrections analysed: {COUNT}, charts on the page: {hers.page.count('<svg')}",
        seen=dict(totals).get("Разобрано") == COUNT and "<svg" in hers.page,
        instead=totals,
    )
    cost = dict(totals).get("Затраты", "").removesuffix(" ч")
    tell.expect(f"затраты: {cost} ч", f"the cost: {cost} hours", seen=cost == f"{HOURS},0", instead=totals)
    tell.expect("портал не спрашивали ни о чём", "the portal was asked nothing", seen=asked == 0, instead=asked)
    his.post(*walk.portal.frame(walk.client_id, QUALITY_OFFICER))
    tell.expect("сотруднику отдела страница не предложена", "her officer is not offered it", seen=FIGURES not in his.page)


def exported(walk: Walk, look: Callable[[], str], address: str) -> None:
    """Have the clock look, and read the rows and the pivot table aloud."""
    tell = walk.tell
    tell.chapter("Выгрузка в Google Sheets", "The export to Google Sheets")
    tell.did(
        walk.clock(),
        tell.of("часы", "the clock"),
        tell.of("две коррекции завершены, пора выгружать", "two corrections have ended, it is time to export"),
    )
    tell.why(look())
    found = sheets(address)
    rows = next((lines for lines in found if lines and "Коррекция" in lines[0]), [])
    pivot = next((lines for lines in found if lines is not rows and any("Коррекций" in line for line in lines)), [])
    heads = rows[0] if rows else []
    places = [heads.index(name) for name in SHOWN if name in heads]
    table(walk, [[line[place] for place in places] for line in rows])
    tell.expect("в таблице по строке на коррекцию", "the sheet has a row for each", seen=len(rows) == 3, instead=rows)
    tell.note(tell.of("Сводная таблица по ответственным и месяцам:", "The pivot table by responsible and month:"))
    begin = next((n for n, line in enumerate(pivot) if "Коррекций" in line), 0)
    width = pivot[begin].index("Месяц", 2) - 1 if pivot and "Месяц" in pivot[begin][2:] else 9
    table(walk, [line[:width] for line in pivot[begin:] if any(line[:width])])
    totals = [line[2:5] for line in pivot if line[0] == "Общий итог"]
    tell.expect(
        f"итог сводной: коррекций {COUNT}, затраты {HOURS} ч, баллов {POINTS}",
        f"the pivot's total: {COUNT} corrections, {HOURS} hours, {POINTS} points",
        seen=totals == [[COUNT, f"{HOURS}.0", POINTS]],
        instead=totals or pivot,
    )


def table(walk: Walk, lines: Sequence[Sequence[str]]) -> None:
    """Print a table, columns as wide as their texts, long ones cut."""
    cut = [[cell if len(cell) <= 30 else f"{cell[:29]}…" for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*cut, strict=False)]
    for line in cut:
        walk.tell.write("      " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip())
