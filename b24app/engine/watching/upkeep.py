"""What the clock does beside waking: keep idle access alive, listen for silence, clear away what is old.

Each of it may be done by several clocks at once, or be cut off at any point. Page: settings/oauth/auto-renewal.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError

from b24app.bitrix.errors import PortalError
from b24app.engine.access import StoredTokens
from b24app.engine.arriving.spooled import bring_in
from b24app.engine.watching.alarms import listen
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store.retention import PORTION, clear_inbox, clear_journal

KEEP_ALIVE = timedelta(days=30)
"""Age at which a refresh token nobody used is renewed: it dies at 180 days, and who renews often gets blocked."""
TRY_AGAIN = timedelta(hours=1)
EMPTY = timedelta(minutes=1)
LISTEN = timedelta(minutes=5)
CLEAR = timedelta(days=1)
PORTIONS = 50
"""Portions cleared in one go; what is left then is cleared the next day."""

_log = log("upkeep")


def keep_alive(workshop: Workshop) -> list[int]:
    """Renew the tokens of portals that used none for a month; return the portals whose tokens were renewed.

    A portal in work renews by working. One whose renewal is refused for good waits for its administrator from then on.
    """
    now, renewed = workshop.now(), []
    with workshop.database.read() as connection:
        stored = workshop.portals.all(connection)
    for portal in stored:
        if portal.state not in ("active", "installing") or now - portal.renewed_at < KEEP_ALIVE:
            continue
        try:
            StoredTokens(workshop, portal.id).renew(portal.grant.access)
            renewed.append(portal.id)
        except PortalError as error:
            _log.warning("idle tokens could not be renewed", portal=portal.host, error=str(error))
    return renewed


def clear_away(workshop: Workshop) -> dict[str, int]:
    """Delete handled callbacks and settled journal rows older than the settings keep them; return how many of each."""
    settings, now = workshop.settings, workshop.now()
    cleared: Counter[str] = Counter()
    for _ in range(PORTIONS):
        with workshop.database.write() as connection:
            gone = {
                "inbox": clear_inbox(connection, now - timedelta(days=settings.inbox_days)),
                **clear_journal(connection, now - timedelta(days=settings.retention_days)),
            }
        cleared.update(gone)
        if max(gone.values()) < PORTION:
            break
    if cleared.total():
        _log.info("cleared away", **cleared)
    return dict(cleared)


@dataclass(slots=True)
class Upkeep:
    """Does each of these things when its time has come; to be looked at about once a minute."""

    workshop: Workshop
    _due: dict[str, datetime] = field(default_factory=dict)

    def look(self) -> None:
        """Do what is due; what the database refuses is tried at the next look."""
        chores: tuple[tuple[str, timedelta, Callable[[Workshop], object]], ...] = (
            ("spool", EMPTY, bring_in),
            ("keep_alive", TRY_AGAIN, keep_alive),
            ("listen", LISTEN, listen),
            ("clear_away", CLEAR, clear_away),
        )
        for name, period, chore in chores:
            now = self.workshop.now()
            if now < self._due.get(name, now):
                continue
            try:
                chore(self.workshop)
                self._due[name] = now + period
            except DBAPIError as trouble:
                _log.warning("upkeep was put off", what=name, error=type(trouble.orig).__name__)
