"""Users and departments. Pages: api-reference/user/, api-reference/departments/."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from b24app.bitrix.reading.values import integer
from b24app.core.item import Department, People, User


def people_of(users: Iterable[Mapping[str, Any]], departments: Iterable[Mapping[str, Any]]) -> People:
    """Read ``user.get`` and ``department.get`` rows."""
    return People(
        users={user.id: user for user in map(_user, users)},
        departments={department.id: department for department in map(_department, departments)},
    )


def _user(row: Mapping[str, Any]) -> User:
    name = " ".join(str(row.get(part)) for part in ("NAME", "LAST_NAME") if row.get(part))
    raw = row.get("UF_DEPARTMENT") or []
    return User(
        id=int(row["ID"]),
        name=name or str(row.get("EMAIL") or f"№ {row['ID']}"),
        active=row.get("ACTIVE") in (True, "Y", 1, "1"),
        departments=tuple(int(part) for part in (raw if isinstance(raw, list) else [raw])),
        email=str(row.get("EMAIL") or ""),
        phone=str(row.get("PERSONAL_MOBILE") or row.get("WORK_PHONE") or ""),
        position=str(row.get("WORK_POSITION") or ""),
    )


def _department(row: Mapping[str, Any]) -> Department:
    return Department(
        int(row["ID"]), str(row.get("NAME") or ""), integer(row.get("PARENT")) or None, integer(row.get("UF_HEAD")) or None
    )
