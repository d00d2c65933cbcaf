"""The tasks that carry agreed measures out: how each is known, and whether its work was accepted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from b24app.core import commission
from b24app.core.forms import Submission
from b24app.core.item import Task
from b24app.core.needs import Facts, Ledger, NeedTask, OwnTask
from b24app.core.text import cut, plain

PREFIX = "change:"


@dataclass(frozen=True, slots=True)
class Measure:
    """An agreed measure; its task is named after what the measure says, so that one written anew gets a task of its own."""

    kind: str
    text: str
    system: str = ""
    pipeline: str = ""
    employee: int | None = None
    task: str = ""

    @property
    def short(self) -> str:
        return cut(plain(self.text), 120)


def measures_of(forms: tuple[Submission, ...]) -> tuple[Measure, ...]:
    """Return the measures as they stand; none where the work was correct."""
    return tuple(_measure(row) for row in _agreed(forms))


def texts_of(forms: tuple[Submission, ...]) -> tuple[str, ...]:
    """Return what the measures say: the same ones, for whoever does not need their tasks."""
    return tuple(str(row.get("text") or "") for row in _agreed(forms))


def kinds_of(forms: tuple[Submission, ...]) -> tuple[str, ...]:
    """Return the kind of each measure."""
    return tuple(str(row.get("kind") or "") for row in _agreed(forms))


def _agreed(forms: tuple[Submission, ...]) -> list[Mapping[str, Any]]:
    """Return the rows of the measures, each once."""
    if commission.outcome_of(forms) == "correct":
        return []
    rows = commission.rows(commission.newest(forms, commission.MEASURES), "measures")
    return [row for place, row in enumerate(rows) if row not in rows[:place]]


def _measure(row: Mapping[str, Any]) -> Measure:
    employee = row.get("employee")
    told = json.dumps(row, ensure_ascii=False, sort_keys=True)
    return Measure(
        kind=str(row.get("kind") or ""),
        text=str(row.get("text") or ""),
        system=str(row.get("system") or ""),
        pipeline=str(row.get("pipeline") or ""),
        employee=employee if isinstance(employee, int) else None,
        task=PREFIX + hashlib.sha256(told.encode()).hexdigest()[:12],
    )


def task_of(measure: Measure, ledger: Ledger) -> OwnTask | None:
    """Return the newest task of a measure that was not withdrawn."""
    return next((task for task in reversed(ledger.tasks) if task.name == measure.task and not task.withdrawn), None)


def portal_tasks(forms: tuple[Submission, ...], ledger: Ledger) -> list[NeedTask]:
    """Ask for the tasks of all measures as they stand on the portal."""
    found = (task_of(measure, ledger) for measure in measures_of(forms))
    return [NeedTask(task.task_id) for task in found if task is not None and task.task_id is not None]


def on_portal(task: OwnTask, facts: Facts) -> Task | None:
    """Return a task as it stands on the portal; None when it is gone or has not got there yet."""
    return facts[NeedTask(task.task_id)] if task.task_id is not None else None
