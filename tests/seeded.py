"""A small installation with one portal in a fresh database: a process, people, a deal on its way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs

import requests
import responses

from b24app.bitrix.addresses import Addresses
from b24app.bitrix.oauth import OAuth
from b24app.core.actions import Action, Step
from b24app.core.item import DEAL, ItemRef
from b24app.core.portal import PortalSettings
from b24app.core.process import Booking, FieldDef, PipelineDef, ProcessDef, StageDef, versioned
from b24app.core.text import T
from b24app.engine.workshop import Workshop
from b24app.settings import Settings
from b24app.store import entries, journal, processes
from b24app.store import tables as t
from b24app.store.database import Database, open_database
from b24app.store.journal import ActionState
from b24app.store.portals import Grant, Portal, Portals
from b24app.store.processes import Pinned, Tie
from b24app.store.secrets import Vault
from b24app.store.spool import Spool
from b24app.store.tables import EPOCH, metadata
from tests.builders import DIRECTOR, INSTALLER, MANAGER, people

NOW = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
"""A Wednesday noon in Moscow."""
DEAL_12 = ItemRef(DEAL, 12)
HOST = "romashka.bitrix24.test"
ADMIN_TOKEN = "operators-only-0123456789"
PROCESS = versioned(
    ProcessDef(
        code="ceilings",
        title=T("Монтаж потолков", "Ceiling installation"),
        item="deal",
        pipeline=PipelineDef(name=T("Монтаж потолков", "Ceiling installation")),
        roles={"manager": "responsible", "head_of_sales": "head_of(responsible)"},
        fields={
            "install_date": FieldDef("install_date", "date", T("Дата монтажа", "Installation date")),
            "install_time": FieldDef("install_time", "string", T("Время монтажа", "Installation time")),
            "installer": FieldDef("installer", "employee", T("Монтажник", "Installer")),
            "address": FieldDef("address", "string", T("Адрес", "Address")),
        },
        booking=Booking("install_date", "install_time", "installer", 4),
        stages=(
            StageDef(
                "contract",
                T("Заключить договор", "Make the contract"),
                enter=(Step("training_comment", {"text": {"ru": "Подпишите договор", "en": "Sign it"}}), Step("notify")),
            ),
            StageDef("date_agreed", T("Дата начала работ согласована", "Date agreed")),
            StageDef("won", T("Оплата получена", "Paid"), semantics="success"),
            StageDef("lost", T("Сделка не успешная", "Deal lost"), semantics="failure"),
        ),
    )
)
STAGE_IDS = {"contract": "C7:NEW", "date_agreed": "C7:EXECUTING", "won": "C7:WON", "lost": "C7:LOSE"}
FIELD_CODES = {
    "install_date": "UF_CRM_B24APP_DATE",
    "install_time": "UF_CRM_B24APP_TIME",
    "installer": "UF_CRM_B24APP_INSTALLER",
    "address": "UF_CRM_B24APP_ADDRESS",
}


@dataclass
class House:
    """The installation under test; ``woken`` lists the portals workers were told of."""

    workshop: Workshop
    woken: list[int]
    at: list[datetime]

    def pass_time(self, length: timedelta) -> None:
        """Turn the clock on."""
        self.at[0] += length

    @property
    def database(self) -> Database:
        return self.workshop.database

    def count(self, table: Any) -> int:
        """Count the rows of a table."""
        with self.database.read() as connection:
            return len(connection.execute(table.select()).all())

    def rows(self, table: Any) -> list[Mapping[str, Any]]:
        """Return the rows of a table by id."""
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(table.select().order_by(table.c.id)).mappings()]


@cache
def _empty_database() -> bytes:
    """Make the tables once; every installation begins with a copy."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        engine = open_database(f"sqlite:///{file}")
        metadata.create_all(engine)
        engine.dispose()
        return file.read_bytes()


