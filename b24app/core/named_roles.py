"""The roles of several processes as one list for people: each once, by the title its file gives it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from b24app.core.process import ProcessDef
from b24app.core.roles import Role
from b24app.core.text import EMPTY, LANGS, T


@dataclass(frozen=True, slots=True)
class NamedRole:
    """A role people can be named for: ``meant`` is whom the file means by it, empty for an open role."""

    name: str
    title: T
    """Empty where no file gives one."""
    meant: str

    @property
    def open(self) -> bool:
        """Whether it means nobody until the settings name somebody."""
        return self.meant == ""

    @property
    def shown(self) -> T:
        """The title, else the name as the file writes it."""
        return self.title or T.same(self.name)


def roles_of(processes: Iterable[ProcessDef]) -> tuple[NamedRole, ...]:
    """List the roles of processes, each once: the open ones first, then by title; open in one process is open in all."""
    found: dict[str, NamedRole] = {}
    for process in processes:
        for name, written in process.roles.items():
            meant = Role.parse(written).text if written else ""
            title, other = process.role_titles.get(name, EMPTY), found.get(name)
            if other is not None:
                title, meant = other.title or title, "" if other.open else meant
            found[name] = NamedRole(name, title, meant)
    return tuple(sorted(found.values(), key=lambda role: (not role.open, role.shown.ru.casefold(), role.name)))


def unnamed(roles: Iterable[NamedRole], named: Mapping[str, int]) -> tuple[NamedRole, ...]:
    """Return the open roles nobody was named for."""
    return tuple(role for role in roles if role.open and role.name not in named)


def titles(roles: Iterable[NamedRole]) -> T:
    """Write roles in a line, for people."""
    shown = [role.shown for role in roles]
    return T(*(", ".join(title.at(lang) for title in shown) for lang in LANGS))
