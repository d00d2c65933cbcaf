"""Ask somebody for a form of the process: a task named after it, with the way to it, and who hears of his silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from b24app.core import wording
from b24app.core.actions import Action, Comment, Step
from b24app.core.call import Call
from b24app.core.control import HEAD, Control
from b24app.core.forms import FormDef, Submission, shown
from b24app.core.giving import Assignment, Given, give
from b24app.core.item import Item, People
from b24app.core.needs import Facts, Ledger
from b24app.core.text import T, bb, plain
from b24app.core.worktime import Pause

WAY = T(
    "Заполните форму «{form}» во вкладке «Качество» карточки: {link}",
    "Fill in the form “{form}” on the tab “Quality” of the card: {link}",
)
LATE = T("Разобраться, почему не заполнена форма: «{task}»", "Find out why the form is not filled in: “{task}”")

Holds = Literal["return", "remind", "ignore"]


def ask(
    call: Call,
    item: Item,
    people: People,
    form: str,
    what: Assignment,
    values: Mapping[str, object],
    *,
    holds: Holds = "return",
    late: Pause | None = None,
) -> tuple[Given, tuple[Action, ...]]:
    """Give the task that asks for a form; after the pause ``late`` the head of whoever was asked hears of it.

    The task closes by itself when the form is sent, and opens again when it is closed without one.
    """
    given = give(call, item, people, what, values)
    if given.task is None:
        return given, given.or_say_so(call)
    asked = call.house.forms.get(form)
    way = WAY.fill(form=bb(asked.title.at(call.house.lang)) if asked else form, link=wording.item_link(call, item.ref))
    description = f"{given.task.description}\n\n{call.say(way)}".strip()
    task = replace(
        given.task,
        description=description,
        holds=holds,
        full_checklist=bool(given.task.checklist),
        done=(Step("form_wanted", {"form": form}),),
    )
    timer = Control(late, HEAD, LATE).timer(call, task.name, task.title)
    return replace(given, task=task), (task, timer) if timer else (task,)


def named(call: Call, facts: Facts, item: Item) -> dict[str, object]:
    """Give the values of all places; what was opened by hand has no source and is called by its own title."""
    values = wording.known(call, facts, item)
    return values if item.text("source_title") else {**values, "source_title": item.title}


def answered(forms: tuple[Submission, ...], form: str, turn: int) -> Submission | None:
    """Return the answers to a form that were given in a round."""
    return next((sent for sent in reversed(forms) if sent.form == form and sent.round == turn), None)


def turn_of(call: Call, ledger: Ledger, keys: tuple[str, ...] = ()) -> int:
    """Count how often the item has come to these stages, by keys; to the one it stands on where none are named."""
    points = [point.id for key in keys if (point := call.place.by_key(key)) is not None]
    return ledger.round(points or [call.place.stage])


def written_down(form: FormDef | None, sent: Submission, call: Call, people: People) -> str:
    """Write answers one under the other, for a place that reads BB codes."""
    if form is None:
        return ""
    told = shown(form, sent.answers, call.house.lang, people)
    lines = (f"• {bb(plain(label))}{'' if label.endswith('?') else ':'} {bb(plain(text))}" for label, text in told)
    return wording.cut_bb("\n".join(lines), wording.BODY // 2)


def noted(call: Call, *parts: str) -> Comment:
    """Write parts one under the other into the item's timeline."""
    return Comment(call.item, wording.cut_bb("\n".join(part for part in parts if part), wording.BODY))
