"""The timeline of CRM items: comments, log lines, to-dos."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.crm.schema import NAMES
from sandbox.errors import RestError
from sandbox.registry import Caller
from sandbox.wire import JSON, whole

if TYPE_CHECKING:
    from sandbox.portal import Portal


@dataclass(slots=True, eq=False)
class TimelineComment:
    """A comment in a card."""

    id: int
    entity_type_id: int
    entity_type: str
    item_id: int
    text: str
    author: int
    at: datetime
    files: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class LogLine:
    """A neutral record in a card."""

    id: int
    entity_type_id: int
    item_id: int
    title: str
    text: str
    icon: str
    author: int
    at: datetime


@dataclass(slots=True, eq=False)
class ToDo:
    """A planned activity."""

    id: int
    entity_type_id: int
    item_id: int
    deadline: datetime
    fields: JSON
    completed: bool = False


class Timeline:
    """Everything written into the cards of one portal."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self.comments: dict[int, TimelineComment] = {}
        self.log: dict[int, LogLine] = {}
        self.todos: dict[int, ToDo] = {}
        self.pins: set[tuple[int, int, int]] = set()
        self._last = 0

    def next_id(self) -> int:
        """Give the next number; comments and log lines share one row."""
        self._last += 1
        return self._last

    def type_id(self, entity_type: str) -> int:
        """Give the type of ``deal``, ``lead``, ``dynamic_1030``...; 0 when unknown."""
        if entity_type.startswith("dynamic_"):
            return whole(entity_type.removeprefix("dynamic_"))
        return next((number for number, name in NAMES.items() if name.lower() == entity_type), 0)

    def owner(self, entity_type_id: int, item_id: int) -> None:
        """Check that the card exists; raises ``OWNER_NOT_FOUND``."""
        if item_id not in self._portal.crm.items.get(entity_type_id, {}):
            raise RestError("OWNER_NOT_FOUND", "Владелец элемента не найден")

    def comment(self, entity_type: str, item_id: int, text: str, caller: Caller) -> TimelineComment:
        """Write a comment into a card and tell it."""
        type_id = self.type_id(entity_type)
        self.owner(type_id, item_id)
        at = self._portal.now()
        row = TimelineComment(self.next_id(), type_id, entity_type, item_id, text, caller.user_id, at)
        self.comments[row.id] = row
        self._portal.events.tell_comment("ADD", row.id, caller)
        return row

    def comments_of(self, entity_type_id: int, item_id: int) -> list[str]:
        """Give the texts of a card's comments, oldest first."""
        wanted = (entity_type_id, item_id)
        return [c.text for c in self.comments.values() if (c.entity_type_id, c.item_id) == wanted]
