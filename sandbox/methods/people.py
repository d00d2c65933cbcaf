"""profile, user.*, department.get, im.department.managers.get (user, departments)."""

from __future__ import annotations

from typing import Any

from sandbox.errors import RestError
from sandbox.people import Department, User
from sandbox.registry import Call, Page, method
from sandbox.wire import JSON, as_list, as_map, whole, yes

CONTACTS = {"EMAIL", "PERSONAL_MOBILE"}
USER_FIELDS = [
    "ID",
    "XML_ID",
    "ACTIVE",
    "NAME",
    "LAST_NAME",
    "SECOND_NAME",
    "EMAIL",
    "LAST_LOGIN",
    "DATE_REGISTER",
    "TIME_ZONE",
    "IS_ONLINE",
    "PERSONAL_GENDER",
    "PERSONAL_BIRTHDAY",
    "PERSONAL_MOBILE",
    "WORK_POSITION",
    "UF_DEPARTMENT",
    "USER_TYPE",
    "UF_EMPLOYMENT_DATE",
]


def write_user(call: Call, user: User) -> JSON:
    """Write a user; with the scope ``user_brief`` alone there are no contacts."""
    registered = call.portal.stamp(user.registered)
    row: JSON = {
        "ID": str(user.id),
        "ACTIVE": user.active,
        "NAME": user.name,
        "LAST_NAME": user.last_name,
        "SECOND_NAME": user.second_name,
        "EMAIL": user.email,
        "LAST_LOGIN": registered,
        "DATE_REGISTER": registered,
        "TIME_ZONE": user.time_zone,
        "IS_ONLINE": "Y",
        "PERSONAL_GENDER": "",
        "PERSONAL_BIRTHDAY": "",
        "PERSONAL_MOBILE": user.mobile,
        "WORK_POSITION": user.position,
        "UF_EMPLOYMENT_DATE": "",
        "UF_DEPARTMENT": list(user.departments),
        "USER_TYPE": "employee",
    }
    scopes = call.caller.scopes
    if scopes is not None and not scopes & {"user", "user_basic", "*"}:
        row = {name: value for name, value in row.items() if name not in CONTACTS}
    return row


@method("profile")
def profile(call: Call) -> Any:
    """Tell who the token's user is (profile.md)."""
    user = call.portal.people.users[call.caller.user_id]
    return {
        "ID": str(user.id),
        "ADMIN": user.admin,
        "NAME": user.name,
        "LAST_NAME": user.last_name,
        "PERSONAL_GENDER": "",
        "TIME_ZONE": user.time_zone,
    }


@method("user.current", "user")
def current(call: Call) -> Any:
    """Read the token's user (user-current.md)."""
    return write_user(call, call.portal.people.users[call.caller.user_id])


@method("user.admin")
def admin(call: Call) -> Any:
    """Tell whether the token's user is an administrator (user-admin.md)."""
    return call.portal.people.is_admin(call.caller.user_id)


@method("user.get", "user", "sort order FILTER ADMIN_MODE select IMAGE_RESIZE start ID *")
def user_get(call: Call) -> Page:
    """List users (user-get.md); fields of the filter may also stand at the top level."""
    conditions = {str(k).upper(): v for k, v in call.params.items() if str(k).lower() == "filter"}.get("FILTER")
    top = {k: v for k, v in call.params.items() if str(k).upper() in USER_FIELDS}
    rows = [write_user(call, user) for user in call.portal.people.users.values()]
    for key, wanted in {**as_map(conditions), **top}.items():
        rows = _where(call, rows, str(key), wanted)
    sort = str(call.params.get("sort", call.params.get("SORT", "ID"))).upper()
    backward = str(call.params.get("order", call.params.get("ORDER", "ASC"))).upper() == "DESC"
    rows.sort(key=lambda row: whole(row["ID"]) if sort == "ID" else str(row.get(sort, "")), reverse=backward)
    return call.page(rows)


def _where(call: Call, rows: list[JSON], key: str, wanted: Any) -> list[JSON]:
    name = key.lstrip("@!><=%").upper()
    if name not in USER_FIELDS:
        call.complain(f"unknown filter field {key!r} was ignored")
        return rows
    if name == "ACTIVE":
        return [row for row in rows if row["ACTIVE"] == yes(wanted)]
    values = {str(item) for item in as_list(wanted)}
    if key.startswith(">"):
        return [row for row in rows if whole(row[name]) > whole(wanted)]
    if key.startswith("%"):
        return [row for row in rows if str(wanted).lower() in str(row[name]).lower()]
    negative = key.startswith("!")
    return [row for row in rows if bool({str(v) for v in as_list(row[name])} & values) != negative]


@method("user.search", "user", "FILTER sort order ADMIN_MODE select start")
def search(call: Call) -> Page:
    """Search users by text (user-search.md)."""
    rows = [user for user in call.portal.people.users.values() if user.active]
    for key, wanted in call.mapping("FILTER").items():
        text = str(wanted).lower().strip("%")
        if key == "FIND":
            rows = [u for u in rows if text in f"{u.full_name} {u.position}".lower()]
        elif key in {"NAME", "LAST_NAME", "WORK_POSITION"}:
            rows = [u for u in rows if text in str(write_user(call, u)[key]).lower()]
        elif key == "UF_DEPARTMENT_NAME":
            names = call.portal.people.departments
            rows = [u for u in rows if any(text in names[d].name.lower() for d in u.departments)]
        else:
            call.complain(f"unknown filter field {key!r} was ignored")
    return call.page([write_user(call, user) for user in rows])


def write_department(department: Department) -> JSON:
    """Write a department; UF_HEAD and PARENT are missing when not set."""
    row: JSON = {"ID": str(department.id), "NAME": department.name, "SORT": department.sort}
    if department.parent:
        row["PARENT"] = str(department.parent)
    if department.head:
        row["UF_HEAD"] = str(department.head)
    return row


@method("department.get", "department", "sort order ID NAME SORT PARENT UF_HEAD START")
def department_get(call: Call) -> Page:
    """List departments (department-get.md); the filter stands at the top level."""
    rows = [write_department(department) for department in call.portal.people.departments.values()]
    for name in ("ID", "NAME", "PARENT", "UF_HEAD"):
        if call.get(name) is not None:
            wanted = {str(item) for item in as_list(call.get(name))}
            rows = [row for row in rows if str(row.get(name, "")) in wanted]
    return call.page(rows)


@method("im.department.managers.get", "im", "ID USER_DATA")
def managers(call: Call) -> Any:
    """Give the heads of departments (im-department-managers-get.md)."""
    numbers = [whole(item) for item in call.listing("ID")]
    if not numbers:
        raise RestError("ID_EMPTY", "Department ID can't be empty")
    departments = call.portal.people.departments
    return {str(n): [departments[n].head] for n in numbers if n in departments and departments[n].head} or []
