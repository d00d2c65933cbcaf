"""Check that what the process needs by now is filled in."""

from __future__ import annotations

from dataclasses import dataclass

from b24app.core import wording
from b24app.core.call import Call
from b24app.core.item import Item
from b24app.core.needs import Facts, NeedItem
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.text import T, join

FULL = T("Обязательные поля заполнены: {fields}", "The required fields are filled in: {fields}")
NOTHING = T("Обязательные поля не заданы, проверять нечего", "No fields are required, there is nothing to check")
MISSING = T("не заполнено: {fields}", "not filled in: {fields}")


@dataclass(frozen=True, slots=True)
class Props:
    fields: tuple[str, ...] = prop(
        T("Обязательные поля", "Required fields"),
        default=("contact_or_company", "amount"),
        same=True,
        help=T(
            "contact_or_company, contact, company, amount (сумма и валюта) или имя поля процесса",
            "contact_or_company, contact, company, amount (with its currency) or a field of the process",
        ),
    )


@dataclass(frozen=True, slots=True)
class Returns:
    ok: bool = prop(T("Всё заполнено", "Everything is filled in"))
    reason: str = prop(T("Причина", "Reason"))
    missing: str = prop(T("Не заполнено", "Not filled in"))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Name every required field that is empty."""
    item = facts[NeedItem(call.item)]
    if item is None:
        return Outcome(wording.GONE, returns=Returns(False, call.say(wording.GONE), ""), ok=False)
    fields = tuple(dict.fromkeys(name.strip() for name in props.fields if name.strip()))
    if not fields:
        return Outcome(NOTHING, returns=Returns(True, "", ""))
    missing = tuple(name for name in fields if not _filled(item, name))
    if missing:
        why = MISSING.fill(fields=_names(call, missing))
        return Outcome(why, returns=Returns(False, call.say(why), ", ".join(missing)), ok=False)
    return Outcome(FULL.fill(fields=_names(call, fields)), returns=Returns(True, "", ""))


def _names(call: Call, names: tuple[str, ...]) -> T:
    return join([wording.label(call, name) for name in names])


def _filled(item: Item, name: str) -> bool:
    match name:
        case "contact_or_company":
            return bool(item.contact_id or item.company_id)
        case "contact":
            return bool(item.contact_id)
        case "company":
            return bool(item.company_id)
        case "amount":
            return item.amount > 0 and bool(item.currency)
        case "currency":
            return bool(item.currency)
        case "title":
            return bool(item.title.strip())
        case "responsible":
            return item.responsible_id > 0
    value = item.fields.get(name)
    return bool(value.strip()) if isinstance(value, str) else value not in (None, ())


ROBOT = Robot(
    code="require_fields",
    name=T("Проверить обязательные поля", "Check the required fields"),
    description=T(
        "Проверяет, что контакт или компания, сумма с валютой и другие поля заполнены",
        "Checks that the contact or company, the amount with its currency and other fields are filled in",
    ),
    decide=decide,
    props=Props,
    returns=Returns,
    waits=True,
    check=True,
)
