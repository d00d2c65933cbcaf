"""Put the measures to the vote: every member of the commission gets a task, silence is noticed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from b24app.core import changes, commission, wording
from b24app.core.actions import Action, CloseTask, SetTimer, Step, UpdateItem
from b24app.core.asking import ask, named, noted
from b24app.core.call import Call, FieldsChanged
from b24app.core.forms import task_asks
from b24app.core.giving import Assignment
from b24app.core.item import Item, People
from b24app.core.needs import Facts, Ledger, Need, NeedForms, NeedItem, NeedLedger, NeedPeople
from b24app.core.quality import Approval
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role, resolve
from b24app.core.text import T, bb, join
from b24app.core.worktime import Pause

NO_TABLES = T("В процессе нет таблиц коррекций", "The process has no tables of corrections")
NOTHING = T("Замечаний нет, согласовывать нечего", "There is nothing to mend and nothing to agree on")
DECIDED = T("Комиссия уже решила: меры одобрены", "The commission has decided already: the measures are approved")
ASKED = T("Голосуют: {members}. Нужно голосов: {needed} из {all}", "Voting: {members}. Votes needed: {needed} of {all}")
KEPT = T("уже спрошены: {members}", "asked already: {members}")
ABOUT = T(
    "Комплекс мер по разбору «{title}»:\n{measures}\n\nОдобрите его или отклоните с комментарием.",
    "The measures for “{title}”:\n{measures}\n\nApprove them, or reject them with a comment.",
)
IN_PLACE = T("{member} уволен(а), решает {name}", "{member} has left the company, {name} decides instead")
UNSEATED = T("Больше не в комиссии", "No longer on the commission")
RELEASED = T("больше не голосуют: {members}", "not voting any more: {members}")
WHAT_REMIND = T("напомнить о голосовании: {name}", "remind {name} of the vote")
WHAT_HEAD = T("передать руководителю молчание: {name}", "tell the head that {name} keeps silent")


@dataclass(frozen=True, slots=True)
class Props:
    title: T = prop(
        T("Название задачи", "Title of the task"), default=T("Согласовать меры: {title}", "Agree on the measures: {title}")
    )
    nobody: Role = prop(
        T("Кто решает, если комиссии нет", "Who decides where nobody sits"), default=Role("head_of(responsible)")
    )


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the ledger, the forms, and what the texts speak of."""
    return (NeedLedger(call.item), NeedForms(call.item), *wording.reading(call, facts, (props.title, ABOUT)))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Ask every member who has not spoken about these measures yet; whoever left the commission is asked no longer."""
    item, rule, forms = facts[NeedItem(call.item)], call.house.corrections, facts[NeedForms(call.item)]
    if item is None:
        return Outcome(wording.GONE)
    if rule is None:
        return Outcome(NO_TABLES, ok=False)
    if commission.outcome_of(forms) == "correct":
        return Outcome(NOTHING)
    people, ledger = facts[NeedPeople()], facts[NeedLedger(call.item)]
    members, named = _members(call, props, item, people)
    votes = commission.tally(members, ledger, forms, rule.approval.quorum)
    if votes.verdict == "approved":
        return Outcome(DECIDED)
    waiting = [member for member in votes.silent if ledger.open_task(commission.seat(member)) is None]
    unseated = _unseated(call, ledger, members)
    actions: list[Action] = [*named, *(closing for _, closing in unseated)]
    whys = [RELEASED.fill(members=", ".join(people.name(user) for user, _ in unseated))] if unseated else []
    for member in waiting:
        why, asked = _ask(call, props, facts, item, member, rule.approval)
        actions += asked
        whys += [why] if why else []
    names = ", ".join(people.name(member) for member in members)
    told = ASKED.fill(members=names, needed=votes.needed, all=len(members))
    kept = [people.name(member) for member in votes.silent if member not in waiting]
    whys += [KEPT.fill(members=", ".join(kept))] if kept else []
    why = wording.sentence(told, join(whys, "; "))
    if not actions and isinstance(call.cause, FieldsChanged):
        return Outcome(why)
    return Outcome(why, (*actions, noted(call, bb(call.say(why)))))


def _unseated(call: Call, ledger: Ledger, members: tuple[int, ...]) -> list[tuple[int, CloseTask]]:
    """Close the tasks of those whose seat is not there any more; their reminders end with them."""
    seats = {name for member in members for name in (commission.seat(member), commission.in_place_of(member))}
    asked = (task for task in ledger.tasks if task.open and task_asks(commission.APPROVAL, task.name))
    gone = [(task.responsible, task.task_id) for task in asked if task.name not in seats]
    return [(user, CloseTask(call.item, number, call.say(UNSEATED))) for user, number in gone if number is not None]


def _members(call: Call, props: Props, item: Item, people: People) -> tuple[tuple[int, ...], tuple[Action, ...]]:
    """Return who votes; where nobody sits on the commission, one member is named."""
    members = commission.members_of(item)
    if members:
        return members, ()
    found = resolve(props.nobody, item, people, call.house).user
    if found is None:
        return (), ()
    return (found,), (UpdateItem(call.item, {"commission": [str(found)]}),)


def _ask(
    call: Call, props: Props, facts: Facts, item: Item, member: int, agreed: Approval
) -> tuple[T | None, tuple[Action, ...]]:
    people, name = facts[NeedPeople()], commission.seat(member)
    due = Pause.parse(agreed.deadline).after(call.at, call.house.calendar)
    what = Assignment(name, props.title, Role(f"user({member})"), ABOUT, (), due)
    values = {**named(call, facts, item), "measures": _measures(facts, call)}
    given, actions = ask(call, item, people, commission.APPROVAL, what, values, holds="ignore")
    if given.task is None:
        return given.why, actions
    who = given.task.responsible
    reminder = Pause.parse(agreed.remind).after(call.at, call.house.calendar)
    timers = (
        _timer(call, member, name, "remind", reminder, WHAT_REMIND.fill(name=people.name(who))),
        _timer(call, member, name, "head", due, WHAT_HEAD.fill(name=people.name(who))),
    )
    moved = IN_PLACE.fill(member=people.name(member), name=people.name(who)) if who != member else None
    return moved, (*actions, *timers)


def _timer(call: Call, member: int, name: str, turn: str, due: datetime, what: T) -> SetTimer:
    step = Step("remind_member", {"member": member, "turn": turn})
    return SetTimer(call.item, f"{turn}:{name}", due, step, call.say(what), "task", name)


def _measures(facts: Facts, call: Call) -> str:
    return "\n".join(f"{n}. {text}" for n, text in enumerate(changes.texts_of(facts[NeedForms(call.item)]), 1))


ROBOT = Robot(
    code="start_approval",
    name=T("Начать согласование", "Put the measures to the vote"),
    description=T(
        "Ставит каждому члену комиссии задачу проголосовать; о молчании напоминает, потом узнаёт его руководитель",
        "Gives every member of the commission the task to vote; the silent are reminded, then their heads hear of it",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    on_portal=False,
)
