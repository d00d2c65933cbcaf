"""Boards and lists of the CRM: columns of stages, cards that are moved, forms that create."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from flask import redirect, request

from sandbox.crm.items import Item
from sandbox.crm.schema import COMPANY, CONTACT, DEAL, LEAD
from sandbox.crm.stages import Status
from sandbox.errors import RestError
from sandbox.page_desk import Desk
from sandbox.page_fields import person_name
from sandbox.tasks import COMPLETED
from sandbox.wire import JSON, whole

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

SECTIONS = {"lead": LEAD, "deal": DEAL, "contact": CONTACT, "company": COMPANY}
SECTION_NAMES = {
    LEAD: ("Лиды", "Leads"),
    DEAL: ("Сделки", "Deals"),
    CONTACT: ("Контакты", "Contacts"),
    COMPANY: ("Компании", "Companies"),
}
CREATE = {
    LEAD: "title name lastName phone sourceId",
    DEAL: "title opportunity contactId assignedById",
    CONTACT: "name lastName phone",
    COMPANY: "title phone",
}
CREATE_DYNAMIC = "title opportunity contactId assignedById"
NUMBERS = {"contactId", "assignedById", "categoryId"}
COLUMN_LENGTH = 60
LIST_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Tile:
    """A card on a board or a row of a list."""

    id: int
    title: str
    link: str
    client: str
    amount: str
    owner: str
    stage_id: str
    moved: str
    tasks: int


@dataclass(frozen=True, slots=True)
class Column:
    """A stage with its tiles; ``more`` are those that do not fit."""

    stage: Status
    tiles: tuple[Tile, ...]
    total: str
    count: int

    @property
    def more(self) -> int:
        """Give how many tiles are not shown."""
        return self.count - len(self.tiles)


def section_path(entity_type_id: int) -> str:
    """Give the address of a type's board."""
    name = next((name for name, number in SECTIONS.items() if number == entity_type_id), f"type/{entity_type_id}")
    return f"/crm/{name}/"


def card_path(entity_type_id: int, item_id: int) -> str:
    """Give the address of a card, the same as on a real portal."""
    return f"{section_path(entity_type_id)}details/{item_id}/"


def section_name(desk: Desk, entity_type_id: int) -> str:
    """Give the name of a type as the menu shows it."""
    if entity_type_id in SECTION_NAMES:
        return desk.say(*SECTION_NAMES[entity_type_id])
    return desk.portal.crm.types[entity_type_id].title


def title_of(item: Item) -> str:
    """Give what an item is called."""
    return str(item.get("title") or "") or person_name(item)


def money(amount: float | None, currency: str | None = "RUB") -> str:
    """Write an amount with thin groups."""
    if not amount:
        return ""
    text = f"{amount:,.2f}".replace(",", "\u00a0").replace(".", ",").removesuffix(",00")
    return f"{text}\u00a0{'₽' if currency in {'RUB', None} else currency}"


def register(desk: Desk) -> None:
    """Add these views to the page."""

    @desk.view("/")
    def first() -> ResponseReturnValue:
        return redirect("/crm/deal/", 302)

    @desk.view("/crm/<any(lead, deal, contact, company):section>/")
    def board(section: str) -> ResponseReturnValue:
        return _board(desk, SECTIONS[section])

    @desk.view("/crm/type/<int:entity_type_id>/")
    def smart_board(entity_type_id: int) -> ResponseReturnValue:
        desk.portal.crm.require(entity_type_id)
        return _board(desk, entity_type_id)

    @desk.view("/crm/<any(lead, deal):section>/kanban/")
    @desk.view("/crm/<any(lead, deal, contact, company):section>/list/")
    def board_alias(section: str) -> ResponseReturnValue:
        return redirect(section_path(SECTIONS[section]), 302)

    @desk.view("/_sandbox/items/<int:entity_type_id>/add", "POST")
    def create(entity_type_id: int) -> ResponseReturnValue:
        fields = _created(desk, entity_type_id)
        item = desk.call("crm.item.add", entityTypeId=entity_type_id, fields=fields)["item"]
        return redirect(card_path(entity_type_id, item["id"]), 303)

    @desk.view("/_sandbox/items/<int:entity_type_id>/<int:item_id>/move", "POST")
    def move(entity_type_id: int, item_id: int) -> ResponseReturnValue:
        move_item(desk, entity_type_id, item_id)
        return desk.back(card_path(entity_type_id, item_id))


