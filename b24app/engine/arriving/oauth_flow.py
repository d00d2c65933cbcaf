"""Connecting a portal by an authorization code, where the event of an installation was late or never came.

Page: settings/oauth/index.md.
"""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

from itsdangerous import BadSignature, URLSafeSerializer

from b24app.bitrix.errors import ForeignHost
from b24app.engine.arriving.trust import UnknownSender, connect, proved_by_code
from b24app.engine.notes import SET_UP_WANTED, note_down
from b24app.engine.workshop import Workshop
from b24app.store.portals import Portal

LIFE = timedelta(minutes=10)
_CLOUD = re.compile(r"[a-z0-9-]{1,63}\.bitrix24\.[a-z]{2,6}(\.[a-z]{2})?\Z")


def authorize_address(workshop: Workshop, host: str) -> str:
    """Give the address where a portal's administrator confirms the application; raises ``UnknownSender``.

    Only portals of the cloud, those of the settings and known ones: nobody is sent to addresses a stranger chose.
    """
    host = host.strip().lower()
    with workshop.database.read() as connection:
        known = {portal.host: portal.url for portal in workshop.portals.all(connection)}
    allowed = {name.lower() for name in workshop.settings.portals}
    if host not in known and not (allowed & {host, host.partition(":")[0]} if allowed else _CLOUD.match(host)):
        raise UnknownSender(host)
    try:
        address = workshop.addresses.portal(known.get(host, workshop.addresses.of_host(host)) + "/rest/").removesuffix(
            "/rest/"
        )
    except ForeignHost as wrong:
        raise UnknownSender(host) from wrong
    ends = int((workshop.now() + LIFE).timestamp())
    query = {"client_id": workshop.settings.client_id, "state": _signer(workshop).dumps([host, ends])}
    return f"{address}/oauth/authorize/?{urlencode(query)}"


def returned(workshop: Workshop, code: str, state: str) -> Portal:
    """Store the portal whose administrator came back with a code; raises ``UnknownSender`` or ``Unproven``.

    Everything is registered in the background afterwards.
    """
    try:
        host, ends = _signer(workshop).loads(state)
    except BadSignature as wrong:
        raise UnknownSender("state") from wrong
    if ends < workshop.now().timestamp():
        raise UnknownSender(host)
    portal = connect(workshop, None, proved_by_code(workshop, code))
    with workshop.database.write() as connection:
        wanted = "installed" if portal.state == "installing" else "updated"
        note_down(workshop, connection, portal.id, {SET_UP_WANTED: wanted})
    workshop.wake(portal.id)
    return portal


def _signer(workshop: Workshop) -> URLSafeSerializer:
    return URLSafeSerializer([*reversed(workshop.settings.secret_keys)], salt="oauth")
