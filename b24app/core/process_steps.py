"""The steps of a process file against the catalogue: do these robots exist, and can they do with what is written.

What a property means follows from its type and its name, for every robot alike: ``…_field`` and ``fields`` name fields of
the process, a `Role` somebody, ``to`` as a word a stage, ``task``, ``tasks`` and ``keep`` names of tasks, ``links`` and
``video`` addresses, ``…after`` and ``…before`` pauses at whose end somebody has to get something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from b24app.core import wording
from b24app.core.actions import Step
from b24app.core.giving import task_name
from b24app.core.item import parse_time
from b24app.core.process import STANDARD_FIELDS, FieldType, ProcessDef
from b24app.core.process_shape import Reading, guess, says_something
from b24app.core.process_yaml import Place, Written
from b24app.core.properties import BadProperty, Property, from_file, properties_of
from b24app.core.robot import Catalogue, Robot
from b24app.core.roles import Role
from b24app.core.text import LANGS, T
from b24app.core.worktime import Pause

Block = Literal["checks", "otherwise", "enter", "changes", "leave"]

NEEDS_CHECKLIST = frozenset({"autotask", "installer_task"})
FIELD_KINDS: Mapping[str, tuple[FieldType, ...]] = {
    "date_field": ("date", "datetime"),
    "user_field": ("employee",),
    "time_field": ("string", "time", "text", "datetime"),
}
_LIMITS = {"checklist": wording.LINE, "control_checklist": wording.LINE, "steps": wording.NOTICE}
_TEXT_LIMITS = {"send_sms": wording.SMS, "notify": wording.NOTICE}
_TASK_WORDS = frozenset({"task", "tasks", "keep", "close"})
_PAUSE_NAME = re.compile(r"^(\w+_)?(after|before)$")
_ROLE_PARTS = re.compile(r"(field)\((\w+)\)|head_of\((\w+)\)|user\(\d+\)|(\w+)")

_NO_ROBOT = T("нет робота «{robot}»{guess}", "there is no robot “{robot}”{guess}")
_INTERNAL = T("робот «{robot}» внутренний, в файле его не пишут", "the robot “{robot}” is internal and not written in files")
_NO_CHECK = T("«{robot}» — не проверка, его место в enter", "“{robot}” is no check, it belongs under enter")
_WRONG_ITEM = T("робот «{robot}» не для таких карточек", "the robot “{robot}” is not for this kind of item")
_NO_FIELD = T("поле «{name}» не описано в fields{guess}", "the field “{name}” is not declared under fields{guess}")
_FIELD_KIND = T("поле «{name}» должно быть типа {kinds}", "the field “{name}” has to be of type {kinds}")
_NO_ROLE = T("роль «{name}» не описана в roles{guess}", "the role “{name}” is not declared under roles{guess}")
_NO_STAGE = T("нет стадии «{name}»{guess}", "there is no stage “{name}”{guess}")
_NOT_BACK = T("вернуть можно только на прежнюю стадию", "an item is returned to an earlier stage only")
_NO_TASK = T("задачу «{name}» никто не ставит{guess}", "no step gives a task named “{name}”{guess}")
_NO_CHECKLIST = T("у автозадачи нет чек-листа", "the task has no checklist")
_NO_ADDRESSEE = T("у паузы «{pause}» нет адресата: напишите «{to}»", "the pause “{pause}” has no addressee: write “{to}”")
_NO_PLACE = T("неизвестное место {{name}} в тексте{guess}", "unknown place {{name}} in the text{guess}")
_LINK = T("нужна ссылка http:// или https://: {link}", "a link of http:// or https:// is wanted: {link}")
_CLOCK = T("нужно время, например 10:00", "a time of day is wanted, such as 10:00")
_ONE_LANGUAGE = T("нужен текст на обоих языках: {ru: …, en: …}", "the text is needed in both languages: {ru: …, en: …}")
_LONG = T("текст длиннее {limit} знаков ({lang})", "the text is longer than {limit} characters ({lang})")
_PROPERTY = T("{name}: {why}{guess}", "{name}: {why}{guess}")


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A step and where it stands: on which stage, in which block, at which line."""

    step: Step
    props: Written
    stage: str
    block: Block
    path: str
    nested: bool = False
    """Whether it follows from another step (``done``)."""


