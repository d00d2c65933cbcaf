"""Notifications, chat messages, news, SMS providers, the disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.events import Outgoing
from sandbox.tokens import CHAIN_LENGTH
from sandbox.wire import JSON

if TYPE_CHECKING:
    from sandbox.apps import AppCard
    from sandbox.portal import Portal


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification as its reader sees it."""

    id: int
    user_id: int
    author: int
    text: str
    tag: str
    sub_tag: str
    at: datetime
    app: str = ""


@dataclass(slots=True, eq=False)
class NewsPost:
    """A post in the news feed."""

    id: int
    author: int
    title: str
    text: str
    dest: list[str]
    important: bool
    at: datetime
    read_by: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class SmsProvider:
    """An app that sends SMS for the portal."""

    app: AppCard
    code: str
    fields: JSON


@dataclass(slots=True, eq=False)
class SmsMessage:
    """An SMS the portal handed to a provider."""

    id: str
    provider: SmsProvider
    to: str
    text: str
    status: str = "queued"


class Messages:
    """What people and providers were told."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self.notifications: list[Notification] = []
        self.chat: list[JSON] = []
        self.posts: dict[int, NewsPost] = {}
        self.providers: list[SmsProvider] = []
        self.sms: list[SmsMessage] = []
        self._last = 0

    def next_id(self) -> int:
        """Give the next number."""
        self._last += 1
        return self._last

    def notify(self, note: Notification) -> Notification:
        """Show a notification; one with the same tag of the same app is replaced."""
        if note.tag:
            same = (note.app, note.tag)
            self.notifications = [n for n in self.notifications if (n.app, n.tag) != same]
        self.notifications.append(note)
        return note

    def of(self, user_id: int) -> list[str]:
        """Give the texts a user sees, oldest first."""
        return [note.text for note in self.notifications if note.user_id == user_id]

    def send_sms(self, code: str, to: str, text: str, document: list[str] | None = None) -> SmsMessage:
        """Let the portal send an SMS through a provider, as its robot or card button does."""
        provider = next(p for p in self.providers if p.code == code)
        message = SmsMessage(self._portal.world.hex(32), provider, to, text)
        self.sms.append(message)

        def body() -> JSON:
            admin = provider.app.installer_id
            return {
                "module_id": "crm",
                "bindings": [{"OWNER_TYPE_ID": 2, "OWNER_ID": (document or ["", "", "_0"])[2].split("_")[-1]}],
                **({"document_id": document} if document else {}),
                "properties": {"phone_number": to, "message_text": text},
                "type": "SMS",
                "code": code,
                "message_id": message.id,
                "message_to": to,
                "message_body": text,
                "ts": int(self._portal.world.now().timestamp()),
                "auth": self._portal.events.auth(provider.app, admin, CHAIN_LENGTH, refresh=False),
            }

        url = str(provider.fields["HANDLER"])
        self._portal.events.put(Outgoing(f"sms {code}", url, self._portal.world.now(), body))
        return message
