"""Remind a silent member of the commission of his vote; then ask his head in his place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import commission, wording
from b24app.core.actions import Notify
from b24app.core.asking import ask, noted
from b24app.core.call import Call, TimerDue
from b24app.core.commission import Tally
from b24app.core.giving import Assignment
from b24app.core.item import Item, People
from b24app.core.needs import Facts, Need, NeedForms, NeedItem, NeedLedger, NeedPeople, OwnTask
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role
from b24app.core.text import T, bb, cut
from b24app.core.worktime import Pause

NOT_DUE = T("Напоминания приходят только по сроку", "Reminders come at their time only")
VOTED = T("{name} уже ответил(а)", "{name} has answered already")
REMINDED = T("Напомнили о голосовании: {name}", "Reminded {name} of the vote")
REMINDER = T(
    "Комиссия ждёт ваш голос по «{title}», срок — {due}: {link}",
    "The commission waits for your vote on “{title}”, until {due}: {link}",
)
SILENT = T("{name} не проголосовал(а) в срок", "{name} has not voted in time")
TITLE = T("Решить за {member}: меры по «{title}»", "Decide for {member}: the measures for “{title}”")
ABOUT = T(
    "{member} не ответил(а) комиссии в срок. Добейтесь ответа или проголосуйте вместо него (неё): {link}",
    "{member} has not answered the commission in time. Get an answer, or vote instead: {link}",
)


@dataclass(frozen=True, slots=True)
class Props:
    member: int = prop(T("Член комиссии", "Member of the commission"), default=0, same=True)
    turn: str = prop(
        T("Очередь", "Turn"),
        default="remind",
        options={"remind": T("напомнить", "remind"), "head": T("спросить руководителя", "ask the head")},
    )


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the item, the people, the ledger and the forms."""
    return (NeedItem(call.item), NeedPeople(), NeedLedger(call.item), NeedForms(call.item))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Do nothing for a member who has spoken; remind first, ask the head at the deadline."""
    item, people, rule = facts[NeedItem(call.item)], facts[NeedPeople()], call.house.corrections
    if item is None:
        return Outcome(wording.GONE)
    if not isinstance(call.cause, TimerDue) or rule is None:
        return Outcome(NOT_DUE)
    ledger = facts[NeedLedger(call.item)]
    votes = commission.tally(commission.members_of(item), ledger, facts[NeedForms(call.item)], rule.approval.quorum)
    asked = ledger.open_task(commission.seat(props.member))
    name = people.name(asked.responsible if asked else props.member)
    if props.member not in votes.silent or votes.verdict != "open":
        return Outcome(VOTED.fill(name=name))
    if props.turn == "head":
        return _head(call, props, facts, item, votes, name)
    return _remind(call, props, item, asked, name)


def _remind(call: Call, props: Props, item: Item, asked: OwnTask | None, name: str) -> Outcome:
    why = REMINDED.fill(name=name)
    if asked is None:
        return Outcome(why, (noted(call, bb(call.say(why))),))
    due = wording.moment(call, asked.deadline) if asked.deadline else "—"
    text = call.say(REMINDER, title=bb(item.title), due=due, link=wording.item_link(call, item.ref))
    notice = Notify(asked.responsible, cut(text, wording.NOTICE), call.item)
    return Outcome(why, (notice, noted(call, bb(call.say(why)))))


def _head(call: Call, props: Props, facts: Facts, item: Item, votes: Tally, name: str) -> Outcome:
    people, task = facts[NeedPeople()], commission.in_place_of(props.member)
    if facts[NeedLedger(call.item)].open_task(task) is not None:
        return Outcome(SILENT.fill(name=name))
    head = _speaker(props.member, frozenset(vote.by for vote in votes.votes), people, call.house.fallback)
    values = {**wording.known(call, facts, item), "member": name}
    role = Role(f"user({head})") if head is not None else Role("responsible")
    what = Assignment(task, TITLE, role, ABOUT, (), Pause(1, "w"), "control")
    given, actions = ask(call, item, people, commission.APPROVAL, what, values, holds="ignore")
    why = wording.sentence(SILENT.fill(name=name), given.why)
    return Outcome(why, (*actions, noted(call, bb(call.say(why)))))


def _speaker(member: int, heard: frozenset[int], people: People, fallback: int | None) -> int | None:
    """Find the nearest head above who still has a word: whoever has voted for himself cannot vote once more."""
    head, passed = people.head_of(member), {member}
    while head is not None and head in heard and head not in passed:
        passed.add(head)
        head = people.head_of(head)
    return next((user for user in (head, fallback) if user is not None and user not in heard), None)


ROBOT = Robot(
    code="remind_member",
    name=T("Напомнить члену комиссии", "Remind a member of the commission"),
    description=T(
        "Напоминает о голосовании, по истечении срока спрашивает руководителя",
        "Reminds of the vote; at the deadline asks the head",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    internal=True,
)
