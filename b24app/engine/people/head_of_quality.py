"""Who sees the figures of corrections, and the figures themselves: from the database alone."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.engine import Connection

from b24app.calendar import calendar_of
from b24app.core.overview import Choice, Overview, overview
from b24app.core.roles import Role, holders
from b24app.core.text import Lang
from b24app.engine.figures.corrections import corrected, corrections, pipelines
from b24app.engine.knowledge import Running, house_of
from b24app.engine.known import people_of
from b24app.engine.workshop import Workshop
from b24app.store.portals import Portal


class NotForYou(PermissionError):
    """Whoever asks has none of the roles that see the figures, or there are none to be seen."""


def may_look(workshop: Workshop, portal: Portal, user: int, *, admin: bool) -> bool:
    """Tell whether a user sees the figures: administrators and the roles the process names; nobody without a process."""
    with workshop.database.read() as connection:
        return _may_look(connection, workshop, portal, user, admin)


def look(workshop: Workshop, portal: Portal, user: int, choice: Choice, lang: Lang, *, admin: bool) -> Overview:
    """Return the figures for a user who may see them; raises `NotForYou`."""
    calendar = calendar_of(portal.settings, workshop.now().date())
    with workshop.database.read() as connection:
        if not _may_look(connection, workshop, portal, user, admin):
            raise NotForYou(f"user {user} of portal {portal.id}")
        found = corrections(workshop, connection, portal, lang, since=choice.since(calendar))
        named = pipelines(workshop, connection, portal, lang)
    return overview(found, choice, calendar, named)


def _may_look(connection: Connection, workshop: Workshop, portal: Portal, user: int, admin: bool) -> bool:
    if admin:
        return bool(corrected(workshop, connection, portal))
    return any(user in readers for readers in _readers(connection, workshop, portal))


def _readers(connection: Connection, workshop: Workshop, portal: Portal) -> Iterator[frozenset[int]]:
    people = people_of(connection, workshop, portal)
    for tie, process in corrected(workshop, connection, portal):
        house = house_of(portal, Running(tie, process), workshop.now())
        roles = process.corrections.figures if process.corrections else ()
        yield from (holders(Role.parse(role), people, house) for role in roles)
