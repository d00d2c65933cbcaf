"""Values of CRM fields: how they are read from a request, kept, compared and written."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sandbox.crm.schema import Field
from sandbox.errors import RestError
from sandbox.wire import as_list, number, whole, yes

if TYPE_CHECKING:
    from sandbox.portal import Portal

_INTEGERS = {
    "integer",
    "user",
    "employee",
    "enumeration",
    "crm_company",
    "crm_contact",
    "crm_lead",
    "crm_quote",
    "crm_category",
    "crm_entity",
    "iblock_element",
    "iblock_section",
    "location",
}
_SITE_DATE = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})(?:[ T](\d{2}):(\d{2})(?::(\d{2}))?)?$")


def parse_moment(portal: Portal, text: Any, where: str, *, date_only: bool = False) -> datetime | None:
    """Read a time leniently, as the portal does; what cannot be read is "not set".

    A time without an offset is the server's (api-reference/data-types.md); both cases are complained of.
    """
    raw = str(text).strip()
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        found = _SITE_DATE.match(raw)
        portal.complain(f"{where}: {raw!r} is not ISO 8601" + ("" if found else ", taken as not set"))
        if not found:
            return None
        day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=portal.server_zone)
    if moment.tzinfo is not None:
        return moment.astimezone(portal.server_zone)
    if not date_only:
        portal.complain(f"{where}: {raw!r} has no offset, read as server time")
    return moment.replace(tzinfo=portal.server_zone)


def parse_day(portal: Portal, text: Any, where: str) -> date | None:
    """Read a date; a time with another offset may shift the day, so anything but a plain date is complained of."""
    moment = parse_moment(portal, text, where, date_only=True)
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(text).strip()):
        portal.complain(f"{where}: a date-only field was given {text!r}")
    return moment.date() if moment else None


def not_valid(field: Field) -> RestError:
    """Give the refusal of a value."""
    return RestError("CRM_FIELD_ERROR_VALUE_NOT_VALID", f'Неверное значение поля "{field.title or field.name}"')


def read(portal: Portal, field: Field, raw: Any, where: str) -> Any:
    """Read a field's value from a request; raises error 100 for a scalar given to a multiple field."""
    if not field.multiple:
        if isinstance(raw, list) and field.type not in {"file", "crm_multifield"}:
            portal.complain(f"{where}: a list was given to the single field {field.name}")
            raw = raw[0] if raw else None
        return read_one(portal, field, raw, where)
    if raw is None or raw == "" or raw is False:
        return []
    if not isinstance(raw, list | dict):
        kind = type(raw).__name__
        raise RestError("100", f"Expected iterable value for multiple field, but got {kind} instead")
    values = [read_one(portal, field, item, where) for item in as_list(raw)]
    return [value for value in values if value is not None]


def read_one(portal: Portal, field: Field, raw: Any, where: str) -> Any:
    """Read one value of a field."""
    kind = field.type
    if raw is None or raw == "":
        return None
    if kind == "file":
        return read_file(portal, raw, where)
    if kind in _INTEGERS:
        return _read_integer(portal, field, raw, where)
    if kind in {"double"}:
        return _read_double(field, raw)
    if kind == "boolean":
        return "Y" if yes(raw) else "N"
    if kind == "date":
        return parse_day(portal, raw, f"{where}.{field.name}")
    if kind == "datetime":
        return parse_moment(portal, raw, f"{where}.{field.name}")
    return raw if isinstance(raw, dict) else str(raw)


def _read_integer(portal: Portal, field: Field, raw: Any, where: str) -> int | None:
    if isinstance(raw, dict | list):
        raise not_valid(field)
    if not str(raw).strip().lstrip("-").isdigit():
        portal.complain(f"{where}: {field.name} was given {raw!r} instead of an integer")
    value = whole(raw)
    people = field.type in {"user", "employee"}
    if people and value and value not in portal.people.users:
        portal.complain(f"{where}: {field.name} names the unknown user {value}")
    if field.type == "enumeration" and value and value not in portal.crm.option_ids(field):
        portal.complain(f"{where}: {field.name} has no option {value}")
        return None
    return value


def _read_double(field: Field, raw: Any) -> float:
    try:
        return float(raw)
    except (TypeError, ValueError):
        raise not_valid(field) from None


def read_file(portal: Portal, raw: Any, where: str) -> int | None:
    """Read a file: ``["name", "base64"]`` stores it, ``{"id": n}`` keeps it (crm-item-update.md)."""
    if isinstance(raw, dict):
        if "fileData" in raw:
            return read_file(portal, raw["fileData"], where)
        if "id" in raw or "ID" in raw:
            return whole(raw.get("id", raw.get("ID")))
        raw = list(raw.values())
    if isinstance(raw, list) and len(raw) == 2:
        try:
            return portal.store_file(str(raw[0]), base64.b64decode(str(raw[1]), validate=True))
        except binascii.Error:
            pass
    portal.complain(f"{where}: a file was given in an unknown form")
    return None


def write(portal: Portal, field: Field, value: Any) -> Any:
    """Write a kept value as the universal methods answer it."""
    if field.multiple:
        return [write_one(portal, field, item) for item in value or []]
    return write_one(portal, field, value)


def write_one(portal: Portal, field: Field, value: Any) -> Any:
    """Write one value."""
    if value is None:
        return None
    if field.type == "file":
        address = f"{portal.client_endpoint}crm.controller.item.getFile/?fileId={value}"
        return {"id": value, "url": address, "urlMachine": address}
    if isinstance(value, datetime):
        return portal.stamp(value)
    if isinstance(value, date):
        return portal.day(value)
    return number(value) if isinstance(value, float) else value


def write_legacy(portal: Portal, field: Field, value: Any) -> Any:
    """Write a kept value as the legacy methods answer it: scalars are texts."""
    if field.multiple:
        return [write_legacy_one(portal, field, item) for item in value or []]
    return write_legacy_one(portal, field, value)


def write_legacy_one(portal: Portal, field: Field, value: Any) -> Any:
    """Write one value as text; money with two digits, user flags as 1 and 0."""
    if value is None:
        return None
    if field.type == "double" and not field.user_field:
        return f"{value:.2f}"
    if field.type == "boolean" and field.user_field:
        return "1" if value == "Y" else "0"
    written = write_one(portal, field, value)
    return written if isinstance(written, dict | str) else str(written)
