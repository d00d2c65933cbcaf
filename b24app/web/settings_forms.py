"""The forms of the settings page: what stands in their fields, and what was written into them. Pure.

Reading gives the changes that were understood and, by field, what was not; what was written stays in the fields either way.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from werkzeug.datastructures import MultiDict

from b24app.core.portal import Gateway, PortalSettings
from b24app.core.text import LANGS, T, plain

Form = MultiDict[str, str]
HIDDEN = "••••••"
METHODS = ("GET", "POST", "POST JSON")
PRESETS: Mapping[str, Gateway] = {
    "smsc": Gateway(
        url="https://smsc.ru/sys/send.php",
        method="POST",
        fields={"login": "", "psw": "", "phones": "{phone}", "mes": "{text}", "id": "{id}", "charset": "utf-8", "fmt": "3"},
        failed="error_code",
    ),
    "smsru": Gateway(
        url="https://sms.ru/sms/send",
        method="POST",
        fields={"api_id": "", "to": "{phone}", "msg": "{text}", "json": "1"},
        ok='"sms_id"',
        failed='"ERROR"',
    ),
}

_DATE = T("Не удалось прочесть дату «{text}»: пишите 31.12.2026", "Cannot read the date “{text}”: write 31.12.2026")
_TIME = T("Нужно время, например 09:00", "A time is needed, 09:00 for example")
_COUNTRY = T("Две латинские буквы кода страны, например RU", "Two letters of the country’s code, RU for example")
_CHOICE = T("Выберите из списка", "Choose from the list")
_PAIR = T("Строка «{text}» без знака «=»: пишите имя=значение", "The line “{text}” has no “=”: write name=value")
_PLACES = T(
    "Ни адрес, ни поля не содержат {phone} и {text}: без них сообщение не отправить",
    "Neither the address nor the fields hold {phone} and {text}: no message can be sent without them",
)
_LONG = T("Слишком длинно", "Too long")
_LINES = re.compile(r"[\s,;]+")


@dataclass(slots=True)
class Reading:
    """What was read of a form: changes, and by field what is wrong."""

    changes: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, T] = field(default_factory=dict)


# What stands in the fields ------------------------------------------------------------------------------------------------


def company_fields(settings: PortalSettings) -> dict[str, Any]:
    """Write the company's settings the way their form shows them."""
    return {
        "lang": settings.lang,
        "zone": settings.zone,
        "day_starts": f"{settings.day_starts:%H:%M}",
        "day_ends": f"{settings.day_ends:%H:%M}",
        "weekend": [str(day) for day in settings.weekend],
        "country": settings.country,
        "public_holidays": settings.public_holidays,
        "holidays": "\n".join(f"{day:%d.%m.%Y}" for day in settings.holidays),
        "working_weekends": "\n".join(f"{day:%d.%m.%Y}" for day in settings.working_weekends),
    }


def gateway_fields(gateway: Gateway) -> dict[str, Any]:
    """Write the gateway the way its form shows it; values without a place to fill may be passwords and stay hidden."""
    return {
        "url": _hidden_query(gateway.url),
        "method": gateway.method,
        "fields": _pairs(gateway.fields),
        "headers": _pairs(gateway.headers),
        "ok": gateway.ok,
        "failed": gateway.failed,
        "status_url": _hidden_query(gateway.status_url),
        "status_ok": gateway.status_ok,
    }


