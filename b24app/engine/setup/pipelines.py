"""Tying processes to a portal: which pipeline, which stages, which fields; found there, or created.

Nothing that belongs to others is renamed or removed: only a pipeline the application has made itself is fitted exactly
to the process. Running it again creates only what is missing. Pages: api-reference/crm/universal/category/,
crm/universal/user-defined-object-types/, crm/crm-stage-history-list.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from b24app.bitrix.answers import heed
from b24app.bitrix.commands import Command
from b24app.bitrix.errors import AuthLost, PortalError, PortalGone, Transient
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import Reply, as_map, count
from b24app.core.process import ProcessDef
from b24app.core.text import T
from b24app.engine import boards
from b24app.engine.access import gate_of
from b24app.engine.knowledge import stage_dictionary
from b24app.engine.notes import note_down, noted
from b24app.engine.setup import layout
from b24app.engine.setup import pipeline_shape as shape
from b24app.engine.setup.pipeline_look import Seen, look, look_at_kind
from b24app.engine.setup.pipeline_shape import Category, Field, Stage
from b24app.engine.workshop import Workshop
from b24app.store import processes, queue
from b24app.store.portals import Portal
from b24app.store.processes import Tie

TRIES = 2


_NO_TYPE = T("смарт-процесс {id}", "the smart process {id}")
_NO_PIPELINE = T("воронка {name}", "the pipeline {name}")
_OTHER_KIND = T(
    "стадия того же рода (в работе, успешная или неуспешная) для: {stages}",
    "a stage of the same kind (in work, won or lost) for: {stages}",
)
_TWICE = T("своя стадия портала для каждой стадии процесса", "a stage of the portal for each stage of the process")


class CannotTie(Exception):
    """A process cannot be tied to a portal; ``what`` is missing, in the portal's words where it gave any."""

    def __init__(self, what: T) -> None:
        super().__init__(what.en)
        self.what = what


@dataclass(frozen=True, slots=True)
class ProcessOffer:
    """A process an administrator may have prepared while installing."""

    process: ProcessDef
    tied: bool

    @property
    def makes(self) -> Literal["pipeline", "smart", "fields"]:
        """What would be created of its own, where the portal has not got it; for leads and known pipelines fields only."""
        if self.process.smart is not None and self.process.smart.title is not None:
            return "smart"
        return "pipeline" if self.process.pipeline.name is not None and self.process.item != "lead" else "fields"


