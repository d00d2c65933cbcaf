"""Check that the commission has approved the measures before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import commission, wording
from b24app.core.call import Call
from b24app.core.item import People
from b24app.core.needs import Facts, Need, NeedForms, NeedItem, NeedLedger, NeedPeople
from b24app.core.robot import NoProps, Outcome, Robot, prop
from b24app.core.text import T

CORRECT = T("Результат корректный, согласовывать нечего", "The result is correct, there is nothing to agree on")
APPROVED = T("Комиссия одобрила меры: {yes} из {all}", "The commission has approved the measures: {yes} of {all}")
REJECTED = T("комиссия отклонила меры", "the commission has rejected the measures")
OPEN = T(
    "меры не согласованы: за — {yes}, нужно {needed}", "the measures are not agreed on: {yes} for them, {needed} needed"
)
SILENT = T("меры не согласованы: не ответили {names}", "the measures are not agreed on: no answer from {names}")


@dataclass(frozen=True, slots=True)
class Returns:
    ok: bool = prop(T("Меры согласованы", "The measures are agreed on"))
    reason: str = prop(T("Причина", "Reason"))


def needs(call: Call, props: NoProps, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the item, the people, the forms and the tasks."""
    return (NeedItem(call.item), NeedPeople(), NeedForms(call.item), NeedLedger(call.item))


def decide(call: Call, props: NoProps, facts: Facts) -> Outcome:
    """Fail unless the measures as they stand have the votes they need."""
    item, forms, rule = facts[NeedItem(call.item)], facts[NeedForms(call.item)], call.house.corrections
    if item is None:
        return Outcome(wording.GONE, returns=Returns(False, ""), ok=False)
    if commission.outcome_of(forms) == "correct":
        return Outcome(CORRECT, returns=Returns(True, ""))
    quorum = rule.approval.quorum if rule else "majority"
    votes = commission.tally(commission.members_of(item), facts[NeedLedger(call.item)], forms, quorum)
    if votes.verdict == "approved":
        return Outcome(APPROVED.fill(yes=votes.yes, all=len(votes.members)), returns=Returns(True, ""))
    people: People = facts[NeedPeople()]
    why = REJECTED if votes.verdict == "rejected" else OPEN.fill(yes=votes.yes, needed=votes.needed)
    if votes.verdict == "open" or not votes.members:
        names = ", ".join(people.name(member) for member in votes.silent)
        why = SILENT.fill(names=names) if names else OPEN.fill(yes=votes.yes, needed=votes.needed)
    return Outcome(why, returns=Returns(False, call.say(why)), ok=False)


ROBOT = Robot(
    code="check_approved",
    name=T("Проверить согласование", "Check the approval"),
    description=T(
        "Не пускает дальше, пока комиссия не одобрила меры", "Does not let the card pass until the commission has approved"
    ),
    decide=decide,
    props=NoProps,
    needs=needs,
    returns=Returns,
    check=True,
    on_portal=False,
)
