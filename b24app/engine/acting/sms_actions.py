"""Sending an SMS as an action: once, looked up where that can be done, and told to a person where nobody can tell.

A gateway keeps no promise of its own, so nothing is sent again without its word that it does not know the message.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import requests
from sqlalchemy.engine import Connection

from b24app.bitrix.effects.crm import SMS_FAILED
from b24app.core.actions import SendSms
from b24app.core.text import T
from b24app.engine.acting import sms
from b24app.engine.acting.pauses import UNDER_WAY, pause
from b24app.engine.decisions.record import mark_of
from b24app.engine.workshop import Workshop
from b24app.store import given_tasks, journal
from b24app.store.journal import StoredAction
from b24app.store.portals import Portal

TRIES = 3
LATER = 3
"""How much longer a gateway is left alone than a portal, in doublings."""
RESTORED = "restored"
"""In the progress of a message that may have gone out before the database was restored from a copy."""
TOLD = "told"
"""In the progress of a message whose fate nobody can tell, once people were told so: a retry sends it."""
_LOST = T(
    "База восстановлена из копии: ушло ли это SMS, узнать нельзя. Повторить — отправить его",
    "The database was restored from a copy: nobody can tell whether this SMS went out. Retry sends it",
)


def send_sms(
    workshop: Workshop,
    portal: Portal,
    session: requests.Session,
    stored: StoredAction,
    action: SendSms,
    mine: Callable[[Connection], bool],
) -> bool:
    """Send a message unless it may have gone out already; what cannot be told is told to a person, not sent again.

    Nothing is sent where ``mine`` denies, in the transaction that claims it, that the portal is still this worker's.
    Return False when the gateway was asked and gave no answer that says what became of the message.
    """
    gateway = portal.secrets.gateway
    answered = True
    if stored.state == "unknown" and stored.progress.get(TOLD):
        stored = _wanted(workshop, stored)
        outcome = sms.Sent("not_sent")
    elif stored.state in ("sending", "unknown"):
        outcome = sms.look(session, gateway, action.phone, stored.key)
        answered = outcome.fate != "unknown" or not gateway.status_url
    else:
        outcome = sms.Sent("not_sent")
    if outcome.fate == "not_sent" and stored.tries <= TRIES:
        began = workshop.now()
        known_from = began + UNDER_WAY if gateway.status_url else None
        with workshop.database.write() as connection:
            if not mine(connection):
                return True
            journal.claim(connection, [stored], began, known_from)
        outcome = sms.send(session, gateway, action.phone, action.text, stored.key)
        answered = outcome.fate in ("sent", "refused")
        if outcome.fate == "unknown" and known_from is not None:
            _look_later(workshop, stored, outcome, known_from)
            return answered
    with workshop.database.write() as connection:
        _settle(connection, workshop.now(), portal, stored, action, outcome)
    return answered


def _wanted(workshop: Workshop, stored: StoredAction) -> StoredAction:
    """Let a message nobody could tell the fate of be sent, once: a person who was told so wants it."""
    progress = {name: value for name, value in stored.progress.items() if name != TOLD}
    with workshop.database.write() as connection:
        journal.settle(connection, stored.id, "pending", workshop.now(), progress=progress)
    return replace(stored, state="pending", progress=progress, tries=0)


def _look_later(workshop: Workshop, stored: StoredAction, outcome: sms.Sent, known_from: datetime) -> None:
    """Leave a message alone until the gateway must know it if it ever will."""
    with workshop.database.write() as connection:
        journal.settle(
            connection,
            stored.id,
            "unknown",
            workshop.now(),
            progress=stored.progress,
            error=outcome.note,
            tries=stored.tries + 1,
            not_before=known_from,
        )


def _settle(
    connection: Connection, now: datetime, portal: Portal, stored: StoredAction, action: SendSms, outcome: sms.Sent
) -> None:
    if outcome.fate == "sent":
        done = {**stored.progress, "sms": outcome.note or "sent"}
        journal.settle(connection, stored.id, "pending", now, progress=done)
        return
    if outcome.fate == "not_sent" and stored.tries < TRIES:
        tries = stored.tries + 1
        until = now + pause(tries + LATER)
        progress, error = stored.progress, outcome.note
        journal.settle(connection, stored.id, "pending", now, progress=progress, error=error, tries=tries, not_before=until)
        return
    lost = bool(stored.progress.get(RESTORED)) and outcome.fate == "unknown"
    told = _LOST.at(portal.settings.lang) if lost else f"{outcome.fate}: {outcome.note}"
    if action.message_id:  # the portal handed it over, and is told
        over = {**stored.progress, "sms": SMS_FAILED}
        journal.settle(connection, stored.id, "pending", now, progress=over, error=told)
        return
    progress = {**stored.progress, TOLD: True} if outcome.fate == "unknown" else stored.progress
    journal.settle(connection, stored.id, "failed", now, progress=progress, error=told)
    if not lost:
        _otherwise(connection, now, portal, stored, action)


def _otherwise(connection: Connection, now: datetime, portal: Portal, stored: StoredAction, action: SendSms) -> None:
    """Give the task that follows a message which did not go out."""
    follow = action.otherwise
    if follow is None:
        return
    mark = mark_of(portal, f"after:{stored.key}", 0, follow.kind)
    action_id = journal.add_action(connection, portal.id, stored.run_id, follow.item, mark, follow, "pending", now)
    given_tasks.add(connection, portal.id, action_id, mark, follow, "", None, now)
