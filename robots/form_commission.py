"""Form the commission of a correction from the types of the violations that were found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from b24app.core import commission, wording
from b24app.core.actions import Notify, UpdateItem
from b24app.core.asking import noted, written_down
from b24app.core.call import Call
from b24app.core.forms import Submission
from b24app.core.item import Item, People
from b24app.core.needs import Facts, Need, NeedForms, NeedItem, NeedPeople
from b24app.core.quality import Corrections
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role, resolve
from b24app.core.text import T, bb, cut, join, plain

NO_TABLES = T("В процессе нет таблиц коррекций", "The process has no tables of corrections")
NO_ANALYSIS = T(
    "Анализ ещё не проведён, комиссию формировать не из чего", "Nothing was analysed yet to form a commission from"
)
NOBODY = T("Никого не нашлось: укажите комиссию в карточке", "Nobody was found: name the commission in the card")
FORMED = T("Комиссия: {members}", "The commission: {members}")
SEATED = T("{name} — {why}", "{name}: {why}")
ALWAYS = T("по должности", "by office")
INVITED = T("Вы в комиссии по разбору «{title}»: {link}", "You are on the commission for “{title}”: {link}")


@dataclass(frozen=True, slots=True)
class Props:
    always: tuple[str, ...] = prop(
        T("Роли, которые входят всегда", "Roles that always sit on it"), default=("head_of(responsible)",)
    )


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the item, the people and the forms."""
    return (NeedItem(call.item), NeedPeople(), NeedForms(call.item))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Name the members by what was found; nobody judges his own work, his head does instead."""
    item, rule = facts[NeedItem(call.item)], call.house.corrections
    if item is None:
        return Outcome(wording.GONE)
    if rule is None:
        return Outcome(NO_TABLES, ok=False)
    forms = facts[NeedForms(call.item)]
    analysis = commission.newest(forms, commission.ANALYSIS)
    if analysis is None:
        return Outcome(NO_ANALYSIS, ok=False)
    found = commission.rows(analysis, "violations")
    people = facts[NeedPeople()]
    types = [str(row.get("type")) for row in found]
    types += [commission.UNFORESEEN] if analysis.answers.get(commission.UNFORESEEN) is True else []
    seats = _seats(call, item, people, [*_roles(rule, types), *_always(props)])
    listed = [rule.violation_types[k].name for row in found if (k := str(row.get("type"))) in rule.violation_types]
    told = "\n".join([*(_fact(call, rule, row) for row in found), _rest(call, analysis, people)]).strip()
    fields: dict[str, str | int | list[str] | None] = {
        "commission": [str(user) for user in seats],
        "violations": plain_types(call, listed),
    }
    if not seats:
        return Outcome(NOBODY, (UpdateItem(call.item, fields), noted(call, told, bb(call.say(NOBODY)))), ok=False)
    named = [SEATED.fill(name=people.name(user), why=join(whys, ", ")) for user, whys in seats.items()]
    why = FORMED.fill(members=join(named, "; "))
    link = wording.item_link(call, item.ref)
    invitation = cut(call.say(INVITED, title=bb(item.title), link=link), wording.NOTICE)
    notices = tuple(Notify(user, invitation, call.item) for user in seats)
    return Outcome(why, (UpdateItem(call.item, fields), noted(call, told, bb(call.say(why))), *notices))


def plain_types(call: Call, listed: list[T]) -> str:
    """Write the types of violations down, each once."""
    return ", ".join(dict.fromkeys(name.at(call.house.lang) for name in listed))


def _roles(rule: Corrections, types: list[str]) -> Iterator[tuple[str, T]]:
    for kind in dict.fromkeys(types):
        if kind in rule.violation_types:
            yield from ((head, rule.violation_types[kind].name) for head in rule.violation_types[kind].heads)


def _always(props: Props) -> Iterator[tuple[str, T]]:
    return ((role, ALWAYS) for role in props.always)


def _seats(call: Call, item: Item, people: People, roles: list[tuple[str, T]]) -> dict[int, list[T]]:
    seats: dict[int, list[T]] = {}
    for role, why in roles:
        user = resolve(Role.parse(role), item, people, call.house).user
        if user is not None and user == item.user("employee"):
            user = people.head_of(user) or user
        if user is not None and why not in seats.setdefault(user, []):
            seats[user].append(why)
    return seats


def _fact(call: Call, rule: Corrections, row: Any) -> str:
    """Write one violation down: its type, what happened, and where to see it."""
    kind = rule.violation_types.get(str(row.get("type")))
    name = kind.name.at(call.house.lang) if kind else str(row.get("type"))
    link = wording.url(str(row.get("link") or ""), str(row.get("link") or ""))
    return f"• [B]{bb(name)}[/B]: {bb(plain(str(row.get('fact') or '')))} {link}".rstrip()


def _rest(call: Call, analysis: Submission, people: People) -> str:
    """Write down what else was found: new conditions, the conclusion."""
    rest = {name: answer for name, answer in analysis.answers.items() if name != "violations"}
    return written_down(call.house.forms.get(commission.ANALYSIS), replace(analysis, answers=rest), call, people)


ROBOT = Robot(
    code="form_commission",
    name=T("Сформировать комиссию", "Form the commission"),
    description=T(
        "По типам нарушений выбирает руководителей, которые рассмотрят меры", "Chooses the heads who consider the measures"
    ),
    decide=decide,
    props=Props,
    needs=needs,
    on_portal=False,
)
