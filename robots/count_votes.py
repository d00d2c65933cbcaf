"""Count the votes about the measures after each of them, and draw the consequence once it is clear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import commission, wording
from b24app.core.actions import Action, CloseTask, Comment, MoveStage, Notify, UpdateItem
from b24app.core.asking import noted
from b24app.core.call import Call, FormSubmitted
from b24app.core.commission import Tally
from b24app.core.forms import Submission
from b24app.core.giving import Assignment, give
from b24app.core.item import Item, People
from b24app.core.needs import Facts, Ledger, Need, NeedForms, NeedItem, NeedLedger, NeedPeople
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role, resolve
from b24app.core.text import EMPTY, T, bb, cut, plain
from b24app.core.worktime import Pause

NO_TABLES = T("В процессе нет таблиц коррекций", "The process has no tables of corrections")
STANDING = T("За: {yes}, нужно {needed} из {all}", "For: {yes}, needed {needed} of {all}")
SILENT = T("ещё не ответили: {names}", "still silent: {names}")
APPROVED = T("Комиссия одобрила меры", "The commission has approved the measures")
REJECTED = T(
    "Комиссия отклонила меры, карточка возвращена на «{to}»", "The commission has rejected the measures; back to “{to}”"
)
REJECTED_HERE = T("Комиссия отклонила меры", "The commission has rejected the measures")
DECIDED = T("Комиссия уже приняла решение", "The commission has decided already")
VOICE = T("{name}: {word}{comment}", "{name}: {word}{comment}")
YES, NO = T("за", "for"), T("против", "against")
OVER = T("Решение комиссии принято, голос больше не нужен", "The commission has decided, the vote is not needed any more")
NEXT = T("Поставить задачи на изменения: {title}", "Put the changes on their way: {title}")
FORMULATE = T(
    "Меры согласованы. Проверьте формулировку задачи по каждой мере и переведите карточку на стадию изменений: {link}",
    "The measures are agreed. Check how each task is worded and move the card on to the changes: {link}",
)


@dataclass(frozen=True, slots=True)
class Props:
    back: str = prop(T("Куда вернуть отклонённое", "Where to rejected measures go back"), default="measures")
    to: Role = prop(T("Кто продолжает", "Who goes on"), default=Role("responsible"))
    title: T = prop(T("Название задачи", "Title of the task"), default=NEXT)
    name: str = prop(T("Имя задачи в процессе", "Name of the task in the process"), default="approved")
    deadline: Pause | None = prop(T("Крайний срок", "Deadline"), default=Pause(1, "w"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the ledger, the forms, and what the texts speak of."""
    return (NeedLedger(call.item), NeedForms(call.item), *wording.reading(call, facts, (props.title,)))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Write the standing down; approved measures go on with the officer, rejected ones back with all comments."""
    item, rule = facts[NeedItem(call.item)], call.house.corrections
    if item is None:
        return Outcome(wording.GONE)
    if rule is None:
        return Outcome(NO_TABLES, ok=False)
    people, ledger = facts[NeedPeople()], facts[NeedLedger(call.item)]
    before, heard = _heard(call, facts[NeedForms(call.item)])
    members, quorum = commission.members_of(item), rule.approval.quorum
    votes = commission.tally(members, ledger, heard, quorum)
    standing = STANDING.fill(yes=votes.yes, needed=votes.needed, all=len(votes.members))
    asked = isinstance(call.cause, FormSubmitted)
    if asked and commission.tally(members, ledger, before, quorum).verdict != "open":
        return Outcome(DECIDED, (noted(call, bb(call.say(DECIDED)), _voices(call, votes, people)),))
    if votes.verdict == "open":
        silent = SILENT.fill(names=", ".join(people.name(member) for member in votes.silent))
        why = wording.sentence(standing, silent)
        return Outcome(why, (noted(call, bb(call.say(why)), _voices(call, votes, people)),) if asked else ())
    closed = _closed(call, ledger)
    if votes.verdict == "approved":
        return _approved(call, props, facts, item, votes, standing, closed)
    return _rejected(call, props, facts, item, votes, standing, closed)


def _heard(call: Call, forms: tuple[Submission, ...]) -> tuple[tuple[Submission, ...], tuple[Submission, ...]]:
    """Return the forms before the vote that is counted, and those up to it: of votes sent at once, one decides."""
    cause = call.cause
    if isinstance(cause, FormSubmitted):
        for place, sent in enumerate(forms):
            if (sent.form, sent.round, sent.by) == (cause.form, cause.round, cause.by):
                return forms[:place], forms[: place + 1]
    return (), forms


def _approved(
    call: Call, props: Props, facts: Facts, item: Item, votes: Tally, standing: T, closed: tuple[Action, ...]
) -> Outcome:
    people, ledger = facts[NeedPeople()], facts[NeedLedger(call.item)]
    said = _said(call, APPROVED, standing, votes, people)
    decision = UpdateItem(call.item, {"decision": call.say(wording.sentence(APPROVED, standing))})
    measures = commission.newest(facts[NeedForms(call.item)], commission.MEASURES)
    task = ledger.last_task(props.name)
    if task is not None and (task.open or (measures is not None and task.opened_at >= measures.at)):
        return Outcome(wording.sentence(APPROVED, standing), (decision, *closed, said) if closed else ())
    rows = commission.rows(measures, "measures")
    lines = tuple(T.same(plain(str(row.get("text") or ""))) for row in rows)
    what = Assignment(props.name, props.title, props.to, FORMULATE, lines, props.deadline)
    given = give(call, item, people, what, wording.known(call, facts, item))
    return Outcome(wording.sentence(APPROVED, standing, given.why), (decision, *closed, said, *given.or_say_so(call)))


def _rejected(
    call: Call, props: Props, facts: Facts, item: Item, votes: Tally, standing: T, closed: tuple[Action, ...]
) -> Outcome:
    people, target = facts[NeedPeople()], call.place.by_key(props.back)
    ahead = target is not None and call.place.position(target.id) < call.place.position(item.stage_id)
    here = call.place.point()
    moves = target is not None and ahead and here is not None and here.semantics == "process"
    why = REJECTED.fill(to=target.name) if moves and target is not None else REJECTED_HERE
    said = _said(call, why, standing, votes, people)
    actions: list[Action] = [UpdateItem(call.item, {"decision": call.say(wording.sentence(REJECTED_HERE, standing))})]
    if moves and target is not None:
        actions.append(MoveStage(call.item, target.id, item.stage_id, call.say(REJECTED_HERE)))
    who = resolve(props.to, item, people, call.house).user
    notice = wording.cut_bb(f"{bb(item.title)}: {bb(call.say(why))}\n{_voices(call, votes, people)}", wording.NOTICE)
    told = (Notify(who, notice, call.item),) if who is not None else ()
    return Outcome(wording.sentence(why, standing), (*actions, *closed, said, *told))


def _closed(call: Call, ledger: Ledger) -> tuple[Action, ...]:
    """Close the tasks of everybody who has not voted; their reminders end with them."""
    asked = (task for task in ledger.tasks if task.open and task.name.startswith(f"{commission.APPROVAL}:"))
    reason = call.say(OVER)
    return tuple(CloseTask(call.item, task.task_id, reason) for task in asked if task.task_id is not None)


def _said(call: Call, why: T, standing: T, votes: Tally, people: People) -> Comment:
    return noted(call, f"[B]{bb(call.say(wording.sentence(why, standing)))}[/B]", _voices(call, votes, people))


def _voices(call: Call, votes: Tally, people: People) -> str:
    """Write every vote down with its comment."""
    lines = []
    for vote in votes.votes:
        comment = T.same(f" — {cut(plain(vote.comment), 500)}") if vote.comment else EMPTY
        said = VOICE.fill(name=people.name(vote.by), word=YES if vote.approves else NO, comment=comment)
        lines.append(f"• {bb(call.say(said))}")
    return "\n".join(lines)


ROBOT = Robot(
    code="count_votes",
    name=T("Подсчитать голоса", "Count the votes"),
    description=T(
        "Одобренные меры передаёт сотруднику ОКК, отклонённые возвращает с комментариями",
        "Hands approved measures on to the quality officer, moves rejected ones back with the comments",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    on_portal=False,
)
