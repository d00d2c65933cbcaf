"""Filters and orders of the universal CRM lists: prefixes, nested groups, refusals of unknown fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sandbox.crm import values
from sandbox.crm.schema import Field
from sandbox.errors import RestError
from sandbox.wire import as_list, as_map, whole

if TYPE_CHECKING:
    from sandbox.portal import Portal

Row = Mapping[str, Any]
Test = Callable[[Row], bool]
Lookup = Callable[[str], Field | None]
PREFIX = re.compile(r"^(>=|<=|!=%|!%=|!@|!%|!=|=%|%=|>|<|@|%|=|!)?(.*)$")


def refused(kind: str, detail: str) -> RestError:
    """Give the refusal INVALID_ARG_VALUE of a filter or an order."""
    return RestError("INVALID_ARG_VALUE", f"Invalid {kind}: {detail}")


def compile_filter(portal: Portal, conditions: Any, lookup: Lookup, where: str) -> Test:
    """Turn a filter into a test of rows; raises ``INVALID_ARG_VALUE`` for unknown fields."""
    parts: list[Test] = []
    any_of = False
    for key, value in as_map(conditions).items():
        if str(key).lower() == "logic":
            any_of = str(value).upper() == "OR"
        elif str(key).isdigit():
            parts.append(compile_filter(portal, value, lookup, where))
        else:
            parts.append(_condition(portal, str(key), value, lookup, where))
    joined = any if any_of else all
    return lambda row: joined(part(row) for part in parts)


def _condition(portal: Portal, key: str, value: Any, lookup: Lookup, where: str) -> Test:
    found = PREFIX.match(key)
    operator, name = (found.group(1) or "", found.group(2)) if found else ("", key)
    field = lookup(name)
    if field is None:
        raise refused("filter", f"field '{name}' is not allowed in filter")
    return compare(portal, field, operator, value, where)


def compare(portal: Portal, field: Field, operator: str, value: Any, where: str) -> Test:
    """Give the test of one condition; a multiple field passes when one of its values does."""
    negative = operator.startswith("!")
    bare = operator.lstrip("!")
    test = _test_of(portal, field, bare, value, where)

    def check(row: Row) -> bool:
        kept = row.get(field.name)
        candidates = kept if isinstance(kept, list) else [kept]
        passed = any(test(item) for item in candidates or [None])
        return passed != negative

    return check


def _test_of(portal: Portal, field: Field, operator: str, value: Any, where: str) -> Callable[[Any], bool]:
    single = replace(field, multiple=False)
    if operator in {"%", "=%", "%="}:
        return _like(str(value), exact=operator != "%")
    if operator == "@" or isinstance(value, list | dict):
        wanted = [_wanted(portal, single, item, where) for item in as_list(value)]
        return lambda kept: any(_equal(kept, item) for item in wanted)
    if operator in {"", "="}:
        item = _wanted(portal, single, value, where)
        return lambda kept: _equal(kept, item)
    return _ordered(operator, _wanted(portal, single, value, where))


def _wanted(portal: Portal, field: Field, value: Any, where: str) -> Any:
    if value is None or value == "" or value is False:
        return None
    if field.type == "boolean" and field.user_field:
        if str(value) not in {"0", "1"}:
            portal.complain(f"{where}: the flag {field.name} is filtered by 1 or 0, not {value!r}")
            return object()
        return "Y" if str(value) == "1" else "N"
    if field.type == "file":
        return whole(value)
    if field.type == "date":
        moment = values.parse_moment(portal, value, where, date_only=True)
        return moment.date() if moment else None
    return values.read_one(portal, field, value, where)


def _equal(kept: Any, wanted: Any) -> bool:
    if wanted is None or wanted == 0:
        return kept in (None, "", 0, "N") if wanted is None else kept in (0, None)
    return bool(kept == wanted)


def _ordered(operator: str, wanted: Any) -> Callable[[Any], bool]:
    def check(kept: Any) -> bool:
        if kept is None or wanted is None:
            return False
        left, right = _same_kind(kept, wanted)
        if operator == ">":
            return bool(left > right)
        if operator == "<":
            return bool(left < right)
        return bool(left >= right) if operator == ">=" else bool(left <= right)

    return check


def _same_kind(left: Any, right: Any) -> tuple[Any, Any]:
    if isinstance(left, datetime | date) or isinstance(left, int | float) == isinstance(right, int | float):
        return left, right
    return str(left), str(right)


def _like(mask: str, *, exact: bool) -> Callable[[Any], bool]:
    pattern = "".join(".*" if sign == "%" else re.escape(sign) for sign in mask)
    wanted = re.compile(pattern if exact else f".*{re.escape(mask)}.*", re.IGNORECASE | re.DOTALL)
    return lambda kept: wanted.fullmatch(str("" if kept is None else kept)) is not None


def sort_rows(rows: list[Any], order: Any, lookup: Lookup) -> list[Any]:
    """Sort rows; raises ``INVALID_ARG_VALUE`` for unknown fields and directions."""
    steps = []
    for name, direction in as_map(order).items():
        field = lookup(str(name))
        if field is None:
            raise refused("order", f"field '{name}' is not allowed in order")
        if str(direction).upper() not in {"ASC", "DESC"}:
            raise refused("order", f"allowed sort directions are ASC, DESC. But got '{direction}'")
        steps.append((field.name, str(direction).upper() == "DESC"))
    for name, backward in reversed(steps):
        rows = sorted(rows, key=lambda row: _sort_key(row.get(name)), reverse=backward)
    return rows


def _sort_key(value: Any) -> tuple[int, Any]:
    if value is None or isinstance(value, list | dict):
        return (0, 0)
    return (1, value)
