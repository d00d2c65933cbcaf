"""The automation of a portal: robots placed on stages, their workflows, waiting steps and tokens.

What arrives at a handler follows the platform's source (bizproc restactivity.php): see the robots' section
of the wire documentation. A stage change terminates whatever still runs for the item.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox.crm.schema import NAMES
from sandbox.errors import access_denied
from sandbox.events import Outgoing
from sandbox.registry import SYSTEM
from sandbox.tokens import CHAIN_LENGTH
from sandbox.wire import JSON, as_map, whole

if TYPE_CHECKING:
    from sandbox.apps import AppCard
    from sandbox.portal import Portal

LEGACY_CLASSES = {1: "CCrmDocumentLead", 2: "CCrmDocumentDeal", 3: "CCrmDocumentContact", 4: "CCrmDocumentCompany"}
DYNAMIC_CLASS = "Bitrix\\Crm\\Integration\\BizProc\\Document\\Dynamic"


@dataclass(slots=True, eq=False)
class Robot:
    """A robot an app registered."""

    app: AppCard
    code: str
    definition: JSON

    def wants_answer(self) -> bool | None:
        """Tell whether it waits: Y always, N never, None when the template's author chooses."""
        flag = str(self.definition.get("USE_SUBSCRIPTION") or "")
        return {"Y": True, "N": False}.get(flag)


@dataclass(slots=True, eq=False)
class Placed:
    """A robot an administrator put on a stage."""

    number: int
    entity_type_id: int
    stage_id: str
    code: str
    properties: JSON
    wait: bool | None = None
    timeout_seconds: int = 0


@dataclass(slots=True, eq=False)
class Run:
    """One execution of a placed robot; status: waiting, done, timeout, terminated."""

    workflow: str
    token: str
    entity_type_id: int
    item_id: int
    stage_id: str
    robot: Robot
    placed: Placed
    started: datetime
    rest: list[Placed]
    status: str = "waiting"
    results: JSON = field(default_factory=dict)
    log: list[str] = field(default_factory=list)


