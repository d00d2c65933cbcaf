"""Applications: registering a local one, opening it in a frame, and the library its pages load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Response, jsonify, redirect, request

from sandbox.apps import ALL_SCOPES, AppCard, Placement
from sandbox.errors import RestError, access_denied
from sandbox.page_card import widget_title
from sandbox.page_desk import Desk
from sandbox.page_frame import framed
from sandbox.wire import JSON, decode_form

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

LIBRARY = Path(__file__).with_name("static") / "bx24.js"
MENU_PLACES = ("LEFT_MENU", "CRM_ANALYTICS_MENU")


def register(desk: Desk) -> None:
    """Add these views to the page."""
    _list_views(desk)
    _frame_views(desk)
    _library_views(desk)

    @desk.board.app_template_global("menu_apps")
    def menu_apps() -> list[tuple[str, str]]:
        """Give what applications add to the menu: (address, name)."""
        found = []
        for app in desk.portal.apps.cards:
            if not app.api_only:
                found.append((f"/marketplace/app/{app.number}/", app.name))
            for place, widget in enumerate(app.placements):
                if app.installed and widget.code in MENU_PLACES:
                    found.append((f"/marketplace/app/{app.number}/{place}/", widget_title(desk, widget)))
        return found


def _app(desk: Desk, number: int) -> AppCard:
    app = next((card for card in desk.portal.apps.cards if card.number == number), None)
    if app is None:
        raise RestError("NOT_FOUND", desk.say("Такого приложения нет", "There is no such application"), 404)
    return app


def _list_views(desk: Desk) -> None:
    apps = desk.portal.apps

    @desk.view("/devops/")
    def applications() -> ResponseReturnValue:
        return desk.page("apps.html", cards=apps.cards, scopes=ALL_SCOPES, bindings=_bindings(desk))

    @desk.view("/devops/add", "POST")
    def add_application() -> ResponseReturnValue:
        _only_admins(desk)
        form = request.form
        handler, install = form.get("handler_url", "").strip(), form.get("install_url", "").strip()
        for address in (handler, install):
            if address and not address.startswith(("http://", "https://")):
                raise RestError("ERROR_ARGUMENT", desk.say("Адрес начинается с http://", "An address begins with http://"))
        desk.portal.register_local_app(
            form.get("name", "").strip() or desk.say("Приложение", "Application"),
            handler,
            install,
            form.getlist("scopes"),
            api_only="api_only" in form,
        )
        return redirect("/devops/", 303)

    @desk.view("/devops/<int:number>/<any(update, reinstall, uninstall):action>", "POST")
    def application_action(number: int, action: str) -> ResponseReturnValue:
        _only_admins(desk)
        app = _app(desk, number)
        if action == "uninstall":
            apps.uninstall(app)
        elif action == "update":
            apps.update(app)
        else:
            apps.reinstall(app)
        return redirect("/devops/", 303)


def _bindings(desk: Desk) -> dict[str, JSON]:
    """Give, by application, what it has bound on the portal."""
    return {
        app.client_id: {
            "events": sorted({b.event for b in desk.portal.events.bindings if b.app is app}),
            "placements": [(p.code, widget_title(desk, p)) for p in app.placements],
            "robots": sum(robot.app is app for robot in desk.portal.automation.robots),
        }
        for app in desk.portal.apps.cards
    }


def _only_admins(desk: Desk) -> None:
    if not desk.who.admin:
        raise access_denied(desk.say("Приложения ставит администратор", "Applications are installed by an administrator"))


def _frame_views(desk: Desk) -> None:
    @desk.view("/marketplace/app/<int:number>/")
    def application(number: int) -> ResponseReturnValue:
        return _opened(desk, _app(desk, number), None)

    @desk.view("/marketplace/app/<int:number>/<int:place>/")
    def application_widget(number: int, place: int) -> ResponseReturnValue:
        app = _app(desk, number)
        widgets = app.placements[place : place + 1]
        if not widgets:
            raise RestError("NOT_FOUND", desk.say("Такой страницы нет", "There is no such page"), 404)
        return _opened(desk, app, widgets[0])

    @desk.view("/marketplace/view/<client_id>/")
    def deep_link(client_id: str) -> ResponseReturnValue:
        app = desk.portal.apps.by_client(client_id)
        if app is None:
            raise RestError("NOT_FOUND", desk.say("Такого приложения нет", "There is no such application"), 404)
        widget = next((p for p in app.placements if p.code == "REST_APP_URI"), None)
        return _opened(desk, app, widget)

    @desk.view("/_sandbox/frame/<client_id>/token", "POST")
    def fresh_token(client_id: str) -> ResponseReturnValue:
        """Give a frame another pair of tokens, as the parent window of a real portal does."""
        app = desk.portal.apps.by_client(client_id)
        if app is None:
            raise RestError("NOT_FOUND", "No such application", 404)
        access, refresh = desk.portal.world.tokens.issue(desk.portal, app, desk.who.id)
        return jsonify(access_token=access, refresh_token=refresh, expires_in=3600)


def _opened(desk: Desk, app: AppCard, widget: Placement | None) -> ResponseReturnValue:
    if widget is None and app.api_only:
        raise RestError("NOT_FOUND", desk.say("У приложения нет страниц", "The application has no pages"), 404)
    if not app.installed and not desk.who.admin:
        return desk.page("not_installed.html", app=app)
    asked: dict[str, Any] = decode_form(request.query_string.decode())
    options = asked.get("params")
    frame = framed(desk, app, widget, options if isinstance(options, dict) else asked)
    title = widget_title(desk, widget) if widget else app.name
    return desk.page("app.html", app=app, frame=frame, title=title)


def _library_views(desk: Desk) -> None:
    @desk.view("/api/v1/")
    @desk.view("/api/v1/bx24.js")
    def library() -> ResponseReturnValue:
        """Serve the library that pages of applications load; its talk is documented in sdk/bx24-js-sdk."""
        return Response(LIBRARY.read_text(encoding="utf-8"), mimetype="text/javascript")

    @desk.board.after_app_request
    def open_rest(answer: Response) -> Response:
        """Let scripts of application pages call REST from their own origin, as a portal does."""
        if request.path.startswith("/rest/"):
            answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer
