"""Which item a business-process document, a placement or an event name speaks of. Pure.

Page: api-reference/crm/data-types.md and the document types of bizproc-robot-add.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from b24app.bitrix.form import BadForm, Form, FormValue, as_list
from b24app.bitrix.sender import BadCallback

ENTITY_TYPES = {
    "LEAD": 1,
    "DEAL": 2,
    "CONTACT": 3,
    "COMPANY": 4,
    "QUOTE": 7,
    "SMART_INVOICE": 31,
}

_DYNAMIC = re.compile(r"DYNAMIC_([0-9]{1,9})_([0-9]{1,18})\Z")
_NAMED = re.compile(r"(LEAD|DEAL|CONTACT|COMPANY|QUOTE|SMART_INVOICE)_([0-9]{1,18})\Z")
_PLACEMENT = re.compile(r"CRM_(?:DYNAMIC_([0-9]{1,9})|(LEAD|DEAL|CONTACT|COMPANY|QUOTE|SMART_INVOICE))_")


@dataclass(frozen=True, slots=True)
class Document:
    """The portal's triple for one item, and what it means: ``("crm", "CCrmDocumentDeal", "DEAL_41")``."""

    document_id: tuple[str, str, str]
    entity_type_id: int
    item_id: int


def document_of(form: Form, place: str = "document_id") -> Document:
    """Read the document triple of a robot call; raise ``BadCallback`` for anything that is no CRM item."""
    triple = texts(form.get(place), place)
    if len(triple) != 3:
        raise BadCallback(place, "is no triple")
    found = item_of(triple[2])
    if triple[0] != "crm" or found is None:
        raise BadCallback(place, "is no CRM item")
    return Document((triple[0], triple[1], triple[2]), *found)


def item_of(document: str) -> tuple[int, int] | None:
    """Read ``DEAL_41`` or ``DYNAMIC_147_1`` as entityTypeId and id; ``None`` for anything else."""
    if dynamic := _DYNAMIC.match(document):
        return int(dynamic[1]), int(dynamic[2])
    if named := _NAMED.match(document):
        return ENTITY_TYPES[named[1]], int(named[2])
    return None


def entity_type_of_placement(placement: str) -> int | None:
    """Read the entityTypeId out of a placement code such as ``CRM_DYNAMIC_147_DETAIL_TAB``."""
    found = _PLACEMENT.match(placement)
    if not found:
        return None
    return int(found[1]) if found[1] else ENTITY_TYPES[found[2]]


def texts(value: FormValue | None, place: str) -> list[str]:
    """Read a list of texts; raise ``BadCallback`` for a map or for lists inside."""
    try:
        items = as_list(value, place)
    except BadForm as bad:
        raise BadCallback(place, bad.reason) from None
    if not all(isinstance(item, str) for item in items):
        raise BadCallback(place, "holds more than texts")
    return [item for item in items if isinstance(item, str)]
