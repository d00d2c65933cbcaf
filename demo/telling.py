"""Puts the journal's actions into a short line each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from demo.screens import DEAL
from demo.words import Narrator

COMPANY = ZoneInfo("Europe/Moscow")
_BB = re.compile(r"\[/?[A-Za-z*][^\]]*\]")

_NOWHERE = "\0"

Body = Mapping[str, Any]


def done_in_words(tell: Narrator, action: Mapping[str, Any], people: Mapping[int, str], stages: Mapping[str, str]) -> str:
    """Say what an action did, or nothing for what people do not see; a failure is always said."""
    made = _WORDS.get(str(action["kind"]))
    if made is None:
        return "" if action["state"] == "done" else f"{action['kind']}: {action['state']} {action['error'] or ''}"
    words = made(tell, action["body"], people, stages)
    return words if action["state"] == "done" else f"{words} — {action['state']} {action['error'] or ''}"


def worth_telling(run: Mapping[str, Any]) -> bool:
    """Tell whether a run is part of the story: not what was left out, and not a look at earlier tasks that found nothing."""
    quiet = run["robot"] == "check_open_tasks" and run["ok"] and not run["actions"]
    return run["state"] != "skipped" and not quiet


def actions_worth_telling(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the actions of a run that its reason does not tell by itself, each kind of ending once."""
    told: list[Mapping[str, Any]] = []
    found = list(run["actions"])
    only_endings = {action["kind"] for action in found} == {"cancel_timers"} and run["robot"] == "wind_up"
    for action in found:
        again = action["kind"] == "cancel_timers" and any(other["kind"] == "cancel_timers" for other in told)
        known = any(_plainly(action["body"], name) in run["why"]["ru"] for name in ("title", "text", "reason"))
        timed = any(_moment(action["body"].get(name)) in run["why"]["ru"] for name in ("due", "start"))
        if action["state"] != "done" or not (again or only_endings or known or timed):
            told.append(action)
    return told


def _plainly(body: Body, name: str) -> str:
    return plain(str(body[name])) if body.get(name) else _NOWHERE


def _moment(written: str | None) -> str:
    return f"{datetime.fromisoformat(written).astimezone(COMPANY):%d.%m.%Y %H:%M}" if written else _NOWHERE


def plain(text: str) -> str:
    """Take formatting out of a text."""
    return " ".join(_BB.sub(" ", text).split())


def _when(written: str | None) -> str:
    return f"{datetime.fromisoformat(written).astimezone(COMPANY):%d.%m %H:%M}" if written else "—"


def _who(people: Mapping[int, str], user: Any) -> str:
    return people.get(int(user), str(user))


def _task(tell: Narrator, body: Body, people: Mapping[int, str], _: Mapping[str, str]) -> str:
    lines = len(body["checklist"])
    more = tell.of(f", пунктов: {lines}", f", lines: {lines}") if lines else ""
    due = tell.of(f", срок {_when(body['deadline'])}", f", due {_when(body['deadline'])}") if body["deadline"] else ""
    return tell.of("задача", "task") + f" «{body['title']}» — {_who(people, body['responsible'])}{due}{more}"


def _moved(tell: Narrator, body: Body, _: Mapping[int, str], stages: Mapping[str, str]) -> str:
    name = next((name for name, stage_id in stages.items() if stage_id == body["to"]), str(body["to"]))
    return tell.of(f"карточка переведена на стадию «{name}»", f"the card is moved to “{name}”")


def _made(tell: Narrator, body: Body, _: Mapping[int, str], __: Mapping[str, str]) -> str:
    if int(body["entity_type_id"]) == DEAL:
        return tell.of("создана сделка", "a deal is made")
    return tell.of("создана карточка", "a card is made") + f" «{body['fields']['title']}»"


def _awarded(tell: Narrator, body: Body, people: Mapping[int, str], _: Mapping[str, str]) -> str:
    return tell.of("премиальные баллы", "bonus points") + f" — {_who(people, body['user'])}: {body['points']}"


def _visit(tell: Narrator, body: Body, people: Mapping[int, str], _: Mapping[str, str]) -> str:
    told = f"{_who(people, body['user'])}, {_when(body['start'])}"
    return tell.of(f"выезд в календаре: {told}", f"visit in the calendar: {told}")


def _timer(tell: Narrator, body: Body, _: Mapping[int, str], __: Mapping[str, str]) -> str:
    return tell.of(f"ждёт до {_when(body['due'])}: {body['what']}", f"waits until {_when(body['due'])}: {body['what']}")


def _said(ru: str, en: str, name: str) -> Callable[..., str]:
    def words(tell: Narrator, body: Body, people: Mapping[int, str], stages: Mapping[str, str]) -> str:
        return f"{tell.of(ru, en)}: {plain(str(body[name]))}"

    return words


def _fixed(ru: str, en: str) -> Callable[..., str]:
    def words(tell: Narrator, body: Body, people: Mapping[int, str], stages: Mapping[str, str]) -> str:
        return tell.of(ru, en)

    return words


def _notified(tell: Narrator, body: Body, people: Mapping[int, str], _: Mapping[str, str]) -> str:
    return tell.of("уведомление", "notification") + f" — {_who(people, body['user'])}: {plain(body['text'])}"


_WORDS: Mapping[str, Callable[..., str]] = {
    "add_item": _made,
    "award_points": _awarded,
    "add_news": _said("новость", "news", "title"),
    "add_task": _task,
    "move_stage": _moved,
    "comment": _said("комментарий в ленте", "comment in the timeline", "text"),
    "notify": _notified,
    "send_sms": _said("SMS клиенту", "SMS to the client", "text"),
    "add_visit": _visit,
    "cancel_visit": _fixed("выезд убран из календаря", "the visit is taken out of the calendar"),
    "set_timer": _timer,
    "close_task": _said("задача закрыта", "a task is closed", "reason"),
    "renew_task": _said("задача возвращена в работу", "a task is taken back to work", "reason"),
    "approve_task": _fixed("задача снята с контроля", "the work of the task is accepted"),
    "cancel_timers": _said("ожидания отменены", "what waited is cancelled", "reason"),
    "run_stage_again": _said("стадия проверяется ещё раз", "the stage is checked again", "reason"),
}
