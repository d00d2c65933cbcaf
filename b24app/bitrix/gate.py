"""The only way out to one portal: one attempt per command, within the portal's budget, with a fresh token.

What the gate repeats by itself is only what the portal refused to begin because the token had expired. All else
goes back to the caller as a type: only the caller knows whether a command may be repeated and how to look first.
Pages: settings/how-to-call-rest-api/general-principles.md, batch.md, change-domen.md, limits.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import requests

from b24app.bitrix.answers import classify
from b24app.bitrix.commands import BATCH_LIMIT, Command, batch_body, split_batch_reply
from b24app.bitrix.errors import BudgetExhausted, NotSent, PortalError, QueryLimit, TokenExpired, TokenRefused
from b24app.bitrix.replies import Reply, Timing
from b24app.bitrix.transport import Timeout, post

PATIENCE = 0.25  # seconds worth waiting in place for the budget; anything longer goes back to the caller
STAYING = 2.0  # the same for further requests of the same gate: what the earlier ones brought would be lost
TIMEOUT: Timeout = (5.0, 65.0)  # the portal cuts a request after 60 s


class Tokens(Protocol):
    """Where access tokens come from; both methods may raise ``PortalError``."""

    def access(self) -> str:
        """Give a token that is good for the next minutes, renewed if it was about to expire."""

    def renew(self, stale: str) -> str:
        """Give a token other than ``stale``: renew it, or wait for whoever is renewing it already."""


class Budget(Protocol):
    """The portal's request budget, shared by every process."""

    def take(self, hits: int = 1) -> float:
        """Take so many requests and give 0, or take none and give the seconds after which to ask again."""

    def fill(self) -> None:
        """Take the budget for spent, for everybody: the portal has said so."""


class Observer(Protocol):
    """Who counts what the gate does. Nothing in here is secret."""

    def request(self, method: str, commands: int, outcome: str, seconds: float) -> None:
        """One HTTP request: ``outcome`` is ``"ok"`` or the name of the error type."""

    def command(self, method: str, outcome: str, time: Timing) -> None:
        """One command, alone or inside a batch; ``time`` is empty when it failed."""


class Silent:
    """An observer that does not look."""

    def request(self, method: str, commands: int, outcome: str, seconds: float) -> None:
        """Ignore a request."""

    def command(self, method: str, outcome: str, time: Timing) -> None:
        """Ignore a command."""


class Gate:
    """Sends commands to one portal; belongs to one thread at a time, like its session.

    ``endpoint`` is the portal's ``client_endpoint`` (``https://portal.example/rest/``), checked by whoever stored
    it. The session should come from ``transport.new_session``, so that nothing below repeats a request.
    """

    def __init__(
        self,
        session: requests.Session,
        endpoint: str,
        tokens: Tokens,
        budget: Budget,
        *,
        observer: Observer | None = None,
        timeout: Timeout = TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._endpoint = endpoint if endpoint.endswith("/") else endpoint + "/"
        self._tokens = tokens
        self._budget = budget
        self._observer = observer or Silent()
        self._timeout = timeout
        self._sleep = sleep
        self._stopwatch = stopwatch
        self._booked = 0
        self._patience = PATIENCE

    def book(self) -> None:
        """Take the next request from the budget before it is made ready; raise ``BudgetExhausted`` rather than wait long.

        A token about to end is renewed now, so that what is claimed for this request is sent at once.
        """
        self._tokens.access()
        self._wait_for_budget("batch")
        self._booked += 1

    def call(self, command: Command) -> Reply:
        """Send one command; raise the ``PortalError`` it came to, ``PortalMoved`` and ``AuthLost`` included."""
        try:
            reply, _ = self._with_fresh_token(command.method, command.params, 1)
        except PortalError as error:
            self._observer.command(command.method, type(error).__name__, Timing())
            raise
        self._observer.command(command.method, "ok", reply.time)
        return reply

    def batch(self, commands: Sequence[Command]) -> list[Reply | PortalError]:
        """Send commands in requests of up to 50 and give each its own answer, in order; raises no ``PortalError``.

        When a request fails as a whole, each of its commands gets that error, and the rest is not sent: it gets the
        same error, or ``NotSent`` where the error speaks of an unknown outcome. ``stops_portal`` of an answer tells
        that going on with this portal is pointless for now.
        """
        answers: list[Reply | PortalError] = []
        while len(answers) < len(commands):
            chunk = commands[len(answers) : len(answers) + BATCH_LIMIT]
            try:
                answers += self._chunk(chunk)
            except PortalError as error:
                answers += [error] * len(chunk)
                answers += [_after(error)] * (len(commands) - len(answers))
        for command, answer in zip(commands, answers, strict=True):
            self._note(command, answer)
        return answers

    def _chunk(self, commands: Sequence[Command]) -> list[Reply | PortalError]:
        """Send one batch; send once more those of its commands that met an expired token."""
        reply, token = self._with_fresh_token("batch", batch_body(commands), len(commands))
        answers = split_batch_reply(commands, reply, hide=(token,))
        late = [place for place, answer in enumerate(answers) if isinstance(answer, TokenExpired | TokenRefused)]
        if not late:
            return answers
        again = [commands[place] for place in late]
        repeated: list[Reply | PortalError]
        try:
            renewed = self._tokens.renew(token)
            reply = self._send("batch", batch_body(again), renewed, len(again))
            repeated = split_batch_reply(again, reply, hide=(renewed,))
        except PortalError as error:
            repeated = [error] * len(again)
        for place, answer in zip(late, repeated, strict=True):
            answers[place] = answer
        return answers

    def _with_fresh_token(self, method: str, params: Mapping[str, Any], commands: int) -> tuple[Reply, str]:
        """Send, and once more with a renewed token if the first one was refused; give the token that worked."""
        token = self._tokens.access()
        try:
            return self._send(method, params, token, commands), token
        except (TokenExpired, TokenRefused):
            token = self._tokens.renew(token)
        return self._send(method, params, token, commands), token

    def _send(self, method: str, params: Mapping[str, Any], token: str, commands: int) -> Reply:
        self._wait_for_budget(method)
        began = self._stopwatch()
        outcome = "ok"
        try:
            answer = post(
                self._session,
                self._endpoint + method,
                json={**params, "auth": token},  # last, so that positional parameters keep their places
                timeout=self._timeout,
                method=method,
            )
            reply = classify(method, answer.status, answer.body, answer.headers, hide=(token,))
            if isinstance(reply, PortalError):
                raise reply
            return reply
        except PortalError as error:
            outcome = type(error).__name__
            if isinstance(error, QueryLimit):
                self._budget.fill()
            raise
        finally:
            self._observer.request(method, commands, outcome, self._stopwatch() - began)

    def _wait_for_budget(self, method: str) -> None:
        """Take one request from the budget; raise ``BudgetExhausted`` rather than wait long."""
        if self._booked:
            self._booked -= 1
            return
        patience = self._patience
        while (wait := self._budget.take()) > 0:
            if wait > patience:
                raise BudgetExhausted(wait, method=method)
            self._sleep(wait)
            patience -= wait
        self._patience = STAYING

    def _note(self, command: Command, answer: Reply | PortalError) -> None:
        if isinstance(answer, PortalError):
            self._observer.command(command.method, type(answer).__name__, Timing())
        else:
            self._observer.command(command.method, "ok", answer.time)


def _after(error: PortalError) -> PortalError:
    """Give the error of commands that were not sent because of an earlier request's error."""
    if error.outcome_unknown:
        return NotSent("", f"an earlier request of the set failed: {type(error).__name__}")
    return error
