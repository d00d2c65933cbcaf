"""How robots put things: places of administrators' texts, links, lengths of time, names of fields.

Bitrix24 renders BB codes in comments, notifications and task descriptions; titles, checklists and SMS are plain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from b24app.core import agreed
from b24app.core.call import Call
from b24app.core.item import COMPANY, CONTACT, DEAL, LEAD, Client, File, Item, ItemRef, People
from b24app.core.needs import Facts, Need, NeedClient, NeedItem, NeedPeople
from b24app.core.text import LANGS, T, bb, clean, cut, join, plain, show

TITLE, LINE, BODY, NOTICE, SMS, VALUE = 250, 250, 20_000, 2_000, 700, 10_000
"""The longest title, checklist line, description or comment, notification, SMS, and value put into a text."""

PLACES = frozenset(
    {"title", "client", "phone", "responsible", "installer", "date", "time", "when", "address"}
    | {"amount", "currency", "stage", "reasons", "link"}
)
"""Places every text may hold, besides the names of the process file's fields."""

GONE = T("Карточка удалена, делать нечего", "The item was deleted, there is nothing to do")
PASSED = T(
    "Карточка уже ушла с этой стадии: сообщать и бронировать поздно",
    "The item has left this stage already: it is too late to tell people and to book them",
)

_LABELS: Mapping[str, T] = {
    "contact_or_company": T("Контакт или компания", "Contact or company"),
    "contact": T("Контакт", "Contact"),
    "company": T("Компания", "Company"),
    "amount": T("Сумма и валюта", "Amount and currency"),
    "currency": T("Валюта", "Currency"),
    "title": T("Название", "Title"),
    "responsible": T("Ответственный", "Responsible person"),
}
_FILE = T("файл {number}", "file {number}")
_PATHS = {LEAD: "lead", DEAL: "deal", CONTACT: "contact", COMPANY: "company"}


# What is put into the places -------------------------------------------------------------------------------------------


def client_of(item: Item | None) -> ItemRef | None:
    """Tell who the client of an item is: its contact, else its company; None without either."""
    if item is not None and item.contact_id:
        return ItemRef(CONTACT, item.contact_id)
    return ItemRef(COMPANY, item.company_id) if item is not None and item.company_id else None


def reading(call: Call, facts: Facts, texts: Iterable[T] = ()) -> list[Need[Any]]:
    """Ask for what texts speak of: the item, the people, and the client where a text names him."""
    wanted: list[Need[Any]] = [NeedItem(call.item), NeedPeople()]
    client = client_of(facts.get(NeedItem(call.item)))
    if client is not None and any(text.places() & {"client", "phone"} for text in texts):
        wanted.append(NeedClient(client))
    return wanted


def known(call: Call, facts: Facts, item: Item) -> dict[str, object]:
    """Give the values of all places, from what was read."""
    ref = client_of(item)
    return values(call, item, facts.get(NeedClient(ref)) if ref else None, facts.get(NeedPeople()))


def values(call: Call, item: Item, client: Client | None = None, people: People | None = None) -> dict[str, object]:
    """Give the values of all places a text may hold: fixed ones and the process file's fields."""
    named = people or People()
    persons = {name: named.name(item.user(name)) for name in call.house.employee_fields | {"installer"}}
    fields: dict[str, object] = {
        "date": agreed.day(call, item, "install_date"),
        "time": agreed.clock_time(call, item, "install_date", "install_time"),
        "when": agreed.starts(span) if (span := agreed.visit(call, item, "install_date", "install_time", 1)) else None,
        "address": None,
    }
    fields |= {name: _local(call, value) for name, value in item.fields.items()}
    here = call.place.point(item.stage_id)
    return {
        **fields,
        **persons,
        "title": item.title,
        "client": client.name if client else None,
        "phone": client.phones[0] if client and client.phones else None,
        "responsible": named.name(item.responsible_id),
        "amount": money(item.amount),
        "currency": item.currency or None,
        "stage": here.name if here else item.stage_id,
        "reasons": join(call.reasons, "; "),
        "link": item_link(call, item.ref),
    }


def _local(call: Call, value: object) -> object:
    return call.house.calendar.local(value) if isinstance(value, datetime) and value.tzinfo else value


# Texts for places --------------------------------------------------------------------------------------------------------


def render(call: Call, text: T, given: Mapping[str, object], limit: int = BODY) -> str:
    """Fill a text for a place that reads BB codes; values cannot bring codes of their own."""
    return cut_bb(clean(_filled(text, given, codes=True).at(call.house.lang)), limit)


def title(call: Call, text: T, given: Mapping[str, object]) -> str:
    """Fill a text for a title: one plain line of at most 250 characters."""
    return cut(plain(_filled(text, given, codes=False).at(call.house.lang)), TITLE)


