"""The stage history: one log per object type, ids growing (crm-stage-history-list.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.crm.schema import LEAD, Field

CREATED, MOVED, FINAL, CHANGED_PIPELINE = 1, 2, 3, 5
Row = dict[str, Any]


@dataclass(slots=True)
class StageHistory:
    """Rows of stage entries by object type."""

    now: Callable[[], datetime]
    rewrite_final: Callable[[], bool]
    rows: dict[int, list[Row]] = field(default_factory=dict)
    _last: dict[int, int] = field(default_factory=dict)

    def enter(self, entity_type_id: int, owner: int, stage_id: str, semantic: str, category: int, kind: int) -> Row:
        """Write the entry of an item into a stage."""
        log = self.rows.setdefault(entity_type_id, [])
        if kind == FINAL and self.rewrite_final():
            log[:] = [row for row in log if row["OWNER_ID"] != owner or row["TYPE_ID"] != FINAL]
        self._last[entity_type_id] = self._last.get(entity_type_id, 0) + 2
        stage, semantics = names(entity_type_id)
        row = {
            "ID": self._last[entity_type_id],
            "TYPE_ID": kind,
            "OWNER_ID": owner,
            "CREATED_TIME": self.now().replace(microsecond=0),
            semantics: semantic,
            stage: stage_id,
        }
        if entity_type_id != LEAD:
            row["CATEGORY_ID"] = category
        log.append(row)
        return row

    def forget(self, entity_type_id: int, owner: int) -> None:
        """Remove the rows of a deleted item."""
        log = self.rows.get(entity_type_id, [])
        log[:] = [row for row in log if row["OWNER_ID"] != owner]


def names(entity_type_id: int) -> tuple[str, str]:
    """Give the names of the stage and its semantics in a row; leads have their own."""
    return ("STATUS_ID", "STATUS_SEMANTIC_ID") if entity_type_id == LEAD else ("STAGE_ID", "STAGE_SEMANTIC_ID")


def fields(entity_type_id: int) -> dict[str, Field]:
    """Give the fields of a row."""
    stage, semantics = names(entity_type_id)
    kinds = {"ID": "integer", "TYPE_ID": "integer", "OWNER_ID": "integer", "CREATED_TIME": "datetime"}
    kinds |= {} if entity_type_id == LEAD else {"CATEGORY_ID": "integer"}
    kinds |= {semantics: "string", stage: "string"}
    return {name: Field(name, kind, name) for name, kind in kinds.items()}