def offers(workshop: Workshop, portal: Portal) -> list[ProcessOffer]:
    """List the processes meant for a portal."""
    with workshop.database.read() as connection:
        tied = {tie.code for tie in processes.ties(connection, portal.id)}
    return [ProcessOffer(process, code in tied) for code, process in workshop.processes_of(portal).items()]


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

    def fields_for(self, name: str) -> Sequence[Field]:
        """List the portal's fields that can hold what a field of the process does."""
        wanted = shape.portal_type(self.process.fields[name])
        return [known for known in self.field_choices if known.type == wanted]

    @property
    def missing_stages(self) -> tuple[str, ...]:
        return tuple(stage.key for stage in self.process.stages if stage.key not in self.stages)

    @property
    def missing_fields(self) -> tuple[str, ...]:
        return tuple(name for name in self.process.fields if name not in self.fields)


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
    tie = _Creation(workshop, portal, process, gate, seen or look(gate, [process])).run()
    boards.set_up(workshop, portal, process, gate)
    return tie


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
        raise CannotTie(_NO_TYPE.fill(id=process.title))
    if process.item != "lead" and category_id not in {category.id for category in seen.categories.get(kind, [])}:
        raise CannotTie(_NO_PIPELINE.fill(name=category_id))
    theirs = {stage.status_id: stage for stage in seen.stages_of(kind, category_id)}
    types = {known.code: known.type for known in seen.fields.get(kind, [])}
    wrong = [stages.get(stage.key, stage.key) for stage in process.stages if stages.get(stage.key) not in theirs]
    for name, code in fields.items():
        if name not in process.fields or types.get(code) != shape.portal_type(process.fields[name]):
            wrong.append(code)
    if wrong or len(set(stages.values())) < len(stages):
        raise CannotTie(T.same(", ".join(wrong)) or _TWICE)
    others = [stage.name for stage in process.stages if theirs[stages[stage.key]].semantics != stage.semantics]
    if others:
        raise CannotTie(_OTHER_KIND.fill(stages=T(", ".join(n.ru for n in others), ", ".join(n.en for n in others))))
    chosen = {stage.key: stages[stage.key] for stage in process.stages}
    tie = _store(workshop, portal, process, kind, category_id, chosen, fields, seen)
    boards.set_up(workshop, portal, process, gate)
    return tie


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
            layout.forget_made(self.workshop, self.portal, commands)
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
            raise CannotTie(_NO_TYPE.fill(id=self.process.smart.entity_type_id if self.process.smart else ""))
        with self.workshop.database.write() as connection:  # its pipelines will be ours, also where the reply is lost
            note_down(self.workshop, connection, self.portal.id, {self._making: []})
        fields = shape.type_fields(title, self.portal.settings.lang)
        answer = self._call(Command("crm.type.add", {"fields": fields}))
        made = shape.read_type(as_map(as_map(answer.result).get("type")))
        self.seen.types.append(made)
        look_at_kind(self.gate, self.seen, made.entity_type_id)
        return made.entity_type_id

    def _category(self, kind: int, tied: Tie | None) -> int:
        found = shape.category_of(self.process, self.seen.categories[kind], tied.category_id if tied else None)
        if found is None and self.process.pipeline.name is None:
            wanted = self.process.pipeline.id
            raise CannotTie(_NO_PIPELINE.fill(name="" if wanted is None else wanted))
        if found is None:
            found = self._made_category(kind)
        if not self.seen.stages_of(kind, found.id):
            self._look_again_at_stages(kind, found.id)
        return found.id

    def _made_category(self, kind: int) -> Category:
        assert self.process.pipeline.name is not None
        name = self.process.pipeline.name.at(self.portal.settings.lang)
        # noted before: when the reply is lost, a pipeline of this name that was not there is known to be ours
        with self.workshop.database.write() as connection:
            others = [category.id for category in self.seen.categories[kind]]
            note_down(self.workshop, connection, self.portal.id, {self._making: others})
        answer = self._call(Command("crm.category.add", {"entityTypeId": kind, "fields": {"name": name, "sort": 500}}))
        number = count(as_map(as_map(answer.result).get("category")).get("id"))
        if number is None:
            raise CannotTie(_NO_PIPELINE.fill(name=name))
        made = Category(number, name, False)
        self.seen.categories[kind].append(made)
        return made

    @property
    def _making(self) -> str:
        """The note of the pipelines there were when the application made one for this process."""
        return f"making_{self.process.code}"

    def _is_ours(self, category: int) -> bool:
        others = noted(self.workshop, self.portal.id, self._making)
        return others is not None and category not in others

    def _missing(self, kind: int, category: int, tied: Tie | None) -> tuple[list[Command], list[Command]]:
        stages = self.seen.stages_of(kind, category)
        entity, prefix = shape.fields_entity(kind, self.seen.smart(self.process))
        fields = shape.match_fields(self.process, self.seen.fields[kind], tied.fields if tied else {}, prefix)
        lang = self.portal.settings.lang
        harmless: list[Command] = []
        if tied is None and self._is_ours(category):
            commands, harmless = shape.fit_exactly(self.process, stages, stage_dictionary(kind, category), lang)
        else:
            found = shape.match_stages(self.process, stages, tied.stages if tied else {})
            commands = shape.fit(self.process, stages, found, stage_dictionary(kind, category), lang)
        return [*commands, *shape.field_commands(self.process, fields, entity, prefix)], harmless

    def _write(self, commands: list[Command], harmless: list[Command]) -> PortalError | None:
        """Send commands; returns the first error of those that matter, and raises what concerns the whole portal."""
        answers = self.gate.batch([*commands, *harmless])
        heed(answers)
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
            raise CannotTie(T.same(refusal.description or refusal.code or command.method)) from refusal

    def _tied(self, kind: int, category: int, tied: Tie | None, error: PortalError | None) -> Tie:
        _, prefix = shape.fields_entity(kind, self.seen.smart(self.process))
        found = shape.match_stages(self.process, self.seen.stages_of(kind, category), tied.stages if tied else {})
        fields = shape.match_fields(self.process, self.seen.fields[kind], tied.fields if tied else {}, prefix)
        missing = [stage.name.at(self.portal.settings.lang) for stage in self.process.stages if stage.key not in found]
        missing += [known.code or name for name, known in self.process.fields.items() if name not in fields]
        if missing:
            said = f": {error.description or error.code or type(error).__name__}" if error else ""
            raise CannotTie(T.same(", ".join(missing) + said))
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
