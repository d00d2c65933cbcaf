"""From a piece of work to the robots it calls, in order, with what caused them and where the item stands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.engine import Connection

from b24app.core.actions import Step
from b24app.core.call import (
    AskedByPerson,
    Call,
    Cause,
    FieldsChanged,
    FormSubmitted,
    House,
    PaymentConfirmed,
    Place,
    RobotCalled,
    StageEntered,
    StagePoint,
    TaskFinished,
    TimerDue,
)
from b24app.core.item import Item
from b24app.core.process import StageDef
from b24app.core.properties import from_file, from_portal, sameness
from b24app.core.robot import Catalogue, Robot
from b24app.core.text import T, join
from b24app.engine.decisions.record import cause_from_json
from b24app.engine.knowledge import Running, house_of, place_of, running
from b24app.store import entries, given_tasks, processes, timers
from b24app.store.entries import StageEntry
from b24app.store.portals import Portal
from b24app.store.queue import Work

OWN_PIPELINE = frozenset({"entry", "timer", "task", "change", "form"})
"""Work that means nothing any more once its item has left the pipeline; payments and questions of people stay."""

Phase = Literal["leave", "check", "otherwise", "enter", "step"]

DELETED = T("Элемент удалён из CRM", "The item was deleted from the CRM")
ELSEWHERE = T("Элемент переведён в другую воронку", "The item was moved to another pipeline")
_OUTSIDE = T(
    "Платёж {payment} на сумму {amount} подтверждён, но на стадии «{stage}» оплата не ожидается",
    "Payment {payment} of {amount} was confirmed, but no payment is expected on stage “{stage}”",
)


class BadStep(Exception):
    """A step that cannot be run: an unknown robot, or properties it does not understand; ``why`` says it to people."""

    def __init__(self, why: T) -> None:
        super().__init__(why.en)
        self.why = why


@dataclass(frozen=True, slots=True)
class Invocation:
    """A robot about to be called, and the key its run will have."""

    robot: Robot[Any]
    props: Any
    phase: Phase
    key: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All robots a piece of work calls. Without ``invocations`` the work has nothing to do, for the reason in ``why``."""

    work: Work
    cause: Cause
    place: Place
    house: House
    running: Running | None = None
    invocations: tuple[Invocation, ...] = ()
    stage_key: str = ""
    watched: tuple[str, ...] = ()
    asked_by: str = ""
    token: str = ""
    waits: bool = False
    gone: bool = False
    reasons: tuple[T, ...] = ()
    """Why the checks failed that led to what is done again; where checks run now, theirs count."""
    forced: bool = False
    """Done again by force: the robots are not told what was done before."""

    def call(self, at: datetime, reasons: tuple[T, ...] = ()) -> Call:
        return Call(self.work.item, at, self.cause, self.place, self.house, reasons or self.reasons)

    @property
    def version(self) -> str:
        return self.running.process.version if self.running else ""


