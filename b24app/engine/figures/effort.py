"""What only the portal knows of corrections, read before they are figured: their cards, and the time spent on their tasks.

Nothing tells of time written down on a task, so it is read when the tasks of a correction have changed, and once a day
while it is open and for some days after; never for a correction that lies still. No request is made for a single correction.
Pages: api-reference/tasks/elapsed-item/task-elapsed-item-get-list.md, api-reference/crm/universal/crm-item-list.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from b24app.bitrix.answers import good
from b24app.bitrix.budget import Priority
from b24app.bitrix.commands import Command, positional
from b24app.bitrix.errors import NotFound, PortalError, Transient
from b24app.bitrix.gate import Gate
from b24app.bitrix.reading.fields import FieldBook
from b24app.bitrix.reading.items import get_item, item_of, items_in, list_items
from b24app.bitrix.reading.tasks import tasks_in
from b24app.bitrix.reading.values import moment
from b24app.bitrix.replies import Reply
from b24app.calendar import calendar_of
from b24app.core.correction import FIELDS
from b24app.core.figures import Entry
from b24app.core.item import ItemRef
from b24app.core.process import ProcessDef
from b24app.engine.access import gate_of
from b24app.engine.decisions.remembered import finals, remember
from b24app.engine.figures.corrections import LONG_AGO, corrected, kept_of
from b24app.engine.knowledge import field_book, known
from b24app.engine.workshop import Workshop
from b24app.store import corrections as store
from b24app.store import queue
from b24app.store.corrections import Kept
from b24app.store.portals import Portal
from b24app.store.processes import Tie
from b24app.store.tables import EPOCH

PAGE = 50
AT_ONCE = 25
"""Corrections whose tasks are read together; what was read of them is kept before the next ones are begun."""
OVERLAP = timedelta(seconds=5)
SETTLING = timedelta(days=3)
"""How long after its end people may still write time down on the tasks of a correction."""


def refresh(workshop: Workshop, portal: Portal, *, thorough: bool = False) -> None:
    """Read what changed on the portal since the last time; ``thorough`` reads every card anew, and the time of all but those
    that ended long ago.

    Raises the `PortalError` it met; what was read until then is kept.
    """
    with workshop.database.read() as connection:
        ties = corrected(workshop, connection, portal)
    if not ties:
        return
    gate = gate_of(workshop, portal, Priority.EXPORT)
    knowledge = known(workshop, portal, gate)
    with workshop.database.read() as connection:
        book = field_book(workshop, connection, portal, knowledge)
    for tie, process in ties:
        _Refreshing(workshop, portal, gate, book, tie, process).run(thorough)


@dataclass(slots=True)
class _Refreshing:
    """The corrections of one pipeline."""

    workshop: Workshop
    portal: Portal
    gate: Gate
    book: FieldBook
    tie: Tie
    process: ProcessDef

    def run(self, thorough: bool) -> None:
        if thorough:
            self._look_at_all()
            self._mistrust()
        else:
            self._cards()
        self._efforts(None if thorough else self.workshop.now() - LONG_AGO)

    def _known(self, since: datetime | None = None) -> list[Kept]:
        with self.workshop.database.read() as connection:
            return [one for one in kept_of(connection, self.portal, self.tie, self.process, since) if not one.gone]

    # cards -----------------------------------------------------------------------------------------------------------

    def _cards(self) -> None:
        """Read the cards that changed since the newest change seen."""
        name = f"cards:{self.tie.code}"
        with self.workshop.database.read() as connection:
            cursor = queue.cursor(connection, self.portal.id, name)
        since = EPOCH + timedelta(microseconds=cursor) if cursor else self.portal.installed_at
        newest, after = since, 0
        while True:
            reply = self.gate.call(self._changed(since, after))
            rows = items_in(reply.result)
            self._keep(rows)
            newest = max([newest, *(at for row in rows if (at := moment(row.get("updatedTime"))) is not None)])
            if len(rows) < PAGE:
                break
            after = max(int(row["id"]) for row in rows)
        with self.workshop.database.write() as connection:
            queue.set_cursor(connection, self.portal.id, name, (newest - EPOCH) // timedelta(microseconds=1))

    def _changed(self, since: datetime, after: int) -> Command:
        codes = sorted(self.tie.fields[name] for name in FIELDS if name in self.tie.fields)
        params = {
            "entityTypeId": self.tie.entity_type_id,
            "filter": {
                "categoryId": self.tie.category_id,
                ">=updatedTime": (since - OVERLAP).isoformat(timespec="seconds"),
                ">id": after,
            },
            "order": {"id": "ASC"},
            "select": ["id", "title", "stageId", "categoryId", "assignedById", "updatedTime", *codes],
            "start": -1,
            "useOriginalUfNames": "Y",
        }
        return Command("crm.item.list", params)

    def _keep(self, rows: Iterable[Mapping[str, Any]]) -> None:
        items = [item_of(ItemRef(self.tie.entity_type_id, int(row["id"])), row, self.book) for row in rows]
        with self.workshop.database.write() as connection:
            for item in items:
                remember(connection, self.portal, item)

    def _look_at_all(self) -> None:
        """Read the cards of all corrections known, and find out which are not there any more."""
        refs = [one.record.item for one in self._known()]
        parts = [refs[n : n + PAGE] for n in range(0, len(refs), PAGE)]
        seen: set[int] = set()
        for reply in self.gate.batch([list_items(part) for part in parts]) if parts else []:
            rows = items_in(good(reply).result)
            self._keep(rows)
            seen |= {int(row["id"]) for row in rows}
        missing = [ref for ref in refs if ref.id not in seen]
        answers = self.gate.batch([get_item(ref) for ref in missing]) if missing else []
        gone = [ref for ref, answer in zip(missing, answers, strict=True) if isinstance(answer, NotFound)]
        with self.workshop.database.write() as connection:
            store.keep_gone(connection, self.portal.id, gone)

    # time ------------------------------------------------------------------------------------------------------------

    def _mistrust(self) -> None:
        """Have all time read anew, but for corrections that ended long ago."""
        ends, long_ago = finals(self.tie, self.process), self.workshop.now() - LONG_AGO
        known = [one for one in self._known() if not (_last(one).stage in ends and _last(one).at < long_ago)]
        with self.workshop.database.write() as connection:
            for one in known:
                store.keep_effort(connection, self.portal.id, one.record.item, one.effort, "")

    def _efforts(self, since: datetime | None) -> None:
        """Read the time spent on the tasks of those corrections that changed."""
        ends = finals(self.tie, self.process)
        told = [_Effort(one, self._state(one, ends)) for one in self._known(since) if one.record.tasks]
        stale = [effort for effort in told if effort.state != effort.kept.effort_of]
        for n in range(0, len(stale), AT_ONCE):
            self._effort(stale[n : n + AT_ONCE])

    def _state(self, one: Kept, ends: frozenset[str]) -> str:
        """Tell by a hash what time was last read for: how the tasks stand, and the day."""
        calendar = calendar_of(self.portal.settings, self.workshop.now().date())
        last, now = _last(one), self.workshop.now()
        until = min(now, last.at + SETTLING) if last.stage in ends else now
        told = [[task.task_id, task.open, task.rounds] for task in one.record.tasks]
        return hashlib.sha256(json.dumps([told, calendar.today(until).isoformat()]).encode()).hexdigest()[:16]

    def _effort(self, part: Sequence[_Effort]) -> None:
        for effort, reply in zip(part, self.gate.batch([effort.tasks() for effort in part]), strict=True):
            effort.found(reply)
        wanted = [(effort, task, 1) for effort in part for task in effort.listed]
        while wanted:
            replies = self.gate.batch([_elapsed(task, page) for _, task, page in wanted])
            told = zip(wanted, replies, strict=True)
            wanted = [(e, task, page + 1) for (e, task, page), reply in told if e.told(task, page, reply)]
        with self.workshop.database.write() as connection:
            for effort in part:
                state = effort.state if effort.whole else ""
                store.keep_effort(connection, self.portal.id, effort.kept.record.item, effort.seconds, state)


def _last(one: Kept) -> Entry:
    return max(one.record.moves, key=lambda move: (move.at, move.id))


@dataclass(slots=True)
class _Effort:
    """The time spent on one correction, as it is being read; a task that is gone keeps what was read of it before."""

    kept: Kept
    state: str
    listed: set[int] = field(default_factory=set)
    seconds: dict[str, int] = field(default_factory=dict)
    whole: bool = True

    def __post_init__(self) -> None:
        self.seconds = dict(self.kept.effort)
        self.listed = {task.task_id for task in self.kept.record.tasks if task.task_id is not None}

    def tasks(self) -> Command:
        """Ask for all tasks of the correction, those people gave for it by hand among them."""
        filters = {"UF_CRM_TASK": self.kept.record.item.binding}
        return Command("tasks.task.list", {"filter": filters, "order": {"ID": "asc"}, "select": ["ID"], "start": -1})

    def found(self, reply: Reply | PortalError) -> None:
        if self._answered(reply):
            assert isinstance(reply, Reply)
            self.listed |= {task.id for task in tasks_in(reply.result)}

    def told(self, task: int, page: int, reply: Reply | PortalError) -> bool:
        """Add a page of time records up; return whether there are more."""
        if not self._answered(reply):
            return False
        assert isinstance(reply, Reply)
        rows = reply.result if isinstance(reply.result, list) else []
        before = self.seconds.get(str(task), 0) if page > 1 else 0
        self.seconds[str(task)] = before + sum(int(row["SECONDS"]) for row in rows)
        return (reply.total or 0) > page * PAGE

    def _answered(self, reply: Reply | PortalError) -> bool:
        """Tell an answer from a refusal; what the portal will answer later leaves the correction to be read again."""
        if isinstance(reply, PortalError) and reply.stops_portal:
            raise reply
        self.whole = self.whole and not isinstance(reply, Transient)
        return not isinstance(reply, PortalError)


def _elapsed(task: int, page: int) -> Command:
    navigation = {"NAV_PARAMS": {"nPageSize": PAGE, "iNumPage": page}}
    return positional("task.elapseditem.getlist", task, {"ID": "asc"}, {">ID": 0}, ["ID", "SECONDS"], navigation)
