"""Process files: YAML in, a `ProcessDef` out, or every problem of the file with its line.

The form is read here; whether the parts fit each other and the robots is `b24app.core.process_check`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from b24app.core.actions import Step
from b24app.core.item import Semantics
from b24app.core.process import (
    Booking,
    Changes,
    FieldDef,
    FieldType,
    ItemKind,
    PaymentRule,
    PipelineDef,
    ProcessDef,
    SmartType,
    StageDef,
    versioned,
)
from b24app.core.process_check import check
from b24app.core.process_forms import CORRECTIONS, FormReader
from b24app.core.process_shape import Reading
from b24app.core.process_steps import Block, Mention, PlacedStep, placed_step
from b24app.core.process_yaml import MAX_CHARACTERS, Place, Problem, Written, read_yaml
from b24app.core.robot import Catalogue
from b24app.core.text import EMPTY, T, folded

_KEYS = (
    "process", "title", "item", "smart", "pipeline", "roles", "fields", "booking", "payments", "quality", *CORRECTIONS,
    "stages",
)  # fmt: skip
_STAGE_KEYS = (
    "name", "aliases", "semantics", "id", "requires", "checks", "otherwise", "enter", "form", "changes", "leave",
)  # fmt: skip
FIELD_TYPES: tuple[FieldType, ...] = get_args(FieldType)
NAME_LIMIT = 100

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_STATUS_ID = re.compile(r"[A-Z0-9_]+(:[A-Z0-9_]+)?")
_STAGE_KEY = re.compile(f"{_NAME.pattern}|{_STATUS_ID.pattern}")
_FIELD_CODE = re.compile(r"UF_CRM_[A-Z0-9_]+|ufCrm[A-Za-z0-9_]+")
_NAME_RULE = T("строчные латинские буквы, цифры и «_», до 40", "small Latin letters, digits and “_”, up to 40")
_ID_RULE = T("нужен STATUS_ID портала, например C7:EXECUTING", "a portal's STATUS_ID is wanted, such as C7:EXECUTING")
_CODE_RULE = T(
    "нужен код поля портала, например UF_CRM_CONTRACT", "a portal's field code is wanted, such as UF_CRM_CONTRACT"
)

_ONE_OF = T("нужен ровно один ключ из: {keys}", "exactly one of these keys is wanted: {keys}")
_NOT_SMART = T("«smart» бывает только при item: smart", "“smart” belongs to item: smart only")
_NO_SMART = T("для item: smart нужен раздел «smart»", "item: smart needs the section “smart”")
_NO_PIPELINE = T("для сделок нужен раздел «pipeline»", "deals need the section “pipeline”")
_LEADS = T("у лидов нет воронок", "leads have no pipelines")
_STEP = T("шаг пишется как «робот: {свойства}»", "a step is written as “robot: {properties}”")
_OPTIONS = T("перечню нужны варианты «options»", "an enumeration needs its “options”")
_NO_OPTIONS = T("варианты бывают только у перечня", "only an enumeration has options")
_UNREADABLE = T("файл не читается: {why}", "the file cannot be read: {why}")
_NO_FOLDER = T("нет такой папки", "there is no such folder")
_SAME_CODE = T("процесс «{code}» уже описан в {other}", "the process “{code}” is already described in {other}")
_SAME_PIPELINE = T("эту воронку уже ведёт {other}", "this pipeline is already run by {other}")
_NO_PROCESS = T("нет процесса «{code}» для сделок", "there is no process “{code}” of deals")


class ProcessProblems(Exception):
    """A process file cannot be used; ``problems`` holds everything that is wrong, by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.place.file, p.place.line, p.place.path))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class ProcessFile:
    """A process and the file it was read from; ``lines`` knows the line of every path, such as ``stages.new.enter[0]``."""

    process: ProcessDef
    file: str
    lines: dict[str, int]
    mentions: tuple[Mention, ...] = ()
    """Other processes its steps speak of."""

    def place(self, path: str) -> Place:
        """Return where a path stands: its own line, or that of the nearest part around it."""
        around = path
        while around and around not in self.lines:
            around = re.sub(r"(\.[^.\[]*|\[\d+\]|^[^.\[]*)$", "", around)
        return Place(self.file, self.lines.get(around, 1), path)