def a_house(folder: Path) -> House:
    """Open a fresh database and put the tools of the engine together; the clock stands until it is turned."""
    at, woken = [NOW], list[int]()
    file = folder / "b24app.db"
    file.write_bytes(_empty_database())
    database = Database(open_database(f"sqlite:///{file}"))
    settings = Settings(
        public_url="https://app.example.test",
        client_id="app.1",
        client_secret="client-secret-1",
        secret_key="a-secret-key-of-tests",
        admin_token=ADMIN_TOKEN,
    )
    addresses = Addresses(settings.oauth_hosts, settings.allow_http)
    vault = Vault(*settings.secret_keys)

    def clock() -> datetime:
        return at[0]

    workshop = Workshop(
        settings=settings,
        database=database,
        portals=Portals(vault),
        spool=Spool(folder / "spool", vault),
        clock=clock,
        catalogue={},
        processes={PROCESS.code: PROCESS},
        portal_processes={},
        oauth=OAuth(requests.Session(), settings.client_id, settings.client_secret, addresses, clock),
        addresses=addresses,
        session=requests.Session,
        wake=woken.append,
    )
    return House(workshop, woken, at)


def a_portal(house: House, member_id: str = "romashka", host: str = HOST, **settings: Any) -> Portal:
    """Store an active portal with people, a tied process and a crew of one installer."""
    workshop = house.workshop
    grant = Grant(
        f"access-{member_id}",
        f"refresh-{member_id}",
        NOW + timedelta(days=30),
        1,
        f"https://{host}/rest/",
        "https://oauth.bitrix24.tech/rest/",
    )
    chosen = PortalSettings(**{"crew_users": (INSTALLER,), "public_holidays": False, **settings})
    known = {
        "at": (NOW - EPOCH).total_seconds(),
        "people": asdict(people()),
        "types": {str(DEAL): {}},
    }
    with workshop.database.write() as connection:
        portal_id = workshop.portals.add(connection, member_id, grant, f"token-{member_id}", chosen, NOW)
        workshop.portals.set_state(connection, portal_id, "active")
        workshop.portals.set_knowledge(connection, portal_id, json.loads(json.dumps(known)))
        processes.publish(connection, PROCESS, NOW)
        tie = Tie(PROCESS.code, PROCESS.version, DEAL, 7, STAGE_IDS, FIELD_CODES, training=True, enabled=True)
        processes.tie(connection, portal_id, tie)
    return workshop.portal(portal_id)


def stands_on(house: House, portal: Portal, key: str, item: ItemRef = DEAL_12) -> int:
    """Let an item stand on a stage of the process; return the entry."""
    with house.database.write() as connection:
        entry = entries.add(
            connection,
            portal.id,
            item,
            history_id=None,
            stage_id=STAGE_IDS[key],
            category_id=7,
            at=house.at[0],
            seen_at=house.at[0],
        )
        processes.pin(connection, portal.id, item, Pinned(PROCESS.code, PROCESS.version, STAGE_IDS[key], {}))
    assert entry is not None
    return entry


Answers = Mapping[str, Any]
"""Method -> its result, a function of the parameters, or a `Refusal`."""


@dataclass
class Wire:
    """What a portal on the wire was asked, command by command."""

    requests: int = 0
    commands: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


class Refusal(Exception):
    """What a command is answered with instead of a result."""


@contextmanager
def portal_answers(answers: Answers, host: str = HOST) -> Iterator[Wire]:
    """Answer the calls and batches of one portal from a table."""
    wire = Wire()

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        wire.requests += 1
        result, errors = dict[str, Any](), dict[str, Any]()
        for key, line in json.loads(request.body)["cmd"].items():
            method, _, query = line.partition("?")
            asked = parse_qs(query)
            wire.commands.append((method, asked))
            said = answers[method]
            said = said(asked) if callable(said) else said
            if isinstance(said, Refusal):
                errors[key] = {"error": said.args[0], "error_description": ""}
            else:
                result[key] = said
        body = {
            "result": {"result": result, "result_error": errors, "result_total": {}, "result_next": {}, "result_time": {}}
        }
        return 200, {}, json.dumps(body)

    def answer_one(request: Any) -> tuple[int, dict[str, str], str]:
        wire.requests += 1
        method, asked = request.url.rsplit("/", 1)[1], json.loads(request.body)
        wire.commands.append((method, asked))
        said = answers[method]
        said = said(asked) if callable(said) else said
        if isinstance(said, Refusal):
            return 400, {}, json.dumps({"error": said.args[0], "error_description": ""})
        return 200, {}, json.dumps({"result": said})

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.POST, f"https://{host}/rest/batch", callback=answer)
        mock.add_callback(responses.POST, re.compile(rf"https://{re.escape(host)}/rest/(?!batch)"), callback=answer_one)
        yield wire


