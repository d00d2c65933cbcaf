"""Tell the employees who use the process what has changed, once the changes are published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import commission, wording
from b24app.core.actions import AddNews, SetTimer, Step
from b24app.core.asking import noted
from b24app.core.call import Call
from b24app.core.item import Item, People
from b24app.core.needs import Facts, Need, NeedItem, NeedLedger, NeedNews, NeedPeople
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.text import T, bb
from b24app.core.worktime import Pause

WAITS = T("Новость подождёт, ещё открыты задачи: {tasks}", "The news waits for open tasks: {tasks}")
POSTED = T("Новость уже опубликована", "The news is posted already")
POSTS = T("Публикуем новость «{title}»: {dest}", "Posting the news “{title}”: {dest}")
EVERYBODY = T("для всех сотрудников", "for all employees")
DEPARTMENTS = T("для отделов: {names}", "for the departments {names}")
TITLE = T("Изменился порядок работы: {title}", "Our way of working has changed: {title}")
WHAT = T("кто прочитал новость", "who has read the news")


@dataclass(frozen=True, slots=True)
class Props:
    title: T = prop(
        T("Заголовок", "Title"), default=T("Изменился порядок работы: {title}", "Our way of working has changed: {title}")
    )
    text: T = prop(T("Текст", "Text"), default=T("{measures}", "{measures}"))
    tasks: tuple[str, ...] = prop(T("После каких задач", "After which tasks"), default=())
    everybody: bool = prop(T("Всем сотрудникам", "To all employees"), default=False)
    important: bool = prop(T("Просить подтвердить прочтение", "Ask to confirm that it was read"), default=True)
    readers_after: Pause | None = prop(T("Когда посмотреть, кто прочитал", "When to see who has read it"), default=None)


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the tasks, the news posted so far, and what the texts speak of."""
    return (NeedLedger(call.item), NeedNews(call.item), *wording.reading(call, facts, (props.title, props.text)))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Post once, as soon as none of the named tasks is open; what changed since the last news is posted anew."""
    item = facts[NeedItem(call.item)]
    if item is None:
        return Outcome(wording.GONE)
    waiting = [task.title for name in props.tasks if (task := facts[NeedLedger(call.item)].open_task(name)) is not None]
    if waiting:
        return Outcome(WAITS.fill(tasks=", ".join(f"«{title}»" for title in waiting)))
    people, values = facts[NeedPeople()], wording.known(call, facts, item)
    text = wording.render(call, props.text, values)
    if any(news.text == text for news in facts[NeedNews(call.item)]):
        return Outcome(POSTED)
    departments = () if props.everybody else concerned(item, people)
    dest = tuple(f"DR{number}" for number in departments) or ("UA",)
    title = wording.title(call, props.title, values)
    news = AddNews(call.item, title, text, dest, props.important)
    names = ", ".join(people.departments[number].name for number in departments)
    why = POSTS.fill(title=title, dest=DEPARTMENTS.fill(names=names) if names else EVERYBODY)
    timer = _timer(call, props, departments)
    return Outcome(why, (news, noted(call, bb(call.say(why))), *((timer,) if timer else ())))


def concerned(item: Item, people: People) -> tuple[int, ...]:
    """Return the departments the process crosses: those of whoever did the work and of the commission."""
    users = [people.users.get(user) for user in (item.user("employee"), *commission.members_of(item)) if user is not None]
    found = dict.fromkeys(number for user in users if user is not None for number in user.departments)
    return tuple(number for number in found if number in people.departments)


def _timer(call: Call, props: Props, departments: tuple[int, ...]) -> SetTimer | None:
    """Look later who has read it; only important news asks for that."""
    if props.readers_after is None or not props.important:
        return None
    due = props.readers_after.after(call.at, call.house.calendar)
    step = Step("news_readers", {"departments": [str(number) for number in departments]})
    return SetTimer(call.item, "news_readers", due, step, call.say(WHAT), "item")


ROBOT = Robot(
    code="publish_news",
    name=T("Объявить в Новостях", "Post news"),
    description=T(
        "Публикует в Новостях объявление об изменениях для тех, кто работает по процессу",
        "Posts news of the changes for the employees who use the process",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    on_portal=False,
)
