"""Check the agreed date of the works: given, not past, a working day, within working hours."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from b24app.core import agreed, wording
from b24app.core.call import Call
from b24app.core.item import Item
from b24app.core.needs import Facts, NeedItem
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.text import T, join

GOOD = T("Дата работ {date} годится", "The date of the works, {date}, is fine")
GOOD_AT = T("Дата работ {date} в {time} годится", "The date of the works, {date} at {time}, is fine")
NO_DATE = T("не указана дата работ (поле «{field}»)", "the date of the works is not set (field “{field}”)")
PAST = T("дата {date} уже прошла: сегодня {today}", "{date} has passed already: today is {today}")
TIME_PAST = T("время {time} сегодня уже прошло: сейчас {now}", "{time} has passed already today: it is {now} now")
DAY_OFF = T("{date} — нерабочий день", "{date} is not a working day")
NO_TIME = T("не указано время работ (поле «{field}»)", "the time of the works is not set (field “{field}”)")
UNREADABLE = T(
    "время «{text}» непонятно (поле «{field}»): напишите, например, 10:00",
    "the time “{text}” cannot be understood (field “{field}”): write 10:00, for example",
)
OFF_HOURS = T("время {time} вне рабочих часов {starts}–{ends}", "{time} is outside the working hours {starts}–{ends}")


@dataclass(frozen=True, slots=True)
class Props:
    date_field: str = prop(T("Поле с датой", "Field with the date"), default="install_date")
    time_field: str = prop(T("Поле со временем", "Field with the time"), default="install_time")
    working_day: bool = prop(T("Только рабочие дни и часы", "Working days and hours only"), default=True)
    time_required: bool = prop(T("Время обязательно", "The time is required"), default=False)


@dataclass(frozen=True, slots=True)
class Returns:
    ok: bool = prop(T("Дата годится", "The date is fine"))
    reason: str = prop(T("Причина", "Reason"))
    date: dt.date | None = prop(T("Дата", "Date"))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Tell everything that is wrong with the agreed date at once; whether it has passed is seen by the company's clock."""
    item = facts[NeedItem(call.item)]
    if item is None:
        return Outcome(wording.GONE, returns=Returns(False, call.say(wording.GONE), None), ok=False)
    day = agreed.day(call, item, props.date_field)
    reasons = (*_of_day(call, props, day), *_of_time(call, props, item, day))
    if reasons:
        why = join(reasons, "; ")
        return Outcome(why, returns=Returns(False, call.say(why), day), ok=False)
    clock = agreed.clock_time(call, item, props.date_field, props.time_field)
    why = GOOD_AT.fill(date=day, time=clock) if clock else GOOD.fill(date=day)
    return Outcome(why, returns=Returns(True, "", day))


def _of_day(call: Call, props: Props, day: dt.date | None) -> tuple[T, ...]:
    calendar = call.house.calendar
    if day is None:
        return (NO_DATE.fill(field=wording.label(call, props.date_field)),)
    today = calendar.today(call.at)
    past = (PAST.fill(date=day, today=today),) if day < today else ()
    off = (DAY_OFF.fill(date=day),) if props.working_day and not calendar.is_working_day(day) else ()
    return (*past, *off)


def _of_time(call: Call, props: Props, item: Item, day: dt.date | None) -> tuple[T, ...]:
    calendar, field = call.house.calendar, wording.label(call, props.time_field)
    clock = agreed.clock_time(call, item, props.date_field, props.time_field)
    if clock is None:
        text = item.text(props.time_field).strip()
        if text:
            return (UNREADABLE.fill(text=text[:40], field=field),)
        return (NO_TIME.fill(field=field),) if props.time_required else ()
    now = calendar.local(call.at)
    past: tuple[T, ...] = ()
    if day == now.date() and calendar.at(day, clock) <= now:
        past = (TIME_PAST.fill(time=clock, now=now.time()),)
    off: tuple[T, ...] = ()
    if props.working_day and not calendar.starts <= clock < calendar.ends:
        off = (OFF_HOURS.fill(time=clock, starts=calendar.starts, ends=calendar.ends),)
    return (*past, *off)


ROBOT = Robot(
    code="check_installation_date",
    name=T("Проверить дату работ", "Check the date of the works"),
    description=T(
        "Проверяет, что дата указана, не прошла, приходится на рабочий день и рабочие часы",
        "Checks that the date is set, has not passed and falls on a working day within working hours",
    ),
    decide=decide,
    props=Props,
    returns=Returns,
    waits=True,
    check=True,
)
