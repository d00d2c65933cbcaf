"""What the application noted of its own installation on a portal, beside the hashes of what it registered there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from b24app.engine.workshop import Workshop

SET_UP_WANTED = "set_up_wanted"
"""Why everything is to be registered again: ``installed`` or ``updated``."""
ROUND_TRIP = "round_trip"
"""When a test event came back, and after how many seconds."""


def note_down(workshop: Workshop, connection: Connection, portal_id: int, notes: Mapping[str, Any]) -> None:
    """Keep values by name (JSON; ``None`` forgets one) beside the others.

    The portal's row is locked first, so that two writers do not undo each other.
    """
    workshop.portals.spend(connection, portal_id)
    portal = workshop.portals.by_id(connection, portal_id)
    kept = dict(portal.registered) if portal else {}
    for name, value in notes.items():
        kept.pop(name, None)
        if value is not None:
            kept[name] = json.dumps(value, ensure_ascii=False)
    workshop.portals.set_registered(connection, portal_id, kept)


def noted(workshop: Workshop, portal_id: int, name: str) -> Any:
    """Return a value noted; None where there is none."""
    found = workshop.portal(portal_id).registered.get(name)
    return None if found is None else json.loads(found)
