"""Tying processes to a portal: which pipeline, which stages, which fields; found there, or created.

Nothing that belongs to others is renamed or removed: only a pipeline the application has made itself is fitted exactly
to the process. Running it again creates only what is missing. Pages: api-reference/crm/universal/category/,
crm/universal/user-defined-object-types/, crm/crm-stage-history-list.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from b24app.bitrix.commands import Command
from b24app.bitrix.errors import AuthLost, PortalError, PortalGone, Transient
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import Reply, as_map, count
from b24app.core.item import LEAD
from b24app.core.process import ProcessDef
from b24app.engine import pipeline_shape as shape
from b24app.engine.access import gate_of
from b24app.engine.knowledge import stage_dictionary
from b24app.engine.notes import note_down, noted
from b24app.engine.pipeline_shape import Category, Field, SmartType, Stage
from b24app.engine.workshop import Workshop
from b24app.store import processes, queue
from b24app.store.portals import Portal
from b24app.store.processes import Tie

TRIES = 2
PAGE = 50


class CannotTie(Exception):
    """A process cannot be tied to a portal; says what is missing, in the portal's words where it gave any."""


@dataclass(slots=True)
class Seen:
    """What a portal has that processes can be tied to, by kind of item."""

    stages: list[Stage] = field(default_factory=list)
    types: list[SmartType] = field(default_factory=list)
    categories: dict[int, list[Category]] = field(default_factory=dict)
    fields: dict[int, list[Field]] = field(default_factory=dict)
    newest: dict[int, int] = field(default_factory=dict)
    """Kind -> the newest row of its stage history: what lies before belongs to the past."""

    def stages_of(self, kind: int, category_id: int) -> list[Stage]:
        dictionary = stage_dictionary(kind, category_id)
        return [stage for stage in self.stages if stage.entity_id == dictionary]

    def smart(self, process: ProcessDef) -> SmartType | None:
        """Find the smart process of a file."""
        wanted = process.smart
        if wanted is None:
            return None
        if wanted.entity_type_id is not None:
            return next((known for known in self.types if known.entity_type_id == wanted.entity_type_id), None)
        return shape.same_title(self.types, wanted.title) if wanted.title else None

    def kind_of(self, process: ProcessDef) -> int | None:
        """Return the portal's number for the items of a process; None for a smart process it does not have."""
        if process.item != "smart":
            return process.entity_type_id
        found = self.smart(process)
        return found.entity_type_id if found else None


@dataclass(frozen=True, slots=True)
class Proposal:
    """How a process would fit a portal: what was found for it, what is missing, and what could be chosen instead."""

    process: ProcessDef
    entity_type_id: int | None
    category: Category | None
    stages: Mapping[str, str]
    fields: Mapping[str, str]
    tied: bool
    categories: Sequence[Category] = ()
    stage_choices: Mapping[int, Sequence[Stage]] = field(default_factory=dict)
    """Pipeline -> its stages."""
    field_choices: Sequence[Field] = ()

    @property
    def missing_stages(self) -> tuple[str, ...]:
        return tuple(stage.key for stage in self.process.stages if stage.key not in self.stages)

    @property
    def missing_fields(self) -> tuple[str, ...]:
        return tuple(name for name in self.process.fields if name not in self.fields)


def look(gate: Gate, wanted: Iterable[ProcessDef]) -> Seen:
    """Read what processes can be tied to; raises ``PortalError``."""
    wanted = list(wanted)
    kinds = {process.entity_type_id for process in wanted if process.item != "smart" and process.entity_type_id}
    seen = Seen()
    first = [Command("crm.status.list", {"order": {"SORT": "ASC"}})]
    if any(process.item == "smart" for process in wanted):
        first.append(Command("crm.type.list", {"order": {"id": "ASC"}}))
    answers = _good(gate.batch([*first, *_asking(kinds)]))
    seen.stages = shape.read_stages(answers[0].result)
    seen.types = shape.read_types(answers[1].result) if len(first) > 1 else []
    _take_in(gate, seen, kinds, answers[len(first) :])
    smart = {kind for process in wanted if process.item == "smart" and (kind := seen.kind_of(process))} - kinds
    if smart:
        _take_in(gate, seen, smart, _good(gate.batch(_asking(smart, seen))))
    return seen


