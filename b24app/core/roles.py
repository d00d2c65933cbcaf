"""Who is meant by a role: the responsible, a head, a person named in a field, a fixed person."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from b24app.core.call import House
from b24app.core.item import Item, People
from b24app.core.text import T

_FORM = re.compile(r"^(responsible|head_of\((\w+)\)|field\((\w+)\)|user\((\d+)\)|\w+)$")


@dataclass(frozen=True, slots=True)
class Role:
    """A role as written: ``responsible``, ``head_of(…)``, ``field(installer)``, ``user(7)`` or a name under ``roles:``."""

    text: str

    @classmethod
    def parse(cls, text: object) -> Role:
        """Read a role; the portal's own ``user_7`` and a bare number are users. Raises `ValueError`."""
        written = str(text).strip()
        if re.fullmatch(r"(user_)?\d+", written):
            written = f"user({written.removeprefix('user_')})"
        if not _FORM.match(written):
            raise ValueError(f"not a role: {text!r}")
        return cls(written)

    @property
    def name(self) -> str | None:
        """The name to be looked up under ``roles:``; None where the role says itself who is meant."""
        match = _FORM.match(self.text)
        plain = match is not None and "(" not in self.text and self.text != "responsible"
        return self.text if plain else None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Resolved:
    """Who was found, and how it came to that where it was not the obvious one."""

    user: int | None
    how: T | None = None


_FALLBACK = T(
    "роль «{role}» никого не нашла, поэтому назначен {name}",
    "role “{role}” found nobody, so {name} was chosen",
)
_UNNAMED = T(
    "на роль «{role}» никто не назначен в настройках, поэтому назначен {name}",
    "nobody was named for the role “{role}” in the settings, so {name} was chosen",
)
_LEFT = T("{role} больше не работает, поэтому назначен {name}", "{role} has left the company, so {name} was chosen")
_STAND_IN = T("роль «{role}» замещает {name}", "{name} stands in for role “{role}”")


def resolve(role: Role, item: Item | None, people: People, house: House) -> Resolved:
    """Find the active user a role means; else the stand-in for it, else the head of whoever was meant, else the fallback.

    An open role means whoever the settings name for it. A dismissed person never gets anything: his head does. ``user`` is
    None only where not even the fallback works here.
    """
    title = house.role_titles.get(role.text, role)
    meant = _meant(role.text, item, people, house, depth=0)
    if people.active(meant):
        return Resolved(meant)
    stand_in = house.stand_ins.get(role.text)
    if people.active(stand_in):
        return Resolved(stand_in, _STAND_IN.fill(role=title, name=people.name(stand_in)))
    head = people.head_of(meant) if meant is not None else None
    chosen = head if head is not None else house.fallback
    if not people.active(chosen):
        return Resolved(None)
    if meant is not None and role.text == f"user({meant})":
        return Resolved(chosen, _LEFT.fill(role=people.name(meant), name=people.name(chosen)))
    unnamed = house.roles.get(role.text) == "" and meant is None
    return Resolved(chosen, (_UNNAMED if unnamed else _FALLBACK).fill(role=title, name=people.name(chosen)))


def holders(role: Role, people: People, house: House) -> frozenset[int]:
    """Return the active people who have a role whatever the item: whom it means, and who stands in; never the fallback."""
    meant = resolve(role, None, people, replace(house, fallback=None)).user
    return frozenset(user for user in (meant, house.stand_ins.get(role.text)) if user is not None and people.active(user))


def _meant(text: str, item: Item | None, people: People, house: House, depth: int) -> int | None:
    match = _FORM.match(text)
    if match is None or depth > 4:
        return None
    if text == "responsible":
        return item.responsible_id if item else None
    if match.group(2):
        below = _meant(match.group(2), item, people, house, depth + 1)
        return people.head_of(below) if below is not None else None
    if match.group(3):
        return item.user(match.group(3)) if item else None
    if match.group(4):
        return int(match.group(4))
    defined = house.roles.get(text)
    if defined == "":
        return house.stand_ins.get(text)
    return _meant(defined, item, people, house, depth + 1) if defined is not None else None
