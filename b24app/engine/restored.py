"""An older copy of the database was put in place: what it does not know to be done is looked up before it is done.

See docs/adr/0017-restored-copies.md for what follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.engine import Connection

from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import audit, doubts, exports

PAUSED = timedelta(minutes=10)
"""Without a reading for so long, a portal was not worked for: a refused renewal then hints at an older copy."""
_log = log("restored")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was noted: how many portals there are, and how many actions are looked up before they are carried out."""

    portals: int
    actions: int


class StillWorked(Exception):
    """A living worker has the lane of a portal; ``hosts`` are those of all such portals."""

    def __init__(self, hosts: Sequence[str]) -> None:
        super().__init__(", ".join(hosts))
        self.hosts = hosts


def note_restored(workshop: Workshop, who: str, why: str = "") -> Restored:
    """Doubt whatever happened on all portals until now; raises `StillWorked` where somebody works on this database."""
    with workshop.database.write() as connection:
        portals = workshop.portals.all(connection)
        held = doubts.lanes_held(connection, workshop.now())
        if held:
            raise StillWorked([portal.host for portal in portals if portal.id in held])
        actions = [doubt(workshop, connection, portal.id, who, why) for portal in portals]
        exports.all_anew(connection)
    return Restored(len(portals), sum(actions))


def note_refused(workshop: Workshop, connection: Connection, portal_id: int) -> None:
    """Doubt what happened on a portal that refuses the stored refresh token, if nobody worked for it up to now.

    A refresh token is good for one renewal, and a copy older than the last one holds a used one. Where the copy was no
    copy after all, looking things up has cost some requests and nothing else.
    """
    read_at = workshop.portals.reads(connection, portal_id).read_at
    if read_at is not None and workshop.now() - read_at > PAUSED + timedelta(seconds=workshop.settings.reader_period):
        doubt(workshop, connection, portal_id, "application", "a refresh token that was used before")


def doubt(workshop: Workshop, connection: Connection, portal_id: int, who: str, why: str) -> int:
    """Doubt whatever happened on a portal until now; return how many actions that holds up."""
    now = workshop.now()
    actions = doubts.raise_doubt(connection, portal_id, now)
    audit.note(connection, portal_id, now, who, "restored", why, actions=actions)
    _log.warning("the database is taken for a restored copy", portal=portal_id, actions=actions)
    return actions