def offer(workshop: Workshop, portal: Portal, process: ProcessDef, gate: Gate | None = None) -> Proposal:
    """Propose how to tie a process to what a portal has; raises ``PortalError``."""
    gate = gate or gate_of(workshop, portal)
    seen = look(gate, [process])
    tied = _tie_of(workshop, portal, process)
    kind = seen.kind_of(process)
    categories = seen.categories.get(kind, []) if kind else []
    category = shape.category_of(process, categories, tied.category_id if tied else None) if kind else None
    stages = seen.stages_of(kind, category.id) if kind and category else []
    fields = seen.fields.get(kind, []) if kind else []
    _, prefix = shape.fields_entity(kind, seen.smart(process)) if kind else ("", "")
    found = shape.match_stages(process, stages, tied.stages if tied else {})
    return Proposal(
        process,
        kind,
        category,
        {key: stage.status_id for key, stage in found.items()},
        shape.match_fields(process, fields, tied.fields if tied else {}, prefix),
        tied is not None,
        categories,
        {c.id: seen.stages_of(kind, c.id) for c in categories} if kind else {},
        fields,
    )


def create(
    workshop: Workshop, portal: Portal, process: ProcessDef, gate: Gate | None = None, seen: Seen | None = None
) -> Tie:
    """Tie a process to a portal, creating the pipeline, stages and fields that are missing.

    Raises ``CannotTie``; ``Transient``, ``AuthLost`` and ``PortalGone`` as they come.
    """
    gate = gate or gate_of(workshop, portal)
    return _Creation(workshop, portal, process, gate, seen or look(gate, [process])).run()


def map_existing(
    workshop: Workshop,
    portal: Portal,
    process: ProcessDef,
    category_id: int,
    stages: Mapping[str, str],
    fields: Mapping[str, str],
    gate: Gate | None = None,
) -> Tie:
    """Tie a process to what an administrator chose by id; raises ``CannotTie`` for what the portal does not have."""
    gate = gate or gate_of(workshop, portal)
    seen = look(gate, [process])
    kind = seen.kind_of(process)
    if kind is None:
        raise CannotTie("smart process")
    if process.item != "lead" and category_id not in {category.id for category in seen.categories.get(kind, [])}:
        raise CannotTie(f"pipeline {category_id}")
    ids = {stage.status_id for stage in seen.stages_of(kind, category_id)}
    codes = {known.code for known in seen.fields.get(kind, [])}
    wrong = [stages.get(stage.key, stage.key) for stage in process.stages if stages.get(stage.key) not in ids]
    wrong += [code for name, code in fields.items() if name not in process.fields or code not in codes]
    if wrong or len(set(stages.values())) < len(stages):
        raise CannotTie(", ".join(wrong) or "stages")
    chosen = {stage.key: stages[stage.key] for stage in process.stages}
    return _store(workshop, portal, process, kind, category_id, chosen, fields, seen)


# Reading ---------------------------------------------------------------------------------------------------------------


def _asking(kinds: Iterable[int], seen: Seen | None = None) -> list[Command]:
    """Ask for the pipelines (leads have none), the fields and the newest history row of kinds of items, in order."""
    commands: list[Command] = []
    for kind in sorted(kinds):
        smart = next((known for known in seen.types if known.entity_type_id == kind), None) if seen else None
        entity, _ = shape.fields_entity(kind, smart)
        if kind != LEAD:
            commands.append(Command("crm.category.list", {"entityTypeId": kind}))
        commands.append(_asking_fields(entity, 0))
        newest = {"entityTypeId": kind, "order": {"ID": "DESC"}, "select": ["ID"], "start": 0}
        commands.append(Command("crm.stagehistory.list", newest))
    return commands


def _asking_fields(entity: str, start: int) -> Command:
    select = {"0": "*", "language": "ru"}
    return Command(
        "userfieldconfig.list", {"moduleId": "crm", "filter": {"entityId": entity}, "select": select, "start": start}
    )


