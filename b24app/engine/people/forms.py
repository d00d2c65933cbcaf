"""Forms in the card of an item: which one is asked for now, who fills it in, who may read the answers, and the sending.

Where the item stands and whom its roles mean is read from the portal at every look and at every sending. What was sent is
kept once for every round; the robots that follow from it are work like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from b24app.bitrix.errors import NotFound
from b24app.bitrix.gate import Gate
from b24app.core.form_check import check
from b24app.core.forms import FormDef, Submission, task_asks
from b24app.core.item import Item, ItemRef, People, Task
from b24app.core.needs import Facts, Ledger, Need, NeedItem, NeedTask, OwnTask
from b24app.core.roles import Role, resolve
from b24app.core.text import T
from b24app.engine.decisions.facts import Reader
from b24app.engine.knowledge import Running, field_book, house_of, known
from b24app.engine.known import Standing, standing_of, with_stage
from b24app.engine.workshop import Workshop
from b24app.store import entries, forms, ledger, queue
from b24app.store.portals import Portal


class ItemGone(Exception):
    """The item is not on the portal any more."""


class NotAsked(Exception):
    """The form is not asked for where the item stands now, or not in this round."""


class NotYours(Exception):
    """The form is for somebody else to fill in."""


@dataclass(frozen=True, slots=True)
class Told:
    """A form that was filled in, with its questions as they are asked now."""

    form: FormDef
    sent: Submission


@dataclass(frozen=True, slots=True)
class Sheet:
    """What somebody is shown of the forms of an item.

    ``form`` is the one asked for now, None where nothing is. ``told`` are answers given so far, newest first: all of them
    for whoever takes part, none for anybody else.
    """

    title: str
    process: T | None
    form: FormDef | None
    round: int
    people: People
    fillers: tuple[int, ...] = ()
    """Who is to fill the form in."""
    yours: bool = False
    """Whether the viewer may fill it in."""
    settled: bool = False
    """Whether nothing is left for the viewer to say in this round."""
    unticked: str = ""
    """The viewer's open task that asks for the form and closes with its checklist only; empty where there is none."""
    takes_part: bool = False
    told: tuple[Told, ...] = ()
    before: Mapping[str, Any] | None = None
    """What the viewer answered in an earlier round."""

    @property
    def again(self) -> bool:
        """Whether the form was filled in in an earlier round, and not only the stage entered."""
        name = self.form.name if self.form else None
        return any(one.form.name == name and one.sent.round < self.round for one in self.told)


@dataclass(frozen=True, slots=True)
class Sent:
    """The form is kept; ``again`` tells that it was already, and that nothing was changed."""

    again: bool = False


@dataclass(frozen=True, slots=True)
class Problems:
    """Nothing was kept: what is wrong, by place."""

    by_place: Mapping[str, T]


@dataclass(frozen=True, slots=True)
class _Seen:
    """An item as just read, with what is remembered of it."""

    item: Item
    standing: Standing | None
    memory: Ledger
    submissions: tuple[Submission, ...]
    people: People
    tasks: Mapping[int, Task | None]
    """Open tasks that ask for a form, as they are on the portal now."""
    round: int


def look(workshop: Workshop, gate: Gate, portal: Portal, ref: ItemRef, user: int, *, admin: bool = False) -> Sheet:
    """Lay out what a user is shown; raises `ItemGone` or the `PortalError` that kept the item from being read."""
    seen = _seen(workshop, gate, portal, ref)
    title, standing = seen.item.title or ref.binding, seen.standing
    if standing is None:
        return Sheet(title, None, None, 0, seen.people)
    form = _asked(standing)
    fillers = _fillers(workshop, portal, seen, standing, form) if form else ()
    takes_part = admin or user in fillers or user in _part_takers(workshop, portal, seen, standing)
    return Sheet(
        title=title,
        process=standing.process.title,
        form=form,
        round=seen.round,
        people=seen.people,
        fillers=fillers,
        yours=user in fillers,
        settled=form is not None and _settled(form, seen, user),
        unticked=_unticked(form, seen, user) if form else "",
        takes_part=takes_part,
        told=_told(seen, standing) if takes_part else (),
        before=_before(form, seen, user) if form else None,
    )


