"""Taking in rows of a stage history: each new one becomes a stage entry and a piece of work, many with a few statements.

Page: api-reference/crm/crm-stage-history-list.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.engine import Connection

from b24app.bitrix.reading.values import integer, moment
from b24app.core.item import LEAD, ItemRef
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import entries, journal, queue
from b24app.store.processes import Tie

Row = Mapping[str, Any]
_log = log("reader")


@dataclass(slots=True)
class HistoryRows:
    """Takes in rows about one kind of items; ``starts`` tells for each tied process after which row it begins."""

    workshop: Workshop
    portal_id: int
    kind: int
    ties: Sequence[Tie]
    starts: Mapping[str, int]
    hinted: frozenset[ItemRef] = frozenset()

    def take_in(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Store what is new of these rows, with its work; return how many entries that made."""
        known = entries.known(connection, self.portal_id, self.kind, [int(row["ID"]) for row in rows])
        new = [row for row in rows if int(row["ID"]) not in known and not self._past(row)]
        if not new:
            return 0
        made = self._entries(connection, sorted(new, key=lambda row: int(row["ID"])))
        added = entries.add_all(connection, self.portal_id, made)
        works = [
            (
                ItemRef(self.kind, entry["item_id"]),
                f"entry:{self.kind}:{entry['history_id']}",
                added[entry["history_id"]],
                entry["at"],
            )
            for entry in made
            if entry["history_id"] in added
        ]
        queue.add_entries_work(connection, self.portal_id, works, self.workshop.now())
        healed = sum(entry["healed"] for entry in made if entry["history_id"] in added)
        if healed:
            queue.note_healed(connection, self.portal_id, healed, self.workshop.now())
            _log.info("stage entries no event told of", entries=healed, kind=self.kind)
        return len(works)

    def _entries(self, connection: Connection, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Make the entries' values: where each item came from, and whether a move of our own brought it there."""
        items = {int(row["OWNER_ID"]) for row in rows}
        stood = entries.last_stages(connection, self.portal_id, self.kind, items)
        moves = journal.moves_not_seen(connection, self.portal_id, self.kind, items)
        made: list[dict[str, Any]] = []
        for row in rows:
            entry = self._entry(row, stood, moves)
            stood[entry["item_id"]] = entry["stage_id"]
            made.append(entry)
        return made

    def _entry(self, row: Row, stood: Mapping[int, str], moves: Mapping[int, list[tuple[int, str]]]) -> dict[str, Any]:
        item = int(row["OWNER_ID"])
        stage = str(row.get("STAGE_ID") or row.get("STATUS_ID") or "")
        now = self.workshop.now()
        at = moment(row.get("CREATED_TIME")) or now
        late = now - at > timedelta(seconds=self.workshop.settings.reader_period)
        ours = next((move for move in moves.get(item, ()) if move[1] == stage), None)
        if ours is not None:
            moves[item].remove(ours)
        return {
            "entity_type_id": self.kind,
            "item_id": item,
            "history_id": int(row["ID"]),
            "stage_id": stage,
            "category_id": integer(row.get("CATEGORY_ID")) or 0,
            "at": at,
            "seen_at": now,
            "healed": late and ItemRef(self.kind, item) not in self.hinted,
            "came_from": stood.get(item),
            "moved_by_action": ours[0] if ours else None,
        }

    def _past(self, row: Row) -> bool:
        """Tell whether a row lies before the time its pipeline was tied: what happened then is not our business."""
        category = 0 if self.kind == LEAD else integer(row.get("CATEGORY_ID")) or 0
        tied = next((tie for tie in self.ties if (tie.entity_type_id, tie.category_id) == (self.kind, category)), None)
        return tied is None or int(row["ID"]) <= self.starts.get(tied.code, 0)
