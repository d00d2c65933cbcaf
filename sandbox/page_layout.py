"""A card as its layout has it: sections of inputs, and the fields nobody sees there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.crm.items import Item
from sandbox.crm.layouts import REPEATED_LEAD, SIMPLE_LEAD, Key
from sandbox.crm.schema import COMPANY, CONTACT, DEAL, LEAD, camel
from sandbox.page_desk import Desk
from sandbox.page_fields import Input, inputs_of
from sandbox.wire import as_list, as_map, yes

PHONES = {"PHONE", "EMAIL"}
PARTS = {"OPPORTUNITY_WITH_CURRENCY": ("opportunity", "currencyId"), "CLIENT": ("contactId", "companyId")}
"""Fields of layouts that are several fields of an item."""
USUAL = {
    LEAD: (
        "TITLE STATUS_ID OPPORTUNITY_WITH_CURRENCY CLIENT NAME LAST_NAME PHONE EMAIL",
        "SOURCE_ID ASSIGNED_BY_ID COMMENTS",
    ),
    DEAL: (
        "TITLE STAGE_ID OPPORTUNITY_WITH_CURRENCY CLOSEDATE CLIENT",
        "TYPE_ID SOURCE_ID BEGINDATE ASSIGNED_BY_ID COMMENTS",
    ),
    CONTACT: ("NAME LAST_NAME SECOND_NAME POST PHONE EMAIL COMPANY_ID", "ASSIGNED_BY_ID COMMENTS"),
    COMPANY: ("TITLE REVENUE PHONE EMAIL", "ASSIGNED_BY_ID COMMENTS"),
}
"""What the portal shows in cards without a layout; all user fields come behind the second part."""
USUAL_OF_SMART = ("TITLE STAGE_ID OPPORTUNITY_WITH_CURRENCY CLIENT", "ASSIGNED_BY_ID BEGINDATE CLOSEDATE SOURCE_ID")
ABOUT = {
    LEAD: ("О лиде", "About the lead"),
    DEAL: ("О сделке", "About the deal"),
    CONTACT: ("О контакте", "About the contact"),
    COMPANY: ("О компании", "About the company"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """A section as a card shows it; ``phones``: here stand the phones and mails."""

    title: str
    inputs: tuple[Input, ...]
    phones: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """The sections of a card, and the labels of the user fields that are in none of them."""

    sections: tuple[Section, ...]
    hidden: tuple[str, ...]


def card_of(entity_type_id: int, item: Item) -> Key:
    """Tell which layout an item's card has."""
    if entity_type_id == LEAD:
        return LEAD, REPEATED_LEAD if yes(item.get("isReturnCustomer")) else SIMPLE_LEAD
    return entity_type_id, item.get("categoryId") or 0


def shown_card(desk: Desk, entity_type_id: int, item: Item) -> Shown:
    """Give an item's card as the user sees it: by his own layout, by everybody's, or as the portal has it by itself."""
    inputs = {one.name: one for one in inputs_of(desk, entity_type_id, item)}
    kept = desk.portal.crm.layouts.seen_by(card_of(entity_type_id, item), desk.who.id)
    if kept is None:
        chosen = list(_usual(desk, entity_type_id))
    else:
        rows = [as_map(row) for row in kept]
        chosen = [(str(r.get("title")), [str(as_map(e).get("name")) for e in as_list(r.get("elements"))]) for r in rows]
    has_phones = "fm" in desk.portal.crm.fields(entity_type_id)
    sections = tuple(
        Section(
            title,
            tuple(inputs[name] for code in codes for name in names_of(code) if name in inputs),
            has_phones and any(code in PHONES for code in codes),
        )
        for title, codes in chosen
    )
    seen = {one.name for section in sections for one in section.inputs}
    own = {uf.name for uf in desk.portal.crm.user_fields.of(desk.portal.crm.uf_entity(entity_type_id))}
    return Shown(sections, tuple(one.label for one in inputs.values() if one.name in own - seen))


def names_of(code: str) -> tuple[str, ...]:
    """Give the fields of an item behind a field of a layout."""
    if code in PARTS:
        return PARTS[code]
    if code.startswith("PARENT_ID_"):
        return (f"parentId{code.removeprefix('PARENT_ID_')}",)
    return (code if code.startswith("UF_") else camel(code),)


def _usual(desk: Desk, entity_type_id: int) -> Iterator[tuple[str, list[str]]]:
    """Give the sections of a card nobody has arranged: the standard ones, all user fields in order in the second."""
    crm = desk.portal.crm
    main, more = USUAL.get(entity_type_id, USUAL_OF_SMART)
    own = sorted(crm.user_fields.of(crm.uf_entity(entity_type_id)), key=lambda uf: (uf.sort, uf.id))
    parents = [field.upper for name, field in crm.fields(entity_type_id).items() if name.startswith("parentId")]
    yield desk.say(*ABOUT.get(entity_type_id, ("Об элементе", "About the item"))), main.split()
    yield desk.say("Дополнительно", "More"), [*more.split(), *parents, *(uf.name for uf in own)]
