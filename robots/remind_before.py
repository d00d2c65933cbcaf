"""Give a task some time before the agreed date: the day before, call the client and have it confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Any, Literal, cast

from b24app.core import agreed, wording
from b24app.core.actions import SetTimer, Step
from b24app.core.agreed import Span
from b24app.core.call import Call, TimerDue
from b24app.core.giving import HOLDS, Assignment, give, task_name
from b24app.core.item import Item, parse_time
from b24app.core.needs import Facts, Need, NeedItem, NeedLedger, NeedPeople, OwnTask
from b24app.core.properties import written
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role
from b24app.core.text import T
from b24app.core.worktime import Pause

NO_DATE = T("Дата не указана, напоминать не о чем", "There is no date, nothing to remind of")
OVER = T("Работы уже начались {start}, напоминать поздно", "The works began on {start}, it is too late to remind")
WAITS = T(
    "Работы {start}: напоминание назначено на {due} ({before} до начала)",
    "The works start on {start}: the reminder is due on {due} ({before} before)",
)
MOVED = T("Дата изменилась, напоминать рано", "The date has changed, it is too early to remind")
KEPT = T("Задача «{title}» уже поставлена {at}", "The task “{title}” was given on {at} already")
REMINDED = T("Работы {start}", "The works start on {start}")
WHAT = T("напоминание «{title}»", "the reminder “{title}”")
_TEN = time(10)


@dataclass(frozen=True, slots=True)
class Props:
    title: T = prop(
        T("Название задачи", "Title of the task"),
        default=T(
            "Связаться с клиентом и подтвердить готовность: {when}",
            "Call the client and confirm readiness: {when}",
        ),
        same=True,
    )
    date_field: str = prop(T("Поле с датой", "Field with the date"), default="install_date")
    time_field: str = prop(T("Поле со временем", "Field with the time"), default="install_time")
    before: Pause = prop(T("За сколько", "How long before"), default=Pause(1, "d"))
    at: str = prop(T("В котором часу", "At what hour"), default="10:00")
    working_day: bool = prop(T("Только в рабочий день", "On a working day only"), default=True)
    checklist: tuple[T, ...] = prop(T("Чек-лист", "Checklist"), default=())
    to: Role = prop(T("Кому", "To whom"), default=Role("responsible"))
    name: str = prop(T("Имя задачи в процессе", "Name of the task in the process"), default="")
    holds: str = prop(
        T("Если карточка ушла дальше, а задача открыта", "If the item moves on while the task is open"),
        default="return",
        options=HOLDS,
    )
    done: tuple[Step, ...] = prop(T("После завершения", "When it is done"), default=())


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the ledger and for what the texts speak of."""
    return (NeedLedger(call.item), *wording.reading(call, facts, (props.title, *props.checklist)))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Wait until the reminder is due by the date as it stands now, then give the task, once for that date."""
    item = facts[NeedItem(call.item)]
    if item is None:
        return Outcome(wording.GONE)
    span = agreed.visit(call, item, props.date_field, props.time_field, 1)
    if span is None:
        return Outcome(NO_DATE)
    start = agreed.starts(span)
    if span.start <= call.at:
        return Outcome(OVER.fill(start=start))
    name, due = task_name(props.title, props.name), _due(call, props, span)
    if due > call.at:
        title = wording.title(call, props.title, wording.known(call, facts, item))
        return _wait(call, props, due, start, name, title)
    task = facts[NeedLedger(call.item)].last_task(name)
    if task is not None and _same(task, due):
        return Outcome(KEPT.fill(title=task.title, at=wording.moment(call, task.opened_at)))
    return _give(call, props, facts, item, span, start)


def _wait(call: Call, props: Props, due: datetime, start: str, name: str, title: str) -> Outcome:
    timer = SetTimer(
        item=call.item,
        name=f"remind:{name}",
        due=due,
        step=Step(ROBOT.code, written(props)),
        what=call.say(WHAT, title=title),
    )
    waits = WAITS.fill(start=start, due=wording.moment(call, due), before=props.before.words())
    return Outcome(wording.sentence(MOVED, waits) if isinstance(call.cause, TimerDue) else waits, (timer,))


def _give(call: Call, props: Props, facts: Facts, item: Item, span: Span, start: str) -> Outcome:
    name, calendar = task_name(props.title, props.name), call.house.calendar
    closes = calendar.at(calendar.today(call.at), calendar.ends)
    deadline = min(closes, span.start) if closes > call.at else span.start
    what = Assignment(name, props.title, props.to, checklist=props.checklist, deadline=deadline, purpose="remind")
    values = wording.known(call, facts, item)
    values |= {
        "date": span.start.date(),
        "time": span.start.time() if span.timed else None,
        "when": agreed.starts(span),
    }
    given = give(call, item, facts[NeedPeople()], what, values)
    why = wording.sentence(REMINDED.fill(start=start), given.why)
    if given.task is None:
        return Outcome(why, given.or_say_so(call))
    holds = cast('Literal["return", "remind", "ignore"]', props.holds)
    return Outcome(why, (replace(given.task, holds=holds, done=props.done),))


def _due(call: Call, props: Props, span: Span) -> datetime:
    """Tell when the reminder is due; a pause in days ends at the agreed hour, on a working day if one is wanted."""
    calendar = call.house.calendar
    due = props.before.before(span.start, calendar)
    if props.before.unit in ("m", "h"):
        return due.astimezone(UTC)
    day = calendar.today(due)
    if props.working_day and not calendar.is_working_day(day):
        day = calendar.previous_working_day(day)
    return calendar.at(day, parse_time(props.at) or _TEN)


def _same(task: OwnTask, due: datetime) -> bool:
    """Tell whether a task is this reminder: open still, or given when this very reminder was due and not taken back."""
    return task.open or (task.opened_at >= due and not task.withdrawn)


ROBOT = Robot(
    code="remind_before",
    name=T("Напомнить перед датой", "Remind before the date"),
    description=T(
        "Ставит задачу за день (или другой срок) до согласованной даты",
        "Gives a task a day (or another time) before the agreed date",
    ),
    decide=decide,
    props=Props,
    needs=needs,
)
