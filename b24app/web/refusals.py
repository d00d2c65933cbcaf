"""Requests that are turned away: each with a reason that is counted and a status that blames the sender."""

from __future__ import annotations

from http import HTTPStatus

from prometheus_client import Counter

REJECTED = Counter("b24app_rejected", "Inbound requests turned away", ["reason"])
TAKEN = Counter("b24app_taken", "Callbacks written down", ["kind", "new"])


class Refusal(Exception):
    """A request that is turned away with a status; ``reason`` is one word, counted and shown to operators."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def count(reason: str) -> None:
    """Count a request that was turned away."""
    REJECTED.labels(reason).inc()
