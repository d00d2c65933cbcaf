"""See who has read the news of a correction, and remind the others once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import wording
from b24app.core.actions import Notify, SetTimer, Step, UpdateItem
from b24app.core.asking import noted
from b24app.core.call import Call
from b24app.core.item import People
from b24app.core.needs import Facts, Need, NeedItem, NeedNews, NeedPeople, NeedReaders
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.text import T, bb, cut
from b24app.core.worktime import Pause

NONE = T("Новость не публиковалась", "No news was posted")
NOT_SENT = T("Новость ещё не дошла до портала, посмотрим {due}", "The news has not reached the portal yet, looking on {due}")
READ = T("Новость прочитали {read} из {all}", "{read} of {all} have read the news")
NOT_READ = T("не прочитали: {names}", "not read by {names}")
REMINDER = T(
    "Прочитайте и подтвердите новость об изменениях по «{title}»",
    "Please read and confirm the news on the changes of “{title}”",
)
WHAT = T("кто прочитал новость", "who has read the news")
_NAMED = 30


@dataclass(frozen=True, slots=True)
class Props:
    departments: tuple[str, ...] = prop(T("Отделы", "Departments"), default=())


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the news, then for those who have confirmed it."""
    news = facts.get(NeedNews(call.item))
    post = news[-1].post if news else None
    wanted: list[Need[Any]] = [NeedItem(call.item), NeedPeople(), NeedNews(call.item)]
    return [*wanted, NeedReaders(post)] if post else wanted


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Write the count into the card and remind whoever has not confirmed."""
    item, people, news = facts[NeedItem(call.item)], facts[NeedPeople()], facts[NeedNews(call.item)]
    if item is None:
        return Outcome(wording.GONE)
    if not news:
        return Outcome(NONE)
    post = news[-1].post
    if post is None:
        due = Pause(10, "m").after(call.at, call.house.calendar)
        step = Step("news_readers", {"departments": list(props.departments)})
        timer = SetTimer(call.item, "news_readers", due, step, call.say(WHAT), "item")
        return Outcome(NOT_SENT.fill(due=wording.moment(call, due)), (timer,))
    read: tuple[int, ...] = facts[NeedReaders(post)]
    meant = _meant(props, people)
    unread = [user for user in meant if user not in read]
    why = READ.fill(read=len(meant) - len(unread), all=len(meant))
    if unread:
        names = ", ".join(people.name(user) for user in unread[:_NAMED])
        why = wording.sentence(why, NOT_READ.fill(names=names))
    reminder = cut(call.say(REMINDER, title=bb(item.title)), wording.NOTICE)
    notices = tuple(Notify(user, reminder, call.item) for user in unread)
    written = UpdateItem(call.item, {"news_read": call.say(READ, read=len(meant) - len(unread), all=len(meant))})
    return Outcome(why, (written, noted(call, bb(call.say(why))), *notices))


def _meant(props: Props, people: People) -> list[int]:
    """Name the active employees of the departments and of those below them; all of them where none are named."""
    wanted = {int(number) for number in props.departments if number.isdigit()}
    while below := {d.id for d in people.departments.values() if d.parent in wanted} - wanted:
        wanted |= below
    active = [user for user in people.users.values() if user.active]
    return sorted(user.id for user in active if not wanted or wanted & set(user.departments))


ROBOT = Robot(
    code="news_readers",
    name=T("Кто прочитал новость", "Who has read the news"),
    description=T(
        "Показывает, кто подтвердил прочтение, и напоминает остальным", "Shows who has confirmed it and reminds the others"
    ),
    decide=decide,
    props=Props,
    needs=needs,
    internal=True,
)
