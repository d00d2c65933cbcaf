"""Applications of a portal: registration, the frame's POST, finishing, updating, removing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sandbox.errors import RestError
from sandbox.wire import JSON

if TYPE_CHECKING:
    from sandbox.portal import Portal

ALL_SCOPES = [
    "crm",
    "task",
    "tasks",
    "bizproc",
    "user",
    "user_basic",
    "department",
    "im",
    "imbot",
    "calendar",
    "placement",
    "log",
    "disk",
    "sonet_group",
    "messageservice",
    "timeman",
    "userfieldconfig",
    "mail",
    "humanresources",
    "booking",
]


@dataclass(slots=True, eq=False)
class Placement:
    """A widget bound by an app."""

    code: str
    handler: str
    title: str = ""
    description: str = ""
    user_id: int = 0
    options: JSON = field(default_factory=dict)
    lang_all: JSON = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class AppCard:
    """A local application's card; ``installed`` turns true when its installation is finished."""

    name: str
    client_id: str
    client_secret: str
    application_token: str
    handler_url: str
    install_url: str
    scopes: list[str]
    api_only: bool
    installed: bool
    number: int
    version: int = 1
    installer_id: int = 0
    placements: list[Placement] = field(default_factory=list)
    options: JSON = field(default_factory=dict)
    user_options: dict[int, JSON] = field(default_factory=dict)


class Apps:
    """The applications of one portal."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self.cards: list[AppCard] = []

    def by_client(self, client_id: str) -> AppCard | None:
        """Find an app by its client id."""
        return next((app for app in self.cards if app.client_id == client_id), None)

    def register(self, name: str, handler_url: str, install_url: str, scopes: list[str], *, api_only: bool) -> AppCard:
        """Save the card of a local application; an API-only one gets ONAPPINSTALL at once.

        See local-integrations/serverside-local-app-with-no-ui.md and installation-callback.md.
        """
        world = self._portal.world
        number = len(self.cards) + 1
        app = AppCard(
            name=name,
            client_id=f"local.{world.hex(14)}.{10000000 + world.random.randrange(80000000)}",
            client_secret=world.hex(50),
            application_token=world.hex(32),
            handler_url=handler_url,
            install_url=install_url,
            scopes=list(scopes) or list(ALL_SCOPES),
            api_only=api_only,
            installed=api_only or not install_url,
            number=number,
            installer_id=self._portal.people.first_admin(),
        )
        self.cards.append(app)
        if api_only and install_url:
            self._portal.events.send_app_event(
                app,
                "ONAPPINSTALL",
                install_url,
                {"VERSION": "1", "ACTIVE": "Y", "INSTALLED": "Y", "LANGUAGE_ID": "ru"},
            )
        return app

    def open_post(
        self, app: AppCard, user_id: int, placement: str, options: Mapping[str, Any], handler: str = ""
    ) -> tuple[str, dict[str, str]]:
        """Give the address and the form of the POST that opens a page in a frame.

        Raises ``RestError`` when the app is not finished and the user is no administrator, when the widget
        is not bound or still hidden. See settings/oauth/simple-way.md.
        """
        portal = self._portal
        address = self._page(app, user_id, placement, handler)
        access, refresh = portal.world.tokens.issue(portal, app, user_id)
        query = {
            "DOMAIN": portal.domain,
            "PROTOCOL": "0",
            "LANG": portal.people.language(user_id),
            "APP_SID": portal.world.hex(32),
        }
        url = address + ("&" if "?" in address else "?") + urlencode(query)
        form = {
            "AUTH_ID": access,
            "AUTH_EXPIRES": "3600",
            "REFRESH_ID": refresh,
            "SERVER_ENDPOINT": portal.world.server_endpoint,
            "APPLICATION_TOKEN": app.application_token,
            "APPLICATION_SCOPE": ",".join(app.scopes),
            "member_id": portal.member_id,
            "status": "L",
            "PLACEMENT": placement,
        }
        if options or placement != "DEFAULT":
            form["PLACEMENT_OPTIONS"] = json.dumps(dict(options), ensure_ascii=False)
        return url, form

    def _page(self, app: AppCard, user_id: int, placement: str, handler: str) -> str:
        if placement == "DEFAULT":
            if app.installed:
                return app.handler_url
            if not self._portal.people.is_admin(user_id):
                raise RestError("NOT_INSTALLED", "The application is not installed completely", 403)
            return app.install_url
        bound = [p for p in app.placements if p.code == placement and handler in {"", p.handler}]
        if not bound or not app.installed:
            raise RestError("NOT_FOUND", f"No widget is shown at {placement}", 404)
        return bound[0].handler

    def finish(self, app: AppCard) -> None:
        """Do what ``BX24.installFinish`` does; an API-only app has nothing to finish."""
        if app.api_only:
            raise RestError("ERROR_CORE", "The application uses the API only")
        app.installed = True

    def update(self, app: AppCard, *, new_token: bool = True) -> None:
        """Save the card anew: bindings, widgets and robots go, ONAPPUPDATE tells it.

        The token may change; see api-reference/common/events/on-app-update.md.
        """
        portal = self._portal
        urls = portal.events.handlers(app, "ONAPPUPDATE") or ([app.install_url] if app.api_only else [])
        previous, app.version = app.version, app.version + 1
        if new_token:
            app.application_token = portal.world.hex(32)
        self._drop_traces(app)
        for url in urls:
            payload = {"VERSION": str(app.version), "PREVIOUS_VERSION": str(previous), "LANGUAGE_ID": "ru"}
            portal.events.send_app_event(app, "ONAPPUPDATE", url, payload)
        if not app.api_only and app.install_url:
            app.installed = False

    def reinstall(self, app: AppCard) -> None:
        """Begin the installation anew: what the app had bound goes, its first page is shown again."""
        if app.api_only or not app.install_url:
            raise RestError("ERROR_CORE", "The application has no installation page")
        self._drop_traces(app)
        app.installed = False

    def uninstall(self, app: AppCard, *, clean: bool = False) -> None:
        """Remove an app; its tokens die before ONAPPUNINSTALL arrives."""
        portal = self._portal
        urls = portal.events.handlers(app, "ONAPPUNINSTALL")
        for url in urls:
            payload = {"LANGUAGE_ID": "ru", "CLEAN": "1" if clean else "0"}
            portal.events.send_app_event(app, "ONAPPUNINSTALL", url, payload)
        self._drop_traces(app)
        self.cards.remove(app)
        portal.world.tokens.forget(app)

    def _drop_traces(self, app: AppCard) -> None:
        app.placements.clear()
        self._portal.events.unbind_app(app)
        self._portal.automation.forget_app(app)
