"""What the figures of corrections are made of, read for a whole pipeline at once; and what only the portal knows of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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


@dataclass(frozen=True, slots=True)
class Since:
    """Chooses corrections: those that are open, and those that moved at a moment or after it; ``ends`` are final stages."""

    at: datetime
    ends: frozenset[str]


def kept(
    connection: Connection, portal_id: int, entity_type_id: int, category_id: int, since: Since | None = None
) -> list[Kept]:
    """Return what is kept of the corrections of a pipeline, in order of ids: of all, or of those chosen.

    Five questions however many there are.
    """
    here = {"portal_id": portal_id, "entity_type_id": entity_type_id, "category_id": category_id}
    chosen = _chosen(since) if since is not None else None
    found: dict[int, _Found] = {}
    for move in connection.execute(_of(_MOVES, t.entries, chosen), here):
        found.setdefault(move.item_id, _Found()).moves.append(Entry(move.stage_id, move.at, move.history_id))
    strangers = _Found()
    for row in connection.execute(_of(_CARDS, t.corrections, chosen), here):
        found.get(row.item_id, strangers).card = row
    for row in connection.execute(_of(_FORMS, t.forms, chosen), here):
        sent = Submission(row.form, row.round, row.user_id, row.answers, row.at, row.name, row.version)
        found.get(row.item_id, strangers).forms.append(sent)
    for row in connection.execute(_of(_TASKS, t.tasks, chosen), here):
        given = Given(row.task_id, row.status not in FINISHED, row.deadline, row.finished_at, row.rounds)
        found.get(row.item_id, strangers).tasks.append(given)
    for award in connection.execute(_of(_POINTS, t.points, chosen), here):
        found.get(award.item_id, strangers).points += award.points
    return [_kept(ItemRef(entity_type_id, number), found[number]) for number in sorted(found)]


def pipelines(connection: Connection, portal_id: int, entity_type_id: int) -> set[tuple[str, str]]:
    """Return where corrections came from: what the pipeline was called, and the code of its process; either may be empty."""
    fields = t.corrections.c.fields
    told = [fields["source_pipeline"].as_string(), fields["source_process"].as_string()]
    here = {"portal_id": portal_id, "entity_type_id": entity_type_id}
    rows = connection.execute(sa.select(*told).distinct().where(_of_kind(t.corrections), ~t.corrections.c.gone), here)
    return {(pipeline or "", process or "") for pipeline, process in rows}


def _of_kind(table: sa.Table) -> sa.ColumnElement[bool]:
    return (table.c.portal_id == sa.bindparam("portal_id")) & (table.c.entity_type_id == sa.bindparam("entity_type_id"))


def _of(statement: sa.Select[Any], table: sa.Table, chosen: sa.Select[Any] | None) -> sa.Select[Any]:
    return statement if chosen is None else statement.where(table.c.item_id.in_(chosen))


def _chosen(since: Since) -> sa.Select[Any]:
    moves = t.entries.alias("moves")
    last, ended = sa.func.max(moves.c.at), sa.func.max(sa.case((moves.c.stage_id.in_(since.ends), moves.c.at)))
    wanted = sa.or_(last >= since.at, ended.is_(None), ended < last)
    return sa.select(moves.c.item_id).where(_of_history(moves)).group_by(moves.c.item_id).having(wanted)


def _of_history(entries: sa.FromClause) -> sa.ColumnElement[bool]:
    here = (entries.c.portal_id == sa.bindparam("portal_id")) & (entries.c.entity_type_id == sa.bindparam("entity_type_id"))
    return here & (entries.c.category_id == sa.bindparam("category_id")) & entries.c.history_id.is_not(None)


_MOVES = (
    sa.select(t.entries.c.item_id, t.entries.c.history_id, t.entries.c.stage_id, t.entries.c.at)
    .where(_of_history(t.entries))
    .order_by(t.entries.c.at, t.entries.c.history_id)
)
_CARDS = sa.select(t.corrections).where(_of_kind(t.corrections))
_SENT = [t.forms.c[name] for name in ("item_id", "form", "round", "user_id", "answers", "at", "name", "version")]
_GIVEN = [t.tasks.c[name] for name in ("item_id", "task_id", "status", "deadline", "finished_at", "rounds")]
_FORMS = sa.select(*_SENT).where(_of_kind(t.forms)).order_by(t.forms.c.id)
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
    """Return what stands of each correction in the spreadsheet; empty where a row was never written."""
    c = t.corrections.c
    wanted = sa.select(c.entity_type_id, c.item_id, c.exported).where(c.portal_id == portal_id, ~c.gone)
    rows = connection.execute(wanted)
    return {ItemRef(row.entity_type_id, row.item_id): row.exported for row in rows}


def keep_exported(connection: Connection, portal_id: int, hashes: Mapping[ItemRef, str]) -> None:
    """Remember what stands of corrections in the spreadsheet."""
    for item, found in hashes.items():
        upsert(connection, t.corrections, _key(portal_id, item), {"exported": found})


def _key(portal_id: int, item: ItemRef) -> dict[str, int]:
    return {"portal_id": portal_id, "entity_type_id": item.entity_type_id, "item_id": item.id}