def move_item(desk: Desk, entity_type_id: int, item_id: int) -> None:
    """Bring an item to the stage or into the pipeline the form names."""
    item = desk.portal.crm.item(entity_type_id, item_id)
    fields: JSON = {name: request.form[name] for name in ("stageId", "categoryId") if request.form.get(name)}
    if entity_type_id in desk.portal.crm.types:
        fields.setdefault("categoryId", item["categoryId"])
    if fields:
        desk.call("crm.item.update", entityTypeId=entity_type_id, id=item_id, fields=fields, useOriginalUfNames="Y")


def _created(desk: Desk, entity_type_id: int) -> JSON:
    names = CREATE.get(entity_type_id, CREATE_DYNAMIC).split()
    sent = {name: request.form.get(name, "").strip() for name in [*names, "categoryId"]}
    fields: JSON = {name: whole(text) if name in NUMBERS else text for name, text in sent.items() if text}
    phone = fields.pop("phone", "")
    if phone:
        fields["fm"] = {"n0": {"typeId": "PHONE", "valueType": "MOBILE", "value": phone}}
    if "opportunity" in fields:
        fields["opportunity"] = str(fields["opportunity"]).replace(",", ".").replace(" ", "")
    switched_off = desk.portal.crm.switched_off(entity_type_id)
    known = desk.portal.crm.fields(entity_type_id)
    fields.setdefault("assignedById", desk.who.id)
    return {name: value for name, value in fields.items() if name in known and name not in switched_off}


def _board(desk: Desk, entity_type_id: int) -> ResponseReturnValue:
    crm = desk.portal.crm
    staged = crm.staged(entity_type_id)
    view = request.args.get("view") or ("list" if entity_type_id == LEAD or not staged else "kanban")
    categories = crm.stages.of_type(entity_type_id)
    category = pipeline_of(desk, entity_type_id)
    items = list(_items(desk, entity_type_id, category if categories else None))
    stages = crm.stages.stages(entity_type_id, category) if staged else []
    return desk.page(
        "board.html",
        type_id=entity_type_id,
        name=section_name(desk, entity_type_id),
        path=section_path(entity_type_id),
        view=view,
        asked=request.args.get("q", ""),
        categories=categories,
        category=category,
        stages=stages,
        columns=_columns(desk, entity_type_id, stages, items) if view == "kanban" else [],
        rows=_rows(desk, entity_type_id, items) if view == "list" else [],
        count=len(items),
        create=CREATE.get(entity_type_id, CREATE_DYNAMIC).split(),
        contacts=[(row["id"], person_name(row)) for row in crm.items.get(CONTACT, {}).values()],
        sources=crm.stages.of("SOURCE"),
    )


def _rows(desk: Desk, entity_type_id: int, items: list[Item]) -> list[Tile]:
    open_tasks = _open_tasks(desk)
    return [_tile(desk, entity_type_id, item, open_tasks) for item in items[:LIST_LENGTH]]


def pipeline_of(desk: Desk, entity_type_id: int) -> int:
    """Give the pipeline asked for, else the one the user looked at last, else the one where life is."""
    crm, asked = desk.portal.crm, request.args.get("category", "")
    known = [category.id for category in crm.stages.of_type(entity_type_id)]
    if not known:
        return 0
    place = (desk.who.id, entity_type_id)
    if asked.isdigit() and int(asked) in known:
        desk.looked_at[place] = int(asked)
    if desk.looked_at.get(place) in known:
        return desk.looked_at[place]
    latest = max(crm.items.get(entity_type_id, {}).values(), key=lambda item: item["movedTime"], default=None)
    return whole(latest.get("categoryId") or 0) if latest else max(known)


