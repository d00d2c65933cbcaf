"""Ask whoever is responsible for an item that has ended to sum his work up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import wording
from b24app.core.asking import answered, ask, turn_of
from b24app.core.call import Call
from b24app.core.giving import Assignment
from b24app.core.needs import Facts, Need, NeedForms, NeedItem, NeedLedger, NeedPeople
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role
from b24app.core.text import T
from b24app.core.worktime import Pause

TITLE = T("Подвести итоги работы: {title}", "Sum your work up: {title}")
ABOUT = T(
    "Карточка на завершающей стадии «{stage}». Оцените свою работу по критериям: ответы получит отдел контроля качества.",
    "The card has come to its end, “{stage}”. Judge your work by the criteria: the quality department gets the answers.",
)
OPEN = T("Итоги уже запрошены {at}, задача ещё открыта", "The summing-up was asked for on {at}, the task is still open")
DONE = T("Итоги подведены {at}: {name}", "{name} has summed this up on {at}")
NO_FORM = T("В процессе нет формы «{form}»", "The process has no form “{form}”")


@dataclass(frozen=True, slots=True)
class Props:
    form: str = prop(T("Форма", "Form"), default="quality", same=True)
    to: Role = prop(T("Кому", "To whom"), default=Role("responsible"))
    deadline: Pause = prop(T("Крайний срок", "Deadline"), default=Pause(2, "w"))
    late: Pause | None = prop(T("Когда узнает руководитель", "When the head hears of it"), default=Pause(3, "w"))
    title: T = prop(T("Название задачи", "Title of the task"), default=TITLE)


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the ledger, the forms, and what the texts speak of."""
    return (NeedLedger(call.item), NeedForms(call.item), *wording.reading(call, facts, (props.title,)))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Give the assignment once for each time the item comes to an end."""
    item, ledger = facts[NeedItem(call.item)], facts[NeedLedger(call.item)]
    if item is None:
        return Outcome(wording.GONE)
    if props.form not in call.house.forms:
        return Outcome(NO_FORM.fill(form=props.form))
    ends = call.house.quality.stages if call.house.quality else ()
    sent = answered(facts[NeedForms(call.item)], props.form, turn_of(call, ledger, ends))
    if sent is not None:
        return Outcome(DONE.fill(at=wording.moment(call, sent.at), name=sent.name or f"№ {sent.by}"))
    asked = ledger.open_task(props.form)
    if asked is not None:
        return Outcome(OPEN.fill(at=wording.moment(call, asked.opened_at)))
    what = Assignment(props.form, props.title, props.to, ABOUT, (), props.deadline)
    values = wording.known(call, facts, item)
    given, actions = ask(call, item, facts[NeedPeople()], props.form, what, values, holds="ignore", late=props.late)
    return Outcome(given.why, actions)


ROBOT = Robot(
    code="ask_summary",
    name=T("Запросить итоги работы", "Ask for a summing-up"),
    description=T(
        "На завершающей стадии просит ответственного подвести итоги; процесс с разделом quality вызывает его сам",
        "At the end of an item, asks its responsible to sum up; a process with a section quality calls it by itself",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    on_portal=False,
)
