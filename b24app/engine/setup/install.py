"""Setting a portal up: robots, events, tabs, the message provider, and the pipelines of its processes.

May be run at any time and any number of times: what the portal has is read first, only differences are written, and after
writing it is read again, so that a lost reply or an earlier half does no harm. The application is installed when nothing
that is needed is missing. Page: settings/app-installation/installation-finish.md.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from b24app.bitrix.commands import Command
from b24app.bitrix.errors import AuthLost, PortalError, PortalGone, Transient
from b24app.bitrix.gate import Gate
from b24app.core.item import FIRST_SMART
from b24app.engine.access import gate_of, leased, lost
from b24app.engine.known import process_of_version
from b24app.engine.notes import SET_UP_WANTED, note_down, noted
from b24app.engine.setup import layout, pipelines
from b24app.engine.setup.pipeline_look import look
from b24app.engine.setup.pipelines import CannotTie
from b24app.engine.setup.registration import ALREADY, READS, Change, Entry, Kind, Present, differences, entries, present
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import audit, processes
from b24app.store.portals import Portal

ROUNDS = 3
LEASE = timedelta(minutes=3)
RETRY = timedelta(minutes=1)
PROGRESS = "set_up"
"""The note that says how far a set-up has come."""
SET_UP_AGAIN = "set_up_again"
"""The note that says when a set-up that failed is to be tried again."""

State = Literal["had", "added", "changed", "removed", "failed"]

_log = log("install")


class AlreadyRunning(Exception):
    """Another thread or process is setting this portal up."""


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one thing; ``problem`` is the portal's own word for a failure."""

    kind: str
    code: str
    name: tuple[str, str]
    state: State
    problem: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a set-up did."""

    lines: tuple[Line, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing that is needed is missing."""
        return not any(line.state == "failed" and not line.optional for line in self.lines)

    @property
    def failures(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.state == "failed")

    def counts(self) -> dict[str, tuple[int, int]]:
        """Count by kind what is in place, and what is wanted."""
        wanted = Counter(line.kind for line in self.lines if line.state != "removed")
        missing = Counter(line.kind for line in self.failures)
        return {kind: (number - missing[kind], number) for kind, number in wanted.items()}

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, "lines": [asdict(line) for line in self.lines]}


def report_of(written: Mapping[str, Any]) -> Report:
    """Read a report that was noted down."""
    return Report(tuple(Line(**{**line, "name": tuple(line["name"])}) for line in written.get("lines", [])))


