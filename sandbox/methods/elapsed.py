"""task.elapseditem.*: time spent on tasks, positional as the methods of old."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.crm import values
from sandbox.errors import RestError
from sandbox.registry import Call, Page, method
from sandbox.tasks import Elapsed
from sandbox.wire import JSON, as_list, as_map, whole

FIELDS = (
    *("ID", "TASK_ID", "USER_ID", "COMMENT_TEXT", "SECONDS", "MINUTES", "SOURCE"),
    *("CREATED_DATE", "DATE_START", "DATE_STOP"),
)
ORDERS = ("ID", "USER_ID", "MINUTES", "SECONDS", "CREATED_DATE", "DATE_START", "DATE_STOP")
FILTERS = ("ID", "USER_ID", "CREATED_DATE")
PAGE = 50


@method("task.elapseditem.add", "task", "TASKID ARFIELDS", positional=True)
def elapsed_add(call: Call) -> Any:
    """Record time spent (task-elapsed-item-add.md)."""
    task = call.portal.tasks.visible(whole(call.get("TASKID")), call.caller.user_id)
    if task is None:
        raise RestError("0x000001", "Задача не найдена")
    given = call.get("ARFIELDS")
    if not isinstance(given, dict) or not whole(given.get("SECONDS")):
        raise RestError("0x000100", "Переданы неверные параметры метода")
    user_id = whole(given.get("USER_ID") or call.caller.user_id)
    if user_id != call.caller.user_id and not call.portal.people.is_admin(call.caller.user_id):
        raise RestError("0x100002", "Доступ запрещен")
    if task.fields["ALLOW_TIME_TRACKING"] != "Y":
        call.complain(f"time was recorded on task {task.id}, which does not show people its time")
    number = max(call.portal.tasks.elapsed, default=0) + 1
    text = str(given.get("COMMENT_TEXT") or "")
    row = Elapsed(number, task.id, user_id, whole(given["SECONDS"]), text, call.portal.now())
    call.portal.tasks.elapsed[number] = row
    return number


@method("task.elapseditem.getlist", "task", "TASKID ORDER FILTER SELECT PARAMS", positional=True)
def elapsed_list(call: Call) -> Page:
    """List time records; pages only through NAV_PARAMS (task-elapsed-item-get-list.md)."""
    task = call.portal.tasks.visible(whole(call.get("TASKID")), call.caller.user_id)
    if task is None:
        raise RestError("0x100002", "Доступ запрещен")
    test = _test(call)
    rows = [row for row in call.portal.tasks.elapsed.values() if row.task_id == task.id and test(row)]
    for name, direction in reversed(as_map(call.get("ORDER")).items()):
        if name not in ORDERS:
            raise RestError("0x000100", "Переданы неверные параметры метода")
        rows.sort(key=lambda row, name=name: _value(row, name), reverse=str(direction).lower() == "desc")  # type: ignore[misc]
    navigation = as_map(as_map(call.get("PARAMS")).get("NAV_PARAMS"))
    size = min(whole(navigation.get("nPageSize") or PAGE), PAGE)
    begin = (max(whole(navigation.get("iNumPage") or 1), 1) - 1) * size
    wanted = [str(name) for name in as_list(call.get("SELECT"))]
    shown = [name for name in FIELDS if not wanted or "*" in wanted or name in wanted]
    return Page([_written(call, row, shown) for row in rows[begin : begin + size]], len(rows))


def _test(call: Call) -> Callable[[Elapsed], bool]:
    tests: list[Callable[[Elapsed], bool]] = []
    for key, wanted in as_map(call.get("FILTER")).items():
        sign = next((sign for sign in ("!", "<=", ">=", "<", ">") if key.startswith(sign)), "")
        name = key[len(sign) :]
        if name not in FILTERS:
            call.complain(f"unknown filter field {key!r} was ignored")
            continue
        given = values.parse_moment(call.portal, wanted, name) if name == "CREATED_DATE" else whole(wanted)
        tests.append(_condition(sign, name, given))
    return lambda row: all(test(row) for test in tests)


def _condition(sign: str, name: str, wanted: Any) -> Callable[[Elapsed], bool]:
    def check(row: Elapsed) -> bool:
        kept = _value(row, name)
        match sign:
            case "<":
                return bool(kept < wanted)
            case "<=":
                return bool(kept <= wanted)
            case ">":
                return bool(kept > wanted)
            case ">=":
                return bool(kept >= wanted)
            case _:
                return bool((kept == wanted) != (sign == "!"))

    return check


def _value(row: Elapsed, name: str) -> Any:
    known = {"ID": row.id, "USER_ID": row.user_id, "MINUTES": row.seconds // 60, "SECONDS": row.seconds}
    return known.get(name, row.at)


def _written(call: Call, row: Elapsed, shown: list[str]) -> JSON:
    stamp = call.portal.stamp(row.at)
    written = {
        "ID": str(row.id),
        "TASK_ID": str(row.task_id),
        "USER_ID": str(row.user_id),
        "COMMENT_TEXT": row.text,
        "SECONDS": str(row.seconds),
        "MINUTES": str(row.seconds // 60),
        "SOURCE": "2",
        "CREATED_DATE": stamp,
        "DATE_START": stamp,
        "DATE_STOP": stamp,
    }
    return {name: written[name] for name in shown}
