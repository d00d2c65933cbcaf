"""Methods about the application itself: info, options, scopes, events, placements (common, events, widgets)."""

from __future__ import annotations

from typing import Any

from sandbox.apps import AppCard, Placement
from sandbox.errors import RestError, access_denied
from sandbox.registry import METHODS, Call, method
from sandbox.wire import JSON, as_map, whole

PLACEMENTS = [
    "DEFAULT",
    "LEFT_MENU",
    "CRM_DEAL_DETAIL_TAB",
    "CRM_LEAD_DETAIL_TAB",
    "CRM_CONTACT_DETAIL_TAB",
    "CRM_COMPANY_DETAIL_TAB",
    "CRM_DEAL_DETAIL_TOOLBAR",
    "CRM_DEAL_DETAIL_ACTIVITY",
    "CRM_DEAL_ACTIVITY_TIMELINE_MENU",
    "CRM_DEAL_LIST_MENU",
    "CRM_DEAL_LIST_TOOLBAR",
    "CRM_DEAL_ROBOT_DESIGNER_TOOLBAR",
    "CRM_ANALYTICS_MENU",
    "TASK_VIEW_TAB",
    "TASK_VIEW_SIDEBAR",
    "TASK_VIEW_TOP_PANEL",
    "TASK_LIST_CONTEXT_MENU",
    "TASK_USER_LIST_TOOLBAR",
    "TASK_GROUP_LIST_TOOLBAR",
    "USER_PROFILE_TOOLBAR",
    "USER_PROFILE_MENU",
    "SONET_GROUP_DETAIL_TAB",
    "PAGE_BACKGROUND_WORKER",
    "REST_APP_URI",
    "CALENDAR_GRIDVIEW",
]


def _app(call: Call) -> AppCard:
    if call.caller.app is None:
        raise access_denied("Application context required")
    return call.caller.app


@method("app.info", app=True)
def app_info(call: Call) -> Any:
    """Describe the application (app-info.md)."""
    app = _app(call)
    licence = str(call.portal.options["license"])
    return {
        "ID": app.number,
        "CODE": app.client_id,
        "VERSION": app.version,
        "STATUS": "L",
        "INSTALLED": app.installed,
        "PAYMENT_EXPIRED": "N",
        "DAYS": None,
        "LANGUAGE_ID": "ru",
        "LICENSE": licence,
        "LICENSE_TYPE": licence.removeprefix("ru_"),
        "LICENSE_FAMILY": "ent",
    }


@method("server.time")
def server_time(call: Call) -> Any:
    """Tell the server's time (server-time.md)."""
    return call.portal.stamp(call.portal.now())


@method("scope", params="full")
def scope(call: Call) -> Any:
    """List the scopes granted (scope.md)."""
    return sorted(call.caller.scopes or [])


@method("methods", params="full scope")
def methods(call: Call) -> Any:
    """List the methods available (methods.md)."""
    return [known.name for known in METHODS.values()]


@method("method.get", params="name")
def method_get(call: Call) -> Any:
    """Tell whether a method exists and is open to the caller (method-get.md)."""
    known = METHODS.get(str(call.need("name")).lower())
    scopes = call.caller.scopes
    is_open = known is not None and (scopes is None or not known.scope or known.scope in scopes)
    return {"isExisting": known is not None, "isAvailable": is_open}


@method("feature.get", params="CODE")
def feature(call: Call) -> Any:
    """Tell whether the plan has a feature (feature-get.md)."""
    code = call.get("CODE")
    if not code:
        raise RestError("CODE_EMPTY", "CODE can't be empty")
    return {"value": call.portal.options["features"].get(str(code), "N")}


@method("app.option.set", params="options", app=True, admin=True)
def app_option_set(call: Call) -> Any:
    """Keep small settings of the app (app-option-set.md)."""
    _app(call).options.update({str(k): v for k, v in call.mapping("options").items()})
    return True


@method("app.option.get", params="option", app=True)
def app_option_get(call: Call) -> Any:
    """Read settings of the app (app-option-get.md)."""
    return _option(_app(call).options, call.get("option"))


@method("user.option.set", params="options", app=True)
def user_option_set(call: Call) -> Any:
    """Keep small settings of a user (user-option-set.md)."""
    own = _app(call).user_options.setdefault(call.caller.user_id, {})
    own.update({str(k): v for k, v in call.mapping("options").items()})
    return True


@method("user.option.get", params="option", app=True)
def user_option_get(call: Call) -> Any:
    """Read settings of a user (user-option-get.md)."""
    return _option(_app(call).user_options.get(call.caller.user_id, {}), call.get("option"))


def _option(kept: JSON, name: Any) -> Any:
    return kept.get(str(name), "") if name else kept or []


@method("events", params="SCOPE FULL")
def events(call: Call) -> Any:
    """List the events that can be bound (events.md)."""
    return call.portal.events.names()


