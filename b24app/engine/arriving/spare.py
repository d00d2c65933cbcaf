"""The spare token: a second chain of renewals, for when the answer to a renewal is lost.

A refresh token works once, so a renewal whose answer nobody read ends its chain. Robot calls and opened pages bring pairs
of chains of their own; one of the user in whose name the application works is kept, unused, until it is needed.
Pages: settings/oauth/auto-renewal.md, api-reference/bizproc/bizproc-robot/bizproc-robot-add.md.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.exc import DBAPIError

from b24app.bitrix.sender import Sender
from b24app.engine.workshop import Workshop
from b24app.log import log, mask
from b24app.store.portals import Portal

GOOD_FOR = timedelta(days=30)
"""Age at which a spare token is replaced by a newer one: it dies at 180 days."""
REST = timedelta(minutes=10)
"""How long no spare token is taken after one was used up: tokens that are refused must not be tried again and again."""

_log = log("spare")


def offer(workshop: Workshop, portal: Portal, sender: Sender) -> None:
    """Keep the refresh token a verified sender brought, where one is wanted; a portal that lost its access tries it at once.

    ``sender`` is verified by the caller. Whose token it is, is asked when it is used; nothing is exchanged here.
    """
    refresh = sender.refresh_token
    if not refresh or sender.user_id not in (None, portal.grant.user) or not _wanted(workshop, portal):
        return
    mask.learn(refresh)
    waited = portal.state == "reconnect"
    try:
        with workshop.database.write() as connection:
            workshop.portals.keep_spare(connection, portal.id, refresh, workshop.now())
            if waited:
                workshop.portals.set_state(connection, portal.id, "active")
                workshop.portals.wake(connection, portal.id, workshop.now())
    except DBAPIError as trouble:
        _log.warning("a spare token was not kept", portal=portal.host, error=type(trouble.orig).__name__)
        return
    workshop.inbox.forget(portal.member_id)  # what is remembered of it has no spare token
    if waited:
        workshop.wake(portal.id)


def _wanted(workshop: Workshop, portal: Portal) -> bool:
    """Tell whether a portal lacks a spare token, and none was used up a moment ago."""
    age = None if portal.spare_at is None else workshop.now() - portal.spare_at
    if portal.state == "reconnect":
        return portal.reason == "auth_lost" and (age is None or age > REST)
    if portal.state not in ("installing", "active"):
        return False
    return age is None or age > (GOOD_FOR if portal.spare else REST)
