"""Carrying actions out: in full batches, each step claimed before it is sent and written down before the next.

An action is sent at most once without knowing what became of it. When the reply is lost, or this process died in between,
the action is *unknown*: it is looked up on the portal by its mark before anything is sent again.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import requests
from sqlalchemy.engine import Connection

from b24app.bitrix.commands import BATCH_LIMIT, Command
from b24app.bitrix.effects import Effect, Progress, Setting, Step, effect_of
from b24app.bitrix.effects.crm import SMS_FAILED
from b24app.bitrix.errors import NotSent, PortalError, Transient
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import Reply
from b24app.core.actions import AddTask, AddVisit, CancelVisit, MoveStage, RenewTask, SendSms
from b24app.engine import sms
from b24app.engine.record import mark_of
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import journal, ledger
from b24app.store.journal import ActionState, StoredAction
from b24app.store.portals import Portal

TRIES = 8
"""Failures of the portal (not of the way to it) after which an action becomes an incident for a person."""
SMS_TRIES = 3
LONGEST_PAUSE = timedelta(minutes=10)
_log = log("perform")


@dataclass(frozen=True, slots=True)
class Turn:
    """An action with the commands of its next step; ``looking`` when it is looked up first."""

    stored: StoredAction
    effect: Effect
    commands: tuple[Command, ...]
    looking: bool


@dataclass(slots=True)
class Performer:
    """Carries out what was decided for one portal."""

    workshop: Workshop
    portal: Portal
    gate: Gate
    setting: Setting
    session: requests.Session
    moved: bool = False
    """Whether an item was moved: its new stage is worth reading at once."""

    def perform(self) -> bool:
        """Carry out one set of actions, as much as fits into one request; False when there is nothing to do now.

        Raises the `PortalError` that concerns the whole portal, after everything was written down.
        """
        with self.workshop.database.read() as connection:
            waiting = journal.open_actions(connection, self.portal.id, self.workshop.now())
        if not waiting:
            return False
        turns = self._turns(waiting)
        if turns:
            self._take(turns)
        return True

    def _turns(self, waiting: Sequence[StoredAction]) -> list[Turn]:
        turns: list[Turn] = []
        room = BATCH_LIMIT
        for stored in waiting:
            if isinstance(stored.action, SendSms) and not stored.progress.get("sms"):
                self._send_sms(stored, stored.action)
                continue
            turn = self._turn(stored)
            if turn is None:
                self._finish(stored, stored.progress)
                continue
            if len(turn.commands) > room and turns:
                break
            turns.append(turn)
            room -= len(turn.commands)
            if room <= 0:
                break
        return turns

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

    def _take(self, turns: Sequence[Turn]) -> None:
        with self.workshop.database.write() as connection:
            journal.claim(connection, [turn.stored for turn in turns if not turn.looking], self.workshop.now())
        replies = self.gate.batch([command for turn in turns for command in turn.commands])
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
        counts = not error.stops_portal and not isinstance(error, NotSent)
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
