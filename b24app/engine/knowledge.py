"""What is known of a portal and kept for a while: its people, the types of its fields, its stages; and what follows from it.

People and fields change rarely and tell nobody when they do (no event exists for a dismissal), so they are read again
every `FRESH`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.engine import Connection

from b24app.bitrix.answers import good
from b24app.bitrix.commands import Command
from b24app.bitrix.errors import MethodBlocked, NotFound, PortalError
from b24app.bitrix.gate import Gate
from b24app.bitrix.reading.fields import FieldBook
from b24app.bitrix.reading.people import people_of
from b24app.bitrix.replies import Reply, as_map
from b24app.calendar import calendar_of
from b24app.core.call import House, Place, StagePoint
from b24app.core.item import DEAL, FIRST_SMART, LEAD, ItemRef, People
from b24app.core.process import ProcessDef
from b24app.core.text import T
from b24app.engine.boards import known as boards_known
from b24app.engine.workshop import Workshop
from b24app.store import processes, visits
from b24app.store.entries import StageEntry
from b24app.store.portals import Portal
from b24app.store.processes import Tie
from b24app.store.tables import EPOCH

FRESH = timedelta(minutes=10)
ASK_AGAIN = timedelta(minutes=1)
"""After what time is asked again where a blocked method leaves us with what was known before."""
PAGE = 50
_PEOPLE: TypeAdapter[People] = TypeAdapter(People)


@dataclass(frozen=True, slots=True)
class Running:
    """A process as it runs for certain items: how it is tied to the portal, and the version they keep."""

    tie: Tie
    process: ProcessDef

    def stage_key(self, stage_id: str) -> str | None:
        return self.tie.key_of(stage_id)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of a portal at a moment."""

    people: People
    types: Mapping[tuple[int, str], str]
    stages: Mapping[str, tuple[StagePoint, ...]] = field(default_factory=dict)
    """ENTITY_ID of the dictionary -> its stages in order; only of pipelines without a process."""


def known(workshop: Workshop, portal: Portal, gate: Gate) -> Knowledge:
    """Return what is known, read anew when it is old; raises the `PortalError` that reading met."""
    with workshop.database.read() as connection:
        text = workshop.portals.knowledge(connection, portal.id)
        kinds = {tie.entity_type_id for tie in processes.ties(connection, portal.id)} | {DEAL}
    kept, knowledge = _understood(text)
    read_at = EPOCH + timedelta(seconds=float(kept.get("at", 0)))
    missing = {str(kind) for kind in kinds} - set(kept.get("types", {}))
    if missing or not timedelta(0) <= workshop.now() - read_at < FRESH:
        try:
            kept = {**kept, **_read(gate, kinds, workshop.now())}
        except MethodBlocked:
            if missing or "people" not in kept:
                raise
            kept = {**kept, "at": (workshop.now() - EPOCH - FRESH + ASK_AGAIN).total_seconds()}
        with workshop.database.write() as connection:
            workshop.portals.set_knowledge(connection, portal.id, kept)
        return _knowledge(kept)
    assert knowledge is not None
    return knowledge


@lru_cache(64)
def _understood(text: str) -> tuple[Mapping[str, Any], Knowledge | None]:
    """Read what is kept of a portal; None where its people are not among it. The same text is read once."""
    kept = json.loads(text)
    return kept, _knowledge(kept) if "people" in kept else None


def people_kept(workshop: Workshop, connection: Connection, portal_id: int) -> People:
    """Return the people known of a portal, nobody before the first reading."""
    _, knowledge = _understood(workshop.portals.knowledge(connection, portal_id))
    return knowledge.people if knowledge else People()


