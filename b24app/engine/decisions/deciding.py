"""The decisions of one piece of work, inside the transaction that stores them: checks, what follows from them, the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from b24app.core.actions import AnswerRobot
from b24app.core.call import Call
from b24app.core.item import Item, ItemRef
from b24app.core.needs import Facts, Ledger, Need, NeedItem
from b24app.core.properties import results_text
from b24app.core.robot import Outcome
from b24app.core.text import T
from b24app.engine.decisions import remembered
from b24app.engine.decisions.evidence import LOST, LOST_REASON, as_of
from b24app.engine.decisions.facts import Reader
from b24app.engine.decisions.plan import Invocation, Plan
from b24app.engine.decisions.record import Origin, portal_value, record
from b24app.engine.decisions.rounds import SUFFIX, Stop, instead, stop_of
from b24app.engine.workshop import Workshop
from b24app.store import journal, processes, timers
from b24app.store.portals import Portal
from b24app.store.processes import Pinned

_CHECK_FAILED = T("Не выполнялось: проверка не пройдена", "Not run: a check was not passed")
_STOPPED = T("Не выполнялось: предыдущий шаг остановил обработку", "Not run: the step before stopped the processing")
_KEPT_IN_STAGE = T(
    "Уже выполнено для этого входа на стадию (процесс или повторный вызов)",
    "Already done for this entry into the stage (by the process, or the call came twice)",
)


@dataclass(slots=True)
class Deciding:
    """The decisions of one plan, inside one transaction."""

    workshop: Workshop
    portal: Portal
    connection: Connection
    plan: Plan
    reader: Reader
    kept: dict[ItemRef, Ledger] = field(default_factory=dict)
    """Ledgers as they stand until something is recorded."""
    halted: str | None = None
    """Why a step was stopped that would have gone on without end; empty where people know of it already."""

    def _now(self) -> datetime:
        """Return the moment of the decision: that of the first time, where the portal shows it."""
        return self.plan.then or self.workshop.now()

    def run(self) -> None:
        item = self.reader.values.get(NeedItem(self.plan.work.item))
        remembered.note(self.workshop, self.connection, self.portal, self.plan, item)
        left = [i for i in self.plan.invocations if i.phase == "leave"]
        checks = [i for i in self.plan.invocations if i.phase == "check"]
        otherwise = [i for i in self.plan.invocations if i.phase == "otherwise"]
        enter = [i for i in self.plan.invocations if i.phase in ("enter", "step")]
        if self.plan.work.kind == "entry" and not journal.runs_of_work(self.connection, self.plan.work.id):
            self._leave_stage()
        if self.plan.verdict == "over":
            self._skip(self.plan.invocations, LOST)
            return
        for invocation in left:
            self._invoke(invocation, ())
        if self.plan.verdict:
            self._as_before(checks, otherwise, enter)
            return
        reasons = tuple(why for invocation in checks if (why := self._reason(invocation)) is not None)
        if reasons:
            self._sequence(otherwise, reasons)
            self._skip(enter, _CHECK_FAILED)
        else:
            self._sequence(enter, ())
        self._remember()

    def _as_before(self, checks: Sequence[Invocation], otherwise: Sequence[Invocation], enter: Sequence[Invocation]) -> None:
        """Decide an entry whose checks ended as the portal shows, whatever they would say of the item by now."""
        if self.plan.verdict == "failed":
            self._sequence(otherwise, (LOST_REASON,))
            self._skip(enter, _CHECK_FAILED)
        else:
            self._skip(checks, LOST)
            for invocation in enter:
                self._invoke(invocation, ())
        self._remember()

    def _reason(self, check: Invocation) -> T | None:
        """Run a check; return why it failed, None when it did not."""
        ok, why = self._invoke(check, ())
        return None if ok else why

    def _sequence(self, invocations: Sequence[Invocation], reasons: tuple[T, ...]) -> None:
        for place, invocation in enumerate(invocations):
            ok, _ = self._invoke(invocation, reasons)
            if self.halted is not None:
                return  # a retry goes on with the steps after it
            if not ok:
                self._skip(invocations[place + 1 :], _STOPPED)
                return

    def _invoke(self, invocation: Invocation, reasons: tuple[T, ...]) -> tuple[bool, T]:
        call = self.plan.call(self._now(), reasons)
        done = journal.run_of_key(self.connection, self.portal.id, invocation.key)
        if done is not None:
            self._answer_again(invocation, call, done)
            return done.ok, done.why
        facts = self._facts(invocation, call)
        outcome = invocation.robot.decide(call, invocation.props, facts)
        stop = self._stop(invocation, call, outcome)
        if stop is not None:
            self._halt(invocation, call, stop, facts)
            return False, stop.why
        if self.plan.waits and invocation.phase == "step":
            outcome = replace(outcome, actions=(*outcome.actions, self._answer(outcome.returns, outcome.why)))
        self._record(invocation.key, invocation, call, outcome, "decided", facts)
        return outcome.ok, outcome.why

    def _stop(self, invocation: Invocation, call: Call, outcome: Outcome) -> Stop | None:
        """Tell whether a step goes on without end; what people asked for, or an operator retried, is done all the same."""
        if self.plan.asked_by or self.plan.forced or self.plan.work.body.get("retried"):
            return None
        now, limit = self._now(), self.workshop.settings.loop_limit
        return stop_of(self.connection, self.portal, call, invocation.robot, outcome, now, limit)

    def _halt(self, invocation: Invocation, call: Call, stop: Stop, facts: Facts) -> None:
        """Do nothing of a step that goes on without end, and say so; the first time its work is an incident."""
        answer = None
        if self.plan.waits:
            values = {"ok": "N", "reason": stop.why.at(self.plan.house.lang)} if invocation.robot.returns else {}
            answer = self._answer(values, stop.why)
        outcome = instead(self.connection, self.portal, call, stop, answer, self.reader.people)
        self._record(invocation.key + SUFFIX, invocation, call, outcome, "skipped", facts)
        self.halted = "" if stop.told else call.say(stop.why)

    def _facts(self, invocation: Invocation, call: Call) -> Facts:
        def ask(facts: Facts) -> Iterable[Need[Any]]:
            return invocation.robot.needs(call, invocation.props, facts)

        facts = self.reader.facts_for(ask, self.connection, self.portal.id, self.kept, forget=self.plan.forced)
        return facts if self.plan.then is None else as_of(facts, self.plan.then, call.cause)

    def _answer(self, returns: Any, why: T) -> AnswerRobot:
        values = results_text(returns) if not isinstance(returns, dict) else returns
        lang = self.plan.house.lang
        return AnswerRobot(self.plan.token, values, why.at(lang), self.plan.work.item)

    def _answer_again(self, invocation: Invocation, call: Call, done: journal.Run) -> None:
        """A robot the portal called for what was done already gets the same results, and does nothing."""
        if not self.plan.token:
            return
        actions = (self._answer(dict(done.returns), done.why),) if self.plan.waits else ()
        outcome = Outcome(_KEPT_IN_STAGE, actions, None, ok=done.ok)
        self._record(f"{self.plan.work.key}:{invocation.robot.code}", invocation, call, outcome, "skipped", Facts())

    def _skip(self, invocations: Sequence[Invocation], why: T) -> None:
        call = self.plan.call(self._now())
        for invocation in invocations:
            if journal.run_of_key(self.connection, self.portal.id, invocation.key) is None:
                self._record(invocation.key, invocation, call, Outcome(why, ok=False), "skipped", Facts())

    def _record(self, key: str, invocation: Invocation, call: Call, outcome: Outcome, state: str, facts: Facts) -> None:
        if outcome.actions:
            self.kept.clear()
        origin = Origin(
            key=key,
            work_id=self.plan.work.id,
            version=self.plan.version,
            stage_key=self.plan.stage_key or call.place.stage,
            asked_by=self.plan.asked_by,
            happened_at=self.plan.work.happened_at,
            facts=facts_json(facts, self.plan) | _told(call.reasons),
        )
        at = self._now()
        record(self.connection, self.portal, call, invocation.robot, invocation.props, outcome, origin, at, state)

    def _leave_stage(self) -> None:
        """End the timers of the stage the item stood on before."""
        reason = T("Элемент ушёл со стадии", "The item left the stage").at(self.plan.house.lang)
        timers.leave_stage(self.connection, self.portal.id, self.plan.work.item, reason, self._now())

    def _remember(self) -> None:
        """Pin the item to its version, and keep the watched fields as they were seen by this decision."""
        item: Item | None = self.reader.values.get(NeedItem(self.plan.work.item))
        if self.plan.running is None or item is None or self.plan.work.kind not in ("entry", "change"):
            return
        if self.plan.place.passed or self.plan.left:
            return
        values = Pinned(
            process=self.plan.running.process.code,
            version=self.plan.running.process.version,
            stage_id=item.stage_id,
            watched={name: portal_value(item.fields.get(name)) for name in self.plan.watched},
        )
        processes.pin(self.connection, self.portal.id, self.plan.work.item, values)


def facts_json(facts: Facts, plan: Plan) -> dict[str, Any]:
    """Write the facts of a decision down for the journal: numbers and states, no contacts."""
    told: dict[str, Any] = {}
    for need, value in facts.values.items():
        if isinstance(value, Item) and value.ref == plan.work.item:
            told |= {
                "title": value.title,
                "stage": value.stage_id,
                "responsible": value.responsible_id,
                "fields": {n: portal_value(value.fields.get(n)) for n in _shown(plan)},
            }
        elif type(need).__name__ in ("NeedTask", "NeedChecklist", "NeedBusy"):
            told[type(need).__name__] = repr(value)[:500]
    return told


def _told(reasons: Sequence[T]) -> dict[str, Any]:
    """Write the reasons of failed checks down, so that the step that followed from them can be done again."""
    return {"reasons": [portal_value(why) for why in reasons]} if reasons else {}


def _shown(plan: Plan) -> list[str]:
    """Name the fields worth showing: days, times and people; texts may hold contacts."""
    if plan.running is None:
        return []
    kinds = ("date", "datetime", "time", "employee", "boolean", "integer")
    return [name for name, field in plan.running.process.fields.items() if field.type in kinds]
