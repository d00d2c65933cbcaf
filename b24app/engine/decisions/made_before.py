"""After deciding anew what a restored copy does not know to be done: what the portal shows is taken for done.

Actions of an item are carried out in order. What stands before something the portal shows was therefore carried out, or
refused and told to people then; what stands behind it may have been, and is looked up before it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from b24app.bitrix.reading.marks import Shown
from b24app.core import actions as a
from b24app.engine.decisions.finished import task_changed
from b24app.engine.decisions.plan import Plan
from b24app.engine.decisions.record import carried_out
from b24app.engine.decisions.timers import put_down
from b24app.engine.decisions.work import Planner
from b24app.store import entries, given_tasks, journal, queue, timers, visits
from b24app.store.doubts import DOUBT, OVER, UNWEIGHED
from b24app.store.journal import OPEN, StoredAction
from b24app.store.portals import Portal


@dataclass(slots=True)
class MadeBefore:
    """Settles what was just decided of one piece of work, in its transaction."""

    connection: Connection
    portal: Portal
    planner: Planner
    plan: Plan
    shown: Shown
    now: datetime

    def settle(self) -> None:
        """Take for done what the portal shows, and put down what followed from it."""
        runs = journal.runs_of_work(self.connection, self.plan.work.id)
        stored = journal.actions_of(self.connection, [run.id for run in runs])
        seen = {**self.shown.made, **self.shown.visits}
        last = max((n for n, one in enumerate(stored) if one.key in seen), default=-1)
        for place, one in enumerate(stored):
            if one.state in OPEN:
                self._action(one, before=self.plan.over or place < last)
        self._tasks(stored)
        self._changes()
        item = self.plan.work.item
        due = [timer for timer in timers.due(self.connection, self.portal.id, self.now) if timer.item == item]
        put_down(self.connection, self.portal, due, self.now)
        queue.put_in_order(self.connection, self.portal.id, item)

    # actions ---------------------------------------------------------------------------------------------------------

    def _action(self, stored: StoredAction, *, before: bool) -> None:
        action, seen = stored.action, stored.key in self.shown.made
        match action:
            case a.AddTask() if seen:
                task_id = self.shown.tasks[stored.key].id
                given_tasks.created(self.connection, stored.id, task_id)
                self._keep(stored, "done" if before else "unknown", {"task_id": task_id, DOUBT: True})
            case a.AddTask() if stored.progress.get("task_id"):
                self._keep(stored, "unknown", {DOUBT: True})
            case a.Comment() if seen:
                self._keep(stored, "done", {})
            case a.SendSms() if seen:
                self._keep(stored, "done", {"sms": "sent"})
            case a.AddVisit() if stored.key in self.shown.visits:
                visits.booked(self.connection, self.portal.id, stored.id, self.shown.visits[stored.key], action)
                self._hold(action)
                self._keep(stored, "done", {"visit_id": self.shown.visits[stored.key]})
            case a.MoveStage():
                self._move(stored, action, before=before)
            case a.AddTask() | a.Comment() | a.SendSms() if before:
                self._drop(stored)
            case a.AddTask() | a.Comment():  # it is not there, and nothing shows that it was
                self._keep(stored, "pending", {DOUBT: False})
            case a.SendSms() if stored.progress.get("sms"):
                self._keep(stored, "pending", {DOUBT: False})
            case a.AddItem() | a.AddVisit() | a.AddNews() | a.SendSms():
                if isinstance(action, a.AddVisit):
                    self._hold(action)
                self._keep(stored, "unknown", {DOUBT: True, OVER: before})
            case _ if before and not isinstance(action, a.CancelVisit):  # which may have been booked just now
                self._keep(stored, "done", {})
                carried_out(self.connection, self.portal.id, action, stored.created_at)
            case _:
                self._keep(stored, "pending", {DOUBT: True})

    def _keep(self, stored: StoredAction, state: journal.ActionState, progress: dict[str, Any]) -> None:
        told = {**stored.progress, **progress, UNWEIGHED: False}
        kept = {name: value for name, value in told.items() if value is not False}
        journal.settle(self.connection, stored.id, state, self.now, progress=kept)

    def _drop(self, stored: StoredAction) -> None:
        """Give up what is missing among what came before and after it: it was taken away since, or refused."""
        if isinstance(stored.action, a.AddTask):
            given_tasks.failed(self.connection, stored.id, self.now)
        self._keep(stored, "dropped", {})

    def _move(self, stored: StoredAction, action: a.MoveStage, *, before: bool) -> None:
        """Find the entry this move has led to, so that it counts as ours."""
        at = self.plan.then or self.plan.work.happened_at
        came = (e for e in entries.history_of(self.connection, self.portal.id, action.item) if e.at >= at and not e.returned)
        entry = next((one for one in came if one.stage_id == action.to), None)
        if entry is not None:
            entries.moved_by(self.connection, entry.id, stored.id)
        if entry is not None or before:
            self._keep(stored, "done", {})

    def _hold(self, action: a.AddVisit) -> None:
        """Claim an installer's hours for a visit that may stand in his calendar, unless another order has them."""
        claim = a.ClaimSlot(action.item, action.user, action.start, action.end)
        if not self.plan.left:
            visits.claim(self.connection, self.portal.id, claim, action.title, self.now)

    # what followed ---------------------------------------------------------------------------------------------------

    def _tasks(self, stored: list[StoredAction]) -> None:
        """Put down the end of tasks that were found."""
        found = {task.id: task for mark, task in self.shown.tasks.items() if any(one.key == mark for one in stored)}
        for number, row in given_tasks.by_task_ids(self.connection, self.portal.id, found).items():
            task_changed(self.connection, self.portal, found[number], row, self.now)

    def _changes(self) -> None:
        """Put down the change of watched fields that the portal shows to have been dealt with next."""
        plan, item = self.plan, self.plan.work.item
        entry = entries.get(self.connection, plan.place.entry_id) if plan.place.entry_id else None
        if plan.work.kind not in ("entry", "change") or entry is None or plan.left or not plan.watched:
            return
        key = queue.next_key(self.connection, self.portal.id, item, f"change:{entry.key}:")
        moments = self.planner.changes_shown(plan, key)
        if moments:
            body = {"names": list(plan.watched), "entry_id": entry.id}
            queue.add_work(self.connection, self.portal.id, item, key, "change", body, self.now, happened_at=min(moments))
