"""A pretend Google Sheets: the API v4 as gspread speaks it, its quota and its faults, and a page to look at.

Source: developers.google.com/workspace/sheets/api/reference/rest; shapes are checked against Google's discovery
description in the tests. Nobody signs in here: a spreadsheet's own ``access`` says what the caller may do.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from flask import Flask, Response, request

from sandbox import sheets_page
from sandbox.errors import Cut
from sandbox.faults import Fault
from sandbox.sheets_answer import spreadsheet
from sandbox.sheets_change import change
from sandbox.sheets_grid import JSON, Book, Refused, Sheet
from sandbox.sheets_values import clear, read, write

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from sandbox.world import World

KINDS = ("quota", "error500", "error503", "committed500", "hang_up", "lost_reply")
"""429, 500, 503, work done and 500 all the same, no answer, work done and no answer."""

MINUTE = timedelta(minutes=1)
ERRORS = {
    "error500": Refused("Internal error encountered.", 500, "INTERNAL"),
    "error503": Refused("The service is currently unavailable.", 503, "UNAVAILABLE"),
    "committed500": Refused("Internal error encountered.", 500, "INTERNAL"),
}


@dataclass(slots=True)
class SheetsRequest:
    """One request that came: HTTP verb, path, query, body, the method of the API it meant, and the status answered."""

    verb: str
    path: str
    query: Mapping[str, list[str]]
    body: Any
    method: str
    at: datetime
    size: int = 0
    status: int = 0


@dataclass(slots=True)
class Sheets:
    """All pretend spreadsheets. ``quota`` is requests a minute, reads and writes apart; None is no quota."""

    world: World
    books: dict[str, Book] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: deque[SheetsRequest] = field(default_factory=lambda: deque(maxlen=500))
    quota: int | None = 60
    _hits: dict[str, deque[datetime]] = field(default_factory=dict)

    def add(self, title: str, book_id: str = "") -> Book:
        """Create a spreadsheet with one empty sheet, shared with the caller."""
        made = Book(book_id or self.world.hex(44), title, sheets=[Sheet(0, "Лист1")])
        self.books[made.id] = made
        return made

    def fault(self, kind: str, method: str = "*", *, after: int = 0, times: int | None = 1) -> Fault:
        """Switch a fault on; raises ``ValueError`` for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join(KINDS)}")
        self.faults.append(Fault(kind, method, after, times))
        return self.faults[-1]

    def strike(self, method: str) -> str:
        """Give the kind of fault that hits this request, or an empty text."""
        return next((fault.kind for fault in self.faults if fault.matches((method,))), "")

    def hit(self, kind: str) -> None:
        """Count a read or a write; raises `Refused` above the quota of the last minute."""
        hits, now = self._hits.setdefault(kind, deque()), self.world.now()
        while hits and hits[0] <= now - MINUTE:
            hits.popleft()
        if self.quota is not None and len(hits) >= self.quota:
            raise over_quota(kind)
        hits.append(now)


def over_quota(kind: str) -> Refused:
    """Give Google's refusal of one request too many."""
    word = f"{kind} requests"
    limit = f"'{word}' and limit '{word} per minute per user' of service 'sheets.googleapis.com'"
    return Refused(f"Quota exceeded for quota metric {limit} for consumer 'project_number:1'.", 429, "RESOURCE_EXHAUSTED")


class Handler(Protocol):
    """Does one method of the API to a spreadsheet; ``tail`` is what the path names after ``values/``."""

    def __call__(self, book: Book, tail: str, body: JSON) -> JSON: ...


def _get(book: Book, tail: str, body: JSON) -> JSON:
    grid = request.args.get("includeGridData", "").lower() == "true"
    return spreadsheet(book, request.args.getlist("ranges"), grid, request.args.get("fields", ""), request.host)


def _values_get(book: Book, tail: str, body: JSON) -> JSON:
    return read(book, tail, _render(), request.args.get("majorDimension", "ROWS"))


def _values_batch_get(book: Book, tail: str, body: JSON) -> JSON:
    dimension = request.args.get("majorDimension", "ROWS")
    found = [read(book, text, _render(), dimension) for text in request.args.getlist("ranges")]
    return {"spreadsheetId": book.id, "valueRanges": found}


def _render() -> Any:
    return request.args.get("valueRenderOption", "FORMATTED_VALUE")


def _values_update(book: Book, tail: str, body: JSON) -> JSON:
    if body.setdefault("range", tail) != tail:
        raise Refused(f"Requested writing within range [{tail}], but got [{body['range']}]")
    return write(book, body, request.args.get("valueInputOption", ""))


