"""userfieldconfig.* and crm.deal.userfield.* (crm/universal/userfieldconfig, crm/deals/user-defined-fields)."""

from __future__ import annotations

from typing import Any

from sandbox.crm.userfields import TYPES, UserField
from sandbox.errors import RestError
from sandbox.registry import Call, Page, method
from sandbox.wire import JSON, as_map, whole, yes

CONFIG = {
    "entityId",
    "fieldName",
    "userTypeId",
    "xmlId",
    "sort",
    "multiple",
    "mandatory",
    "showFilter",
    "editInList",
    "isSearchable",
    "settings",
    "editFormLabel",
    "helpMessage",
    "enum",
}


def _module(call: Call) -> None:
    if call.need("moduleId") != "crm":
        raise RestError("", "No settings for UserFieldAccess")
    scopes = call.caller.scopes
    if scopes is not None and not scopes & {"crm", "*"}:
        raise RestError("", "The current method required more scopes. (crm)")


def _admin(call: Call, text: str) -> None:
    if not call.portal.people.is_admin(call.caller.user_id):
        raise RestError("", text)


def write_config(uf: UserField, *, options: bool = True) -> JSON:
    """Write a field as userfieldconfig does."""
    label = uf.label if isinstance(uf.label, dict) else {"ru": uf.label or None, "en": None}
    row: JSON = {
        "id": str(uf.id),
        "entityId": uf.entity_id,
        "fieldName": uf.name,
        "userTypeId": uf.type,
        "xmlId": uf.xml_id,
        "sort": str(uf.sort),
        "multiple": "Y" if uf.multiple else "N",
        "mandatory": "Y" if uf.mandatory else "N",
        "showFilter": uf.show_filter,
        "showInList": "Y",
        "editInList": "Y",
        "isSearchable": "N",
        "settings": uf.settings or [],
        "languageId": {"en": "en", "ru": "ru"},
        "editFormLabel": label,
        "listColumnLabel": {"en": None, "ru": None},
        "listFilterLabel": {"en": None, "ru": None},
        "errorMessage": {"en": None, "ru": None},
        "helpMessage": {"en": None, "ru": None},
    }
    if options and uf.type == "enumeration":
        row["enum"] = [
            {
                "id": str(option.id),
                "userFieldId": str(uf.id),
                "value": option.value,
                "def": "Y" if option.default else "N",
                "sort": str(option.sort),
                "xmlId": option.xml_id,
            }
            for option in uf.options
        ]
    return row


def _check_entity(call: Call, entity_id: str, name: str) -> None:
    crm = call.portal.crm
    known = {crm.uf_entity(number) for number in (1, 2, 3, 4, *crm.types)}
    if entity_id not in known:
        raise RestError("", "Вы не можете создавать пользовательские поля")
    number = entity_id.removeprefix("CRM_")
    prefix = f"UF_CRM_{number}_" if number.isdigit() else "UF_CRM_"
    if not name.startswith(prefix):
        raise RestError("", f"The field name {name} has to begin with {prefix}")


@method("userfieldconfig.add", "userfieldconfig", "moduleId field")
def config_add(call: Call) -> Any:
    """Define a field of any CRM object (userfieldconfig-add.md)."""
    _module(call)
    field = as_map(call.need("field"))
    _admin(call, "Вы не можете создавать пользовательские поля")
    for name, upper in (("userTypeId", "USER_TYPE_ID"), ("fieldName", "FIELD_NAME")):
        if not field.get(name):
            raise RestError("", f"The '{upper}' field is not found")
    for name in sorted(set(field) - CONFIG):
        call.complain(f"the unknown field {name!r} was ignored")
    entity_id, name = str(field.get("entityId")), str(field["fieldName"])
    _check_entity(call, entity_id, name)
    created = call.portal.crm.user_fields.add(
        entity_id,
        name,
        str(field["userTypeId"]),
        multiple=yes(field.get("multiple", "N")),
        mandatory=yes(field.get("mandatory", "N")),
        label=field.get("editFormLabel", ""),
        sort=whole(field.get("sort") or 100),
        xml_id=field.get("xmlId"),
        show_filter=str(field.get("showFilter", "N")),
        settings=as_map(field.get("settings")),
        options=field.get("enum"),
    )
    _tell(call, "ADD", created)
    return {"field": write_config(created)}


def _tell(call: Call, what: str, uf: UserField) -> None:
    if uf.entity_id.removeprefix("CRM_").isdigit():
        payload = {"FIELDS": {"ID": uf.id, "ENTITY_ID": uf.entity_id, "FIELD_NAME": uf.name}}
        call.portal.events.emit(f"ONCRMTYPEUSERFIELD{what}", payload, call.caller)


def _config(call: Call) -> UserField:
    found = call.portal.crm.user_fields.fields.get(call.whole("id"))
    if found is None:
        raise RestError("", "Вы не можете просматривать настройки пользовательских полей")
    return found


@method("userfieldconfig.update", "userfieldconfig", "moduleId id field")
def config_update(call: Call) -> Any:
    """Change a field (userfieldconfig-update.md)."""
    _module(call)
    _admin(call, "Вы не можете изменить настройки пользовательского поля")
    uf, field = _config(call), as_map(call.need("field"))
    uf.mandatory = yes(field.get("mandatory", uf.mandatory))
    uf.label = field.get("editFormLabel", uf.label)
    uf.sort = whole(field.get("sort", uf.sort))
    uf.xml_id = field.get("xmlId", uf.xml_id)
    uf.settings = as_map(field.get("settings")) or uf.settings
    call.portal.crm.user_fields.set_options(uf, field.get("enum"))
    _tell(call, "UPDATE", uf)
    return {"field": write_config(uf)}


