"""Check that measures were written: after every rejection anew, and at least one unless the work was correct.

Work that was correct has nothing to agree on, to change or to publish: stages of that kind do not let it pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import changes, commission, wording
from b24app.core.call import Call
from b24app.core.item import Item
from b24app.core.needs import Facts, Need, NeedForms, NeedItem, NeedLedger
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.text import T

CORRECT = T("Результат корректный, меры не нужны", "The result is correct, no measures are wanted")
WRITTEN = T("Мер записано: {count}", "Measures written: {count}")
MISSING = T("не заполнена форма «{form}»", "the form “{form}” is not filled in")
FORM = T("Меры", "Measures")
NONE = T("нужна хотя бы одна мера", "at least one measure is wanted")
REJECTED = T(
    "комиссия отклонила меры, их нужно сформулировать заново", "the commission has rejected the measures, write them anew"
)
NOT_WANTED = T(
    "результат корректный, менять нечего: карточка может идти только на успешную стадию",
    "the result is correct, there is nothing to change: the card may only go to its successful end",
)


@dataclass(frozen=True, slots=True)
class Props:
    correct: bool = prop(T("Пропускать корректный результат", "Let a correct result pass"), default=True)


@dataclass(frozen=True, slots=True)
class Returns:
    ok: bool = prop(T("Меры записаны", "Measures are written"))
    reason: str = prop(T("Причина", "Reason"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the item, its forms and its tasks."""
    return (NeedItem(call.item), NeedForms(call.item), NeedLedger(call.item))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Fail while the measures are missing, stand rejected, or are at odds with what was found."""
    item = facts[NeedItem(call.item)]
    if item is None:
        return Outcome(wording.GONE, returns=Returns(False, ""), ok=False)
    wrong = _wrong(call, props, facts, item)
    if wrong is not None:
        return Outcome(wrong, returns=Returns(False, call.say(wrong)), ok=False)
    forms = facts[NeedForms(call.item)]
    count = len(changes.texts_of(forms))
    told = CORRECT if commission.outcome_of(forms) == "correct" else WRITTEN.fill(count=count)
    return Outcome(told, returns=Returns(True, ""))


def _wrong(call: Call, props: Props, facts: Facts, item: Item) -> T | None:
    forms, rule = facts[NeedForms(call.item)], call.house.corrections
    sent = commission.newest(forms, commission.MEASURES)
    if sent is None:
        form = call.house.forms.get(commission.MEASURES)
        return MISSING.fill(form=form.title if form else FORM)
    if commission.contradicted(forms):
        return commission.CONTRADICTED
    if commission.outcome_of(forms) == "correct":
        return None if props.correct else NOT_WANTED
    if not changes.texts_of(forms):
        return NONE
    members = commission.members_of(item)
    quorum = rule.approval.quorum if rule else "majority"
    votes = commission.tally(members, facts[NeedLedger(call.item)], forms, quorum)
    return REJECTED if members and votes.verdict == "rejected" else None


ROBOT = Robot(
    code="check_measures",
    name=T("Проверить меры", "Check the measures"),
    description=T(
        "Не пускает дальше без мер и с мерами, которые комиссия отклонила",
        "Does not let the card pass without measures, or with measures the commission has rejected",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    returns=Returns,
    check=True,
    on_portal=False,
)