def submit(
    workshop: Workshop,
    gate: Gate,
    portal: Portal,
    ref: ItemRef,
    by: tuple[int, str],
    form_name: str,
    round_: int,
    raw: Mapping[str, Any],
) -> Sent | Problems:
    """Keep what somebody (id and name) sent for a form and hand it on to the process.

    Raises `ItemGone`, `NotAsked`, `NotYours`, or the `PortalError` that kept the item from being read.
    """
    seen = _seen(workshop, gate, portal, ref)
    form = _asked(seen.standing) if seen.standing else None
    user, name = by
    if seen.standing is None or form is None or (form.name, seen.round) != (form_name, round_):
        raise NotAsked(form_name)
    if _settled(form, seen, user) and _has_sent(form, seen, user):
        return Sent(again=True)
    if user not in _fillers(workshop, portal, seen, seen.standing, form):
        raise NotYours(form_name)
    answers, problems = check(form, raw, seen.people)
    if problems:
        return Problems(problems)
    version = seen.standing.process.version
    sent = Submission(form.name, round_, user, answers, workshop.now(), name, version)
    return Sent(again=not _keep(workshop, portal, ref, form, sent))


def _keep(workshop: Workshop, portal: Portal, ref: ItemRef, form: FormDef, sent: Submission) -> bool:
    """Store a form and the work that follows from it; False when it was settled already."""
    now = workshop.now()
    key = f"form:{ref.binding}:{form.name}:{sent.round}" + (f":{sent.by}" if form.each else "")
    body = {"form": form.name, "answers": sent.answers, "by": sent.by, "name": sent.name, "round": sent.round}
    with workshop.database.write() as connection:
        if queue.add_work(connection, portal.id, ref, key, "form", body, now) is None:
            return False
        forms.submit(connection, portal.id, ref, sent)
        workshop.portals.wake(connection, portal.id, now)
    workshop.wake(portal.id)
    return True


# What is read ---------------------------------------------------------------------------------------------------------


def _seen(workshop: Workshop, gate: Gate, portal: Portal, ref: ItemRef) -> _Seen:
    knowledge = known(workshop, portal, gate)
    with workshop.database.read() as connection:
        book = field_book(workshop, connection, portal, knowledge)
        memory = ledger.ledger(connection, portal.id, ref)
        submissions = forms.submissions(connection, portal.id, ref)
        standing = standing_of(connection, workshop, portal, ref)
    names = tuple(standing.process.forms) if standing else ()
    asking = [task for task in memory.tasks if task.open and any(task_asks(name, task.name) for name in names)]
    reader = Reader(gate, book, knowledge.people)
    needs: list[Need[Any]] = [NeedItem(ref), *(NeedTask(task.task_id) for task in asking if task.task_id is not None)]
    reader.read([lambda _facts: needs])
    item = _item(reader, ref)
    facts = Facts(reader.values)
    tasks = {need.task_id: facts[need] for need in needs if isinstance(need, NeedTask) and need in facts}
    with workshop.database.read() as connection:
        here = _standing(connection, workshop, portal, item)
        round_ = _round(connection, portal, ref, here)
    return _Seen(item, here, memory, submissions, knowledge.people, tasks, round_)


def _item(reader: Reader, ref: ItemRef) -> Item:
    need = NeedItem(ref)
    if need in reader.errors:
        if isinstance(reader.errors[need], NotFound):
            raise ItemGone(ref.binding) from reader.errors[need]
        raise reader.errors[need]
    item: Item | None = reader.values[need]
    if item is None:
        raise ItemGone(ref.binding)
    return item


def _standing(connection: Connection, workshop: Workshop, portal: Portal, item: Item) -> Standing | None:
    """Tell where an item stands by what the portal says now."""
    standing = standing_of(connection, workshop, portal, item.ref, item.category_id)
    if standing is None or standing.tie.category_id != item.category_id:
        return None
    return with_stage(standing, item.stage_id)