def _values_batch_update(book: Book, tail: str, body: JSON) -> JSON:
    kept = book.copied()
    try:
        done = [write(book, part, body.get("valueInputOption", "")) for part in body.get("data", [])]
    except Refused:
        book.restore(kept)
        raise
    sums = {f"totalUpdated{n}": sum(part[f"updated{n}"] for part in done) for n in ("Rows", "Columns", "Cells")}
    sheets = {part["updatedRange"].rpartition("!")[0] for part in done}
    return {"spreadsheetId": book.id, **sums, "totalUpdatedSheets": len(sheets), "responses": done}


def _values_batch_clear(book: Book, tail: str, body: JSON) -> JSON:
    return {"spreadsheetId": book.id, "clearedRanges": [clear(book, text) for text in body.get("ranges", [])]}


def _batch_update(book: Book, tail: str, body: JSON) -> JSON:
    return {"spreadsheetId": book.id, "replies": change(book, body.get("requests", []))}


METHODS: tuple[tuple[str, str, re.Pattern[str], Handler], ...] = (
    ("get", "GET", re.compile(r"([^/:]+)()"), _get),
    ("batchUpdate", "POST", re.compile(r"([^/:]+):batchUpdate()"), _batch_update),
    ("values.batchGet", "GET", re.compile(r"([^/:]+)/values:batchGet()"), _values_batch_get),
    ("values.batchUpdate", "POST", re.compile(r"([^/:]+)/values:batchUpdate()"), _values_batch_update),
    ("values.batchClear", "POST", re.compile(r"([^/:]+)/values:batchClear()"), _values_batch_clear),
    ("values.get", "GET", re.compile(r"([^/:]+)/values/(.+)"), _values_get),
    ("values.update", "PUT", re.compile(r"([^/:]+)/values/(.+)"), _values_update),
)


def sheets_app(world: World) -> Flask:
    """Build the web application of the pretend Sheets."""
    app = Flask("sandbox.sheets")
    app.config["PROPAGATE_EXCEPTIONS"] = True
    sheets_page.register(app, world)

    @app.route("/v4/spreadsheets/<path:rest>", methods=["GET", "POST", "PUT"])
    def call(rest: str) -> ResponseReturnValue:
        body = request.get_json(force=True, silent=True) if request.get_data() else None
        for method, verb, pattern, handler in METHODS:
            match = pattern.fullmatch(rest)
            if match and verb == request.method:
                return _answer(world, method, match.group(1), partial(handler, tail=match.group(2), body=body or {}), body)
        world.complain(f"the pretend Sheets knows no {request.method} {rest}")
        return _reply(Refused("Requested entity was not found.", 404, "NOT_FOUND").body(), 404)

    return app


def _answer(world: World, method: str, book_id: str, work: Callable[[Book], JSON], body: Any) -> Response:
    """Answer one request, with everything that may go wrong on its way."""
    sheets, query = world.sheets, request.args.to_dict(flat=False)
    with world.lock:
        size = request.content_length or 0
        record = SheetsRequest(request.method, request.path, query, body, method, world.now(), size)
        sheets.requests.append(record)
        if world.before_request:
            world.before_request("sheets", (method,))
        fault = sheets.strike(method)
        if fault == "hang_up":
            raise Cut
        try:
            answer, record.status = _done(sheets, book_id, method, fault, work), 200
        except Refused as refusal:
            answer, record.status = refusal.body(), refusal.status
        if world.after_request:
            world.after_request("sheets", (method,))
    if fault == "lost_reply":
        raise Cut
    return _reply(answer, record.status)


def _done(sheets: Sheets, book_id: str, method: str, fault: str, work: Callable[[Book], JSON]) -> JSON:
    reads = method in ("get", "values.get", "values.batchGet")
    kind = "Read" if reads else "Write"
    if fault == "quota":
        raise over_quota(kind)
    sheets.hit(kind)
    if fault in ("error500", "error503"):
        raise ERRORS[fault]
    book = sheets.books.get(book_id)
    if book is None:
        raise Refused("Requested entity was not found.", 404, "NOT_FOUND")
    if book.access == "none" or (book.access == "reader" and not reads):
        raise Refused("The caller does not have permission", 403, "PERMISSION_DENIED")
    answer = work(book)
    if fault == "committed500":
        raise ERRORS[fault]
    return answer


def _reply(body: JSON, status: int) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")
