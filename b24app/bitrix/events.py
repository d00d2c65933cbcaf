"""Events of a portal as values. Pure.

An event names a thing and what happened to it, never the thing itself: whoever gets it reads the present state.
Pages: api-reference/events/index.md, common/events/, crm/deals/events/, crm/universal/events/, tasks/events-tasks/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from b24app.bitrix.documents import ENTITY_TYPES
from b24app.bitrix.form import Form, FormValue
from b24app.bitrix.sender import BadCallback, Sender, moment, number, text

TEST_EVENT = "ONAPPTEST"
"""What ``event.test`` has the portal send."""
_NAME = re.compile(r"[A-Z][A-Z0-9_]{1,99}\Z")
_CRM = re.compile(r"ONCRM(LEAD|DEAL|CONTACT|COMPANY|QUOTE)(ADD|UPDATE|DELETE|MOVETOCATEGORY)\Z")
_DYNAMIC = re.compile(r"ONCRMDYNAMICITEM(ADD|UPDATE|DELETE)(?:_([0-9]{1,9}))?\Z")
_TASK = re.compile(r"ONTASK(ADD|UPDATE|DELETE)\Z")
_TASK_COMMENT = re.compile(r"ONTASKCOMMENT(ADD|UPDATE|DELETE)\Z")
_PLAIN = re.compile(
    r"ON(CRMTIMELINECOMMENT|CRMACTIVITY|CRMTYPEUSERFIELD|CRMTYPE|BOOKING|CALENDARENTRY|LIVEFEEDPOST|USER)"
    r"(ADD|UPDATE|DELETE|SETENUMVALUES)\Z"
)
_UNDEFINED = "undefined"  # task events really carry this word


class Kind(StrEnum):
    """What an event is about; ``OTHER`` is everything this application gives no meaning to."""

    ITEM = "item"
    TASK = "task"
    TASK_COMMENT = "task_comment"
    TIMELINE_COMMENT = "timeline_comment"
    ACTIVITY = "activity"
    TYPE = "type"
    TYPE_FIELD = "type_field"
    BOOKING = "booking"
    CALENDAR_EVENT = "calendar_event"
    NEWS = "news"
    USER = "user"
    OTHER = "other"


class Change(StrEnum):
    """What happened to it; ``MOVE`` is a change of pipeline, which no update event accompanies."""

    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"
    MOVE = "move"
    OTHER = "other"


_KINDS = {
    "CRMTIMELINECOMMENT": Kind.TIMELINE_COMMENT,
    "CRMACTIVITY": Kind.ACTIVITY,
    "CRMTYPEUSERFIELD": Kind.TYPE_FIELD,
    "CRMTYPE": Kind.TYPE,
    "BOOKING": Kind.BOOKING,
    "CALENDARENTRY": Kind.CALENDAR_EVENT,
    "LIVEFEEDPOST": Kind.NEWS,
    "USER": Kind.USER,
}
_CHANGES = {
    "ADD": Change.ADD,
    "UPDATE": Change.UPDATE,
    "DELETE": Change.DELETE,
    "MOVETOCATEGORY": Change.MOVE,
    "SETENUMVALUES": Change.OTHER,
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something changed on the portal.

    ``element_id`` is the id of the thing ``kind`` names (the item, the task, the comment ...), ``None`` for
    ``OTHER`` and for comments of the new task card, which have no id. ``entity_type_id`` comes with items,
    ``task_id`` with tasks and their comments. ``fields`` are the texts of the event's own map.
    """

    name: str
    kind: Kind
    change: Change
    element_id: int | None
    sender: Sender
    sent_at: datetime | None
    entity_type_id: int | None = None
    task_id: int | None = None
    fields: Mapping[str, str] | None = None
    handler_id: int | None = None


@dataclass(frozen=True, slots=True)
class AppInstalled:
    """``ONAPPINSTALL``; certain only for applications without pages, and late."""

    sender: Sender
    version: str
    active: bool
    installed: bool
    language: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class AppUpdated:
    """``ONAPPUPDATE``: event bindings, placements and robots are gone; the application token may be new."""

    sender: Sender
    version: str
    previous_version: str
    language: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class AppUninstalled:
    """``ONAPPUNINSTALL``: the tokens are dead already; ``clean`` asks to forget the portal's settings too."""

    sender: Sender
    clean: bool
    language: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class AppTest:
    """``ONAPPTEST``: the round trip of ``event.test``, with the parameters it was given."""

    sender: Sender
    query: FormValue
    sent_at: datetime | None


AnyEvent: TypeAlias = Event | AppInstalled | AppUpdated | AppUninstalled | AppTest


