"""Event bindings and the queue that delivers events and robot calls, once each and without promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import requests

from sandbox.registry import Caller
from sandbox.tokens import CHAIN_LENGTH
from sandbox.wire import JSON, encode_form

if TYPE_CHECKING:
    from sandbox.apps import AppCard
    from sandbox.portal import Portal

TASK_EVENTS = ("ONTASKADD", "ONTASKUPDATE", "ONTASKDELETE", "ONTASKCOMMENTADD")
APP_EVENTS = ("ONAPPINSTALL", "ONAPPUPDATE", "ONAPPUNINSTALL", "ONAPPTEST", "ONAPPMETHODCONFIRM")
CRM_EVENTS = tuple(
    f"ONCRM{thing}{what}"
    for thing in ("LEAD", "DEAL", "CONTACT", "COMPANY", "DYNAMICITEM", "TIMELINECOMMENT", "ACTIVITY", "TYPE")
    for what in ("ADD", "UPDATE", "DELETE")
)
USER_FIELD_EVENTS = ("ONCRMTYPEUSERFIELDADD", "ONCRMTYPEUSERFIELDUPDATE", "ONCRMTYPEUSERFIELDDELETE")
KNOWN = (
    *CRM_EVENTS,
    "ONCRMDEALMOVETOCATEGORY",
    *USER_FIELD_EVENTS,
    *TASK_EVENTS,
    *APP_EVENTS,
    "ONCALENDARENTRYADD",
    "ONCALENDARENTRYUPDATE",
    "ONCALENDARENTRYDELETE",
    "ONLIVEFEEDPOSTADD",
    "ONUSERADD",
    "ONOFFLINEEVENT",
)
WITH_REFRESH = {"ONAPPINSTALL", "ONAPPUPDATE", "ONAPPTEST"}


@dataclass(slots=True, eq=False)
class Binding:
    """An event handler of an app."""

    number: int
    app: AppCard
    event: str
    handler: str
    auth_type: int = 0


@dataclass(slots=True, eq=False)
class Outgoing:
    """A call waiting in the queue; its body is written when it is sent."""

    name: str
    url: str
    due: datetime
    body: Callable[[], JSON]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one call: the handler's status, or the error when nobody answered."""

    name: str
    url: str
    at: datetime
    status: int | None
    error: str = ""


