"""What is remembered of a correction whenever its card is read anyway: its figures need no request of their own."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from b24app.core.correction import FIELDS
from b24app.core.item import Item
from b24app.core.process import ProcessDef
from b24app.engine.decisions.plan import Plan
from b24app.engine.decisions.record import portal_value
from b24app.engine.workshop import Workshop
from b24app.store import corrections as store
from b24app.store import exports, queue
from b24app.store.portals import Portal
from b24app.store.processes import Tie

READ = "figures:read"
"""The cursor of when a portal was last read for its figures."""


def finals(tie: Tie, process: ProcessDef) -> frozenset[str]:
    """Name the stages a correction ends on, by ``STATUS_ID``."""
    ends = (stage.key for stage in process.stages if stage.semantics != "process")
    return frozenset(tie.stages[key] for key in ends if key in tie.stages)


def note(workshop: Workshop, connection: Connection, portal: Portal, plan: Plan, item: Item | None) -> None:
    """Keep what was read of a correction to work for it; one that comes to its end is soon figured and exported."""
    run, work = plan.running, plan.work
    if run is None or run.process.corrections is None:
        return
    if item is None:
        store.keep_gone(connection, portal.id, [work.item])
        return
    remember(connection, portal, item)
    if work.kind == "entry" and item.stage_id in finals(run.tie, run.process):
        queue.set_cursor(connection, portal.id, READ, 0)
        if workshop.settings.exports:
            exports.ask(connection, workshop.settings.spreadsheet_id, workshop.now())


def remember(connection: Connection, portal: Portal, item: Item) -> None:
    """Keep what only the portal knows of a correction as just read from there."""
    fields = {name: portal_value(item.fields.get(name)) for name in FIELDS}
    store.keep_card(connection, portal.id, item.ref, item.title, item.responsible_id, fields)
