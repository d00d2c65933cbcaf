"""What a portal calls the application with, as values. Pure: bytes in, values out, ``BadCallback`` otherwise.

The order of trust: ``peek`` reads the sender and nothing else; the caller compares ``application_token`` and
``member_id`` with what it stored; only then ``event_of``, ``robot_call_of`` or ``sms_request_of`` interpret the
rest. ``event``, ``robot_call`` and ``sms_request`` do both steps for tests and tools.

Pages: api-reference/events/index.md, bizproc/bizproc-robot/bizproc-robot-add.md, settings/oauth/simple-way.md,
messageservice/messageservice-sender-add.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from b24app.bitrix.documents import Document, document_of, entity_type_of_placement, texts
from b24app.bitrix.events import (
    AnyEvent,
    AppInstalled,
    AppTest,
    AppUninstalled,
    AppUpdated,
    Event,
    event_of,
)
from b24app.bitrix.form import DEFAULT, BadForm, Form, Limits, decode, decode_query
from b24app.bitrix.sender import BadCallback, Sender, moment, number, opener_of, sender_of, text

__all__ = [
    "AnyEvent",
    "AppInstalled",
    "AppTest",
    "AppUninstalled",
    "AppUpdated",
    "BadCallback",
    "Event",
    "PageOpened",
    "RobotCall",
    "Sender",
    "SmsRequest",
    "event",
    "event_of",
    "page",
    "peek",
    "robot_call",
    "robot_call_of",
    "sms_request",
    "sms_request_of",
]

_FLAGS = {"Y": True, "N": False, "": None}


@dataclass(frozen=True, slots=True)
class RobotCall:
    """A robot placed on a stage was reached; ``event_token`` is unique per execution and answers it.

    Property values are texts, or lists of texts for ``Multiple``; dates are in the portal's format and the
    server's zone, users are ``user_5``. ``use_subscription`` is ``None`` when the portal left it open;
    ``timeout`` is in seconds, 0 means the robot waits without end.
    """

    code: str
    document: Document
    workflow_id: str
    event_token: str = field(repr=False)
    properties: Mapping[str, str | list[str]]
    use_subscription: bool | None
    timeout: int
    sent_at: datetime | None
    sender: Sender

    @property
    def document_id(self) -> tuple[str, str, str]:
        """The portal's triple for the item."""
        return self.document.document_id

    @property
    def entity_type_id(self) -> int:
        """The type of the item: 2 for deals."""
        return self.document.entity_type_id

    @property
    def item_id(self) -> int:
        """The id of the item inside its type."""
        return self.document.item_id


@dataclass(frozen=True, slots=True)
class PageOpened:
    """Somebody opened the application or one of its widgets; the post alone proves nothing about who."""

    placement: str
    options: Mapping[str, Any]
    language: str
    app_sid: str
    sender: Sender

    @property
    def item(self) -> tuple[int, int] | None:
        """The CRM item whose card or list row this is, as entityTypeId and id."""
        entity_type_id = entity_type_of_placement(self.placement)
        item_id = _option_id(self.options, "ID")
        return (entity_type_id, item_id) if entity_type_id is not None and item_id else None

    @property
    def task_id(self) -> int | None:
        """The task whose card this is."""
        return _option_id(self.options, "taskId") if self.placement.startswith("TASK_VIEW_") else None


@dataclass(frozen=True, slots=True)
class SmsRequest:
    """The portal asks this application, as a message provider, to send a text; personal data stay out of repr."""

    code: str
    message_id: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    module: str
    bindings: tuple[Mapping[str, str], ...]
    document: Document | None
    sent_at: datetime | None
    sender: Sender


def peek(body: bytes, *, limits: Limits = DEFAULT) -> tuple[Sender, Form]:
    """Decode a callback and read only who sent it, so that it can be verified first."""
    form = _decoded(body, limits)
    return sender_of(form), form


def event(body: bytes) -> AnyEvent:
    """Read the callback of an event handler."""
    return event_of(*peek(body))


