"""The history reader: what happened on the portal since the last look, whether or not anybody was told.

The portal's stage history is the log; callbacks are hints that it is worth reading. One request reads everything: new rows
of the stage history per kind of item, tasks that changed, watched items that changed.
Pages: api-reference/crm/crm-stage-history-list.md, api-reference/tasks/tasks-task-list.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from b24app.bitrix.commands import Command
from b24app.bitrix.errors import NotFound, PortalError
from b24app.bitrix.gate import Gate
from b24app.bitrix.reading.fields import FieldBook, value_of
from b24app.bitrix.reading.items import items_in
from b24app.bitrix.reading.tasks import TASK_FIELDS, tasks_in
from b24app.bitrix.reading.values import moment
from b24app.bitrix.replies import Reply
from b24app.core.item import FIRST_SMART, LEAD, ItemRef, Task
from b24app.engine.decisions.finished import task_changed
from b24app.engine.decisions.record import portal_value
from b24app.engine.reading.backlog import Backlog, Window
from b24app.engine.reading.history_rows import HistoryRows
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import entries, given_tasks, processes, queue
from b24app.store.portals import Portal
from b24app.store.processes import Tie
from b24app.store.queue import Arrival
from b24app.store.tables import EPOCH

PAGE = 50
OVERLAP = 20
"""History rows read twice: their ids may be committed out of order."""
PENDING = 2  # REAL_STATUS of a task nobody has begun
TASK_OVERLAP = timedelta(seconds=5)
PAGES_AT_ONCE = 40
METHODS = ("batch", "crm.stagehistory.list", "tasks.task.list", "crm.item.list")
"""What a reading asks; it waits for all of them, as moves are judged by what became of tasks."""


_log = log("reader")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask in a reading: the command, the cursor it moves, and from where it goes on."""

    name: str
    command: Command
    entity_type_id: int = 0
    after: int = 0

    @property
    def of_tasks(self) -> bool:
        return self.name in ("tasks", "renewed", "hinted")


