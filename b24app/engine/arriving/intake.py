"""Taking in what portals call: verify the sender, write down, wake. The answer to a callback waits for nothing else.

The portal does not repeat a call that failed, so a database in trouble is tried again for seconds; what it does not take
then is spooled to the disk, and `spooled` brings it in later.
Pages: api-reference/events/index.md, safe-event-handlers.md, bizproc/bizproc-robot/bizproc-robot-add.md.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from prometheus_client import Counter
from sqlalchemy.exc import DBAPIError

from b24app.bitrix import callbacks
from b24app.bitrix.callbacks import RobotCall, SmsRequest
from b24app.bitrix.events import TEST_EVENT, AppInstalled, AppTest, AppUninstalled, AppUpdated, Event, Kind, event_of
from b24app.bitrix.form import Form
from b24app.bitrix.sender import BadCallback, Sender
from b24app.core.item import DEAL, LEAD
from b24app.engine.arriving import spare
from b24app.engine.arriving.trust import UnknownSender, Unproven, connect, proved
from b24app.engine.notes import ROUND_TRIP, SET_UP_WANTED, note_down
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import audit
from b24app.store.portals import Portal
from b24app.store.spool import CallbackKind, Full

Sleep = Callable[[float], None]
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 1.8)  # seconds; about five in all
PATIENCE = 5.0
"""Seconds after which a database that answers late (locked by somebody else, overloaded) is tried for the last time."""

_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_UNPROVABLE = "0" * 32  # compared with where no portal is stored, so that both take the same time
_BRING_A_TOKEN = frozenset({"ONAPPINSTALL", "ONAPPUPDATE"})
_ITEM_KINDS: Mapping[int, str] = {LEAD: "lead", DEAL: "deal", 3: "contact", 4: "company", 7: "quote"}
_KEPT = frozenset({Kind.ITEM, Kind.TASK, Kind.TASK_COMMENT, Kind.USER})

SPOOLED = Counter("b24app_spooled", "Callbacks the database did not take, kept on the disk")

_log = log("intake")
_R = TypeVar("_R")


class NotStored(Exception):
    """The database did not take a callback for seconds, and it could not be spooled; nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A callback that was written down; ``new`` is False for one that had come before or means nothing to us."""

    portal_id: int
    kind: str
    new: bool


def accept_event(workshop: Workshop, body: bytes, *, sleep: Sleep = time.sleep) -> Accepted:
    """Take in an event; raises ``BadCallback``, ``UnknownSender``, ``Unproven`` or ``NotStored``."""
    return _or_spool(workshop, "event", "", body, sleep)


def accept_robot(workshop: Workshop, code: str, body: bytes, *, sleep: Sleep = time.sleep) -> Accepted:
    """Take in a robot call once, by its event token; raises as `accept_event`."""
    return _or_spool(workshop, "robot", code, body, sleep)


def accept_sms(workshop: Workshop, body: bytes, *, sleep: Sleep = time.sleep) -> Accepted:
    """Take in a text the portal asks to send, once by its message id; raises as `accept_event`."""
    return _or_spool(workshop, "sms", "", body, sleep)


def take_in(workshop: Workshop, kind: CallbackKind, code: str, body: bytes, *, sleep: Sleep | None) -> Accepted:
    """Take in a callback without spooling it, trying once where there is no ``sleep``; raises as `accept_event`."""
    match kind:
        case "event":
            return _event(workshop, body, sleep)
        case "robot":
            return _robot(workshop, code, body, sleep)
        case "sms":
            return _sms(workshop, body, sleep)


def _event(workshop: Workshop, body: bytes, sleep: Sleep | None) -> Accepted:
    sender, form = callbacks.peek(body)
    portal = _persist(lambda: _portal_of(workshop, sender), sleep)
    known = portal is not None and carries(portal, sender)
    if _proves_itself(_name(form), portal) and not (portal and known and portal.state in ("installing", "active")):
        return _connected(workshop, sender, form, sleep)
    if portal is None or not known:
        raise UnknownSender(sender.member_id)
    event = event_of(sender, form)
    match event:
        case Event():
            return _persist(lambda: _business(workshop, portal, event), sleep)
        case AppUninstalled():
            return _persist(lambda: _uninstalled(workshop, portal, event), sleep)
        case AppTest():
            accepted = _persist(lambda: _tested(workshop, portal, event), sleep)
        case AppInstalled() | AppUpdated():
            accepted = _persist(lambda: _set_up_wanted(workshop, portal, event), sleep)
    spare.offer(workshop, portal, sender)
    return accepted


def _robot(workshop: Workshop, code: str, body: bytes, sleep: Sleep | None) -> Accepted:
    if not _CODE.match(code):
        raise BadCallback("code")
    sender, form = callbacks.peek(body)
    portal = _verified(workshop, sender, sleep)
    call = callbacks.robot_call_of(code, sender, form)
    key = "robot:" + hashlib.sha256(call.event_token.encode()).hexdigest()[:40]
    accepted = _persist(lambda: _store(workshop, portal, "robot", _robot_body(call), key), sleep)
    spare.offer(workshop, portal, sender)
    return accepted


def _sms(workshop: Workshop, body: bytes, sleep: Sleep | None) -> Accepted:
    sender, form = callbacks.peek(body)
    portal = _verified(workshop, sender, sleep)
    sms = callbacks.sms_request_of(sender, form)
    key = "sms:" + hashlib.sha256(sms.message_id.encode()).hexdigest()[:40]
    return _persist(lambda: _store(workshop, portal, "sms", _sms_body(sms), key), sleep)


def _or_spool(workshop: Workshop, kind: CallbackKind, code: str, body: bytes, sleep: Sleep) -> Accepted:
    """Take a callback in, or keep it on the disk: only of senders this process has known by their token before.

    While something lies there the database is tried once only: whoever calls next must not wait for it, too.
    """
    try:
        return take_in(workshop, kind, code, body, sleep=None if workshop.spool.in_use else sleep)
    except NotStored as trouble:
        sender, _ = callbacks.peek(body)
        portal = workshop.inbox.ever_known(sender.member_id)
        if portal is None or not carries(portal, sender):
            raise
        try:
            workshop.spool.keep(kind, code, body)
        except Full as full:
            _log.error("a callback is lost: neither database nor disk took it", kind=kind, error=str(full))
            raise trouble from full
        SPOOLED.inc()
        _log.error("the database did not take a callback: it is kept on the disk", kind=kind, portal=portal.host)
        return Accepted(portal.id, kind, new=True)


def carries(portal: Portal, sender: Sender) -> bool:
    """Tell in constant time whether a sender has one of the portal's application tokens."""
    found = False
    given = (sender.application_token or "").encode()
    for token in portal.application_tokens:
        found |= hmac.compare_digest(given, token.encode())
    return found and bool(given)


