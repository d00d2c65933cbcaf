"""What administrators settle for their portal, and what they look at to settle it. Every change is audited."""

from __future__ import annotations

import ipaddress
import secrets as randomness
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError
from sqlalchemy.engine import Connection

from b24app.core.named_roles import NamedRole, roles_of, unnamed
from b24app.core.portal import Gateway, PortalSettings, Secrets
from b24app.core.process import ProcessDef
from b24app.core.text import T
from b24app.engine.acting import sms
from b24app.engine.known import Names, names_of, process_of_version
from b24app.engine.setup.layout import troubles
from b24app.engine.watching.alarms import said, silence_of
from b24app.engine.workshop import Workshop
from b24app.store import audit, processes, training, views
from b24app.store.portals import Portal
from b24app.store.processes import Tie
from b24app.store.views import CalledRobot, OpenTask


class BadSetting(ValueError):
    """A setting that cannot be: its name, and why in words."""

    def __init__(self, name: str, why: T) -> None:
        super().__init__(f"{name}: {why.en}")
        self.name = name
        self.why = why


@dataclass(frozen=True, slots=True)
class Running:
    """A process of the portal: its file, how it is tied, which versions its items keep."""

    process: ProcessDef
    tie: Tie | None
    versions: Mapping[str, int]

    @property
    def outdated(self) -> bool:
        """Whether the file has another version than new items get."""
        return self.tie is not None and self.tie.version != self.process.version

    @property
    def behind(self) -> int:
        """How many running items keep another version than new items get."""
        return sum(n for version, n in self.versions.items() if self.tie is not None and version != self.tie.version)


@dataclass(frozen=True, slots=True)
class Desk:
    """All an administrator looks at."""

    portal: Portal
    names: Names
    processes: tuple[Running, ...]
    learned: frozenset[int]
    overlaps: tuple[CalledRobot, ...]
    """Robots that a process file lists for a stage and the portal's automation called there too."""
    cards: Mapping[str, T] = field(default_factory=dict)
    """Why fields of a process could not be put into cards, by its code."""
    silence: T | None = None
    """Since when the portal sends no events although its history moves."""

    @property
    def roles(self) -> tuple[NamedRole, ...]:
        """The roles of the tied processes, each once, the open ones first."""
        return roles_of(running.process for running in self.processes if running.tie is not None)

    @property
    def unnamed(self) -> tuple[NamedRole, ...]:
        """The open roles of processes that work, for which nobody was named."""
        working = (running.process for running in self.processes if running.tie is not None and running.tie.enabled)
        return unnamed(roles_of(working), self.portal.settings.stand_ins)


def desk_of(workshop: Workshop, portal: Portal) -> Desk:
    """Gather what an administrator looks at."""
    with workshop.database.read() as connection:
        tied = {tie.code: tie for tie in processes.ties(connection, portal.id)}
        used = views.versions_in_use(connection, portal.id)
        meant = workshop.processes_of(portal)
        known = [Running(meant[code], tied.get(code), used.get(code, {})) for code in sorted(meant)]
        silent = silence_of(connection, portal, workshop.now())
        return Desk(
            portal=portal,
            names=names_of(connection, workshop, portal),
            processes=tuple(known),
            learned=frozenset(training.learned_users(connection, portal.id)),
            overlaps=tuple(_overlaps(connection, workshop, portal, tied)),
            cards=troubles(portal),
            silence=said(portal, silent) if silent else None,
        )


def _overlaps(connection: Connection, workshop: Workshop, portal: Portal, tied: Mapping[str, Tie]) -> list[CalledRobot]:
    listed: set[tuple[str, str]] = set()
    for tie in tied.values():
        process = process_of_version(connection, workshop, portal, tie.code, tie.version)
        for stage in process.stages if process else ():
            steps = (*stage.checks, *stage.otherwise, *stage.enter)
            listed |= {(tie.stages.get(stage.key, ""), step.robot) for step in steps}
    return [called for called in views.called_robots(connection, portal.id) if (called.stage_id, called.robot) in listed]


def tasks_of(workshop: Workshop, portal: Portal, user: int) -> tuple[list[OpenTask], Names, bool]:
    """Return a user's open tasks, the names they speak of, and whether he wants no training."""
    with workshop.database.read() as connection:
        learned = user in training.learned_users(connection, portal.id)
        return views.open_tasks_of(connection, portal.id, user), names_of(connection, workshop, portal), learned


# Changes --------------------------------------------------------------------------------------------------------------

_WRONG: Mapping[str, T] = {
    "zone": T(
        "Такого часового пояса нет (пишется как Europe/Moscow)", "There is no such time zone (write it like Europe/Moscow)"
    ),
    "day_ends": T("Рабочий день должен кончаться позже, чем начинается", "The working day has to end after it begins"),
    "weekend": T("Хотя бы один день недели должен быть рабочим", "At least one day of the week has to be a working day"),
}
_SENSELESS = T("Значение не подходит", "This value does not fit")


