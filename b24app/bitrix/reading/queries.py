"""Which commands answer a need, and how their replies are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from b24app.bitrix.commands import Command
from b24app.bitrix.errors import AccessDenied, NotFound, PortalError
from b24app.bitrix.reading.busy import busy_commands, busy_times
from b24app.bitrix.reading.fields import FieldBook
from b24app.bitrix.reading.items import client_of, get_item, item_of, items_in, products_of
from b24app.bitrix.reading.tasks import TASK_FIELDS, checklist, checklist_of, task_in
from b24app.bitrix.replies import Reply
from b24app.core.item import DEAL, Item
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
            return Query(need, (get_item(ref),), lambda r: _or_none(r[0], lambda result: client_of(ref, result)))
        case NeedTask(task_id):
            command = Command("tasks.task.get", {"taskId": task_id, "select": list(TASK_FIELDS)})
            return Query(need, (command,), lambda r: _or_none(r[0], task_in))
        case NeedChecklist(task_id):
            return Query(need, (checklist(task_id),), lambda r: checklist_of(_result(r[0])))
        case NeedProducts(ref):
            owner = ref.binding.rpartition("_")[0]
            filters = {"=ownerType": owner, "=ownerId": ref.id}
            command = Command("crm.item.productrow.list", {"filter": filters})
            return Query(need, (command,), lambda r: products_of(_result(r[0])))
        case NeedDealsOfLead(lead_id):
            command = Command(
                "crm.item.list", {"entityTypeId": DEAL, "select": ["id"], "filter": {"leadId": lead_id}, "start": -1}
            )
            return Query(need, (command,), lambda r: tuple(int(row["id"]) for row in items_in(_result(r[0]))))
        case NeedBusy():
            commands = busy_commands(need, book)
            return Query(need, commands, lambda r: busy_times(need, [_result(reply) for reply in r], book))
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