# Verifying -------------------------------------------------------------------------------------------------------------


def _portal_of(workshop: Workshop, sender: Sender) -> Portal | None:
    """Find the portal a sender names; one whose token fitted a moment ago is not read again."""
    known = workshop.inbox.known(sender.member_id)
    if known is not None and carries(known, sender):
        return known
    with workshop.database.read() as connection:
        portal = workshop.portals.by_member(connection, sender.member_id)
    if portal is None:
        hmac.compare_digest((sender.application_token or "").encode(), _UNPROVABLE.encode())
    elif portal.works:
        workshop.inbox.learn(portal)
    return portal


def _verified(workshop: Workshop, sender: Sender, sleep: Sleep | None) -> Portal:
    portal = _persist(lambda: _portal_of(workshop, sender), sleep)
    if portal is None or not carries(portal, sender):
        raise UnknownSender(sender.member_id)
    return portal


def _proves_itself(name: str, portal: Portal | None) -> bool:
    """Tell whether an event may bring an application token we do not have, with an administrator's tokens as its proof.

    The test event does so where a portal was connected by an authorization code, which comes without such a token.
    """
    return name in _BRING_A_TOKEN or (name == TEST_EVENT and portal is not None and not portal.application_tokens)


def _name(form: Form) -> str:
    name = form.get("event")
    return name.upper() if isinstance(name, str) else ""


# Writing down ----------------------------------------------------------------------------------------------------------


def _persist(write: Callable[[], _R], sleep: Sleep | None) -> _R:
    """Try a piece of database work again while the database is in trouble; raises ``NotStored`` after seconds."""
    gives_up = time.monotonic() + PATIENCE
    for pause in PAUSES:
        try:
            return write()
        except DBAPIError as trouble:
            if sleep is None or time.monotonic() > gives_up:
                raise NotStored(str(trouble.orig)) from trouble
            _log.warning("the database is in trouble", error=type(trouble.orig).__name__, retry_in=pause)
            sleep(pause)
    try:
        return write()
    except DBAPIError as trouble:
        raise NotStored(str(trouble.orig)) from trouble


