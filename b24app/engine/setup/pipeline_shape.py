"""How a process fits a portal's pipelines, stages and fields, and the commands that make it fit. Pure.

Pages: api-reference/crm/universal/category/, crm/status/, crm/universal/userfieldconfig/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from b24app.bitrix.commands import Command
from b24app.bitrix.replies import as_map, count
from b24app.core.item import DEAL, LEAD, Semantics
from b24app.core.process import FieldDef, FieldType, ProcessDef, StageDef, names_of
from b24app.core.text import LANGS, Lang, T, folded

FIELD_PREFIX = "B24APP_"
LONGEST_FIELD = 43  # characters of a field's code
LONGEST_STAGE = 12  # characters of a stage's own code: the pipeline's prefix is put before it, the whole is limited to 21
COLORS = ("#39A8EF", "#2FC6F6", "#55D0E0", "#47E4C2", "#FFA900", "#A8ADB4")

_SEMANTICS: Mapping[str, Semantics] = {"S": "success", "F": "failure"}
_LETTERS: Mapping[Semantics, str] = {"success": "S", "failure": "F", "process": ""}
_ORDER: Mapping[Semantics, int] = {"process": 0, "success": 1, "failure": 2}
_TYPES: Mapping[FieldType, str] = {"text": "string", "time": "string"}  # all others are called the same on the portal


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage as the portal has it; ``record`` is the id of the dictionary row."""

    record: int
    entity_id: str
    status_id: str
    name: str
    sort: int
    semantics: Semantics

    @property
    def code(self) -> str:
        """Its own code, without the pipeline's prefix."""
        return self.status_id.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Category:
    """A pipeline; that of leads, and the default one of deals, is 0."""

    id: int
    name: str
    default: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A user field; ``labels`` are folded, for finding it by any of them, ``name`` is what people read."""

    code: str
    type: str
    labels: frozenset[str]
    name: T


@dataclass(frozen=True, slots=True)
class SmartType:
    """A smart process: ``record`` numbers its fields, ``entity_type_id`` everything else."""

    record: int
    entity_type_id: int
    title: str


def portal_type(field: FieldDef) -> str:
    """Name the type a field of a process has on the portal."""
    return _TYPES.get(field.type, field.type)


# Reading ---------------------------------------------------------------------------------------------------------------


def read_stages(result: Any) -> list[Stage]:
    """Read ``crm.status.list``, in the order of the dictionaries."""
    rows = [as_map(row) for row in result] if isinstance(result, list) else []
    stages = [
        Stage(
            count(row.get("ID")) or 0,
            str(row.get("ENTITY_ID") or ""),
            str(row.get("STATUS_ID") or ""),
            str(row.get("NAME") or ""),
            count(row.get("SORT")) or 0,
            _SEMANTICS.get(str(row.get("SEMANTICS") or ""), "process"),
        )
        for row in rows
    ]
    return sorted(stages, key=lambda stage: (stage.sort, stage.record))


def read_categories(result: Any) -> list[Category]:
    """Read ``crm.category.list``."""
    rows = [as_map(row) for row in as_map(result).get("categories") or []]
    return [Category(count(row.get("id")) or 0, str(row.get("name") or ""), row.get("isDefault") == "Y") for row in rows]


def read_fields(result: Any) -> list[Field]:
    """Read ``userfieldconfig.list``."""
    return [_field(as_map(row)) for row in as_map(result).get("fields") or []]


def _field(row: Mapping[str, Any]) -> Field:
    label = row.get("editFormLabel")
    told = label if isinstance(label, dict) else {"": label}
    texts = {str(lang): str(text) for lang, text in told.items() if text}
    code = str(row.get("fieldName") or "")
    first = next(iter(texts.values()), code)
    name = T(texts.get("ru", first), texts.get("en", first))
    return Field(code, str(row.get("userTypeId") or ""), frozenset(map(folded, texts.values())), name)


def read_types(result: Any) -> list[SmartType]:
    """Read ``crm.type.list``."""
    rows = [as_map(row) for row in as_map(result).get("types") or []]
    return [read_type(row) for row in rows]


def read_type(row: Mapping[str, Any]) -> SmartType:
    """Read one smart process."""
    return SmartType(count(row.get("id")) or 0, count(row.get("entityTypeId")) or 0, str(row.get("title") or ""))


# Matching ----------------------------------------------------------------------------------------------------------------


def category_of(process: ProcessDef, categories: Sequence[Category], tied: int | None) -> Category | None:
    """Find the pipeline of a process: the one it is tied to, or that its file names by number or by name."""
    if process.item == "lead":
        return Category(0, "", True)
    pipeline = process.pipeline
    wanted_id = pipeline.id if pipeline.id is not None else tied
    if wanted_id is not None:
        return next((category for category in categories if category.id == wanted_id), None)
    if pipeline.default or pipeline.name is None:
        return next((c for c in categories if c.default), None) or (
            Category(0, "", True) if process.item == "deal" else None
        )
    names = {folded(pipeline.name.at(lang)) for lang in LANGS}
    return next((category for category in categories if folded(category.name) in names), None)


def match_stages(process: ProcessDef, stages: Sequence[Stage], tied: Mapping[str, str]) -> dict[str, Stage]:
    """Find the stages of a process: tied, named by id, by the code we give, by a name; the final ones by their meaning."""
    found: dict[str, Stage] = {}
    for stage in process.stages:
        match = next((s for s in stages if s not in found.values() and _is(stage, s, tied.get(stage.key))), None)
        if match is not None:
            found[stage.key] = match
    for stage in process.stages:
        if stage.key not in found and stage.semantics != "process" and stage.id is None:
            free = (s for s in stages if s.semantics == stage.semantics and s not in found.values())
            match = next(free, None)
            if match is not None:
                found[stage.key] = match
    return found


def _is(stage: StageDef, there: Stage, tied: str | None) -> bool:
    if tied or stage.id:
        return there.status_id == (tied or stage.id)
    if there.semantics != stage.semantics:
        return False
    return there.code == stage_code(stage.key) or folded(there.name) in names_of(stage)


def match_fields(process: ProcessDef, fields: Sequence[Field], tied: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Find the fields of a process: tied, named by code, ours, or of the same label and type."""
    codes = {field.code: field for field in fields}
    found: dict[str, str] = {}
    for name, wanted in process.fields.items():
        known = (tied.get(name), wanted.code, None if wanted.code else field_code(prefix, name))
        by_code = next((code for code in known if code and code in codes), None)
        code = by_code or (None if wanted.code else _by_label(wanted, fields, found))
        if code:
            found[name] = code
    return found