@dataclass(frozen=True, slots=True)
class Mention:
    """Another process, named by a step."""

    process: str
    place: Place


def placed_step(node: Written, stage: str, path: str, block: Block) -> PlacedStep | None:
    """Take a step apart: ``robot``, ``robot:`` or ``robot: {properties}``; None for anything else."""
    if isinstance(node.value, str) and node.value.strip():
        return PlacedStep(Step(node.value), Written(node.line, {}), stage, block, path)
    if node.mapping is None or len(node.mapping) != 1:
        return None
    robot, props = next(iter(node.mapping.items()))
    if props.value is not None and props.mapping is None:
        return None
    plain = props.plain()
    return PlacedStep(
        Step(robot, plain if isinstance(plain, dict) else {}), Written(props.line, props.mapping or {}), stage, block, path
    )


@dataclass(slots=True)
class StepCheck:
    """Check the steps of one process; ``mentions`` are the other processes they name."""

    process: ProcessDef
    catalogue: Catalogue
    reading: Reading
    tasks: frozenset[str] = frozenset()
    mentions: list[Mention] = field(default_factory=list)

    def all(self, steps: list[PlacedStep]) -> None:
        """Check every step, and the steps that follow from them."""
        nested = [inner for step in steps for inner in within(step, self.catalogue)]
        self.tasks = task_names([*steps, *nested], self.catalogue, self.process)
        for step in (*steps, *nested):
            self.one(step)

    def one(self, placed: PlacedStep) -> None:
        code = placed.step.robot
        robot = self.catalogue.get(code)
        if robot is None:
            known = [known.code for known in self.catalogue.values() if not known.internal]
            self._wrong(placed, _NO_ROBOT.fill(robot=code, guess=guess(code, known)))
            return
        kind = self.process.entity_type_id
        if robot.internal:
            self._wrong(placed, _INTERNAL.fill(robot=code))
        elif placed.block == "checks" and not placed.nested and not robot.check:
            self._wrong(placed, _NO_CHECK.fill(robot=code))
        if robot.entity_types is not None and kind is not None and kind not in robot.entity_types:
            self._wrong(placed, _WRONG_ITEM.fill(robot=code))
        self._properties(placed, robot)

    def _properties(self, placed: PlacedStep, robot: Robot[Any]) -> None:
        known = {p.name: p for p in properties_of(robot.props)}
        written = dict(flat(placed.props, known))
        for problem in from_file(robot, placed.step.props)[1]:
            self._misread(placed, problem, written, known)
        for name, node in written.items():
            if name in known and node.value is not None:
                self._property(placed, robot, known[name], node)
        self._pauses(placed, known, written)
        self._defaults(placed, known, written)
        checklist = written.get("checklist")
        if robot.code in NEEDS_CHECKLIST and not known["checklist"].default and not (checklist and checklist.value):
            self._wrong(placed, _NO_CHECKLIST)

    def _misread(
        self, placed: PlacedStep, problem: BadProperty, written: Mapping[str, Written], known: Mapping[str, Property]
    ) -> None:
        node = written.get(problem.name, placed.props)
        close = guess(problem.name, known) if problem.name not in known else ""
        message = _PROPERTY.fill(name=problem.name, why=problem.why, guess=close)
        self.reading.wrong(node.line, f"{placed.path}.{placed.step.robot}.{problem.name}", message)

    def _property(self, placed: PlacedStep, robot: Robot[Any], p: Property, node: Written) -> None:
        """Check what a written value speaks of; whether it can be read at all was `from_file`'s business."""
        for single in node.sequence if p.multiple and node.sequence is not None else (node,):
            if p.type is T:
                self._text(placed, robot, p, single)
            elif isinstance(single.value, str) and single.value.strip():
                if p.type is Role:
                    self.role(single.value, self._where(placed, p), single.line)
                elif p.type is str:
                    self._word(placed, p, single)

    def _text(self, placed: PlacedStep, robot: Robot[Any], p: Property, node: Written) -> None:
        where = self._where(placed, p)
        parts = {lang: node.mapping[lang].plain() for lang in LANGS if lang in node.mapping} if node.mapping else {}
        if node.mapping is None:
            if not isinstance(node.value, (str, int)):
                return
            told = str(node.value).strip().partition(" ")[2] if p.name == "links" else str(node.value)
            if says_something(told):
                self.reading.wrong(node.line, where, _ONE_LANGUAGE)
            parts = {"ru": str(node.value)}
        if p.name == "links":
            for text in parts.values():
                self._web(str(text), where, node.line)
        titled = p.name == "title" or p.name.endswith("_title")
        default = _TEXT_LIMITS.get(robot.code, wording.BODY) if p.name == "text" else wording.BODY
        limit = wording.TITLE if titled else _LIMITS.get(p.name, default)
        for lang, text in parts.items():
            if isinstance(text, str) and len(text) > limit:
                self.reading.wrong(node.line, where, _LONG.fill(limit=limit, lang=lang))
        known = wording.PLACES | set(self.process.fields) | _places_of(robot)
        said = T(str(parts.get("ru", "")), str(parts.get("en", "")))
        for name in sorted(said.places() - known):
            self.reading.wrong(node.line, where, _NO_PLACE.fill(name=name, guess=guess(name, known)))

    def _word(self, placed: PlacedStep, p: Property, node: Written) -> None:
        where, text = self._where(placed, p), str(node.value).strip()
        if p.name == "video":
            self._web(text, where, node.line)
        elif p.name == "fields" or p.name.endswith("_field"):
            self.field(text, where, node.line, FIELD_KINDS.get(p.name, ()))
        elif p.name == "to":
            self._stage(placed, text, where, node.line)
        elif p.name in _TASK_WORDS:
            self.task(text, where, node.line)
        elif p.name == "at" and parse_time(text) is None:
            self.reading.wrong(node.line, where, _CLOCK)
        elif p.name == "pipeline":
            self.mentions.append(Mention(text, Place(self.reading.file, node.line, where)))

    def _web(self, text: str, where: str, line: int) -> None:
        """Complain of what is no address of the web, with or without a title behind it."""
        if not wording.is_web(text.strip().partition(" ")[0]):
            self.reading.wrong(line, where, _LINK.fill(link=text[:80]))

    def _stage(self, placed: PlacedStep, key: str, where: str, line: int) -> None:
        target = self.stage(key, where, line)
        order = [stage.key for stage in self.process.stages]
        if target is not None and placed.step.robot == "return_deal" and target >= order.index(placed.stage):
            self.reading.wrong(line, where, _NOT_BACK)

    def _pauses(self, placed: PlacedStep, known: Mapping[str, Property], written: Mapping[str, Written]) -> None:
        for name, p in known.items():
            match = _PAUSE_NAME.match(name) if p.type is Pause else None
            to = f"{match.group(1) or ''}to" if match else ""
            agreed = written.get(name, None if p.default is None else placed.props)
            if agreed is not None and to in known and to not in written:
                path = f"{placed.path}.{placed.step.robot}.{name}"
                self.reading.wrong(agreed.line, path, _NO_ADDRESSEE.fill(pause=name, to=to))

    def _defaults(self, placed: PlacedStep, known: Mapping[str, Property], written: Mapping[str, Written]) -> None:
        """Check the fields a step cannot do without, where it leaves them at the robot's default."""
        for name in ("date_field", "user_field"):
            if name in known and name not in written and known[name].default:
                where = f"{placed.path}.{placed.step.robot}"
                self.field(known[name].default, where, placed.props.line, FIELD_KINDS[name])

    # What steps, roles and payments speak of ----------------------------------------------------------------------------

    def field(self, name: str, where: str, line: int, kinds: tuple[FieldType, ...] = ()) -> None:
        """Note a field that is not declared, or of another type than is wanted."""
        declared = self.process.fields.get(name)
        if declared is None:
            if name not in STANDARD_FIELDS or kinds:
                close = guess(name, [*self.process.fields, *STANDARD_FIELDS])
                self.reading.wrong(line, where, _NO_FIELD.fill(name=name, guess=close))
        elif kinds and declared.type not in kinds and not self.reading.doubts(f"fields.{name}.type"):
            self.reading.wrong(line, where, _FIELD_KIND.fill(name=name, kinds=" / ".join(kinds)))

    def role(self, text: str, where: str, line: int) -> None:
        """Note a role nobody declared; one that cannot be read at all is noted elsewhere."""
        try:
            role = Role.parse(text)
        except ValueError:
            return
        match = _ROLE_PARTS.fullmatch(role.text)
        inner = (match.group(3) or match.group(4)) if match else None
        if match and match.group(2):
            self.field(match.group(2), where, line, ("employee",))
        elif inner and inner != "responsible" and inner not in self.process.roles:
            close = guess(inner, [*self.process.roles, "responsible"])
            self.reading.wrong(line, where, _NO_ROLE.fill(name=inner, guess=close))

    def stage(self, key: str, where: str, line: int) -> int | None:
        """Return a stage's place in the order; note one that does not exist."""
        for number, stage in enumerate(self.process.stages):
            if key in (stage.key, stage.id):
                return number
        close = guess(key, [stage.key for stage in self.process.stages])
        self.reading.wrong(line, where, _NO_STAGE.fill(name=key, guess=close))
        return None

    def task(self, name: str, where: str, line: int) -> None:
        """Note a task that no step gives."""
        if name not in self.tasks:
            self.reading.wrong(line, where, _NO_TASK.fill(name=name, guess=guess(name, self.tasks)))

    def _where(self, placed: PlacedStep, p: Property) -> str:
        return f"{placed.path}.{placed.step.robot}.{p.name}"

    def _wrong(self, placed: PlacedStep, message: T) -> None:
        self.reading.wrong(placed.props.line, placed.path, message)


