"""Carrying actions out: in full batches, each step claimed before it is sent and written down before the next.

An action is sent at most once without knowing what became of it. When the reply is lost, or this process died in between,
the action is *unknown*: it is looked up on the portal by its mark before anything is sent again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import requests
from sqlalchemy.engine import Connection

from b24app.bitrix.budget import Priority
from b24app.bitrix.commands import BATCH_LIMIT, Command
from b24app.bitrix.effects import Effect, Progress, Setting, Step, effect_of
from b24app.bitrix.effects.crm import SMS_FAILED
from b24app.bitrix.errors import MethodBlocked, NotSent, PortalError, Transient
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import Reply
from b24app.bitrix.tempo import Tempo
from b24app.core.actions import AddTask, AddVisit, CancelVisit, MoveStage, RenewTask, SendSms
from b24app.core.item import ItemRef
from b24app.engine import sms
from b24app.engine.record import mark_of
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import journal, ledger, queue
from b24app.store.journal import ActionState, StoredAction
from b24app.store.portals import Portal

TRIES = 8
"""Failures of the portal (not of the way to it) after which an action becomes an incident for a person."""
SMS_TRIES = 3
LONGEST_PAUSE = timedelta(minutes=10)
BLOCKED = timedelta(minutes=1)
"""How long a blocked method is left alone when the portal does not say how long."""
IN_FLIGHT = 4
"""Requests at a time to a portal that takes its time."""
SLOW = 1.0
"""Seconds from which on a request is slow: the next ones are sent beside it."""
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
        resting: dict[datetime, list[int]] = {}
        ahead: Counter[str] = Counter()
        for stored in waiting:
            if stored.item in homes and homes[stored.item] is None:
                continue  # an earlier action of this item waits
            if isinstance(stored.action, SendSms) and not stored.progress.get("sms"):
                self._send_sms(stored, stored.action)
                continue
            turn = self._turn(stored)
            if turn is None:
                self._finish(stored, stored.progress)
                continue
            until = self._rests(turn, ahead)
            if until is not None:
                resting.setdefault(until, []).append(stored.id)
            pack = self._room(turn, packs, homes.get(stored.item)) if until is None else None
            homes[stored.item] = pack
            if pack is not None:
                pack.add(turn, self._tempo)
                ahead.update(command.method for command in turn.commands)
            elif until is None and all(pack.full for pack in packs):
                break
        self._let_rest(resting)
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

    def _rests(self, turn: Turn, ahead: Counter[str]) -> datetime | None:
        """Tell until when a step is to wait because a method in it has nearly used up its operating time."""
        now = self.workshop.now()
        for method in {command.method for command in turn.commands}:
            until = self._tempo.rests_until(method, now, self._tempo.lasts([method]) * ahead[method])
            if until is not None:
                return until
        return None

    def _let_rest(self, resting: Mapping[datetime, list[int]]) -> None:
        if not resting:
            return
        with self.workshop.database.write() as connection:
            for until, ids in resting.items():
                journal.rest(connection, ids, until, "the method's operating time is used up")

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
        unsure = stored.state in ("sending", "unknown") or (
            isinstance(stored.action, MoveStage) and not stored.progress.get("looked")
        )
        looking = effect.look(stored.progress) if unsure else ()
        if looking:
            return Turn(stored, effect, looking, True)
        sending = effect.send(stored.progress)
        return Turn(stored, effect, sending, False) if sending else None

    def _take(self, turns: Sequence[Turn], gate: Gate) -> None:
        gate.book()
        with self.workshop.database.write() as connection:
            journal.claim(connection, [turn.stored for turn in turns if not turn.looking], self.workshop.now())
        replies = gate.batch([command for turn in turns for command in turn.commands])
        stop: PortalError | None = None
        with self.workshop.database.write() as connection:
            for turn in turns:
                own, replies = replies[: len(turn.commands)], replies[len(turn.commands) :]
                error = self._absorb(connection, turn, own)
                stop = stop or (error if error is not None and error.stops_portal else None)
        if stop is not None:
            raise stop

    def _absorb(self, connection: Connection, turn: Turn, replies: Sequence[Reply | PortalError]) -> PortalError | None:
        progress = turn.stored.progress
        step: Step = turn.effect.found(progress, replies) if turn.looking else turn.effect.sent(progress, replies)
        if turn.looking and step.error is None:
            step = Step({**step.progress, "looked": True})
        self._note_progress(connection, turn.stored, step.progress)
        if step.error is not None:
            self._failed(connection, turn, step.progress, step.error)
        elif turn.effect.send(step.progress):
            journal.settle(connection, turn.stored.id, "pending", self.workshop.now(), progress=step.progress)
        else:
            self._done(connection, turn.stored, step.progress)
        return step.error

    def _failed(self, connection: Connection, turn: Turn, progress: Progress, error: PortalError) -> None:
        now = self.workshop.now()
        told = f"{type(error).__name__}: {error.code} {error.description}"[:1000]
        counts = not error.stops_portal and not isinstance(error, NotSent | MethodBlocked)
        tries = turn.stored.tries + (1 if counts else 0)
        if counts and (tries >= TRIES or not isinstance(error, Transient)):
            journal.settle(connection, turn.stored.id, "failed", now, progress=progress, error=told, tries=tries)
            if isinstance(turn.stored.action, AddTask) and not progress.get("task_id"):
                ledger.task_failed(connection, turn.stored.id, now)
            _log.warning("action failed", portal=self.portal.host, action=turn.stored.key, error=told)
            return
        unsure = error.outcome_unknown or (turn.looking and turn.stored.state != "pending")
        asked = timedelta(seconds=error.retry_after or 0) if isinstance(error, Transient) else timedelta()
        until = now + max(asked, self._pause(tries) if counts else timedelta())
        if isinstance(error, MethodBlocked):
            until = max(until, error.until or now + BLOCKED)
            self._tempo.blocked(error.method, until)
        state: ActionState = "unknown" if unsure else "pending"
        journal.settle(connection, turn.stored.id, state, now, progress=progress, error=told, tries=tries, not_before=until)

    def _pause(self, tries: int) -> timedelta:
        """Return a growing pause with jitter, so that what failed together does not come back together."""
        seconds = min(2.0 ** (tries - 1), LONGEST_PAUSE.total_seconds())
        return timedelta(seconds=seconds * random.uniform(0.5, 1.0))  # noqa: S311 - no secret depends on it

    # what the ledger learns ------------------------------------------------------------------------------------------

    def _note_progress(self, connection: Connection, stored: StoredAction, progress: Progress) -> None:
        match stored.action:
            case AddTask() if progress.get("task_id") and not stored.progress.get("task_id"):
                ledger.task_created(connection, stored.id, int(progress["task_id"]))
            case AddVisit() if progress.get("visit_id"):
                ledger.visit_booked(connection, self.portal.id, stored.id, int(progress["visit_id"]), stored.action)
            case _:
                pass

    def _finish(self, stored: StoredAction, progress: Progress) -> None:
        with self.workshop.database.write() as connection:
            self._done(connection, stored, progress)

    def _done(self, connection: Connection, stored: StoredAction, progress: Progress) -> None:
        journal.settle(connection, stored.id, "done", self.workshop.now(), progress=progress)
        match stored.action:
            case MoveStage():
                self.moved = True
            case RenewTask(task_id=task_id):
                ledger.task_renewed(connection, self.portal.id, task_id)
            case CancelVisit(visit=visit):
                ledger.visit_cancelled(connection, self.portal.id, visit)
            case _:
                pass

    # SMS -------------------------------------------------------------------------------------------------------------

    def _send_sms(self, stored: StoredAction, action: SendSms) -> None:
        """Send a message unless it may have gone out already; what cannot be told is told to a person, not sent again."""
        gateway = self.portal.secrets.gateway
        if stored.state in ("sending", "unknown"):
            outcome = sms.look(self.session, gateway, action.phone, stored.key)
        else:
            outcome = sms.Sent("not_sent")
        if outcome.fate == "not_sent":
            with self.workshop.database.write() as connection:
                journal.claim(connection, [stored], self.workshop.now())
            outcome = sms.send(self.session, gateway, action.phone, action.text, stored.key)
            if outcome.fate == "unknown":
                outcome = sms.look(self.session, gateway, action.phone, stored.key)
        self._sms_settled(stored, action, outcome)

    def _sms_settled(self, stored: StoredAction, action: SendSms, outcome: sms.Sent) -> None:
        now = self.workshop.now()
        with self.workshop.database.write() as connection:
            if outcome.fate == "sent":
                progress = {**stored.progress, "sms": outcome.note or "sent"}
                journal.settle(connection, stored.id, "pending", now, progress=progress)
                return
            if outcome.fate == "not_sent" and stored.tries < SMS_TRIES:
                tries = stored.tries + 1
                until = now + self._pause(tries + 3)
                journal.settle(
                    connection,
                    stored.id,
                    "pending",
                    now,
                    progress=stored.progress,
                    error=outcome.note,
                    tries=tries,
                    not_before=until,
                )
                return
            told = f"{outcome.fate}: {outcome.note}"
            if action.message_id:  # the portal handed it over, and is told
                progress = {**stored.progress, "sms": SMS_FAILED}
                journal.settle(connection, stored.id, "pending", now, progress=progress, error=told)
                return
            journal.settle(connection, stored.id, "failed", now, progress=stored.progress, error=told)
            self._otherwise(connection, stored, action)

    def _otherwise(self, connection: Connection, stored: StoredAction, action: SendSms) -> None:
        """Give the task that follows a message which did not go out."""
        follow = action.otherwise
        if follow is None:
            return
        now = self.workshop.now()
        mark = mark_of(self.portal, f"after:{stored.key}", 0, follow.kind)
        action_id = journal.add_action(connection, self.portal.id, stored.run_id, follow.item, mark, follow, "pending", now)
        ledger.add_task(connection, self.portal.id, action_id, follow, "", None, now)