def line(call: Call, text: T, given: Mapping[str, object]) -> str:
    """Fill a text for a line of a checklist."""
    return cut(plain(_filled(text, given, codes=False).at(call.house.lang)), LINE)


def sms(call: Call, text: T, given: Mapping[str, object]) -> str:
    """Fill a text for an SMS: one plain line."""
    return cut(plain(_filled(text, given, codes=False).at(call.house.lang)), SMS)


def told(text: T, given: Mapping[str, object]) -> T:
    """Fill a text in both languages, for the journal: plain lines."""
    filled = _filled(text, given, codes=False)
    return T(*(cut(plain(filled.at(lang)), LINE) for lang in LANGS))


def _filled(text: T, given: Mapping[str, object], *, codes: bool) -> T:
    shown = {name: _shown(value, codes=codes) for name, value in given.items() if name in text.places()}
    return text.fill(**shown)


def _shown(value: object, *, codes: bool) -> object:
    if isinstance(value, tuple):
        parts = [_file(n, v, codes=codes) if isinstance(v, File) else _shown(v, codes=codes) for n, v in enumerate(value, 1)]
        return T(*(", ".join(show(p, lang) for p in parts) or "—" for lang in LANGS))
    if isinstance(value, (date, time, bool, type(None))):
        return value
    ru, en = (cut(show(value, lang), VALUE) for lang in LANGS)
    return T(bb(ru), bb(en)) if codes else T(ru, en)


def _file(number: int, file: File, *, codes: bool) -> T:
    name = _FILE.fill(number=number)
    return T(*(url(file.url, name.at(lang)) or name.at(lang) for lang in LANGS)) if codes else name


def cut_bb(text: str, limit: int) -> str:
    """Shorten a text with escaped brackets without cutting an escape in two."""
    return re.sub(r"&#?\d*…$", "…", cut(text, limit))


def bullets(texts: Iterable[T], call: Call) -> str:
    """Write texts one under the other, escaped for BB codes."""
    return "\n".join(f"• {bb(plain(text.at(call.house.lang)))}" for text in texts)


def url(address: str, shown: str) -> str:
    """Write a link for a place that reads BB codes; empty where the address is not of the web."""
    if not is_web(address):
        return ""
    safe = plain(address).replace("[", "%5B").replace("]", "%5D").replace(" ", "%20")
    return f"[URL={safe}]{bb(plain(shown))}[/URL]"


def is_web(address: str) -> bool:
    """Tell whether an address is an absolute one of http or https."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def item_link(call: Call, ref: ItemRef) -> str:
    """Give the address of an item's card; empty while the portal's address is unknown."""
    kind = _PATHS.get(ref.entity_type_id) or f"type/{ref.entity_type_id}"
    return f"{call.house.portal_url.rstrip('/')}/crm/{kind}/details/{ref.id}/" if call.house.portal_url else ""


def task_link(call: Call, user: int, task_id: int) -> str:
    """Give the address of a task as its executor sees it; empty while the portal's address is unknown."""
    base = call.house.portal_url.rstrip("/")
    return f"{base}/company/personal/user/{user}/tasks/task/view/{task_id}/" if base else ""


# Words for values --------------------------------------------------------------------------------------------------------


def label(call: Call, name: str) -> T:
    """Name a field for people."""
    return call.house.labels.get(name) or _LABELS.get(name) or T.same(name)


def stage_name(call: Call, stage_id: str | None = None) -> T:
    """Name a stage for people; an unknown one by its id."""
    point = call.place.point(stage_id)
    return point.name if point else T.same(stage_id or call.place.stage or "—")


def moment(call: Call, at: datetime) -> str:
    """Write a moment by the company's clock."""
    return call.house.calendar.local(at).strftime("%d.%m.%Y %H:%M")


def money(amount: Decimal) -> str:
    """Write an amount with groups of three and without empty cents."""
    if not amount.is_finite():
        return str(amount)
    written = f"{amount:,.2f}".replace(",", " ")
    return written.removesuffix(".00")


def duration(length: timedelta) -> T:
    """Write how long something took: 23 ч 41 мин, 2 д 3 ч."""
    minutes = max(int(length.total_seconds()), 0) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return T(f"{days} д {hours} ч", f"{days} d {hours} h")
    if hours:
        return T(f"{hours} ч {minutes % 60} мин", f"{hours} h {minutes % 60} min")
    if minutes:
        return T(f"{minutes} мин", f"{minutes} min")
    return T("минуту", "a minute")


def sentence(*parts: T) -> T:
    """Join what was decided into sentences, leaving out empty ones."""
    return join([T(_begun(part.ru), _begun(part.en)) for part in parts if part], ". ")


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]