def flat(props: Written, known: Mapping[str, Property]) -> Iterator[tuple[str, Written]]:
    """Walk properties with their lines; ``control: {after: 24h}`` is ``control_after``, as for `properties.from_file`."""
    for name, node in (props.mapping or {}).items():
        if name not in known and node.mapping is not None and any(k.startswith(f"{name}_") for k in known):
            for inner, child in node.mapping.items():
                yield f"{name}_{inner}", child
        else:
            yield name, node


def within(placed: PlacedStep, catalogue: Catalogue) -> Iterator[PlacedStep]:
    """Walk the steps that follow from a step (``done``), and those that follow from them."""
    robot = catalogue.get(placed.step.robot)
    known = {p.name: p for p in properties_of(robot.props)} if robot else {}
    for name, node in flat(placed.props, known):
        if name in known and known[name].type is Step:
            for number, child in enumerate(node.sequence or ()):
                path = f"{placed.path}.{placed.step.robot}.{name}[{number}]"
                inner = placed_step(child, placed.stage, path, placed.block)
                if inner is not None:
                    yield replace(inner, nested=True)
                    yield from within(inner, catalogue)


def task_names(steps: list[PlacedStep], catalogue: Catalogue, process: ProcessDef) -> frozenset[str]:
    """Collect the names of all tasks a process gives, written or made of their titles."""
    names = {f"mend:{stage.key}" for stage in process.stages}
    for placed in steps:
        robot = catalogue.get(placed.step.robot)
        props = {p.name: p for p in properties_of(robot.props)} if robot else {}
        if "name" in props and "title" in props:
            written, title = placed.step.props.get("name"), placed.step.props.get("title")
            ru = str(title.get("ru") or "") if isinstance(title, Mapping) else str(title or "")
            names.add(task_name(T.same(ru), str(written or props["name"].default or "")))
    return frozenset(names)


def _places_of(robot: Robot[Any]) -> set[str]:
    """Collect the places a robot's own texts hold: it fills them in what is written instead, too."""
    defaults = (p.default for p in properties_of(robot.props) if p.type is T)
    return {place for default in defaults if isinstance(default, T) for place in default.places()}
