"""The application's own memory of an item, gathered for a decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.item import Busy, ItemRef
from b24app.core.needs import Entry, Ledger, News, OwnTask, Visit
from b24app.store import tables as t
from b24app.store.given_tasks import FINISHED
from b24app.store.sql import here, item_values, of_item

_PORTAL: sa.BindParameter[int] = sa.bindparam("portal_id")
_ENTRIES = sa.select(t.entries).where(here(t.entries)).order_by(t.entries.c.id)
_TASKS = sa.select(t.tasks).where(here(t.tasks)).order_by(t.tasks.c.id)
_SLOTS = sa.select(t.slots).where(t.slots.c.portal_id == _PORTAL)
_VISIT = sa.select(t.visits).where(here(t.visits), sa.not_(t.visits.c.cancelled)).order_by(t.visits.c.id.desc()).limit(1)
_TRAINED = sa.select(t.trained.c.stage).where(here(t.trained))
_LEARNED = sa.select(t.learned.c.user_id).where(t.learned.c.portal_id == _PORTAL)
_TEXTS = sa.select(t.actions.c.body).where(
    here(t.actions), t.actions.c.kind == "send_sms", t.actions.c.state.not_in(("failed", "dropped"))
)


def ledger(connection: Connection, portal_id: int, item: ItemRef) -> Ledger:
    """Gather what is remembered of an item."""
    here = item_values(portal_id, item)
    entries = connection.execute(_ENTRIES, here).all()
    returned_from = Counter(row.came_from for row in entries if row.moved_by_action is not None and row.came_from)
    claimed, others = _slots(connection, portal_id, item)
    return Ledger(
        tasks=tuple(_own_tasks(connection, portal_id, item)),
        entries=tuple(_entry(row) for row in entries),
        visit=_visit(connection, portal_id, item),
        claimed=claimed,
        others=others,
        sms_texts=frozenset(_sms_texts(connection, portal_id, item)),
        trained=frozenset(connection.execute(_TRAINED, here).scalars()),
        returns=dict(returned_from),
        learned=frozenset(connection.execute(_LEARNED, {"portal_id": portal_id}).scalars()),
    )


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(row.id, row.stage_id, row.at, row.moved_by_action is not None, again=row.history_id is None)


def _own_tasks(connection: Connection, portal_id: int, item: ItemRef) -> Iterable[OwnTask]:
    for row in connection.execute(_TASKS, item_values(portal_id, item)):
        yield OwnTask(
            name=row.name,
            title=row.title,
            responsible=row.responsible,
            purpose=row.purpose,
            stage=row.stage,
            task_id=row.task_id,
            open=row.status not in FINISHED,
            opened_at=row.opened_at,
            finished_at=row.finished_at,
            deadline=row.deadline,
            holds=row.holds,
            full_checklist=row.full_checklist,
            withdrawn=row.status == "closed",
        )


def _slots(connection: Connection, portal_id: int, item: ItemRef) -> tuple[tuple[Busy, ...], tuple[Busy, ...]]:
    mine: list[Busy] = []
    others: list[Busy] = []
    for row in connection.execute(_SLOTS, {"portal_id": portal_id}):
        held_for = ItemRef(row.entity_type_id, row.item_id)
        busy = Busy(row.start, row.end, "visit", row.title, held_for, row.user_id)
        (mine if held_for == item else others).append(busy)
    return tuple(mine), tuple(others)


def _visit(connection: Connection, portal_id: int, item: ItemRef) -> Visit | None:
    row = connection.execute(_VISIT, item_values(portal_id, item)).one_or_none()
    return None if row is None else Visit(row.visit_id, row.user_id, row.start, row.end)


def _sms_texts(connection: Connection, portal_id: int, item: ItemRef) -> Iterable[str]:
    return (body["text"] for body in connection.execute(_TEXTS, item_values(portal_id, item)).scalars())


def news(connection: Connection, portal_id: int, item: ItemRef) -> tuple[News, ...]:
    """Return the news posted about an item, oldest first."""
    a = t.actions.c
    where = sa.and_(of_item(t.actions, portal_id, item), a.kind == "add_news", a.state.not_in(("failed", "dropped")))
    rows = connection.execute(sa.select(a.progress, a.body).where(where).order_by(a.id))
    return tuple(
        News(int(done["post_id"]) if done.get("post_id") else None, str(body.get("text") or "")) for done, body in rows
    )
