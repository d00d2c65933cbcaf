"""Groups and projects of the portal, and the columns of kanban boards."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.portal import Portal

COLUMNS = (("Новые", "NEW", "00C4FB"), ("Выполняются", "WORK", "47D1E2"), ("Сделаны", "FINISH", "75D900"))
"""What a board is delivered with."""


@dataclass(slots=True, eq=False)
class Group:
    """A group (or project) of employees."""

    id: int
    name: str
    owner: int
    created: datetime
    description: str = ""
    project: bool = False
    visible: bool = True
    opened: bool = False
    closed: bool = False
    members: set[int] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Column:
    """One column of a board: of a group's kanban (``G``), or of a user's plan (``U``)."""

    id: int
    entity_type: str
    entity_id: int
    title: str
    color: str
    system_type: str | None = None


class Groups:
    """All groups of one portal and all boards; a board gets its columns when it is looked at first."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self.groups: dict[int, Group] = {}
        self.boards: dict[tuple[str, int], list[Column]] = {}
        self._last_column = 0

    def add(self, name: str, owner: int, **fields: bool | str) -> Group:
        """Create a group with its owner as the first member."""
        number = max(self.groups, default=0) + 1
        group = Group(number, name, owner, self._portal.now().replace(microsecond=0), members={owner})
        for key, value in fields.items():
            setattr(group, key, value)
        self.groups[number] = group
        return group

    def sees(self, group: Group, user_id: int) -> bool:
        """Tell whether a user finds a group: visible ones everybody does."""
        return group.visible or user_id in group.members or self._portal.people.is_admin(user_id)

    def works(self, group_id: int, user_id: int) -> bool:
        """Tell whether a user has access to the board of a group."""
        group = self.groups.get(group_id)
        return group is not None and (user_id in group.members or self._portal.people.is_admin(user_id))

    def board(self, entity_type: str, entity_id: int) -> list[Column]:
        """Give the columns of a board in order."""
        if (entity_type, entity_id) not in self.boards:
            fresh = [self._column(entity_type, entity_id, *column) for column in COLUMNS]
            self.boards[entity_type, entity_id] = fresh
        return self.boards[entity_type, entity_id]

    def column(self, number: int) -> Column | None:
        """Find a column by its number."""
        return next((column for board in self.boards.values() for column in board if column.id == number), None)

    def add_column(self, entity_type: str, entity_id: int, title: str, color: str, after: int) -> Column:
        """Put a column behind another one, or first."""
        board = self.board(entity_type, entity_id)
        place = next((n for n, column in enumerate(board, start=1) if column.id == after), 0)
        made = self._column(entity_type, entity_id, title, None, color or "CFD7DC")
        board.insert(place, made)
        return made

    def _column(self, entity_type: str, entity_id: int, title: str, system: str | None, color: str) -> Column:
        self._last_column += 1
        return Column(self._last_column, entity_type, entity_id, title, color, system)
