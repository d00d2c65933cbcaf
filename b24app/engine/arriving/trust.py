"""Whom to believe: proofs of an installation and of a viewer.

A post proves nothing by its fields. An installation is proved by the *official* authorization server, which takes the
posted tokens and names the portal they belong to; a viewer by the stored portal, which names the user of his token. The
address in a post is never called. Pages: settings/oauth/simple-way.md, api-reference/events/safe-event-handlers.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from b24app.bitrix.errors import PortalError, Transient
from b24app.bitrix.oauth import Profile
from b24app.bitrix.sender import Sender
from b24app.core.portal import PortalSettings
from b24app.core.text import Lang
from b24app.engine.access import grant_from
from b24app.engine.notes import SET_UP_WANTED, note_down
from b24app.engine.strangers import Question
from b24app.engine.workshop import Workshop
from b24app.log import log, mask
from b24app.store import audit
from b24app.store.portals import Grant, Portal

_log = log("trust")


class UnknownSender(Exception):
    """Nobody we know sent this, or it was not him."""


class Unproven(UnknownSender):
    """An installation that could not be proved; ``why`` is one of the words below.

    ``not_admin``, ``not_allowed`` (not among the portals of the settings), ``no_tokens``, ``refused`` (by the authorization
    server or the portal), ``wrong_client`` (our own credentials are those of another application), ``other_portal``,
    ``later`` (no answer for now: the same may succeed in a minute).
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def _refused(refusal: PortalError) -> Unproven:
    """Tell whether it was us who were not known. Page: settings/oauth/error-codes.md."""
    return Unproven("wrong_client" if refusal.code in ("wrong_client", "invalid_client") else "refused")


@dataclass(frozen=True, slots=True)
class Proof:
    """Tokens of ours for a portal, named by the authorization server, and whose they are."""

    member_id: str
    grant: Grant
    user: Profile


def inquired(workshop: Workshop) -> Question:
    """Begin to ask others who somebody is; raises ``Unproven`` when strangers have made us do so too often."""
    question = workshop.strangers.ask(workshop.now())
    if question is None:
        raise Unproven("later")
    return question


def proved(workshop: Workshop, sender: Sender) -> Proof:
    """Prove an installation by its tokens, which become ours: the posted refresh token is exchanged and dead afterwards.

    Raises ``Unproven``; an ordinary user's tokens prove nothing, as the application works with an administrator's.
    """
    if not sender.access_token or not sender.refresh_token or not sender.server_endpoint:
        raise Unproven("no_tokens")
    mask.learn(sender.access_token, sender.refresh_token, sender.application_token or "")
    question = inquired(workshop)
    try:
        info = workshop.oauth.app_info(sender.access_token, sender.server_endpoint)
        if info.member_id not in (None, sender.member_id):
            raise Unproven("other_portal")
        pair = workshop.oauth.refresh(sender.refresh_token, sender.server_endpoint)
        if pair.member_id != sender.member_id:
            raise Unproven("other_portal")
        grant = grant_from(workshop, pair)
        user = workshop.oauth.profile(grant.endpoint, grant.access)
    except Transient as trouble:
        _log.warning("an installation could not be proved for now", error=str(trouble))
        raise Unproven("later") from trouble
    except PortalError as refusal:
        _log.warning("an installation was refused", error=str(refusal))
        raise _refused(refusal) from refusal
    question.settled = True
    if not user.admin:
        raise Unproven("not_admin")
    proof = Proof(sender.member_id, replace(grant, user=user.user_id), user)
    _allowed(workshop, proof)
    return proof


def proved_by_code(workshop: Workshop, code: str) -> Proof:
    """Prove an installation by an authorization code; raises ``Unproven``. Page: settings/oauth/index.md."""
    try:
        pair = workshop.oauth.exchange(code)
        grant = grant_from(workshop, pair)
        user = workshop.oauth.profile(grant.endpoint, grant.access)
    except Transient as trouble:
        raise Unproven("later") from trouble
    except PortalError as refusal:
        raise _refused(refusal) from refusal
    if not user.admin:
        raise Unproven("not_admin")
    proof = Proof(pair.member_id, replace(grant, user=user.user_id), user)
    _allowed(workshop, proof)
    return proof


def connect(workshop: Workshop, sender: Sender | None, proof: Proof, lang: Lang | None = None) -> Portal:
    """Store a proved portal, or the new tokens of one that is known; one that was removed begins anew.

    ``lang`` is the language a new portal is spoken to in, where it has told one.
    """
    now = workshop.now()
    token = sender.application_token if sender and sender.application_token else ""
    with workshop.database.write() as connection:
        known = workshop.portals.by_member(connection, proof.member_id)
        if known is None:
            settings = PortalSettings(lang=lang or workshop.settings.lang, zone=workshop.settings.timezone)
            portal_id = workshop.portals.add(connection, proof.member_id, proof.grant, token, settings, now)
        else:
            portal_id = known.id
            workshop.portals.grant(connection, portal_id, proof.grant, now)
            if token:
                workshop.portals.accept_token(connection, portal_id, token)
            if known.state == "removed":
                workshop.portals.set_state(connection, portal_id, "installing")
            elif known.grant.user != proof.grant.user:  # robots are registered with the user whose tokens they send
                note_down(workshop, connection, portal_id, {SET_UP_WANTED: "updated"})
        what = "portal_connected" if known is None else "portal_reconnected"
        who = f"{proof.user.name} {proof.user.last_name}".strip() or f"user {proof.user.user_id}"
        audit.note(connection, portal_id, now, who, what, host=proof.grant.endpoint)
        workshop.portals.wake(connection, portal_id, now)
    workshop.wake(portal_id)
    return workshop.portal(portal_id)


def _allowed(workshop: Workshop, proof: Proof) -> None:
    """Refuse portals that are not among those of the settings, where any are named; a known one stays welcome."""
    wanted = {name.lower() for name in workshop.settings.portals}
    host = proof.grant.endpoint.split("://", 1)[-1].split("/", 1)[0].lower()
    if not wanted or wanted & {proof.member_id.lower(), host, host.partition(":")[0]}:
        return
    raise Unproven("not_allowed")
