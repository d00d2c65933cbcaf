"""crm.item.*, crm.stagehistory.list, crm.enum.ownertype (crm/universal)."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from sandbox.crm import filters, history, schema, values
from sandbox.crm.items import Item
from sandbox.crm.schema import DEAL, Field
from sandbox.errors import RestError
from sandbox.portal import Portal
from sandbox.registry import Call, Page, method
from sandbox.wire import JSON, as_list, as_map, whole, yes


class Names:
    """The names fields go by in one request: with or without ``useOriginalUfNames``."""

    def __init__(self, portal: Portal, entity_type_id: int, *, original: bool) -> None:
        dynamic = entity_type_id in portal.crm.types
        self.fields = portal.crm.fields(entity_type_id)
        self.outside = {
            name: schema.short_uf_name(name, dynamic=dynamic) if field.user_field and not original else name
            for name, field in self.fields.items()
        }
        self.inside = {shown: name for name, shown in self.outside.items()}

    def lookup(self, shown: str) -> Field | None:
        """Find a field by the name it goes by; ``ID`` is understood for ``id``."""
        return self.fields.get(self.inside.get("id" if shown == "ID" else shown, ""))

    def unshown(self, given: JSON) -> JSON:
        """Give a request's fields under their own names; what is not spelled as agreed becomes unknown."""
        strange = {name: f"{name} (without useOriginalUfNames)" for name in self.fields if name not in self.inside}
        return {self.inside.get(name, strange.get(name, name)): value for name, value in given.items()}


def write_item(portal: Portal, entity_type_id: int, item: Item, names: Names, only: set[str] | None = None) -> JSON:
    """Write an item as the universal methods answer it; ``only`` limits it to shown names."""
    row: JSON = {}
    closed = portal.crm.switched_off(entity_type_id)
    for name, field in names.fields.items():
        shown = names.outside[name]
        if only is None or shown in only:
            row[shown] = (
                None
                if name in closed
                else item.get(name) or []
                if name == "fm"
                else values.write(portal, field, item.get(name))
            )
    if only is None:
        row["entityTypeId"] = entity_type_id
    return row


def _written(portal: Portal, item: Item, field: Field) -> Any:
    return item.get("fm") or [] if field.name == "fm" else values.write(portal, field, item.get(field.name))


def _opened(call: Call) -> tuple[int, Names]:
    entity_type_id = call.whole("entityTypeId")
    call.portal.crm.require(entity_type_id)
    return entity_type_id, Names(call.portal, entity_type_id, original=yes(call.get("useOriginalUfNames", "N")))


def _fields_of(call: Call, entity_type_id: int, names: Names) -> Item:
    fields = call.need("fields")
    if not isinstance(fields, dict) and fields != []:
        raise RestError("100", "Invalid value {fields}")
    return call.portal.crm.read_fields(entity_type_id, names.unshown(as_map(fields)), call.method)


@method("crm.item.add", "crm", "entityTypeId fields useOriginalUfNames")
def item_add(call: Call) -> Any:
    """Create an item (crm-item-add.md)."""
    entity_type_id, names = _opened(call)
    item = call.portal.crm.create(entity_type_id, _fields_of(call, entity_type_id, names), call.caller)
    return {"item": write_item(call.portal, entity_type_id, item, names)}


@method("crm.item.import", "crm", "entityTypeId fields useOriginalUfNames")
def item_import(call: Call) -> Any:
    """Create an item without starting automation (crm-item-import.md)."""
    entity_type_id, names = _opened(call)
    fields = _fields_of(call, entity_type_id, names)
    item = call.portal.crm.create(entity_type_id, fields, call.caller, imported=True)
    return {"item": {"id": item["id"]}}


@method("crm.item.update", "crm", "entityTypeId id fields useOriginalUfNames")
def item_update(call: Call) -> Any:
    """Change an item (crm-item-update.md)."""
    entity_type_id, names = _opened(call)
    item_id = call.whole("id")
    call.portal.crm.item(entity_type_id, item_id)
    fields = _fields_of(call, entity_type_id, names)
    item = call.portal.crm.update(entity_type_id, item_id, fields, call.caller)
    return {"item": write_item(call.portal, entity_type_id, item, names)}


@method("crm.item.get", "crm", "entityTypeId id useOriginalUfNames")
def item_get(call: Call) -> Any:
    """Read an item (crm-item-get.md)."""
    entity_type_id, names = _opened(call)
    item = call.portal.crm.item(entity_type_id, call.whole("id"))
    return {"item": write_item(call.portal, entity_type_id, item, names)}


@method("crm.item.delete", "crm", "entityTypeId id")
def item_delete(call: Call) -> Any:
    """Delete an item (crm-item-delete.md)."""
    entity_type_id, _ = _opened(call)
    call.portal.crm.delete(entity_type_id, call.whole("id"), call.caller)
    return []


