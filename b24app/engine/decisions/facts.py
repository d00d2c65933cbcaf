"""Reading what robots need: all needs of many calls at once, again until nothing new is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from sqlalchemy.engine import Connection

from b24app.bitrix.answers import UNREADABLE, nonsense
from b24app.bitrix.errors import PortalError
from b24app.bitrix.gate import Gate
from b24app.bitrix.reading.fields import FieldBook
from b24app.bitrix.reading.items import item_of, items_in, list_items
from b24app.bitrix.reading.queries import query
from b24app.bitrix.reading.values import integer
from b24app.core.item import ItemRef, People
from b24app.core.needs import (
    REMEMBERED,
    Facts,
    Ledger,
    Need,
    NeedForms,
    NeedItem,
    NeedLedger,
    NeedNews,
    NeedPeople,
    NeedProcess,
    Neighbour,
)
from b24app.store import forms, ledger, processes

PAGE = 50
MANY = 4
"""From so many items of a kind on, they are read by lists of fifty rather than one by one."""
ROUNDS = 8
"""More rounds than any robot takes: a robot that never stops asking is a mistake and is stopped."""

Asking = Callable[[Facts], Iterable[Need[Any]]]


class EndlessNeeds(Exception):
    """A robot asked for something new in every round."""


class NotRead(Exception):
    """A need that was not foreseen; read it and decide again."""

    def __init__(self, need: Need[Any]) -> None:
        super().__init__(repr(need))
        self.need = need


@dataclass(slots=True)
class Reader:
    """Reads needs from a portal and remembers what was read, for one round of decisions.

    A need that could not be answered is remembered with its error: only the calls that need it are put off.
    """

    gate: Gate
    book: FieldBook
    people: People
    values: dict[Need[Any], Any] = field(default_factory=dict)
    errors: dict[Need[Any], PortalError] = field(default_factory=dict)

    def read(self, askings: Iterable[Asking]) -> None:
        """Answer all needs of all askings; raises the `PortalError` that concerns the whole portal."""
        askings = list(askings)
        self.values[NeedPeople()] = self.people
        for _ in range(ROUNDS):
            facts = Facts(self.values)
            wanted = {need for ask in askings for need in self._asked(ask, facts) if not isinstance(need, REMEMBERED)}
            fresh = [need for need in wanted if need not in self.values and need not in self.errors]
            if not fresh:
                return
            self._answer(sorted(fresh, key=repr))
        raise EndlessNeeds

    def _asked(self, ask: Asking, facts: Facts) -> Iterable[Need[Any]]:
        return list(ask(facts))

    def _answer(self, needs: list[Need[Any]]) -> None:
        needs = self._listed(needs)
        if not needs:
            return
        queries = [query(need, self.book) for need in needs]
        replies = self.gate.batch([command for q in queries for command in q.commands])
        for q in queries:
            own, replies = replies[: len(q.commands)], replies[len(q.commands) :]
            try:
                self.values[q.need] = q.read(own)
            except PortalError as error:
                if error.stops_portal:
                    raise
                self.errors[q.need] = error
            except UNREADABLE as error:
                self.errors[q.need] = nonsense(error, q.commands[0].method)

    def _listed(self, needs: list[Need[Any]]) -> list[Need[Any]]:
        """Read many items of a kind by lists; return the needs that are left, items missing in the lists among them."""
        refs = sorted(need.ref for need in needs if isinstance(need, NeedItem))
        kinds = {kind: list(of_kind) for kind, of_kind in groupby(refs, key=lambda ref: ref.entity_type_id)}
        parts = [found[n : n + PAGE] for found in kinds.values() if len(found) >= MANY for n in range(0, len(found), PAGE)]
        if not parts:
            return needs
        for part, reply in zip(parts, self.gate.batch([list_items(part) for part in parts]), strict=True):
            if isinstance(reply, PortalError):
                if reply.stops_portal:
                    raise reply
                continue
            rows = {integer(row.get("id")): row for row in items_in(reply.result)}
            for ref in part:
                with suppress(*UNREADABLE):  # one that cannot be read is asked for alone, and tells then
                    self.values[NeedItem(ref)] = item_of(ref, rows[ref.id], self.book)
        return [need for need in needs if need not in self.values]

    def facts_for(
        self, ask: Asking, connection: Connection, portal_id: int, kept: dict[ItemRef, Ledger], *, forget: bool = False
    ) -> Facts:
        """Return the facts of one call, its ledger read in the transaction that will store the decision.

        Raises the `PortalError` by which a need could not be answered, and `NotRead` for one that shows only now, because
        the ledger has changed since the reading: no portal is called inside a transaction. ``kept`` keeps ledgers for as
        long as the caller writes nothing. ``forget`` leaves out of the ledger what was done before, so that it is done
        again.
        """
        values: dict[Need[Any], Any] = {}
        for _ in range(ROUNDS):
            asked = [need for need in ask(Facts(values)) if need not in values]
            if not asked:
                return Facts(values)
            for need in asked:
                values[need] = self._value(need, connection, portal_id, kept, forget)
        raise EndlessNeeds

    def _value(
        self, need: Need[Any], connection: Connection, portal_id: int, kept: dict[ItemRef, Ledger], forget: bool
    ) -> Any:
        if isinstance(need, NeedLedger):
            if need.ref not in kept:
                kept[need.ref] = ledger.ledger(connection, portal_id, need.ref)
            memory = kept[need.ref]
            if not forget:
                return memory
            return replace(memory, tasks=(), sms_texts=frozenset(), trained=frozenset())
        if isinstance(need, NeedForms):
            return forms.submissions(connection, portal_id, need.ref)
        if isinstance(need, NeedNews):
            return ledger.news(connection, portal_id, need.ref)
        if isinstance(need, NeedProcess):
            return _neighbour(connection, portal_id, need.code)
        if need in self.errors:
            raise self.errors[need]
        if need not in self.values:
            raise NotRead(need)
        return self.values[need]


def _neighbour(connection: Connection, portal_id: int, code: str) -> Neighbour | None:
    tie = next((tie for tie in processes.ties(connection, portal_id) if tie.code == code and tie.enabled), None)
    process = processes.version(connection, tie.version) if tie else None
    return Neighbour(code, process.title, tie.entity_type_id, process.quality) if tie and process else None
