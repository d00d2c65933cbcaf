"""Whether the parts of a process file fit each other: stages in a possible order, names that mean something."""

from __future__ import annotations

from collections import Counter

from b24app.core.process import STANDARD_FIELDS, ProcessDef, StageDef, names_of
from b24app.core.process_shape import Reading
from b24app.core.process_steps import FIELD_KINDS, Mention, PlacedStep, StepCheck
from b24app.core.process_yaml import Written
from b24app.core.robot import Catalogue
from b24app.core.roles import Role
from b24app.core.text import T, folded

_RANK = {"process": 0, "success": 1, "failure": 2}

_NO_STAGES = T("в процессе нет ни одной стадии", "the process has no stages")
_NO_SUCCESS = T("нет успешной стадии (semantics: success)", "there is no stage of success (semantics: success)")
_TWO_SUCCESSES = T("успешная стадия бывает одна", "there can be one stage of success only")
_TOO_LATE = T(
    "стадия недостижима: она стоит после завершающей, порядок — рабочие, успешная, провальные",
    "the stage cannot be reached: it stands after a final one; the order is work, success, failure",
)
_SAME_NAME = T("«{name}» — это уже стадия «{other}»", "“{name}” is the stage “{other}” already")
_SAME_ID = T("id «{id}» уже занят стадией «{other}»", "the id “{id}” belongs to the stage “{other}” already")
_EMPTY_CHANGES = T("в changes нет полей «fields»", "changes has no “fields”")
_IDLE_CHANGES = T("в changes нет шагов «then»", "changes has no steps “then”")
_IDLE_OTHERWISE = T(
    "шаги otherwise недостижимы: проверок нет", "the steps of otherwise cannot be reached: there are no checks"
)
_STANDARD = T(
    "поле «{name}» есть у каждой карточки, его не описывают", "every item has the field “{name}”, it is not declared"
)
_SAME_CODE = T("код поля {code} уже занят полем «{other}»", "the field code {code} belongs to “{other}” already")
_BAD_ROLE = T("роль не читается: «{text}»", "the role cannot be read: “{text}”")
_ROLE_WORD = T("«responsible» значит ответственного, другой роли так не называют", "“responsible” is taken")
_NO_USER = T(
    "user(0) никого не значит: дайте роли title без is, и её назначат на странице настроек",
    "user(0) is nobody: give the role a title and no “is”, and the settings page names somebody",
)
_ROLE_CIRCLE = T("роль «{name}» определена через саму себя", "the role “{name}” is defined by itself")
_SAME_FORM = T("форма «{name}» в процессе уже есть", "the process has a form “{name}” already")
_TWO_FORMS = T("у стадии «{stage}» уже есть своя форма", "the stage “{stage}” has a form of its own already")
_NOT_FORWARD = T("платёж двигает карточку только вперёд", "a payment moves an item forward only")
_TWO_RULES = T("для стадии «{stage}» уже есть правило", "there is a rule for the stage “{stage}” already")


def check(process: ProcessDef, steps: list[PlacedStep], catalogue: Catalogue, reading: Reading) -> tuple[Mention, ...]:
    """Note everything that does not fit together; returns the other processes that are spoken of."""
    checking = StepCheck(process, catalogue, reading)
    _stages(process, reading)
    _fields(process, reading)
    checking.all([*steps, *_asked(process, reading)])
    _roles(process, checking)
    _forms(process, checking)
    _corrections(process, checking)
    _booking(process, checking)
    _changes(process, checking)
    _payments(process, checking)
    return tuple(checking.mentions)


def _stages(process: ProcessDef, reading: Reading) -> None:
    line = reading.lines.get("stages", 1)
    kinds = Counter(stage.semantics for stage in process.stages)
    if not process.stages:
        if "stages" in reading.lines:
            reading.wrong(line, "stages", _NO_STAGES)
        return
    if kinds["success"] != 1:
        reading.wrong(line, "stages", _TWO_SUCCESSES if kinds["success"] else _NO_SUCCESS)
    highest = 0
    for number, stage in enumerate(process.stages):
        if _RANK[stage.semantics] < highest:
            _wrong(stage, reading, "", _TOO_LATE)
        highest = max(highest, _RANK[stage.semantics])
        _told_apart(stage, process.stages[:number], reading)
        if stage.semantics == "failure" and stage.otherwise and not stage.checks:
            _wrong(stage, reading, "otherwise", _IDLE_OTHERWISE)


def _told_apart(stage: StageDef, before: tuple[StageDef, ...], reading: Reading) -> None:
    for other in before:
        if stage.id is not None and stage.id == other.id:
            _wrong(stage, reading, "id", _SAME_ID.fill(id=stage.id, other=other.key))
        shared = (names_of(stage) & names_of(other)) - {""}
        for name in (stage.name.ru, stage.name.en, *stage.aliases):
            if folded(name) in shared:
                shared -= {folded(name)}
                part = "aliases" if name in stage.aliases else "name"
                _wrong(stage, reading, part, _SAME_NAME.fill(name=name, other=other.key))


def _wrong(stage: StageDef, reading: Reading, part: str, message: T) -> None:
    path = f"stages.{stage.key}.{part}" if part else f"stages.{stage.key}"
    reading.wrong(reading.lines.get(path, reading.lines.get(f"stages.{stage.key}", 1)), path, message)


def _fields(process: ProcessDef, reading: Reading) -> None:
    owners: dict[str, str] = {}
    for name, declared in process.fields.items():
        path = f"fields.{name}"
        if name in STANDARD_FIELDS:
            reading.wrong(reading.lines[path], path, _STANDARD.fill(name=name))
        if declared.code is not None and owners.setdefault(declared.code, name) != name:
            reading.wrong(reading.lines[path], path, _SAME_CODE.fill(code=declared.code, other=owners[declared.code]))


