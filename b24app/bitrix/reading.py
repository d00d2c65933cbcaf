"""From what a robot needs to know to commands, and from their replies to values. Pure.

Past this module there are no dicts of the portal, no ``"Y"``, no strings that are numbers.
Pages: api-reference/crm/universal/crm-item-get.md, api-reference/tasks/, api-reference/calendar/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from b24app.bitrix.commands import Command, positional
from b24app.bitrix.errors import AccessDenied, NotFound, PortalError
from b24app.bitrix.replies import Reply, as_map
from b24app.core.item import (
    COMPANY,
    DEAL,
    TASK_STATUSES,
    Busy,
    ChecklistItem,
    Client,
    Department,
    File,
    Item,
    ItemRef,
    People,
    Product,
    Task,
    User,
    Value,
    parse_time,
)
from b24app.core.needs import (
    Need,
    NeedBusy,
    NeedChecklist,
    NeedClient,
    NeedDealsOfLead,
    NeedItem,
    NeedProducts,
    NeedReaders,
    NeedTask,
)
from b24app.core.worktime import WorkCalendar

TASK_FIELDS = (
    "ID",
    "TITLE",
    "STATUS",
    "RESPONSIBLE_ID",
    "DEADLINE",
    "CLOSED_DATE",
    "CLOSED_BY",
    "CHANGED_DATE",
    "XML_ID",
)


@dataclass(frozen=True, slots=True)
class FieldBook:
    """How fields are called on the portal and of which type they are, and what bookings need to be told apart.

    ``names``: (entity type, pipeline) -> the process file's name -> code. ``types``: (entity type, code) -> type.
    """

    names: Mapping[tuple[int, int], Mapping[str, str]] = field(default_factory=dict)
    types: Mapping[tuple[int, str], str] = field(default_factory=dict)
    booked_stages: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Entity type -> stages on which an order counts as booked, though the application did not book it."""
    booked_before: datetime | None = None
    """Orders that entered their stage before this moment were never claimed here; later ones hold a slot."""
    own_visits: frozenset[int] = frozenset()
    calendar: WorkCalendar = field(default_factory=WorkCalendar)

    def code(self, entity_type_id: int, name: str) -> str | None:
        """Return the portal's code of a field, by the first process that knows it; a code stands for itself."""
        if name.upper().startswith("UF_"):
            return name
        known = (fields for (kind, _), fields in self.names.items() if kind == entity_type_id)
        return next((fields[name] for fields in known if name in fields), None)

    def codes(self, entity_type_id: int, category_id: int) -> Mapping[str, str]:
        """Return how processes call the fields of an item: its pipeline's own, then those of other pipelines.

        User fields belong to all items of a kind, so that a robot placed on a pipeline without a process finds them, too.
        """
        own = self.names.get((entity_type_id, category_id), {})
        others = (fields for (kind, _), fields in self.names.items() if kind == entity_type_id)
        return {**{name: code for fields in others for name, code in fields.items()}, **own}


Replies = Sequence[Reply | PortalError]


@dataclass(frozen=True, slots=True)
class Query:
    """Commands that answer one need, and how to read their replies. Reading raises the `PortalError` it meets."""

    need: Need[Any]
    commands: tuple[Command, ...]
    read: Callable[[Replies], Any]


def query(need: Need[Any], book: FieldBook) -> Query:
    """Say how a need is answered; raises `TypeError` for one that the portal does not answer."""
    match need:
        case NeedItem(ref):
            return Query(need, (get_item(ref),), lambda r: _item(r[0], lambda result: item_of(ref, result, book)))
        case NeedClient(ref):
            return Query(need, (get_item(ref),), lambda r: _or_none(r[0], lambda result: _client(ref, result)))
        case NeedTask(task_id):
            command = Command("tasks.task.get", {"taskId": task_id, "select": list(TASK_FIELDS)})
            return Query(need, (command,), lambda r: _or_none(r[0], _task))
        case NeedChecklist(task_id):
            return Query(need, (checklist(task_id),), lambda r: checklist_of(_result(r[0])))
        case NeedProducts(ref):
            owner = ref.binding.rpartition("_")[0]
            filters = {"=ownerType": owner, "=ownerId": ref.id}
            command = Command("crm.item.productrow.list", {"filter": filters})
            return Query(need, (command,), lambda r: _products(_result(r[0])))
        case NeedDealsOfLead(lead_id):
            command = Command(
                "crm.item.list", {"entityTypeId": DEAL, "select": ["id"], "filter": {"leadId": lead_id}, "start": -1}
            )
            return Query(need, (command,), lambda r: tuple(int(row["id"]) for row in items_in(_result(r[0]))))
        case NeedBusy():
            return _busy_query(need, book)
        case NeedReaders(post_id):
            command = Command("log.blogpost.getusers.important", {"POST_ID": post_id})
            return Query(need, (command,), lambda r: tuple(int(user) for user in _result(r[0]) or ()))
        case _:
            raise TypeError(f"the portal does not answer {need!r}")