def stages_known(
    workshop: Workshop, portal: Portal, gate: Gate, entity_ids: Iterable[str]
) -> dict[str, tuple[StagePoint, ...]]:
    """Return the stages of pipelines that no process is tied to, read when they are not known yet."""
    with workshop.database.read() as connection:
        kept, _ = _understood(workshop.portals.knowledge(connection, portal.id))
    stored = dict(kept.get("stages", {}))
    wanted = [entity_id for entity_id in entity_ids if entity_id not in stored]
    if wanted:
        commands = [Command("crm.status.list", {"filter": {"ENTITY_ID": e}, "order": {"SORT": "ASC"}}) for e in wanted]
        for entity_id, reply in zip(wanted, gate.batch(commands), strict=True):
            stored[entity_id] = [_stage_row(row) for row in good(reply).result]
        with workshop.database.write() as connection:
            workshop.portals.set_knowledge(connection, portal.id, {**kept, "stages": stored})
    return _stage_points(stored)


def stage_dictionary(entity_type_id: int, category_id: int) -> str:
    """Name the dictionary that holds the stages of a pipeline (``ENTITY_ID`` of ``crm.status.list``)."""
    if entity_type_id == LEAD:
        return "STATUS"
    if entity_type_id == DEAL:
        return f"DEAL_STAGE_{category_id}" if category_id else "DEAL_STAGE"
    return f"DYNAMIC_{entity_type_id}_STAGE_{category_id}"


def _stage_row(row: Mapping[str, Any]) -> dict[str, str]:
    return {"id": row["STATUS_ID"], "name": row["NAME"], "semantics": str(row.get("SEMANTICS") or "P")}


def _read(gate: Gate, kinds: Iterable[int], now: datetime) -> dict[str, Any]:
    users = [Command("user.get", {"start": PAGE * n, "sort": "ID", "order": "ASC"}) for n in range(4)]
    departments = [Command("department.get", {"START": PAGE * n, "sort": "ID", "order": "ASC"}) for n in range(2)]
    ordered = sorted(kinds)
    fields = [Command("crm.item.fields", {"entityTypeId": kind, "useOriginalUfNames": "Y"}) for kind in ordered]
    *answers, licence = gate.batch([*users, *departments, *fields, Command("app.info")])
    replies = [good(reply) for reply in answers[: len(users) + len(departments)]]
    people = people_of(
        _all_pages(gate, "user.get", "start", replies[:4]), _all_pages(gate, "department.get", "START", replies[4:6])
    )
    types = {str(kind): _fields(kind, reply) for kind, reply in zip(ordered, answers[len(replies) :], strict=True)}
    plan = as_map(licence.result).get("LICENSE") if isinstance(licence, Reply) else ""
    return {"at": (now - EPOCH).total_seconds(), "people": asdict(people), "types": types, "licence": str(plan or "")}


def _fields(kind: int, reply: Reply | PortalError) -> dict[str, str]:
    """Read the types of the fields of a kind; none of a smart process that was deleted, which stops nobody else."""
    if kind >= FIRST_SMART and isinstance(reply, NotFound):
        return {}
    return _types(good(reply).result)


def _all_pages(gate: Gate, method: str, start: str, pages: list[Reply]) -> list[dict[str, Any]]:
    rows = {str(row["ID"]): row for page in pages for row in page.result}
    total = pages[0].total or 0
    rest = [Command(method, {start: n, "sort": "ID", "order": "ASC"}) for n in range(PAGE * len(pages), total, PAGE)]
    for reply in gate.batch(rest) if rest else []:
        rows |= {str(row["ID"]): row for row in good(reply).result}
    return list(rows.values())


def _types(result: Any) -> dict[str, str]:
    fields = as_map(as_map(result).get("fields"))
    return {code: str(as_map(told).get("type") or "") for code, told in fields.items() if code.upper().startswith("UF_")}


def _knowledge(kept: Mapping[str, Any]) -> Knowledge:
    types = {(int(kind), code): type_ for kind, codes in kept["types"].items() for code, type_ in codes.items()}
    return Knowledge(_PEOPLE.validate_python(kept["people"]), types, _stage_points(kept.get("stages", {})))


def _stage_points(stored: Mapping[str, Any]) -> dict[str, tuple[StagePoint, ...]]:
    semantics = {"S": "success", "F": "failure"}
    return {
        entity_id: tuple(
            StagePoint(row["id"], row["id"], T.same(row["name"]), semantics.get(row["semantics"], "process")) for row in rows
        )
        for entity_id, rows in stored.items()
    }


