"""What a portal has that processes can be tied to: pipelines, stages, fields, smart processes.

Pages: api-reference/crm/status/, crm/universal/category/, crm/universal/userfieldconfig/, crm/crm-stage-history-list.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from b24app.bitrix.answers import good
from b24app.bitrix.commands import Command
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import Reply, as_map, count
from b24app.core.item import LEAD
from b24app.core.process import ProcessDef
from b24app.engine.knowledge import stage_dictionary
from b24app.engine.setup import pipeline_shape as shape
from b24app.engine.setup.pipeline_shape import Category, Field, SmartType, Stage


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


def look(gate: Gate, wanted: Iterable[ProcessDef]) -> Seen:
    """Read what processes can be tied to; raises ``PortalError``."""
    wanted = list(wanted)
    kinds = {process.entity_type_id for process in wanted if process.item != "smart" and process.entity_type_id}
    seen = Seen()
    first = [Command("crm.status.list", {"order": {"SORT": "ASC"}})]
    if any(process.item == "smart" for process in wanted):
        first.append(Command("crm.type.list", {"order": {"id": "ASC"}}))
    answers = [good(reply) for reply in gate.batch([*first, *_asking(kinds)])]
    seen.stages = shape.read_stages(answers[0].result)
    seen.types = shape.read_types(answers[1].result) if len(first) > 1 else []
    _take_in(gate, seen, kinds, answers[len(first) :])
    smart = {kind for process in wanted if process.item == "smart" and (kind := seen.kind_of(process))} - kinds
    if smart:
        _take_in(gate, seen, smart, [good(reply) for reply in gate.batch(_asking(smart, seen))])
    return seen


def look_at_kind(gate: Gate, seen: Seen, kind: int) -> None:
    """Read what belongs to a kind of items that has just been made; raises ``PortalError``."""
    _take_in(gate, seen, [kind], [good(reply) for reply in gate.batch(_asking([kind], seen))])


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
