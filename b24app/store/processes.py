"""Which processes a portal runs, how they are tied to its pipelines, and which version each item keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from b24app.core.item import ItemRef
from b24app.core.process import ProcessDef, process_from_json, process_to_json
from b24app.store import tables as t
from b24app.store.sql import insert_once, upsert


@dataclass(frozen=True, slots=True)
class Tie:
    """A process tied to a pipeline of a portal: stage keys to ids, field names to codes."""

    code: str
    version: str
    entity_type_id: int
    category_id: int
    stages: Mapping[str, str]
    fields: Mapping[str, str]
    training: bool
    enabled: bool

    def key_of(self, stage_id: str) -> str | None:
        """Return the process file's name of a stage."""
        return next((key for key, known in self.stages.items() if known == stage_id), None)


@dataclass(frozen=True, slots=True)
class Pinned:
    """What is remembered of an item in a process: the version it keeps and the watched fields as last seen."""

    process: str
    version: str
    stage_id: str
    watched: Mapping[str, Any]


_TIES = sa.select(t.processes).where(t.processes.c.portal_id == sa.bindparam("portal_id")).order_by(t.processes.c.code)
_SOURCE = sa.select(t.process_versions.c.source).where(t.process_versions.c.version == sa.bindparam("version"))
_ITEM = sa.select(t.items).where(
    t.items.c.portal_id == sa.bindparam("portal_id"),
    t.items.c.entity_type_id == sa.bindparam("entity_type_id"),
    t.items.c.item_id == sa.bindparam("item_id"),
)


def tie(connection: Connection, portal_id: int, tied: Tie) -> None:
    """Store how a process is tied to a portal."""
    values = {
        "version": tied.version,
        "entity_type_id": tied.entity_type_id,
        "category_id": tied.category_id,
        "stages": dict(tied.stages),
        "fields": dict(tied.fields),
        "training": tied.training,
        "enabled": tied.enabled,
    }
    upsert(connection, t.processes, {"portal_id": portal_id, "code": tied.code}, values)


def ties(connection: Connection, portal_id: int) -> list[Tie]:
    return [_tie(row) for row in connection.execute(_TIES, {"portal_id": portal_id})]


def _tie(row: sa.Row[Any]) -> Tie:
    return Tie(row.code, row.version, row.entity_type_id, row.category_id, row.stages, row.fields, row.training, row.enabled)


def publish(connection: Connection, process: ProcessDef, at: datetime) -> None:
    """Keep a version of a process for as long as items may refer to it."""
    row = {"version": process.version, "code": process.code, "source": _dump(process), "seen_at": at}
    insert_once(connection, t.process_versions, row)


def version(connection: Connection, wanted: str) -> ProcessDef | None:
    source = connection.execute(_SOURCE, {"version": wanted}).scalar()
    return None if source is None else _read(source)


@lru_cache(maxsize=256)
def _read(source: str) -> ProcessDef:
    """Read a stored process; versions never change."""
    return process_from_json(json.loads(source))


def _dump(process: ProcessDef) -> str:
    return json.dumps(process_to_json(process), ensure_ascii=False)


def pinned(connection: Connection, portal_id: int, item: ItemRef) -> Pinned | None:
    here = {"portal_id": portal_id, "entity_type_id": item.entity_type_id, "item_id": item.id}
    row = connection.execute(_ITEM, here).one_or_none()
    return None if row is None else Pinned(row.process, row.version, row.stage_id, row.watched)


def pin(connection: Connection, portal_id: int, item: ItemRef, values: Pinned) -> None:
    """Remember an item: its process and version, its stage, the watched fields as last seen."""
    key = {"portal_id": portal_id, "entity_type_id": item.entity_type_id, "item_id": item.id}
    row = {
        "process": values.process,
        "version": values.version,
        "stage_id": values.stage_id,
        "watched": dict(values.watched),
        "gone": False,
    }
    upsert(connection, t.items, key, row)


def migrate(connection: Connection, portal_id: int, code: str, to: str) -> int:
    """Move all running items of a process to a version, by an explicit step of an administrator."""
    where = (t.items.c.portal_id == portal_id) & (t.items.c.process == code) & (t.items.c.version != to)
    return connection.execute(sa.update(t.items).where(where).values(version=to)).rowcount
