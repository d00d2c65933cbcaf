"""Values tests speak of: a small company, a deal of it, and a call about that deal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from b24app.core.call import Call, Cause, House, Place, StageEntered, StagePoint, TaskFinished, TimerDue
from b24app.core.forms import Submission
from b24app.core.item import (
    COMPANY,
    CONTACT,
    DEAL,
    Busy,
    ChecklistItem,
    Client,
    Department,
    Item,
    ItemRef,
    People,
    Product,
    Task,
    TaskStatus,
    User,
)
from b24app.core.needs import (
    Facts,
    Ledger,
    Need,
    NeedBusy,
    NeedChecklist,
    NeedClient,
    NeedDealsOfLead,
    NeedForms,
    NeedItem,
    NeedLedger,
    NeedNews,
    NeedPeople,
    NeedProcess,
    NeedProducts,
    NeedTask,
    News,
    OwnTask,
)
from b24app.core.robot import Outcome, Robot
from b24app.core.text import T

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 6, 10, 12, 0, tzinfo=MOSCOW)
"""A Wednesday noon."""
DEAL_12 = ItemRef(DEAL, 12)
DIRECTOR, HEAD, MANAGER, INSTALLER, GONE = 1, 5, 7, 9, 11

STAGES = (
    StagePoint("contract", "C7:NEW", T("Заключить договор", "Make the contract")),
    StagePoint("materials", "C7:PREPARATION", T("Материалы закуплены", "Materials bought")),
    StagePoint("date_agreed", "C7:EXECUTING", T("Дата начала работ согласована", "Date agreed")),
    StagePoint("assigned", "C7:FINAL", T("Монтаж назначен", "Installation assigned")),
    StagePoint("won", "C7:WON", T("Оплата получена, работы приняты", "Paid and accepted"), "success"),
    StagePoint("lost", "C7:LOSE", T("Сделка не успешная", "Deal lost"), "failure"),
)


def people(*, without: Iterable[int] = ()) -> People:
    """A director, a head of sales, a manager, an installer and a dismissed one; ``without`` dismisses more."""
    gone = {GONE, *without}
    named = {
        DIRECTOR: ("Ольга Дирова", 1),
        HEAD: ("Пётр Главин", 2),
        MANAGER: ("Мария Менова", 2),
        INSTALLER: ("Иван Мастеров", 3),
        GONE: ("Яков Уволенов", 2),
    }
    users = {n: User(n, name, n not in gone, (department,)) for n, (name, department) in named.items()}
    departments = {
        1: Department(1, "Компания", None, DIRECTOR),
        2: Department(2, "Продажи", 1, HEAD),
        3: Department(3, "Монтаж", 1, None),
    }
    return People(users, departments)


def a_deal(**changes: Any) -> Item:
    """A deal of the manager with a contact and an amount; ``fields`` are merged into the empty ones."""
    deal = Item(
        ref=DEAL_12,
        title="Потолки на Лесной",
        stage_id="C7:EXECUTING",
        category_id=7,
        responsible_id=MANAGER,
        contact_id=3,
        amount=Decimal("120000"),
        currency="RUB",
    )
    return replace(deal, **changes)


def a_house(**changes: Any) -> House:
    """A company in Moscow with a portal."""
    return replace(House(fallback=DIRECTOR, portal_url="https://romashka.bitrix24.ru", sms=True), **changes)


def a_place(key: str = "date_agreed", came_from: str | None = None, **changes: Any) -> Place:
    """A stage of the pipeline, named by its key, and the one the item came from."""
    ids = {point.key: point.id for point in STAGES}
    return replace(Place(ids[key], STAGES, ids[came_from] if came_from else None, 100), **changes)


def a_call(cause: Cause | None = None, **changes: Any) -> Call:
    """A call about the deal on Wednesday noon, because it entered its stage."""
    call = Call(DEAL_12, NOW, cause or StageEntered(), a_place(), a_house())
    return replace(call, **changes)


def timer_due(name: str = "control:contract", ago: timedelta = timedelta(hours=24)) -> TimerDue:
    """A timer that has come due now."""
    return TimerDue(name, NOW, NOW - ago)


def finished(name: str = "contract", task_id: int = 500, *, full: bool = False) -> TaskFinished:
    return TaskFinished(name, task_id, full)


def an_own_task(name: str = "contract", **changes: Any) -> OwnTask:
    """An open task given to the manager a day ago on the first stage."""
    task = OwnTask(
        name=name,
        title="Подписать договор",
        responsible=MANAGER,
        purpose="work",
        stage="C7:NEW",
        task_id=500,
        open=True,
        opened_at=NOW - timedelta(hours=24),
    )
    return replace(task, **changes)


def a_task(status: TaskStatus = "in_progress", **changes: Any) -> Task:
    """The same task as the portal shows it."""
    return replace(Task(500, "Подписать договор", status, MANAGER), **changes)


def lines(*done: bool) -> tuple[ChecklistItem, ...]:
    """A checklist with lines ticked or not."""
    titles = ("Оформить", "Согласовать", "Подписать", "Вручить счёт")
    return tuple(ChecklistItem(n, titles[n], ticked) for n, ticked in enumerate(done))


def facts(
    item: Item | None = None,
    *,
    deleted: bool = False,
    staff: People | None = None,
    ledger: Ledger | None = None,
    tasks: Mapping[int, Task | None] | None = None,
    checklist: tuple[ChecklistItem, ...] | None = None,
    client: Client | None = None,
    busy: Mapping[Need[Any], tuple[Busy, ...]] | None = None,
    products: tuple[Product, ...] = (),
    deals: tuple[int, ...] | None = None,
    forms: tuple[Submission, ...] = (),
    news: tuple[News, ...] = (),
    more: Mapping[Need[Any], Any] | None = None,
    ref: ItemRef = DEAL_12,
) -> Facts:
    """What was read: a world in which the deal, its client, the people and the ledger are as told."""
    read: dict[Need[Any], Any] = {
        NeedItem(ref): None if deleted else item or a_deal(),
        NeedPeople(): staff or people(),
        NeedLedger(ref): ledger or Ledger(),
        NeedProducts(ref): products,
        NeedForms(ref): forms,
        NeedNews(ref): news,
        NeedProcess("analysis_and_corrections"): None,
        NeedClient(ItemRef(CONTACT, 3)): client or Client(3, "Анна Клиентова", ("8 916 123-45-67",)),
        NeedClient(ItemRef(COMPANY, 4)): Client(4, "ООО «Вектор»", ("+7 495 123-45-67",), is_company=True),
    }
    for task_id, task in (tasks or {}).items():
        read[NeedTask(task_id)] = task
        read[NeedChecklist(task_id)] = checklist or ()
    read |= dict(busy or {}) | dict(more or {})
    if deals is not None:
        read[NeedDealsOfLead(ref.id)] = deals
    return Facts(read)


def decided(robot: Robot[Any], call: Call, world: Facts, props: Any = None) -> Outcome:
    """Ask a robot as the engine does: read only what it asks for, again until it asks for nothing new; then decide."""
    settled = props if props is not None else robot.props()
    read: dict[Need[Any], Any] = {}
    while new := [need for need in robot.needs(call, settled, Facts(dict(read))) if need not in read]:
        read |= {need: _answer(world, need) for need in new}
    outcome = robot.decide(call, settled, Facts(read))
    assert outcome.why.ru.strip() and outcome.why.en.strip(), "a decision says why in both languages"
    return outcome


def _answer(world: Facts, need: Need[Any]) -> Any:
    return () if isinstance(need, NeedBusy) and need not in world else world[need]


def utc(*parts: int) -> datetime:
    """A moment in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]
