"""Users and departments of a portal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.portal import Portal


@dataclass(slots=True, eq=False)
class User:
    """An employee."""

    id: int
    name: str
    last_name: str
    position: str = ""
    email: str = ""
    mobile: str = ""
    departments: list[int] = field(default_factory=list)
    admin: bool = False
    active: bool = True
    language: str = "ru"
    time_zone: str = ""
    second_name: str = ""
    registered: datetime | None = None

    @property
    def full_name(self) -> str:
        """Give first and last name."""
        return f"{self.name} {self.last_name}".strip()


@dataclass(slots=True, eq=False)
class Department:
    """A department; the root has parent 0."""

    id: int
    name: str
    parent: int = 0
    head: int = 0
    sort: int = 500


class People:
    """Who works here, who leads whom."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self.users: dict[int, User] = {}
        self.departments: dict[int, Department] = {}

    def add(self, name: str, last_name: str, **rest: object) -> User:
        """Hire somebody; further fields of ``User`` by name."""
        number = max(self.users, default=0) + 1
        user = User(number, name, last_name, registered=self._portal.world.now())
        for key, value in rest.items():
            setattr(user, key, value)
        self.users[number] = user
        return user

    def add_department(self, name: str, parent: int = 0, head: int = 0) -> Department:
        """Found a department."""
        number = max(self.departments, default=0) + 1
        self.departments[number] = Department(number, name, parent, head)
        return self.departments[number]

    def active(self, user_id: int) -> bool:
        """Tell whether a user works here."""
        user = self.users.get(user_id)
        return user is not None and user.active

    def is_admin(self, user_id: int) -> bool:
        """Tell whether a user is an administrator; the system (0) is one."""
        return user_id == 0 or (user_id in self.users and self.users[user_id].admin)

    def first_admin(self) -> int:
        """Give the first administrator's id, 0 on an empty portal."""
        return next((user.id for user in self.users.values() if user.admin), 0)

    def language(self, user_id: int) -> str:
        """Give the interface language of a user."""
        return self.users[user_id].language if user_id in self.users else "ru"

    def dismiss(self, user_id: int) -> None:
        """Dismiss somebody; no REST event tells it."""
        self.users[user_id].active = False

    def heads_of(self, user_id: int) -> set[int]:
        """Give everybody who leads a user, all the way up the departments."""
        found: set[int] = set()
        for number in self.users[user_id].departments if user_id in self.users else []:
            department = self.departments.get(number)
            while department is not None:
                if department.head and department.head != user_id:
                    found.add(department.head)
                department = self.departments.get(department.parent)
        return found
