"""Give the installer his order: when, where, with what, for whom, with the documents; the manager accepts the work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast

from b24app.core import agreed, wording
from b24app.core.actions import AddTask, Step, UpdateTask
from b24app.core.call import Call
from b24app.core.control import HEAD, TITLE, control_of
from b24app.core.giving import HOLDS, Assignment, give, task_name
from b24app.core.item import COMPANY, CONTACT, Client, Item, ItemRef, Product
from b24app.core.needs import Facts, Need, NeedClient, NeedItem, NeedLedger, NeedPeople, NeedProducts, OwnTask
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role, resolve
from b24app.core.text import EMPTY, T, bb, plain
from b24app.core.worktime import Pause

KEPT = T("Задача «{title}» уже поставлена и не изменилась", "The task “{title}” was given already and has not changed")
KEPT_RETURNED = T(
    "Карточку вернуло приложение, а задача «{title}» уже ставилась: не повторяется",
    "The application moved the item back and the task “{title}” was given already: it is not repeated",
)
UPDATED = T("Задача «{title}» обновлена: {name}, {when}", "The task “{title}” was updated: {name}, {when}")
ON_THE_WAY = T("Задача «{title}» ещё не дошла до портала", "The task “{title}” has not reached the portal yet")
WHEN = T("[B]Когда:[/B] {value}", "[B]When:[/B] {value}")
WHERE = T("[B]Где:[/B] {value}", "[B]Where:[/B] {value}")
CONDITIONS = T("[B]Условия монтажа:[/B] {value}", "[B]Conditions:[/B] {value}")
MATERIALS = T("[B]Материалы:[/B] {value}", "[B]Materials:[/B] {value}")
ORDER = T("[B]Заказ:[/B]", "[B]Order:[/B]")
DOCUMENTS = T("[B]Документы:[/B] {value}", "[B]Documents:[/B] {value}")
CLIENT = T("[B]Клиент:[/B] {value}", "[B]Client:[/B] {value}")
UNDATED = T("дата не указана", "the date is not set")


@dataclass(frozen=True, slots=True)
class Props:
    title: T = prop(
        T("Название задачи", "Title of the task"),
        default=T("Монтаж {when}: {title}", "Installation {when}: {title}"),
        same=True,
    )
    to: Role = prop(T("Кому", "To whom"), default=Role("field(installer)"))
    supervisor: Role = prop(T("Кто принимает работу", "Who accepts the work"), default=Role("responsible"))
    date_field: str = prop(T("Поле с датой", "Field with the date"), default="install_date")
    time_field: str = prop(T("Поле со временем", "Field with the time"), default="install_time")
    address_field: str = prop(T("Поле с адресом", "Field with the address"), default="address")
    materials_field: str = prop(T("Поле с материалами", "Field with the materials"), default="materials")
    conditions_field: str = prop(T("Поле с условиями", "Field with the conditions"), default="conditions")
    documents_field: str = prop(T("Поле с документами", "Field with the documents"), default="contract_file")
    hours: int = prop(T("Длительность, часов", "Length, hours"), default=4)
    description: T = prop(T("Что ещё сказать", "What else to say"), default=EMPTY)
    checklist: tuple[T, ...] = prop(T("Чек-лист", "Checklist"), default=())
    name: str = prop(T("Имя задачи в процессе", "Name of the task in the process"), default="install")
    holds: str = prop(
        T("Если карточка ушла дальше, а задача открыта", "If the item moves on while the task is open"),
        default="return",
        options=HOLDS,
    )
    full_checklist: bool = prop(T("Закрыть только с полным чек-листом", "Close only with a full checklist"), default=True)
    control_after: Pause | None = prop(T("Контроль через", "Control after"), default=None)
    control_to: Role = prop(T("Контролирует", "Who controls"), default=HEAD)
    control_title: T = prop(T("Название контрольной задачи", "Title of the control task"), default=TITLE)
    control_checklist: tuple[T, ...] = prop(T("Чек-лист контроля", "Checklist of the control"), default=())
    control_deadline: Pause | None = prop(T("Срок контроля", "Deadline of the control"), default=None)
    control_hint: T | None = prop(T("Подсказка сотруднику", "Hint for the employee"), default=None)
    done: tuple[Step, ...] = prop(T("После завершения", "When it is done"), default=())


@dataclass(frozen=True, slots=True)
class Returns:
    task_name: str = prop(T("Имя задачи", "Name of the task"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the order lines and for both clients, contact and company."""
    wanted: tuple[Need[Any], ...] = (NeedItem(call.item), NeedPeople(), NeedLedger(call.item), NeedProducts(call.item))
    item = facts.get(NeedItem(call.item))
    return (*wanted, *(NeedClient(ref) for ref in _clients(item))) if item else wanted


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Give the order to the installer; an order he has already is only brought up to date."""
    item, ledger = facts[NeedItem(call.item)], facts[NeedLedger(call.item)]
    name = task_name(props.title, props.name)
    if item is None:
        return Outcome(wording.GONE, returns=Returns(name))
    span = agreed.visit(call, item, props.date_field, props.time_field, props.hours)
    values = wording.known(call, facts, item)
    if span is not None:
        clock = span.start.time() if span.timed else None
        values |= {"date": span.start.date(), "time": clock, "when": agreed.starts(span)}
    what = Assignment(name, props.title, props.to, EMPTY, props.checklist, span.end if span else None, "install")
    given = give(call, item, facts[NeedPeople()], what, values)
    if given.task is None:
        return Outcome(given.why, given.or_say_so(call), Returns(name))
    task = _complete(call, props, facts, item, given.task, values)
    own, last = ledger.open_task(name), ledger.last_task(name)
    if own is not None:
        return _bring_up_to_date(call, facts, own, task)
    if last is not None and not last.withdrawn and call.place.returned:
        return Outcome(KEPT_RETURNED.fill(title=last.title), returns=Returns(name))
    control = control_of(props)
    timer = control.timer(call, name, task.title)
    if timer is None:
        return Outcome(given.why, (task,), Returns(name))
    return Outcome(wording.sentence(given.why, control.said(call, timer)), (task, timer), Returns(name))


def _complete(call: Call, props: Props, facts: Facts, item: Item, task: AddTask, values: dict[str, object]) -> AddTask:
    supervisor = resolve(props.supervisor, item, facts[NeedPeople()], call.house).user
    told = _description(call, props, facts, item, wording.render(call, props.description, values))
    return replace(
        task,
        description="\n\n".join(part for part in (told, task.description) if part),
        creator=supervisor,
        auditors=(supervisor,) if supervisor is not None else (),
        holds=cast('Literal["return", "remind", "ignore"]', props.holds),
        full_checklist=props.full_checklist,
        under_control=True,
        done=props.done,
    )


def _bring_up_to_date(call: Call, facts: Facts, own: OwnTask, task: AddTask) -> Outcome:
    if (own.deadline, own.responsible) == (task.deadline, task.responsible):
        return Outcome(KEPT.fill(title=own.title), returns=Returns(task.name))
    if own.task_id is None:
        return Outcome(ON_THE_WAY.fill(title=own.title), returns=Returns(task.name))
    change = UpdateTask(call.item, own.task_id, task.title, task.description, task.deadline, task.responsible)
    name = facts[NeedPeople()].name(task.responsible)
    why = UPDATED.fill(title=task.title, name=name, when=_until(call, task.deadline))
    return Outcome(why, (change,), Returns(task.name))


def _until(call: Call, deadline: datetime | None) -> str | T:
    return wording.moment(call, deadline) if deadline else UNDATED


def _description(call: Call, props: Props, facts: Facts, item: Item, extra: str) -> str:
    span = agreed.visit(call, item, props.date_field, props.time_field, props.hours)
    when: str | T = UNDATED
    if span is not None:
        when = agreed.words(span) if span.timed else f"{span.start:%d.%m.%Y}"
    parts = [
        wording.render(call, WHEN, {"value": when}),
        *_field(call, item, WHERE, props.address_field),
        *_field(call, item, CONDITIONS, props.conditions_field),
        *_field(call, item, MATERIALS, props.materials_field),
        _order(call, facts[NeedProducts(call.item)]),
        *_field(call, item, DOCUMENTS, props.documents_field),
        *(_client(call, facts[NeedClient(ref)]) for ref in _clients(item)),
        extra,
    ]
    return wording.cut_bb("\n".join(part for part in parts if part), wording.BODY)


def _field(call: Call, item: Item, heading: T, name: str) -> list[str]:
    value = item.fields.get(name)
    return [wording.render(call, heading, {"value": value})] if value not in (None, "", ()) else []


def _order(call: Call, products: tuple[Product, ...]) -> str:
    lines = [f"• {bb(plain(p.name))} — {p.quantity.normalize():f} {bb(plain(p.unit))}".rstrip() for p in products[:200]]
    return "\n".join((call.say(ORDER), *lines)) if lines else ""


def _client(call: Call, client: Client | None) -> str:
    if client is None:
        return ""
    return wording.render(call, CLIENT, {"value": ", ".join((client.name, *client.phones))})


def _clients(item: Item) -> tuple[ItemRef, ...]:
    contact = (ItemRef(CONTACT, item.contact_id),) if item.contact_id else ()
    company = (ItemRef(COMPANY, item.company_id),) if item.company_id else ()
    return (*contact, *company)


ROBOT = Robot(
    code="installer_task",
    name=T("Задача монтажнику", "Task for the installer"),
    description=T(
        "Ставит монтажнику задачу со всеми сведениями о заказе; работу принимает менеджер",
        "Gives the installer a task with everything about the order; the manager accepts the work",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    returns=Returns,
)