def a_card(**fields: Any) -> dict[str, Any]:
    """Answer ``crm.item.get`` with the manager's deal."""
    card = {"id": 12, "title": "Потолки на Лесной", "categoryId": 7, "stageId": "C7:NEW", "assignedById": MANAGER}
    return {"item": {**card, FIELD_CODES["address"]: "Лесная, 5|;|55.1;37.2", **fields}}


def changed(portal: Portal, **settings: Any) -> PortalSettings:
    """Give a portal's settings with changes."""
    return PortalSettings.model_validate({**portal.settings.model_dump(), **settings})


def a_run(house: House, portal: Portal, **told: Any) -> int:
    """Write a run down; a decision about the deal unless told otherwise."""
    run = {
        "key": f"run:{house.count(t.runs)}",
        "item": DEAL_12,
        "robot": "autotask",
        "ok": True,
        "why": T("Задача поставлена: Мария Менова", "The task was given to Мария Менова"),
        "state": "decided",
        "at": house.at[0],
        "work_id": None,
        "entry_id": None,
        "process": PROCESS.code,
        "version": PROCESS.version,
        "stage_id": "C7:NEW",
        "cause": {"kind": "StageEntered", "again": False},
        "props": {},
        "facts": {},
        "returns": {},
    }
    with house.database.write() as connection:
        found = journal.add_run(connection, portal.id, **{**run, **told})
    assert found is not None
    return found


def an_action(
    house: House, portal: Portal, run_id: int, action: Action, state: ActionState = "done", error: str = ""
) -> int:
    """Write an action of a run down with its fate."""
    with house.database.write() as connection:
        key = f"mark{len(connection.execute(t.actions.select()).all())}"
        number = journal.add_action(connection, portal.id, run_id, DEAL_12, key, action, state, house.at[0])
        if error:
            journal.settle(connection, number, state, house.at[0], progress={}, error=error)
    return number


def profile(asked: Mapping[str, Any]) -> Any:
    """Answer ``profile`` for viewers' tokens ``viewer-<id>``; the director is an administrator."""
    user = people().users.get(int(str(asked["auth"]).removeprefix("viewer-")))
    if user is None:
        return Refusal("ACCESS_DENIED")
    first, _, last = user.name.partition(" ")
    return {"ID": str(user.id), "ADMIN": user.id == DIRECTOR, "NAME": first, "LAST_NAME": last}


def an_opening(portal: Portal, user: int, options: str = "", placement: str = "CRM_DEAL_DETAIL_TAB") -> dict[str, Any]:
    """Give the request by which a portal opens a page for a user, for ``client.post(path, **...)``."""
    body = {
        "AUTH_ID": f"viewer-{user}",
        "AUTH_EXPIRES": "3600",
        "REFRESH_ID": f"viewer-refresh-{user}",
        "SERVER_ENDPOINT": "https://oauth.bitrix24.tech/rest/",
        "APPLICATION_TOKEN": f"token-{portal.member_id}",
        "member_id": portal.member_id,
        "status": "L",
        "PLACEMENT": placement,
        "PLACEMENT_OPTIONS": options,
    }
    query = {"DOMAIN": portal.host, "PROTOCOL": "1", "LANG": "ru", "APP_SID": "x"}
    return {"data": body, "query_string": query, "base_url": "https://app.example.test"}
