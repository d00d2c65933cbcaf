"""What the demonstration came to, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from demo.screens import DONE
from demo.walk import PIPELINE, Walk


def summary(walk: Walk, deals: list[int], seconds: float) -> None:
    """Print deals, tasks, returns, messages, requests and time; expects that nothing was left broken."""
    tell, actions = walk.tell, [action for run in walk.runs for action in run["actions"]]
    tell.chapter("Итог", "Summary")
    tasks = [task for deal in deals for task in walk.portal.tasks(deal)]
    done = sum(1 for task in tasks if task["status"] == DONE)
    control = _count(actions, "add_task", purpose="control") + _reminders(actions)
    returns = sum(1 for run in walk.runs if run["robot"] == "return_deal" and _count(run["actions"], "move_stage"))
    for ru, en, number in (
        ("Сделок", "Deals", len(deals)),
        ("Задач поставлено", "Tasks given", len(tasks)),
        ("  закрыто", "  finished", done),
        ("  контрольных — руководителю", "  control tasks for the head", control),
        ("Карточек возвращено на стадию", "Cards moved back", returns),
        ("SMS клиенту", "SMS to the client", len(walk.portal.sms())),
        ("Решений в журнале", "Decisions in the journal", len(walk.runs)),
    ):
        tell.write(f"  {tell.of(ru, en) + ' ':.<44} {number}")
    _requests(walk)
    state = walk.portal.ask("state")
    waiting = [row["waiting"] for row in walk.office.portals()]
    failed = [row for row in waiting if row["failed_work"] or row["failed_actions"]]
    tell.expect(
        "ничего не сломалось: ни одной неудачной работы",
        "nothing broke: no work has failed",
        seen=not failed,
        instead=failed,
    )
    complaints = state["complaints"]
    tell.expect(
        "портал ни на что не жалуется", "the portal has nothing to complain of", seen=not complaints, instead=complaints[:3]
    )
    tell.note(tell.of(f"Время: {seconds:.1f} с; воронка «{PIPELINE}».", f"Time: {seconds:.1f} s; pipeline “{PIPELINE}”."))


def _requests(walk: Walk) -> None:
    tell, entries = walk.tell, walk.entries
    total = walk.portal.requests()
    tell.write(f"  {tell.of('Запросов к порталу всего', 'Requests to the portal in all') + ' ':.<44} {total}")
    average = sum(entry.requests for entry in entries) / len(entries)
    most = max(entry.requests for entry in entries)
    words = tell.of(f"в среднем {average:.1f}, самое большее {most}", f"{average:.1f} on average, {most} at most")
    tell.write(f"  {tell.of('  на один переход стадии', '  for one move of a stage') + ' ':.<44} {words}")
    by_stage: dict[str, list[int]] = {}
    for entry in entries:
        by_stage.setdefault(entry.stage, []).append(entry.requests)
    for stage, numbers in by_stage.items():
        tell.write(f"      {stage + ' ':.<50} {', '.join(map(str, numbers))}")


def _count(actions: list[Any], kind: str, **body: Any) -> int:
    """Count carried-out actions of a kind."""
    return sum(
        1
        for action in actions
        if action["kind"] == kind and action["state"] == "done" and all(action["body"].get(k) == v for k, v in body.items())
    )


def _reminders(actions: list[Mapping[str, Any]]) -> int:
    """Count the reminders for the head of sales."""
    return Counter(str(action["body"].get("name")) for action in actions if action["kind"] == "add_task")["confirm_control"]