def event_of(sender: Sender, form: Form) -> AnyEvent:
    """Interpret a verified event; raise ``BadCallback`` when an id that must be there cannot be read."""
    name = text(form, "event").upper()
    if not _NAME.match(name):
        raise BadCallback("event")
    data = _map(form, "data", "data")
    sent_at = moment(form, "ts")
    if name == TEST_EVENT:
        return AppTest(sender, data.get("QUERY", ""), sent_at)
    if name in ("ONAPPINSTALL", "ONAPPUPDATE", "ONAPPUNINSTALL"):
        return _application_event(name, sender, data, sent_at)
    return _business_event(name, sender, data, sent_at, number(form, "event_handler_id"))


def _application_event(name: str, sender: Sender, data: Form, sent_at: datetime | None) -> AnyEvent:
    language, version = text(data, "LANGUAGE_ID"), text(data, "VERSION")
    if name == "ONAPPUNINSTALL":
        return AppUninstalled(sender, text(data, "CLEAN") in ("1", "Y"), language, sent_at)
    if name == "ONAPPUPDATE":
        return AppUpdated(sender, version, text(data, "PREVIOUS_VERSION"), language, sent_at)
    active, installed = text(data, "ACTIVE") == "Y", text(data, "INSTALLED") == "Y"
    return AppInstalled(sender, version, active, installed, language, sent_at)


def _business_event(name: str, sender: Sender, data: Form, sent_at: datetime | None, handler_id: int | None) -> Event:
    kind, change, element_id, entity_type_id, task_id = _subject(name, data)
    return Event(
        name=name,
        kind=kind,
        change=change,
        element_id=element_id,
        sender=sender,
        sent_at=sent_at,
        entity_type_id=entity_type_id,
        task_id=task_id,
        fields=_texts_of(data),
        handler_id=handler_id,
    )


def _subject(name: str, data: Form) -> tuple[Kind, Change, int | None, int | None, int | None]:
    """Tell kind, change, element id, entity type and task of an event."""
    if found := _CRM.match(name):
        element_id = _required(_map(data, "FIELDS", "data[FIELDS]"), "ID", "data[FIELDS][ID]")
        return Kind.ITEM, _CHANGES[found[2]], element_id, ENTITY_TYPES[found[1]], None
    if found := _DYNAMIC.match(name):
        fields = _map(data, "FIELDS", "data[FIELDS]")
        element_id = _required(fields, "ID", "data[FIELDS][ID]")
        place = "data[FIELDS][ENTITY_TYPE_ID]"
        entity_type_id = int(found[2]) if found[2] else _required(fields, "ENTITY_TYPE_ID", place)
        return Kind.ITEM, _CHANGES[found[1]], element_id, entity_type_id, None
    if found := _TASK.match(name):
        task_id = _required(_task_fields(data), "ID", "data[FIELDS_AFTER][ID]")
        return Kind.TASK, _CHANGES[found[1]], task_id, None, task_id
    if found := _TASK_COMMENT.match(name):
        fields = _task_fields(data)
        comment_id = None if text(fields, "ID") == _UNDEFINED else number(fields, "ID") or None
        task_id = _required(fields, "TASK_ID", "data[FIELDS_AFTER][TASK_ID]")
        return Kind.TASK_COMMENT, _CHANGES[found[1]], comment_id, None, task_id
    if found := _PLAIN.match(name):
        return _KINDS[found[1]], _CHANGES[found[2]], _plain_id(data), None, None
    return Kind.OTHER, Change.OTHER, None, None, None


def _task_fields(data: Form) -> Form:
    """Take the map that has the ids: the one after the change, or before it for a deletion."""
    for key in ("FIELDS_AFTER", "FIELDS_BEFORE"):
        fields = data.get(key)
        if isinstance(fields, dict):
            return fields
        if fields not in (None, "", _UNDEFINED):
            raise BadCallback(f"data[{key}]", "is no map")
    raise BadCallback("data[FIELDS_AFTER]")


def _plain_id(data: Form) -> int:
    """Read an id that stands in ``data`` or in ``data[FIELDS]``, under the names in use."""
    fields = data.get("FIELDS")
    for place, values in (("data", data), ("data[FIELDS]", fields)):
        if isinstance(values, dict):
            for key in ("ID", "id", "POST_ID"):
                found = number(values, key, f"{place}[{key}]")
                if found:
                    return found
    raise BadCallback("data[ID]")


def _texts_of(data: Form) -> dict[str, str]:
    for key in ("FIELDS", "FIELDS_AFTER", "FIELDS_BEFORE"):
        fields = data.get(key)
        if isinstance(fields, dict):
            return {name: value for name, value in fields.items() if isinstance(value, str)}
    return {name: value for name, value in data.items() if isinstance(value, str)}


def _required(values: Form, key: str, place: str) -> int:
    found = number(values, key, place)
    if not found:
        raise BadCallback(place)
    return found


def _map(values: Form, key: str, place: str) -> Form:
    """Read a map; absent or empty text is an empty map."""
    value = values.get(key, "")
    if isinstance(value, dict):
        return value
    if value == "":
        return {}
    raise BadCallback(place, "is no map")
