"""Put the agreed changes on their way: a task for every measure, in the right department's project, or to an employee."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from b24app.core import changes, wording
from b24app.core.actions import Action, AddTask, CloseTask
from b24app.core.asking import noted
from b24app.core.call import Call
from b24app.core.changes import Measure
from b24app.core.giving import Assignment, give
from b24app.core.item import Item
from b24app.core.needs import Facts, Ledger, Need, NeedForms, NeedItem, NeedLedger, NeedPeople
from b24app.core.quality import Board, Corrections
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role
from b24app.core.text import T, join
from b24app.core.worktime import Pause

NO_TABLES = T("В процессе нет таблиц коррекций", "The process has no tables of corrections")
NOTHING = T("Мер нет, задачи ставить не по чему", "There are no measures to give tasks for")
KEPT = T("уже поставлена: «{text}»", "given already: “{text}”")
GROUP = T("проект «{group}»", "project “{group}”")
NO_GROUP = T(
    "проекта «{group}» на портале нет, задача поставлена без проекта",
    "the portal has no project “{group}”, the task stands outside of projects",
)
NO_ROUTE = T("маршрута для неё нет, решает сотрудник ОКК", "no way is known for it, the quality officer decides")
LEFT = T(
    "{name} больше не работает, кому это поручить, решает сотрудник ОКК",
    "{name} has left the company, the quality officer decides who does it",
)
SOMEBODY = T("Решить, кому поручить: {text}", "Decide who does it: {text}")
DROPPED = T("Меру пересмотрели, задача больше не нужна", "The measure was written anew, the task is not needed any more")
TITLE = T.same("{text}")
ABOUT = T(
    "{text}\n\nМера согласована комиссией по разбору «{title}»: {link}\nВоронка: {pipeline}. Приёмка — у сотрудника ОКК.",
    "{text}\n\nThe commission for “{title}” has agreed on this: {link}\nPipeline: {pipeline}. Accepted by the officer.",
)


@dataclass(frozen=True, slots=True)
class Props:
    deadline: Pause | None = prop(T("Крайний срок", "Deadline"), default=Pause(5, "w"))
    officer: Role = prop(T("Кто принимает работу", "Who accepts the work"), default=Role("responsible"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the ledger and the forms, then for the tasks given so far as they stand on the portal."""
    wanted: list[Need[Any]] = [NeedLedger(call.item), NeedForms(call.item), *wording.reading(call, facts, (ABOUT,))]
    ledger, forms = facts.get(NeedLedger(call.item)), facts.get(NeedForms(call.item))
    return [*wanted, *changes.portal_tasks(forms, ledger)] if ledger and forms else wanted


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Give what was not given yet, or was deleted; close what is not wanted any more."""
    item, rule = facts[NeedItem(call.item)], call.house.corrections
    if item is None:
        return Outcome(wording.GONE)
    if rule is None:
        return Outcome(NO_TABLES, ok=False)
    ledger, measures = facts[NeedLedger(call.item)], changes.measures_of(facts[NeedForms(call.item)])
    actions: list[Action] = list(_dropped(call, ledger, measures))
    whys: list[T] = []
    for measure in measures:
        task = changes.task_of(measure, ledger)
        if task is not None and (task.task_id is None or changes.on_portal(task, facts) is not None):
            whys.append(KEPT.fill(text=measure.short))
            continue
        given, why = _given(call, props, facts, item, measure, rule)
        actions += given
        whys.append(why)
    if not whys:
        return Outcome(NOTHING, tuple(actions))
    said = noted(call, wording.bullets(whys, call))
    return Outcome(join(whys, "; "), (*actions, said))


def _dropped(call: Call, ledger: Ledger, measures: tuple[Measure, ...]) -> Iterable[Action]:
    wanted = {measure.task for measure in measures}
    for task in ledger.tasks:
        if task.open and task.name.startswith(changes.PREFIX) and task.name not in wanted and task.task_id is not None:
            yield CloseTask(call.item, task.task_id, call.say(DROPPED))


def _given(
    call: Call, props: Props, facts: Facts, item: Item, measure: Measure, rule: Corrections
) -> tuple[tuple[Action, ...], T]:
    """Give one task: to the employee who is to learn, else the way the table of routes tells."""
    people, pipeline = facts[NeedPeople()], measure.pipeline or item.text("source_pipeline")
    values = {**wording.known(call, facts, item), "text": measure.text, "pipeline": pipeline or "—"}
    route = None if measure.employee else rule.route(measure.kind, measure.system, pipeline)
    left = measure.employee is not None and not people.active(measure.employee)
    if measure.employee is not None:
        to = props.officer if left else Role(f"user({measure.employee})")
    else:
        to = Role.parse(route.responsible) if route and route.responsible else props.officer
    what = Assignment(measure.task, SOMEBODY if left else TITLE, to, ABOUT, (), props.deadline)
    given = give(call, item, people, what, values)
    if given.task is None:
        return given.or_say_so(call), given.why
    board = call.house.boards.get(route.group.ru) if route else None
    task = _placed(replace(given.task, under_control=True, creator=_officer(item, people.active)), board)
    whys = [given.why]
    if route is not None and route.group:
        whys.append((GROUP if board else NO_GROUP).fill(group=route.group))
    elif route is None and measure.employee is None:
        whys.append(NO_ROUTE)
    whys += [LEFT.fill(name=people.name(measure.employee))] if left else []
    return (task,), join(whys, ", ")


def _placed(task: AddTask, board: Board | None) -> AddTask:
    """Put a task into the first column of the department's board."""
    if board is None:
        return task
    return replace(task, group=board.group, stage=board.columns[0] if board.columns else None)


def _officer(item: Item, active: Any) -> int | None:
    return item.responsible_id if active(item.responsible_id) else None


ROBOT = Robot(
    code="give_changes",
    name=T("Задачи в подразделения", "Tasks for departments"),
    description=T(
        "Ставит по каждой согласованной мере задачу в проект нужного подразделения или предписание сотруднику",
        "Gives a task for every agreed measure in the right department's project, or an order to an employee",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    on_portal=False,
)
