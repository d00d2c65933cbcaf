"""Access to a portal: whose tokens, within which budget, at which address.

A refresh token works once: who renews takes a lease first, the others wait and read what he stored, and the new pair is
stored before anybody uses it. Pages: settings/oauth/auto-renewal.md, settings/how-to-call-rest-api/change-domen.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from b24app.bitrix.budget import Priority, believable, bucket_of
from b24app.bitrix.budget import grant as grant_hits
from b24app.bitrix.errors import AuthLost, ForeignHost, ForeignOAuthHost, OAuthTrouble, PortalError, PortalGone
from b24app.bitrix.gate import Gate, Observer
from b24app.bitrix.oauth import TokenPair
from b24app.bitrix.replies import Timing
from b24app.bitrix.tempo import Tempo
from b24app.core.text import T
from b24app.engine.pulse import Pulse
from b24app.engine.restored import note_refused
from b24app.engine.workshop import Workshop
from b24app.log import log, mask
from b24app.store import audit
from b24app.store.leases import keep_lease, leave_lease, take_lease
from b24app.store.portals import Grant, Portal

FRESH = timedelta(minutes=5)  # a token that ends sooner is renewed before it is used
LEASE = timedelta(seconds=10)  # a holder that died is waited for no longer; a living one renews it
POLL = 0.1  # seconds between two looks at what another is renewing
POLLS = 300

REASONS: Mapping[str, T] = {
    "auth_lost": T(
        "Доступ к порталу потерян: администратору нужно открыть приложение на портале",
        "Access to the portal is lost: an administrator has to open the application on the portal",
    ),
    "portal_gone": T(
        "Портал не отвечает приложениям: удалён или его тариф больше не включает REST",
        "The portal does not serve applications: it is deleted or its plan no longer includes REST",
    ),
    "uninstalled": T("Приложение удалено с портала", "The application was removed from the portal"),
}
"""What the codes in ``Portal.reason`` mean, for people."""

_log = log("access")


class StoredTokens:
    """The tokens of a portal as stored; renews them when they are about to end."""

    def __init__(self, workshop: Workshop, portal_id: int, sleep: Callable[[float], None] = time.sleep) -> None:
        self._workshop = workshop
        self._portal_id = portal_id
        self._sleep = sleep

    def access(self) -> str:
        """Give a token that is good for the next minutes; raise ``AuthLost`` where only a person can help."""
        portal = self._workshop.portal(self._portal_id)
        _refuse_dead(portal)
        mask.learn(portal.grant.access, portal.grant.refresh)  # this process may have been started after they were stored
        left = portal.grant.expires - self._workshop.now()
        if left > FRESH:
            return portal.grant.access
        try:
            return self.renew(portal.grant.access)
        except OAuthTrouble:
            if left <= timedelta():
                raise
            return portal.grant.access

    def renew(self, stale: str) -> str:
        """Give a token other than ``stale``: renew it, or wait for whoever is renewing it already."""
        for _ in range(POLLS):
            portal = self._workshop.portal(self._portal_id)
            _refuse_dead(portal)
            if portal.grant.access != stale:
                return portal.grant.access
            with leased(self._workshop, self._portal_id, "tokens") as mine:
                if mine:
                    return self._renewed(stale)
            self._sleep(POLL)
        raise OAuthTrouble("", "somebody else has been renewing the token for too long", retry_after=POLL * POLLS)

    def _renewed(self, stale: str) -> str:
        portal = self._workshop.portal(self._portal_id)
        if portal.grant.access != stale:  # stored between the look and the lease
            return portal.grant.access
        try:
            grant = self._exchanged(portal, portal.grant.refresh)
        except PortalGone as error:
            lost(self._workshop, portal, error)
            raise
        except AuthLost as error:
            return self._regained(portal, error)
        with self._workshop.database.write() as connection:
            self._workshop.portals.renewed(connection, portal.id, stale, grant, self._workshop.now())
        return grant.access

    def _exchanged(self, portal: Portal, refresh: str) -> Grant:
        pair = self._workshop.oauth.refresh(refresh, portal.grant.oauth_endpoint)
        if pair.member_id != portal.member_id:
            raise AuthLost("", "the authorization server answered for another portal", method="oauth/token")
        return grant_from(self._workshop, pair, portal.grant)

    def _regained(self, portal: Portal, refusal: AuthLost) -> str:
        """Use the spare token, as the answer to an earlier renewal may have been lost; raises ``AuthLost`` without one.

        It works once, too: from here on another one is waited for.
        """
        portals, now = self._workshop.portals, self._workshop.now()
        try:
            if not portal.spare:
                raise refusal
            grant = self._exchanged(portal, portal.spare)
            if grant.user != portal.grant.user:
                raise AuthLost("", "the spare token is somebody else's", method="oauth/token")
        except (AuthLost, PortalGone) as error:
            with self._workshop.database.write() as connection:
                portals.keep_spare(connection, portal.id, "", now)
            lost(self._workshop, portal, error)
            raise
        with self._workshop.database.write() as connection:
            if portals.renewed(connection, portal.id, portal.grant.access, grant, now):
                portals.keep_spare(connection, portal.id, "", now)
                audit.note(connection, portal.id, now, "application", "access_regained", code=refusal.code)
                note_refused(self._workshop, connection, portal.id)
        _log.warning("a renewal was refused, the spare token was taken", portal=portal.host, code=refusal.code)
        return grant.access


class StoredBudget:
    """The request budget of a portal: one number in its row, shared by every process."""

    def __init__(self, workshop: Workshop, portal_id: int, priority: Priority = Priority.ANSWER) -> None:
        self._workshop = workshop
        self._portal_id = portal_id
        self._priority = priority

    def take(self, hits: int = 1) -> float:
        """Take so many requests and give 0, or take none and give the seconds after which to ask again."""
        portals = self._workshop.portals
        with self._workshop.database.write() as connection:
            spent, licence = portals.spend(connection, self._portal_id)
            bucket = bucket_of(licence)
            room, now = bucket.room(self._priority), self._workshop.pace().timestamp()
            stored = believable(spent / 1e6, now, bucket.rate, bucket.burst)
            filled, wait = grant_hits(stored, now, bucket.rate, room, hits)
            if filled != spent / 1e6:
                portals.set_spent(connection, self._portal_id, round(filled * 1e6))
        return wait

    def fill(self) -> None:
        """Take the bucket for full: the portal has said so, and all processes are to heed it."""
        portals = self._workshop.portals
        with self._workshop.database.write() as connection:
            _, licence = portals.spend(connection, self._portal_id)
            bucket = bucket_of(licence)
            full = self._workshop.pace().timestamp() + bucket.burst / bucket.rate
            portals.set_spent(connection, self._portal_id, round(full * 1e6))


class Attentive:
    """An observer that passes on what it sees, and notes the portal's tempo."""

    def __init__(self, observer: Observer, tempo: Tempo) -> None:
        self._observer = observer
        self._tempo = tempo

    def request(self, method: str, commands: int, outcome: str, seconds: float) -> None:
        self._observer.request(method, commands, outcome, seconds)

    def command(self, method: str, outcome: str, time: Timing) -> None:
        self._observer.command(method, outcome, time)
        if outcome == "ok":
            self._tempo.note(method, time)