def _by_label(wanted: FieldDef, fields: Sequence[Field], found: Mapping[str, str]) -> str | None:
    labels = {folded(wanted.label.at(lang)) for lang in LANGS}
    kind = _TYPES.get(wanted.type, wanted.type)
    same = (f.code for f in fields if f.type == kind and f.labels & labels and f.code not in found.values())
    return next(same, None)


# Making it fit -------------------------------------------------------------------------------------------------------------


def fit(
    process: ProcessDef, stages: Sequence[Stage], found: Mapping[str, Stage], entity_id: str, lang: Lang
) -> list[Command]:
    """Add the stages that are missing, each behind the one before it and before the final ones."""
    commands: list[Command] = []
    success = next((stage.sort for stage in stages if stage.semantics == "success"), 10_000)
    last, last_final = 0, max((stage.sort for stage in stages), default=0)
    for stage in process.stages:
        if stage.key in found:
            last = found[stage.key].sort if stage.semantics == "process" else last
            continue
        if stage.semantics == "process":
            last = min(last + 1, success - 1)
            commands.append(_stage_command(stage, entity_id, last, lang))
        else:
            last_final += 10
            commands.append(_stage_command(stage, entity_id, last_final, lang))
    return commands


def fit_exactly(
    process: ProcessDef, stages: Sequence[Stage], entity_id: str, lang: Lang
) -> tuple[list[Command], list[Command]]:
    """Turn the stages of a pipeline we have just made into those of the process; the second list may fail without harm.

    The first stage and the final ones are the portal's own, under new names: every pipeline must have them. Final stages
    are moved out of the way first, as stages in progress have to stand before them.
    """
    ordered = sorted(process.stages, key=lambda stage: _ORDER[stage.semantics])
    reused: dict[str, Stage] = {}
    for semantics in _ORDER:
        mine = [stage for stage in ordered if stage.semantics == semantics]
        theirs = [stage for stage in stages if stage.semantics == semantics]
        named = {m.key: t for m in mine for t in theirs if t.code == stage_code(m.key)}
        rest = iter([t for t in theirs if t not in named.values()][: 1 if semantics == "process" else None])
        reused |= named | dict(zip([m.key for m in mine if m.key not in named], rest, strict=False))
    sorts = {stage.key: 10 * number for number, stage in enumerate(ordered, 1)}
    finals = [s for s in ordered if s.semantics != "process"]
    renamed = [_rename(s, reused[s.key], sorts[s.key], lang) for s in reversed(finals) if s.key in reused]
    renamed += [_rename(s, reused[s.key], sorts[s.key], lang) for s in ordered if s.key in reused and s not in finals]
    added = [_stage_command(s, entity_id, sorts[s.key], lang, n) for n, s in enumerate(ordered) if s.key not in reused]
    kept = set(reused.values())
    removed = [Command("crm.status.delete", {"id": s.record, "params": {"FORCED": "Y"}}) for s in stages if s not in kept]
    return [*renamed, *added], removed


