"""Bulk reads through fast-bitrix24: history from the beginning, backfills. Never writes.

The library is fast at building batches of pages and is used for just that. What it does by itself besides was
measured and is kept away from it:

- it repeats whatever fails, blindly, and drops the error's code: every answer is judged by our own rules inside its
  HTTP session, and what comes out is a ``PortalError``, which the library lets pass without repeating;
- a token function that raises hangs every later call, and a token refused for good is asked for without end: its
  token function only hands over a text, and an expired token ends the read, which is then done again once;
- its limiter neither holds the portal's limit nor understands ``operating``: the portal's own budget is asked
  before each request, and the library's limiter is set beyond reach;
- it is not safe for threads, and loses the order of rows: a read runs in a thread and an event loop of its own,
  one at a time, under a deadline, and rows come back sorted by id.

Page: settings/performance/huge-data.md.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
from fast_bitrix24.bitrix import BitrixAsync
from fast_bitrix24.server_response import ErrorInServerResponseException

from b24app.bitrix.answers import classify, error_text, failure
from b24app.bitrix.commands import Command
from b24app.bitrix.errors import (
    DeadlinePassed,
    IncompleteRead,
    LostReply,
    PortalError,
    ServerTrouble,
    TokenExpired,
    TokenRefused,
    Unreachable,
)
from b24app.bitrix.gate import Budget, Observer, Silent, Tokens
from b24app.bitrix.replies import Reply, as_map, timing

Row = dict[str, Any]
Handler = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]

_OUT_OF_REACH = 10**9  # for the library's own limits
_AT_ONCE = 4  # requests in flight; the budget allows two a second anyway
_GRACE = 5.0  # seconds after the deadline in which the loop may still tidy up

logging.getLogger("fast_bitrix24").setLevel(logging.WARNING)  # below that it logs whole answers


class BulkReader:
    """Reads whole lists of one portal; may be shared by threads, reads one list at a time.

    ``endpoint``, ``tokens``, ``budget`` and ``observer`` are those of the portal's ``Gate``.
    """

    def __init__(
        self,
        endpoint: str,
        tokens: Tokens,
        budget: Budget,
        *,
        user_agent: str,
        observer: Observer | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._tokens = tokens
        self._budget = budget
        self._user_agent = user_agent
        self._observer = observer or Silent()
        self._one_at_a_time = threading.Lock()

    def rows(self, method: str, params: Mapping[str, Any], seconds: float) -> list[Row]:
        """Read every row of a list method, in ascending order of id, each once.

        ``params`` may hold ``filter`` and ``select``, not ``order`` or ``start``. Raises ``DeadlinePassed`` after
        ``seconds``, ``IncompleteRead`` when rows changed meanwhile, or the ``PortalError`` of the first request
        that failed; a read that raised has no partial result and may be repeated.
        """
        command = Command(method, params)
        if {key.lower() for key in params} & {"order", "start"}:
            raise ValueError("a bulk read has its own order and paging")
        ends_at = time.monotonic() + seconds
        if not self._one_at_a_time.acquire(timeout=seconds):
            raise DeadlinePassed("", "another bulk read took the whole time", method=method)
        try:
            token = self._tokens.access()
            try:
                return self._in_thread(command, token, ends_at)
            except (TokenExpired, TokenRefused):
                token = self._tokens.renew(token)
            return self._in_thread(command, token, ends_at)
        finally:
            self._one_at_a_time.release()

    def _in_thread(self, command: Command, token: str, ends_at: float) -> list[Row]:
        """Run one read in a thread of its own, and leave the thread behind if it does not come back."""
        read = _Read(command, token, self._budget, self._observer)
        seconds = max(ends_at - time.monotonic(), 0.0)
        thread = ThreadPoolExecutor(1, thread_name_prefix="bulk-read")
        try:
            work = thread.submit(read.rows, self._endpoint, self._user_agent, seconds)
            return work.result(seconds + _GRACE)
        except TimeoutError as error:
            raise DeadlinePassed("", "not finished in time", method=command.method) from error
        finally:
            thread.shutdown(wait=False)


class _Read:
    """One attempt to read one list."""

    def __init__(self, command: Command, token: str, budget: Budget, observer: Observer) -> None:
        self._command = command
        self._token = token
        self._budget = budget
        self._observer = observer
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._total: int | None = None

    def rows(self, endpoint: str, user_agent: str, seconds: float) -> list[Row]:
        """Read in a new event loop; raises ``TimeoutError`` after so many seconds."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the library's advice to authors of scripts
                rows = asyncio.run(asyncio.wait_for(self._all(endpoint, user_agent), seconds))
        except (aiohttp.ClientError, ErrorInServerResponseException) as error:
            reason = f"the library gave up: {type(error).__name__}"
            raise ServerTrouble("", reason, method=self._command.method) from error
        return self._checked(rows)

    async def _all(self, endpoint: str, user_agent: str) -> Any:
        async with aiohttp.ClientSession(
            middlewares=(self._judged,),
            headers={"User-Agent": user_agent},
            timeout=aiohttp.ClientTimeout(total=65, connect=5),
        ) as session:
            library = BitrixAsync(
                endpoint,
                token_func=self._hand_over_token,
                verbose=False,
                request_pool_size=_OUT_OF_REACH,
                operating_time_limit=_OUT_OF_REACH,
                client=session,
            )
            return await library.get_all(self._command.method, dict(self._command.params))

    async def _hand_over_token(self) -> str:
        return self._token

    async def _judged(self, request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        """Send one request of the library within the budget and let only a good answer through."""
        method = request.url.name
        async with self._slots:
            await self._take_from_budget()
            began = time.monotonic()
            outcome = "ok"
            try:
                response, reply = await self._exchanged(method, request, handler)
                self._note(method, reply)
                return response
            except PortalError as error:
                outcome = type(error).__name__
                raise
            finally:
                self._observer.request(method, 1, outcome, time.monotonic() - began)

    async def _exchanged(
        self, method: str, request: aiohttp.ClientRequest, handler: Handler
    ) -> tuple[aiohttp.ClientResponse, Reply]:
        try:
            response = await handler(request)
            body = await response.read()
        except aiohttp.ClientConnectorError as error:
            raise Unreachable("", type(error).__name__, method=method) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise LostReply("", type(error).__name__, method=method) from error
        reply = classify(method, response.status, body, response.headers, hide=(self._token,))
        if isinstance(reply, PortalError):
            raise reply
        if response.content_type != "application/json":
            raise ServerTrouble("", "the answer is not marked as JSON", response.status, method=method)
        return response, reply

    async def _take_from_budget(self) -> None:
        """Wait for the portal's budget; a bulk read has a thread of its own and may."""
        while (wait := await asyncio.to_thread(self._budget.take)) > 0:
            await asyncio.sleep(wait)

    def _note(self, method: str, reply: Reply) -> None:
        """Raise the first error inside a batch; remember the total and report what the commands took."""
        if method != "batch":
            self._total = reply.total if self._total is None else self._total
            self._observer.command(self._command.method, "ok", reply.time)
            return
        for error in as_map(as_map(reply.result).get("result_error")).values():
            code, description = error_text(error if isinstance(error, dict) else {"error": error}, (self._token,))
            raise failure(self._command.method, 200, code, description)
        for block in as_map(as_map(reply.result).get("result_time")).values():
            self._observer.command(self._command.method, "ok", timing(block))

    def _checked(self, rows: object) -> list[Row]:
        method = self._command.method
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ServerTrouble("", "the answer is no list of rows", method=method)
        if self._total is not None and len(rows) < self._total:
            raise IncompleteRead("", f"{len(rows)} of {self._total} rows", method=method)
        return sorted(rows, key=_id_of)


def _id_of(row: Mapping[str, Any]) -> int:
    """Read a row's id, which is ``id`` or ``ID``, a number or a text; rows without one stay in front."""
    value = str(row.get("id", row.get("ID", "")))
    return int(value) if value.isascii() and value.isdigit() else 0
