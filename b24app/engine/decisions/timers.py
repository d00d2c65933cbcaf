"""Waiting is rows: what has come due becomes work."""

from __future__ import annotations

from b24app.engine.workshop import Workshop
from b24app.store import queue, timers
from b24app.store.portals import Portal


def due_becomes_work(workshop: Workshop, portal: Portal) -> int:
    """Put work down for every timer that is due; return how many there were.

    The timer itself stays waiting until its work is decided, so that whatever cancels it in between still wins.
    """
    now = workshop.now()
    with workshop.database.read() as connection:
        due = timers.due(connection, portal.id, now)
    if not due:
        return 0
    put = 0
    with workshop.database.write() as connection:
        for timer in due:
            body = {"timer_id": timer.id}
            if queue.add_work(connection, portal.id, timer.item, timers.work_key(timer.key), "timer", body, now):
                put += 1
    return put
