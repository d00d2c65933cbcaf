"""What follows when a task of ours changed on the portal: a finished one becomes work."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from b24app.core.actions import CancelTimers
from b24app.core.item import Task
from b24app.core.text import T
from b24app.store import given_tasks, queue, timers
from b24app.store.given_tasks import FINISHED, TaskRow
from b24app.store.portals import Portal

CLOSED = T("Задача закрыта приложением", "The application closed the task")


def task_changed(connection: Connection, portal: Portal, task: Task, row: TaskRow, now: datetime) -> bool:
    """Write a task's new state down; tell whether that has put work down.

    What the technical administrator has closed for somebody else, the application has closed where a restored copy cannot
    say so: nothing follows from it.
    """
    was_finished = row.status in FINISHED
    accepted = row.status == "awaiting_control" and task.status == "completed"  # which dates its end anew
    again = was_finished and not accepted and row.finished_at is not None and _later(task, row.finished_at)
    if task.finished and (not was_finished or again):
        closed_at = task.closed_at or task.changed_at or now
        if portal.doubts(closed_at) and task.closed_by == portal.grant.user != task.responsible_id:
            given_tasks.closed_by_us(connection, portal.id, row.task_id, closed_at)
            reason = CLOSED.at(portal.settings.lang)
            timers.cancel(connection, portal.id, CancelTimers(row.item, reason, task=row.name), now)
            return False
        rounds = row.rounds + 1
        given_tasks.set_status(connection, row.id, task.status, closed_at, rounds)
        key, body = f"task:{row.key}:{rounds}", {"row_id": row.id, "round": rounds}
        added = queue.add_work(connection, portal.id, row.item, key, "task", body, now, happened_at=closed_at)
        return added is not None
    if task.status != row.status:
        finished_at = (task.closed_at or row.finished_at) if task.finished else None
        given_tasks.set_status(connection, row.id, task.status, finished_at, row.rounds)
    return False


def _later(task: Task, finished_at: datetime) -> bool:
    return task.closed_at is not None and task.closed_at - finished_at > timedelta(seconds=1)
