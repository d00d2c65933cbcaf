"""Carrying actions out: in full batches, each step claimed before it is sent and written down before the next.

An action is sent at most once without knowing what became of it. When the reply is lost, or this process died in between,
the action is *unknown*: it is looked up on the portal by its mark before anything is sent again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import requests
from sqlalchemy.engine import Connection

from b24app.bitrix.answers import UNREADABLE, nonsense
from b24app.bitrix.budget import Priority
from b24app.bitrix.commands import BATCH_LIMIT, Command
from b24app.bitrix.effects import Effect, Progress, Setting, Step, effect_of
from b24app.bitrix.errors import LostReply, MethodBlocked, NotSent, PortalError, ServerTrouble, Transient
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import Reply
from b24app.bitrix.tempo import Tempo
from b24app.core.actions import AddTask, AddVisit, MoveStage, SendSms
from b24app.core.item import ItemRef
from b24app.engine.acting.pauses import UNDER_WAY, pause
from b24app.engine.acting.sms_actions import RESTORED, send_sms
from b24app.engine.decisions.record import carried_out
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import given_tasks, journal, queue, visits
from b24app.store.doubts import DOUBT, OVER
from b24app.store.journal import ActionState, StoredAction
from b24app.store.portals import Portal

TRIES = 8
"""Failures of the portal (not of the way to it) after which an action becomes an incident for a person."""
IN_FLIGHT = 4
"""Requests at a time to a portal that takes its time."""
SLOW = 1.0
"""Seconds from which on a request is slow: the next ones are sent beside it."""
SILENT_GATEWAY = timedelta(minutes=1)
"""How long messages wait behind one that the gateway left without an answer: each would hold up all other work as long."""
LONGEST_REQUEST = 20.0
"""Seconds a request may last by our estimate; the portal cuts it off after 60."""
_log = log("perform")


def urgency(priority: int) -> Priority:
    """Translate the priority of work into that of requests."""
    return (
        Priority.ANSWER
        if priority <= queue.URGENT
        else Priority.TIMER
        if priority >= queue.PRIORITY["timer"]
        else Priority.ENTRY
    )


@dataclass(frozen=True, slots=True)
class Turn:
    """An action with the commands of its next step; ``looking`` when it is looked up first."""

    stored: StoredAction
    effect: Effect
    commands: tuple[Command, ...]
    looking: bool

    @property
    def repeatable(self) -> bool:
        """Whether sending this step twice does no harm: there is nothing to look up before."""
        return not self.effect.look(self.stored.progress)


@dataclass(slots=True)
class Pack:
    """The steps of one request and how long they may take, seconds."""

    turns: list[Turn] = field(default_factory=list)
    commands: int = 0
    seconds: float = 0.0

    @property
    def full(self) -> bool:
        return self.commands >= BATCH_LIMIT - 5 or self.seconds >= LONGEST_REQUEST / 2

    def takes(self, turn: Turn, tempo: Tempo) -> bool:
        """Tell whether a step fits in; one that fits nowhere gets a request of its own."""
        if not self.turns:
            return True
        seconds = self.seconds + tempo.lasts(command.method for command in turn.commands)
        return self.commands + len(turn.commands) <= BATCH_LIMIT and seconds <= LONGEST_REQUEST

    def add(self, turn: Turn, tempo: Tempo) -> None:
        self.turns.append(turn)
        self.commands += len(turn.commands)
        self.seconds += tempo.lasts(command.method for command in turn.commands)


@dataclass(slots=True)
class Performer:
    """Carries out what was decided for one portal; ``gates`` opens the ways out, one for each thread."""

    workshop: Workshop
    portal: Portal
    gates: Callable[[Priority], Gate]
    setting: Setting
    session: requests.Session
    mine: Callable[[Connection], bool]
    """Tells, in the transaction that claims actions, whether the portal is still this worker's: he may have slept."""
    moved: bool = False
    """Whether an item was moved: its new stage is worth reading at once."""

    def perform(self) -> bool:
        """Carry out one set of actions; False when there is nothing to do now.

        As much as fits into one request, or into a few at a time where the portal takes its time: all actions of an item
        are in the same one. Raises the `PortalError` that concerns the whole portal, after everything was written down.
        """
        with self.workshop.database.read() as connection:
            waiting = journal.open_actions(connection, self.portal.id, self.workshop.now())
        if not waiting:
            return False
        packs = self._packs(waiting)
        if len(packs) == 1:
            self._take(packs[0].turns, self.gates(urgency(waiting[0].priority)))
        elif packs:
            self._take_beside(packs, urgency(waiting[0].priority))
        return True

    def _packs(self, waiting: Sequence[StoredAction]) -> list[Pack]:
        """Put the next steps of actions into requests: not too many, not too long, none that its method is to rest from."""
        packs: list[Pack] = []
        homes: dict[ItemRef, Pack | None] = {}
        unsure: set[ItemRef] = set()
        resting: dict[datetime, list[int]] = {}
        ahead: Counter[str] = Counter()
        silent, unsent = False, list[int]()
        for stored in waiting:
            if stored.item in homes and homes[stored.item] is None:
                continue  # an earlier action of this item waits
            if isinstance(stored.action, SendSms) and not stored.progress.get("sms") and not _recorded_maybe(stored):
                if silent:
                    homes[stored.item] = None
                    unsent.append(stored.id)
                else:
                    silent = not send_sms(self.workshop, self.portal, self.session, stored, stored.action, self.mine)
                continue
            turn = self._turn(stored)
            if turn is None:
                self._finish(stored, stored.progress)
                continue
            if turn.looking and stored.state != "pending":
                unsure.add(stored.item)
            elif not turn.looking and stored.item in unsure:
                continue  # an earlier action of this item may still have to be sent, before this one
            until = self._rests(turn, ahead, urgency(stored.priority))
            if until is not None:
                resting.setdefault(until, []).append(stored.id)
            pack = self._room(turn, packs, homes.get(stored.item)) if until is None else None
            homes[stored.item] = pack
            if pack is not None:
                pack.add(turn, self._tempo)
                ahead.update(command.method for command in turn.commands)
            elif until is None and all(pack.full for pack in packs):
                break
        self._let_rest(resting, "the method's operating time is used up")
        self._let_rest({self.workshop.now() + SILENT_GATEWAY: unsent}, "the SMS gateway does not answer")
        return packs

    def _room(self, turn: Turn, packs: list[Pack], home: Pack | None) -> Pack | None:
        """Find the request a step goes into; one more is begun only beside slow ones."""
        found = next((pack for pack in ([home] if home else packs) if pack.takes(turn, self._tempo)), None)
        if found is None and home is None and (not packs or (packs[0].seconds >= SLOW and len(packs) < IN_FLIGHT)):
            found = Pack()
            packs.append(found)
        return found

    @property
    def _tempo(self) -> Tempo:
        return self.workshop.tempo(self.portal.id)

    def _rests(self, turn: Turn, ahead: Counter[str], priority: Priority) -> datetime | None:
        """Tell until when a step is to wait because a method in it has nearly used up its operating time."""
        now = self.workshop.now()
        for method in {command.method for command in turn.commands}:
            until = self._tempo.rests_until(method, now, self._tempo.lasts([method]) * ahead[method], priority)
            if until is not None:
                return until
        return None

    def _let_rest(self, resting: Mapping[datetime, list[int]], why: str) -> None:
        if not any(resting.values()):
            return
        with self.workshop.database.write() as connection:
            for until, ids in resting.items():
                journal.rest(connection, ids, until, why)

    def _take_beside(self, packs: Sequence[Pack], priority: Priority) -> None:
        """Send several requests at a time, each by a thread and a gate of its own."""
        with ThreadPoolExecutor(len(packs), thread_name_prefix="pack") as pool:
            sent = [pool.submit(self._take, pack.turns, self.gates(priority)) for pack in packs]
        errors = [future.exception() for future in sent]
        stop = next((error for error in errors if error is not None), None)
        if stop is not None:
            raise stop

    def _turn(self, stored: StoredAction) -> Turn | None:
        """Return the next step of an action; None when it is done."""
        effect = effect_of(stored.action, stored.key, self.setting)
        unsure = stored.state in ("sending", "unknown") or bool(stored.progress.get(DOUBT))
        unsure |= isinstance(stored.action, MoveStage) and not stored.progress.get("looked")
        looking = effect.look(stored.progress) if unsure else ()
        if looking:
            return Turn(stored, effect, looking, True)
        sending = effect.send(stored.progress)
        return Turn(stored, effect, sending, False) if sending else None

    def _take(self, turns: Sequence[Turn], gate: Gate) -> None:
        gate.book()
        began, sending = self.workshop.now(), [turn for turn in turns if not turn.looking]
        with self.workshop.database.write() as connection:
            if not self.mine(connection):
                return  # somebody else has read these actions, and may have sent them
            journal.claim(connection, [turn.stored for turn in sending if turn.repeatable], began)
            journal.claim(connection, [turn.stored for turn in sending if not turn.repeatable], began, began + UNDER_WAY)
        replies = gate.batch([command for turn in turns for command in turn.commands])
        stop: PortalError | None = None
        with self.workshop.database.write() as connection:
            for turn in turns:
                own, replies = replies[: len(turn.commands)], replies[len(turn.commands) :]
                error = self._absorb(connection, turn, own, began)
                stop = stop or (error if error is not None and error.stops_portal else None)
        if stop is not None:
            raise stop

    def _absorb(
        self, connection: Connection, turn: Turn, replies: Sequence[Reply | PortalError], began: datetime
    ) -> PortalError | None:
        step, progress = _step_of(turn, replies), turn.stored.progress
        if turn.looking and step.error is None:
            if progress.get(DOUBT) and step.progress == progress:
                self._not_there(connection, turn.stored)
                return None
            step = Step({**step.progress, "looked": True})
        self._note_progress(connection, turn.stored, step.progress)
        if step.error is not None:
            self._failed(connection, turn, step.progress, step.error, began)
        elif turn.effect.send(step.progress):
            tries = turn.stored.tries if turn.looking else 0  # having looked is no step forward
            journal.settle(connection, turn.stored.id, "pending", self.workshop.now(), progress=step.progress, tries=tries)
        else:
            self._done(connection, turn.stored, step.progress)
        return step.error

    def _not_there(self, connection: Connection, stored: StoredAction) -> None:
        """Settle what a restored copy left in doubt and is not there: it is made now, unless what came after it is there."""
        now, sure = self.workshop.now(), {name: value for name, value in stored.progress.items() if name != DOUBT}
        if stored.progress.get(OVER):
            journal.settle(connection, stored.id, "dropped", now, progress=stored.progress)
        elif isinstance(stored.action, SendSms):  # no record of it does not mean that it did not go out
            journal.settle(connection, stored.id, "unknown", now, progress={**sure, RESTORED: True})
        else:
            journal.settle(connection, stored.id, "pending", now, progress={**sure, "looked": True}, tries=stored.tries)

    def _failed(self, connection: Connection, turn: Turn, progress: Progress, error: PortalError, began: datetime) -> None:
        now = self.workshop.now()
        told = f"{type(error).__name__}: {error.code} {error.description}"[:1000]
        counts = not error.stops_portal and not isinstance(error, NotSent | MethodBlocked)
        tries = turn.stored.tries + (1 if counts else 0)
        hopeless = not isinstance(error, Transient) or (tries >= TRIES and self._answers_since(connection, turn.stored))
        if counts and hopeless:
            journal.settle(connection, turn.stored.id, "failed", now, progress=progress, error=told, tries=tries)
            if isinstance(turn.stored.action, AddTask) and not progress.get("task_id"):
                given_tasks.failed(connection, turn.stored.id, now)
            _log.warning("action failed", portal=self.portal.host, action=turn.stored.key, error=told)
            return
        unsure = error.outcome_unknown or (turn.looking and turn.stored.state != "pending")
        asked = timedelta(seconds=error.retry_after or 0) if isinstance(error, Transient) else timedelta()
        until = now + max(asked, pause(tries) if counts else timedelta())
        if isinstance(error, MethodBlocked):
            until = max(until, self._tempo.blocked(error.method, now, error.until))
        if isinstance(error, LostReply) and not turn.looking and not turn.repeatable:
            until = max(until, began + UNDER_WAY)
        state: ActionState = "unknown" if unsure else "pending"
        journal.settle(connection, turn.stored.id, state, now, progress=progress, error=told, tries=tries, not_before=until)

    def _answers_since(self, connection: Connection, stored: StoredAction) -> bool:
        """Tell whether the portal was read since an action was decided: else it is the portal that fails, not the action."""
        read_at = self.workshop.portals.reads(connection, self.portal.id).read_at
        return read_at is not None and read_at > stored.created_at

    # what the ledger learns ------------------------------------------------------------------------------------------

    def _note_progress(self, connection: Connection, stored: StoredAction, progress: Progress) -> None:
        match stored.action:
            case AddTask() if progress.get("task_id") and not stored.progress.get("task_id"):
                given_tasks.created(connection, stored.id, int(progress["task_id"]))
            case AddVisit() if progress.get("visit_id"):
                visits.booked(connection, self.portal.id, stored.id, int(progress["visit_id"]), stored.action)
            case _:
                pass

    def _finish(self, stored: StoredAction, progress: Progress) -> None:
        with self.workshop.database.write() as connection:
            self._done(connection, stored, progress)

    def _done(self, connection: Connection, stored: StoredAction, progress: Progress) -> None:
        journal.settle(connection, stored.id, "done", self.workshop.now(), progress=progress)
        self.moved |= isinstance(stored.action, MoveStage)
        carried_out(connection, self.portal.id, stored.action)


def _step_of(turn: Turn, replies: Sequence[Reply | PortalError]) -> Step:
    """Take in the replies to a step; nonsense, or a yes that leads nowhere, leaves open whether it was done."""
    progress, method = turn.stored.progress, turn.commands[0].method
    try:
        step = turn.effect.found(progress, replies) if turn.looking else turn.effect.sent(progress, replies)
    except UNREADABLE as error:
        return Step(progress, nonsense(error, method))
    if turn.looking or step.error is not None or step.progress != progress:
        return step
    return Step(progress, ServerTrouble("", "the portal agreed and did nothing", 200, method=method))


def _recorded_maybe(stored: StoredAction) -> bool:
    """Tell whether an SMS in doubt may stand in the timeline, which is asked before the gateway is."""
    return bool(stored.progress.get(DOUBT)) and isinstance(stored.action, SendSms) and not stored.action.message_id
