"""crm.deal.*, crm.contact.get, crm.company.get, crm.lead.get: the legacy shapes, every scalar a text."""

from __future__ import annotations

from typing import Any

from sandbox.crm import filters, values
from sandbox.crm.items import Item
from sandbox.crm.schema import COMPANY, CONTACT, DEAL, LEAD, Field
from sandbox.errors import RestError
from sandbox.methods.crm import describe
from sandbox.registry import Call, Page, method
from sandbox.wire import JSON, as_map, whole

HIDDEN = {"fm", "contactIds", "companyIds", "observers"}


def _fields(call: Call, entity_type_id: int) -> dict[str, Field]:
    return {field.upper: field for field in call.portal.crm.fields(entity_type_id).values()}


def write(call: Call, entity_type_id: int, item: Item) -> JSON:
    """Write an item in the legacy shape, phones and mails by kind."""
    row: JSON = {}
    for upper, field in _fields(call, entity_type_id).items():
        if field.name not in HIDDEN:
            row[upper] = values.write_legacy(call.portal, field, item.get(field.name))
    for line in item.get("fm") or []:
        shown = {"ID": str(line["id"]), "VALUE_TYPE": line["valueType"], "VALUE": line["value"], "TYPE_ID": line["typeId"]}
        row.setdefault(line["typeId"], []).append(shown)
    if "fm" in item:
        kinds = {line["typeId"] for line in item["fm"] or []}
        row |= {"HAS_PHONE": "Y" if "PHONE" in kinds else "N", "HAS_EMAIL": "Y" if "EMAIL" in kinds else "N"}
    return row


def _item(call: Call, entity_type_id: int) -> Item:
    item_id = whole(call.get("id"))
    if item_id <= 0:
        raise RestError("", "ID is not defined or invalid")
    found = call.portal.crm.items.get(entity_type_id, {}).get(item_id)
    if found is None:
        raise RestError("", "Not found")
    return found


def _given(call: Call, entity_type_id: int) -> Item:
    fields = call.get("fields")
    if not isinstance(fields, dict):
        raise RestError("", "Parameter 'fields' must be array")
    known = _fields(call, entity_type_id)
    named = {known[name].name if name in known else name: value for name, value in fields.items()}
    return call.portal.crm.read_fields(entity_type_id, named, call.method)


@method("crm.deal.add", "crm", "fields params")
def deal_add(call: Call) -> Any:
    """Create a deal and give its number (crm-deal-add.md)."""
    return call.portal.crm.create(DEAL, _given(call, DEAL), call.caller)["id"]


@method("crm.deal.update", "crm", "id fields params")
def deal_update(call: Call) -> Any:
    """Change a deal; the pipeline cannot be changed this way (crm-deal-update.md)."""
    item, given = _item(call, DEAL), _given(call, DEAL)
    if given.pop("categoryId", item["categoryId"]) != item["categoryId"]:
        call.complain("CATEGORY_ID cannot be changed by crm.deal.update, it was ignored")
    call.portal.crm.update(DEAL, item["id"], given, call.caller)
    return True


@method("crm.deal.delete", "crm", "id")
def deal_delete(call: Call) -> Any:
    """Delete a deal (crm-deal-delete.md)."""
    call.portal.crm.delete(DEAL, _item(call, DEAL)["id"], call.caller)
    return True


@method("crm.deal.get", "crm", "id")
def deal_get(call: Call) -> Any:
    """Read a deal (crm-deal-get.md)."""
    return write(call, DEAL, _item(call, DEAL))


@method("crm.lead.get", "crm", "id")
def lead_get(call: Call) -> Any:
    """Read a lead (crm-lead-get.md)."""
    return write(call, LEAD, _item(call, LEAD))


@method("crm.contact.get", "crm", "id")
def contact_get(call: Call) -> Any:
    """Read a contact (crm-contact-get.md)."""
    return write(call, CONTACT, _item(call, CONTACT))


@method("crm.company.get", "crm", "id")
def company_get(call: Call) -> Any:
    """Read a company (crm-company-get.md)."""
    return write(call, COMPANY, _item(call, COMPANY))


@method("crm.deal.list", "crm", "select filter order start")
def deal_list(call: Call) -> Page:
    """List deals; user fields come only with ``UF_*`` (crm-deal-list.md)."""
    fields = _fields(call, DEAL)
    conditions = as_map(call.get("filter"))
    for key in conditions:
        if str(key).lstrip("><=!@%") not in fields and not str(key).isdigit() and str(key).upper() != "LOGIC":
            call.complain(f"unknown filter field {key!r} was ignored")
    known = {key: value for key, value in conditions.items() if str(key).lstrip("><=!@%") in fields}
    test = filters.compile_filter(call.portal, known, fields.get, call.method)
    rows = [item for item in call.portal.crm.items.get(DEAL, {}).values() if test(item)]
    rows = filters.sort_rows(rows, call.get("order") or {"ID": "ASC"}, fields.get)
    select = {str(name) for name in call.listing("select")} or {"*"}
    page = call.page(rows)
    written = [_select(write(call, DEAL, item), select) for item in page.result]
    return Page(written, page.total, page.next)


def _select(row: JSON, select: set[str]) -> JSON:
    def shown(name: str) -> bool:
        if name.startswith("UF_"):
            return "UF_*" in select or name in select
        return "*" in select or name in select or name == "ID"

    return {name: value for name, value in row.items() if shown(name)}


@method("crm.deal.fields", "crm")
def deal_fields(call: Call) -> Any:
    """Describe the fields of deals (crm-deal-fields.md)."""
    described = {upper: describe(call.portal, field) for upper, field in _fields(call, DEAL).items()}
    return {upper: {k: v for k, v in row.items() if k != "upperName"} for upper, row in described.items()}


@method("crm.deal.contact.items.get", "crm", "id")
def deal_contacts(call: Call) -> Any:
    """List the contacts of a deal, the first is the primary one (crm-deal-contact-items-get.md)."""
    contacts = _item(call, DEAL)["contactIds"]
    return [
        {"CONTACT_ID": c, "SORT": (n + 1) * 10, "ROLE_ID": 0, "IS_PRIMARY": "Y" if n == 0 else "N"}
        for n, c in enumerate(contacts)
    ]