def _rename(stage: StageDef, there: Stage, sort: int, lang: Lang) -> Command:
    return Command("crm.status.update", {"id": there.record, "fields": {"NAME": stage.name.at(lang), "SORT": sort}})


def _stage_command(stage: StageDef, entity_id: str, sort: int, lang: Lang, number: int = 0) -> Command:
    fields: dict[str, Any] = {
        "ENTITY_ID": entity_id,
        "STATUS_ID": stage_code(stage.key),
        "NAME": stage.name.at(lang),
        "SORT": sort,
        "SEMANTICS": _LETTERS[stage.semantics],
    }
    if stage.semantics == "process":
        fields["COLOR"] = COLORS[number % len(COLORS)]
    return Command("crm.status.add", {"fields": fields})


def stage_code(key: str) -> str:
    """Name a stage we create after its key in the process file, short enough for every pipeline.

    A key that has to be cut gets two digits of its own, so that keys alike at their beginning stay apart.
    """
    code = "".join(c if c.isascii() and c.isalnum() else "_" for c in key.upper())
    if len(code) <= LONGEST_STAGE:
        return code
    mark = sum(ord(c) * place for place, c in enumerate(code, 1)) % 100
    return f"{code[: LONGEST_STAGE - 2]}{mark:02}"


def fields_entity(entity_type_id: int, smart: SmartType | None) -> tuple[str, str]:
    """Name the object user fields belong to, and what the codes of ours begin with."""
    if smart is not None:
        return f"CRM_{smart.record}", f"UF_CRM_{smart.record}_"
    kind = {LEAD: "CRM_LEAD", DEAL: "CRM_DEAL"}[entity_type_id]
    return kind, f"UF_CRM_{FIELD_PREFIX}"


def field_code(prefix: str, name: str) -> str:
    """Name a field we create after its name in the process file."""
    return f"{prefix}{name.upper()}"[:LONGEST_FIELD]


def fields_in_order(process: ProcessDef) -> dict[str, bool]:
    """Name the fields of a process, those a stage requires first, and say which these are."""
    steps = [step for stage in process.stages for step in stage.checks if step.robot == "require_fields"]
    required = {str(name) for step in steps for name in step.props.get("fields", ())}
    names = sorted(process.fields, key=lambda name: name not in required)
    return {name: name in required for name in names}


def field_commands(process: ProcessDef, found: Mapping[str, str], entity: str, prefix: str) -> Iterator[Command]:
    """Create the fields that are missing; a field the file names by code has to exist.

    A card nobody has arranged shows them by ``sort``.
    """
    for sort, name in enumerate(fields_in_order(process), 1):
        wanted = process.fields[name]
        if name not in found and not wanted.code:
            yield Command("userfieldconfig.add", {"moduleId": "crm", "field": _field_of(name, wanted, entity, prefix, sort)})


def _field_of(name: str, wanted: FieldDef, entity: str, prefix: str, sort: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "entityId": entity,
        "fieldName": field_code(prefix, name),
        "userTypeId": _TYPES.get(wanted.type, wanted.type),
        "multiple": "Y" if wanted.multiple else "N",
        "mandatory": "N",
        "showFilter": "Y",
        "sort": 100 + sort * 10,
        "xmlId": name,
        "editFormLabel": {"ru": wanted.label.ru, "en": wanted.label.en},
    }
    if wanted.type == "text":
        described["settings"] = {"ROWS": 4}
    if wanted.options:
        options = enumerate(wanted.options.items(), 1)
        described["enum"] = [{"value": label.ru, "xmlId": key, "sort": n * 10, "def": "N"} for n, (key, label) in options]
    return described


def type_fields(title: T, lang: Lang) -> dict[str, Any]:
    """Describe the smart process of a file: stages, pipelines, automation, clients, and tied to tasks, leads and deals."""
    flags = ("Stages", "Categories", "Automation", "Client", "Observers", "UseInUserfield", "BeginCloseDates", "Documents")
    return {
        "title": title.at(lang),
        **{f"is{flag}Enabled": "Y" for flag in flags},
        "relations": {"parent": [{"entityTypeId": kind, "isChildrenListEnabled": "true"} for kind in (LEAD, DEAL)]},
        "linkedUserFields": {"TASKS_TASK|UF_CRM_TASK": "true", "CALENDAR_EVENT|UF_CRM_CAL_EVENT": "true"},
    }


def same_title(types: Iterable[SmartType], title: T) -> SmartType | None:
    """Find a smart process by its title in either language."""
    names = {folded(title.at(lang)) for lang in LANGS}
    return next((known for known in types if folded(known.title) in names), None)
