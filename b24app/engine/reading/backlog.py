"""Reading a long history: where more than a page is new, windows of ids are read, many in one request.

Pages by offset would skip rows when rows before them are deleted in between (closing rows are rewritten), and a page cannot
ask for "after the last row of the page before" inside one request without trusting references. Ids do not shift: a window of
ids is made to hold somewhat less than a page; one that is full all the same is read on.
Pages: api-reference/crm/crm-stage-history-list.md, settings/performance/huge-data.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from b24app.bitrix.answers import good
from b24app.bitrix.commands import BATCH_LIMIT, Command
from b24app.bitrix.gate import Gate
from b24app.bitrix.reading.items import items_in

PAGE = 50
WANTED = 42
"""Rows a window is made to hold: rows lie unevenly, and a full window costs another question."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """Ids above ``after`` up to ``until``."""

    after: int
    until: int


def windows(after: int, newest: int, rows_per_id: float, limit: int = BATCH_LIMIT) -> list[Window]:
    """Cut the ids above ``after`` into windows, as many as fit one request and none beyond ``newest``."""
    width = max(int(WANTED / max(rows_per_id, 1e-6)), 1)
    starts = range(after, newest, width)
    return [Window(start, min(start + width, newest)) for start in starts[:limit]]


@dataclass(slots=True)
class Backlog:
    """Reads what lies between two ids of one history; ``take`` stores the rows of one request after the other, by id.

    ``take`` also gets the id up to which everything has been read once these rows are stored.
    """

    gate: Gate
    ask: Callable[[int, int], Command]
    take: Callable[[Sequence[Row], int], None]

    def read(self, after: int, newest: int, rows_per_id: float) -> None:
        """Read on until ``newest``; raises the `PortalError` it met, with everything before it stored."""
        while after < newest:
            spans = windows(after, newest, rows_per_id)
            found = self._spans(spans)
            rows_per_id = max(found / (spans[-1].until - after), rows_per_id / 4)
            after = spans[-1].until

    def _spans(self, spans: Sequence[Window]) -> int:
        """Read windows, and what full ones left over, and store all of it in order; give how many rows there were."""
        rows: list[Row] = []
        asked = spans
        while asked:
            left: list[Window] = []
            for span, page in zip(asked, self._ask(asked), strict=True):
                rows += page
                if len(page) >= PAGE:
                    left.append(Window(max(int(row["ID"]) for row in page), span.until))
            asked = left
        self.take(sorted(rows, key=lambda row: int(row["ID"])), spans[-1].until)
        return len(rows)

    def _ask(self, spans: Sequence[Window]) -> list[list[dict[str, Any]]]:
        replies = self.gate.batch([self.ask(span.after, span.until) for span in spans])
        return [items_in(good(reply).result) for reply in replies]
