"""Layouts of cards: sections of fields, of everybody or of one user, for each pipeline apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.crm.schema import DEAL, LEAD
from sandbox.errors import RestError
from sandbox.wire import JSON, as_list, as_map, whole

COMMON, PERSONAL = "C", "P"
EVERYBODY = 0
SIMPLE_LEAD, REPEATED_LEAD = 1, 2
EXTRAS = {LEAD: "leadCustomerType", DEAL: "dealCategoryId"}
SECTION = {"name", "title", "type", "elements"}
ELEMENT = {"name", "optionFlags", "options"}

Section = JSON
Key = tuple[int, int]
"""A type of items, and the pipeline (of leads: simple or repeated)."""


class Layouts:
    """What was set; a card without a layout of its own is shown as the portal shows cards by itself."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Key, int], list[Section]] = {}

    def get(self, key: Key, owner: int = EVERYBODY) -> list[Section] | None:
        """Give the layout of everybody or of a user; None where nobody has set one."""
        return self._kept.get((key, owner))

    def set(self, key: Key, sections: list[Section], owner: int = EVERYBODY) -> None:
        """Put a layout in the place of the one before."""
        self._kept[key, owner] = sections

    def seen_by(self, key: Key, user_id: int) -> list[Section] | None:
        """Give the layout a user sees: his own, else everybody's."""
        return self.get(key, user_id) or self.get(key)


def checked(data: Any) -> list[Section]:
    """Take over what ``set`` documents of a layout; raises its refusals."""
    if not isinstance(data, dict | list):
        raise RestError("", "Parameter 'data' must be array.")
    if not data:
        raise RestError("", "There are no data to write.")
    if list(as_map(data)) != [str(number) for number in range(len(data))]:
        raise RestError("", "The data must be indexed array.")
    return [_section(as_map(row), number) for number, row in enumerate(as_list(data))]


def _section(row: JSON, number: int) -> Section:
    kind = str(row.get("type") or "section")
    if kind != "section":
        raise RestError("", f"Section at index {number} have type {kind}. The expected type is 'section'.")
    for name in ("name", "title"):
        if not str(row.get(name) or "").strip():
            raise RestError("", f"Section at index {number} does not have {name}.")
    elements = [_element(as_map(one), place, number) for place, one in enumerate(as_list(row.get("elements")))]
    return {"name": str(row["name"]), "title": str(row["title"]), "type": "section", "elements": elements}


def _element(row: JSON, place: int, section: int) -> JSON:
    if not str(row.get("name") or "").strip():
        raise RestError("", f"Element at index {place} in section at index {section} does not have name.")
    options = {"options": as_map(row["options"])} if row.get("options") else {}
    return {"name": str(row["name"]), "optionFlags": str(whole(row.get("optionFlags"))), **options}


def dropped(data: Any) -> list[str]:
    """Name the keys of a layout that ``set`` does not keep."""
    rows = [as_map(row) for row in as_list(data)]
    elements = [as_map(one) for row in rows for one in as_list(row.get("elements"))]
    found = [key for row in rows for key in row if key not in SECTION]
    return sorted({*found, *(key for one in elements for key in one if key not in ELEMENT)})


def names_in(sections: Sequence[Section]) -> set[str]:
    """Name the fields of a layout."""
    return {str(one["name"]) for section in sections for one in section["elements"]}
