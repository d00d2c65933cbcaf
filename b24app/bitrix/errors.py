"""What can go wrong between the application and a portal. The type says whether repeating helps and when.

Two questions decide what a caller does, and both are answered by the class, never by the text:

- may it be repeated: ``Transient`` yes (after ``retry_after`` seconds when given), everything else no;
- may the work have been done all the same: ``outcome_unknown``. A write with an unknown outcome is looked up on
  the portal before it is sent again.

``stops_portal`` marks what concerns the whole portal and not one command: further requests would fail alike.
Descriptions are made safe (no tokens, clipped) before they get here, see ``answers.clean``.
Codes: api-reference error-codes.md, settings/oauth/error-codes.md, limits.md.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class PortalError(Exception):
    """Anything a portal or its authorization server answered, or failed to answer."""

    outcome_unknown: ClassVar[bool] = False
    stops_portal: ClassVar[bool] = False

    def __init__(self, code: str = "", description: str = "", status: int | None = None, *, method: str = "") -> None:
        super().__init__(code, description, status, method)
        self.code = code
        self.description = description
        self.status = status
        self.method = method

    def __str__(self) -> str:
        where = self.method or "portal"
        status = f"HTTP {self.status} " if self.status is not None else ""
        return f"{type(self).__name__}: {where}: {status}{self.code or '-'}: {self.description}"


class Transient(PortalError):
    """Worth repeating as it is; ``retry_after`` seconds from now when the answer or the budget says so."""

    def __init__(
        self,
        code: str = "",
        description: str = "",
        status: int | None = None,
        *,
        method: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code, description, status, method=method)
        self.retry_after = retry_after


class NotSent(Transient):
    """The command never left: an earlier request of the same set failed, or there was no way to send it."""


class Unreachable(NotSent):
    """No connection to the host came about, so nothing was sent."""

    stops_portal = True


class BudgetExhausted(NotSent):
    """The portal's request budget is spent; come again after ``retry_after`` seconds."""

    stops_portal = True

    def __init__(self, wait: float, *, method: str = "") -> None:
        super().__init__("", f"the request budget is spent for {wait:.2f} s", method=method, retry_after=wait)
        self.wait = wait


class QueryLimit(Transient):
    """503 ``QUERY_LIMIT_EXCEEDED``: too many requests from this address; nothing was done."""

    stops_portal = True


class MethodBlocked(Transient):
    """429 ``OPERATION_TIME_LIMIT``: this method only is blocked, ``until`` the moment given (if given)."""

    def __init__(
        self,
        code: str = "OPERATION_TIME_LIMIT",
        description: str = "",
        status: int | None = None,
        *,
        method: str = "",
        until: datetime | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code, description, status, method=method, retry_after=retry_after)
        self.until = until


class ServerTrouble(Transient):
    """The portal failed or answered nonsense (5xx, HTML, cut JSON); what was asked may have been done."""

    outcome_unknown = True


class LostReply(Transient):
    """The request was sent and no whole answer came; what was asked may have been done."""

    outcome_unknown = True


class DeadlinePassed(Transient):
    """A bulk read did not finish in the time it was given."""


class IncompleteRead(Transient):
    """A bulk read got fewer rows than the portal had counted: the rows changed under it."""


class TokenExpired(Transient):
    """401 ``expired_token``: nothing was done; a renewed token helps."""


class OAuthTrouble(Transient):
    """The authorization server did not give a usable answer; the token may still be renewed later."""

    stops_portal = True


class AuthLost(PortalError):
    """The application's access to this portal is refused for good; a person has to open or install the app."""

    stops_portal = True


class TokenRefused(AuthLost):
    """401 ``NO_AUTH_FOUND`` or ``invalid_token``: the token means nothing to the portal; nothing was done."""


class PortalGone(PortalError):
    """The portal is deleted or its plan no longer includes REST; pause it until a person acts."""

    stops_portal = True


class OverloadBlocked(PortalError):
    """503 ``OVERLOAD_LIMIT``: blocked by hand by the vendor's support."""

    stops_portal = True


class PortalMoved(PortalError):
    """302: the portal answers at another address; nothing was done.

    ``endpoint`` is the new REST address with host and port (``https://new.example:8443/rest/``), a claim to be
    checked (the same ``member_id`` must answer there) before it is stored.
    Page: settings/how-to-call-rest-api/change-domen.md.
    """

    stops_portal = True

    def __init__(self, endpoint: str, status: int | None = None, *, method: str = "") -> None:
        super().__init__("", f"moved to {endpoint}", status, method=method)
        self.endpoint = endpoint


class ForeignHost(PortalError):
    """An address that the settings do not allow to be called; nothing was sent."""


class ForeignOAuthHost(ForeignHost):
    """A ``server_endpoint`` that is none of the allowed authorization servers."""


class Refused(PortalError):
    """A permanent refusal of one command."""


class NotFound(Refused):
    """The item, task, stage or other thing named in the command is not there."""


class AccessDenied(Refused):
    """The user, the scope or the kind of authorization does not allow this command."""


class MethodMissing(Refused):
    """404 ``ERROR_METHOD_NOT_FOUND``: this portal does not have the method."""
