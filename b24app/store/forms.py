"""Forms people filled in and points they were awarded. A form is kept once for every round and person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.actions import AwardPoints
from b24app.core.forms import Submission
from b24app.core.item import ItemRef
from b24app.store import tables as t
from b24app.store.sql import insert_once, upsert


def _key(portal_id: int, item: ItemRef) -> dict[str, int]:
    return {"portal_id": portal_id, "entity_type_id": item.entity_type_id, "item_id": item.id}


def submit(connection: Connection, portal_id: int, item: ItemRef, sent: Submission) -> int | None:
    """Keep a form; None when this person has filled it in for this round already, and the first answers stay."""
    row = {
        **_key(portal_id, item),
        "form": sent.form,
        "round": sent.round,
        "user_id": sent.by,
        "name": sent.name,
        "version": sent.version,
        "answers": dict(sent.answers),
        "at": sent.at,
    }
    return insert_once(connection, t.forms, row)


def submissions(connection: Connection, portal_id: int, item: ItemRef) -> tuple[Submission, ...]:
    """Return the forms of an item, oldest first."""
    f = t.forms.c
    where = sa.and_(f.portal_id == portal_id, f.entity_type_id == item.entity_type_id, f.item_id == item.id)
    rows = connection.execute(sa.select(t.forms).where(where).order_by(f.id))
    return tuple(Submission(r.form, r.round, r.user_id, r.answers, r.at, r.name, r.version) for r in rows)


def come_to(connection: Connection, portal_id: int, item: ItemRef, stage_ids: Iterable[str]) -> int:
    """Count how often an item is known to have come to any of these stages; a stage only run again does not count."""
    e = t.entries.c
    where = sa.and_(
        e.portal_id == portal_id,
        e.entity_type_id == item.entity_type_id,
        e.item_id == item.id,
        e.stage_id.in_(list(stage_ids)),
        e.history_id.is_not(None),
    )
    found: int = connection.execute(sa.select(sa.func.count()).select_from(t.entries).where(where)).scalar_one()
    return found


def award(connection: Connection, portal_id: int, action: AwardPoints, at: datetime) -> None:
    """Write bonus points down; those awarded before for the same item and person give way."""
    values = {"points": action.points, "why": action.why, "at": at}
    upsert(connection, t.points, {**_key(portal_id, action.item), "user_id": action.user}, values)


def points(connection: Connection, portal_id: int, item: ItemRef) -> dict[int, int]:
    """Return the points awarded for an item, by person."""
    p = t.points.c
    where = sa.and_(p.portal_id == portal_id, p.entity_type_id == item.entity_type_id, p.item_id == item.id)
    return {row.user_id: row.points for row in connection.execute(sa.select(t.points).where(where))}