def set_up(
    workshop: Workshop,
    portal: Portal,
    create: Iterable[str] = (),
    *,
    gate: Gate | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Register what is missing on a portal and create the pipelines of the processes named.

    Raises ``AlreadyRunning``; ``Transient`` when the portal wants patience or does not answer (what was done is kept);
    ``AuthLost`` and ``PortalGone`` after the portal was put to rest.
    """
    with leased(workshop, portal.id, "set_up", LEASE) as mine:
        if not mine:
            raise AlreadyRunning(portal.host)
        gate = gate or gate_of(workshop, portal, sleep=sleep)
        try:
            lines = _SetUp(workshop, portal, gate).run(tuple(create))
        except (AuthLost, PortalGone) as error:
            lost(workshop, workshop.portal(portal.id), error)
            raise
    report = Report(tuple(lines))
    _settle(workshop, portal, report)
    if report.ok and not workshop.portal(portal.id).application_tokens:
        _ask_for_token(portal, gate)
    return report


def _ask_for_token(portal: Portal, gate: Gate) -> None:
    """Have the portal send the test event, which brings the application token that an authorization code came without.

    Nothing else the portal calls is believed before. The doctor sends another one. Page: settings/oauth/index.md.
    """
    try:
        gate.call(Command("event.test", {"asked_by": "set-up"}))
    except PortalError as error:
        _log.warning("the portal sends no test event", portal=portal.host, error=str(error))


def settle_wanted(workshop: Workshop, portal_id: int, *, sleep: Callable[[float], None] = time.sleep) -> Report | None:
    """Set a portal up where an installation without pages or an update asked for it; None when there is nothing to do yet.

    Cheap when nobody asked. Processes that were never tied are created where no page could have been asked. What fails is
    tried again after `RETRY`, without disturbing the rest of the portal's work.
    """
    portal = workshop.portal(portal_id)
    if portal.state not in ("installing", "active") or not _is_wanted(workshop, portal.registered):
        return None
    created = noted(workshop, portal_id, SET_UP_WANTED) == "installed"
    with workshop.database.write() as connection:
        again = (workshop.now() + RETRY).isoformat()
        note_down(workshop, connection, portal_id, {SET_UP_AGAIN: again})
    try:
        return set_up(workshop, portal, tuple(workshop.processes_of(portal)) if created else (), sleep=sleep)
    except (AlreadyRunning, Transient, AuthLost, PortalGone) as trouble:
        _log.warning("a set-up is put off", portal=portal.host, error=str(trouble), until=again)
        return None


def wanting(workshop: Workshop) -> list[int]:
    """Return the portals that are to be set up now, the ones that do not work yet among them."""
    with workshop.database.read() as connection:
        stored = workshop.portals.registered(connection)
    return [portal_id for portal_id, noted_down in stored.items() if _is_wanted(workshop, noted_down)]


def _is_wanted(workshop: Workshop, noted_down: Mapping[str, str]) -> bool:
    if SET_UP_WANTED not in noted_down:
        return False
    again = noted_down.get(SET_UP_AGAIN)
    return again is None or datetime.fromisoformat(json.loads(again)) <= workshop.now()


def progress(workshop: Workshop, portal_id: int) -> Mapping[str, Any]:
    """Say how far the set-up has come: ``step`` (reading, registering, pipelines, done), ``process`` and the last report."""
    found: Mapping[str, Any] = noted(workshop, portal_id, PROGRESS) or {}
    return found


def wanted_entries(workshop: Workshop, portal_id: int) -> list[Entry]:
    """List what the portal is to have, by the catalogue, the processes tied and whose tokens are kept."""
    portal = workshop.portal(portal_id)
    with workshop.database.read() as connection:
        smart = [tie for tie in processes.ties(connection, portal_id) if tie.entity_type_id >= FIRST_SMART]
        found = [(tie, process_of_version(connection, workshop, portal, tie.code, tie.version)) for tie in smart]
    kinds = [tie.entity_type_id for tie in smart]
    booked = [tie.entity_type_id for tie, process in found if process is not None and process.booking is not None]
    return entries(workshop.settings.public_url, workshop.catalogue, portal.grant.user, kinds, booked)


def given_hashes(workshop: Workshop, portal_id: int) -> dict[str, str]:
    """Return the hashes of the definitions the portal was given, by the key of the entry."""
    stored = workshop.portal(portal_id).registered
    return {key: value.strip('"') for key, value in stored.items() if ":" in key}


@dataclass(slots=True)
class _SetUp:
    """One run of a set-up."""

    workshop: Workshop
    portal: Portal
    gate: Gate
    states: dict[str, State] = field(default_factory=dict)
    problems: dict[str, PortalError] = field(default_factory=dict)

    def run(self, create: tuple[str, ...]) -> list[Line]:
        lines = self._pipelines(create)
        return [*self._register(), *lines, *self._cards()]

    def _step(self, step: str, **more: Any) -> None:
        with self.workshop.database.write() as connection:
            note_down(self.workshop, connection, self.portal.id, {PROGRESS: {"step": step, **more}})

    # registering ---------------------------------------------------------------------------------------------------

    def _register(self) -> list[Line]:
        self._step("reading")
        wanted = wanted_entries(self.workshop, self.portal.id)
        has, taken = self._present(), set[tuple[Kind, str]]()
        for _ in range(ROUNDS):
            changes = differences(wanted, has, given_hashes(self.workshop, self.portal.id))
            if not changes:
                break
            self._step("registering", todo=len(changes))
            taken |= self._write(changes)
            has = self._present().knowing(taken)
        left = {change.key for change in differences(wanted, has, given_hashes(self.workshop, self.portal.id))}
        return [self._line(entry, has, left) for entry in wanted] + self._removed(wanted)

    def _present(self) -> Present:
        answers = self.gate.batch(READS)
        for answer in answers:
            if isinstance(answer, Transient | AuthLost | PortalGone):
                raise answer
        return present(answers)

    def _write(self, changes: list[Change]) -> set[tuple[Kind, str]]:
        """Send changes and remember what worked; returns what the portal says to have, though its list did not show it.

        An answer that never came counts for nothing: the next look tells. A portal that wants patience stops the run.
        """
        answers = iter(self.gate.batch([command for change in changes for command in change.commands]))
        notes: dict[str, str | None] = {}
        already: set[tuple[Kind, str]] = set()
        patience: PortalError | None = None
        for change in changes:
            errors = [error for error in [next(answers) for _ in change.commands] if isinstance(error, PortalError)]
            if not errors:
                self.states[change.key] = _STATES[change.act]
                self.problems.pop(change.key, None)
                notes[change.key] = change.entry.hash if change.entry else None
            else:
                self.problems[change.key] = errors[-1]
                patience = patience or next((e for e in errors if e.stops_portal and not e.outcome_unknown), None)
                if errors[-1].code in ALREADY:
                    already.add((change.kind, change.code))
        with self.workshop.database.write() as connection:
            note_down(self.workshop, connection, self.portal.id, notes)
        if patience is not None:
            raise patience
        return already

    def _line(self, entry: Entry, has: Present, left: set[str]) -> Line:
        unread = has.problems.get(entry.kind)
        failed = unread is not None or entry.key in left
        error = unread or self.problems.get(entry.key)
        problem = (error.description or error.code or type(error).__name__) if failed and error else ""
        state: State = "failed" if failed else self.states.get(entry.key, "had")
        code = entry.code.split(" ")[0]
        return Line(entry.kind, code, (entry.name.ru, entry.name.en), state, problem, entry.optional)

    def _removed(self, wanted: list[Entry]) -> list[Line]:
        keys = {entry.key for entry in wanted}
        gone = [key.partition(":") for key, state in self.states.items() if state == "removed" and key not in keys]
        return [Line(kind, code.split(" ")[0], (code, code), "removed") for kind, _, code in gone]

    # pipelines -----------------------------------------------------------------------------------------------------

    def _pipelines(self, create: tuple[str, ...]) -> list[Line]:
        """Tie processes to pipelines, those that are tied already to their present version."""
        known = self.workshop.processes_of(self.portal)
        with self.workshop.database.read() as connection:
            tied = {tie.code: tie for tie in processes.ties(connection, self.portal.id)}
        wanted = [known[code] for code in known if code in create]
        if not wanted:
            return []
        self._step("reading")
        seen = look(self.gate, wanted)
        lines: list[Line] = []
        for process in wanted:
            name = (process.title.ru, process.title.en)
            self._step("pipelines", process=list(name))
            try:
                pipelines.create(self.workshop, self.portal, process, self.gate, seen)
                state: State = "had" if process.code in tied else "added"
                lines.append(Line("process", process.code, name, state))
            except CannotTie as problem:
                lines.append(Line("process", process.code, name, "failed", problem.what.at(self.portal.settings.lang)))
        return lines

    # cards ---------------------------------------------------------------------------------------------------------

    def _cards(self) -> list[Line]:
        """Put the fields of the processes into cards; a portal works without, people look for them then."""
        lines: dict[str, Line] = {}
        for placing in layout.place(self.workshop, self.portal, self.gate):
            process, said = placing.part.process, placing.problem.at(self.portal.settings.lang)
            line = Line("card", process.code, (process.title.ru, process.title.en), placing.state, said, optional=True)
            known = lines.setdefault(process.code, line)
            if _WORST.index(line.state) > _WORST.index(known.state):
                lines[process.code] = line
        return list(lines.values())


_WORST: tuple[State, ...] = ("had", "added", "failed")
_STATES: Mapping[str, State] = {"add": "added", "change": "changed", "remove": "removed"}


def _settle(workshop: Workshop, portal: Portal, report: Report) -> None:
    """Write down what a set-up came to; a portal with everything it needs starts to work."""
    now = workshop.now()
    with workshop.database.write() as connection:
        notes: dict[str, Any] = {PROGRESS: {"step": "done", "at": now.isoformat(), **report.as_json()}}
        if report.ok:
            notes |= {SET_UP_WANTED: None, SET_UP_AGAIN: None}
        note_down(workshop, connection, portal.id, notes)
        stored = workshop.portals.by_id(connection, portal.id)
        if report.ok and stored and stored.state == "installing":
            workshop.portals.set_state(connection, portal.id, "active")
        states = Counter(line.state for line in report.lines)
        audit.note(
            connection,
            portal.id,
            now,
            "application",
            "set_up",
            added=states["added"],
            changed=states["changed"],
            removed=states["removed"],
            failed=states["failed"],
        )
        workshop.portals.wake(connection, portal.id, now)
    workshop.wake(portal.id)
    for line in report.failures:
        _log.warning("not registered", portal=portal.host, kind=line.kind, code=line.code, problem=line.problem)
