"""Layouts of cards: which fields of the processes people see there, and what is to be written to show the others. Pure.

``set`` replaces a layout as a whole and keeps of it only what its page names: a field renamed in the card or a part that
an application has put there would be lost. Such a layout is not written.
Pages: api-reference/crm/universal/item-details-configuration/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from b24app.bitrix.commands import Command
from b24app.bitrix.replies import as_map, as_rows
from b24app.core.item import DEAL, FIRST_SMART, LEAD
from b24app.core.process import ProcessDef
from b24app.core.text import Lang, T
from b24app.engine.setup.pipeline_shape import FIELD_PREFIX, field_code, fields_in_order

COMMON = "C"
MOST_VALUES = 900
"""Values a written layout may hold: PHP takes 1000 of a form by default, and drops the rest without a word."""
LEAD_LAYOUTS = (1, 2)
"""The cards of simple leads and of repeated ones."""

_EXTRAS: Mapping[int, str] = {LEAD: "leadCustomerType", DEAL: "dealCategoryId"}
_SECTION, _ELEMENT = frozenset({"name", "title", "type", "elements"}), frozenset({"name", "optionFlags", "options"})
_OWN_SMART = re.compile(r"UF_CRM_\d+_")

Section = dict[str, Any]
Layout = Sequence[Section]


@dataclass(frozen=True, slots=True)
class Card:
    """The cards of a kind of items in one pipeline, which share a layout; of leads, those of one sort."""

    entity_type_id: int
    part: int

    @property
    def key(self) -> str:
        return f"{self.entity_type_id}/{self.part}"

    @property
    def reading(self) -> Command:
        return Command("crm.item.details.configuration.get", self._meant)

    def writing(self, layout: Layout) -> Command:
        return Command("crm.item.details.configuration.set", {**self._meant, "data": list(layout)})

    @property
    def _meant(self) -> dict[str, Any]:
        extras = {_EXTRAS.get(self.entity_type_id, "categoryId"): self.part}
        return {"entityTypeId": self.entity_type_id, "scope": COMMON, "extras": extras}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A field the installation has made; one that a stage requires is shown also while it is empty."""

    code: str
    label: T
    required: bool


def cards(entity_type_id: int, category_id: int) -> list[Card]:
    """List the cards of a pipeline's items."""
    return [Card(entity_type_id, part) for part in (LEAD_LAYOUTS if entity_type_id == LEAD else (category_id,))]


def wanted(process: ProcessDef, entity_type_id: int, codes: Mapping[str, str]) -> tuple[Wanted, ...]:
    """List the fields the installation has made for a process; those that were there before stand where people put them."""
    fields = process.fields
    return tuple(
        Wanted(codes[name], fields[name].label, required)
        for name, required in fields_in_order(process).items()
        if name in codes and not fields[name].code and _made_by_us(entity_type_id, name, codes[name])
    )


def _made_by_us(entity_type_id: int, name: str, code: str) -> bool:
    smart = _OWN_SMART.match(code) if entity_type_id >= FIRST_SMART else None
    return code == field_code(smart.group() if smart else f"UF_CRM_{FIELD_PREFIX}", name)


# Reading ---------------------------------------------------------------------------------------------------------------


def read(result: Any) -> Layout | None:
    """Read an answer to ``get``; None where nobody has arranged the card: the portal shows every field there by itself."""
    return [as_map(row) for row in as_rows(result)] or None


def shown(layout: Layout) -> frozenset[str]:
    """Collect the codes of the fields a layout shows, at any depth."""
    return frozenset(_codes(layout))


def _codes(parts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for part in parts:
        if part.get("type") or part.get("elements"):  # a section, or a column of them
            yield from _codes(map(as_map, as_rows(part.get("elements"))))
        else:
            yield str(part.get("name") or "").upper()


def can_be_written(layout: Layout) -> bool:
    """Tell whether a layout would come back whole from ``set``."""
    return all(_section_comes_back(section) for section in layout)


def _section_comes_back(section: Section) -> bool:
    named = bool(_text(section, "name")) and bool(_text(section, "title"))
    plain = section.get("type") in (None, "", "section") and not _beside(section, _SECTION)
    return named and plain and all(_element_comes_back(as_map(one)) for one in as_rows(section.get("elements")))


def _element_comes_back(element: Mapping[str, Any]) -> bool:
    options = as_map(element.get("options"))
    simple = all(isinstance(value, str | int | float) or value is None for value in options.values())
    return bool(_text(element, "name")) and not _beside(element, _ELEMENT) and simple


def _beside(told: Mapping[str, Any], known: frozenset[str]) -> bool:
    """Tell whether anything is told that is not written; empty values say nothing."""
    return any(told[name] not in (None, "", [], {}) for name in told.keys() - known)


def _text(told: Mapping[str, Any], name: str) -> str:
    return str(told.get(name) or "").strip()


# Writing ---------------------------------------------------------------------------------------------------------------


def with_fields(layout: Layout, process: ProcessDef, lang: Lang, missing: Sequence[Wanted]) -> list[Section]:
    """Add fields to the section of a process; where there is none, it is put behind the first section.

    Everything else stays as it stands. The layout has to be one that `can_be_written`.
    """
    sections = [_section(section) for section in layout]
    name = section_name(process)
    own = next((section for section in sections if section["name"] == name), None)
    if own is None:
        own = {"name": name, "title": process.title.at(lang), "type": "section", "elements": []}
        sections.insert(1, own)
    own["elements"] += [{"name": field.code, "optionFlags": int(field.required)} for field in missing]
    return sections


def section_name(process: ProcessDef) -> str:
    """Name the section of a process: it is known by this name, whatever people call it and wherever they put it."""
    return f"b24app_{process.code}"


def is_too_large(layout: Layout) -> bool:
    """Tell whether a layout holds more values than a portal may take."""
    elements = [element for section in layout for element in section["elements"]]
    values = 3 * len(layout) + sum(len(element) + len(element.get("options", ())) for element in elements)
    return values > MOST_VALUES


def _section(section: Section) -> Section:
    elements = [_element(as_map(one)) for one in as_rows(section.get("elements"))]
    return {"name": section["name"], "title": section["title"], "type": "section", "elements": elements}


def _element(element: Mapping[str, Any]) -> dict[str, Any]:
    """Write a field as it was read; what is not set is left out, as nothing else can be said of it in a form."""
    flags = {"optionFlags": element["optionFlags"]} if str(element.get("optionFlags") or "0") != "0" else {}
    options = {key: _option(value) for key, value in as_map(element.get("options")).items() if value is not None}
    return {"name": element["name"], **flags, **({"options": options} if options else {})}


def _option(value: Any) -> Any:
    """Flags of options are the words ``true`` and ``false``."""
    return str(value).lower() if isinstance(value, bool) else value
