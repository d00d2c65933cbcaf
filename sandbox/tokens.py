"""Tokens of the authorization host: issue, exchange, rotate, expire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.errors import RestError

if TYPE_CHECKING:
    from sandbox.apps import AppCard
    from sandbox.portal import Portal
    from sandbox.world import World

ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=180)
CODE_LIFE = timedelta(seconds=30)
CHAIN_LENGTH = 7


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token stands for."""

    portal: Portal
    app: AppCard
    user_id: int
    expires_at: datetime
    hops: int | None = None


class Tokens:
    """The ledger of access tokens, refresh tokens and authorization codes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.access: dict[str, Grant] = {}
        self.refresh: dict[str, Grant] = {}
        self.codes: dict[str, Grant] = {}

    def issue(self, portal: Portal, app: AppCard, user_id: int, *, hops: int | None = None) -> tuple[str, str]:
        """Give a fresh pair (access, refresh) of a user."""
        now = self._world.now()
        access, refresh = self._world.hex(70), self._world.hex(70)
        self.access[access] = Grant(portal, app, user_id, now + ACCESS_LIFE, hops)
        self.refresh[refresh] = Grant(portal, app, user_id, now + REFRESH_LIFE)
        return access, refresh

    def code(self, portal: Portal, app: AppCard, user_id: int) -> str:
        """Give an authorization code, good for 30 seconds and one use."""
        code = self._world.hex(70)
        self.codes[code] = Grant(portal, app, user_id, self._world.now() + CODE_LIFE)
        return code

    def redeem_code(self, app: AppCard, code: str) -> Grant:
        """Use up an authorization code; raises ``invalid_grant``."""
        return self._redeem(self.codes, app, code)

    def rotate(self, app: AppCard, refresh: str) -> Grant:
        """Use up a refresh token; raises ``invalid_grant``."""
        return self._redeem(self.refresh, app, refresh)

    def _redeem(self, ledger: dict[str, Grant], app: AppCard, token: str) -> Grant:
        grant = ledger.pop(token, None)
        if grant is None or grant.app.client_id != app.client_id or grant.expires_at <= self._world.now():
            raise RestError("invalid_grant", "Invalid or expired grant")
        if not grant.portal.people.active(grant.user_id):
            raise RestError("invalid_grant", "The user is dismissed")
        return grant

    def check(self, portal: Portal, token: str) -> Grant:
        """Find whom an access token stands for; raises the documented 401 codes."""
        grant = self.access.get(token)
        if grant is None or grant.portal is not portal or grant.app not in portal.apps.cards:
            raise RestError("NO_AUTH_FOUND", "Wrong authorization data", 401)
        if grant.expires_at <= self._world.now():
            raise RestError("expired_token", "The access token provided has expired.", 401)
        if not portal.people.active(grant.user_id):
            raise RestError("user_access_error", "The user does not have access to the application.", 403)
        return grant

    def forget(self, app: AppCard) -> None:
        """Kill every token of an app."""
        for ledger in (self.access, self.refresh, self.codes):
            for token in [token for token, grant in ledger.items() if grant.app is app]:
                del ledger[token]

    def expire_access(self) -> None:
        """Make every access token of today an expired one."""
        now = self._world.now()
        for token, grant in self.access.items():
            self.access[token] = Grant(grant.portal, grant.app, grant.user_id, now, grant.hops)