def _take_in(gate: Gate, seen: Seen, kinds: Iterable[int], answers: Sequence[Reply]) -> None:
    left = iter(answers)
    for kind in sorted(kinds):
        seen.categories[kind] = shape.read_categories(next(left).result) if kind != LEAD else [Category(0, "", True)]
        fields = next(left)
        seen.fields[kind] = shape.read_fields(fields.result)
        smart = next((known for known in seen.types if known.entity_type_id == kind), None)
        entity, _ = shape.fields_entity(kind, smart)
        while fields.next:
            fields = gate.call(_asking_fields(entity, fields.next))
            seen.fields[kind] += shape.read_fields(fields.result)
        rows = as_map(next(left).result).get("items") or []
        seen.newest[kind] = max((count(as_map(row).get("ID")) or 0 for row in rows), default=0)


def _good(answers: Sequence[Reply | PortalError]) -> list[Reply]:
    """Return answers none of which failed; raises the first error."""
    good: list[Reply] = []
    for answer in answers:
        if isinstance(answer, PortalError):
            raise answer
        good.append(answer)
    return good


# Creating --------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Creation:
    """One process on its way to a portal."""

    workshop: Workshop
    portal: Portal
    process: ProcessDef
    gate: Gate
    seen: Seen

    def run(self) -> Tie:
        tied = _tie_of(self.workshop, self.portal, self.process)
        kind = self._kind()
        category = self._category(kind, tied)
        error: PortalError | None = None
        for _ in range(TRIES):
            commands, harmless = self._missing(kind, category, tied)
            if not commands and not harmless:
                break
            error = self._write(commands, harmless)
            self._look_again(kind, category)
            if error is None:
                break
        return self._tied(kind, category, tied, error)

    def _kind(self) -> int:
        kind = self.seen.kind_of(self.process)
        if kind is not None:
            return kind
        title = self.process.smart.title if self.process.smart else None
        if title is None:
            raise CannotTie(f"smart process {self.process.smart.entity_type_id if self.process.smart else ''}")
        fields = shape.type_fields(title, self.portal.settings.lang)
        answer = self._call(Command("crm.type.add", {"fields": fields}))
        made = shape.read_type(as_map(as_map(answer.result).get("type")))
        self.seen.types.append(made)
        _take_in(
            self.gate, self.seen, [made.entity_type_id], _good(self.gate.batch(_asking([made.entity_type_id], self.seen)))
        )
        return made.entity_type_id

    def _category(self, kind: int, tied: Tie | None) -> int:
        found = shape.category_of(self.process, self.seen.categories[kind], tied.category_id if tied else None)
        if found is None and self.process.pipeline.name is None:
            raise CannotTie(f"pipeline {self.process.pipeline.id if self.process.pipeline.id is not None else ''}".strip())
        if found is None:
            found = self._made_category(kind)
        if not self.seen.stages_of(kind, found.id):
            self._look_again_at_stages(kind, found.id)
        return found.id

    def _made_category(self, kind: int) -> Category:
        assert self.process.pipeline.name is not None
        name = self.process.pipeline.name.at(self.portal.settings.lang)
        answer = self._call(Command("crm.category.add", {"entityTypeId": kind, "fields": {"name": name, "sort": 500}}))
        number = count(as_map(as_map(answer.result).get("category")).get("id"))
        if number is None:
            raise CannotTie(f"pipeline {name}")
        with self.workshop.database.write() as connection:
            note_down(self.workshop, connection, self.portal.id, {self._own: number})
        made = Category(number, name, False)
        self.seen.categories[kind].append(made)
        return made

    @property
    def _own(self) -> str:
        """The note that says which pipeline the application has made for this process."""
        return f"made_{self.process.code}"

    def _missing(self, kind: int, category: int, tied: Tie | None) -> tuple[list[Command], list[Command]]:
        stages = self.seen.stages_of(kind, category)
        entity, prefix = shape.fields_entity(kind, self.seen.smart(self.process))
        fields = shape.match_fields(self.process, self.seen.fields[kind], tied.fields if tied else {}, prefix)
        lang = self.portal.settings.lang
        harmless: list[Command] = []
        if tied is None and noted(self.workshop, self.portal.id, self._own) == category:
            commands, harmless = shape.fit_exactly(self.process, stages, stage_dictionary(kind, category), lang)
        else:
            found = shape.match_stages(self.process, stages, tied.stages if tied else {})
            commands = shape.fit(self.process, stages, found, stage_dictionary(kind, category), lang)
        return [*commands, *shape.field_commands(self.process, fields, entity, prefix)], harmless

    def _write(self, commands: list[Command], harmless: list[Command]) -> PortalError | None:
        """Send commands; returns the first error of those that matter, and raises what concerns the whole portal."""
        answers = self.gate.batch([*commands, *harmless])
        for answer in answers:
            if isinstance(answer, AuthLost | PortalGone) or (
                isinstance(answer, Transient) and not answer.outcome_unknown and answer.stops_portal
            ):
                raise answer
        return next((answer for answer in answers[: len(commands)] if isinstance(answer, PortalError)), None)

    def _look_again(self, kind: int, category: int) -> None:
        newest = dict(self.seen.newest)
        again = look(self.gate, [self.process])
        self.seen.stages, self.seen.fields[kind] = again.stages, again.fields[kind]
        self.seen.newest = newest

    def _look_again_at_stages(self, kind: int, category: int) -> None:
        answer = self._call(Command("crm.status.list", {"filter": {"ENTITY_ID": stage_dictionary(kind, category)}}))
        self.seen.stages += shape.read_stages(answer.result)

    def _call(self, command: Command) -> Reply:
        """Send one command; raises ``CannotTie`` where the portal refuses it for good."""
        try:
            return self.gate.call(command)
        except (Transient, AuthLost, PortalGone):
            raise
        except PortalError as refusal:
            raise CannotTie(refusal.description or refusal.code or command.method) from refusal

    def _tied(self, kind: int, category: int, tied: Tie | None, error: PortalError | None) -> Tie:
        _, prefix = shape.fields_entity(kind, self.seen.smart(self.process))
        found = shape.match_stages(self.process, self.seen.stages_of(kind, category), tied.stages if tied else {})
        fields = shape.match_fields(self.process, self.seen.fields[kind], tied.fields if tied else {}, prefix)
        missing = [stage.name.at(self.portal.settings.lang) for stage in self.process.stages if stage.key not in found]
        missing += [known.code or name for name, known in self.process.fields.items() if name not in fields]
        if missing:
            said = f": {error.description or error.code or type(error).__name__}" if error else ""
            raise CannotTie(", ".join(missing) + said)
        stages = {key: stage.status_id for key, stage in found.items()}
        return _store(self.workshop, self.portal, self.process, kind, category, stages, fields, self.seen)


def _tie_of(workshop: Workshop, portal: Portal, process: ProcessDef) -> Tie | None:
    with workshop.database.read() as connection:
        return next((tie for tie in processes.ties(connection, portal.id) if tie.code == process.code), None)


def _store(
    workshop: Workshop,
    portal: Portal,
    process: ProcessDef,
    kind: int,
    category: int,
    stages: Mapping[str, str],
    fields: Mapping[str, str],
    seen: Seen,
) -> Tie:
    """Store a tie and its version; a kind of item that nobody read before is read from here on."""
    old = _tie_of(workshop, portal, process)
    training, enabled = (old.training, old.enabled) if old else (True, True)
    tie = Tie(process.code, process.version, kind, category, dict(stages), dict(fields), training, enabled)
    with workshop.database.write() as connection:
        processes.publish(connection, process, workshop.now())
        processes.tie(connection, portal.id, tie)
        name = f"history:{kind}"
        if queue.cursor(connection, portal.id, name) is None:
            for cursor in (name, f"{name}:start"):
                queue.set_cursor(connection, portal.id, cursor, seen.newest.get(kind, 0))
    return tie
