"""Projects of departments that take up changes: found by name or created, their kanban with the columns of the process.

Pages: api-reference/sonet-group/, api-reference/tasks/stages/. Nothing that is there is removed; the columns a new project
is delivered with are renamed, as the portal does not let them be deleted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from b24app.bitrix.commands import Command
from b24app.bitrix.errors import AuthLost, PortalError, PortalGone, Transient
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import as_map, count
from b24app.core.process import ProcessDef
from b24app.core.quality import Board
from b24app.core.text import LANGS, Lang, T, folded
from b24app.engine.notes import note_down, noted
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store.portals import Portal

BOARDS = "boards"
"""The note of the projects set up on a portal: Russian name -> number and columns."""
_MAKING = "making_board:"
_log = log("boards")


def set_up(workshop: Workshop, portal: Portal, process: ProcessDef, gate: Gate) -> Mapping[str, Board]:
    """Find or create the projects a process sends changes to, and their columns.

    A portal that refuses (no permission, no projects in its plan) is worked for without: tasks are given outside of
    projects. Raises ``Transient``, ``AuthLost`` and ``PortalGone`` as they come.
    """
    rule = process.corrections
    groups = {route.group.ru: route.group for route in rule.routes if route.group} if rule else {}
    boards = dict(known(portal))
    for name, group in groups.items():
        try:
            boards[name] = _Setting(workshop, portal, gate).board(group, rule.kanban if rule else ())
        except (Transient, AuthLost, PortalGone):
            raise
        except PortalError as refusal:
            _log.warning("a project could not be set up", portal=portal.host, group=name, error=str(refusal))
    if groups:
        told = {name: asdict(board) for name, board in boards.items()}
        with workshop.database.write() as connection:
            note_down(workshop, connection, portal.id, {BOARDS: told})
    return boards


def known(portal: Portal) -> Mapping[str, Board]:
    """Return the projects that were set up on a portal, by their Russian names."""
    kept = json.loads(portal.registered.get(BOARDS, "{}"))
    return {name: Board(int(told["group"]), tuple(told["columns"])) for name, told in kept.items()}


@dataclass(frozen=True, slots=True)
class _Column:
    id: int
    title: str
    fixed: bool


@dataclass(slots=True)
class _Setting:
    """One project on its way to a portal."""

    workshop: Workshop
    portal: Portal
    gate: Gate

    def board(self, group: T, columns: tuple[T, ...]) -> Board:
        lang = self.portal.settings.lang
        note = f"{_MAKING}{group.ru}"
        number = self._found(group)
        if number is None:
            with self.workshop.database.write() as connection:  # noted before: a reply may be lost
                note_down(self.workshop, connection, self.portal.id, {note: True})
            params = {"NAME": group.at(lang), "PROJECT": "Y", "VISIBLE": "Y", "OPENED": "Y"}
            number = int(self.gate.call(Command("sonet_group.create", params)).result)
        ours = noted(self.workshop, self.portal.id, note) is not None
        return Board(number, tuple(self._columns(number, columns, lang, ours=ours)))

    def _found(self, group: T) -> int | None:
        for lang in LANGS:
            reply = self.gate.call(Command("sonet_group.get", {"FILTER": {"NAME": group.at(lang)}, "IS_ADMIN": "Y"}))
            rows = reply.result if isinstance(reply.result, list) else []
            same = [row for row in rows if folded(str(row.get("NAME") or "")) == folded(group.at(lang))]
            if same:
                return min(int(row["ID"]) for row in same)
        return None

    def _columns(self, group: int, wanted: tuple[T, ...], lang: Lang, *, ours: bool) -> list[int]:
        """Put the columns in order: there already, one of a fresh project under a new name, or added behind the last."""
        there = self._there(group)
        names = {folded(title.at(any_lang)) for title in wanted for any_lang in LANGS}
        spare = [column for column in there if column.fixed and folded(column.title) not in names] if ours else []
        found: list[int] = []
        for place, title in enumerate(wanted):
            called = {folded(title.at(any_lang)) for any_lang in LANGS}
            number = next((column.id for column in there if folded(column.title) in called), None)
            last = place == len(wanted) - 1
            if number is None and spare and (place < 2 or last):
                number = self._renamed(spare.pop(-1 if last else 0), title.at(lang))
            if number is None:
                fields = {"TITLE": title.at(lang), "ENTITY_ID": group, "AFTER_ID": found[-1] if found else 0}
                number = int(self.gate.call(Command("task.stages.add", {"fields": fields, "isAdmin": "true"})).result)
            found.append(number)
        return found

    def _there(self, group: int) -> list[_Column]:
        result = self.gate.call(Command("task.stages.get", {"entityId": group, "isAdmin": "true"})).result
        rows = [as_map(row) for row in as_map(result).values()]
        rows.sort(key=lambda row: count(row.get("SORT")) or 0)
        return [_Column(int(row["ID"]), str(row.get("TITLE") or ""), bool(row.get("SYSTEM_TYPE"))) for row in rows]

    def _renamed(self, column: _Column, title: str) -> int:
        params = {"id": column.id, "fields": {"TITLE": title}, "isAdmin": "true"}
        self.gate.call(Command("task.stages.update", params))
        return column.id
