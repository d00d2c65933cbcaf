"""crm.item.details.configuration.get and .set (crm/universal/item-details-configuration)."""

from __future__ import annotations

from typing import Any

from sandbox.crm.layouts import COMMON, EVERYBODY, EXTRAS, PERSONAL, SIMPLE_LEAD, Key, checked, dropped
from sandbox.crm.schema import LEAD
from sandbox.errors import RestError
from sandbox.registry import Call, method
from sandbox.wire import whole


def _card(call: Call) -> Key:
    """Tell whose cards are meant: a type of items and its pipeline."""
    kind = whole(call.get("entityTypeId"))
    if not kind:
        raise RestError("", "Parameter 'entityTypeId' is not defined")
    crm = call.portal.crm
    if not crm.known(kind):
        raise RestError("", f"The entity type '{kind}' is not supported in current context.")
    wanted, extras = EXTRAS.get(kind, "categoryId"), call.mapping("extras")
    for name in sorted(extras.keys() - {wanted}):
        call.complain(f"the unknown key {name!r} of extras was ignored")
    if kind == LEAD:
        return kind, whole(extras.get(wanted)) or SIMPLE_LEAD
    if extras.get(wanted) in (None, "") or kind not in {*EXTRAS, *crm.types}:
        return kind, crm.stages.default_category(kind) if crm.staged(kind) else 0
    return kind, whole(extras[wanted])


def _owner(call: Call, *, writing: bool) -> int:
    """Tell whose layout is meant; others' and everybody's are an administrator's to write."""
    scope, me = str(call.get("scope") or PERSONAL), call.caller.user_id
    if scope not in (COMMON, PERSONAL):
        raise RestError("", "Must belong to range specified by scope")
    owner = EVERYBODY if scope == COMMON else whole(call.get("userId")) or me
    mine = owner == me or (scope == COMMON and not writing)
    if not mine and not call.portal.people.is_admin(me):
        raise RestError("", "Access denied.")
    return owner


@method("crm.item.details.configuration.get", "crm", "entityTypeId userId scope extras")
def layout_get(call: Call) -> Any:
    """Read a layout; null where nobody has set one (crm-item-details-configuration-get.md)."""
    return call.portal.crm.layouts.get(_card(call), _owner(call, writing=False))


@method("crm.item.details.configuration.set", "crm", "entityTypeId data userId scope extras")
def layout_set(call: Call) -> Any:
    """Replace a layout as a whole (crm-item-details-configuration-set.md)."""
    card, owner, sections = _card(call), _owner(call, writing=True), checked(call.get("data"))
    for name in dropped(call.get("data")):
        call.complain(f"{name!r} of a section or a field was not kept")
    call.portal.crm.layouts.set(card, sections, owner)
    return True