@dataclass(slots=True)
class HistoryReader:
    """Reads what is new of one portal and puts work down for it."""

    workshop: Workshop
    portal: Portal
    gate: Gate
    book: FieldBook
    hinted: frozenset[ItemRef] = frozenset()
    found: int = 0
    _ties: Sequence[Tie] = field(default_factory=tuple)
    _starts: dict[str, int] = field(default_factory=dict)
    _long: dict[int, Window] = field(default_factory=dict)
    """Kinds of items whose history goes on after the page that was read: what ids that page held."""

    def read(self, hinted_tasks: Sequence[int] = ()) -> int:
        """Read until nothing is left; return how much work was put down. Raises the `PortalError` it met.

        All changes of tasks are put down before the moves read with them: whoever closes a task and moves on at once has
        closed it first, and the move is judged by what became of the task.
        """
        with self.workshop.database.write() as connection:
            self._ties = [tie for tie in processes.ties(connection, self.portal.id) if tie.enabled]
            self._note_starts(connection)
            questions = self._questions(connection, hinted_tasks)
        moves: list[tuple[Question, Reply]] = []
        for _ in range(PAGES_AT_ONCE):
            if not questions:
                break
            answered = self._ask(questions)
            moves += [(question, reply) for question, reply in answered if not question.of_tasks]
            tasks = [(question, reply) for question, reply in answered if question.of_tasks]
            with self.workshop.database.write() as connection:
                questions = self._take_in_all(connection, tasks)
                if not questions:
                    questions, moves = self._take_in_all(connection, moves), []
        for kind, first in self._long.items():
            self._catch_up(kind, first)
        return self.found

    def _catch_up(self, kind: int, first: Window) -> None:
        """Read a history that goes on after its first page, up to its newest row now."""
        query = {**self._history(kind, None, first.until).command.params, "order": {"ID": "DESC"}}
        ((_, reply),) = self._ask([Question(f"newest:{kind}", Command("crm.stagehistory.list", query))])
        newest = max((int(row["ID"]) for row in items_in(reply.result)), default=first.until)

        def ask(after: int, until: int) -> Command:
            return self._history(kind, None, after, until).command

        def take(rows: Sequence[Mapping[str, Any]], read_up_to: int) -> None:
            with self.workshop.database.write() as connection:
                self._entries(connection, kind, rows)
                self._reached(connection, kind, read_up_to)

        rows_per_id = PAGE / max(first.until - first.after, 1)
        Backlog(self.gate, ask, take).read(first.until, newest, rows_per_id)

    def _ask(self, questions: Sequence[Question]) -> list[tuple[Question, Reply]]:
        answered: list[tuple[Question, Reply]] = []
        for question, reply in zip(questions, self.gate.batch([q.command for q in questions]), strict=True):
            if isinstance(reply, NotFound) and question.entity_type_id >= FIRST_SMART:
                _log.warning("a smart process is gone", portal=self.portal.host, entity_type_id=question.entity_type_id)
                continue  # its items went with it; the other pipelines go on, and the doctor tells
            if isinstance(reply, PortalError):
                raise reply
            answered.append((question, reply))
        return answered

    def _take_in_all(self, connection: Connection, answered: Sequence[tuple[Question, Reply]]) -> list[Question]:
        """Store what questions brought; return those that go on."""
        taken = [self._take_in(connection, question, reply) for question, reply in answered]
        return [more for more in taken if more is not None]

    def _note_starts(self, connection: Connection) -> None:
        """Remember for a newly tied process how far the history had been read."""
        for tie in self._ties:
            start = queue.cursor(connection, self.portal.id, f"start:{tie.code}")
            if start is None:
                start = queue.cursor(connection, self.portal.id, f"history:{tie.entity_type_id}") or 0
                queue.set_cursor(connection, self.portal.id, f"start:{tie.code}", start)
            self._starts[tie.code] = start

    # asking ----------------------------------------------------------------------------------------------------------

    def _questions(self, connection: Connection, hinted_tasks: Sequence[int]) -> list[Question]:
        questions = [
            self._history(kind, queue.cursor(connection, self.portal.id, f"history:{kind}"))
            for kind in sorted({tie.entity_type_id for tie in self._ties})
        ]
        if given_tasks.any_open(connection, self.portal.id):
            since = queue.cursor(connection, self.portal.id, "tasks")
            questions.append(self._tasks(since))
            if since:
                questions.append(self._renewed(since, queue.cursor(connection, self.portal.id, "renewed")))
            questions += [_some_tasks(hinted_tasks[n : n + PAGE]) for n in range(0, len(hinted_tasks), PAGE)]
        for tie in self._ties:
            question = self._watched(connection, tie)
            if question is not None:
                questions.append(question)
        return questions

    def _history(self, kind: int, cursor: int | None, after: int | None = None, until: int | None = None) -> Question:
        start = after if after is not None else max((cursor or 0) - OVERLAP, 0)
        filters: dict[str, Any] = {">ID": start} if until is None else {">ID": start, "<=ID": until}
        if kind != LEAD:
            filters["@CATEGORY_ID"] = sorted(tie.category_id for tie in self._ties if tie.entity_type_id == kind)
        params = {"entityTypeId": kind, "filter": filters, "order": {"ID": "ASC"}, "start": -1}
        return Question(f"history:{kind}", Command("crm.stagehistory.list", params), kind, start)

    def _tasks(self, since: int | None, after: int = 0) -> Question:
        at = EPOCH + timedelta(microseconds=since) if since else self.portal.installed_at
        filters: dict[str, Any] = {
            ">=CHANGED_DATE": (at - TASK_OVERLAP).isoformat(timespec="seconds"),
            "!REAL_STATUS": PENDING,
        }
        return _changed_tasks("tasks", filters, after)

    def _renewed(self, before: int, since: int | None, after: int = 0) -> Question:
        """Ask for tasks that wait to be done though they were given before the last one was seen to change.

        So the many that were just given, mostly by ourselves, are not read.
        """
        at = EPOCH + timedelta(microseconds=since or before)
        given_before = EPOCH + timedelta(microseconds=before)
        filters: dict[str, Any] = {
            ">=CHANGED_DATE": (at - TASK_OVERLAP).isoformat(timespec="seconds"),
            "<CREATED_DATE": given_before.isoformat(timespec="seconds"),
            "REAL_STATUS": PENDING,
        }
        return _changed_tasks("renewed", filters, after)

    def _watched(self, connection: Connection, tie: Tie, after: int = 0) -> Question | None:
        process = processes.version(connection, tie.version)
        watching = [stage for stage in process.stages if stage.changes] if process else []
        stages = [tie.stages[stage.key] for stage in watching if stage.key in tie.stages]
        codes = {tie.fields[n] for stage in watching if stage.changes for n in stage.changes.fields if n in tie.fields}
        if not stages or not codes:
            return None
        since = queue.cursor(connection, self.portal.id, f"items:{tie.code}")
        at = EPOCH + timedelta(microseconds=since) if since else self.portal.installed_at
        filters: dict[str, Any] = {
            "@stageId": stages,
            ">=updatedTime": (at - TASK_OVERLAP).isoformat(timespec="seconds"),
            ">id": after,
        }
        params = {
            "entityTypeId": tie.entity_type_id,
            "filter": filters,
            "order": {"id": "ASC"},
            "select": ["id", "stageId", "categoryId", "updatedTime", *sorted(codes)],
            "start": -1,
            "useOriginalUfNames": "Y",
        }
        return Question(f"items:{tie.code}", Command("crm.item.list", params), tie.entity_type_id, after)

    # taking in -------------------------------------------------------------------------------------------------------

    def _take_in(self, connection: Connection, question: Question, reply: Reply) -> Question | None:
        """Store what a question brought; return the question that goes on where a full page ended."""
        kind = question.name.partition(":")[0]
        if kind == "history":
            rows, kind_of_item = items_in(reply.result), question.entity_type_id
            self._entries(connection, kind_of_item, rows)
            ids = [int(row["ID"]) for row in rows]
            last = max(ids, default=question.after)
            self._reached(connection, kind_of_item, last)
            if len(rows) >= PAGE:
                self._long[kind_of_item] = Window(min(ids) - 1, last)
            return None
        if kind == "items":
            rows = items_in(reply.result)
            self._changes(connection, question, rows)
            tie = next(tie for tie in self._ties if question.name == f"items:{tie.code}")
            return self._watched(connection, tie, max(int(r["id"]) for r in rows)) if len(rows) >= PAGE else None
        tasks = tasks_in(reply.result)
        self._task_changes(connection, tasks)
        if question.name == "hinted":
            return None
        since = queue.cursor(connection, self.portal.id, question.name)
        if len(tasks) >= PAGE:
            after = max(task.id for task in tasks)
            if question.name == "tasks":
                return self._tasks(since, after)
            return self._renewed(queue.cursor(connection, self.portal.id, "tasks") or 0, since, after)
        self._advance(connection, question.name, [task.changed_at for task in tasks])
        return None

    def _advance(self, connection: Connection, name: str, moments: Sequence[datetime | None]) -> None:
        """Move a cursor of time on to the newest moment seen; it never goes back."""
        newest = max((found for found in moments if found is not None), default=None)
        value = (newest - EPOCH) // timedelta(microseconds=1) if newest else 0
        if value > (queue.cursor(connection, self.portal.id, name) or 0):
            queue.set_cursor(connection, self.portal.id, name, value)

    def _entries(self, connection: Connection, kind: int, rows: Sequence[Mapping[str, Any]]) -> None:
        taking = HistoryRows(self.workshop, self.portal.id, kind, self._ties, self._starts, self.hinted)
        self.found += taking.take_in(connection, rows)

    def _reached(self, connection: Connection, kind: int, last: int) -> None:
        """Note that a history has been read up to a row; that never goes back."""
        if last > (queue.cursor(connection, self.portal.id, f"history:{kind}") or 0):
            queue.set_cursor(connection, self.portal.id, f"history:{kind}", last)

    def _task_changes(self, connection: Connection, tasks: Sequence[Task]) -> None:
        ours = given_tasks.by_task_ids(connection, self.portal.id, [task.id for task in tasks])
        if not ours:
            return
        portal = (
            self.workshop.portals.by_id(connection, self.portal.id) or self.portal
        )  # asking may have told of a restored copy
        for task in tasks:
            if task.id in ours:
                self.found += task_changed(connection, portal, task, ours[task.id], self.workshop.now())

    def _changes(self, connection: Connection, question: Question, rows: Sequence[Mapping[str, Any]]) -> None:
        self._advance(connection, question.name, [moment(row.get("updatedTime")) for row in rows])
        tie = next(tie for tie in self._ties if question.name == f"items:{tie.code}")
        for row in rows:
            item = ItemRef(question.entity_type_id, int(row["id"]))
            kept = processes.pinned(connection, self.portal.id, item)
            if kept is None or kept.stage_id != row.get("stageId") or not kept.watched:
                continue  # its entry into the stage is still to be handled, and looks at the fields itself
            now_seen = {name: self._shown(tie, name, row) for name in kept.watched}
            names = [name for name, value in now_seen.items() if value != kept.watched[name]]
            if names:
                self._changed(connection, item, kept, now_seen, names, moment(row.get("updatedTime")))

    def _shown(self, tie: Tie, name: str, row: Mapping[str, Any]) -> Any:
        code = tie.fields.get(name, "")
        return portal_value(value_of(row.get(code), self.book.types.get((tie.entity_type_id, code), "")))

    def _changed(
        self,
        connection: Connection,
        item: ItemRef,
        kept: processes.Pinned,
        seen: Mapping[str, Any],
        names: Sequence[str],
        at: datetime | None,
    ) -> None:
        now = self.workshop.now()
        processes.pin(connection, self.portal.id, item, processes.Pinned(kept.process, kept.version, kept.stage_id, seen))
        entry = entries.last(connection, self.portal.id, item)
        key = queue.next_key(connection, self.portal.id, item, f"change:{entry.key if entry else item.binding}:")
        queue.add_work(connection, self.portal.id, item, key, "change", {"names": list(names)}, now, happened_at=at)
        self.found += 1


def _changed_tasks(name: str, filters: dict[str, Any], after: int) -> Question:
    wanted = {**filters, ">ID": after} if after else filters
    params = {"filter": wanted, "order": {"ID": "asc"}, "select": list(TASK_FIELDS), "start": -1}
    return Question(name, Command("tasks.task.list", params), after=after)


def _some_tasks(ids: Sequence[int]) -> Question:
    params = {"filter": {"ID": list(ids)}, "select": list(TASK_FIELDS), "start": -1}
    return Question("hinted", Command("tasks.task.list", params))


def hints(arrivals: Sequence[Arrival]) -> tuple[frozenset[ItemRef], list[int]]:
    """Return the items and tasks that events spoke of."""
    items: set[ItemRef] = set()
    tasks: set[int] = set()
    for arrival in arrivals:
        if arrival.kind != "event" or not arrival.body.get("id"):
            continue
        if arrival.body.get("kind") == "task":
            if arrival.body.get("change") != "add":  # a new task has not been finished
                tasks.add(int(arrival.body["id"]))
        elif arrival.body.get("entity_type_id"):
            items.add(ItemRef(int(arrival.body["entity_type_id"]), int(arrival.body["id"])))
    return frozenset(items), sorted(tasks)