class Events:
    """The bindings and the queue of one portal (api-reference/events/index.md)."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._last = 0
        self.bindings: list[Binding] = []
        self.queue: list[Outgoing] = []
        self.deliveries: list[Delivered] = []

    def names(self) -> list[str]:
        """Give all event names the portal knows, those of its smart processes included."""
        typed = [
            f"ONCRMDYNAMICITEM{what}_{type_id}" for type_id in self._portal.crm.types for what in ("ADD", "UPDATE", "DELETE")
        ]
        return [*KNOWN, *typed]

    def bind(self, app: AppCard, event: str, handler: str, auth_type: int) -> bool:
        """Bind a handler; False when the very same one is bound already."""
        same = (event, handler, auth_type)
        if any((b.event, b.handler, b.auth_type) == same for b in self.bindings if b.app is app):
            return False
        self._last += 1
        self.bindings.append(Binding(self._last, app, event, handler, auth_type))
        return True

    def unbind(self, app: AppCard, event: str, handler: str, auth_type: int | None) -> int:
        """Remove bindings and give how many went."""
        gone = [
            b
            for b in self.bindings
            if b.app is app and b.event == event and b.handler == handler and auth_type in {None, b.auth_type}
        ]
        self.bindings = [b for b in self.bindings if b not in gone]
        return len(gone)

    def unbind_app(self, app: AppCard) -> None:
        """Remove all bindings of an app."""
        self.bindings = [b for b in self.bindings if b.app is not app]

    def unbind_suffix(self, suffix: str) -> None:
        """Remove the bindings of a smart process that is gone."""
        self.bindings = [b for b in self.bindings if not b.event.endswith(suffix)]

    def handlers(self, app: AppCard, event: str) -> list[str]:
        """Give the addresses an app bound to an event."""
        return [b.handler for b in self.bindings if b.app is app and b.event == event]

    def emit(self, event: str, payload: JSON, caller: Caller) -> None:
        """Queue an event for every bound, installed app; faults may lose or double it."""
        hops = CHAIN_LENGTH if caller.hops is None else caller.hops - 1
        if hops <= 0:
            return
        for binding in self.bindings:
            if binding.event == event and binding.app.installed:
                self._spoil(self._event(binding, event, payload, caller.user_id, hops))

    def _spoil(self, call: Outgoing) -> None:
        faults, chance = self._portal.faults, self._portal.world.random
        if faults.drop_events and chance.random() < faults.drop_events:
            return
        self.put(call)
        if faults.duplicate_events and chance.random() < faults.duplicate_events:
            self.put(call)

    def _event(self, binding: Binding, event: str, payload: JSON, actor: int, hops: int) -> Outgoing:
        app = binding.app
        user_id = binding.auth_type or actor

        def body() -> JSON:
            numbered = binding.number and not (self._sparing and event in TASK_EVENTS)
            return {
                "event": event,
                **({"event_handler_id": str(binding.number)} if numbered else {}),
                "data": payload,
                "ts": int(self._portal.world.now().timestamp()),
                "auth": self.auth(app, user_id if actor else 0, hops, refresh=event in WITH_REFRESH),
            }

        return Outgoing(event, binding.handler, self._portal.world.now(), body)

    def send_app_event(self, app: AppCard, event: str, url: str, payload: JSON) -> None:
        """Queue an application event; the one about removal carries no tokens."""
        user_id = 0 if event == "ONAPPUNINSTALL" else app.installer_id
        binding = Binding(0, app, event, url)
        self.put(self._event(binding, event, payload, user_id, CHAIN_LENGTH))

    def auth(self, app: AppCard, user_id: int, hops: int | None, *, refresh: bool) -> JSON:
        """Write the ``auth`` block; without a user it has no tokens (_includes/auth-params-in-events.md)."""
        portal = self._portal
        block: JSON = {
            "domain": portal.domain,
            "client_endpoint": portal.client_endpoint,
            "server_endpoint": portal.world.server_endpoint,
            "member_id": portal.member_id,
            "application_token": app.application_token,
        }
        if user_id and portal.people.active(user_id):
            access, fresh = portal.world.tokens.issue(portal, app, user_id, hops=hops)
            block = {
                "access_token": access,
                "expires_in": 3600,
                "scope": ",".join(app.scopes),
                "status": "L",
                **({} if self._sparing else self._generous(user_id)),
                **({"refresh_token": fresh} if refresh else {}),
                **block,
            }
        return block

    @property
    def _sparing(self) -> bool:
        return bool(self._portal.options["dialect"] == "sparing")

    def _generous(self, user_id: int) -> JSON:
        """Give what the official SDK expects and the documentation does not show."""
        return {"expires": int(self._portal.world.now().timestamp()) + 3600, "user_id": user_id}

    def tell_comment(self, what: str, number: int, caller: Caller) -> None:
        """Queue a timeline comment's event; where its number stands depends on the dialect."""
        payload = {"ID": number} if self._sparing else {"FIELDS": {"ID": number}}
        self.emit(f"ONCRMTIMELINECOMMENT{what}", payload, caller)

    def put(self, call: Outgoing) -> None:
        """Queue a call, as late as the delay fault wants it."""
        late = timedelta(seconds=self._portal.faults.delay_seconds)
        self.queue.append(Outgoing(call.name, call.url, call.due + late, call.body))

    def deliver(self, limit: int | None = None) -> int:
        """Send what is due now, one attempt each, and give how many calls were made."""
        sent = 0
        while limit is None or sent < limit:
            with self._portal.world.lock:
                call = self._take()
                body = encode_form(call.body()) if call else ""
            if call is None:
                return sent
            outcome = self._send(call, body)
            with self._portal.world.lock:
                self.deliveries.append(outcome)
            sent += 1
        return sent

    def _take(self) -> Outgoing | None:
        now = self._portal.world.now()
        due = [call for call in self.queue if call.due <= now]
        if not due:
            return None
        call = self._portal.world.random.choice(due) if self._portal.faults.reorder_events else due[0]
        self.queue.remove(call)
        return call

    def _send(self, call: Outgoing, body: str) -> Delivered:
        status: int | None = None
        error = ""
        try:
            status = self._portal.world.transport(call.url, body)
        except (requests.RequestException, OSError) as trouble:
            error = type(trouble).__name__
        return Delivered(call.name, call.url, self._portal.world.now(), status, error)

    def rows(self) -> list[dict[str, Any]]:
        """Give the deliveries as plain values for the control page."""
        return [
            {"name": d.name, "url": d.url, "at": d.at.isoformat(), "status": d.status, "error": d.error}
            for d in self.deliveries
        ]