def _pairs(values: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={value if not value or '{' in value else HIDDEN}" for name, value in values.items())


def _hidden_query(address: str) -> str:
    """Hide what an address carries after its question mark, but for the places to fill."""
    path, mark, query = address.partition("?")
    parts = (pair.partition("=") for pair in query.split("&"))
    shown = (f"{name}{sign}{value if not value or '{' in value else HIDDEN}" for name, sign, value in parts)
    return path + mark + "&".join(shown)


def _kept_query(address: str, old: str) -> str:
    """Put back into an address what was shown hidden and not touched."""
    path, mark, query = address.partition("?")
    before = dict(pair.partition("=")[::2] for pair in old.partition("?")[2].split("&"))
    parts = (pair.partition("=") for pair in query.split("&"))
    return path + mark + "&".join(f"{n}{sign}{before.get(n, '') if value == HIDDEN else value}" for n, sign, value in parts)


def written(form: Form, lists: Collection[str] = (), flags: Collection[str] = ()) -> dict[str, Any]:
    """Keep what somebody wrote, to be shown again beside what is wrong with it."""
    kept: dict[str, Any] = dict(form.items())
    kept |= {name: form.getlist(name) for name in lists}
    return kept | {name: name in form for name in flags}


# What was written into them -----------------------------------------------------------------------------------------------


def read_company(form: Form) -> Reading:
    """Read the company's language, zone and working time."""
    reading = Reading()
    lang = form.get("lang", "")
    if lang in LANGS:
        reading.changes["lang"] = lang
    else:
        reading.wrong["lang"] = _CHOICE
    reading.changes["zone"] = plain(form.get("zone", ""))[:64]
    country = form.get("country", "").strip().upper()
    if re.fullmatch(r"[A-Z]{2}", country):
        reading.changes["country"] = country
    else:
        reading.wrong["country"] = _COUNTRY
    for name in ("day_starts", "day_ends"):
        _time(reading, name, form.get(name, ""))
    reading.changes["weekend"] = tuple(int(day) for day in form.getlist("weekend") if day in "0123456" and day)
    reading.changes["public_holidays"] = "public_holidays" in form
    for name in ("holidays", "working_weekends"):
        _dates(reading, name, form.get(name, ""))
    return reading


def _time(reading: Reading, name: str, text: str) -> None:
    try:
        reading.changes[name] = time.fromisoformat(text.strip()).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        reading.wrong[name] = _TIME


def _dates(reading: Reading, name: str, text: str) -> None:
    days: set[date] = set()
    for word in filter(None, _LINES.split(text[:20_000])):
        day = _date(word)
        if day is None:
            reading.wrong[name] = _DATE.fill(text=word[:20])
            return
        days.add(day)
    reading.changes[name] = tuple(sorted(days))


def _date(word: str) -> date | None:
    for form in ("%d.%m.%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(word, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def read_people(form: Form, users: Collection[int], departments: Collection[int], roles: Collection[str]) -> Reading:
    """Read the crew, the fallback and who stands in; only people and departments of the portal are understood."""
    reading = Reading()
    reading.changes["crew_users"] = _chosen(reading, form, "crew_users", users)
    reading.changes["crew_departments"] = _chosen(reading, form, "crew_departments", departments)
    reading.changes["fallback"] = _one(reading, form, "fallback", users)
    stand_ins = {role: _one(reading, form, f"stand_in:{role}", users) for role in roles}
    reading.changes["stand_ins"] = {role: user for role, user in stand_ins.items() if user is not None}
    return reading


def _chosen(reading: Reading, form: Form, name: str, known: Collection[int]) -> tuple[int, ...]:
    written_ids = form.getlist(name)
    chosen = {_number(text) for text in written_ids}
    if not chosen <= set(known):
        reading.wrong[name] = _CHOICE
    return tuple(sorted(number for number in chosen if number in known and number is not None))


def _one(reading: Reading, form: Form, name: str, known: Collection[int]) -> int | None:
    text = form.get(name, "")
    number = _number(text)
    if text and number not in known:
        reading.wrong[name] = _CHOICE
        return None
    return number


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def read_gateway(form: Form, old: Gateway) -> tuple[Gateway, dict[str, T]]:
    """Read the gateway; a hidden value that was not touched stays what it was."""
    wrong: dict[str, T] = {}
    fields = _read_pairs(form.get("fields", ""), old.fields, "fields", wrong)
    headers = _read_pairs(form.get("headers", ""), old.headers, "headers", wrong)
    texts = {name: form.get(name, "").strip() for name in ("url", "ok", "failed", "status_url", "status_ok")}
    texts |= {name: _kept_query(texts[name], getattr(old, name)) for name in ("url", "status_url")}
    for name, text in texts.items():
        if len(text) > 2000:
            wrong[name] = _LONG
    method = form.get("method", "")
    if method not in METHODS:
        wrong["method"] = _CHOICE
    held = " ".join((texts["url"], *fields.values()))
    if texts["url"] and "fields" not in wrong and not ("{phone}" in held and "{text}" in held):
        wrong["fields"] = _PLACES
    if wrong:
        return old, wrong
    return Gateway.model_validate({**texts, "method": method, "fields": fields, "headers": headers}), {}


def _read_pairs(text: str, old: Mapping[str, str], name: str, wrong: dict[str, T]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for line in text[:20_000].splitlines():
        if not line.strip():
            continue
        key, sign, value = line.strip().partition("=")
        if not sign or not key.strip():
            wrong[name] = _PAIR.fill(text=line.strip()[:40])
            return pairs
        pairs[key.strip()] = old.get(key.strip(), "") if value == HIDDEN else value.strip()
    return pairs
