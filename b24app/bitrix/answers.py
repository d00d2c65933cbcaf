"""From the bytes of an HTTP answer to a ``Reply`` or an error type. Pure.

The rule of classification: an answer is an error if it has a key ``error`` or a status from 400 on, whatever the
other one says. Codes may be empty, numbers or sentences. Pages: error-codes.md, limits.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from b24app.bitrix import errors
from b24app.bitrix.errors import PortalError
from b24app.bitrix.replies import Reply, Timing, count, timing

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_DESCRIPTION = 500
_SECRET_PAIR = re.compile(
    r"(\b(?:access_token|refresh_token|client_secret|application_token|auth)(?:\"?\s*[:=]\s*\"?|%3D))"
    r"[^\s&\"'<>,;]+",
    re.IGNORECASE,
)

_BY_CODE: dict[str, type[PortalError]] = {
    "OVERLOAD_LIMIT": errors.OverloadBlocked,
    "EXPIRED_TOKEN": errors.TokenExpired,
    "NO_AUTH_FOUND": errors.TokenRefused,
    "INVALID_TOKEN": errors.TokenRefused,
    "APPLICATION_NOT_FOUND": errors.AuthLost,
    "AUTHORIZATION_ERROR": errors.AuthLost,
    "NOT_INSTALLED": errors.AuthLost,
    "PAYMENT_REQUIRED": errors.PortalGone,
    "PORTAL_DELETED": errors.PortalGone,
    "CONNECTION_ERROR": errors.Transient,
    "INTERNAL_SERVER_ERROR": errors.ServerTrouble,
    "ERROR_UNEXPECTED_ANSWER": errors.ServerTrouble,
    "ERROR_METHOD_NOT_FOUND": errors.MethodMissing,
    "ERROR_MANIFEST_IS_NOT_AVAILABLE": errors.MethodMissing,
    "ACCESS_DENIED": errors.AccessDenied,
    "ACCESS DENIED": errors.AccessDenied,
    "ACCESS_ERROR": errors.AccessDenied,
    "ACCESSEXCEPTION": errors.AccessDenied,
    "INSUFFICIENT_SCOPE": errors.AccessDenied,
    "USER_ACCESS_ERROR": errors.AccessDenied,
    "WRONG_AUTH_TYPE": errors.AccessDenied,
    "METHOD_CONFIRM_DENIED": errors.AccessDenied,
    "ALLOWED_ONLY_INTRANET_USER": errors.AccessDenied,
    "NOT FOUND": errors.NotFound,
    "ENTITY_TYPE_NOT_SUPPORTED": errors.NotFound,
}


UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What reading an answer raises that has another shape than its page promises."""


def nonsense(error: Exception, method: str = "") -> PortalError:
    """Say that an answer could not be read: what was asked may have been done, and may be asked again."""
    told = f"an answer of another shape than documented: {type(error).__name__}: {error}"
    return errors.ServerTrouble("", clean(told), 200, method=method)


def good(reply: Reply | PortalError) -> Reply:
    """Return an answer; raises the error that came in its place."""
    if isinstance(reply, PortalError):
        raise reply
    return reply


def heed(replies: Iterable[Reply | PortalError]) -> None:
    """Raise what concerns the whole portal: access is lost, or it wants patience before anything was done."""
    for reply in replies:
        if isinstance(reply, errors.AuthLost | errors.PortalGone) or (
            isinstance(reply, errors.Transient) and not reply.outcome_unknown and reply.stops_portal
        ):
            raise reply


def classify(
    method: str, status: int, body: bytes, headers: Mapping[str, str], *, hide: Collection[str] = ()
) -> Reply | PortalError:
    """Tell an answer from a failure; ``hide`` lists secrets that may not show up in a description.

    ``headers`` must be readable without regard to case. Never raises.
    """
    if status in _REDIRECTS:
        return _moved(method, status, headers.get("Location", ""))
    retry_after = _retry_after(headers.get("Retry-After", ""))
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return _no_json(method, status, retry_after)
    if not isinstance(answer, dict):
        return _no_json(method, status, retry_after)
    if answer.get("error") is not None or status >= 400:
        code, description = error_text(answer, hide)
        time = timing(answer.get("time"))
        return failure(method, status, code, description, retry_after=retry_after, time=time)
    if "result" not in answer:
        return errors.ServerTrouble("", "the answer has no result", status, method=method)
    return Reply(answer["result"], count(answer.get("total")), count(answer.get("next")), timing(answer.get("time")))