def read_process(text: str, name: str, catalogue: Catalogue) -> ProcessDef:
    """Read a process; raises `ProcessProblems` with everything that is wrong in the file."""
    return read_process_file(text, name, catalogue).process


def read_process_file(text: str, name: str, catalogue: Catalogue) -> ProcessFile:
    """Read a process together with its places; raises `ProcessProblems` with everything that is wrong in the file."""
    root, problems = read_yaml(text, name)
    if root is None:
        raise ProcessProblems(problems)
    reading = Reading(name, problems)
    parts = _Parts(reading)
    process = parts.process(root)
    mentions = check(process, parts.steps, catalogue, reading)
    if reading.problems:
        raise ProcessProblems(reading.problems)
    return ProcessFile(versioned(process), name, reading.lines, mentions)


def read_folder(path: Path, catalogue: Catalogue) -> tuple[ProcessFile, ...]:
    """Read all ``*.yaml`` of a folder (not of folders inside it), by name.

    Raises `ProcessProblems` with everything that is wrong in any file and between files.
    """
    if not path.is_dir():
        raise ProcessProblems([Problem(Place(str(path), 1), _NO_FOLDER)])
    files: list[ProcessFile] = []
    problems: list[Problem] = []
    for file in sorted(p for p in path.iterdir() if p.suffix in (".yaml", ".yml") and p.is_file()):
        try:
            files.append(read_process_file(_text_of(file), file.name, catalogue))
        except ProcessProblems as found:
            problems += found.problems
    problems += _between(files, all_read=not problems)
    if problems:
        raise ProcessProblems(problems)
    return tuple(files)


