"""Items of CRM, the client and the products of one. Page: api-reference/crm/universal/crm-item-get.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from b24app.bitrix.commands import Command
from b24app.bitrix.reading.fields import FieldBook, value_of
from b24app.bitrix.reading.values import amount, integer, moment
from b24app.bitrix.replies import as_map
from b24app.core.item import COMPANY, Client, Item, ItemRef, Product


def get_item(ref: ItemRef) -> Command:
    params = {"entityTypeId": ref.entity_type_id, "id": ref.id, "useOriginalUfNames": "Y"}
    return Command("crm.item.get", params)


def list_items(refs: Sequence[ItemRef]) -> Command:
    """Ask for up to fifty items of one kind at once; those that are gone or must not be seen are missing in the answer.

    Page: api-reference/crm/universal/crm-item-list.md.
    """
    ids = sorted(ref.id for ref in refs)
    filters, order = {"@id": ids}, {"id": "ASC"}
    params = {"entityTypeId": refs[0].entity_type_id, "select": ["*"], "filter": filters, "order": order, "start": -1}
    return Command("crm.item.list", {**params, "useOriginalUfNames": "Y"})


def items_in(result: Any) -> list[dict[str, Any]]:
    """Return the rows of a ``crm.item.list`` or ``crm.stagehistory.list`` answer."""
    rows = as_map(result).get("items")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def item_of(ref: ItemRef, result: Any, book: FieldBook) -> Item:
    """Read an item; its user fields stand under the portal's codes and under the process file's names."""
    row = as_map(result).get("item", result)
    category = integer(row.get("categoryId")) or 0
    raw = {code: value for code, value in row.items() if code.upper().startswith("UF_")}
    fields = {code: value_of(value, book.types.get((ref.entity_type_id, code), "")) for code, value in raw.items()}
    for name, code in book.codes(ref.entity_type_id, category).items():
        fields[name] = fields.get(code)
    return Item(
        ref=ref,
        title=str(row.get("title") or ""),
        stage_id=str(row.get("stageId") or ""),
        category_id=category,
        responsible_id=integer(row.get("assignedById")) or 0,
        contact_id=integer(row.get("contactId")) or None,
        company_id=integer(row.get("companyId")) or None,
        lead_id=integer(row.get("leadId")) or None,
        amount=amount(row.get("opportunity")),
        currency=str(row.get("currencyId") or ""),
        created_at=moment(row.get("createdTime")),
        moved_at=moment(row.get("movedTime")),
        moved_by=integer(row.get("movedBy")) or None,
        fields=fields,
    )


def client_of(ref: ItemRef, result: Any) -> Client:
    """Read a contact or a company as the client."""
    row = as_map(result).get("item", result)
    company = ref.entity_type_id == COMPANY
    parts = (row.get("title"),) if company else (row.get("name"), row.get("secondName"), row.get("lastName"))
    name = " ".join(str(part) for part in parts if part)
    return Client(ref.id, name or f"№ {ref.id}", tuple(_phones(row.get("fm"))), company)


def _phones(multifields: Any) -> list[str]:
    """Order phones by use: mobile first, then work, then the rest as entered."""
    rows = list(multifields.values()) if isinstance(multifields, dict) else multifields or []
    phones = [row for row in rows if isinstance(row, dict) and row.get("typeId") == "PHONE" and row.get("value")]
    rank = {"MOBILE": 0, "WORK": 1}
    return [str(row["value"]) for row in sorted(phones, key=lambda row: rank.get(str(row.get("valueType")), 2))]


def products_of(result: Any) -> tuple[Product, ...]:
    """Read ``crm.item.productrow.list``."""
    rows = as_map(result).get("productRows")
    return tuple(
        Product(
            str(row.get("productName") or ""),
            amount(row.get("quantity")),
            str(row.get("measureName") or ""),
            amount(row.get("price")),
        )
        for row in (rows if isinstance(rows, list) else [])
    )
