"""Projects of departments that take up changes: found by name or created, their kanban with the columns of the process.

Pages: api-reference/sonet-group/, api-reference/tasks/stages/. Nothing that is there is removed; the columns a new project
is delivered with are renamed, as the portal does not let them be deleted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from b24app.bitrix.commands import Command
from b24app.bitrix.errors import AuthLost, PortalError, PortalGone, Transient
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import Reply, as_map, count
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
    """Find or create the projects a process sends changes to, and their columns: four requests at most.

    A portal that refuses (no permission, no projects in its plan) is worked for without: tasks are given outside of
    projects. Raises ``Transient``, ``AuthLost`` and ``PortalGone`` as they come.
    """
    rule = process.corrections
    groups = {route.group.ru: route.group for route in rule.routes if route.group} if rule else {}
    if rule is None or not groups:
        return known(portal)
    boards = {**known(portal), **_Setting(workshop, portal, gate, rule.kanban).boards(groups)}
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
    """The projects on their way to a portal, all of them step by step."""

    workshop: Workshop
    portal: Portal
    gate: Gate
    kanban: tuple[T, ...]

    @property
    def lang(self) -> Lang:
        return self.portal.settings.lang

    def boards(self, groups: Mapping[str, T]) -> dict[str, Board]:
        numbers = self._found(groups)
        numbers |= self._made({name: group for name, group in groups.items() if numbers.get(name, 0) is None})
        there = {name: number for name, number in numbers.items() if number is not None}
        asking = [Command("task.stages.get", {"entityId": number, "isAdmin": "true"}) for number in there.values()]
        read = zip(there.items(), self._ask(asking), strict=True)
        plans = {name: self._plan(name, number, _columns_in(reply.result)) for (name, number), reply in read if reply}
        replies = iter(self._ask([command for plan in plans.values() for command in plan.commands]))
        return {
            name: Board(there[name], plan.columns([next(replies) for _ in plan.commands])) for name, plan in plans.items()
        }

    def _found(self, groups: Mapping[str, T]) -> dict[str, int | None]:
        """Return the number of each project, None for one that is missing; those the portal does not tell are left out."""
        asked = [(name, group.at(lang)) for name, group in groups.items() for lang in LANGS]
        filters = ({"FILTER": {"NAME": called}, "IS_ADMIN": "Y"} for _, called in asked)
        found: dict[str, int | None] = {}
        for (name, called), reply in zip(asked, self._ask([Command("sonet_group.get", f) for f in filters]), strict=True):
            if reply is None:
                continue
            rows = reply.result if isinstance(reply.result, list) else []
            same = [int(row["ID"]) for row in rows if folded(str(row.get("NAME") or "")) == folded(called)]
            found[name] = found.get(name) or (min(same) if same else None)
        return found

    def _made(self, groups: Mapping[str, T]) -> dict[str, int | None]:
        """Create projects; noted before, so that one whose reply was lost is known to be ours."""
        if not groups:
            return {}
        with self.workshop.database.write() as connection:
            note_down(self.workshop, connection, self.portal.id, {f"{_MAKING}{name}": True for name in groups})
        fresh = {"PROJECT": "Y", "VISIBLE": "Y", "OPENED": "Y"}
        asking = [Command("sonet_group.create", {"NAME": group.at(self.lang), **fresh}) for group in groups.values()]
        return {name: int(reply.result) if reply else None for name, reply in zip(groups, self._ask(asking), strict=True)}

    def _plan(self, name: str, group: int, there: list[_Column]) -> _Plan:
        """Put the columns in order: there already, of a fresh project under a new name, or added behind the one before."""
        called = [{folded(title.at(lang)) for lang in LANGS} for title in self.kanban]
        found = [next((column.id for column in there if folded(column.title) in names), None) for names in called]
        ours = noted(self.workshop, self.portal.id, f"{_MAKING}{name}") is not None
        spare = [c for c in there if c.fixed and c.id not in found] if ours else []
        commands: list[Command] = []
        for place in (0, 1, len(self.kanban) - 1):
            if spare and place < len(found) and found[place] is None:
                column = spare.pop(-1 if place == len(found) - 1 else 0)
                fields = {"TITLE": self.kanban[place].at(self.lang)}
                commands.append(Command("task.stages.update", {"id": column.id, "fields": fields, "isAdmin": "true"}))
                found[place] = column.id
        missing = [place for place, number in enumerate(found) if number is None]
        for place in reversed(missing):  # the last first: each goes right behind the same column
            anchor = next((number for number in reversed(found[:place]) if number is not None), 0)
            added = {"TITLE": self.kanban[place].at(self.lang), "ENTITY_ID": group, "AFTER_ID": anchor}
            commands.append(Command("task.stages.add", {"fields": added, "isAdmin": "true"}))
        return _Plan(found, commands, list(reversed(missing)))

    def _ask(self, commands: list[Command]) -> list[Reply | None]:
        """Send commands; None for what the portal refuses."""
        replies: list[Reply | None] = []
        for reply in self.gate.batch(commands) if commands else []:
            if isinstance(reply, Transient | AuthLost | PortalGone):
                raise reply
            if isinstance(reply, PortalError):
                _log.warning("a project could not be set up", portal=self.portal.host, error=str(reply))
            replies.append(reply if isinstance(reply, Reply) else None)
        return replies


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done to the columns of one project; ``added`` are the places its last commands fill."""

    found: list[int | None]
    commands: list[Command]
    added: list[int]

    def columns(self, replies: list[Reply | None]) -> tuple[int, ...]:
        """Return the columns in order, without those the portal refused."""
        numbers = list(self.found)
        for place, reply in zip(self.added, replies[len(self.commands) - len(self.added) :], strict=True):
            numbers[place] = int(reply.result) if reply else None
        return tuple(number for number in numbers if number is not None)


def _columns_in(result: Any) -> list[_Column]:
    rows = [as_map(row) for row in as_map(result).values()]
    rows.sort(key=lambda row: count(row.get("SORT")) or 0)
    return [_Column(int(row["ID"]), str(row.get("TITLE") or ""), bool(row.get("SYSTEM_TYPE"))) for row in rows]