def _result(reply: Reply | PortalError) -> Any:
    if isinstance(reply, PortalError):
        raise reply
    return reply.result


def _item(reply: Reply | PortalError, read: Callable[[Any], Item]) -> Item | None:
    """Read an item; None only for one that is gone: one that must not be seen may well be there, and its tasks with it."""
    if isinstance(reply, NotFound):
        return None
    return read(_result(reply))


def _or_none(reply: Reply | PortalError, read: Callable[[Any], Any]) -> Any:
    """Read a thing that may be gone: a missing item is an error, a missing task an empty list."""
    if isinstance(reply, NotFound | AccessDenied):
        return None
    result = _result(reply)
    return read(result) if result else None


# Items ----------------------------------------------------------------------------------------------------------------


def get_item(ref: ItemRef) -> Command:
    params = {"entityTypeId": ref.entity_type_id, "id": ref.id, "useOriginalUfNames": "Y"}
    return Command("crm.item.get", params)


def list_items(refs: Sequence[ItemRef]) -> Command:
    """Ask for up to fifty items of one kind at once; those that are gone or must not be seen are missing in the answer.

    Page: api-reference/crm/universal/crm-item-list.md.
    """
    ids = sorted(ref.id for ref in refs)
    filters, order = {"@id": ids}, {"id": "ASC"}
    params = {"entityTypeId": refs[0].entity_type_id, "select": ["*"], "filter": filters, "order": order, "start": -1}
    return Command("crm.item.list", {**params, "useOriginalUfNames": "Y"})


def items_in(result: Any) -> list[dict[str, Any]]:
    """Return the rows of a ``crm.item.list`` or ``crm.stagehistory.list`` answer."""
    rows = as_map(result).get("items")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def item_of(ref: ItemRef, result: Any, book: FieldBook) -> Item:
    """Read an item; its user fields stand under the portal's codes and under the process file's names."""
    row = as_map(result).get("item", result)
    category = integer(row.get("categoryId")) or 0
    raw = {code: value for code, value in row.items() if code.upper().startswith("UF_")}
    fields = {code: value_of(value, book.types.get((ref.entity_type_id, code), "")) for code, value in raw.items()}
    for name, code in book.codes(ref.entity_type_id, category).items():
        fields[name] = fields.get(code)
    return Item(
        ref=ref,
        title=str(row.get("title") or ""),
        stage_id=str(row.get("stageId") or ""),
        category_id=category,
        responsible_id=integer(row.get("assignedById")) or 0,
        contact_id=integer(row.get("contactId")) or None,
        company_id=integer(row.get("companyId")) or None,
        lead_id=integer(row.get("leadId")) or None,
        amount=amount(row.get("opportunity")),
        currency=str(row.get("currencyId") or ""),
        created_at=moment(row.get("createdTime")),
        moved_at=moment(row.get("movedTime")),
        moved_by=integer(row.get("movedBy")) or None,
        fields=fields,
    )


def value_of(raw: Any, kind: str) -> Value:
    """Read the value of a user field by its type; several values become a tuple."""
    if raw in (None, "", False, [], {}) and kind not in ("boolean", "integer", "double"):
        return () if kind == "file" else None
    if kind == "file":
        return tuple(_files(raw))
    if isinstance(raw, list):
        return tuple(str(part) for part in raw)
    match kind:
        case "date":
            return day(raw)
        case "datetime":
            return moment(raw)
        case "time":
            return parse_time(str(raw))
        case "employee" | "integer" | "user":
            return integer(raw)
        case "double":
            return amount(raw)
        case "boolean":
            return raw in (True, 1, "1", "Y")
        case _:
            return str(raw)


def _files(raw: Any) -> Iterable[File]:
    for one in raw if isinstance(raw, list) else [raw]:
        if isinstance(one, dict):
            if one.get("id"):
                yield File(str(one["id"]), str(one.get("urlMachine") or one.get("url") or ""))
        elif one:
            yield File(str(one))


