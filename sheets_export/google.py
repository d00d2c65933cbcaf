"""The one place that speaks to Google: gspread's client with our address, our retries and our kinds of errors."""

from __future__ import annotations

import json as jsonlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.service_account import Credentials
from gspread.exceptions import APIError
from gspread.http_client import HTTPClient

from b24app.core.text import T
from sheets_export.incidents import AccessRevoked, BadCredentials, SheetsRefused, SpreadsheetGone, Throttled, Unsure
from sheets_export.reading import JSON

GOOGLE = "https://sheets.googleapis.com"
SCOPES = ("https://www.googleapis.com/auth/spreadsheets",)
TIMEOUT = (10, 120)
"""Seconds to connect, and to wait for an answer; Google itself gives up after 180."""

A_MINUTE = 60
"""Reads, and writes, that Google grants one account in a minute."""
NAMELESS = T("сервисного аккаунта", "the service account")
"""Where no key names the account."""

MINUTE = timedelta(minutes=1)


def connect(
    credentials: str,
    spreadsheet: str,
    *,
    url: str,
    clock: Callable[[], datetime],
    sleep: Callable[[timedelta], None],
) -> GoogleSheets:
    """Open the way to a spreadsheet; an ``url`` names a stand-in, for which no credentials are used.

    ``credentials`` is the service account's key, as JSON or as the path of its file. Raises `BadCredentials`.
    """
    session = requests.Session() if url else authorized(credentials)
    return GoogleSheets(session, spreadsheet, url or GOOGLE, clock, sleep, "" if url else account(credentials))


def authorized(credentials: str) -> requests.Session:
    """Open a session that signs its requests with the service account's key; raises `BadCredentials`."""
    try:
        key = Credentials.from_service_account_info(_key(credentials), scopes=SCOPES)  # type: ignore[no-untyped-call]
    except (ValueError, GoogleAuthError) as error:
        raise BadCredentials(detail=str(error)) from None
    return AuthorizedSession(key)  # type: ignore[no-untyped-call]


def account(credentials: str) -> str:
    """Name the service account the spreadsheet has to be shared with; raises `BadCredentials`."""
    return str(_key(credentials).get("client_email", ""))


def _key(credentials: str) -> Mapping[str, Any]:
    try:
        text = credentials if credentials.lstrip().startswith("{") else Path(credentials).read_text(encoding="utf-8")
        key = jsonlib.loads(text)
    except OSError as error:
        raise BadCredentials(detail=error.strerror or "no file") from None
    except ValueError:
        raise BadCredentials(detail="not JSON") from None
    if not isinstance(key, dict):
        raise BadCredentials(detail="not a JSON object")
    return key


class Pace:
    """Keeps requests of one kind under so many a minute, by waiting before the one too many."""

    def __init__(self, limit: int, clock: Callable[[], datetime], sleep: Callable[[timedelta], None]) -> None:
        self._limit, self._clock, self._sleep = limit, clock, sleep
        self._sent: deque[datetime] = deque(maxlen=limit)

    def take(self) -> None:
        """Wait until one more request is within the limit, and count it."""
        now = self._clock()
        if len(self._sent) == self._limit and now - self._sent[0] < MINUTE:
            self._sleep(self._sent[0] + MINUTE - now)
            now = max(self._clock(), self._sent[0] + MINUTE)
        self._sent.append(now)


class _Line(HTTPClient):
    """gspread's HTTP client, turned to another address where one is given; bodies go as UTF-8, a third the size."""

    def __init__(self, session: requests.Session, origin: str) -> None:
        super().__init__(auth=None, session=session)  # type: ignore[arg-type]
        self._origin = origin.rstrip("/")
        self.set_timeout(TIMEOUT)

    def request(
        self,
        method: str,
        endpoint: str,
        params: Any = None,
        data: bytes | None = None,
        json: Mapping[str, Any] | None = None,
        files: Any = None,
        headers: Any = None,
    ) -> requests.Response:
        if json is not None:
            data = jsonlib.dumps(json, ensure_ascii=False, separators=(",", ":")).encode()
            headers = {**(headers or {}), "Content-Type": "application/json; charset=utf-8"}
        url = endpoint.replace(GOOGLE, self._origin, 1)
        return super().request(method, url, params=params, data=data, files=files, headers=headers)


class GoogleSheets:
    """One spreadsheet, as the exporter wants it; every refusal of Google becomes one of our types."""

    def __init__(
        self,
        session: requests.Session,
        spreadsheet: str,
        origin: str,
        clock: Callable[[], datetime],
        sleep: Callable[[timedelta], None],
        account: str = "",
    ) -> None:
        self._line = _Line(session, origin)
        self._spreadsheet, self._account = spreadsheet, account
        self._reads, self._writes = Pace(A_MINUTE, clock, sleep), Pace(A_MINUTE, clock, sleep)
        self._calls = 0

    @property
    def calls(self) -> int:
        return self._calls

    def read(self, ranges: Sequence[str], fields: str) -> JSON:
        """Read with ``spreadsheets.get``: sheets, and of cells what the field mask names."""
        params: dict[str, Any] = {"fields": fields, "prettyPrint": "false"}
        if ranges:
            params["ranges"] = list(ranges)
        found: JSON = self._ask(self._reads, lambda: self._line.spreadsheets_get(self._spreadsheet, params))
        return found

    def change(self, requests: Sequence[JSON]) -> None:
        """Change with ``spreadsheets.batchUpdate``, which does all or nothing."""
        self._ask(self._writes, lambda: self._line.batch_update(self._spreadsheet, {"requests": list(requests)}))

    def write(self, ranges: Sequence[JSON]) -> None:
        """Write with ``spreadsheets.values.batchUpdate``; RAW, so that no text becomes a formula or a number."""
        body = {"valueInputOption": "RAW", "data": list(ranges)}
        self._ask(self._writes, lambda: self._line.values_batch_update(self._spreadsheet, body))

    def _ask(self, pace: Pace, send: Callable[[], Any]) -> Any:
        pace.take()
        self._calls += 1
        try:
            return send()
        except APIError as refusal:
            raise self._kind(refusal) from refusal
        except RefreshError as error:
            raise AccessRevoked(detail=str(error), account=self._account or NAMELESS) from error
        except (requests.RequestException, GoogleAuthError) as error:
            raise Unsure(type(error).__name__) from error

    def _kind(self, refusal: APIError) -> Exception:
        """Tell what a refusal means; the status alone decides."""
        status, detail = refusal.response.status_code, str(refusal.error.get("message", ""))[:300]
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return AccessRevoked(detail=detail, account=self._account or NAMELESS)
        if status == HTTPStatus.NOT_FOUND:
            return SpreadsheetGone(spreadsheet=self._spreadsheet)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            after = refusal.response.headers.get("Retry-After", "")
            return Throttled(timedelta(seconds=int(after)) if after.isdigit() else None)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
            return Unsure(f"HTTP {status}")
        return SheetsRefused(detail=detail)