@method("userfieldconfig.get", "userfieldconfig", "moduleId id")
def config_get(call: Call) -> Any:
    """Read a field (userfieldconfig-get.md)."""
    _module(call)
    return {"field": write_config(_config(call))}


@method("userfieldconfig.list", "userfieldconfig", "moduleId select order filter start")
def config_list(call: Call) -> Page:
    """List fields, without their options (userfieldconfig-list.md)."""
    _module(call)
    rows = [write_config(uf, options=False) for uf in call.portal.crm.user_fields.fields.values()]
    for key, wanted in as_map(call.get("filter")).items():
        if rows and key not in rows[0]:
            call.complain(f"unknown filter field {key!r} was ignored")
        else:
            rows = [row for row in rows if str(row[key]) == str(wanted)]
    return call.page(rows, "fields")


@method("userfieldconfig.delete", "userfieldconfig", "moduleId id")
def config_delete(call: Call) -> Any:
    """Delete a field (userfieldconfig-delete.md)."""
    _module(call)
    _admin(call, "Вы не можете удалить пользовательское поле")
    uf = _config(call)
    del call.portal.crm.user_fields.fields[uf.id]
    _tell(call, "DELETE", uf)


@method("userfieldconfig.getTypes", "userfieldconfig", "moduleId")
def config_types(call: Call) -> Any:
    """List the types of fields (userfieldconfig-get-types.md)."""
    _module(call)
    return {"types": {kind: {"userTypeId": kind, "description": kind} for kind in TYPES}}


def write_legacy(uf: UserField) -> JSON:
    """Write a field as crm.deal.userfield does."""
    row: JSON = {
        "ID": str(uf.id),
        "ENTITY_ID": uf.entity_id,
        "FIELD_NAME": uf.name,
        "USER_TYPE_ID": uf.type,
        "XML_ID": uf.xml_id,
        "SORT": str(uf.sort),
        "MULTIPLE": "Y" if uf.multiple else "N",
        "MANDATORY": "Y" if uf.mandatory else "N",
        "SHOW_FILTER": uf.show_filter,
        "SHOW_IN_LIST": "Y",
        "EDIT_IN_LIST": "Y",
        "IS_SEARCHABLE": "N",
        "SETTINGS": uf.settings or [],
    }
    if uf.type == "enumeration":
        row["LIST"] = [
            {
                "ID": str(o.id),
                "VALUE": o.value,
                "SORT": str(o.sort),
                "DEF": "Y" if o.default else "N",
                "XML_ID": o.xml_id,
            }
            for o in uf.options
        ]
    return row


@method("crm.deal.userfield.add", "crm", "fields")
def deal_field_add(call: Call) -> Any:
    """Define a field of deals; the prefix UF_CRM_ is put before its name (crm-deal-userfield-add.md)."""
    fields = as_map(call.get("fields"))
    _admin(call, "Access denied.")
    if not fields.get("USER_TYPE_ID") or not fields.get("FIELD_NAME"):
        raise RestError("", "The 'USER_TYPE_ID' or 'FIELD_NAME' field is not found")
    given = str(fields["FIELD_NAME"]).upper()
    name = given if given.startswith("UF_CRM_") else f"UF_CRM_{given}"
    if len(name) > 50:
        raise RestError("", "Fail to create new user field. The name is longer than 50 characters.")
    label = fields.get("EDIT_FORM_LABEL") or fields.get("LABEL", "")
    created = call.portal.crm.user_fields.add(
        "CRM_DEAL",
        name,
        str(fields["USER_TYPE_ID"]),
        multiple=yes(fields.get("MULTIPLE", "N")),
        mandatory=yes(fields.get("MANDATORY", "N")),
        label=label,
        sort=whole(fields.get("SORT") or 100),
        xml_id=fields.get("XML_ID"),
        show_filter=str(fields.get("SHOW_FILTER", "N")),
        settings=as_map(fields.get("SETTINGS")),
        options=fields.get("LIST"),
    )
    return created.id


def _deal_field(call: Call) -> UserField:
    found = call.portal.crm.user_fields.fields.get(whole(call.get("id")))
    if found is None or found.entity_id != "CRM_DEAL":
        raise RestError("ERROR_NOT_FOUND", f"The entity with ID '{call.get('id')}' is not found.")
    return found


@method("crm.deal.userfield.list", "crm", "filter order")
def deal_field_list(call: Call) -> Page:
    """List the fields of deals (crm-deal-userfield-list.md)."""
    rows = [write_legacy(uf) for uf in call.portal.crm.user_fields.of("CRM_DEAL")]
    for key, wanted in as_map(call.get("filter")).items():
        if key != "LANG":
            rows = [row for row in rows if str(row.get(key)) == str(wanted)]
    return Page(rows, len(rows))


@method("crm.deal.userfield.get", "crm", "id")
def deal_field_get(call: Call) -> Any:
    """Read a field of deals (crm-deal-userfield-get.md)."""
    return write_legacy(_deal_field(call))


@method("crm.deal.userfield.update", "crm", "id fields")
def deal_field_update(call: Call) -> Any:
    """Change a field of deals (crm-deal-userfield-update.md)."""
    _admin(call, "Access denied.")
    uf, fields = _deal_field(call), as_map(call.get("fields"))
    uf.mandatory = yes(fields.get("MANDATORY", uf.mandatory))
    uf.label = fields.get("EDIT_FORM_LABEL", uf.label)
    call.portal.crm.user_fields.set_options(uf, fields.get("LIST"))
    return True


@method("crm.deal.userfield.delete", "crm", "id")
def deal_field_delete(call: Call) -> Any:
    """Delete a field of deals (crm-deal-userfield-delete.md)."""
    _admin(call, "Access denied.")
    del call.portal.crm.user_fields.fields[_deal_field(call).id]
    return True