def _items(desk: Desk, entity_type_id: int, category: int | None) -> Iterable[Item]:
    """Yield the items of a pipeline that match the search, last moved first."""
    asked = request.args.get("q", "").strip().lower()
    rows = sorted(
        desk.portal.crm.items.get(entity_type_id, {}).values(),
        key=lambda item: (item.get("movedTime") or item["createdTime"], item["id"]),
        reverse=True,
    )
    for item in rows:
        fits = category is None or item.get("categoryId") == category
        if fits and (not asked or asked in f"{title_of(item)} {item['id']}".lower()):
            yield item


def _columns(desk: Desk, entity_type_id: int, stages: list[Status], items: list[Item]) -> list[Column]:
    open_tasks = _open_tasks(desk)
    return [_column(desk, entity_type_id, stage, items, open_tasks) for stage in stages]


def _column(desk: Desk, entity_type_id: int, stage: Status, items: list[Item], open_tasks: Counter[str]) -> Column:
    mine = [item for item in items if item.get("stageId") == stage.status_id]
    total = money(sum(item.get("opportunity") or 0 for item in mine)) or "0 ₽"
    tiles = tuple(_tile(desk, entity_type_id, item, open_tasks) for item in mine[:COLUMN_LENGTH])
    return Column(stage, tiles, total, len(mine))


def _open_tasks(desk: Desk) -> Counter[str]:
    """Count the open tasks the user sees by what they are tied to."""
    tasks = desk.portal.tasks
    mine = [task for task in tasks.tasks.values() if task.status != COMPLETED and tasks.sees(task, desk.who.id)]
    return Counter(str(code) for task in mine for code in task.fields["UF_CRM_TASK"] or [])


def _tile(desk: Desk, entity_type_id: int, item: Item, open_tasks: Counter[str]) -> Tile:
    return Tile(
        item["id"],
        title_of(item),
        card_path(entity_type_id, item["id"]),
        client_of(desk, item),
        money(item.get("opportunity"), item.get("currencyId")),
        desk.name(item.get("assignedById") or 0),
        str(item.get("stageId") or ""),
        _ago(desk, item.get("movedTime") or item["createdTime"]),
        open_tasks[f"{desk.portal.crm.short_code(entity_type_id)}_{item['id']}"],
    )


def _ago(desk: Desk, moment: Any) -> str:
    there, today = moment.astimezone(desk.zone), desk.portal.world.now().astimezone(desk.zone).date()
    day: date = there.date()
    return str(there.strftime("%H:%M" if day == today else "%d.%m %H:%M"))


def client_of(desk: Desk, item: Item) -> str:
    """Give the name of an item's contact or company."""
    crm = desk.portal.crm
    contact = crm.items.get(CONTACT, {}).get(item.get("contactId") or 0)
    company = crm.items.get(COMPANY, {}).get(item.get("companyId") or 0)
    return person_name(contact) if contact else str(company["title"]) if company else ""


def tasks_of(desk: Desk, entity_type_id: int, item_id: int) -> list[Any]:
    """Give the tasks tied to an item that the user may see, newest first."""
    code = f"{desk.portal.crm.short_code(entity_type_id)}_{item_id}"
    tasks = desk.portal.tasks
    tied = [task for task in tasks.tasks.values() if code in (task.fields["UF_CRM_TASK"] or [])]
    return [task for task in reversed(tied) if tasks.sees(task, desk.who.id)]


def item_of_code(desk: Desk, code: str) -> tuple[str, str] | None:
    """Give (address, title) of what a task is tied to, such as ``D_12``."""
    prefix, _, number = code.rpartition("_")
    entity_type_id = desk.portal.crm.type_of_code(prefix)
    item = desk.portal.crm.items.get(entity_type_id or 0, {}).get(whole(number))
    if entity_type_id is None or item is None:
        return None
    return card_path(entity_type_id, item["id"]), title_of(item)


def existing(desk: Desk, entity_type_id: int, item_id: int) -> Item:
    """Find an item; raises ``RestError`` with a text for the visitor."""
    item = desk.portal.crm.items.get(entity_type_id, {}).get(item_id)
    if item is None:
        raise RestError("NOT_FOUND", desk.say("Такой карточки нет", "There is no such card"), 404)
    return item