def _asked(standing: Standing) -> FormDef | None:
    key = standing.tie.key_of(standing.stage_id)
    return standing.process.form_on(key) if key else None


def _round(connection: Connection, portal: Portal, ref: ItemRef, standing: Standing | None) -> int:
    """Count the rounds of the form asked for now; an entry not read from the history yet is one, too."""
    form = _asked(standing) if standing else None
    if standing is None or form is None:
        return 0
    keys = standing.process.stages_of_form(form.name)
    ids = [standing.tie.stages[key] for key in keys if key in standing.tie.stages]
    last = entries.last(connection, portal.id, ref)
    ahead = last is None or last.stage_id != standing.stage_id
    return max(1, forms.come_to(connection, portal.id, ref, ids) + ahead)


# Who may what ---------------------------------------------------------------------------------------------------------


def _fillers(workshop: Workshop, portal: Portal, seen: _Seen, standing: Standing, form: FormDef) -> tuple[int, ...]:
    """Find who fills a form in: whom its role means, and who has a task that asks for it.

    A task handed on at the portal hands the form on as well, except where everybody's own answer is wanted.
    """
    found = set(_meant(workshop, portal, seen, standing, [form.who] if form.who else []))
    for task in seen.memory.tasks:
        if task.open and task_asks(form.name, task.name):
            found.add(_holder(task, seen.tasks) if not form.each else task.responsible)
    return tuple(sorted(user for user in found if seen.people.active(user)))


def _holder(task: OwnTask, there: Mapping[int, Task | None]) -> int:
    now = there.get(task.task_id or 0)
    return now.responsible_id if now is not None else task.responsible


def _meant(workshop: Workshop, portal: Portal, seen: _Seen, standing: Standing, roles: Iterable[str]) -> Iterable[int]:
    """Find the people roles mean; a field with several employees means all of them."""
    house = house_of(portal, Running(standing.tie, standing.process), workshop.now())
    for text in roles:
        meant = house.roles.get(text, text)
        several = seen.item.fields.get(meant[len("field(") : -1]) if meant.startswith("field(") else None
        if isinstance(several, tuple):
            yield from (int(one) for one in several if isinstance(one, str) and one.isdigit())
            continue
        found = resolve(Role.parse(text), seen.item, seen.people, house).user
        if found is not None:
            yield found


def _part_takers(workshop: Workshop, portal: Portal, seen: _Seen, standing: Standing) -> set[int]:
    """Find who may read the answers: the responsible, everybody with a task here, everybody who fills a form in."""
    roles = {form.who for form in standing.process.forms.values() if form.who}
    return {
        seen.item.responsible_id,
        *(task.responsible for task in seen.memory.tasks),
        *(sent.by for sent in seen.submissions),
        *_meant(workshop, portal, seen, standing, sorted(roles)),
    }


def _has_sent(form: FormDef, seen: _Seen, user: int) -> bool:
    return any((s.form, s.round, s.by) == (form.name, seen.round, user) for s in seen.submissions)


def _settled(form: FormDef, seen: _Seen, user: int) -> bool:
    """Tell whether the form was filled in for this round, where everybody answers by this user."""
    if form.each:
        return _has_sent(form, seen, user)
    return any((s.form, s.round) == (form.name, seen.round) for s in seen.submissions)


def _unticked(form: FormDef, seen: _Seen, user: int) -> str:
    asking = (task for task in seen.memory.tasks if task.open and task.full_checklist and task_asks(form.name, task.name))
    return next((task.title for task in asking if _holder(task, seen.tasks) == user), "")


def _told(seen: _Seen, standing: Standing) -> tuple[Told, ...]:
    """Return what was answered, newest first; forms the process no longer has are left out."""
    known_forms = standing.process.forms
    return tuple(Told(known_forms[s.form], s) for s in reversed(seen.submissions) if s.form in known_forms)


def _before(form: FormDef, seen: _Seen, user: int) -> Mapping[str, Any] | None:
    """Return what the user answered to the form the last time, where it was another round; not a vote."""
    if form.each:
        return None
    own = [s for s in seen.submissions if s.form == form.name and s.by == user and s.round < seen.round]
    return own[-1].answers if own else None
