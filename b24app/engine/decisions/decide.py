"""Deciding a set of work: read the facts of all of it at once, then decide and store one piece after the other.

Each piece is one transaction: the runs, their actions, the timers, and that the work is done. What this transaction held
back is done by nobody; what it committed is done exactly once by whoever carries actions out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.engine import Connection

from b24app.bitrix.errors import MethodBlocked, NotSent, PortalError, Refused, Transient
from b24app.bitrix.gate import Gate
from b24app.bitrix.reading.marks import Shown, comments_about, shown_on, tasks_about, visits_in, visits_of
from b24app.bitrix.replies import Reply
from b24app.core.actions import AnswerRobot
from b24app.core.call import Call, Place, RobotCalled, StagePoint
from b24app.core.item import Item, ItemRef
from b24app.core.needs import Facts, Need, NeedForms, NeedItem, NeedLedger
from b24app.core.properties import BadProperty, properties_of
from b24app.core.robot import Outcome, Robot
from b24app.core.text import T
from b24app.engine.decisions.deciding import Deciding
from b24app.engine.decisions.facts import Asking, EndlessNeeds, NotRead, Reader
from b24app.engine.decisions.made_before import MadeBefore
from b24app.engine.decisions.plan import BadStep, Invocation, Plan
from b24app.engine.decisions.record import Origin, SlotTaken, record
from b24app.engine.decisions.work import Planner
from b24app.engine.knowledge import Knowledge, field_book, known, stage_dictionary, stages_known
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import doubts, forms, ledger, processes, queue, timers
from b24app.store.portals import Portal
from b24app.store.queue import Work

TRIES = 6
TRIES_OF_PORTAL = 12
"""Failures of the portal to answer one question after which the work is an incident: most of an hour."""
ATTEMPTS = 5
_log = log("decide")

_UNREADABLE = T("Вызов робота не разобран: {why}", "The robot call could not be read: {why}")


@dataclass(slots=True)
class Decider:
    """Decides work of one portal."""

    workshop: Workshop
    portal: Portal
    gate: Gate
    shown: Mapping[ItemRef, Shown] = field(default_factory=dict)
    """What the portal shows of items whose work may have been dealt with in rows a restored copy lost."""

    def decide(self, works: Sequence[Work]) -> None:
        """Decide a set of work, one piece per item; raises the `PortalError` that concerns the whole portal."""
        knowledge = known(self.workshop, self.portal, self.gate)
        with self.workshop.database.read() as connection:
            book = field_book(self.workshop, connection, self.portal, knowledge)
        reader = Reader(self.gate, book, knowledge.people)
        reader.read([_only(NeedItem(work.item)) for work in works if work.item.id])
        self.shown = self._shown([work for work in works if self._doubtful(work)])
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
            Deciding(self.workshop, self.portal, connection, plan, reader).run()
        look(connection, work_id)

    # what a restored copy has lost -----------------------------------------------------------------------------------

    def _doubtful(self, work: Work) -> bool:
        """Tell whether work may have been dealt with before, as what is told once more after a restoration may, too."""
        told = work.kind in ("form", "payment") and self.portal.restored_at is not None
        return bool(work.item.id) and (told or self.portal.doubts(work.happened_at))

    def weigh(self) -> bool:
        """Hold what the copy was about to do against what the portal shows; tell whether there was anything of it.

        Raises the `PortalError` that reading met.
        """
        with self.workshop.database.read() as connection:
            runs = doubts.unweighed(connection, self.portal.id)
            works = [work for run in runs if run is not None and (work := queue.get_work(connection, run)) is not None]
        if not runs:
            return False
        self.shown = self._shown([work for work in works if work.item.id])
        now = self.workshop.now()
        with self.workshop.database.write() as connection:
            for work in works:
                if work.item in self.shown:
                    planner = self._planner(connection, work)
                    _, plan = planner.begin(work, None)
                    MadeBefore(
                        connection, self.portal, planner, replace(plan, left=True), self.shown[work.item], now
                    ).settle()
            doubts.weighed(connection, self.portal.id)
        return True

    def _shown(self, works: Sequence[Work]) -> dict[ItemRef, Shown]:
        items = list(dict.fromkeys(work.item for work in works))
        if not items:
            return {}
        asked = [ask(item) for item in items for ask in (tasks_about, comments_about)]
        visits, *replies = self.gate.batch([visits_of(self.portal.grant.user, self.workshop.now()), *asked])
        if isinstance(visits, PortalError) and not isinstance(visits, Refused):
            raise visits
        found = visits_in(visits.result) if isinstance(visits, Reply) else {}
        return {item: _shown(replies[2 * n : 2 * n + 2], found.get(item.binding)) for n, item in enumerate(items)}

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
        except Exception as error:  # noqa: BLE001 - as in `_settle`
            self._failed(work, error)
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
            return self._planner(connection, work, stages, dictionary).plan(work, item)

    def _planner(
        self,
        connection: Connection,
        work: Work,
        stages: Mapping[str, tuple[StagePoint, ...]] | None = None,
        dictionary: str = "",
    ) -> Planner:
        now, shown = self.workshop.now(), self.shown.get(work.item)
        return Planner(connection, self.portal, self.workshop.catalogue, now, stages or {}, dictionary, shown)

    def _askings(self, plans: Iterable[Plan]) -> list[Asking]:
        now = self.workshop.now()
        with self.workshop.database.read() as connection:
            plans = list(plans)
            memories = {plan.work.item: self._remembered(connection, plan) for plan in plans}
        return [
            _asking(i, plan.call(plan.then or now), memories[plan.work.item]) for plan in plans for i in plan.invocations
        ]

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
        except Exception as error:  # noqa: BLE001 - the worker's loop: one piece that fails must not hold up the others
            self._failed(work, error)

    def _failed(self, work: Work, error: Exception) -> None:
        """Put off a piece of work; raises the error again when it is a portal's and concerns all of it."""
        if not isinstance(error, PortalError):
            _log.error("deciding failed", portal=self.portal.host, item=str(work.item), work=work.key, exc_info=error)
        elif error.stops_portal:
            raise error
        self._put_off(work, error)

    def _decided(self, work: Work, plan: Plan, reader: Reader) -> None:
        now, error = self.workshop.now(), ""
        with self.workshop.database.write() as connection:
            due = work.kind != "timer" or timers.fired(connection, int(work.body["timer_id"]), now)
            if due or work.body.get("retried"):
                deciding = Deciding(self.workshop, self.portal, connection, plan, reader)
                deciding.run()
                error = deciding.halted or ""
            queue.end_work(connection, work.id, now, error)
            if plan.shown is not None:
                planner = self._planner(connection, work)
                MadeBefore(connection, self.portal, planner, plan, plan.shown, now).settle()

    def _end(self, work: Work) -> None:
        with self.workshop.database.write() as connection:
            queue.end_work(connection, work.id, self.workshop.now())

    def _put_off(self, work: Work, error: Exception) -> None:
        """Come back later with growing pauses; after `TRIES`, or at once where repeating is pointless, it is an incident.

        What the portal has trouble with is given more time, and a blocked method is waited for.
        """
        now, told = self.workshop.now(), str(error) if isinstance(error, PortalError) else f"{type(error).__name__}: {error}"
        blocked, tries = isinstance(error, MethodBlocked | NotSent), work.tries + 1
        most = TRIES_OF_PORTAL if isinstance(error, Transient) else 1 if isinstance(error, PortalError) else TRIES
        pause = timedelta(seconds=min(2**tries, 600) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        until = now + pause
        if isinstance(error, MethodBlocked):
            until = max(until, self.workshop.tempo(self.portal.id).blocked(error.method, now, error.until))
        with self.workshop.database.write() as connection:
            if tries >= most and not blocked:
                queue.end_work(connection, work.id, now, error=told)
            else:
                queue.put_off(connection, work.id, until, told, tries=0 if blocked else 1)

    def _refuse(self, work: Work, item: Item | None, error: BadStep | BadProperty) -> None:
        """Settle work nobody can do as it is written; a waiting robot is answered, so that no process hangs."""
        robot = self.workshop.catalogue.get(str(work.body.get("code", "")))
        told = _UNREADABLE.fill(why=_named(error, robot))
        now = self.workshop.now()
        with self.workshop.database.write() as connection:
            if work.kind == "call" and robot is not None:
                self._record_refusal(connection, work, item, robot, told)
            queue.end_work(connection, work.id, now, error=told.at(self.portal.settings.lang))

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
            Origin(work.key, work.id),
            self.workshop.now(),
            "failed",
        )


