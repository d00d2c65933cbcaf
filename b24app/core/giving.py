"""Give a task to whoever a role means, in the words of the process."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from b24app.core import wording
from b24app.core.actions import Action, AddTask, Comment, Purpose
from b24app.core.call import Call
from b24app.core.item import Item, People
from b24app.core.roles import Resolved, Role, resolve
from b24app.core.text import EMPTY, T, bb
from b24app.core.worktime import Pause

_GIVEN = T("Задача «{title}» поставлена: {name}", "The task “{title}” was given to {name}")
_UNTIL = T("срок {deadline}", "the deadline is {deadline}")
_NOBODY = T(
    "Задача «{title}» не поставлена: роль «{role}» никого не нашла и заменить её некем",
    "The task “{title}” was not given: role “{role}” found nobody and there is nobody to stand in",
)
_CHECKLIST_LIMIT = 100
HOLDS: Mapping[str, T] = {
    "return": T("вернуть на прежнюю стадию", "move the item back"),
    "remind": T("напомнить о задаче", "remind of the task"),
    "ignore": T("ничего не делать", "do nothing"),
}
"""What may happen to an item that moves on while its task is open, for the property ``holds``."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be done, by which role, by when; texts still hold their places."""

    name: str
    title: T
    to: Role
    description: T = EMPTY
    checklist: tuple[T, ...] = ()
    deadline: Pause | datetime | None = None
    purpose: Purpose = "work"


@dataclass(frozen=True, slots=True)
class Given:
    """The task that came of an assignment, or None where nobody was found; ``why`` tells which, to whom and until when."""

    task: AddTask | None
    why: T
    who: Resolved

    def or_say_so(self, call: Call) -> tuple[Action, ...]:
        """Return the task, or a comment that nobody could be found, so that it does not go unnoticed."""
        if self.task is not None:
            return (self.task,)
        return (Comment(call.item, bb(self.why.at(call.house.lang))),)


def give(call: Call, item: Item, people: People, what: Assignment, values: Mapping[str, object]) -> Given:
    """Turn an assignment into a task for the person its role means."""
    who = resolve(what.to, item, people, call.house)
    title = wording.title(call, what.title, values)
    if who.user is None:
        return Given(None, _NOBODY.fill(title=title, role=what.to), who)
    due = what.deadline.after(call.at, call.house.calendar) if isinstance(what.deadline, Pause) else what.deadline
    description = wording.render(call, what.description, values)
    if who.how is not None:
        description = f"{description}\n\n{bb(who.how.at(call.house.lang))}".strip()
    task = AddTask(
        item=call.item,
        name=what.name,
        title=title,
        responsible=who.user,
        description=description,
        checklist=_lines(call, what.checklist, values),
        deadline=due,
        purpose=what.purpose,
        timed=call.house.corrections is not None,  # what a correction costs is the time spent on its tasks
    )
    until = _UNTIL.fill(deadline=wording.moment(call, due)) if due else EMPTY
    said = _GIVEN.fill(title=title, name=people.name(who.user))
    return Given(task, wording.sentence(_with(said, until), who.how or EMPTY), who)


def _with(said: T, until: T) -> T:
    return T(f"{said.ru}, {until.ru}", f"{said.en}, {until.en}") if until else said


def _lines(call: Call, checklist: tuple[T, ...], values: Mapping[str, object]) -> tuple[str, ...]:
    lines = (wording.line(call, text, values) for text in checklist)
    return tuple(dict.fromkeys(line for line in lines if line))[:_CHECKLIST_LIMIT]


def task_name(title: T, name: str = "") -> str:
    """Name a task inside its process: as written, else after its title; the same title always gives the same name."""
    if name.strip():
        return name.strip()
    slug = "-".join(re.findall(r"\w+", title.ru.lower()))
    if 0 < len(slug) <= 48:
        return slug
    return f"{slug[:40]}-{hashlib.sha256(title.ru.encode('utf-8', 'replace')).hexdigest()[:8]}".strip("-")
