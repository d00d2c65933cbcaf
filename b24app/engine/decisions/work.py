"""From a piece of work to the robots it calls, in order, with what caused them and where the item stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from b24app.bitrix.reading.marks import Shown
from b24app.core.actions import Step
from b24app.core.call import (
    AskedByPerson,
    FieldsChanged,
    FormSubmitted,
    PaymentConfirmed,
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
from b24app.engine.decisions.evidence import Verdict, bears, made
from b24app.engine.decisions.plan import BadStep, Invocation, Phase, Plan, digest
from b24app.engine.decisions.record import cause_from_json
from b24app.engine.knowledge import Running, house_of, place_of, running
from b24app.store import entries, given_tasks, processes, timers
from b24app.store.entries import StageEntry
from b24app.store.portals import Portal
from b24app.store.queue import Work

OWN_PIPELINE = frozenset({"entry", "timer", "task", "change", "form"})
"""Work that means nothing any more once its item has left the pipeline; payments and questions of people stay."""

_VERDICTS: tuple[tuple[Phase, Verdict], ...] = (("otherwise", "failed"), ("enter", "passed"))
_UNWANTED: Mapping[Verdict, tuple[Phase, ...]] = {"failed": ("check",), "passed": ("otherwise",)}

DELETED = T("Элемент удалён из CRM", "The item was deleted from the CRM")
ELSEWHERE = T("Элемент переведён в другую воронку", "The item was moved to another pipeline")
_OUTSIDE = T(
    "Платёж {payment} на сумму {amount} подтверждён, но на стадии «{stage}» оплата не ожидается",
    "Payment {payment} of {amount} was confirmed, but no payment is expected on stage “{stage}”",
)


@dataclass(slots=True)
class Planner:
    """Plans work of one portal; reads rows, writes nothing."""

    connection: Connection
    portal: Portal
    catalogue: Catalogue
    now: datetime
    stages: Mapping[str, tuple[StagePoint, ...]] = field(default_factory=dict)
    dictionary: str = ""
    shown: Shown | None = None

    def plan(self, work: Work, item: Item | None) -> Plan | None:
        """Return what a piece of work calls for; None when its reason is gone. Raises `BadStep`, `BadProperty`."""
        entry, begun = self.begin(work, item)
        planned = self._by_kind(begun, item, entry)
        if planned is None or self.shown is None:
            return planned
        return replace(planned, then=self._then(planned, self.shown))

    def _then(self, plan: Plan, shown: Shown) -> datetime | None:
        """Return when a piece of work was decided before; None where nothing shows that it was."""
        keys = [i.key for i in plan.invocations]
        if not bears(self.portal, shown, keys):
            return None
        return min(made(self.portal, shown, keys), default=plan.work.happened_at)

    def begin(self, work: Work, item: Item | None) -> tuple[StageEntry | None, Plan]:
        """Return the entry a piece of work belongs to, and where its item stands."""
        entry = self._entry(work)
        run = self._running(work, item, entry)
        stage_id = item.stage_id if item else (entry.stage_id if entry else "")
        if "entry_id" in work.body and entry is not None:
            stage_id = entry.stage_id
        place = place_of(run, stage_id, entry, self.stages.get(self.dictionary, ()))
        plan = Plan(work, StageEntered(), place, house_of(self.portal, run, self.now), run)
        if run is not None:
            plan = replace(plan, stage_key=run.stage_key(stage_id) or "")
        plan = replace(plan, forced=bool(work.body.get("force")), shown=self.shown)
        return entry, replace(plan, over=self._over(plan, entry))

    def _by_kind(self, plan: Plan, item: Item | None, entry: StageEntry | None) -> Plan | None:
        work, run = plan.work, plan.running
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
        return replace(plan, gone=True, invocations=self._steps([step], plan.work.key))

    # one method per kind of work -----------------------------------------------------------------------------------

    def _entered_stage(self, plan: Plan, item: Item, entry: StageEntry | None) -> Plan | None:
        stage = self._stage(plan)
        if stage is None or entry is None or plan.running is None:
            return None
        again = bool(plan.work.body.get("again"))
        all_of_it = self._of_entry(plan, plan.running, entry, stage, again)
        verdict = self._verdict(all_of_it, over=plan.over)
        left = item.stage_id != entry.stage_id or (self.shown is not None and bool(self._later(plan.work, entry)))
        if left and again and not verdict:
            return None
        unwanted = _UNWANTED.get(verdict, ()) if verdict else ("check", "otherwise") if left else ()
        return replace(
            plan,
            cause=StageEntered(again),
            place=replace(plan.place, passed=left and not verdict),
            invocations=tuple(i for i in all_of_it if i.phase not in unwanted),
            verdict=verdict,
            left=left,
            watched=stage.changes.fields if stage.changes else (),
            asked_by=str(plan.work.body.get("by", "")),
        )

    def _of_entry(self, plan: Plan, run: Running, entry: StageEntry, stage: StageDef, again: bool) -> list[Invocation]:
        """Name everything an entry into a stage may call for."""
        left = None if again else run.process.stage(run.stage_key(entry.came_from or "") or "")
        return [
            *self._left_behind(plan, run, entry),
            *self._steps(() if left is None else run.process.leave_steps(left), f"e{entry.key}:leave", "leave"),
            *self._entered(entry, stage.all_checks, "check"),
            *self._entered(entry, stage.all_otherwise, "otherwise"),
            *self._entered(entry, run.process.enter_steps(stage), "enter"),
        ]

    # what a restored copy has lost -----------------------------------------------------------------------------------

    def _verdict(self, invocations: Iterable[Invocation], *, over: bool) -> Verdict:
        """Tell by what the portal shows how the checks of an entry ended before."""
        if self.shown is None:
            return ""
        for phase, verdict in _VERDICTS:
            if bears(self.portal, self.shown, [i.key for i in invocations if i.phase == phase]):
                return verdict
        return "over" if over else ""

    def _later(self, work: Work, entry: StageEntry | None) -> list[StageEntry]:
        """Return what the item has entered since: after this entry, or after what the work is about happened."""
        last = entries.history_of(self.connection, self.portal.id, work.item)
        if work.kind == "entry" and entry is not None:
            return [one for one in last if one.at > entry.at or (one.id > entry.id and one.at == entry.at)]
        return [one for one in last if one.at > work.happened_at]

    def _over(self, plan: Plan, entry: StageEntry | None) -> bool:
        """Tell whether the portal shows that an entry after this work was dealt with: then this work was, before it."""
        if self.shown is None:
            return False
        for one in self._later(plan.work, entry):
            run = running(self.connection, self.portal, one.item, one.category_id)
            stage = run.process.stage(run.stage_key(one.stage_id) or "") if run else None
            if run is None or stage is None:
                continue
            keys = [i.key for i in self._of_entry(plan, run, one, stage, False)]
            if bears(self.portal, self.shown, keys):
                return True
        return False

    def changes_shown(self, plan: Plan, key: str) -> list[datetime]:
        """Tell when the portal got what followed from changed fields, where work of this key is about them."""
        stage = self._stage(plan)
        if stage is None or stage.changes is None or self.shown is None:
            return []
        return made(self.portal, self.shown, [i.key for i in self._steps(stage.changes.then, key)])

    def _left_behind(self, plan: Plan, run: Running, entry: StageEntry) -> tuple[Invocation, ...]:
        """Wind up what another pipeline's process has begun, where the item comes from there."""
        pinned = processes.pinned(self.connection, self.portal.id, plan.work.item)
        if pinned is None or pinned.process == run.process.code:
            return ()
        step = Step("wind_up", {"reason": ELSEWHERE.both()})
        return self._steps([step], f"e{entry.key}:pipeline", "leave")

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
        return replace(plan, cause=cause, invocations=self._steps([timer.step], f"t{timer.key}"))

    def _finished(self, plan: Plan) -> Plan | None:
        row = given_tasks.get(self.connection, int(plan.work.body["row_id"]))
        if row is None or row.status == "closed":
            return None
        cause = TaskFinished(row.name, row.task_id, row.full_checklist)
        steps = [Step("task_finished"), *row.done]
        key = f"k{row.key}.{plan.work.body['round']}"
        return replace(plan, cause=cause, invocations=self._steps(steps, key))

    def _changed(self, plan: Plan) -> Plan | None:
        stage = self._stage(plan)
        if stage is None or stage.changes is None:
            return None
        names = tuple(name for name in plan.work.body["names"] if name in stage.changes.fields)
        if not names:
            return None
        invocations = self._steps(stage.changes.then, plan.work.key)
        return replace(plan, cause=FieldsChanged(names), invocations=invocations, watched=stage.changes.fields)

    def _submitted(self, plan: Plan) -> Plan | None:
        body = plan.work.body
        form = plan.running.process.forms.get(str(body["form"])) if plan.running else None
        if form is None:
            return None
        name = str(body["name"])
        cause = FormSubmitted(form.name, body["answers"], int(body["by"]), int(body["round"]), name)
        steps = [Step("form_submitted"), *form.submitted]
        return replace(plan, cause=cause, invocations=self._steps(steps, plan.work.key), asked_by=name)

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
        return replace(plan, cause=cause, invocations=self._steps([step], plan.work.key))

    def _relayed(self, plan: Plan) -> Plan:
        body = plan.work.body
        props = {"phone": body["to"], "text": body["text"], "message_id": body["message_id"]}
        cause = AskedByPerson("Bitrix24", str(body.get("module") or ""))
        steps = [Step("relay_sms", props)]
        return replace(plan, cause=cause, invocations=self._steps(steps, plan.work.key))

    def _asked(self, plan: Plan) -> Plan:
        body = plan.work.body
        steps = [Step(step["robot"], step["props"]) for step in body["steps"]]
        cause = cause_from_json(body.get("cause", {})) or AskedByPerson(str(body["by"]), str(body["why"]))
        invocations = self._steps(steps, plan.work.key)
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

    def _steps(self, steps: Iterable[Step], prefix: str, phase: Phase = "step") -> tuple[Invocation, ...]:
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