@dataclass(slots=True)
class Planner:
    """Plans work of one portal; reads rows, writes nothing."""

    connection: Connection
    portal: Portal
    catalogue: Catalogue
    now: datetime
    stages: Mapping[str, tuple[StagePoint, ...]] = field(default_factory=dict)
    dictionary: str = ""

    def plan(self, work: Work, item: Item | None) -> Plan | None:
        """Return what a piece of work calls for; None when its reason is gone. Raises `BadStep`, `BadProperty`."""
        entry = self._entry(work)
        run = self._running(work, item, entry)
        stage_id = item.stage_id if item else (entry.stage_id if entry else "")
        if work.kind == "entry" and entry is not None:
            stage_id = entry.stage_id
        place = place_of(run, stage_id, entry, self.stages.get(self.dictionary, ()))
        plan = Plan(work, StageEntered(), place, house_of(self.portal, run, self.now), run)
        if run is not None:
            plan = replace(plan, stage_key=run.stage_key(stage_id) or "")
        plan = replace(plan, forced=bool(work.body.get("force")))
        if work.kind == "sms":
            return self._relayed(plan)
        if item is None and work.kind != "call":
            return self._wound_up(plan, DELETED)
        if work.kind == "call":
            return self._called(plan, item, entry)
        assert item is not None
        if run is not None and item.category_id != run.tie.category_id and work.kind in OWN_PIPELINE:
            return self._wound_up(plan, ELSEWHERE)
        match work.kind:
            case "entry":
                return self._entered_stage(plan, item, entry)
            case "timer":
                return self._due(plan)
            case "task":
                return self._finished(plan)
            case "change":
                return self._changed(plan)
            case "form":
                return self._submitted(plan)
            case "payment":
                return self._paid(plan)
            case _:
                return self._asked(plan)

    def _entry(self, work: Work) -> StageEntry | None:
        if "entry_id" in work.body:
            return entries.get(self.connection, int(work.body["entry_id"]))
        return entries.last(self.connection, self.portal.id, work.item)

    def _running(self, work: Work, item: Item | None, entry: StageEntry | None) -> Running | None:
        category = entry.category_id if entry else (item.category_id if item else None)
        return None if category is None else running(self.connection, self.portal, work.item, category)

    def _wound_up(self, plan: Plan, why: T) -> Plan:
        """Wind up what was begun for an item that is not in the pipeline any more."""
        step = Step("wind_up", {"reason": why.both()})
        return replace(plan, gone=True, invocations=self._steps(plan.work, [step], plan.work.key))

    # one method per kind of work -----------------------------------------------------------------------------------

    def _entered_stage(self, plan: Plan, item: Item, entry: StageEntry | None) -> Plan | None:
        stage = self._stage(plan)
        if stage is None or entry is None or plan.running is None:
            return None
        again = bool(plan.work.body.get("again"))
        passed = item.stage_id != entry.stage_id
        if passed and again:
            return None
        checks = () if passed else stage.all_checks
        left = plan.running.process.stage(plan.running.stage_key(entry.came_from or "") or "")
        invocations = [
            *self._left_behind(plan, plan.running, entry),
            *self._steps(
                plan.work,
                () if again or left is None else plan.running.process.leave_steps(left),
                f"e{entry.key}:leave",
                "leave",
            ),
            *self._entered(entry, checks, "check"),
            *self._entered(entry, () if passed else stage.all_otherwise, "otherwise"),
            *self._entered(entry, plan.running.process.enter_steps(stage), "enter"),
        ]
        return replace(
            plan,
            cause=StageEntered(again),
            place=replace(plan.place, passed=passed),
            invocations=tuple(invocations),
            watched=stage.changes.fields if stage.changes else (),
            asked_by=str(plan.work.body.get("by", "")),
        )

    def _left_behind(self, plan: Plan, run: Running, entry: StageEntry) -> tuple[Invocation, ...]:
        """Wind up what another pipeline's process has begun, where the item comes from there."""
        pinned = processes.pinned(self.connection, self.portal.id, plan.work.item)
        if pinned is None or pinned.process == run.process.code:
            return ()
        step = Step("wind_up", {"reason": ELSEWHERE.both()})
        return self._steps(plan.work, [step], f"e{entry.key}:pipeline", "leave")

    def _called(self, plan: Plan, item: Item | None, entry: StageEntry | None) -> Plan:
        body = plan.work.body
        robot = self._robot(str(body["code"]))
        props = from_portal(robot, body["properties"])
        token, waits = str(body["token"]), bool(body["waits"])
        here = entry is not None and item is not None and entry.stage_id == item.stage_id
        key = _entry_key(entry, robot, props) if entry is not None and here else f"call:{digest(token)}"
        return replace(
            plan,
            cause=RobotCalled(token, waits),
            invocations=(Invocation(robot, props, "step", key),),
            token=token,
            waits=waits,
            gone=item is None,
        )

    def _due(self, plan: Plan) -> Plan | None:
        timer = timers.get(self.connection, int(plan.work.body["timer_id"]))
        retried = timer is not None and timer.state == "fired" and bool(plan.work.body.get("retried"))
        if timer is None or (timer.state != "waiting" and not retried):
            return None
        cause = TimerDue(timer.name, timer.due, timer.set_at)
        return replace(plan, cause=cause, invocations=self._steps(plan.work, [timer.step], f"t{timer.key}"))

    def _finished(self, plan: Plan) -> Plan | None:
        row = given_tasks.get(self.connection, int(plan.work.body["row_id"]))
        if row is None or row.status == "closed":
            return None
        cause = TaskFinished(row.name, row.task_id, row.full_checklist)
        steps = [Step("task_finished"), *row.done]
        key = f"k{row.key}.{plan.work.body['round']}"
        return replace(plan, cause=cause, invocations=self._steps(plan.work, steps, key))

    def _changed(self, plan: Plan) -> Plan | None:
        stage = self._stage(plan)
        if stage is None or stage.changes is None:
            return None
        names = tuple(name for name in plan.work.body["names"] if name in stage.changes.fields)
        if not names:
            return None
        invocations = self._steps(plan.work, stage.changes.then, plan.work.key)
        return replace(plan, cause=FieldsChanged(names), invocations=invocations, watched=stage.changes.fields)

    def _submitted(self, plan: Plan) -> Plan | None:
        body = plan.work.body
        form = plan.running.process.forms.get(str(body["form"])) if plan.running else None
        if form is None:
            return None
        name = str(body["name"])
        cause = FormSubmitted(form.name, body["answers"], int(body["by"]), int(body["round"]), name)
        steps = [Step("form_submitted"), *form.submitted]
        return replace(plan, cause=cause, invocations=self._steps(plan.work, steps, plan.work.key), asked_by=name)

    def _paid(self, plan: Plan) -> Plan:
        body = plan.work.body
        payment, amount, note = str(body["payment_id"]), str(body["amount"]), str(body.get("note", ""))
        rule = plan.running.process.payment_on(plan.stage_key) if plan.running else None
        if rule is not None:
            step = rule.step
        else:
            point = plan.place.point()
            stage = point.name if point else T.same(plan.place.stage)
            text = _OUTSIDE.fill(payment=payment, amount=amount, stage=stage)
            step = Step("record", {"text": text.both()})
        cause = PaymentConfirmed(payment, amount, note)
        return replace(plan, cause=cause, invocations=self._steps(plan.work, [step], plan.work.key))

    def _relayed(self, plan: Plan) -> Plan:
        body = plan.work.body
        props = {"phone": body["to"], "text": body["text"], "message_id": body["message_id"]}
        cause = AskedByPerson("Bitrix24", str(body.get("module") or ""))
        steps = [Step("relay_sms", props)]
        return replace(plan, cause=cause, invocations=self._steps(plan.work, steps, plan.work.key))

    def _asked(self, plan: Plan) -> Plan:
        body = plan.work.body
        steps = [Step(step["robot"], step["props"]) for step in body["steps"]]
        cause = cause_from_json(body.get("cause", {})) or AskedByPerson(str(body["by"]), str(body["why"]))
        invocations = self._steps(plan.work, steps, plan.work.key)
        reasons = tuple(T(why["ru"], why["en"]) for why in body.get("reasons", ()))
        return replace(plan, cause=cause, invocations=invocations, asked_by=str(body["by"]), reasons=reasons)

    # -----------------------------------------------------------------------------------------------------------------

    def _stage(self, plan: Plan) -> StageDef | None:
        return plan.running.process.stage(plan.stage_key) if plan.running and plan.stage_key else None

    def _robot(self, code: str) -> Robot[Any]:
        robot = self.catalogue.get(code)
        if robot is None:
            raise BadStep(T(f"робота «{code}» нет", f"no robot is called {code}"))
        return robot

    def _read(self, step: Step) -> tuple[Robot[Any], Any]:
        robot = self._robot(step.robot)
        props, problems = from_file(robot, step.props)
        if problems:
            told = [T(f"{problem.name} — {problem.why.ru}", f"{problem.name}: {problem.why.en}") for problem in problems]
            raise BadStep(T(f"{step.robot}: {join(told, '; ').ru}", f"{step.robot}: {join(told, '; ').en}"))
        return robot, props

    def _steps(self, work: Work, steps: Iterable[Step], prefix: str, phase: Phase = "step") -> tuple[Invocation, ...]:
        read = [self._read(step) for step in steps]
        return tuple(Invocation(robot, props, phase, f"{prefix}:{n}:{robot.code}") for n, (robot, props) in enumerate(read))

    def _entered(self, entry: StageEntry, steps: Iterable[Step], phase: Phase) -> list[Invocation]:
        """Key steps of an entry by what they are, so that the portal's own call of the same robot is the same run."""
        invocations: list[Invocation] = []
        for robot, props in map(self._read, steps):
            key = _entry_key(entry, robot, props) + (":otherwise" if phase == "otherwise" else "")
            twins = sum(i.key.partition("#")[0] == key for i in invocations)
            invocations.append(Invocation(robot, props, phase, f"{key}#{twins}" if twins else key))
        return invocations


def _entry_key(entry: StageEntry, robot: Robot[Any], props: Any) -> str:
    same = sameness(robot, props)
    return f"e{entry.key}:{robot.code}" + (f":{digest(same)[:10]}" if same else "")


def digest(text: str) -> str:
    """Make a name of fixed length, forty hex digits, of any text."""
    return hashlib.sha256(text.encode()).hexdigest()[:40]