def _client(ref: ItemRef, result: Any) -> Client:
    row = as_map(result).get("item", result)
    company = ref.entity_type_id == COMPANY
    parts = (row.get("title"),) if company else (row.get("name"), row.get("secondName"), row.get("lastName"))
    name = " ".join(str(part) for part in parts if part)
    return Client(ref.id, name or f"№ {ref.id}", tuple(_phones(row.get("fm"))), company)


def _phones(multifields: Any) -> list[str]:
    """Order phones by use: mobile first, then work, then the rest as entered."""
    rows = list(multifields.values()) if isinstance(multifields, dict) else multifields or []
    phones = [row for row in rows if isinstance(row, dict) and row.get("typeId") == "PHONE" and row.get("value")]
    rank = {"MOBILE": 0, "WORK": 1}
    return [str(row["value"]) for row in sorted(phones, key=lambda row: rank.get(str(row.get("valueType")), 2))]


def _products(result: Any) -> tuple[Product, ...]:
    rows = as_map(result).get("productRows")
    return tuple(
        Product(
            str(row.get("productName") or ""),
            amount(row.get("quantity")),
            str(row.get("measureName") or ""),
            amount(row.get("price")),
        )
        for row in (rows if isinstance(rows, list) else [])
    )


# Tasks ----------------------------------------------------------------------------------------------------------------


def checklist(task_id: int) -> Command:
    return positional("task.checklistitem.getlist", task_id)


def checklist_of(result: Any) -> tuple[ChecklistItem, ...]:
    """Read a checklist without its headings (rows whose parent is 0)."""
    rows = list(result.values()) if isinstance(result, dict) else result or []
    return tuple(
        ChecklistItem(int(row["ID"]), str(row.get("TITLE") or ""), row.get("IS_COMPLETE") == "Y")
        for row in rows
        if str(row.get("PARENT_ID") or "0") != "0"
    )


def _task(result: Any) -> Task | None:
    row = as_map(result).get("task")
    return task_of(row) if isinstance(row, dict) and row.get("id") else None


def task_of(row: Mapping[str, Any]) -> Task:
    """Read a task of ``tasks.task.get`` or ``tasks.task.list``."""
    return Task(
        id=int(row["id"]),
        title=str(row.get("title") or ""),
        status=TASK_STATUSES.get(integer(row.get("status")) or 2, "pending"),
        responsible_id=integer(row.get("responsibleId")) or 0,
        deadline=moment(row.get("deadline")),
        closed_at=moment(row.get("closedDate")),
        closed_by=integer(row.get("closedBy")) or None,
        changed_at=moment(row.get("changedDate")),
        xml_id=str(row.get("xmlId") or ""),
    )


def tasks_in(result: Any) -> list[Task]:
    """Return the tasks of a ``tasks.task.list`` answer."""
    rows = as_map(result).get("tasks")
    rows = list(rows.values()) if isinstance(rows, dict) else rows or []
    return [task_of(row) for row in rows if isinstance(row, dict)]


# People ---------------------------------------------------------------------------------------------------------------


def people_of(users: Iterable[Mapping[str, Any]], departments: Iterable[Mapping[str, Any]]) -> People:
    """Read ``user.get`` and ``department.get`` rows."""
    return People(
        users={user.id: user for user in map(_user, users)},
        departments={department.id: department for department in map(_department, departments)},
    )


def _user(row: Mapping[str, Any]) -> User:
    name = " ".join(str(row.get(part)) for part in ("NAME", "LAST_NAME") if row.get(part))
    raw = row.get("UF_DEPARTMENT") or []
    return User(
        id=int(row["ID"]),
        name=name or str(row.get("EMAIL") or f"№ {row['ID']}"),
        active=row.get("ACTIVE") in (True, "Y", 1, "1"),
        departments=tuple(int(part) for part in (raw if isinstance(raw, list) else [raw])),
        email=str(row.get("EMAIL") or ""),
        phone=str(row.get("PERSONAL_MOBILE") or row.get("WORK_PHONE") or ""),
        position=str(row.get("WORK_POSITION") or ""),
    )


def _department(row: Mapping[str, Any]) -> Department:
    return Department(
        int(row["ID"]), str(row.get("NAME") or ""), integer(row.get("PARENT")) or None, integer(row.get("UF_HEAD")) or None
    )


