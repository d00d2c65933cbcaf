"""crm.item.productrow.*: the goods of an item (crm/universal/product-rows)."""

from __future__ import annotations

from typing import Any

from sandbox.crm.items import Item
from sandbox.errors import RestError
from sandbox.registry import Call, Page, method
from sandbox.wire import JSON, as_list, as_map, number, whole

KNOWN = {
    "productId",
    "productName",
    "price",
    "quantity",
    "discountTypeId",
    "discountRate",
    "discountSum",
    "taxRate",
    "taxIncluded",
    "measureCode",
    "sort",
}


def _owner(call: Call, code: str, owner_id: int) -> tuple[int, Item]:
    type_id = call.portal.crm.type_of_code(code)
    if type_id is None:
        raise RestError("ENTITY_TYPE_NOT_SUPPORTED", "Работа с данным типом объектов не поддерживается")
    found = call.portal.crm.items.get(type_id, {}).get(owner_id)
    if found is None:
        raise RestError("OWNER_NOT_FOUND", "Переданный объект CRM не найден")
    return type_id, found


def _row(call: Call, code: str, owner_id: int, given: JSON) -> JSON:
    for name in sorted(set(given) - KNOWN - {"ownerId", "ownerType", "id"}):
        call.complain(f"the unknown field {name!r} was ignored")
    rows = [row for kept in call.portal.crm.product_rows.values() for row in kept]
    return {
        "id": max((row["id"] for row in rows), default=0) + 1,
        "ownerId": owner_id,
        "ownerType": code,
        "productId": whole(given.get("productId") or 0),
        "productName": str(given.get("productName") or ""),
        "price": number(float(given.get("price") or 0)),
        "quantity": number(float(given.get("quantity") or 1)),
        "discountTypeId": whole(given.get("discountTypeId") or 2),
        "discountRate": number(float(given.get("discountRate") or 0)),
        "discountSum": number(float(given.get("discountSum") or 0)),
        "taxRate": given.get("taxRate"),
        "taxIncluded": str(given.get("taxIncluded") or "N"),
        "measureCode": whole(given.get("measureCode") or 796),
        "sort": whole(given.get("sort") or 0),
    }


def _recount(call: Call, type_id: int, owner: Item, rows: list[JSON]) -> None:
    if owner.get("isManualOpportunity") != "Y":
        total = float(sum(row["price"] * row["quantity"] for row in rows))
        call.portal.crm.update(type_id, owner["id"], {"opportunity": total}, call.caller)


@method("crm.item.productrow.set", "crm", "ownerId ownerType productRows")
def rows_set(call: Call) -> Any:
    """Replace all goods of an item (crm-item-productrow-set.md)."""
    code, owner_id = str(call.need("ownerType")), call.whole("ownerId")
    type_id, owner = _owner(call, code, owner_id)
    call.portal.crm.product_rows[code, owner_id] = []
    for given in as_list(call.get("productRows")):
        call.portal.crm.product_rows[code, owner_id].append(_row(call, code, owner_id, as_map(given)))
    rows = call.portal.crm.product_rows[code, owner_id]
    _recount(call, type_id, owner, rows)
    return {"productRows": rows}


@method("crm.item.productrow.add", "crm", "fields")
def row_add(call: Call) -> Any:
    """Add goods to an item (crm-item-productrow-add.md)."""
    fields = as_map(call.need("fields"))
    code, owner_id = str(fields.get("ownerType") or ""), whole(fields.get("ownerId") or 0)
    type_id, owner = _owner(call, code, owner_id)
    row = _row(call, code, owner_id, fields)
    rows = call.portal.crm.product_rows.setdefault((code, owner_id), [])
    rows.append(row)
    _recount(call, type_id, owner, rows)
    return {"productRow": row}


@method("crm.item.productrow.list", "crm", "filter order start")
def row_list(call: Call) -> Page:
    """List the goods of an item (crm-item-productrow-list.md)."""
    wanted = {str(key).lstrip("="): value for key, value in as_map(call.need("filter")).items()}
    if not {"ownerType", "ownerId"} <= set(wanted):
        raise RestError("INVALID_ARG_VALUE", "Filter by ownerType and ownerId is required")
    owners = [whole(item) for item in as_list(wanted["ownerId"])]
    shelves = call.portal.crm.product_rows
    rows = [row for owner_id in owners for row in shelves.get((str(wanted["ownerType"]), owner_id), [])]
    return call.page(rows, "productRows")
