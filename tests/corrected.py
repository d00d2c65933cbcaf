"""Corrections as the application keeps them, written straight into its database: enough for pages that read figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from b24app.core.actions import AwardPoints
from b24app.core.forms import Answers, Submission
from b24app.core.item import ItemRef
from b24app.store import corrections as store
from b24app.store import entries, forms, processes
from b24app.store.processes import Tie
from tests.world import process_files

PROCESS = process_files()["analysis_and_corrections"]
KIND = 1032
STAGES = {stage.key: f"DT{KIND}_11:{stage.key.upper()}" for stage in PROCESS.stages}
CEILINGS, LEADS = "Монтаж потолков", "Лиды"


@dataclass(frozen=True, slots=True)
class Kept:
    """What to keep of a correction: ``hours`` its tasks took, ``days`` from its beginning to its end."""

    began: datetime
    employee: int
    officer: int
    outcome: str = ""
    violations: Sequence[str] = ()
    pipeline: str = CEILINGS
    hours: int = 2
    days: int = 2
    finished: bool = True
    end: str = "done"
    title: str = ""
    unforeseen: str = ""
    link: str = "https://romashka.bitrix24.test/crm/deal/details/7/"


def tie_corrections(connection: Connection, portal_id: int, at: datetime) -> None:
    """Tie the process of corrections to a portal."""
    processes.publish(connection, PROCESS, at)
    tied = Tie(PROCESS.code, PROCESS.version, KIND, 11, STAGES, {}, training=False, enabled=True)
    processes.tie(connection, portal_id, tied)


def keep(connection: Connection, portal_id: int, number: int, kept: Kept) -> None:
    """Write one correction down, on its way through analysis and measures to its end."""
    item, ends = ItemRef(KIND, number), kept.began + timedelta(days=kept.days)
    stays = [("analysis", kept.began), ("measures", kept.began + timedelta(hours=1))]
    for place, (stage, at) in enumerate([*stays, (kept.end, ends)] if kept.finished else stays):
        entries.add(
            connection,
            portal_id,
            item,
            history_id=number * 10 + place,
            stage_id=STAGES[stage],
            category_id=11,
            at=at,
            seen_at=at,
        )
    fields = {"employee": kept.employee, "source_title": f"Сделка {number}", "source_link": kept.link}
    fields["source_pipeline"] = kept.pipeline
    store.keep_card(connection, portal_id, item, kept.title or f"Анализ сделки № {number}", kept.officer, fields)
    store.keep_effort(connection, portal_id, item, {"1": kept.hours * 3600}, "")
    found = [{"type": kind, "fact": "…"} for kind in kept.violations]
    case = {"unforeseen": bool(kept.unforeseen), "unforeseen_case": kept.unforeseen}
    _sent(connection, portal_id, item, kept, "analysis", {"violations": found, **case})
    if kept.outcome:
        measures = [] if kept.outcome == "correct" else [{"kind": "regulation", "text": "Дополнить регламент"}]
        _sent(connection, portal_id, item, kept, "measures", {"outcome": kept.outcome, "measures": measures})
    if kept.outcome == "correct":
        forms.award(connection, portal_id, AwardPoints(item, kept.employee, 10, "Всё верно"), ends)


def _sent(connection: Connection, portal_id: int, item: ItemRef, kept: Kept, form: str, answers: Answers) -> None:
    forms.submit(connection, portal_id, item, Submission(form, 1, kept.officer, answers, kept.began, "", PROCESS.version))