def gate_of(
    workshop: Workshop,
    portal: Portal,
    priority: Priority = Priority.ANSWER,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Gate:
    """Open a gate to a portal at the address stored for it; it belongs to one thread."""
    return Gate(
        workshop.session(),
        portal.grant.endpoint,
        StoredTokens(workshop, portal.id, sleep),
        StoredBudget(workshop, portal.id, priority),
        observer=Attentive(workshop.observer, workshop.tempo(portal.id)),
        sleep=sleep,
    )


def lost(workshop: Workshop, portal: Portal, error: AuthLost | PortalGone) -> None:
    """Note that a portal refuses us for good, unless somebody reconnected it meanwhile; its work waits."""
    reason = "portal_gone" if isinstance(error, PortalGone) else "auth_lost"
    with workshop.database.write() as connection:
        stored = workshop.portals.by_id(connection, portal.id)
        if stored is None or stored.grant.access != portal.grant.access or stored.state == "removed":
            return
        workshop.portals.set_state(connection, portal.id, "reconnect", reason)
        if reason == "auth_lost":
            note_refused(workshop, connection, portal.id)
    _log.warning("portal lost", portal=portal.host, reason=reason, code=error.code)


def moved(workshop: Workshop, portal: Portal, endpoint: str) -> Portal:
    """Store the address a portal has moved to and return the portal anew.

    Nothing is sent to the new address before the authorization server has named it for this portal. Raises ``ForeignHost``
    when it names another one, and any ``PortalError`` of the questions asked.
    """
    address = workshop.addresses.portal(endpoint)
    tokens = StoredTokens(workshop, portal.id)
    access = tokens.access()
    info = workshop.oauth.app_info(access, portal.grant.oauth_endpoint)
    if info.member_id == portal.member_id and info.client_endpoint:
        named = workshop.addresses.portal(info.client_endpoint)
    else:  # the shape of the answer that names no portal: a renewed pair does
        access = tokens.renew(access)
        named = workshop.portal(portal.id).grant.endpoint
    if named != address:
        raise ForeignHost("", "the authorization server knows the portal at another address")
    workshop.oauth.profile(address, access)
    with workshop.database.write() as connection:
        workshop.portals.set_endpoint(connection, portal.id, address)
        audit.note(
            connection, portal.id, workshop.now(), "application", "portal_moved", before=portal.grant.endpoint, now=address
        )
    _log.info("portal moved", portal=portal.host, to=address)
    return workshop.portal(portal.id)


def grant_from(workshop: Workshop, pair: TokenPair, old: Grant | None = None) -> Grant:
    """Make what is stored of a pair of tokens; its secrets are masked in the log from here on.

    Raises ``ForeignHost`` for a portal address that is not acceptable.
    """
    mask.learn(pair.access, pair.refresh)
    try:
        workshop.addresses.oauth_server(pair.server_endpoint)
        oauth_endpoint = pair.server_endpoint
    except ForeignOAuthHost:
        oauth_endpoint = old.oauth_endpoint if old else workshop.addresses.first_oauth_server()
    granted = Grant(
        access=pair.access,
        refresh=pair.refresh,
        expires=pair.expires_at,
        user=pair.user_id or 0,
        endpoint=workshop.addresses.portal(pair.client_endpoint),
        oauth_endpoint=oauth_endpoint,
        scope=",".join(pair.scope),
    )
    if old is None:
        return granted
    return replace(granted, user=granted.user or old.user, scope=granted.scope or old.scope)


@contextmanager
def leased(workshop: Workshop, portal_id: int, name: str, lease: timedelta = LEASE) -> Iterator[bool]:
    """Hold a lease while something is done, however long it takes; gives whether it was free."""
    with workshop.database.write() as connection:
        held = take_lease(connection, portal_id, name, workshop.now(), lease)
    if held is None:
        yield False
        return
    until = held

    def keep() -> bool:
        nonlocal until
        with workshop.database.write() as connection:
            kept = keep_lease(connection, portal_id, name, until, workshop.now(), lease)
        until = kept or until
        return kept is not None

    pulse = Pulse(keep, lease.total_seconds() / 3)
    try:
        yield True
    finally:
        pulse.stop()
        with workshop.database.write() as connection:
            leave_lease(connection, portal_id, name, until)


def reason_of(portal: Portal) -> T:
    """Say why a portal does not work, for people."""
    return REASONS.get(portal.reason) or T.same(portal.reason)


def _refuse_dead(portal: Portal) -> None:
    """Ask nobody for a portal that only a person can bring back: its refresh token is used up or worthless."""
    if portal.state in ("reconnect", "removed"):
        kind: type[PortalError] = PortalGone if portal.reason == "portal_gone" else AuthLost
        raise kind("", f"the portal waits for its administrator: {portal.reason}")
