"""Filters and orders of tasks.task.list; unknown filter fields are ignored by the portal (tasks-task-list.md)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sandbox.crm import values
from sandbox.errors import RestError
from sandbox.methods.task_shape import SELECTABLE, TIMES, meta_status, value_of
from sandbox.portal import Portal
from sandbox.registry import Call
from sandbox.tasks import Task
from sandbox.wire import JSON, as_list, as_map, whole

FILTERS = [
    "ID",
    "PARENT_ID",
    "GROUP_ID",
    "CREATED_BY",
    "STATUS_CHANGED_BY",
    "PRIORITY",
    "RESPONSIBLE_ID",
    "TITLE",
    "TAG",
    "REAL_STATUS",
    "STATUS",
    "MARK",
    "ADD_IN_REPORT",
    "DATE_START",
    "DEADLINE",
    "CREATED_DATE",
    "CLOSED_DATE",
    "CHANGED_DATE",
    "ACTIVITY_DATE",
    "ACCOMPLICE",
    "AUDITOR",
    "UF_CRM_TASK",
    "ONLY_ROOT_TASKS",
    "STAGE_ID",
    "START_DATE_PLAN",
    "END_DATE_PLAN",
]


def compile_filter(call: Call) -> Callable[[Task], bool]:
    tests: list[Callable[[Task], bool]] = []
    for key, wanted in as_map(call.get("filter")).items():
        operator = next((sign for sign in ("!", "<=", ">=", "<", ">", "%", "=") if key.startswith(sign)), "")
        name = key[len(operator) :]
        if name not in FILTERS:
            call.complain(f"unknown filter field {key!r} was ignored")
            continue
        tests.append(_condition(call, operator, name, wanted))
    return lambda task: all(test(task) for test in tests)


def _condition(call: Call, operator: str, name: str, wanted: Any) -> Callable[[Task], bool]:
    portal = call.portal
    if name == "ONLY_ROOT_TASKS":
        return lambda task: str(wanted) != "Y" or not task.fields["PARENT_ID"]
    items = [_wanted(call, name, item) for item in as_list(wanted)] or [None]

    def check(task: Task) -> bool:
        kept = value_of(portal, task, name)
        if name == "STATUS" and any(isinstance(item, int) and item < 0 for item in items):
            return any(meta_status(portal, task, call.caller, int(item)) for item in items)
        pool = kept if isinstance(kept, list) else [kept]
        if operator in {"", "=", "!"}:
            same = any(item in pool or (item in {None, 0} and kept in (None, 0, [], "")) for item in items)
            return same != (operator == "!")
        if operator == "%":
            return str(items[0]).lower() in str(kept).lower()
        return kept is not None and _ordered(operator, kept, items[0])

    return check


def _wanted(call: Call, name: str, raw: Any) -> Any:
    if name.endswith("DATE") or name in TIMES or name == "DATE_START":
        return values.parse_moment(call.portal, raw, f"{call.method}.{name}") if raw else None
    text = str(raw)
    is_number = text.lstrip("-").isdigit() and name not in {"TITLE", "TAG", "UF_CRM_TASK"}
    return whole(raw) if is_number else None if raw in (None, "", False) else text


def _ordered(operator: str, kept: Any, wanted: Any) -> bool:
    if wanted is None:
        return False
    if operator == ">":
        return bool(kept > wanted)
    if operator == "<":
        return bool(kept < wanted)
    return bool(kept >= wanted) if operator == ">=" else bool(kept <= wanted)


def sort_tasks(portal: Portal, rows: list[Task], order: JSON) -> list[Task]:
    """Sort tasks; raises error 0 for an unknown key."""
    for name, direction in reversed(list(order.items())):
        if name not in SELECTABLE:
            raise RestError("0", "Неверный ключ сортировки (internal error)")
        rows = sorted(rows, key=partial(_sort_key, portal, name), reverse=str(direction).lower() == "desc")
    return rows


def _sort_key(portal: Portal, name: str, task: Task) -> tuple[int, Any]:
    value = value_of(portal, task, name)
    return (0, 0) if value is None or isinstance(value, list) else (1, value)
