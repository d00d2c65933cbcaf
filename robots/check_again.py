"""Run the checks and steps of the item's stage once more."""

from __future__ import annotations

from dataclasses import dataclass

from b24app.core import wording
from b24app.core.actions import RunStageAgain
from b24app.core.call import Call, FieldsChanged, StageEntered
from b24app.core.needs import Facts, NeedItem
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.text import T, join

AGAIN = T("Стадия «{stage}» проходится заново: {reason}", "The stage “{stage}” is run again: {reason}")
LOOP = T("Стадия уже проходится заново, ещё раз не нужно", "The stage is being run again already, once is enough")
CHANGED = T("изменилось: {fields}", "changed: {fields}")


@dataclass(frozen=True, slots=True)
class Props:
    reason: T = prop(T("Причина", "Reason"), default=T("данные изменились", "the fields have changed"))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Run the stage again, unless this very step is part of running it again."""
    item = facts[NeedItem(call.item)]
    if item is None:
        return Outcome(wording.GONE)
    if isinstance(call.cause, StageEntered) and call.cause.again:
        return Outcome(LOOP)
    reason = wording.told(props.reason, wording.values(call, item))
    if isinstance(call.cause, FieldsChanged):
        fields = join([wording.label(call, name) for name in call.cause.names])
        reason = join([reason, CHANGED.fill(fields=fields)], "; ")
    why = AGAIN.fill(stage=wording.stage_name(call), reason=reason)
    return Outcome(why, (RunStageAgain(call.item, call.say(reason)),))


ROBOT = Robot(
    code="check_again",
    name=T("Пройти стадию заново", "Run the stage again"),
    description=T(
        "Повторяет проверки и шаги стадии, например после переноса даты",
        "Repeats the checks and steps of the stage, after a date was moved for example",
    ),
    decide=decide,
    props=Props,
)
