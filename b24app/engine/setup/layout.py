"""Putting the fields of processes into the cards of their items, each field once.

The layout of the company is read first and only added to. A field that was in the card once, or that the portal shows by
itself, is remembered and never put there again: whoever took it out meant it. Some layouts cannot be written without loss
(`layout_shape`): these are left as they are, and the fields are named for somebody to put them there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from b24app.bitrix.answers import heed
from b24app.bitrix.commands import Command
from b24app.bitrix.errors import PortalError, Transient
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import Reply
from b24app.core.process import ProcessDef
from b24app.core.text import EMPTY, Lang, T, join
from b24app.engine.known import process_of_version
from b24app.engine.notes import note_down, noted
from b24app.engine.setup import layout_shape as shape
from b24app.engine.setup.layout_shape import Card, Layout, Wanted
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import processes
from b24app.store.portals import Portal

TRIES = 2
PLACED = "card_fields"
"""The note of the fields that need not be put into cards any more: card -> codes."""

TROUBLES = "card_troubles"
"""The note of the processes whose fields could not be put into cards: code -> why, and what to do, in both languages."""

_BY_HAND = T(
    "добавьте поля сами («Выбрать поле» в разделе карточки): {names}",
    "add the fields yourself (“Select field” in a section of the card): {names}",
)
_AS_IT_IS = T(
    "Общий вид карточки приложение не может записать без потерь, он оставлен как есть; {do}",
    "The common view of the card could not be written without loss and was left as it is; {do}",
)
_REFUSED = T("Портал не дал записать общий вид карточки ({said}); {do}", "The portal did not take the view ({said}); {do}")
_LATER = T("проверьте установку ещё раз позже", "check the installation again later")
_log = log("layout")


@dataclass(frozen=True, slots=True)
class Part:
    """The fields of one process in one card."""

    process: ProcessDef
    card: Card
    fields: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Placing:
    """What became of the fields of a process in a card; ``problem`` says why they are not there, and what to do."""

    part: Part
    state: Literal["had", "added", "failed"]
    problem: T = EMPTY


@dataclass(frozen=True, slots=True)
class Looked:
    """How the fields of a process stand in a card: never put there, and taken out by somebody."""

    part: Part
    missing: tuple[Wanted, ...]
    taken_out: tuple[Wanted, ...]
    writable: bool = True


def parts(workshop: Workshop, portal: Portal) -> list[Part]:
    """List what belongs into the cards of a portal: the fields the installation has made, by process and card."""
    with workshop.database.read() as connection:
        found = [
            (tie, process_of_version(connection, workshop, portal, tie.code, tie.version))
            for tie in processes.ties(connection, portal.id)
        ]
    listed = [
        Part(process, card, shape.wanted(process, tie.entity_type_id, tie.fields))
        for tie, process in found
        if process is not None
        for card in shape.cards(tie.entity_type_id, tie.category_id)
    ]
    return [part for part in listed if part.fields]


def place(workshop: Workshop, portal: Portal, gate: Gate) -> list[Placing]:
    """Put the fields of all processes into the cards; no request where each was there before, else two.

    Raises ``Transient`` when the portal wants patience, ``AuthLost`` and ``PortalGone``; what it refuses is told.
    """
    placing = _Placing(workshop, portal, gate, parts(workshop, portal))
    for _ in range(TRIES):
        if not placing.once():
            break
    results = [placing.result(part) for part in placing.parts]
    said = {result.part.process.code: result.problem for result in results if result.state == "failed"}
    if said != troubles(workshop.portal(portal.id)):
        with workshop.database.write() as connection:
            told = {code: problem.both() for code, problem in said.items()}
            note_down(workshop, connection, portal.id, {TROUBLES: told or None})
    return results


def troubles(portal: Portal) -> Mapping[str, T]:
    """Say by the code of the process why fields could not be put into cards."""
    return {code: T(**told) for code, told in json.loads(portal.registered.get(TROUBLES, "{}")).items()}


def forget_made(workshop: Workshop, portal: Portal, commands: Iterable[Command]) -> None:
    """Forget where fields stood that are about to be made: one that is made anew is put into the cards anew."""
    made = {str(c.params["field"]["fieldName"]) for c in commands if c.method == "userfieldconfig.add"}
    placed = remembered(workshop, portal.id)
    if made & {code for codes in placed.values() for code in codes}:
        with workshop.database.write() as connection:
            kept = {card: sorted(codes - made) for card, codes in placed.items()}
            note_down(workshop, connection, portal.id, {PLACED: kept})


def remembered(workshop: Workshop, portal_id: int) -> dict[str, set[str]]:
    """Return by card the fields that are not put there any more."""
    kept: Mapping[str, Sequence[str]] = noted(workshop, portal_id, PLACED) or {}
    return {card: set(codes) for card, codes in kept.items()}


def reading(found: Iterable[Part]) -> dict[Card, Command]:
    """Give the commands that read the layouts of cards, each once."""
    return {part.card: part.card.reading for part in found}


def looked(found: Iterable[Part], layouts: Mapping[Card, Layout | None], placed: Mapping[str, set[str]]) -> list[Looked]:
    """Judge how fields stand in the cards that were read."""
    return [_looked(part, layouts[part.card], placed.get(part.card.key, set())) for part in found if part.card in layouts]


def _looked(part: Part, layout: Layout | None, placed: set[str]) -> Looked:
    if layout is None:
        return Looked(part, (), ())
    there = shape.shown(layout)
    out = [wanted for wanted in part.fields if wanted.code.upper() not in there]
    missing = tuple(wanted for wanted in out if wanted.code not in placed)
    return Looked(part, missing, tuple(w for w in out if w.code in placed), shape.can_be_written(layout))


def by_hand(fields: Iterable[Wanted]) -> T:
    """Say what somebody is to put into a card."""
    return _BY_HAND.fill(names=join([wanted.label for wanted in fields]))


@dataclass(slots=True)
class _Placing:
    """All fields of a portal on their way into the cards."""

    workshop: Workshop
    portal: Portal
    gate: Gate
    parts: list[Part]
    added: set[Card] = field(default_factory=set)
    problems: dict[Card, T] = field(default_factory=dict)

    @property
    def lang(self) -> Lang:
        return self.portal.settings.lang

    def once(self) -> bool:
        """Read and write what is due; tells whether trying again at once may help."""
        placed = remembered(self.workshop, self.portal.id)
        due = [part for part in self.parts if {wanted.code for wanted in part.fields} - placed.get(part.card.key, set())]
        if not due:
            return False
        read, unread = self._ask(reading(due))
        layouts = {card: shape.read(reply.result) for card, reply in read.items()}
        writing, done = self._plan(looked(due, layouts, placed), layouts)
        written, unwritten = self._ask(writing)
        self.added |= set(written)
        errors = {**unread, **unwritten}
        for part in due:
            if part.card in written or (part.card in done and part.card not in errors):
                placed[part.card.key] = placed.get(part.card.key, set()) | {wanted.code for wanted in part.fields}
        with self.workshop.database.write() as connection:
            kept = {card: sorted(codes) for card, codes in placed.items()}
            note_down(self.workshop, connection, self.portal.id, {PLACED: kept})
        for card, error in errors.items():
            missing = [wanted for part in due if part.card == card for wanted in part.fields]
            said = error.description or error.code or type(error).__name__
            do = _LATER if isinstance(error, Transient) else by_hand(missing)
            self.problems[card] = _REFUSED.fill(said=said, do=do)
            _log.warning("fields were not put into a card", portal=self.portal.host, card=card.key, error=str(error))
        return any(isinstance(error, Transient) for error in errors.values())

    def _plan(self, found: list[Looked], layouts: Mapping[Card, Layout | None]) -> tuple[dict[Card, Command], set[Card]]:
        """Return what is to be written, and the cards where nothing is missing; what cannot be written is a problem."""
        planned: dict[Card, Layout] = {}
        self.problems = {card: said for card, said in self.problems.items() if card not in layouts}
        done = {one.part.card for one in found} - {one.part.card for one in found if one.missing}
        for one in found:
            card, layout = one.part.card, planned.get(one.part.card) or layouts[one.part.card]
            if layout is None or not one.missing:
                continue
            if one.writable:
                planned[card] = shape.with_fields(layout, one.part.process, self.lang, one.missing)
            if not one.writable or shape.is_too_large(planned[card]):
                planned.pop(card, None)
                self.problems[card] = _AS_IT_IS.fill(do=by_hand(one.missing))
        return {card: card.writing(layout) for card, layout in planned.items()}, done

    def _ask(self, commands: Mapping[Card, Command]) -> tuple[dict[Card, Reply], dict[Card, PortalError]]:
        """Send a command for each card; raises what concerns the whole portal."""
        answers = self.gate.batch(list(commands.values())) if commands else []
        heed(answers)
        told = dict(zip(commands, answers, strict=True))
        good = {card: answer for card, answer in told.items() if isinstance(answer, Reply)}
        return good, {card: answer for card, answer in told.items() if isinstance(answer, PortalError)}

    def result(self, part: Part) -> Placing:
        problem = self.problems.get(part.card)
        if problem is not None:
            return Placing(part, "failed", problem)
        return Placing(part, "added" if part.card in self.added else "had")
