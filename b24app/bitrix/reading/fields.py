"""How fields are called on a portal, and their values by type. Page: api-reference/data-types.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from b24app.bitrix.reading.values import amount, day, integer, moment
from b24app.core.item import File, Value, parse_time
from b24app.core.worktime import WorkCalendar


@dataclass(frozen=True, slots=True)
class FieldBook:
    """How fields are called on the portal and of which type they are, and what bookings need to be told apart.

    ``names``: (entity type, pipeline) -> the process file's name -> code. ``types``: (entity type, code) -> type.
    """

    names: Mapping[tuple[int, int], Mapping[str, str]] = field(default_factory=dict)
    types: Mapping[tuple[int, str], str] = field(default_factory=dict)
    booked_stages: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Entity type -> stages on which an order counts as booked, though the application did not book it."""
    booked_before: datetime | None = None
    """Orders that entered their stage before this moment were never claimed here; later ones hold a slot."""
    own_visits: frozenset[int] = frozenset()
    calendar: WorkCalendar = field(default_factory=WorkCalendar)

    def code(self, entity_type_id: int, name: str) -> str | None:
        """Return the portal's code of a field, by the first process that knows it; a code stands for itself."""
        if name.upper().startswith("UF_"):
            return name
        known = (fields for (kind, _), fields in self.names.items() if kind == entity_type_id)
        return next((fields[name] for fields in known if name in fields), None)

    def codes(self, entity_type_id: int, category_id: int) -> Mapping[str, str]:
        """Return how processes call the fields of an item: its pipeline's own, then those of other pipelines.

        User fields belong to all items of a kind, so that a robot placed on a pipeline without a process finds them, too.
        """
        own = self.names.get((entity_type_id, category_id), {})
        others = (fields for (kind, _), fields in self.names.items() if kind == entity_type_id)
        return {**{name: code for fields in others for name, code in fields.items()}, **own}


def value_of(raw: Any, kind: str) -> Value:
    """Read the value of a user field by its type; several values become a tuple."""
    if raw in (None, "", False, [], {}) and kind not in ("boolean", "integer", "double"):
        return () if kind == "file" else None
    if kind == "file":
        return tuple(_files(raw))
    if isinstance(raw, list):
        return tuple(str(part) for part in raw)
    match kind:
        case "date":
            return day(raw)
        case "datetime":
            return moment(raw)
        case "time":
            return parse_time(str(raw))
        case "employee" | "integer" | "user":
            return integer(raw)
        case "double":
            return amount(raw)
        case "boolean":
            return raw in (True, 1, "1", "Y")
        case _:
            return str(raw)


def _files(raw: Any) -> Iterable[File]:
    for one in raw if isinstance(raw, list) else [raw]:
        if isinstance(one, dict):
            if one.get("id"):
                yield File(str(one["id"]), str(one.get("urlMachine") or one.get("url") or ""))
        elif one:
            yield File(str(one))
