"""The lane of a portal: one worker at a time reads, decides and carries out, a set at a time, until nothing is left."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.engine import Connection

from b24app.bitrix.budget import Priority
from b24app.bitrix.effects import Setting
from b24app.bitrix.errors import (
    AuthLost,
    BudgetExhausted,
    MethodBlocked,
    PortalError,
    PortalGone,
    PortalMoved,
    QueryLimit,
)
from b24app.bitrix.gate import Gate
from b24app.bitrix.reading.fields import FieldBook
from b24app.bitrix.tempo import Tempo, as_rows, from_rows
from b24app.core.item import ItemRef
from b24app.engine.access import gate_of, lost, moved
from b24app.engine.acting.perform import Performer, urgency
from b24app.engine.decisions.decide import Decider
from b24app.engine.decisions.plan import digest
from b24app.engine.decisions.timers import due_becomes_work
from b24app.engine.knowledge import Knowledge, field_book, known
from b24app.engine.pulse import Pulse
from b24app.engine.reading.reader import METHODS, HistoryReader, hints
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import entries, journal, processes, queue, timers
from b24app.store.portals import Operating, Portal
from b24app.store.queue import Arrival

LEASE = timedelta(seconds=10)
"""A worker that died is followed by another after this; a living one renews it every `PULSE` seconds."""
PULSE = 3.0
SET = 100
CALM = timedelta(seconds=5)
ARRIVALS = 2000
LONGEST_PAUSE = timedelta(minutes=2)
"""How long a portal that does not answer is left alone at the most."""
LONGEST_TURN = 1.0
"""Seconds after which the budget is asked again at the latest: more urgent work may have come."""
_log = log("lane")


@dataclass(frozen=True, slots=True)
class Drained:
    """How a drain ended: ``again`` is when to come back at the latest, None when only a wake-up or the clock will tell."""

    worked: bool
    again: datetime | None = None


@dataclass(slots=True)
class Lane:
    """Works for one portal. Everything it does may be cut off at any point and taken up by another worker."""

    workshop: Workshop
    portal_id: int
    owner: str
    gates: Callable[[Workshop, Portal, Priority], Gate] = gate_of
    stopping: Callable[[], bool] = lambda: False
    """Tells whether the worker is to end; it does after the step it is at."""

    def drain(self) -> Drained:
        """Do all there is to do now; nothing when another worker has the lane or the portal does not work."""
        if not self._take():
            return Drained(False, self.workshop.now() + timedelta(seconds=1))
        pulse = Pulse(self._take, PULSE)
        try:
            with self.workshop.database.read() as connection:
                self._tempo.take_over(from_rows(self.workshop.portals.operating(connection, self.portal_id)))
            return self._drain(pulse)
        finally:
            pulse.stop()
            with self.workshop.database.write() as connection:
                self.workshop.portals.leave_lane(connection, self.portal_id, self.owner, self._to_hand_on())

    def _take(self) -> bool:
        with self.workshop.database.write() as connection:
            now, told = self.workshop.now(), self._to_hand_on()
            mine = self.workshop.portals.take_lane(connection, self.portal_id, self.owner, now, LEASE, told)
        if told is not None and not mine:
            self._tempo.not_handed_on()
        return mine

    @property
    def _tempo(self) -> Tempo:
        return self.workshop.tempo(self.portal_id)

    def _to_hand_on(self) -> Operating | None:
        """Give what the next worker has to know of the portal's tempo, in case this one dies or another is quicker."""
        told = self._tempo.to_hand_on(self.workshop.now())
        return None if told is None else as_rows(told)

    def _drain(self, pulse: Pulse) -> Drained:
        worked = False
        while True:
            portal = self.workshop.portal(self.portal_id)
            if self.stopping() or not portal.works or self._left_alone() or pulse.lost or not self._take():
                return Drained(worked)
            try:
                if not self._step(portal):
                    return Drained(worked, self._next(portal))
                worked = True
            except PortalError as error:
                until = self._stopped(portal, error)
                if until is not None:
                    self._pause(until, "" if isinstance(error, BudgetExhausted | PortalMoved) else str(error))
                return Drained(worked, until)

    def _step(self, portal: Portal) -> bool:
        """Do the most urgent thing; False when there is nothing to do."""
        due, pressing = self._reading(portal)
        if pressing is not None and self._read(portal, self.gates(self.workshop, portal, pressing)):
            return True
        if portal.restored_at is not None and self._decider(portal, Priority.ENTRY).weigh():
            return True
        due_becomes_work(self.workshop, portal)
        if self._decide(portal, queue.URGENT) or self._perform(portal) or self._decide(portal):
            return True
        return due and pressing is None and self._read(portal, self.gates(self.workshop, portal, Priority.ENTRY))

    def _perform(self, portal: Portal) -> bool:
        with self.workshop.database.read() as connection:
            if not journal.open_actions(connection, portal.id, self.workshop.now(), limit=1):
                return False  # before all that only a performer has to know is gathered
        performer = self._performer(portal)
        worked = performer.perform()
        if performer.moved:
            self._wake_up(portal)
        return worked

    def _decide(self, portal: Portal, up_to: int | None = None) -> bool:
        """Decide a set of work, only such up to a priority where one is given; False when there is none."""
        with self.workshop.database.read() as connection:
            works = queue.ready_work(connection, portal.id, self.workshop.now(), SET, up_to)
        if works:
            self._decider(portal, urgency(works[0].priority)).decide(works)
        return bool(works)

    def _decider(self, portal: Portal, priority: Priority) -> Decider:
        return Decider(self.workshop, portal, self.gates(self.workshop, portal, priority))

    def _left_alone(self) -> bool:
        """Tell whether the portal asked for a pause that is not over."""
        with self.workshop.database.read() as connection:
            return self.workshop.portals.reads(connection, self.portal_id).rests(self.workshop.now())

    def _pause(self, until: datetime, why: str) -> None:
        with self.workshop.database.write() as connection:
            self.workshop.portals.pause(connection, self.portal_id, until, why)

    # reading ---------------------------------------------------------------------------------------------------------

    def _reading(self, portal: Portal) -> tuple[bool, Priority | None]:
        """Tell whether the portal is to be read, and with which priority where that goes before anything else.

        Mere hints wait up to `CALM` while there is other work: a mass change sends thousands, its own writes among them.
        While one of its methods is blocked nothing is read; what was read before is worked on.
        """
        with self.workshop.database.read() as connection:
            reads = self.workshop.portals.reads(connection, portal.id)
            waited_for = reads.wakes > reads.wakes_read and queue.somebody_waits(connection, portal.id)
        if waited_for and not self._reading_rests(Priority.ANSWER):
            return True, Priority.ANSWER
        if self._reading_rests(Priority.ENTRY):
            return False, None
        if reads.read_at is None:
            return True, Priority.ENTRY
        since, period = self.workshop.now() - reads.read_at, timedelta(seconds=self.workshop.settings.reader_period)
        due = reads.wakes > reads.wakes_read
        long_ago = not timedelta(0) <= since < (CALM if due else period)
        return due or long_ago, Priority.ENTRY if long_ago else None

    def _reading_rests(self, priority: Priority) -> bool:
        now = self.workshop.now()
        return any(self._tempo.rests_until(method, now, priority=priority) for method in METHODS)

    def _read(self, portal: Portal, gate: Gate) -> bool:
        """Read what is new; False when one of the methods is blocked, which stops nothing else."""
        began = self.workshop.now()
        with self.workshop.database.read() as connection:
            reads = self.workshop.portals.reads(connection, portal.id)
            arrived = queue.arrivals(connection, portal.id, ARRIVALS)
        wakes = reads.wakes if len(arrived) < ARRIVALS else reads.wakes_read
        book = self._book(portal, known(self.workshop, portal, gate))
        items, tasks = hints(arrived)
        try:
            HistoryReader(self.workshop, portal, gate, book, items).read(tasks)
        except MethodBlocked as error:
            until = self._tempo.blocked(error.method, began, error.until)
            _log.warning("reading rests", portal=portal.host, method=error.method, until=until.isoformat())
            return False
        with self.workshop.database.write() as connection:
            for arrival in arrived:
                _take_up(connection, portal, arrival, began)
            queue.handled(connection, [arrival.id for arrival in arrived], began)
            self.workshop.portals.was_read(connection, portal.id, wakes, began)
        return True

    def _book(self, portal: Portal, knowledge: Knowledge) -> FieldBook:
        with self.workshop.database.read() as connection:
            return field_book(self.workshop, connection, portal, knowledge)

    def _performer(self, portal: Portal) -> Performer:
        book = self._book(portal, known(self.workshop, portal, self.gates(self.workshop, portal, Priority.ENTRY)))
        with self.workshop.database.read() as connection:
            pipelines = {tie.code: tie.category_id for tie in processes.ties(connection, portal.id)}
        setting = Setting(book, portal.grant.user, portal.settings.lang, self.workshop.now(), pipelines)
        gates = partial(self.gates, self.workshop, portal)
        return Performer(self.workshop, portal, gates, setting, self.workshop.session(), self._mine)

    def _mine(self, connection: Connection) -> bool:
        return self.workshop.portals.has_lane(connection, self.portal_id, self.owner)

    def _wake_up(self, portal: Portal) -> None:
        with self.workshop.database.write() as connection:
            self.workshop.portals.wake(connection, portal.id, self.workshop.now())

    # ending ----------------------------------------------------------------------------------------------------------

    def _next(self, portal: Portal) -> datetime | None:
        """Return when something comes due by itself: a timer, a repeated action, work that was put off."""
        with self.workshop.database.read() as connection:
            moments = [
                timers.next_due(connection, portal.id),
                journal.next_open(connection, portal.id),
                queue.next_ready(connection, portal.id),
            ]
        return min((moment for moment in moments if moment is not None), default=None)

    def _stopped(self, portal: Portal, error: PortalError) -> datetime | None:
        """Say when to come back to a portal that cannot be worked for now."""
        now = self.workshop.now()
        match error:
            case PortalMoved():
                return self._moved(portal, error)
            case AuthLost() | PortalGone():
                lost(self.workshop, portal, error)
                return None
            case BudgetExhausted():
                return now + timedelta(seconds=min(error.wait, LONGEST_TURN))
            case QueryLimit():
                pause = timedelta(seconds=random.uniform(1, 3))  # noqa: S311 - jitter
            case _:
                pause = timedelta(seconds=random.uniform(5, 15))  # noqa: S311 - jitter
        if portal.reason:  # it failed before, too
            pause = max(pause, self._weariness(now))
        _log.warning("portal paused", portal=portal.host, error=str(error), seconds=round(pause.total_seconds(), 1))
        return now + pause

    def _weariness(self, now: datetime) -> timedelta:
        """Return the pause for a portal that could not be read for long: it grows with the time, up to `LONGEST_PAUSE`."""
        with self.workshop.database.read() as connection:
            read_at = self.workshop.portals.reads(connection, self.portal_id).read_at
        if read_at is None:
            return timedelta()
        overdue = now - read_at - timedelta(seconds=self.workshop.settings.reader_period)
        return max(min(overdue, LONGEST_PAUSE * 2), timedelta()) * random.uniform(0.25, 0.5)  # noqa: S311 - jitter

    def _moved(self, portal: Portal, error: PortalMoved) -> datetime | None:
        try:
            moved(self.workshop, portal, error.endpoint)
        except PortalError as refusal:
            _log.warning("a move of the portal was not believed", portal=portal.host, error=str(refusal))
            return self.workshop.now() + timedelta(minutes=5)
        return self.workshop.now()


def _take_up(connection: Connection, portal: Portal, arrival: Arrival, now: datetime) -> None:
    """Turn a callback that is more than a hint into work; the history up to it has been read."""
    body, came = arrival.body, arrival.received_at
    match arrival.kind:
        case "robot":
            item = ItemRef(int(body["entity_type_id"]), int(body["id"]))
            call = {
                "code": body["code"],
                "token": body["event_token"],
                "properties": body["properties"],
                "waits": bool(body["use_subscription"]),
            }
            queue.add_work(connection, portal.id, item, f"call:{digest(call['token'])}", "call", call, now, happened_at=came)
        case "sms":
            kind, number = body.get("item") or (0, 0)
            key = f"sms:{digest(body['message_id'])}"
            queue.add_work(connection, portal.id, ItemRef(kind, number), key, "sms", dict(body), now, happened_at=came)
        case "event" if body.get("change") in ("delete", "move") and body.get("entity_type_id"):
            item = ItemRef(int(body["entity_type_id"]), int(body["id"]))
            if entries.last(connection, portal.id, item) is not None:
                queue.add_work(
                    connection, portal.id, item, f"left:{arrival.id}", "change", {"names": []}, now, happened_at=came
                )
        case _:
            pass
