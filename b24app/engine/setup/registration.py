"""What the application registers on a portal, and what has to be done to get there from what the portal has. Pure.

Definitions of robots and message providers cannot be read back, so a hash of each is kept; whether a thing is there at
all is what the portal's lists show: an update of the application drops everything. Pages: bizproc/bizproc-robot/,
api-reference/events/event-bind.md, api-reference/widgets/, api-reference/messageservice/.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from b24app.bitrix.commands import Command
from b24app.bitrix.errors import PortalError
from b24app.bitrix.replies import Reply, as_map, as_rows
from b24app.core.item import DEAL, LEAD
from b24app.core.portal import SMS_PROVIDER
from b24app.core.properties import registration
from b24app.core.robot import Catalogue, Robot
from b24app.core.text import T

Kind = Literal["robot", "event", "placement", "sms"]
Act = Literal["add", "change", "remove"]

EVENTS = ("ONCRMDEALADD", "ONCRMDEALUPDATE", "ONCRMDEALDELETE", "ONCRMDEALMOVETOCATEGORY", "ONTASKUPDATE", "ONTASKDELETE")
OPTIONAL_EVENTS = (
    "ONCRMLEADADD",
    "ONCRMLEADUPDATE",
    "ONCRMLEADDELETE",
    "ONCRMDYNAMICITEMADD",
    "ONCRMDYNAMICITEMUPDATE",
    "ONCRMDYNAMICITEMDELETE",
    "ONAPPUPDATE",
    "ONAPPUNINSTALL",
    "ONAPPTEST",
)
"""Events some portals do not have; the reader of the history notices what they would have told."""
READS = (
    Command("bizproc.robot.list"),
    Command("event.get"),
    Command("placement.get"),
    Command("messageservice.sender.list"),
)
ALREADY = frozenset({"ERROR_ACTIVITY_ALREADY_INSTALLED", "ERROR_SENDER_ALREADY_INSTALLED"})

_JOURNAL = T("Журнал процессов", "Process journal")
_BOOKING = T("Бронирование монтажа", "Installation booking")
_QUALITY = T("Качество", "Quality")
_SMS = T("СМС через приложение", "SMS through the application")
_SMS_ABOUT = T("Отправляет через СМС-шлюз из настроек приложения", "Sends through the gateway of the application's settings")
_DOCUMENTS = {LEAD: ["crm", "CCrmDocumentLead", "LEAD"], DEAL: ["crm", "CCrmDocumentDeal", "DEAL"]}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to register. ``code`` tells it apart within its kind; ``definition`` are the parameters that add it."""

    kind: Kind
    code: str
    name: T
    definition: Mapping[str, Any]
    optional: bool = False

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.code}"

    @property
    def hash(self) -> str:
        """Twelve digits that change with the definition."""
        written = json.dumps(self.definition, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(written.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Present:
    """What a portal has, by kind: code -> what removing it needs. ``problems``: kinds whose list could not be read."""

    found: Mapping[Kind, Mapping[str, Mapping[str, Any]]]
    problems: Mapping[Kind, PortalError]

    def knowing(self, known: Iterable[tuple[Kind, str]]) -> Present:
        """Add what the portal has said to have without listing it."""
        found = {kind: dict(there) for kind, there in self.found.items()}
        for kind, code in known:
            found.setdefault(kind, {}).setdefault(code, {"CODE": code})
        return Present(found, self.problems)


@dataclass(frozen=True, slots=True)
class Change:
    """A difference, and the commands that settle it in order."""

    act: Act
    kind: Kind
    code: str
    commands: tuple[Command, ...]
    entry: Entry | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.code}"


def entries(
    public_url: str, catalogue: Catalogue, token_user: int, smart_types: Iterable[int] = (), booked: Iterable[int] = ()
) -> list[Entry]:
    """List everything the application registers; ``smart_types`` are the smart processes that get tabs, too.

    People are booked for deals and for the smart processes in ``booked``.
    """
    robots = [
        _robot(robot, public_url, token_user) for robot in catalogue.values() if robot.on_portal and not robot.internal
    ]
    handler = f"{public_url}/b24/event"
    events = [_event(name, handler, optional=False) for name in EVENTS]
    events += [_event(name, handler, optional=True) for name in OPTIONAL_EVENTS]
    deals = "CRM_DEAL_DETAIL_TAB"
    tabs = [deals, "CRM_LEAD_DETAIL_TAB", *(f"CRM_DYNAMIC_{n}_DETAIL_TAB" for n in sorted(set(smart_types)))]
    bookable = [deals, *(f"CRM_DYNAMIC_{n}_DETAIL_TAB" for n in sorted(set(booked)))]
    journals = [_placement(tab, f"{public_url}/b24/placement/journal", _JOURNAL) for tab in tabs]
    bookings = [_placement(tab, f"{public_url}/b24/placement/booking", _BOOKING) for tab in bookable]
    forms = [_placement(tab, f"{public_url}/b24/placement/quality", _QUALITY) for tab in tabs]
    return [*robots, *events, *journals, *bookings, *forms, _sms(public_url)]


def _robot(robot: Robot[Any], public_url: str, token_user: int) -> Entry:
    definition: dict[str, Any] = {
        "HANDLER": f"{public_url}/b24/robot/{robot.code}",
        "AUTH_USER_ID": token_user,
        "USE_SUBSCRIPTION": "Y" if robot.waits else "N",
        "NAME": robot.name.both(),
        "DESCRIPTION": robot.description.both(),
        "PROPERTIES": registration(robot.props),
        "RETURN_PROPERTIES": registration(robot.returns),
    }
    if robot.entity_types is not None:
        definition["FILTER"] = {"INCLUDE": [_DOCUMENTS[kind] for kind in sorted(robot.entity_types) if kind in _DOCUMENTS]}
    return Entry("robot", robot.code, robot.name, {name: value for name, value in definition.items() if value != {}})


def _event(name: str, handler: str, *, optional: bool) -> Entry:
    return Entry("event", f"{name} {handler}", T.same(name), {"event": name, "handler": handler}, optional)


def _placement(code: str, handler: str, title: T) -> Entry:
    definition = {
        "PLACEMENT": code,
        "HANDLER": handler,
        "TITLE": title.ru,
        "LANG_ALL": {"ru": {"TITLE": title.ru}, "en": {"TITLE": title.en}},
    }
    return Entry("placement", f"{code} {handler}", title, definition, optional=code != "CRM_DEAL_DETAIL_TAB")


def _sms(public_url: str) -> Entry:
    definition = {"TYPE": "SMS", "HANDLER": f"{public_url}/b24/sms", "NAME": _SMS.both(), "DESCRIPTION": _SMS_ABOUT.both()}
    return Entry("sms", SMS_PROVIDER, _SMS, definition, optional=True)


# What the portal has ---------------------------------------------------------------------------------------------------


def present(answers: Sequence[Reply | PortalError]) -> Present:
    """Read the answers to `READS`."""
    found: dict[Kind, Mapping[str, Mapping[str, Any]]] = {}
    problems: dict[Kind, PortalError] = {}
    for (kind, read), answer in zip(_LISTS, answers, strict=True):
        if isinstance(answer, PortalError):
            problems[kind] = answer
        else:
            found[kind] = read(answer.result)
    return Present(found, problems)


def _codes(result: Any) -> dict[str, Mapping[str, Any]]:
    return {str(code): {"CODE": str(code)} for code in as_rows(result)}


def _bindings(result: Any) -> dict[str, Mapping[str, Any]]:
    bound: dict[str, Mapping[str, Any]] = {}
    for row in map(as_map, as_rows(result)):
        if str(row.get("offline") or "0") == "0" and row.get("handler"):
            name, handler = str(row.get("event")).upper(), str(row["handler"])
            bound[f"{name} {handler}"] = {"event": name, "handler": handler, "auth_type": row.get("auth_type") or 0}
    return bound


def _widgets(result: Any) -> dict[str, Mapping[str, Any]]:
    rows = [as_map(row) for row in as_rows(result)]
    return {
        f"{row.get('placement')} {row.get('handler')}": {"PLACEMENT": row.get("placement"), "HANDLER": row.get("handler")}
        for row in rows
    }


_LISTS: tuple[tuple[Kind, Callable[[Any], dict[str, Mapping[str, Any]]]], ...] = (
    ("robot", _codes),
    ("event", _bindings),
    ("placement", _widgets),
    ("sms", _codes),
)


# The way there -----------------------------------------------------------------------------------------------------------


def differences(wanted: Iterable[Entry], has: Present, hashes: Mapping[str, str]) -> list[Change]:
    """Say what is to be done; kinds whose list could not be read are left alone.

    ``hashes``: key -> hash of the definition the portal was given last.
    """
    wanted = list(wanted)
    return [*_gone(wanted, has), *(change for entry in wanted for change in _due(entry, has, hashes))]


def _due(entry: Entry, has: Present, hashes: Mapping[str, str]) -> Iterator[Change]:
    there = has.found.get(entry.kind)
    if there is None:
        return
    if entry.code not in there:
        yield Change("add", entry.kind, entry.code, (_add(entry),), entry)
    elif hashes.get(entry.key) != entry.hash and entry.kind != "event":
        yield Change("change", entry.kind, entry.code, _change(entry), entry)


def _gone(wanted: Iterable[Entry], has: Present) -> Iterator[Change]:
    """Remove what an earlier version, or the same one at another address, registered."""
    keys = {entry.key for entry in wanted}
    for kind, there in has.found.items():
        for code, row in there.items():
            if f"{kind}:{code}" not in keys:
                yield Change("remove", kind, code, (Command(_REMOVE[kind], row),))


_ADD = {
    "robot": "bizproc.robot.add",
    "event": "event.bind",
    "placement": "placement.bind",
    "sms": "messageservice.sender.add",
}
_REMOVE = {
    "robot": "bizproc.robot.delete",
    "event": "event.unbind",
    "placement": "placement.unbind",
    "sms": "messageservice.sender.delete",
}


def _add(entry: Entry) -> Command:
    code = {"CODE": entry.code} if entry.kind in ("robot", "sms") else {}
    return Command(_ADD[entry.kind], {**code, **entry.definition})


def _change(entry: Entry) -> tuple[Command, ...]:
    definition = entry.definition
    if entry.kind == "robot":
        return (Command("bizproc.robot.update", {"CODE": entry.code, "FIELDS": definition}),)
    if entry.kind == "sms":
        fields = {name: value for name, value in definition.items() if name != "TYPE"}
        return (Command("messageservice.sender.update", {"CODE": entry.code, **fields}),)
    old = {"PLACEMENT": definition["PLACEMENT"], "HANDLER": definition["HANDLER"]}
    return (Command("placement.unbind", old), _add(entry))