class Automation:
    """Robots, where they stand, and what ran."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self.robots: list[Robot] = []
        self.placed: list[Placed] = []
        self.runs: list[Run] = []
        self.triggers: dict[str, str] = {}
        self.trigger_places: list[tuple[str, int, str]] = []
        """Where an administrator put triggers: code, type, stage."""

    def robot(self, code: str, app: AppCard | None = None) -> Robot | None:
        """Find a registered robot."""
        return next((r for r in self.robots if r.code == code and app in {None, r.app}), None)

    def forget_app(self, app: AppCard) -> None:
        """Delete an app's robots; where they stand, they are blocked."""
        self.robots = [robot for robot in self.robots if robot.app is not app]

    def place(
        self,
        entity_type_id: int,
        stage_id: str,
        robot_code: str,
        properties: Mapping[str, Any] | None = None,
        wait: bool | None = None,
        timeout_seconds: int = 0,
    ) -> Placed:
        """Put a robot on a stage, as an administrator does by hand."""
        number = max((placed.number for placed in self.placed), default=0) + 1
        placed = Placed(number, entity_type_id, stage_id, robot_code, dict(properties or {}), wait, timeout_seconds)
        self.placed.append(placed)
        return placed

    def entered(self, entity_type_id: int, item_id: int, stage_id: str) -> None:
        """End what runs for the item and start the robots of the stage it entered."""
        self.terminate(entity_type_id, item_id)
        row = [p for p in self.placed if (p.entity_type_id, p.stage_id) == (entity_type_id, stage_id)]
        if row and self._portal.crm.automated(entity_type_id):
            workflow = f"{self._portal.world.hex(14)}.{self._portal.world.random.randrange(10**8):08d}"
            self._proceed(workflow, entity_type_id, item_id, stage_id, row)

    def terminate(self, entity_type_id: int, item_id: int) -> None:
        """Terminate the waiting steps of an item; their tokens die."""
        for run in self.runs:
            if (run.entity_type_id, run.item_id, run.status) == (entity_type_id, item_id, "waiting"):
                run.status = "terminated"

    def _proceed(self, workflow: str, entity_type_id: int, item_id: int, stage_id: str, row: list[Placed]) -> None:
        """Run robots one after another until one waits."""
        for place, placed in enumerate(row):
            robot = self.robot(placed.code)
            if robot is None or not robot.app.installed:
                continue
            token = f"{workflow}|A{placed.number}|{len(self.runs) + 1}.{self._portal.world.hex(32)}"
            now = self._portal.world.now()
            run = Run(workflow, token, entity_type_id, item_id, stage_id, robot, placed, now, row[place + 1 :])
            self.runs.append(run)
            waits = robot.wants_answer()
            waits = bool(placed.wait) if waits is None else waits
            url = str(robot.definition.get("HANDLER") or "")
            self._portal.events.put(Outgoing(f"robot {robot.code}", url, now, partial(self._body, run, waits)))
            if waits:
                return
            run.status = "done"

    def _body(self, run: Run, waits: bool) -> JSON:
        portal = self._portal
        user_id = whole(run.robot.definition.get("AUTH_USER_ID") or 0)
        return {
            "workflow_id": run.workflow,
            "code": run.robot.code,
            "document_id": self.document_id(run.entity_type_id, run.item_id),
            "document_type": self.document_type(run.entity_type_id),
            "event_token": run.token,
            "properties": self._properties(run),
            "use_subscription": "Y" if waits else "N",
            "timeout_duration": run.placed.timeout_seconds,
            "ts": int(portal.world.now().timestamp()),
            "auth": portal.events.auth(run.robot.app, user_id, CHAIN_LENGTH, refresh=True),
        }

    def _properties(self, run: Run) -> JSON:
        known = as_map(run.robot.definition.get("PROPERTIES"))
        values: JSON = {}
        for key, definition in known.items():
            given = {name.lower(): value for name, value in as_map(definition).items()}
            value = run.placed.properties.get(key, given.get("default"))
            values[key] = "" if value is None else value
        return values

    def document_type(self, entity_type_id: int) -> list[str]:
        """Give the three parts of a document type."""
        if entity_type_id in NAMES:
            return ["crm", LEGACY_CLASSES[entity_type_id], NAMES[entity_type_id]]
        return ["crm", DYNAMIC_CLASS, f"DYNAMIC_{entity_type_id}"]

    def document_id(self, entity_type_id: int, item_id: int) -> list[str]:
        """Give the three parts of a document id."""
        module, kind, name = self.document_type(entity_type_id)
        return [module, kind, f"{name}_{item_id}"]

    def waiting(self, app: AppCard | None, token: str) -> Run:
        """Find the run of a token; raises 403 for a strange, terminated or timed-out one."""
        run = next((run for run in self.runs if run.token == token), None)
        if run is None or app not in {None, run.robot.app} or run.status in {"terminated", "timeout"}:
            raise access_denied()
        return run

    def answer(self, run: Run, values: JSON, message: str) -> None:
        """Take a robot's answer and go on; a second one changes nothing."""
        if run.status != "waiting":
            return
        spelled = {key.lower(): key for key in as_map(run.robot.definition.get("RETURN_PROPERTIES"))}
        for key, value in values.items():
            if key.lower() in spelled:
                run.results[spelled[key.lower()]] = value
            else:
                self._portal.complain(f"bizproc.event.send: {run.robot.code} does not return {key!r}")
        run.log.append(message or "Выполнено")
        run.status = "done"
        self._proceed(run.workflow, run.entity_type_id, run.item_id, run.stage_id, run.rest)

    def fire(self, code: str, entity_type_id: int, item_id: int) -> None:
        """Move an item to the stage its trigger stands on, as the system."""
        for placed, type_id, stage_id in self.trigger_places:
            if (placed, type_id) == (code, entity_type_id):
                self._portal.crm.update(type_id, item_id, {"stageId": stage_id}, SYSTEM)

    def expire(self) -> None:
        """Let waiting steps whose time is over go on with ``IsTimeout``."""
        now = self._portal.world.now()
        for run in [run for run in self.runs if run.status == "waiting" and run.placed.timeout_seconds]:
            if run.started + timedelta(seconds=run.placed.timeout_seconds) <= now:
                run.status, run.results["IsTimeout"] = "timeout", 1
                self._proceed(run.workflow, run.entity_type_id, run.item_id, run.stage_id, run.rest)