@method("crm.item.list", "crm", "entityTypeId select filter order start useOriginalUfNames")
def item_list(call: Call) -> Page:
    """List items (crm-item-list.md); ``fm`` comes only with ``select: ["*"]``."""
    entity_type_id, names = _opened(call)
    shelf = call.portal.crm.items[entity_type_id]
    test = filters.compile_filter(call.portal, call.get("filter"), names.lookup, call.method)
    rows = [item for item in shelf.values() if test(item)]
    rows = filters.sort_rows(rows, call.get("order") or {"id": "ASC"}, names.lookup)
    only = _selected(call, names)
    page = call.page(rows)
    written = [write_item(call.portal, entity_type_id, item, names, only) for item in page.result]
    return Page({"items": written}, page.total, page.next)


def _selected(call: Call, names: Names) -> set[str] | None:
    select = [str(name) for name in call.listing("select")]
    if "*" in select:
        return None
    if not select:
        return set(names.inside) - {"fm"}
    found = {"id" if name == "ID" else name for name in select}
    for name in sorted(found - set(names.inside)):
        call.complain(f"unknown field {name!r} in select")
    return (found & set(names.inside)) | {"id"}


@method("crm.item.fields", "crm", "entityTypeId useOriginalUfNames")
def item_fields(call: Call) -> Any:
    """Describe the fields of a type (crm-item-fields.md)."""
    _, names = _opened(call)
    return {"fields": {names.outside[name]: describe(call.portal, f) for name, f in names.fields.items()}}


def describe(portal: Portal, field: Field) -> JSON:
    """Describe one field as the portal does."""
    row: JSON = {
        "type": field.type,
        "isRequired": field.required,
        "isReadOnly": field.read_only,
        "isImmutable": False,
        "isMultiple": field.multiple,
        "isDynamic": field.user_field,
        "title": field.title,
        "upperName": field.upper,
    }
    uf = portal.crm.user_fields.named(field.name) if field.type == "enumeration" else None
    if uf:
        row["items"] = [{"ID": str(option.id), "VALUE": option.value} for option in uf.options]
    return row


@method("crm.stagehistory.list", "crm", "entityTypeId order filter select start")
def stage_history(call: Call) -> Page:
    """List stage entries (crm-stage-history-list.md)."""
    if not call.get("entityTypeId"):
        call.complain("entityTypeId was not passed")
    entity_type_id = whole(call.get("entityTypeId") or DEAL)
    if not call.portal.crm.staged(entity_type_id):
        raise RestError("ENTITY_TYPE_NOT_SUPPORTED", f"Entity type {entity_type_id} is not supported")
    fields = history.fields(entity_type_id)
    test = filters.compile_filter(call.portal, call.get("filter"), fields.get, call.method)
    rows = [row for row in _rows_after(call, entity_type_id) if test(row)]
    rows = filters.sort_rows(rows, call.get("order") or {"ID": "ASC"}, fields.get)
    select = [str(name) for name in as_list(call.get("select")) if name != "*"]
    for name in sorted(set(select) - set(fields)):
        call.complain(f"unknown field {name!r} in select")
    shown = [name for name in fields if not select or name in select]
    page = call.page(rows)
    written = [{name: values.write(call.portal, fields[name], row[name]) for name in shown} for row in page.result]
    return Page({"items": written}, page.total, page.next)


def _rows_after(call: Call, entity_type_id: int) -> list[Any]:
    """Give the rows above the id a filter asks for; they lie in the order of their ids, and a history may be long."""
    rows: list[Any] = call.portal.crm.history.rows.get(entity_type_id, [])
    after = as_map(call.get("filter")).get(">ID")
    found = rows[bisect_right(rows, whole(after), key=lambda row: int(row["ID"])) :] if str(after).isdigit() else rows
    until = as_map(call.get("filter")).get("<=ID")
    return found[: bisect_right(found, whole(until), key=lambda row: int(row["ID"]))] if str(until).isdigit() else found


@method("crm.enum.ownertype", "crm")
def owner_types(call: Call) -> Any:
    """List the object types with their codes (crm-enum-owner-type.md)."""
    crm = call.portal.crm
    rows = [
        {"ID": n, "NAME": schema.TITLES[n], "SYMBOL_CODE": schema.NAMES[n], "SYMBOL_CODE_SHORT": schema.SHORT[n]}
        for n in schema.NAMES
    ]
    dynamic = [
        {"ID": n, "NAME": card.title, "SYMBOL_CODE": f"DYNAMIC_{n}", "SYMBOL_CODE_SHORT": crm.short_code(n)}
        for n, card in crm.types.items()
    ]
    return rows + dynamic
