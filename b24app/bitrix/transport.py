"""One HTTP request, sent once. Tells what was never sent from what was sent and not answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from b24app.bitrix.errors import LostReply, Unreachable

Timeout = tuple[float, float]  # seconds: to connect, between two reads


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back: status, headers (readable without regard to case) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def new_session(user_agent: str, *, connections: int = 4) -> requests.Session:
    """Open a session that sends every request exactly once and reads no ``.netrc``.

    A session belongs to one thread. The portal wants a telling ``User-Agent`` (name/version).
    """
    session = requests.Session()
    session.headers["User-Agent"] = user_agent
    session.auth = _as_it_is
    adapter = HTTPAdapter(pool_connections=connections, pool_maxsize=connections, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def post(
    session: requests.Session,
    url: str,
    *,
    json: Mapping[str, Any] | None = None,
    form: Mapping[str, str] | None = None,
    timeout: Timeout,
    method: str,
) -> HttpAnswer:
    """POST a body and read the whole answer; redirects are answers and are not followed.

    Raises ``Unreachable`` when no connection came about, and ``LostReply`` for every failure after that, also
    when a kept-alive connection turns out to be closed: the request may have been done.
    """
    try:
        response = session.post(url, json=json, data=form, timeout=timeout, allow_redirects=False)
    except requests.RequestException as error:
        kind = Unreachable if _never_sent(error) else LostReply
        raise kind("", type(error).__name__, method=method) from error
    return HttpAnswer(response.status_code, response.headers, response.content)


def _never_sent(error: requests.RequestException) -> bool:
    """Whether the connection itself failed; a TLS failure counts as sent, it may come in mid-answer."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
