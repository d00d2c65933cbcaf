"""Fields of CRM cards as inputs of a form, and what a visitor typed as a REST method takes it."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

from sandbox.crm.items import Item
from sandbox.crm.schema import COMPANY, CONTACT, DEAL, LEAD, Field
from sandbox.page_desk import Desk
from sandbox.wire import JSON, number, whole

Option = tuple[str, str]
_BUSINESS = "opportunity currencyId contactId companyId assignedById"
ORDER = {
    LEAD: f"title name lastName {_BUSINESS} sourceId comments",
    DEAL: f"title {_BUSINESS} begindate closedate typeId sourceId comments",
    CONTACT: "name lastName secondName post companyId assignedById comments",
    COMPANY: "title revenue assignedById comments",
}
DYNAMIC_ORDER = f"title {_BUSINESS} begindate closedate sourceId"
LABELS = {
    "title": ("Название", "Title"),
    "name": ("Имя", "First name"),
    "lastName": ("Фамилия", "Last name"),
    "secondName": ("Отчество", "Middle name"),
    "post": ("Должность", "Position"),
    "opportunity": ("Сумма", "Amount"),
    "currencyId": ("Валюта", "Currency"),
    "contactId": ("Контакт", "Contact"),
    "companyId": ("Компания", "Company"),
    "assignedById": ("Ответственный", "Responsible"),
    "begindate": ("Дата начала", "Start date"),
    "closedate": ("Дата завершения", "End date"),
    "typeId": ("Тип", "Type"),
    "sourceId": ("Источник", "Source"),
    "comments": ("Комментарий", "Comment"),
    "revenue": ("Годовой оборот", "Revenue"),
}
DICTIONARIES = {"sourceId": "SOURCE", "typeId": "DEAL_TYPE"}
CURRENCIES = ("RUB", "BYN", "KZT", "USD", "EUR")
KINDS = {
    "integer": "number",
    "double": "number",
    "boolean": "choice",
    "date": "date",
    "datetime": "datetime",
    "money": "money",
    "file": "file",
    "text": "area",
    "url": "link",
}
CHOICES = {"user", "employee", "enumeration", "crm_contact", "crm_company", "crm_status", "crm_currency", "boolean"}


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a card: ``kind`` picks its looks, ``values`` are what it shows now."""

    name: str
    label: str
    kind: str
    values: tuple[str, ...]
    options: tuple[Option, ...] = ()
    multiple: bool = False
    required: bool = False
    files: tuple[tuple[int, str], ...] = ()
    link: str = ""


def inputs_of(desk: Desk, entity_type_id: int, item: Item) -> list[Input]:
    """Give the inputs of an item's card: the usual fields in their order, then all user fields and parents."""
    fields, closed = desk.portal.crm.fields(entity_type_id), desk.portal.crm.switched_off(entity_type_id)
    names = ORDER.get(entity_type_id, DYNAMIC_ORDER).split()
    names += [name for name, field in fields.items() if field.user_field or name.startswith("parentId")]
    return [_input(desk, fields[name], item.get(name)) for name in names if name in fields and name not in closed]


def _input(desk: Desk, field: Field, value: Any) -> Input:
    kind = "choice" if field.type in CHOICES else KINDS.get(field.type, "text")
    options = tuple(_options(desk, field)) if kind == "choice" else ()
    if field.name == "comments":
        kind = "area"
    values = tuple(shown(desk, field, value))
    known = {code for code, _ in options}
    options += tuple((code, code) for code in values if kind == "choice" and code and code not in known)
    return Input(
        field.name,
        _label(desk, field),
        kind,
        values,
        options,
        field.multiple,
        field.required,
        tuple((number, desk.portal.files[number][0]) for number in _ids(value)) if kind == "file" else (),
        _link(field, value),
    )


def _label(desk: Desk, field: Field) -> str:
    if field.name in LABELS:
        return desk.say(*LABELS[field.name])
    if field.name.startswith("parentId"):
        kind = whole(field.name.removeprefix("parentId"))
        parent = desk.portal.crm.types.get(kind)
        return parent.title if parent else desk.say("Лид", "Lead") if kind == LEAD else desk.say("Сделка", "Deal")
    uf = desk.portal.crm.user_fields.named(field.name)
    labels = uf.label if uf and isinstance(uf.label, dict) else {}
    return str(labels.get(desk.who.language) or field.title or field.name)


def _link(field: Field, value: Any) -> str:
    sections = {"crm_contact": "contact", "crm_company": "company"}
    if field.name.startswith("parentId") and value:
        kind = whole(field.name.removeprefix("parentId"))
        section = {LEAD: "lead", DEAL: "deal"}.get(kind, f"type/{kind}")
        return f"/crm/{section}/details/{whole(value)}/"
    if field.type in sections and value and not field.multiple:
        return f"/crm/{sections[field.type]}/details/{value}/"
    return ""