# What follows from it -------------------------------------------------------------------------------------------------


def running(connection: Connection, portal: Portal, item: ItemRef, category_id: int) -> Running | None:
    """Return the process that runs an item: the version it is pinned to, else the one in force."""
    for tie in processes.ties(connection, portal.id):
        if tie.enabled and (tie.entity_type_id, tie.category_id) == (item.entity_type_id, category_id):
            pinned = processes.pinned(connection, portal.id, item)
            wanted = pinned.version if pinned and pinned.process == tie.code else tie.version
            process = processes.version(connection, wanted) or processes.version(connection, tie.version)
            return Running(tie, process) if process else None
    return None


def field_book(workshop: Workshop, connection: Connection, portal: Portal, knowledge: Knowledge) -> FieldBook:
    """Say how the portal calls the fields of all processes, and which orders count as booked."""
    types, names = dict(knowledge.types), {}
    booked: dict[int, tuple[str, ...]] = {}
    for tie in processes.ties(connection, portal.id):
        names[(tie.entity_type_id, tie.category_id)] = tie.fields
        process = processes.version(connection, tie.version)
        if process is None:
            continue
        for name, code in tie.fields.items():
            if name in process.fields and process.fields[name].type == "time":
                types[(tie.entity_type_id, code)] = "time"
        booked[tie.entity_type_id] = (*booked.get(tie.entity_type_id, ()), *_booked_stages(tie, process))
    return FieldBook(
        names=names,
        types=types,
        booked_stages=booked,
        booked_before=portal.installed_at,
        own_visits=frozenset(visits.own(connection, portal.id)),
        calendar=calendar_of(portal.settings, workshop.now().date()),
    )


def _booked_stages(tie: Tie, process: ProcessDef) -> list[str]:
    """Return the stages from the one that checks the booking to the last before the end."""
    checking = [n for n, s in enumerate(process.stages) if any(c.robot == "check_installer_booking" for c in s.checks)]
    if not checking:
        return []
    later = [stage.key for stage in process.stages[checking[0] :] if stage.semantics == "process"]
    return [tie.stages[key] for key in later if key in tie.stages]


def house_of(portal: Portal, run: Running | None, now: datetime) -> House:
    """Return what the administrator and the process file settled, for decisions."""
    settings = portal.settings
    process = run.process if run else None
    return House(
        lang=settings.lang,
        calendar=calendar_of(settings, now.date()),
        training=settings.training and (run is None or run.tie.training),
        country=settings.country,
        roles=process.roles if process else {},
        role_titles=process.role_titles if process else {},
        fallback=settings.fallback or portal.grant.user,
        stand_ins=settings.stand_ins,
        sms=bool(portal.secrets.gateway.url),
        portal_url=portal.url,
        labels=process.labels if process else {},
        forms=process.forms if process else {},
        quality=process.quality if process else None,
        corrections=process.corrections if process else None,
        boards=boards_known(portal) if process and process.corrections else {},
        employee_fields=frozenset(n for n, f in process.fields.items() if f.type == "employee") if process else frozenset(),
    )


def place_of(run: Running | None, stage_id: str, entry: StageEntry | None, stages: tuple[StagePoint, ...] = ()) -> Place:
    """Say where an item stands; ``stages`` are those of a pipeline without a process."""
    if run is not None:
        points = [
            StagePoint(stage.key, run.tie.stages[stage.key], stage.name, stage.semantics)
            for stage in run.process.stages
            if stage.key in run.tie.stages
        ]
        stages = tuple(points)
    order = [point.id for point in stages]
    came_from = entry.came_from if entry else None
    back = came_from in order and stage_id in order and order.index(came_from) > order.index(stage_id)
    return Place(
        stage=stage_id,
        stages=stages,
        came_from=came_from,
        entry_id=entry.id if entry else None,
        returned=back and entry is not None and entry.returned,
        process=run.process.code if run else "",
    )
