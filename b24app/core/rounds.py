"""Two rules that undo each other: when the application stops doing the same to an item by itself. Pure.

Its own checks and another rule (a robot of the portal, a second application, a process file at odds with itself) may each
undo what the other did, within seconds and without end. What the application did of its own accord to an item is counted
by what it came to: the stage the item was moved to, the fields that were written, the task that was reopened. What a person
asks for is done whatever the count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from b24app.core.actions import Action, MoveStage, RenewTask, RunStageAgain, UpdateItem
from b24app.core.call import Call, Cause, FieldsChanged, RobotCalled, StageEntered, TaskFinished, TimerDue
from b24app.core.text import T, counted
from b24app.core.wording import label, stage_name

WINDOW = timedelta(days=1)
"""How far back rounds are counted. A loop is broken by then; a deal that comes back now and then is no loop."""

Round = MoveStage | UpdateItem | RenewTask | RunStageAgain
"""What two rules can undo in each other."""

_MOVED = T("переводил карточку на стадию «{stage}»", "moved the card to the stage “{stage}”")
_WRITTEN = T("записывал поля: {fields}", "wrote the fields: {fields}")
_RENEWED = T("возвращал в работу задачу № {task}", "took task No. {task} back to work")
_AGAIN = T("проходил стадию заново", "ran the stage again")
_STOPPED = T(
    "Остановлено: робот «{robot}» за сутки уже {times} {what}. Похоже, другое правило каждый раз отменяет это; карточка "
    "оставлена как есть",
    "Stopped: the robot “{robot}” {what}, {times} within a day. It seems that another rule undoes this each time; the card "
    "is left as it is",
)
_REMEDY = T(
    "Найдите второе правило (роботы и триггеры стадии, другое приложение) и отключите одно из двух. После этого повторите "
    "шаг на странице «Сбои» обслуживания.",
    "Find the other rule (robots and triggers of the stage, another application) and switch one of the two off. Then retry "
    "the step on the operators’ page “Incidents”.",
)


def by_itself(cause: Cause) -> bool:
    """Tell whether a cause may be the doing of another rule; people's own doings are no rounds."""
    return isinstance(cause, StageEntered | RobotCalled | TimerDue | TaskFinished | FieldsChanged)


def rounds_in(actions: Iterable[Action]) -> list[Round]:
    """Return those of the actions that may be undone and done again."""
    return [action for action in actions if isinstance(action, Round)]


def same_round(one: Round, other: Round) -> bool:
    """Tell whether two actions do the same to an item."""
    return one.item == other.item and _target(one) == _target(other)


def _target(action: Round) -> tuple[str, ...]:
    match action:
        case MoveStage(to=to):
            return (action.kind, to)
        case UpdateItem(fields=fields):
            return (action.kind, *sorted(fields))
        case RenewTask(task_id=task_id):
            return (action.kind, str(task_id))
        case RunStageAgain():
            return (action.kind,)


def too_many(done: Sequence[datetime], now: datetime, limit: int) -> bool:
    """Tell whether what was done at these moments is enough: ``limit`` times within `WINDOW`."""
    return sum(now - WINDOW < at <= now for at in done) >= limit


def stopped(call: Call, robot: T, action: Round, limit: int) -> T:
    """Say what was stopped and why."""
    times = T(counted(limit, "раз", "раза", "раз"), f"{limit} times")
    return _STOPPED.fill(robot=robot, times=times, what=_what(call, action))


def remedy() -> T:
    """Say what people have to do about it."""
    return _REMEDY


def _what(call: Call, action: Round) -> T:
    match action:
        case MoveStage(to=to):
            return _MOVED.fill(stage=stage_name(call, to))
        case UpdateItem(fields=fields):
            names = [label(call, name) for name in sorted(fields)]
            return _WRITTEN.fill(fields=T(", ".join(n.ru for n in names), ", ".join(n.en for n in names)))
        case RenewTask(task_id=task_id):
            return _RENEWED.fill(task=task_id)
        case RunStageAgain():
            return _AGAIN