def _ids(value: Any) -> list[int]:
    return [whole(one) for one in (value if isinstance(value, list) else [value]) if one]


def _options(desk: Desk, field: Field) -> Iterable[Option]:
    portal, crm = desk.portal, desk.portal.crm
    if field.type in {"user", "employee"}:
        return [(str(user.id), user.full_name) for user in portal.people.users.values() if user.active]
    if field.type == "boolean":
        return [("Y", desk.say("Да", "Yes")), ("N", desk.say("Нет", "No"))]
    if field.type == "enumeration":
        uf = crm.user_fields.named(field.name)
        return [(str(option.id), option.value) for option in (uf.options if uf else [])]
    if field.type == "crm_contact":
        return [(str(row["id"]), person_name(row)) for row in crm.items.get(CONTACT, {}).values()]
    if field.type == "crm_company":
        return [(str(row["id"]), str(row["title"])) for row in crm.items.get(COMPANY, {}).values()]
    if field.type == "crm_currency":
        return [(code, code) for code in CURRENCIES]
    uf = crm.user_fields.named(field.name)
    dictionary = str(uf.settings.get("ENTITY_TYPE", "")) if uf else DICTIONARIES.get(field.name, "")
    return [(status.status_id, status.name) for status in crm.stages.of(dictionary)]


def person_name(item: Item) -> str:
    """Give a contact's name as people read it."""
    return f"{item.get('name') or ''} {item.get('lastName') or ''}".strip() or f"#{item['id']}"


def shown(desk: Desk, field: Field, value: Any) -> list[str]:
    """Give what the inputs of a field hold: one text for a single field, any number for a multiple one."""
    if field.multiple:
        return [_shown_one(desk, field, one) for one in value or []]
    return [_shown_one(desk, field, value)]


def _shown_one(desk: Desk, field: Field, value: Any) -> str:
    if value is None or (value == 0 and field.type in CHOICES):
        return ""
    if isinstance(value, datetime):
        return value.astimezone(desk.zone).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return str(number(value)) if isinstance(value, float) else str(value)


def typed(desk: Desk, field: Field, texts: list[str]) -> Any:
    """Give what a REST method takes for the texts of a field's inputs."""
    if field.multiple:
        given = [line for text in texts for line in text.splitlines()] if field.type not in CHOICES else texts
        return [_typed_one(desk, field, text) for text in given if text.strip()]
    if field.type == "money":
        amount = texts[0].replace(",", ".").replace(" ", "") if texts else ""
        return f"{amount}|{texts[1] if len(texts) > 1 else 'RUB'}" if amount else ""
    return _typed_one(desk, field, texts[0] if texts else "")


def _typed_one(desk: Desk, field: Field, text: str) -> Any:
    text = text.replace("\r\n", "\n")
    if not text:
        return 0 if field.type in {"crm_contact", "crm_company"} and not field.user_field else ""
    if field.type == "datetime":
        return desk.read_local(text).isoformat()
    if field.type == "double":
        return text.replace(",", ".").replace("\u00a0", "").replace(" ", "")
    return text


def edited(
    desk: Desk, entity_type_id: int, before: JSON, form: MultiDict[str, str], files: MultiDict[str, FileStorage]
) -> JSON:
    """Give the fields a visitor changed: what he sent differs from what his form had shown (``before``)."""
    found: JSON = {}
    for name, field in desk.portal.crm.fields(entity_type_id).items():
        if field.type == "file":
            found |= _edited_file(field, before, form, files)
        elif name in before:
            sent = [text.replace("\r\n", "\n") for text in form.getlist(f"f:{name}")]
            if field.type == "money":
                sent = ["|".join(sent) if sent and sent[0] else ""]
            elif field.multiple and field.type not in CHOICES:
                sent = [line for text in sent for line in text.split("\n") if line.strip()]
            if sent != before[name]:
                found[name] = typed(desk, field, form.getlist(f"f:{name}"))
    return found


def _edited_file(field: Field, before: JSON, form: MultiDict[str, str], files: MultiDict[str, FileStorage]) -> JSON:
    added = [file for file in files.getlist(f"f:{field.name}") if file.filename]
    gone = {whole(text) for text in form.getlist(f"gone:{field.name}")}
    if field.name not in before or not (added or gone):
        return {}
    fresh: list[Any] = [[file.filename, base64.b64encode(file.read()).decode()] for file in added]
    if not field.multiple:
        return {field.name: fresh[0] if fresh else ""}
    kept = [{"id": whole(text)} for text in before[field.name] if whole(text) not in gone]
    return {field.name: [*kept, *fresh]}