def _text_of(file: Path) -> str:
    try:
        with file.open(encoding="utf-8-sig") as opened:
            return opened.read(MAX_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ProcessProblems([Problem(Place(file.name, 1), _UNREADABLE.fill(why=error))]) from error


def _between(files: list[ProcessFile], *, all_read: bool) -> Iterable[Problem]:
    codes: dict[str, str] = {}
    pipelines: dict[object, str] = {}
    for file in files:
        process = file.process
        if codes.setdefault(process.code, file.file) != file.file:
            yield Problem(file.place("process"), _SAME_CODE.fill(code=process.code, other=codes[process.code]))
        pipeline = _pipeline_key(process)
        if pipelines.setdefault(pipeline, file.file) != file.file:
            yield Problem(file.place("pipeline"), _SAME_PIPELINE.fill(other=pipelines[pipeline]))
    deals = {file.process.code for file in files if file.process.item == "deal"}
    for file in files:
        for mention in file.mentions:
            if all_read and mention.process not in deals:
                yield Problem(mention.place, _NO_PROCESS.fill(code=mention.process))


def _pipeline_key(process: ProcessDef) -> object:
    smart, pipeline = process.smart, process.pipeline
    kind = (smart.entity_type_id or folded(smart.title.ru if smart.title else "")) if smart else process.item
    return kind, pipeline.id, folded(pipeline.name.ru) if pipeline.name else None


@dataclass(slots=True)
class _Parts:
    """The parts of a file, read one after another; ``steps`` collects every step with its place."""

    reading: Reading
    steps: list[PlacedStep]
    forms: FormReader

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.steps = []
        self.forms = FormReader(reading, lambda node, stage, path: self._steps(node, stage, path, "enter"))

    def process(self, root: Written) -> ProcessDef:
        r = self.reading
        top = r.section(root, "", _KEYS, ("process", "title", "item", "stages"))
        item = cast(ItemKind, r.choice(top["item"], "item", ("deal", "lead", "smart"))) if "item" in top else "deal"
        corrections = self.forms.corrections(top)
        roles = self._roles(top.get("roles"))
        stages = self._stages(top.get("stages"))
        return ProcessDef(
            code=r.word(top["process"], "process", _NAME, _NAME_RULE) if "process" in top else "",
            title=r.bilingual(top["title"], "title", NAME_LIMIT) if "title" in top else EMPTY,
            item=item,
            smart=self._smart(top.get("smart"), item, root.line),
            pipeline=self._pipeline(top.get("pipeline"), item, root.line),
            roles={name: meant for name, (meant, _) in roles.items()},
            role_titles={name: title for name, (_, title) in roles.items() if title != EMPTY},
            fields=self._fields(top.get("fields")),
            booking=self._booking(top.get("booking")),
            payments=self._payments(top.get("payments")),
            quality=self.forms.quality(top.get("quality"), stages[-1].key if stages else ""),
            corrections=corrections,
            stages=stages,
        )

    def _smart(self, node: Written | None, item: ItemKind, line: int) -> SmartType | None:
        r = self.reading
        if node is None or item != "smart":
            if (node is None) == (item == "smart"):
                r.wrong(node.line if node else line, "smart", _NOT_SMART if node else _NO_SMART)
            return None
        part = r.section(node, "smart", ("title", "entity_type_id"))
        self._one_of(node, "smart", part, ("title", "entity_type_id"))
        number = part.get("entity_type_id")
        return SmartType(
            title=r.bilingual(part["title"], "smart.title", NAME_LIMIT) if "title" in part else None,
            entity_type_id=r.whole(number, "smart.entity_type_id", 128, 10**6) if number else None,
        )

    def _pipeline(self, node: Written | None, item: ItemKind, line: int) -> PipelineDef:
        r = self.reading
        if node is None:
            if item == "deal":
                r.wrong(line, "pipeline", _NO_PIPELINE)
            return PipelineDef(default=True)
        if item == "lead":
            r.wrong(node.line, "pipeline", _LEADS)
        part = r.section(node, "pipeline", ("name", "id", "default"))
        self._one_of(node, "pipeline", part, ("name", "id", "default"))
        return PipelineDef(
            name=r.bilingual(part["name"], "pipeline.name", NAME_LIMIT) if "name" in part else None,
            id=r.whole(part["id"], "pipeline.id", 0, 10**9) if "id" in part else None,
            default=r.flag(part["default"], "pipeline.default") if "default" in part else False,
        )

    def _one_of(self, node: Written, path: str, part: dict[str, Written], keys: tuple[str, ...]) -> None:
        if node.mapping is not None and len(part) != 1:
            self.reading.wrong(node.line, path, _ONE_OF.fill(keys=", ".join(keys)))

    def _named(self, node: Written | None, path: str, pattern: re.Pattern[str]) -> Iterable[tuple[str, Written, str]]:
        """Walk the members of a mapping whose keys are names."""
        for name, child in self.reading.mapping(node, path).items() if node else ():
            self.reading.word(Written(child.line, name), f"{path}.{name}", pattern, _NAME_RULE)
            yield name, child, f"{path}.{name}"

    def _roles(self, node: Written | None) -> dict[str, tuple[str, T]]:
        return {name: self._role(child, path) for name, child, path in self._named(node, "roles", _NAME)}

    def _role(self, node: Written, path: str) -> tuple[str, T]:
        """Read whom a role means and what people call it; one that means nobody yet needs a title to be named by."""
        r = self.reading
        if node.mapping is None:
            return r.text(node, path), EMPTY
        part = r.section(node, path, ("is", "title"), () if "is" in node.mapping else ("title",))
        return (
            r.text(part["is"], f"{path}.is") if "is" in part else "",
            r.bilingual(part["title"], f"{path}.title", NAME_LIMIT) if "title" in part else EMPTY,
        )

    def _fields(self, node: Written | None) -> dict[str, FieldDef]:
        return {name: self._field(name, child, path) for name, child, path in self._named(node, "fields", _NAME)}

    def _field(self, name: str, node: Written, path: str) -> FieldDef:
        r = self.reading
        part = r.section(node, path, ("type", "label", "code", "options", "multiple"), ("type", "label"))
        kind = cast(FieldType, r.choice(part["type"], f"{path}.type", FIELD_TYPES)) if "type" in part else "string"
        if ("options" in part) != (kind == "enumeration"):
            r.wrong(node.line, path, _NO_OPTIONS if "options" in part else _OPTIONS)
        options = self._named(part.get("options"), f"{path}.options", _NAME)
        return FieldDef(
            name=name,
            type=kind,
            label=r.bilingual(part["label"], f"{path}.label", NAME_LIMIT) if "label" in part else EMPTY,
            code=r.word(part["code"], f"{path}.code", _FIELD_CODE, _CODE_RULE) or None if "code" in part else None,
            options={key: r.bilingual(child, where, NAME_LIMIT) for key, child, where in options},
            multiple=r.flag(part["multiple"], f"{path}.multiple") if "multiple" in part else False,
        )

    def _booking(self, node: Written | None) -> Booking | None:
        if node is None:
            return None
        r = self.reading
        part = r.section(node, "booking", ("date", "time", "person", "hours"), ("date", "time", "person"))
        named = {key: r.text(part[key], f"booking.{key}") if key in part else "" for key in ("date", "time", "person")}
        hours = r.whole(part["hours"], "booking.hours", 1, 24) if "hours" in part else 4
        return Booking(named["date"], named["time"], named["person"], hours or 4)

    def _payments(self, node: Written | None) -> tuple[PaymentRule, ...]:
        r = self.reading
        rules: list[PaymentRule] = []
        for number, child in enumerate(r.sequence(node, "payments") if node else ()):
            path = f"payments[{number}]"
            part = r.section(child, path, ("stage", "to", "close"), ("stage", "to"))
            ends = {key: r.text(part[key], f"{path}.{key}") if key in part else "" for key in ("stage", "to")}
            close = r.texts(part["close"], f"{path}.close") if "close" in part else ()
            rules.append(PaymentRule(ends["stage"], ends["to"], close))
        return tuple(rules)

    def _stages(self, node: Written | None) -> tuple[StageDef, ...]:
        return tuple(self._stage(key, child, path) for key, child, path in self._named(node, "stages", _STAGE_KEY))

    def _stage(self, key: str, node: Written, path: str) -> StageDef:
        r = self.reading
        part = r.section(node, path, _STAGE_KEYS, ("name",))
        kinds: tuple[Semantics, ...] = ("process", "success", "failure")
        semantics = r.choice(part["semantics"], f"{path}.semantics", kinds) if "semantics" in part else "process"
        known_id = key if _STATUS_ID.fullmatch(key) else None
        return StageDef(
            key=key,
            name=r.bilingual(part["name"], f"{path}.name", NAME_LIMIT) if "name" in part else EMPTY,
            aliases=r.texts(part["aliases"], f"{path}.aliases") if "aliases" in part else (),
            semantics=cast(Semantics, semantics),
            id=r.word(part["id"], f"{path}.id", _STATUS_ID, _ID_RULE) or None if "id" in part else known_id,
            checks=self._requires(part, key, path) + self._steps(part.get("checks"), key, f"{path}.checks", "checks"),
            otherwise=self._steps(part.get("otherwise"), key, f"{path}.otherwise", "otherwise"),
            enter=self._steps(part.get("enter"), key, f"{path}.enter", "enter"),
            form=self.forms.form(part.get("form"), key, f"{path}.form"),
            changes=self._changes(part.get("changes"), key, f"{path}.changes"),
            leave=self._steps(part.get("leave"), key, f"{path}.leave", "leave"),
        )

    def _requires(self, part: dict[str, Written], stage: str, path: str) -> tuple[Step, ...]:
        """Read the short form: ``requires: [amount]`` is a first check ``require_fields: {fields: [amount]}``."""
        node = part.get("requires")
        if node is None:
            return ()
        fields = self.reading.texts(node, f"{path}.requires")
        step = Step("require_fields", {"fields": list(fields)})
        props = Written(node.line, {"fields": node})
        self.steps.append(PlacedStep(step, props, stage, "checks", f"{path}.requires"))
        return (step,)

    def _changes(self, node: Written | None, stage: str, path: str) -> Changes | None:
        if node is None:
            return None
        part = self.reading.section(node, path, ("fields", "then"), ("fields", "then"))
        fields = self.reading.texts(part["fields"], f"{path}.fields") if "fields" in part else ()
        return Changes(fields, self._steps(part.get("then"), stage, f"{path}.then", "changes"))

    def _steps(self, node: Written | None, stage: str, path: str, block: Block) -> tuple[Step, ...]:
        members = enumerate(self.reading.sequence(node, path)) if node else ()
        steps = (self._step(child, stage, f"{path}[{n}]", block) for n, child in members)
        return tuple(step for step in steps if step is not None)

    def _step(self, node: Written, stage: str, path: str, block: Block) -> Step | None:
        placed = placed_step(node, stage, path, block)
        if placed is None:
            self.reading.wrong(node.line, path, _STEP)
            return None
        self.steps.append(placed)
        return placed.step
