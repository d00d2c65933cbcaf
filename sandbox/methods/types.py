"""crm.type.*: smart processes (crm/universal/user-defined-object-types)."""

from __future__ import annotations

from typing import Any

from sandbox.crm.types import FLAGS, SmartType
from sandbox.errors import RestError
from sandbox.registry import Call, Page, method
from sandbox.wire import JSON, as_map, whole

FIRST_FREE = 1030


def write_type(call: Call, card: SmartType, *, relations: bool = True) -> JSON:
    """Write a smart process."""
    row: JSON = {
        "id": card.id,
        "title": card.title,
        "code": card.code,
        "createdBy": card.created_by,
        "entityTypeId": card.entity_type_id,
        "customSectionId": None,
        **{name: card.flags.get(name, "N") for name in FLAGS if name != "isExternal"},
        "createdTime": call.portal.stamp(card.created_at),
        "updatedTime": call.portal.stamp(card.updated_at),
        "updatedBy": card.created_by,
    }
    if relations:
        row |= {"relations": card.relations or {"parent": [], "child": []}, "linkedUserFields": card.linked or []}
    return row


def _admin(call: Call) -> None:
    if not call.portal.people.is_admin(call.caller.user_id):
        raise RestError("ACCESS_DENIED", "Доступ запрещен")


@method("crm.type.add", "crm", "fields")
def type_add(call: Call) -> Any:
    """Create a smart process with a first pipeline (crm-type-add.md)."""
    fields = as_map(call.need("fields"))
    _admin(call)
    if not fields.get("title"):
        raise RestError("100", "Could not find value for parameter {title}")
    crm = call.portal.crm
    number = whole(fields.get("entityTypeId") or 0) or _free_number(call)
    allowed = 128 <= number <= 192 or (number >= FIRST_FREE and number % 2 == 0)
    if not allowed or number in crm.types:
        raise RestError("INVALID_ARG_VALUE", "entityTypeId is out of allowed range")
    record = max((card.id for card in crm.types.values()), default=6) + 1
    now = call.portal.now()
    card = SmartType(record, number, str(fields["title"]), now, call.caller.user_id, now)
    card.flags["isSetOpenPermissions"] = "Y"
    for name in card.set(fields):
        call.complain(f"the unknown field {name!r} was ignored")
    crm.types[number] = card
    crm.stages.add_category(number, "Общая", 500, is_default=True)
    call.portal.events.emit("ONCRMTYPEADD", {"FIELDS": {"ID": record}}, call.caller)
    return {"type": write_type(call, card)}


def _free_number(call: Call) -> int:
    return max((n for n in call.portal.crm.types if n >= FIRST_FREE), default=FIRST_FREE - 2) + 2


def _card(call: Call) -> SmartType:
    record = call.whole("id")
    found = next((card for card in call.portal.crm.types.values() if card.id == record), None)
    if found is None:
        raise RestError("0", "Смарт-процесс не найден")
    return found


@method("crm.type.update", "crm", "id fields")
def type_update(call: Call) -> Any:
    """Change a smart process (crm-type-update.md)."""
    card = _card(call)
    _admin(call)
    for name in card.set(call.mapping("fields")):
        call.complain(f"the unknown field {name!r} was ignored")
    card.updated_at = call.portal.now()
    call.portal.events.emit("ONCRMTYPEUPDATE", {"FIELDS": {"ID": card.id}}, call.caller)
    return {"type": write_type(call, card)}


@method("crm.type.get", "crm", "id")
def type_get(call: Call) -> Any:
    """Read a smart process by its record id (crm-type-get.md)."""
    return {"type": write_type(call, _card(call))}


@method("crm.type.getByEntityTypeId", "crm", "entityTypeId")
def type_by_number(call: Call) -> Any:
    """Read a smart process by its entityTypeId (crm-type-get-by-entity-type-id.md)."""
    found = call.portal.crm.types.get(call.whole("entityTypeId"))
    if found is None:
        raise RestError("NOT_FOUND", "Смарт-процесс не найден")
    return {"type": write_type(call, found)}


@method("crm.type.list", "crm", "order filter start")
def type_list(call: Call) -> Page:
    """List smart processes (crm-type-list.md)."""
    rows = [write_type(call, card, relations=False) for card in call.portal.crm.types.values()]
    for key, wanted in as_map(call.get("filter")).items():
        name = str(key).lstrip("=@%!<>")
        if rows and name not in rows[0]:
            raise RestError("INVALID_ARG_VALUE", f"Invalid filter: field '{name}' is not allowed in filter")
        rows = [row for row in rows if str(row[name]) == str(wanted) or (key.startswith("%") and str(wanted) in row[name])]
    return call.page(rows, "types")


@method("crm.type.delete", "crm", "id")
def type_delete(call: Call) -> Any:
    """Delete a smart process without items; bindings to its events go (crm-type-delete.md)."""
    card = _card(call)
    _admin(call)
    crm = call.portal.crm
    if crm.items.get(card.entity_type_id):
        raise RestError("0", "Нельзя удалить смарт-процесс, у которого есть элементы")
    del crm.types[card.entity_type_id]
    call.portal.events.unbind_suffix(f"_{card.entity_type_id}")
    call.portal.events.emit("ONCRMTYPEDELETE", {"FIELDS": {"ID": card.id}}, call.caller)
    return []