def robot_call(code: str, body: bytes) -> RobotCall:
    """Read the callback of the robot registered under ``code``."""
    return robot_call_of(code, *peek(body))


def sms_request(body: bytes) -> SmsRequest:
    """Read the callback of a message provider."""
    return sms_request_of(*peek(body))


def robot_call_of(code: str, sender: Sender, form: Form) -> RobotCall:
    """Interpret a verified robot call; the code in the body, if any, must be the one of the address."""
    if text(form, "code") not in ("", code):
        raise BadCallback("code", "is another robot's")
    token = text(form, "event_token")
    if not token:
        raise BadCallback("event_token")
    flag = text(form, "use_subscription")
    if flag not in _FLAGS:
        raise BadCallback("use_subscription")
    return RobotCall(
        code=code,
        document=document_of(form),
        workflow_id=text(form, "workflow_id"),
        event_token=token,
        properties=_properties(form),
        use_subscription=_FLAGS[flag],
        timeout=number(form, "timeout_duration") or 0,
        sent_at=moment(form, "ts"),
        sender=sender,
    )


def page(query: str | bytes, body: bytes) -> PageOpened:
    """Read the POST that opens the main page or a widget; ``DOMAIN`` and the like come in the query."""
    try:
        asked = decode_query(query)
    except BadForm as bad:
        raise BadCallback(f"query {bad.place}", bad.reason) from None
    form = _decoded(body, DEFAULT)
    return PageOpened(
        placement=text(form, "PLACEMENT") or "DEFAULT",
        options=_options(text(form, "PLACEMENT_OPTIONS")),
        language=text(asked, "LANG"),
        app_sid=text(asked, "APP_SID"),
        sender=opener_of(asked, form),
    )


def sms_request_of(sender: Sender, form: Form) -> SmsRequest:
    """Interpret a verified request to send a message."""
    code, message_id, to = text(form, "code"), text(form, "message_id"), text(form, "message_to")
    for place, value in (("code", code), ("message_id", message_id), ("message_to", to)):
        if not value:
            raise BadCallback(place)
    return SmsRequest(
        code=code,
        message_id=message_id,
        to=to,
        text=text(form, "message_body"),
        module=text(form, "module_id"),
        bindings=_bindings(form),
        document=document_of(form) if form.get("document_id") else None,
        sent_at=moment(form, "ts"),
        sender=sender,
    )


def _decoded(body: bytes, limits: Limits) -> Form:
    try:
        return decode(body, limits=limits)
    except BadForm as bad:
        raise BadCallback(bad.place, bad.reason) from None


def _properties(form: Form) -> dict[str, str | list[str]]:
    values = form.get("properties", "")
    if values == "":
        return {}
    if isinstance(values, str):
        raise BadCallback("properties", "is no map")
    return {name: value if isinstance(value, str) else texts(value, f"properties[{name}]") for name, value in values.items()}


def _options(value: str) -> dict[str, Any]:
    """Read ``PLACEMENT_OPTIONS``: a JSON text, where an empty map may be ``[]``, ``null`` or nothing."""
    if not value:
        return {}
    try:
        options = json.loads(value)
    except (ValueError, RecursionError):
        raise BadCallback("PLACEMENT_OPTIONS", "is no JSON") from None
    if not options:
        return {}
    if not isinstance(options, dict):
        raise BadCallback("PLACEMENT_OPTIONS", "is no map")
    return options


def _option_id(options: Mapping[str, Any], key: str) -> int | None:
    value = str(options.get(key, ""))
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def _bindings(form: Form) -> tuple[Mapping[str, str], ...]:
    values = form.get("bindings", "")
    if isinstance(values, str):
        return ()
    rows: list[Mapping[str, str]] = []
    for row in values.values():
        if not isinstance(row, dict):
            raise BadCallback("bindings", "holds no maps")
        rows.append({key: text(row, key, "bindings") for key in row})
    return tuple(rows)
