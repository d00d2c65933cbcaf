"""Deciding a set of work: read the facts of all of it at once, then decide and store one piece after the other.

Each piece is one transaction: the runs, their actions, the timers, and that the work is done. What this transaction held
back is done by nobody; what it committed is done exactly once by whoever carries actions out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.engine import Connection

from b24app.bitrix.errors import PortalError, Transient
from b24app.bitrix.gate import Gate
from b24app.core.actions import AnswerRobot
from b24app.core.call import Call, Place, RobotCalled
from b24app.core.item import Item, ItemRef
from b24app.core.needs import Facts, Ledger, Need, NeedForms, NeedItem, NeedLedger
from b24app.core.properties import BadProperty, properties_of, results_text
from b24app.core.robot import Outcome, Robot
from b24app.core.text import T
from b24app.engine.facts import Asking, EndlessNeeds, NotRead, Reader
from b24app.engine.knowledge import Knowledge, field_book, known, stage_dictionary, stages_known
from b24app.engine.record import Origin, SlotTaken, portal_value, record
from b24app.engine.work import BadStep, Invocation, Plan, Planner
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import forms, journal, ledger, processes, queue
from b24app.store.portals import Portal
from b24app.store.processes import Pinned
from b24app.store.queue import Work

TRIES = 6
ATTEMPTS = 5
_log = log("decide")

_CHECK_FAILED = T("Не выполнялось: проверка не пройдена", "Not run: a check was not passed")
_STOPPED = T("Не выполнялось: предыдущий шаг остановил обработку", "Not run: the step before stopped the processing")
_KEPT_IN_STAGE = T(
    "Уже выполнено для этого входа на стадию (процесс или повторный вызов)",
    "Already done for this entry into the stage (by the process, or the call came twice)",
)
_UNREADABLE = T("Вызов робота не разобран: {why}", "The robot call could not be read: {why}")


@dataclass(slots=True)
class Decider:
    """Decides work of one portal."""

    workshop: Workshop
    portal: Portal
    gate: Gate

    def decide(self, works: Sequence[Work]) -> None:
        """Decide a set of work, one piece per item; raises the `PortalError` that concerns the whole portal."""
        knowledge = known(self.workshop, self.portal, self.gate)
        with self.workshop.database.read() as connection:
            book = field_book(self.workshop, connection, self.portal, knowledge)
        reader = Reader(self.gate, book, knowledge.people)
        reader.read([_only(NeedItem(work.item)) for work in works if work.item.id])
        plans = [(work, self._planned(work, reader, knowledge)) for work in works]
        reader.read(self._askings([plan for _, plan in plans if plan is not None]))
        for work, plan in plans:
            if plan is not None:
                self._settle(work, plan, reader)

    def rehearse(
        self,
        item: ItemRef,
        put_down: Callable[[Connection], int],
        look: Callable[[Connection, int], None],
    ) -> None:
        """Decide work in a transaction that keeps nothing: it is put down, decided, looked at and taken back.

        Raises `BadStep` and `BadProperty` for work that cannot be planned, and the `PortalError` that reading met.
        """
        knowledge = known(self.workshop, self.portal, self.gate)
        with self.workshop.database.read() as connection:
            book = field_book(self.workshop, connection, self.portal, knowledge)
        reader = Reader(self.gate, book, knowledge.people)
        reader.read([_only(NeedItem(item))])
        for _ in range(ATTEMPTS):
            try:
                with self.workshop.database.trial() as connection:
                    self._rehearse(connection, put_down(connection), reader, look)
                return
            except NotRead as more:
                reader.read([_only(more.need)])
        raise EndlessNeeds

    def _rehearse(
        self, connection: Connection, work_id: int, reader: Reader, look: Callable[[Connection, int], None]
    ) -> None:
        work = queue.get_work(connection, work_id)
        assert work is not None
        planner = Planner(connection, self.portal, self.workshop.catalogue, self.workshop.now())
        plan = planner.plan(work, reader.values.get(NeedItem(work.item)))
        if plan is not None:
            _Deciding(self, connection, plan, reader).run()
        look(connection, work_id)

    # planning --------------------------------------------------------------------------------------------------------

    def _planned(self, work: Work, reader: Reader, knowledge: Knowledge) -> Plan | None:
        """Plan a piece of work; one that has nothing to do or cannot be planned is settled here."""
        need = NeedItem(work.item)
        if need in reader.errors:
            self._put_off(work, reader.errors[need])
            return None
        item: Item | None = reader.values.get(need)  # an SMS of the portal may belong to no item
        try:
            plan = self._plan(work, item, knowledge)
        except (BadStep, BadProperty) as error:
            self._refuse(work, item, error)
            return None
        if plan is None:
            self._end(work)
        return plan

    def _plan(self, work: Work, item: Item | None, knowledge: Knowledge) -> Plan | None:
        dictionary = stage_dictionary(work.item.entity_type_id, item.category_id) if item else ""
        stages = knowledge.stages
        if work.kind == "call" and dictionary:
            with self.workshop.database.read() as connection:
                tied = any(
                    (tie.entity_type_id, tie.category_id) == (work.item.entity_type_id, item.category_id if item else 0)
                    for tie in processes.ties(connection, self.portal.id)
                )
            if not tied:
                stages = stages_known(self.workshop, self.portal, self.gate, [dictionary])
        with self.workshop.database.read() as connection:
            planner = Planner(connection, self.portal, self.workshop.catalogue, self.workshop.now(), stages, dictionary)
            return planner.plan(work, item)

    def _askings(self, plans: Iterable[Plan]) -> list[Asking]:
        now = self.workshop.now()
        with self.workshop.database.read() as connection:
            plans = list(plans)
            memories = {plan.work.item: self._remembered(connection, plan) for plan in plans}
        return [_asking(i, plan.call(now), memories[plan.work.item]) for plan in plans for i in plan.invocations]

    def _remembered(self, connection: Connection, plan: Plan) -> Mapping[Need[Any], Any]:
        """Return what is remembered of an item now, so that what robots ask for because of it is read in good time."""
        item = plan.work.item
        memory: dict[Need[Any], Any] = {NeedLedger(item): ledger.ledger(connection, self.portal.id, item)}
        if plan.house.forms:
            memory[NeedForms(item)] = forms.submissions(connection, self.portal.id, item)
        return memory

    # settling --------------------------------------------------------------------------------------------------------

    def _settle(self, work: Work, plan: Plan, reader: Reader) -> None:
        """Decide one piece of work and store it. Whatever goes wrong puts off this piece alone."""
        try:
            for _ in range(ATTEMPTS):
                try:
                    self._decided(work, plan, reader)
                    return
                except NotRead as more:
                    reader.read([_only(more.need)])
                except SlotTaken:
                    continue
            raise EndlessNeeds
        except PortalError as error:
            if error.stops_portal:
                raise
            self._put_off(work, error)
        except Exception as error:  # noqa: BLE001 - the worker's loop: one piece that fails must not hold up the others
            self._put_off(work, error)
            _log.exception("deciding failed", portal=self.portal.host, item=str(work.item), work=work.key)

    def _decided(self, work: Work, plan: Plan, reader: Reader) -> None:
        now = self.workshop.now()
        with self.workshop.database.write() as connection:
            if work.kind != "timer" or ledger.fired(connection, int(work.body["timer_id"]), now):
                _Deciding(self, connection, plan, reader).run()
            queue.end_work(connection, work.id, now)

    def _end(self, work: Work) -> None:
        with self.workshop.database.write() as connection:
            queue.end_work(connection, work.id, self.workshop.now())

    def _put_off(self, work: Work, error: Exception) -> None:
        """Come back later with growing pauses; after `TRIES`, or at once where repeating is pointless, it is an incident."""
        now = self.workshop.now()
        hopeless = isinstance(error, PortalError) and not isinstance(error, Transient)
        with self.workshop.database.write() as connection:
            if hopeless or (work.tries + 1 >= TRIES and not isinstance(error, Transient)):
                queue.end_work(connection, work.id, now, error=f"{type(error).__name__}: {error}")
            else:
                pause = timedelta(seconds=min(2 ** (work.tries + 1), 600))
                queue.put_off(connection, work.id, now + pause, f"{type(error).__name__}: {error}")

    def _refuse(self, work: Work, item: Item | None, error: BadStep | BadProperty) -> None:
        """Settle work nobody can do as it is written; a waiting robot is answered, so that no process hangs."""
        robot = self.workshop.catalogue.get(str(work.body.get("code", "")))
        told = _UNREADABLE.fill(why=_named(error, robot))
        now = self.workshop.now()
        with self.workshop.database.write() as connection:
            if work.kind == "call" and robot is not None:
                self._record_refusal(connection, work, item, robot, told)
            queue.end_work(connection, work.id, now, error=told.en)

    def _record_refusal(self, connection: Connection, work: Work, item: Item | None, robot: Robot[Any], told: T) -> None:
        call = Call(
            work.item,
            self.workshop.now(),
            RobotCalled(str(work.body["token"]), bool(work.body["waits"])),
            Place(item.stage_id if item else ""),
        )
        values = {"ok": "N", "reason": told.at(self.portal.settings.lang)} if robot.returns else {}
        actions = (
            (AnswerRobot(str(work.body["token"]), values, told.at(self.portal.settings.lang), work.item),)
            if work.body["waits"]
            else ()
        )
        outcome = Outcome(told, actions, None, ok=False)
        record(
            connection,
            self.portal,
            call,
            robot,
            None,
            outcome,
            Origin(f"w{work.id}", work.id),
            self.workshop.now(),
            "failed",
        )


@dataclass(slots=True)
class _Deciding:
    """The decisions of one plan, inside one transaction."""

    decider: Decider
    connection: Connection
    plan: Plan
    reader: Reader
    kept: dict[ItemRef, Ledger] = field(default_factory=dict)
    """Ledgers as they stand until something is recorded."""

    def run(self) -> None:
        left = [i for i in self.plan.invocations if i.phase == "leave"]
        checks = [i for i in self.plan.invocations if i.phase == "check"]
        otherwise = [i for i in self.plan.invocations if i.phase == "otherwise"]
        enter = [i for i in self.plan.invocations if i.phase in ("enter", "step")]
        if self.plan.work.kind == "entry":
            self._leave_stage()
        for invocation in left:
            self._invoke(invocation, ())
        reasons = tuple(why for invocation in checks if (why := self._reason(invocation)) is not None)
        if reasons:
            self._sequence(otherwise, reasons)
            self._skip(enter, _CHECK_FAILED)
        else:
            self._sequence(enter, ())
        self._remember()

    def _reason(self, check: Invocation) -> T | None:
        """Run a check; return why it failed, None when it did not."""
        ok, why = self._invoke(check, ())
        return None if ok else why

    def _sequence(self, invocations: Sequence[Invocation], reasons: tuple[T, ...]) -> None:
        for place, invocation in enumerate(invocations):
            ok, _ = self._invoke(invocation, reasons)
            if not ok:
                self._skip(invocations[place + 1 :], _STOPPED)
                return

    def _invoke(self, invocation: Invocation, reasons: tuple[T, ...]) -> tuple[bool, T]:
        call = self.plan.call(self.decider.workshop.now(), reasons)
        done = journal.run_of_key(self.connection, self.decider.portal.id, invocation.key)
        if done is not None:
            self._answer_again(invocation, call, done)
            return done.ok, done.why
        facts = self._facts(invocation, call)
        outcome = invocation.robot.decide(call, invocation.props, facts)
        if self.plan.waits and invocation.phase == "step":
            outcome = replace(outcome, actions=(*outcome.actions, self._answer(outcome.returns, outcome.why)))
        self._record(invocation.key, invocation, call, outcome, "decided", facts)
        return outcome.ok, outcome.why

    def _facts(self, invocation: Invocation, call: Call) -> Facts:
        def ask(facts: Facts) -> Iterable[Need[Any]]:
            return invocation.robot.needs(call, invocation.props, facts)

        return self.reader.facts_for(ask, self.connection, self.decider.portal.id, self.kept, forget=self.plan.forced)

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
        self._record(f"w{self.plan.work.id}:{invocation.robot.code}", invocation, call, outcome, "skipped", Facts())

    def _skip(self, invocations: Sequence[Invocation], why: T) -> None:
        call = self.plan.call(self.decider.workshop.now())
        for invocation in invocations:
            if journal.run_of_key(self.connection, self.decider.portal.id, invocation.key) is None:
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
            facts=facts_json(facts, self.plan),
        )
        at = self.decider.workshop.now()
        record(self.connection, self.decider.portal, call, invocation.robot, invocation.props, outcome, origin, at, state)

    def _leave_stage(self) -> None:
        """End the timers of the stage the item stood on before."""
        reason = T("Элемент ушёл со стадии", "The item left the stage").at(self.plan.house.lang)
        ledger.leave_stage(self.connection, self.decider.portal.id, self.plan.work.item, reason, self.decider.workshop.now())

    def _remember(self) -> None:
        """Pin the item to its version, and keep the watched fields as they were seen by this decision."""
        item: Item | None = self.reader.values.get(NeedItem(self.plan.work.item))
        if self.plan.running is None or item is None or self.plan.work.kind not in ("entry", "change"):
            return
        if self.plan.place.passed:
            return
        values = Pinned(
            process=self.plan.running.process.code,
            version=self.plan.running.process.version,
            stage_id=item.stage_id,
            watched={name: portal_value(item.fields.get(name)) for name in self.plan.watched},
        )
        processes.pin(self.connection, self.decider.portal.id, self.plan.work.item, values)


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


def _shown(plan: Plan) -> list[str]:
    """Name the fields worth showing: days, times and people; texts may hold contacts."""
    if plan.running is None:
        return []
    kinds = ("date", "datetime", "time", "employee", "boolean", "integer")
    return [name for name, field in plan.running.process.fields.items() if field.type in kinds]


def _named(error: BadStep | BadProperty, robot: Robot[Any] | None) -> T:
    """Say what is wrong, and with which property, by the label the administrator knows it by."""
    labels = {p.name: p.label for p in properties_of(robot.props)} if robot and isinstance(error, BadProperty) else {}
    label = labels.get(getattr(error, "name", ""))
    return T(f"«{label.ru}»: {error.why.ru}", f"“{label.en}”: {error.why.en}") if label else error.why


def _only(need: Need[Any]) -> Asking:
    return lambda _facts: (need,)


def _asking(invocation: Invocation, call: Call, remembered: Mapping[Need[Any], Any]) -> Asking:
    """Ask what a robot needs, with what is remembered at hand as it was before this round."""

    def ask(facts: Facts) -> Iterable[Need[Any]]:
        return invocation.robot.needs(call, invocation.props, Facts({**facts.values, **remembered}))

    return ask