def _named(error: BadStep | BadProperty, robot: Robot[Any] | None) -> T:
    """Say what is wrong, and with which property, by the label the administrator knows it by."""
    labels = {p.name: p.label for p in properties_of(robot.props)} if robot and isinstance(error, BadProperty) else {}
    label = labels.get(getattr(error, "name", ""))
    return T(f"«{label.ru}»: {error.why.ru}", f"“{label.en}”: {error.why.en}") if label else error.why


def _shown(replies: Sequence[Reply | PortalError], visits: Mapping[str, int] | None) -> Shown:
    """Read what an item shows; one that is gone shows nothing. Raises the `PortalError` that may be over later."""
    try:
        return shown_on(replies, visits)
    except Refused:
        return Shown()


def _only(need: Need[Any]) -> Asking:
    return lambda _facts: (need,)


def _asking(invocation: Invocation, call: Call, remembered: Mapping[Need[Any], Any]) -> Asking:
    """Ask what a robot needs, with what is remembered at hand as it was before this round."""

    def ask(facts: Facts) -> Iterable[Need[Any]]:
        try:
            return list(invocation.robot.needs(call, invocation.props, Facts({**facts.values, **remembered})))
        except Exception:  # noqa: BLE001 - it fails again where its piece of work is decided, and is put off alone
            return ()

    return ask
