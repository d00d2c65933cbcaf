"""Payments that an integrated system confirms: told once, written down, carried out by the portal's lane."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from b24app.core.item import DEAL, ItemRef
from b24app.engine.workshop import Workshop
from b24app.store import audit, queue
from b24app.store.payments import payment, remember_payment
from b24app.store.portals import Portal

TOLERANCE = timedelta(seconds=300)


@dataclass(frozen=True, slots=True)
class Payment:
    """A confirmed payment of a deal; ``payment_id`` is the sender's own number and tells two payments apart."""

    payment_id: str
    deal_id: int
    amount: str
    currency: str = ""
    note: str = ""


class BadSignature(Exception):
    """The message was not signed by whoever holds the portal's payment key, or not about now."""


class OtherPayment(Exception):
    """A payment of this number was told before, with another deal or amount."""


def signature(key: str, timestamp: str, body: bytes) -> str:
    """Sign a message: the HMAC-SHA256 of its time, a dot and its body, in hex."""
    return hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def sender_of(workshop: Workshop, member_id: str, timestamp: str, signed: str, body: bytes) -> Portal:
    """Return the portal whose payment key signed a message; raises `BadSignature` without telling what was wrong.

    An unknown portal, one without a key and a wrong signature all take the same way.
    """
    with workshop.database.read() as connection:
        portal = workshop.portals.by_member(connection, member_id)
    key = portal.secrets.payment_key if portal is not None and portal.state != "removed" else ""
    expected = "sha256=" + signature(key or "no key", timestamp, body)
    genuine = hmac.compare_digest(expected.encode(), signed.encode("utf-8", "replace"))
    if portal is None or not key or not genuine or not _recent(timestamp, workshop.now()):
        raise BadSignature
    return portal


def _recent(timestamp: str, now: datetime) -> bool:
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    return abs(now.timestamp() - int(timestamp)) <= TOLERANCE.total_seconds()


def confirm(workshop: Workshop, portal: Portal, told: Payment) -> bool:
    """Write a payment down and wake the portal; False when it was told before.

    Raises `OtherPayment` where the same number was told with another deal, amount or currency.
    """
    item, now = ItemRef(DEAL, told.deal_id), workshop.now()
    body = asdict(told)
    with workshop.database.write() as connection:
        if not remember_payment(connection, portal.id, told.payment_id, item, body, now):
            before = payment(connection, portal.id, told.payment_id)
            if before is not None and any(before[1].get(name) != body[name] for name in ("deal_id", "amount", "currency")):
                raise OtherPayment(told.payment_id)
            return False
        work = {"payment_id": told.payment_id, "amount": told.amount, "currency": told.currency, "note": told.note}
        key = f"payment:{hashlib.sha256(told.payment_id.encode()).hexdigest()[:40]}"
        queue.add_work(connection, portal.id, item, key, "payment", work, now)
        details = {"payment_id": told.payment_id, "deal": told.deal_id, "amount": told.amount}
        audit.note(connection, portal.id, now, "payments", "payment", told.note, **details)
        workshop.portals.wake(connection, portal.id, now)
    workshop.wake(portal.id)
    return True