def _store(workshop: Workshop, portal: Portal, kind: str, body: Mapping[str, Any], key: str | None = None) -> Accepted:
    new, slept = workshop.inbox.put(portal.id, kind, body, workshop.now(), key)
    if slept:
        workshop.wake(portal.id)
    return Accepted(portal.id, kind, new)


def _business(workshop: Workshop, portal: Portal, event: Event) -> Accepted:
    if event.kind not in _KEPT:
        return Accepted(portal.id, "ignored", new=False)
    kind = _ITEM_KINDS.get(event.entity_type_id or 0, "dynamic") if event.kind is Kind.ITEM else event.kind.value
    body = {
        "kind": kind,
        "change": event.change.value,
        "id": event.element_id,
        "entity_type_id": event.entity_type_id,
        "task_id": event.task_id,
        "user_id": event.sender.user_id,
        "ts": int(event.sent_at.timestamp()) if event.sent_at else None,
    }
    return _store(workshop, portal, "event", body)


def _robot_body(call: RobotCall) -> dict[str, Any]:
    return {
        "code": call.code,
        "entity_type_id": call.entity_type_id,
        "id": call.item_id,
        "document_id": list(call.document_id),
        "workflow_id": call.workflow_id,
        "event_token": call.event_token,
        "properties": dict(call.properties),
        "use_subscription": call.use_subscription,
        "timeout": call.timeout,
        "ts": int(call.sent_at.timestamp()) if call.sent_at else None,
    }


def _sms_body(sms: SmsRequest) -> dict[str, Any]:
    return {
        "code": sms.code,
        "message_id": sms.message_id,
        "to": sms.to,
        "text": sms.text,
        "module": sms.module,
        "bindings": [dict(row) for row in sms.bindings],
        "item": [sms.document.entity_type_id, sms.document.item_id] if sms.document else None,
        "ts": int(sms.sent_at.timestamp()) if sms.sent_at else None,
    }


# What happens to the application itself ----------------------------------------------------------------------------------


def _connected(workshop: Workshop, sender: Sender, form: Form, sleep: Sleep | None) -> Accepted:
    """Believe an event whose application token is new, once the authorization server vouches for it."""
    proof = proved(workshop, sender)
    event = event_of(sender, form)
    if not isinstance(event, AppInstalled | AppUpdated | AppTest):
        raise BadCallback("event")
    portal = _persist(lambda: connect(workshop, sender, proof), sleep)
    if isinstance(event, AppTest):
        return _persist(lambda: _tested(workshop, portal, event), sleep)
    return _persist(lambda: _set_up_wanted(workshop, portal, event), sleep)


def _set_up_wanted(workshop: Workshop, portal: Portal, event: AppInstalled | AppUpdated) -> Accepted:
    """Have everything registered again: the portal has dropped it."""
    now = workshop.now()
    what = "installed" if isinstance(event, AppInstalled) else "updated"
    with workshop.database.write() as connection:
        if event.sender.application_token:
            workshop.portals.accept_token(connection, portal.id, event.sender.application_token)
        note_down(workshop, connection, portal.id, {SET_UP_WANTED: what})
        audit.note(connection, portal.id, now, "portal", f"app_{what}", version=event.version)
        workshop.portals.wake(connection, portal.id, now)
    workshop.wake(portal.id)
    return Accepted(portal.id, f"app_{what}", new=True)


def _uninstalled(workshop: Workshop, portal: Portal, event: AppUninstalled) -> Accepted:
    """Stop working for a portal; what is known of it is kept for the case that it comes back."""
    workshop.inbox.forget(portal.member_id)
    with workshop.database.write() as connection:
        workshop.portals.set_state(connection, portal.id, "removed", "uninstalled")
        workshop.portals.set_registered(connection, portal.id, {})
        audit.note(connection, portal.id, workshop.now(), "portal", "app_uninstalled", clean=event.clean)
    return Accepted(portal.id, "app_uninstalled", new=True)


def _tested(workshop: Workshop, portal: Portal, event: AppTest) -> Accepted:
    now = workshop.now()
    took = (now - event.sent_at).total_seconds() if event.sent_at else None
    with workshop.database.write() as connection:
        note_down(workshop, connection, portal.id, {ROUND_TRIP: {"at": now.isoformat(), "seconds": took}})
    return Accepted(portal.id, "app_tested", new=True)


__all__ = [
    "Accepted",
    "BadCallback",
    "NotStored",
    "UnknownSender",
    "Unproven",
    "accept_event",
    "accept_robot",
    "accept_sms",
    "carries",
    "take_in",
]
