"""The methods a portal knows: a decorator, the call a method sees, and the page it may answer with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.errors import RestError, missing
from sandbox.wire import JSON, as_list, as_map, whole

if TYPE_CHECKING:
    from sandbox.apps import AppCard
    from sandbox.portal import Portal

PAGE = 50
CONTROLLERS = (
    "crm.item.",
    "crm.category.",
    "crm.type.",
    "crm.stagehistory.",
    "crm.timeline.logmessage.",
    "crm.timeline.item.",
    "crm.activity.todo.",
    "tasks.",
    "userfieldconfig.",
    "calendar.",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts: a user (0 = the system), through which app if any, and how far an event chain has come."""

    user_id: int
    app: AppCard | None = None
    scopes: frozenset[str] | None = None
    hops: int | None = None


SYSTEM = Caller(0)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list method; ``total`` is None when counting was switched off by ``start=-1``."""

    result: Any
    total: int | None = None
    next: int | None = None


@dataclass(slots=True)
class Call:
    """One command as a method sees it."""

    portal: Portal
    caller: Caller
    method: str
    params: JSON

    def get(self, name: str, default: Any = None) -> Any:
        """Give a parameter or the default."""
        return self.params.get(name, default)

    def need(self, name: str) -> Any:
        """Give a required parameter; raises the controllers' error 100."""
        value = self.params.get(name)
        if value is None or value == "":
            raise missing(name)
        return value

    def whole(self, name: str) -> int:
        """Give a required integer; a value that is no number raises error 100."""
        value = self.need(name)
        if isinstance(value, dict | list) or not str(value).strip().lstrip("-").isdigit():
            raise RestError("100", f"Invalid value {{{value}}} to match with parameter {{{name}}}.")
        return whole(value)

    def mapping(self, name: str) -> JSON:
        """Give a map, empty when absent."""
        return as_map(self.params.get(name))

    def listing(self, name: str) -> list[Any]:
        """Give a list, empty when absent."""
        return as_list(self.params.get(name))

    @property
    def start(self) -> int:
        """Give the paging offset, -1 when counting is switched off."""
        return whole(self.params.get("start", self.params.get("START", 0)))

    def complain(self, text: str) -> None:
        """Record what the portal would have let pass silently."""
        self.portal.complain(f"{self.method}: {text}")

    def page(self, rows: Sequence[Any], wrap: str = "") -> Page:
        """Cut the page asked for out of all rows; ``wrap`` names the key the rows are put under."""
        begin = max(self.start, 0)
        part = list(rows[begin : begin + PAGE])
        result = {wrap: part} if wrap else part
        if self.start < 0:
            return Page(result)
        more = begin + PAGE if begin + PAGE < len(rows) else None
        return Page(result, len(rows), more)


@dataclass(frozen=True, slots=True)
class Method:
    """A REST method: which scope opens it, which parameters it knows, what it does."""

    name: str
    scope: str
    params: tuple[str, ...]
    run: Callable[[Call], Any]
    admin: bool = False
    app: bool = False
    positional: bool = False

    @property
    def exact(self) -> bool:
        """Tell whether parameter names keep their case (controllers) or not (classic methods)."""
        return self.name.startswith(CONTROLLERS)


METHODS: dict[str, Method] = {}


def method(
    name: str,
    scope: str = "",
    params: str = "",
    *,
    admin: bool = False,
    app: bool = False,
    positional: bool = False,
) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Register a function as a REST method; ``params`` is the blank-separated list of what it knows."""

    def register(run: Callable[[Call], Any]) -> Callable[[Call], Any]:
        METHODS[name.lower()] = Method(name, scope, tuple(params.split()), run, admin, app, positional)
        return run

    return register
