"""Give somebody the task of a stage that ends with a form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from b24app.core import commission, wording
from b24app.core.asking import Holds, answered, ask, named, turn_of
from b24app.core.call import Call
from b24app.core.forms import Submission
from b24app.core.giving import HOLDS, Assignment
from b24app.core.item import Item
from b24app.core.needs import Facts, Ledger, Need, NeedForms, NeedItem, NeedLedger, NeedPeople, NeedProcess
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role
from b24app.core.text import EMPTY, T
from b24app.core.worktime import Pause

OPEN = T("Задача «{title}» уже поставлена {at} и ещё открыта", "The task “{title}” was given on {at} and is still open")
DONE = T("Форма уже заполнена {at}: {name}", "{name} has filled in the form already, on {at}")
STANDS = T(
    "Карточку вернуло приложение, заполненная {at} форма остаётся в силе",
    "The application moved the item back; the form filled in on {at} stands",
)


@dataclass(frozen=True, slots=True)
class Props:
    form: str = prop(T("Форма", "Form"), same=True)
    title: T = prop(T("Название задачи", "Title of the task"), default=T("Заполнить форму: {title}", "Fill in: {title}"))
    to: Role = prop(T("Кому", "To whom"), default=Role("responsible"))
    description: T = prop(T("Описание", "Description"), default=EMPTY)
    checklist: tuple[T, ...] = prop(T("Чек-лист", "Checklist"), default=())
    of_source: bool = prop(
        T("Добавить чек-лист анализа исходного процесса", "Add the checklist of the process the item came from"),
        default=False,
    )
    deadline: Pause | None = prop(T("Крайний срок", "Deadline"), default=None)
    late: Pause | None = prop(T("Когда узнает руководитель", "When the head hears of it"), default=None)
    holds: str = prop(
        T("Если карточка ушла дальше, а задача открыта", "If the item moves on while the task is open"),
        default="return",
        options=HOLDS,
    )


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the ledger and the forms, and for the process the item came from where its checklist is wanted."""
    texts = (props.title, props.description, *props.checklist)
    wanted: list[Need[Any]] = [NeedLedger(call.item), NeedForms(call.item), *wording.reading(call, facts, texts)]
    item = facts.get(NeedItem(call.item))
    source = item.text("source_process") if item and props.of_source else ""
    return [*wanted, NeedProcess(source)] if source else wanted


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Give the task unless it is open, or its form was filled in and stands."""
    item, ledger, forms = facts[NeedItem(call.item)], facts[NeedLedger(call.item)], facts[NeedForms(call.item)]
    if item is None:
        return Outcome(wording.GONE)
    task = ledger.open_task(props.form)
    if task is not None:
        return Outcome(OPEN.fill(title=task.title, at=wording.moment(call, task.opened_at)))
    stands = _stands(call, props, item, ledger, forms)
    if stands is not None:
        return Outcome(stands)
    checklist = (*_of_source(props, item, facts), *props.checklist)
    what = Assignment(props.form, props.title, props.to, props.description, checklist, props.deadline)
    values, holds = named(call, facts, item), cast(Holds, props.holds)
    given, actions = ask(call, item, facts[NeedPeople()], props.form, what, values, holds=holds, late=props.late)
    return Outcome(given.why, actions)


def _stands(call: Call, props: Props, item: Item, ledger: Ledger, forms: tuple[Submission, ...]) -> T | None:
    """Tell why the form need not be filled in; rejected measures, or an outcome at odds with the analysis, do not stand."""
    sent = answered(forms, props.form, turn_of(call, ledger))
    if sent is not None:
        return DONE.fill(at=wording.moment(call, sent.at), name=sent.name or f"№ {sent.by}")
    before = commission.newest(forms, props.form)
    if before is None or not call.place.returned:
        return None
    rule = call.house.corrections
    if rule is not None and props.form == commission.MEASURES:
        if commission.contradicted(forms):
            return None
        votes = commission.tally(commission.members_of(item), ledger, forms, rule.approval.quorum)
        if votes.members and votes.verdict == "rejected":
            return None
    return STANDS.fill(at=wording.moment(call, before.at))


def _of_source(props: Props, item: Item, facts: Facts) -> tuple[T, ...]:
    source = item.text("source_process") if props.of_source else ""
    known = facts[NeedProcess(source)] if source else None
    return known.quality.analysis if known and known.quality else ()


ROBOT = Robot(
    code="form_task",
    name=T("Задание с формой", "Task with a form"),
    description=T(
        "Ставит задачу заполнить форму стадии; задача закрывается, когда форма отправлена и чек-лист пройден",
        "Gives the task to fill in the form of the stage; it closes when the form is sent and the checklist ticked",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    on_portal=False,
)
