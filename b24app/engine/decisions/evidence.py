"""What the portal shows of decisions a restored copy of the database has lost.

Keys come from what a decision was about, so they can be made again, and looked for among the marks an item carries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from b24app.bitrix.reading.marks import Shown
from b24app.core.call import Cause, TaskFinished
from b24app.core.item import Task
from b24app.core.needs import Facts
from b24app.core.text import T
from b24app.engine.decisions.record import mark_of
from b24app.store.portals import Portal

SHOWN_KINDS = ("add_task", "comment", "send_sms")
"""Actions whose marks the lists of an item's tasks and comments show; an SMS is recorded in the timeline."""
MOST = 30
"""Actions of a kind a run is taken to have at the most."""

Verdict = Literal["", "passed", "failed", "over"]
"""How the checks of a stage entry ended before; ``over`` when the portal shows what came after it, and nothing of it."""

LOST = T(
    "Решено до восстановления базы из копии: на портале это видно",
    "Decided before the database was restored from a copy: the portal shows it",
)
LOST_REASON = T(
    "причины названы в карточке: запись о них утрачена при восстановлении базы из копии",
    "the reasons stand in the card: the record of them was lost when the database was restored from a copy",
)


def made(portal: Portal, shown: Shown, run_keys: Iterable[str]) -> list[datetime]:
    """Return when the portal got what these runs decided, as far as it shows."""
    marks = (mark_of(portal, key, n, kind) for key in run_keys for kind in SHOWN_KINDS for n in range(MOST))
    return [shown.made[mark] for mark in marks if mark in shown.made]


def bears(portal: Portal, shown: Shown, run_keys: Iterable[str]) -> bool:
    """Tell whether the portal shows anything of these runs, visits among it."""
    keys = list(run_keys)
    return bool(made(portal, shown, keys)) or any(mark_of(portal, key, 0, "add_visit") in shown.visits for key in keys)


def as_of(facts: Facts, then: datetime, cause: Cause) -> Facts:
    """Show tasks that were finished after a moment as they were at it: in work, but for the one whose end is the cause.

    That one's end is dated anew when the work is accepted.
    """
    ended = cause.task_id if isinstance(cause, TaskFinished) else 0

    def at(value: object) -> object:
        if not isinstance(value, Task) or value.id == ended or value.closed_at is None or value.closed_at <= then:
            return value
        return replace(value, status="in_progress", closed_at=None, closed_by=None)

    return Facts({need: at(value) for need, value in facts.values.items()})
