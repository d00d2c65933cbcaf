"""Tokens, budgets and observers as the tests of the gate need them."""

from __future__ import annotations

from b24app.bitrix.errors import PortalError
from b24app.bitrix.replies import Timing


class Tokens:
    """Gives ``t1``, and after each renewal the next one."""

    def __init__(self, refusal: PortalError | None = None) -> None:
        self.number = 1
        self.renewed: list[str] = []
        self._refusal = refusal

    def access(self) -> str:
        return f"t{self.number}"

    def renew(self, stale: str) -> str:
        self.renewed.append(stale)
        if self._refusal is not None:
            raise self._refusal
        self.number += 1
        return self.access()


class Budget:
    """Answers with the given waits in turn, and grants everything after that."""

    def __init__(self, *waits: float) -> None:
        self._waits = list(waits)
        self.asked = 0
        self.filled = 0

    def fill(self) -> None:
        self.filled += 1

    def take(self, hits: int = 1) -> float:
        self.asked += hits
        return self._waits.pop(0) if self._waits else 0.0


class Notes:
    """An observer that writes down what it is told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, int, str]] = []
        self.commands: list[tuple[str, str]] = []
        self.operating: list[float | None] = []

    def request(self, method: str, commands: int, outcome: str, seconds: float) -> None:
        self.requests.append((method, commands, outcome))

    def command(self, method: str, outcome: str, time: Timing) -> None:
        self.commands.append((method, outcome))
        self.operating.append(time.operating)