def error_text(answer: Mapping[str, Any], hide: Collection[str] = ()) -> tuple[str, str]:
    """Take code and description out of an error answer, as v2 (texts) or v3 (an object) write them."""
    error = answer.get("error")
    if isinstance(error, dict):
        code, description = error.get("code"), error.get("message")
    else:
        code, description = error, answer.get("error_description")
    return clean(_plain(code), hide), clean(_plain(description), hide)


def clean(text: str, hide: Collection[str] = ()) -> str:
    """Make a portal's text fit for logs: known secrets and whatever looks like one masked, length clipped."""
    for secret in hide:
        if secret:
            text = text.replace(secret, "***")
    return _SECRET_PAIR.sub(r"\1***", text)[:_LONGEST_DESCRIPTION]


def failure(
    method: str,
    status: int,
    code: str,
    description: str,
    *,
    retry_after: float | None = None,
    time: Timing | None = None,
) -> PortalError:
    """Choose the error type for a code; a command inside a batch has the batch's own status, 200."""
    known = code.upper()
    if known == "OPERATION_TIME_LIMIT":
        until = time.operating_reset_at if time else None
        return errors.MethodBlocked(code, description, status, method=method, until=until, retry_after=retry_after)
    if known == "QUERY_LIMIT_EXCEEDED" or (status == 429 and known not in _BY_CODE):
        return errors.QueryLimit(code, description, status, method=method, retry_after=retry_after)
    kind = _kind(known, status, description)
    if issubclass(kind, errors.Transient):
        return kind(code, description, status, method=method, retry_after=retry_after)
    return kind(code, description, status, method=method)


def _kind(code: str, status: int, description: str) -> type[PortalError]:
    if code == "ACCESS_DENIED" and "commercial plan" in description.lower():
        return errors.PortalGone  # the one refusal that has no code of its own
    if code == "INVALID_CREDENTIALS":
        # 401 is a bad token, 403 a lack of rights: documentation and platform use the code for both
        return errors.TokenRefused if status == 401 else errors.AccessDenied
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status >= 500:
        return errors.ServerTrouble
    if code.endswith(("NOT_FOUND", "ENTITYNOTFOUNDEXCEPTION")):
        return errors.NotFound
    if status == 404:
        return errors.NotFound
    if status in (401, 403) or code.endswith(("ACCESSDENIEDEXCEPTION", "INSUFFICIENTSCOPEEXCEPTION")):
        return errors.AccessDenied
    return errors.Refused


def _no_json(method: str, status: int, retry_after: float | None) -> PortalError:
    """Judge an answer that is no JSON object: a proxy's page, or an answer cut short."""
    if status in (413, 414):
        return errors.Refused("", "the request is too large", status, method=method)
    if status == 429:
        return errors.QueryLimit("", "too many requests", status, method=method, retry_after=retry_after)
    return errors.ServerTrouble("", "the answer is no JSON object", status, method=method, retry_after=retry_after)


def _moved(method: str, status: int, location: str) -> PortalError:
    try:
        parts = urlsplit(location)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.scheme not in ("http", "https"):
        return errors.ServerTrouble("", "redirected to nowhere", status, method=method)
    shown = f"[{host}]" if ":" in host else host
    address = f"{shown}:{port}" if port else shown
    return errors.PortalMoved(f"{parts.scheme}://{address}/rest/", status, method=method)


def _retry_after(value: str) -> float | None:
    return float(value) if value.isascii() and value.isdigit() and len(value) < 8 else None


def _plain(value: object) -> str:
    return "" if value is None else str(value)
