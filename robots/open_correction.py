"""Carry a summing-up over into a new item of analysis and corrections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import wording
from b24app.core.actions import AddItem
from b24app.core.asking import noted, written_down
from b24app.core.call import Call, FormSubmitted
from b24app.core.forms import Submission
from b24app.core.item import DEAL, LEAD, Item, People
from b24app.core.needs import Facts, Need, NeedForms, NeedItem, NeedPeople, NeedProcess, Neighbour
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role, resolve
from b24app.core.text import T, bb, plain

NOT_A_FORM = T("Робот смотрит только на заполненные формы", "The robot looks at submitted forms only")
NO_PROCESS = T(
    "Процесс «{process}» не подключён на портале: анализ не начат, ответы сохранены",
    "The process “{process}” does not run on this portal: no analysis is begun, the answers are kept",
)
ALREADY = T(
    "Анализ по этим итогам уже начат, второй не нужен", "The analysis of this end has begun already, no second one is needed"
)
OPENED = T("Начат анализ «{title}», его проведёт {officer}", "The analysis “{title}” has begun, {officer} carries it out")
SUMMED = T("Итоги подвёл(а) {name}:", "Summed up by {name}:")

Fields = dict[str, str | int | list[int] | None]


@dataclass(frozen=True, slots=True)
class Props:
    process: str = prop(T("Процесс анализа", "Process of the analysis"), default="analysis_and_corrections", same=True)
    title: T = prop(T("Название", "Title"), default=T("Анализ: {title}", "Analysis: {title}"))
    officer: Role = prop(T("Кто проводит анализ", "Who carries it out"), default=Role("quality_officer"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the forms, the process of the analysis, and what the title speaks of."""
    return (NeedForms(call.item), NeedProcess(props.process), *wording.reading(call, facts, (props.title,)))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Make one item for every summing-up."""
    item, target, cause = facts[NeedItem(call.item)], facts[NeedProcess(props.process)], call.cause
    if item is None:
        return Outcome(wording.GONE)
    if not isinstance(cause, FormSubmitted):
        return Outcome(NOT_A_FORM, ok=False)
    if target is None:
        why = NO_PROCESS.fill(process=props.process)
        return Outcome(why, (noted(call, bb(call.say(why))),), ok=False)
    if _opened(cause, facts[NeedForms(call.item)]):
        return Outcome(ALREADY)
    people = facts[NeedPeople()]
    title = wording.title(call, props.title, wording.known(call, facts, item))
    officer = resolve(props.officer, item, people, call.house)
    told = _told(call, cause, people)
    fields = _fields(call, item, target, officer.user, title, told)
    why = OPENED.fill(title=title, officer=people.name(officer.user))
    said = noted(call, f"[B]{bb(call.say(why))}[/B]", told)
    return Outcome(
        wording.sentence(why, officer.how or T("", "")), (AddItem(target.entity_type_id, fields, call.item), said)
    )


def _opened(cause: FormSubmitted, forms: tuple[Submission, ...]) -> bool:
    """Tell whether somebody else's answers to the same form came first."""
    same = [sent for sent in forms if (sent.form, sent.round) == (cause.form, cause.round)]
    return bool(same) and same[0].by != cause.by


def _told(call: Call, cause: FormSubmitted, people: People) -> str:
    sent = Submission(cause.form, cause.round, cause.by, cause.answers, call.at)
    name = bb(plain(cause.name or people.name(cause.by)))
    return f"{call.say(SUMMED, name=name)}\n{written_down(call.house.forms.get(cause.form), sent, call, people)}"


def _fields(call: Call, item: Item, target: Neighbour, officer: int | None, title: str, told: str) -> Fields:
    """Fill the new item; the relation to a deal or a lead is the portal's own, the field ``source`` is for every kind."""
    fields: Fields = {
        "title": title,
        "pipeline": target.code,
        "assignedById": officer,
        "source": item.ref.binding,
        "source_title": wording.cut_bb(plain(item.title), wording.TITLE),
        "source_link": wording.item_link(call, item.ref) or None,
        "source_process": call.place.process,
        "source_stage": wording.stage_name(call).at(call.house.lang),
        "employee": item.responsible_id or None,
        "summary": told,
    }
    if item.ref.entity_type_id in (LEAD, DEAL):
        fields[f"parentId{item.ref.entity_type_id}"] = item.ref.id
    return {name: value for name, value in fields.items() if value is not None}


ROBOT = Robot(
    code="open_correction",
    name=T("Передать итоги на анализ", "Hand the summing-up on to the analysis"),
    description=T(
        "Переносит ответы ответственного в новый элемент «Анализ и коррекции», связанный с источником",
        "Carries the answers over into a new item of analysis and corrections, linked to where it came from",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    on_portal=False,
)
