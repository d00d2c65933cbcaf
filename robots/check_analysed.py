"""Check that the analysis was carried out before measures are written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import commission, wording
from b24app.core.call import Call
from b24app.core.needs import Facts, Need, NeedForms, NeedItem
from b24app.core.robot import NoProps, Outcome, Robot, prop
from b24app.core.text import T

DONE = T("Анализ проведён {at}: {name}", "{name} has carried the analysis out on {at}")
MISSING = T("не заполнена форма «{form}»", "the form “{form}” is not filled in")
FORM = T("Анализ", "Analysis")


@dataclass(frozen=True, slots=True)
class Returns:
    ok: bool = prop(T("Анализ проведён", "The analysis is carried out"))
    reason: str = prop(T("Причина", "Reason"))


def needs(call: Call, props: NoProps, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the item and its forms."""
    return (NeedItem(call.item), NeedForms(call.item))


def decide(call: Call, props: NoProps, facts: Facts) -> Outcome:
    """Fail while nobody has filled in the form of the analysis."""
    if facts[NeedItem(call.item)] is None:
        return Outcome(wording.GONE, returns=Returns(False, ""), ok=False)
    sent = commission.newest(facts[NeedForms(call.item)], commission.ANALYSIS)
    if sent is not None:
        why = DONE.fill(at=wording.moment(call, sent.at), name=sent.name or f"№ {sent.by}")
        return Outcome(why, returns=Returns(True, ""))
    form = call.house.forms.get(commission.ANALYSIS)
    why = MISSING.fill(form=form.title if form else FORM)
    return Outcome(why, returns=Returns(False, call.say(why)), ok=False)


ROBOT = Robot(
    code="check_analysed",
    name=T("Проверить, что анализ проведён", "Check that the analysis is carried out"),
    description=T("Не пускает дальше без формы анализа", "Does not let the card pass without the form of the analysis"),
    decide=decide,
    props=NoProps,
    needs=needs,
    returns=Returns,
    check=True,
    on_portal=False,
)