# Who is busy when -----------------------------------------------------------------------------------------------------


def accessibility(users: Sequence[int], first: date, last: date) -> Command:
    """Ask when users are busy or absent, by the calendar."""
    return Command("calendar.accessibility.get", {"users": list(users), "from": first.isoformat(), "to": last.isoformat()})


def busy_of(result: Any, book: FieldBook) -> list[Busy]:
    """Read ``calendar.accessibility.get``; visits of the application itself are left out, it knows them better."""
    found: list[Busy] = []
    for user, rows in as_map(result).items():
        for row in rows if isinstance(rows, list) else []:
            kind = str(row.get("ACCESSIBILITY") or "busy")
            if kind not in ("free", "quest") and integer(row.get("ID")) not in book.own_visits:
                start, end = _span(row, book.calendar)
                name = str(row.get("NAME") or "")
                found.append(Busy(start, end, "absent" if kind == "absent" else "busy", name, None, int(user)))
    return found


def _span(row: Mapping[str, Any], calendar: WorkCalendar) -> tuple[datetime, datetime]:
    start = datetime.fromtimestamp(integer(row.get("DATE_FROM_TS_UTC")) or 0, UTC)
    end = datetime.fromtimestamp(integer(row.get("DATE_TO_TS_UTC")) or 0, UTC)
    if row.get("DT_SKIP_TIME") == "Y":  # a whole day is written as midnight UTC of the days it covers
        return calendar.at(start.date(), time()), calendar.at(end.date() + timedelta(1), time())
    return start, end


def _busy_query(need: NeedBusy, book: FieldBook) -> Query:
    commands = [accessibility([need.user], need.day, need.day)]
    orders = _orders_command(need, book)
    if orders is not None:
        commands.append(orders)

    def read(replies: Replies) -> tuple[Busy, ...]:
        busy = busy_of(_result(replies[0]), book)
        if orders is not None:
            busy += _booked_orders(need, _result(replies[1]), book)
        return tuple(busy)

    return Query(need, tuple(commands), read)


def _orders_command(need: NeedBusy, book: FieldBook) -> Command | None:
    kind = need.item.entity_type_id
    day_code, user_code = book.code(kind, need.date_field), book.code(kind, need.user_field)
    stages = book.booked_stages.get(kind, ())
    if day_code is None or user_code is None or not stages or book.booked_before is None:
        return None
    time_code = book.code(kind, need.time_field)
    filters = {day_code: need.day.isoformat(), user_code: need.user, "!id": need.item.id, "@stageId": list(stages)}
    select = ["id", "title", "movedTime", *([time_code] if time_code else [])]
    params = {"entityTypeId": kind, "filter": filters, "select": select, "start": -1, "useOriginalUfNames": "Y"}
    return Command("crm.item.list", params)


def _booked_orders(need: NeedBusy, result: Any, book: FieldBook) -> list[Busy]:
    found: list[Busy] = []
    for row in items_in(result):
        moved = moment(row.get("movedTime"))
        if moved is not None and book.booked_before is not None and moved >= book.booked_before:
            continue
        other = ItemRef(need.item.entity_type_id, int(row["id"]))
        start = parse_time(str(row.get(book.code(other.entity_type_id, need.time_field) or "") or ""))
        begins = book.calendar.at(need.day, start or book.calendar.starts)
        ends = begins + timedelta(hours=4) if start else book.calendar.at(need.day, book.calendar.ends)
        found.append(Busy(begins, ends, "visit", str(row.get("title") or ""), other, need.user))
    return found


# Scalars --------------------------------------------------------------------------------------------------------------


def integer(raw: Any) -> int | None:
    """Read a whole number that may come as text; None for anything else."""
    try:
        return int(raw)
    except (TypeError, ValueError):
        return None


def amount(raw: Any) -> Decimal:
    """Read an amount of money or a quantity; zero for anything else."""
    try:
        found = Decimal(str(raw))
    except InvalidOperation:
        return Decimal(0)
    return found if found.is_finite() else Decimal(0)


def moment(raw: Any) -> datetime | None:
    """Read a datetime with offset; None for an empty or naive one."""
    if not isinstance(raw, str) or not raw:
        return None
    try:
        found = datetime.fromisoformat(raw)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def day(raw: Any) -> date | None:
    """Read a date by its written day: the offset of a date-only field says nothing."""
    try:
        return date.fromisoformat(str(raw)[:10])
    except ValueError:
        return None