@method("event.bind", params="event handler auth_type event_type auth_connector options", app=True)
def event_bind(call: Call) -> Any:
    """Bind a handler to an event (event-bind.md); a non-admin's is tied to himself."""
    app, admin = _app(call), call.portal.people.is_admin(call.caller.user_id)
    event = str(call.get("event") or "").upper()
    if event not in call.portal.events.names():
        raise RestError("ERROR_EVENT_NOT_FOUND", "Event not found")
    if str(call.get("event_type") or "online") == "offline":
        raise RestError("ERROR_CORE", "Offline events are not a part of this pretend portal")
    auth_type = whole(call.get("auth_type") or 0)
    if auth_type and not admin and auth_type != call.caller.user_id:
        raise access_denied("Event binding with AUTH_TYPE requires administrator access rights")
    handler = str(call.get("handler") or "")
    if not handler.startswith(("http://", "https://")):
        raise RestError("ERROR_UNSUPPORTED_PROTOCOL", "Unsupported event handler protocol")
    if not call.portal.events.bind(app, event, handler, auth_type if admin else call.caller.user_id):
        raise RestError("ERROR_CORE", "Unable to set event handler: Handler already binded")
    return True


@method("event.unbind", params="event handler auth_type event_type", app=True)
def event_unbind(call: Call) -> Any:
    """Unbind a handler (event-unbind.md)."""
    auth_type = call.get("auth_type")
    count = call.portal.events.unbind(
        _app(call),
        str(call.get("event") or "").upper(),
        str(call.get("handler") or ""),
        None if auth_type is None else whole(auth_type),
    )
    return {"count": count}


@method("event.get", app=True)
def event_get(call: Call) -> Any:
    """List the app's bindings (event-get.md)."""
    app = _app(call)
    return [
        {"event": b.event, "handler": b.handler, "auth_type": str(b.auth_type), "offline": 0}
        for b in call.portal.events.bindings
        if b.app is app
    ]


@method("event.test", params="*", app=True)
def event_test(call: Call) -> Any:
    """Send ONAPPTEST with the parameters passed (event-test.md)."""
    for url in call.portal.events.handlers(_app(call), "ONAPPTEST"):
        payload = {"LANGUAGE_ID": "ru", "QUERY": call.params}
        call.portal.events.send_app_event(_app(call), "ONAPPTEST", url, payload)
    return 1


def _placements(call: Call) -> list[str]:
    typed = [f"CRM_DYNAMIC_{n}_{w}" for n in call.portal.crm.types for w in ("DETAIL_TAB", "LIST_MENU", "LIST_TOOLBAR")]
    return [*PLACEMENTS, *typed]


@method(
    "placement.bind",
    "placement",
    "PLACEMENT HANDLER TITLE DESCRIPTION GROUP_NAME LANG_ALL OPTIONS USER_ID",
    app=True,
    admin=True,
)
def placement_bind(call: Call) -> Any:
    """Bind a widget (placement-bind.md); the errors of this method come with status 200."""
    app, code = _app(call), str(call.get("PLACEMENT") or "")
    for name in ("PLACEMENT", "HANDLER"):
        if not call.get(name):
            raise RestError("ERROR_ARGUMENT", f"Argument '{name}' is null or empty", 200, argument=name)
    if code not in _placements(call):
        raise RestError("ERROR_PLACEMENT_NOT_FOUND", "Placement not found")
    handler = str(call.get("HANDLER"))
    if any((p.code, p.handler) == (code, handler) for p in app.placements):
        raise RestError("ERROR_CORE", "Unable to set placement handler: Handler already binded")
    if code in {"PAGE_BACKGROUND_WORKER", "REST_APP_URI"} and any(p.code == code for p in app.placements):
        raise RestError("ERROR_PLACEMENT_MAX_COUNT", "Placement max count", 200)
    lang_all = as_map(call.get("LANG_ALL"))
    first: JSON = next(iter(lang_all.values()), {})
    app.placements.append(
        Placement(
            code,
            handler,
            str(call.get("TITLE") or first.get("TITLE") or app.name),
            str(call.get("DESCRIPTION") or first.get("DESCRIPTION") or ""),
            whole(call.get("USER_ID") or 0),
            as_map(call.get("OPTIONS")),
            lang_all,
        )
    )
    return True


@method("placement.unbind", "placement", "PLACEMENT HANDLER USER_ID", app=True, admin=True)
def placement_unbind(call: Call) -> Any:
    """Unbind widgets; without a handler all of the placement go (placement-unbind.md)."""
    app, code, handler = _app(call), call.get("PLACEMENT"), call.get("HANDLER")
    if not code:
        raise RestError("ERROR_ARGUMENT", "Argument 'PLACEMENT' is null or empty", argument="PLACEMENT")
    gone = [p for p in app.placements if p.code == code and handler in {None, "", p.handler}]
    app.placements = [p for p in app.placements if p not in gone]
    return {"count": len(gone)}


@method("placement.get", "placement", app=True, admin=True)
def placement_get(call: Call) -> Any:
    """List the app's widgets (placement-get.md)."""
    return [
        {
            "placement": p.code,
            "userId": p.user_id,
            "handler": p.handler,
            "options": p.options or [],
            "title": p.title,
            "description": p.description,
            "langAll": p.lang_all or [],
        }
        for p in _app(call).placements
    ]


@method("placement.list", "placement", "SCOPE FULL", app=True)
def placement_list(call: Call) -> Any:
    """List the placements there are (placements.md)."""
    return _placements(call)
