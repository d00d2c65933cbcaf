"""What the figures of corrections are made of, read for a whole pipeline at once; and what only the portal knows of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.correction import Given, Record
from b24app.core.figures import Entry
from b24app.core.forms import Submission
from b24app.core.item import ItemRef
from b24app.store import tables as t
from b24app.store.given_tasks import FINISHED
from b24app.store.sql import upsert


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a correction: its record; ``gone`` when it is not on the portal any more.

    ``effort`` is the elapsed time of its tasks in seconds, by their numbers on the portal, and ``effort_of`` tells for which
    state of them it was read.
    """

    record: Record
    gone: bool = False
    effort: Mapping[str, int] = field(default_factory=dict)
    effort_of: str = ""


@dataclass(slots=True)
class _Found:
    moves: list[Entry] = field(default_factory=list)
    forms: list[Submission] = field(default_factory=list)
    tasks: list[Given] = field(default_factory=list)
    points: int = 0
    card: Any = None


def kept(connection: Connection, portal_id: int, entity_type_id: int, category_id: int) -> list[Kept]:
    """Return what is kept of all corrections of a pipeline, in order of ids; five questions however many there are."""
    here = {"portal_id": portal_id, "entity_type_id": entity_type_id}
    found: dict[int, _Found] = {}
    for move in connection.execute(_MOVES, {**here, "category_id": category_id}):
        found.setdefault(move.item_id, _Found()).moves.append(Entry(move.stage_id, move.at, move.history_id))
    strangers = _Found()
    for row in connection.execute(_CARDS, here):
        found.get(row.item_id, strangers).card = row
    for row in connection.execute(_FORMS, here):
        sent = Submission(row.form, row.round, row.user_id, row.answers, row.at, row.name, row.version)
        found.get(row.item_id, strangers).forms.append(sent)
    for row in connection.execute(_TASKS, here):
        given = Given(row.task_id, row.status not in FINISHED, row.deadline, row.finished_at, row.rounds)
        found.get(row.item_id, strangers).tasks.append(given)
    for award in connection.execute(_POINTS, here):
        found.get(award.item_id, strangers).points += award.points
    return [_kept(ItemRef(entity_type_id, number), found[number]) for number in sorted(found)]


def _of_kind(table: sa.Table) -> sa.ColumnElement[bool]:
    return (table.c.portal_id == sa.bindparam("portal_id")) & (table.c.entity_type_id == sa.bindparam("entity_type_id"))


_MOVES = (
    sa.select(t.entries.c.item_id, t.entries.c.history_id, t.entries.c.stage_id, t.entries.c.at)
    .where(_of_kind(t.entries), t.entries.c.category_id == sa.bindparam("category_id"), t.entries.c.history_id.is_not(None))
    .order_by(t.entries.c.at, t.entries.c.history_id)
)
_CARDS = sa.select(t.corrections).where(_of_kind(t.corrections))
_GIVEN = [t.tasks.c[name] for name in ("item_id", "task_id", "status", "deadline", "finished_at", "rounds")]
_FORMS = sa.select(t.forms).where(_of_kind(t.forms)).order_by(t.forms.c.id)
_TASKS = sa.select(*_GIVEN).where(_of_kind(t.tasks)).order_by(t.tasks.c.id)
_POINTS = sa.select(t.points.c.item_id, t.points.c.points).where(_of_kind(t.points))


def _kept(item: ItemRef, found: _Found) -> Kept:
    card = found.card
    record = Record(
        item,
        moves=tuple(found.moves),
        title=card.title if card else "",
        responsible=card.responsible if card else 0,
        fields=card.fields if card else {},
        forms=tuple(found.forms),
        tasks=tuple(found.tasks),
        points=found.points,
        effort=timedelta(seconds=sum(card.effort.values()) if card else 0),
    )
    if card is None:
        return Kept(record)
    return Kept(record, card.gone, card.effort, card.effort_of)


def keep_card(
    connection: Connection, portal_id: int, item: ItemRef, title: str, responsible: int, fields: Mapping[str, Any]
) -> None:
    """Remember a correction as just read from the portal."""
    values = {"title": title, "responsible": responsible, "fields": dict(fields), "gone": False}
    upsert(connection, t.corrections, _key(portal_id, item), values)


def keep_gone(connection: Connection, portal_id: int, items: Iterable[ItemRef]) -> None:
    """Note that corrections are not on the portal any more."""
    for item in items:
        upsert(connection, t.corrections, _key(portal_id, item), {"gone": True})


def keep_effort(connection: Connection, portal_id: int, item: ItemRef, effort: Mapping[str, int], effort_of: str) -> None:
    """Remember the elapsed time of a correction's tasks, and for which state of them it was read."""
    upsert(connection, t.corrections, _key(portal_id, item), {"effort": dict(effort), "effort_of": effort_of})


def exported(connection: Connection, portal_id: int) -> dict[ItemRef, str]:
    """Return what stands of each correction in the spreadsheet; nothing where a row was never written."""
    c = t.corrections.c
    rows = connection.execute(sa.select(c.entity_type_id, c.item_id, c.exported).where(c.portal_id == portal_id))
    return {ItemRef(row.entity_type_id, row.item_id): row.exported for row in rows}


def keep_exported(connection: Connection, portal_id: int, hashes: Mapping[ItemRef, str]) -> None:
    """Remember what stands of corrections in the spreadsheet."""
    for item, found in hashes.items():
        upsert(connection, t.corrections, _key(portal_id, item), {"exported": found})


def _key(portal_id: int, item: ItemRef) -> dict[str, int]:
    return {"portal_id": portal_id, "entity_type_id": item.entity_type_id, "item_id": item.id}