def settle(workshop: Workshop, portal_id: int, changes: Mapping[str, Any], by: str) -> PortalSettings:
    """Change settings and leave the others as they are now; raises `BadSetting`."""

    def change(portal: Portal) -> PortalSettings:
        try:
            return PortalSettings.model_validate({**portal.settings.model_dump(), **changes})
        except ValidationError as error:
            name = str(error.errors()[0]["loc"][0])
            raise BadSetting(name, _WRONG.get(name, _SENSELESS)) from error

    with workshop.database.write() as connection:
        portal = _locked(connection, workshop, portal_id)
        settings = change(portal)
        workshop.portals.set_settings(connection, portal_id, settings)
        audit.note(connection, portal_id, workshop.now(), by, "settings", "", changed=sorted(changes))
    return settings


def save_gateway(workshop: Workshop, portal_id: int, gateway: Gateway, by: str) -> None:
    """Store how SMS are sent; an empty address switches them off. Raises `BadSetting` for an address we must not call."""
    for name, address in (("url", gateway.url), ("status_url", gateway.status_url)):
        if address:
            check_address(name, address, workshop.settings.allow_http)
    _change_secrets(workshop, portal_id, lambda kept: kept.model_copy(update={"gateway": gateway}), by, "sms_gateway")


def new_payment_key(workshop: Workshop, portal_id: int, by: str) -> str:
    """Make a payment key in place of the one before and return it, the only time it is shown."""
    key = randomness.token_urlsafe(32)
    _change_secrets(workshop, portal_id, lambda kept: kept.model_copy(update={"payment_key": key}), by, "payment_key")
    return key


def _change_secrets(workshop: Workshop, portal_id: int, change: Callable[[Secrets], Secrets], by: str, what: str) -> None:
    with workshop.database.write() as connection:
        portal = _locked(connection, workshop, portal_id)
        workshop.portals.set_secrets(connection, portal_id, change(portal.secrets))
        audit.note(connection, portal_id, workshop.now(), by, what)


def _locked(connection: Connection, workshop: Workshop, portal_id: int) -> Portal:
    """Return a portal with its row locked, so that two administrators do not undo each other's changes."""
    workshop.portals.spend(connection, portal_id)
    portal = workshop.portals.by_id(connection, portal_id)
    if portal is None:
        raise LookupError(portal_id)
    return portal


_ADDRESS = T("Нужен полный адрес с https://", "A full address with https:// is needed")
_PRIVATE = T("Адрес ведёт во внутреннюю сеть", "The address leads into a private network")


def check_address(name: str, address: str, allow_http: Collection[str]) -> None:
    """Refuse what is no https address of the public network; hosts of ``allow_http`` are exempt. Raises `BadSetting`."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadSetting(name, _ADDRESS) from error
    if host in allow_http or f"{host}:{port}" in allow_http:
        return
    if parts.scheme != "https" or not host or "@" in parts.netloc or "{" in parts.netloc:
        raise BadSetting(name, _ADDRESS)
    if host == "localhost" or "." not in host.strip(".") or host.endswith((".local", ".internal", ".localhost")):
        raise BadSetting(name, _PRIVATE)
    try:
        private = not ipaddress.ip_address(host).is_global
    except ValueError:
        return  # a name
    if private:
        raise BadSetting(name, _PRIVATE)


def send_test_sms(workshop: Workshop, portal: Portal, phone: str, by: str) -> sms.Sent:
    """Send a test message through the stored gateway; raises `BadSetting` without one."""
    gateway = portal.secrets.gateway
    if not gateway.url:
        raise BadSetting("url", T("Сначала сохраните адрес шлюза", "Save the gateway’s address first"))
    text = T("Проверка SMS приложения «Процессы»", "A test SMS of the application “Processes”").at(portal.settings.lang)
    sent = sms.send(workshop.session(), gateway, phone, text, f"test-{int(workshop.now().timestamp())}")
    with workshop.database.write() as connection:
        audit.note(connection, portal.id, workshop.now(), by, "test_sms", "", fate=sent.fate)
    return sent


def switch(workshop: Workshop, portal: Portal, code: str, *, training: bool, enabled: bool, by: str) -> bool:
    """Switch a process or its training on or off; False for a process that is not tied."""
    with workshop.database.write() as connection:
        tie = next((tie for tie in processes.ties(connection, portal.id) if tie.code == code), None)
        if tie is None:
            return False
        processes.tie(connection, portal.id, replace(tie, training=training, enabled=enabled))
        details = {"process": code, "training": training, "enabled": enabled}
        audit.note(connection, portal.id, workshop.now(), by, "process", "", **details)
        workshop.portals.wake(connection, portal.id, workshop.now())
    workshop.wake(portal.id)
    return True


def migrate(workshop: Workshop, portal: Portal, code: str, by: str) -> int:
    """Let the running items of a process go on with the version new ones get; return how many did."""
    with workshop.database.write() as connection:
        tie = next((tie for tie in processes.ties(connection, portal.id) if tie.code == code), None)
        if tie is None:
            return 0
        moved = processes.migrate(connection, portal.id, code, tie.version)
        details = {"process": code, "version": tie.version, "items": moved}
        audit.note(connection, portal.id, workshop.now(), by, "migrate", "", **details)
    return moved


def note_tied(workshop: Workshop, portal: Portal, tie: Tie, by: str) -> None:
    """Write into the audit who tied a process to which pipeline."""
    with workshop.database.write() as connection:
        details = {"process": tie.code, "version": tie.version, "pipeline": tie.category_id}
        audit.note(connection, portal.id, workshop.now(), by, "tie", "", **details)
