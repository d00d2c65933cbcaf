"""Process files against what a portal has: pipelines, stages and fields that are gone or renamed; fields made anew.

Pages: api-reference/crm/status/, crm/universal/category/, crm/universal/userfieldconfig/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from b24app.bitrix.errors import PortalError
from b24app.bitrix.gate import Gate
from b24app.core.item import LEAD
from b24app.core.process import ProcessDef, names_of
from b24app.core.text import T, folded
from b24app.engine.known import process_of_version
from b24app.engine.setup import layout
from b24app.engine.setup import pipeline_shape as shape
from b24app.engine.setup.pipeline_look import Seen, look, look_at_kind
from b24app.engine.watching.doctor_checks import Finding
from b24app.engine.workshop import Workshop
from b24app.store import processes
from b24app.store.portals import Portal
from b24app.store.processes import Tie

_TIE = T("Привяжите процесс заново на главной странице", "Tie the process anew on the application's main page")


@dataclass(frozen=True, slots=True)
class Tied:
    """A process as it is tied: in the version new items get, and as its file says now (None: the file is gone)."""

    tie: Tie
    process: ProcessDef
    file: ProcessDef | None


def tied_processes(workshop: Workshop, portal: Portal) -> list[Tied]:
    """Return the processes tied to a portal."""
    files = workshop.processes_of(portal)
    with workshop.database.read() as connection:
        found = [
            (tie, process_of_version(connection, workshop, portal, tie.code, tie.version))
            for tie in processes.ties(connection, portal.id)
        ]
    return [Tied(tie, process, files.get(tie.code)) for tie, process in found if process is not None]


def seen_by(gate: Gate, tied: Sequence[Tied]) -> Seen:
    """Read what the processes are tied to; raises ``PortalError``."""
    seen = look(gate, [one.process for one in tied])
    for one in tied:  # a smart process may have another title by now: it is known by its number
        if one.tie.entity_type_id not in seen.fields and _exists(one, seen):
            look_at_kind(gate, seen, one.tie.entity_type_id)
    return seen


def examine(workshop: Workshop, portal: Portal, tied: Sequence[Tied], seen: Seen) -> Iterator[Finding]:
    """Judge every process of a portal."""
    codes = {one.tie.code for one in tied}
    for code, process in workshop.processes_of(portal).items():
        if code not in codes:
            yield _note(process, T("не привязан к воронке", "is not tied to a pipeline"))
    for one in tied:
        found = [*_file(one), *_pipeline(one, seen)]
        fine = T("«{title}»: воронка, стадии и поля на месте", "“{title}”: pipeline, stages and fields are in place")
        yield from found or [Finding("process", "ok", fine.fill(title=one.process.title))]


def _file(one: Tied) -> Iterator[Finding]:
    if not one.tie.enabled:
        yield _note(one.process, T("выключен", "is switched off"))
    if one.file is None:
        text = T("файла процесса больше нет, работает сохранённая версия", "has no file any more; the version kept goes on")
        yield _bad(one.process, text, T("Верните файл или выключите процесс", "Bring the file back or switch it off"))
    elif one.file.version != one.tie.version:
        text = T(
            "файл изменился, новые сделки идут по прежней версии", "its file has changed; new items get the old version"
        )
        yield _bad(
            one.process, text, T("Примените новую версию на главной странице", "Apply it on the application's main page")
        )


def _pipeline(one: Tied, seen: Seen) -> Iterator[Finding]:
    kind, category = one.tie.entity_type_id, one.tie.category_id
    if not _exists(one, seen) or (kind != LEAD and category not in {known.id for known in seen.categories.get(kind, [])}):
        yield _broken(one, T("воронки больше нет", "its pipeline is gone"))
        return
    there = {stage.status_id: stage.name for stage in seen.stages_of(kind, category)}
    gone = [stage.name for stage in one.process.stages if one.tie.stages.get(stage.key, "") not in there]
    if gone:
        yield _broken(one, T("нет стадий: {names}", "stages are gone: {names}").fill(names=_listed(gone)))
    renamed = [
        T(f"{stage.name.ru} → {name}", f"{stage.name.en} → {name}")
        for stage in one.process.stages
        if (name := there.get(one.tie.stages.get(stage.key, ""))) is not None and folded(name) not in names_of(stage)
    ]
    if renamed:
        text = T(
            "стадии названы иначе (привязка по коду, работе не мешает): {names}",
            "stages are called differently (tied by code, no harm): {names}",
        )
        yield _note(one.process, text.fill(names=_listed(renamed)))
    yield from _fields(one, seen)


def _fields(one: Tied, seen: Seen) -> Iterator[Finding]:
    missing = missing_fields(one, seen)
    ours = [label for label, code in missing.values() if not code]
    theirs = [label for label, code in missing.values() if code]
    if ours:
        text = T("нет полей: {names}", "fields are missing: {names}").fill(names=_listed(ours))
        yield Finding("process", "broken", _about(one.process, text), T.same("doctor --fix"), "fields")
    if theirs:
        text = T("нет полей, названных в файле: {names}", "fields the file names are missing: {names}")
        yield _broken(one, text.fill(names=_listed(theirs)))


def missing_fields(one: Tied, seen: Seen) -> Mapping[str, tuple[T, str]]:
    """Return the fields of a process that the portal lacks: name -> label, and the code where the file names one."""
    codes = {known.code for known in seen.fields.get(one.tie.entity_type_id, [])}
    return {
        name: (wanted.label, wanted.code or "")
        for name, wanted in one.process.fields.items()
        if one.tie.fields.get(name, "") not in codes
    }


def mend_fields(workshop: Workshop, portal: Portal, gate: Gate) -> None:
    """Create the missing fields of all processes again and tie them; raises ``PortalError``."""
    tied = tied_processes(workshop, portal)
    seen = seen_by(gate, tied)
    for one in tied:
        if not missing_fields(one, seen) or not _exists(one, seen):
            continue
        entity, prefix = _entity(one, seen)
        found = shape.match_fields(one.process, seen.fields[one.tie.entity_type_id], one.tie.fields, prefix)
        commands = list(shape.field_commands(one.process, found, entity, prefix))
        layout.forget_made(workshop, portal, commands)
        for answer in gate.batch(commands):
            if isinstance(answer, PortalError) and answer.stops_portal:
                raise answer
    again = seen_by(gate, tied)
    for one in tied:
        if _exists(one, again):
            _tie_fields(workshop, portal, one, again)


def _tie_fields(workshop: Workshop, portal: Portal, one: Tied, seen: Seen) -> None:
    _, prefix = _entity(one, seen)
    codes = shape.match_fields(one.process, seen.fields[one.tie.entity_type_id], one.tie.fields, prefix)
    fields = {**one.tie.fields, **codes}
    if fields != dict(one.tie.fields):
        with workshop.database.write() as connection:
            processes.tie(connection, portal.id, replace(one.tie, fields=fields))


def _entity(one: Tied, seen: Seen) -> tuple[str, str]:
    kind = one.tie.entity_type_id
    return shape.fields_entity(kind, next((known for known in seen.types if known.entity_type_id == kind), None))


def _exists(one: Tied, seen: Seen) -> bool:
    kind = one.tie.entity_type_id
    return one.process.item != "smart" or any(known.entity_type_id == kind for known in seen.types)


def _listed(names: Sequence[T]) -> T:
    return T(", ".join(name.ru for name in names), ", ".join(name.en for name in names))


def _about(process: ProcessDef, text: T) -> T:
    return T("«{title}»: {text}", "“{title}”: {text}").fill(title=process.title, text=text)


def _note(process: ProcessDef, text: T) -> Finding:
    return Finding("process", "note", _about(process, text))


def _bad(process: ProcessDef, text: T, remedy: T) -> Finding:
    return Finding("process", "warning", _about(process, text), remedy)


def _broken(one: Tied, text: T) -> Finding:
    """What keeps a process from working is no harm in one that is switched off."""
    return Finding("process", "broken" if one.tie.enabled else "note", _about(one.process, text), _TIE)
