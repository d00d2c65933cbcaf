"""Waiting is rows: what has come due becomes work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.engine import Connection

from b24app.engine.workshop import Workshop
from b24app.store import queue, timers
from b24app.store.portals import Portal
from b24app.store.timers import Timer


def due_becomes_work(workshop: Workshop, portal: Portal) -> int:
    """Put work down for every timer that is due; return how many there were.

    The timer itself stays waiting until its work is decided, so that whatever cancels it in between still wins.
    """
    now = workshop.now()
    with workshop.database.read() as connection:
        due = timers.due(connection, portal.id, now)
    if not due:
        return 0
    with workshop.database.write() as connection:
        return put_down(connection, portal, due, now)


def put_down(connection: Connection, portal: Portal, due: Sequence[Timer], now: datetime) -> int:
    """Put work down for timers, once for each; return for how many there was none yet.

    After a restoration it takes its place among what happened since the copy.
    """
    put = 0
    for timer in due:
        key, body = timers.work_key(timer.key), {"timer_id": timer.id}
        added = queue.add_work(connection, portal.id, timer.item, key, "timer", body, now, happened_at=timer.due)
        put += added is not None
        if added is not None and portal.doubts(timer.due):
            queue.put_in_order(connection, portal.id, timer.item)
    return put