def _roles(process: ProcessDef, checking: StepCheck) -> None:
    reading = checking.reading
    for name, text in process.roles.items():
        path = f"roles.{name}"
        line = reading.lines.get(f"{path}.is", reading.lines[path])
        if name == "responsible":
            reading.wrong(line, path, _ROLE_WORD)
        try:
            Role.parse(text)
        except ValueError:
            if text:
                reading.wrong(line, path, _BAD_ROLE.fill(text=text[:60]))
            continue
        if text == "user(0)":
            reading.wrong(line, path, _NO_USER)
        elif _in_circle(name, process):
            reading.wrong(line, path, _ROLE_CIRCLE.fill(name=name))
        else:
            checking.role(text, path, line)


def _in_circle(name: str, process: ProcessDef) -> bool:
    seen, text = {name}, process.roles[name]
    while (inner := text.removeprefix("head_of(").removesuffix(")")) in process.roles:
        if inner in seen:
            return True
        seen.add(inner)
        text = process.roles[inner]
    return False


def _asked(process: ProcessDef, reading: Reading) -> tuple[PlacedStep, ...]:
    """Return the step that asks for the summing-up, as if the file had written it."""
    quality, lines = process.quality, reading.lines
    if quality is None or not process.stages:
        return ()
    line = lines.get("quality", 1)
    where = {"to": "quality.ask", "deadline": "quality.deadline"}
    props = {name: Written(lines.get(where.get(name, ""), line), text) for name, text in quality.step.props.items()}
    return (PlacedStep(quality.step, Written(line, {**props}), process.stages[-1].key, "enter", "quality"),)


def _forms(process: ProcessDef, checking: StepCheck) -> None:
    """Check who fills the forms in, and that each has a name and a place of its own."""
    reading = checking.reading
    seen: set[str] = set()
    placed = [(stage.form, f"stages.{stage.key}.form") for stage in process.stages if stage.form]
    if process.quality is not None:
        placed.append((process.quality.form, "quality.form"))
        for number, key in enumerate(process.quality.stages):
            path = f"quality.stages[{number}]"
            line = reading.lines.get(path, 1)
            checking.stage(key, path, line)
            if any(stage.key == key and stage.form for stage in process.stages):
                reading.wrong(line, path, _TWO_FORMS.fill(stage=key))
    for form, path in placed:
        line = reading.lines.get(path, 1)
        if form.name and form.name in seen:
            reading.wrong(reading.lines.get(f"{path}.name", line), f"{path}.name", _SAME_FORM.fill(name=form.name))
        seen.add(form.name)
        if form.who:
            _role(form.who, f"{path}.who", reading.lines.get(f"{path}.who", line), checking)


def _corrections(process: ProcessDef, checking: StepCheck) -> None:
    if process.corrections is None:
        return
    lines = checking.reading.lines
    for code, kind in process.corrections.violation_types.items():
        for number, head in enumerate(kind.heads):
            path = f"tables.violation_types.{code}.heads[{number}]"
            _role(head, path, lines.get(path, 1), checking)
    for number, route in enumerate(process.corrections.routes):
        path = f"tables.routes[{number}].responsible"
        if route.responsible:
            _role(route.responsible, path, lines.get(path, 1), checking)
    for number, reader in enumerate(process.corrections.figures):
        path = f"figures[{number}]"
        _role(reader, path, lines.get(path, 1), checking)


def _role(text: str, path: str, line: int, checking: StepCheck) -> None:
    try:
        Role.parse(text)
    except ValueError:
        checking.reading.wrong(line, path, _BAD_ROLE.fill(text=text[:60]))
        return
    checking.role(text, path, line)


def _booking(process: ProcessDef, checking: StepCheck) -> None:
    if process.booking is None:
        return
    kinds = {"date": FIELD_KINDS["date_field"], "time": FIELD_KINDS["time_field"], "person": FIELD_KINDS["user_field"]}
    for key, wanted in kinds.items():
        name, path = getattr(process.booking, key), f"booking.{key}"
        if name:
            checking.field(name, path, checking.reading.lines.get(path, 1), wanted)


def _changes(process: ProcessDef, checking: StepCheck) -> None:
    for stage in process.stages:
        if stage.changes is None:
            continue
        path = f"stages.{stage.key}.changes"
        lines = checking.reading.lines
        if f"{path}.fields" in lines and not stage.changes.fields:
            checking.reading.wrong(lines[f"{path}.fields"], f"{path}.fields", _EMPTY_CHANGES)
        if f"{path}.then" in lines and not stage.changes.then:
            checking.reading.wrong(lines[f"{path}.then"], f"{path}.then", _IDLE_CHANGES)
        for number, name in enumerate(stage.changes.fields):
            checking.field(name, f"{path}.fields", lines.get(f"{path}.fields[{number}]", 1))


def _payments(process: ProcessDef, checking: StepCheck) -> None:
    seen: set[str] = set()
    for number, rule in enumerate(process.payments):
        path = f"payments[{number}]"
        line = checking.reading.lines.get(path, 1)
        if rule.stage in seen:
            checking.reading.wrong(line, path, _TWO_RULES.fill(stage=rule.stage))
        seen.add(rule.stage)
        ends = [
            checking.stage(key, f"{path}.{part}", checking.reading.lines.get(f"{path}.{part}", line))
            for part, key in (("stage", rule.stage), ("to", rule.to))
            if key
        ]
        if len(ends) == 2 and ends[0] is not None and ends[1] is not None and ends[1] <= ends[0]:
            checking.reading.wrong(line, path, _NOT_FORWARD)
        for name in rule.close:
            checking.task(name, f"{path}.close", checking.reading.lines.get(f"{path}.close", line))
