"""Write the outcome of an analysis down, and award bonus points for work that was correct."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from b24app.core import changes, commission, wording
from b24app.core.actions import Action, AwardPoints, Notify, UpdateItem
from b24app.core.asking import noted, written_down
from b24app.core.call import Call
from b24app.core.item import Item, People
from b24app.core.needs import Facts, Need, NeedForms, NeedItem, NeedPeople
from b24app.core.robot import NoProps, Outcome, Robot
from b24app.core.text import T, bb, cut, join

NO_OUTCOME = T("Итог разбора ещё не записан", "No outcome was written down yet")
WRITTEN = T("Итог разбора: {outcome}", "The outcome: {outcome}")
MEASURES = T("мер: {count}", "measures: {count}")
AWARDED = T("{name} получает премиальные баллы: {points}", "{name} gets bonus points: {points}")
TAKEN_BACK = T("премиальные баллы отменены: {name}", "the bonus points of {name} are taken back")
WELL_DONE = T(
    "Разбор «{title}» замечаний не выявил. Вам начислены премиальные баллы: {points}.",
    "The analysis “{title}” found nothing to mend. You were awarded bonus points: {points}.",
)
CLOSE_IT = T(
    "Замечаний нет: карточку можно сразу перевести на успешную стадию.",
    "There is nothing to mend: the card may go to its successful end at once.",
)


def needs(call: Call, props: NoProps, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the item, the people and the forms."""
    return (NeedItem(call.item), NeedPeople(), NeedForms(call.item))


def decide(call: Call, props: NoProps, facts: Facts) -> Outcome:
    """Keep the outcome and the measures in the card; points go to whoever did the work, once."""
    item, people = facts[NeedItem(call.item)], facts[NeedPeople()]
    if item is None:
        return Outcome(wording.GONE)
    forms = facts[NeedForms(call.item)]
    sent, outcome = commission.newest(forms, commission.MEASURES), commission.outcome_of(forms)
    if sent is None or outcome not in commission.OUTCOMES:
        return Outcome(NO_OUTCOME, ok=False)
    measures = changes.texts_of(forms)
    wrong = commission.contradicted(forms)
    awarded, said = _points(call, item, people, outcome, deserved=outcome == "correct" and not wrong)
    said += [commission.CONTRADICTED] if wrong else []
    fields: dict[str, str | int | list[str] | None] = {
        "outcome": commission.OUTCOMES[outcome].at(call.house.lang),
        "measures": cut("\n".join(f"{n}. {text}" for n, text in enumerate(measures, 1)), wording.VALUE),
        "points": next((action.points for action in awarded if isinstance(action, AwardPoints)), 0),
    }
    why = join([WRITTEN.fill(outcome=commission.OUTCOMES[outcome]), MEASURES.fill(count=len(measures)), *said], "; ")
    told = written_down(call.house.forms.get(commission.MEASURES), sent, call, people)
    hint = call.say(CLOSE_IT) if outcome == "correct" and not wrong else ""
    return Outcome(why, (UpdateItem(call.item, fields), noted(call, f"[B]{bb(call.say(why))}[/B]", told, hint), *awarded))


def _points(call: Call, item: Item, people: People, outcome: str, *, deserved: bool) -> tuple[tuple[Action, ...], list[T]]:
    """Award points for correct work; those of an outcome that was corrected since are taken back."""
    employee, points = item.user("employee"), call.house.corrections.points if call.house.corrections else 0
    had = item.fields.get("points")
    if employee is None:
        return (), []
    if not deserved or not points:
        back = (AwardPoints(call.item, employee, 0, call.say(commission.OUTCOMES[outcome])),) if had else ()
        return back, [TAKEN_BACK.fill(name=people.name(employee))] if back else []
    award = AwardPoints(call.item, employee, points, call.say(commission.OUTCOMES[outcome]))
    notice = cut(call.say(WELL_DONE, title=bb(item.title), points=points), wording.NOTICE)
    told = (Notify(employee, notice, call.item),) if people.active(employee) else ()
    return (award, *told), [AWARDED.fill(name=people.name(employee), points=points)]


ROBOT = Robot(
    code="record_outcome",
    name=T("Записать итог разбора", "Write the outcome down"),
    description=T(
        "Пишет итог и меры в карточку; за корректную работу начисляет премиальные баллы",
        "Writes the outcome and the measures into the card; correct work is awarded bonus points",
    ),
    decide=decide,
    props=NoProps,
    needs=needs,
    on_portal=False,
)
