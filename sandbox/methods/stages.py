"""crm.category.*, crm.status.* (crm/universal/category, crm/status)."""

from __future__ import annotations

from typing import Any

from sandbox.crm.schema import DEAL, LEAD
from sandbox.crm.stages import Category, Status
from sandbox.errors import RestError
from sandbox.registry import Call, Page, method
from sandbox.wire import JSON, as_list, as_map, whole, yes


def _type(call: Call) -> int:
    entity_type_id = call.whole("entityTypeId")
    if not call.portal.crm.known(entity_type_id):
        raise RestError("NOT_FOUND", "Смарт-процесс не найден")
    if entity_type_id != DEAL and entity_type_id not in call.portal.crm.types:
        raise RestError("ENTITY_TYPE_NOT_SUPPORTED", f"Entity type {entity_type_id} is not supported")
    return entity_type_id


def _category(call: Call) -> Category:
    found = call.portal.crm.stages.categories.get((_type(call), call.whole("id")))
    if found is None:
        raise RestError("NOT_FOUND", "Элемент не найден")
    return found


def _admin(call: Call) -> None:
    if not call.portal.people.is_admin(call.caller.user_id):
        raise RestError("ACCESS_DENIED", "Доступ запрещен")


def write_category(category: Category) -> JSON:
    """Write a pipeline."""
    row: JSON = {
        "id": category.id,
        "name": category.name,
        "sort": category.sort,
        "entityTypeId": category.entity_type_id,
        "isDefault": "Y" if category.is_default else "N",
    }
    return row | ({"originId": "", "originatorId": ""} if category.entity_type_id == DEAL else {})


@method("crm.category.list", "crm", "entityTypeId")
def category_list(call: Call) -> Page:
    """List the pipelines of a type (crm-category-list.md)."""
    rows = [write_category(category) for category in call.portal.crm.stages.of_type(_type(call))]
    return Page({"categories": rows}, len(rows))


@method("crm.category.get", "crm", "entityTypeId id")
def category_get(call: Call) -> Any:
    """Read a pipeline (crm-category-get.md)."""
    return {"category": write_category(_category(call))}


@method("crm.category.add", "crm", "entityTypeId fields")
def category_add(call: Call) -> Any:
    """Add a pipeline with its first stages (crm-category-add.md)."""
    entity_type_id, fields = _type(call), as_map(call.need("fields"))
    _admin(call)
    if not fields.get("name"):
        raise RestError("0", "Field 'NAME' is required")
    _complain_of_strangers(call, fields, {"name", "sort", "isDefault"})
    stages = call.portal.crm.stages
    category = stages.add_category(entity_type_id, str(fields["name"]), whole(fields.get("sort") or 500))
    _make_default(call, category, fields)
    return {"category": write_category(category)}


def _make_default(call: Call, category: Category, fields: JSON) -> None:
    if yes(fields.get("isDefault", "N")) and category.entity_type_id != DEAL:
        for other in call.portal.crm.stages.of_type(category.entity_type_id):
            other.is_default = other is category


def _complain_of_strangers(call: Call, fields: JSON, known: set[str]) -> None:
    for name in sorted(set(fields) - known):
        call.complain(f"the unknown field {name!r} was ignored")


@method("crm.category.update", "crm", "entityTypeId id fields")
def category_update(call: Call) -> Any:
    """Change a pipeline (crm-category-update.md)."""
    category, fields = _category(call), call.mapping("fields")
    _admin(call)
    _complain_of_strangers(call, fields, {"name", "sort", "isDefault"})
    category.name = str(fields.get("name", category.name))
    category.sort = whole(fields.get("sort", category.sort))
    _make_default(call, category, fields)
    return {"category": write_category(category)}


@method("crm.category.delete", "crm", "entityTypeId id")
def category_delete(call: Call) -> Any:
    """Delete an empty pipeline that is not the default one (crm-category-delete.md)."""
    category = _category(call)
    _admin(call)
    items = call.portal.crm.items.get(category.entity_type_id, {}).values()
    if any(item.get("categoryId") == category.id for item in items):
        raise RestError("BX_ERROR" if category.entity_type_id != DEAL else "0", "Найдены элементы, относящиеся к воронке")
    if category.is_default:
        raise RestError("BX_ERROR" if category.entity_type_id != DEAL else "0", "Эта воронка является воронкой по умолчанию")
    call.portal.crm.stages.drop_category(category.entity_type_id, category.id)


def write_status(status: Status, *, extra: bool = True) -> JSON:
    """Write a dictionary item; ids and sorts are texts, SEMANTICS is null while in progress."""
    row: JSON = {
        "ID": str(status.id),
        "ENTITY_ID": status.entity_id,
        "STATUS_ID": status.status_id,
        "NAME": status.name,
        "NAME_INIT": status.name if status.system else "",
        "SORT": str(status.sort),
        "SYSTEM": "Y" if status.system else "N",
        "CATEGORY_ID": None if status.category_id is None else str(status.category_id),
        "COLOR": status.color,
        "SEMANTICS": status.semantics or None,
    }
    if extra:
        words = {"S": "success", "F": "apology" if status.status_id.endswith("APOLOGY") else "failure"}
        row["EXTRA"] = {"SEMANTICS": words.get(status.semantics, "process"), "COLOR": status.color}
    return row


@method("crm.status.list", "crm", "order filter")
def status_list(call: Call) -> Page:
    """List dictionary items, all at once (crm-status-list.md)."""
    rows = [write_status(status) for status in call.portal.crm.stages.statuses.values()]
    for key, wanted in as_map(call.get("filter")).items():
        name = str(key).lstrip("@=").upper()
        if rows and name not in rows[0]:
            call.complain(f"unknown filter field {key!r} was ignored")
            continue
        accepted = {"" if item is None else str(item) for item in as_list(wanted) or [None]}
        rows = [row for row in rows if str(row[name] or "") in accepted]
    for name, direction in reversed(list((as_map(call.get("order")) or {"SORT": "ASC"}).items())):
        numeric = name in {"ID", "SORT"}
        rows.sort(
            key=lambda row, name=name, numeric=numeric: whole(row[name]) if numeric else str(row[name]),  # type: ignore[misc]
            reverse=str(direction).upper() == "DESC",
        )
    return Page(rows, len(rows))


def _status(call: Call) -> Status:
    found = call.portal.crm.stages.statuses.get(whole(call.get("id")))
    if found is None:
        raise RestError("400", "Status is not found.")
    return found


@method("crm.status.get", "crm", "id")
def status_get(call: Call) -> Any:
    """Read a dictionary item (crm-status-get.md)."""
    return write_status(_status(call), extra=False)


@method("crm.status.add", "crm", "fields")
def status_add(call: Call) -> Any:
    """Add a dictionary item; the pipeline's prefix is put before its code (crm-status-add.md)."""
    fields = call.get("fields")
    if not isinstance(fields, dict):
        raise RestError("", "Parameter 'fields' must be array.")
    if not call.portal.people.is_admin(call.caller.user_id):
        raise RestError("", "Access denied.")
    for name in ("ENTITY_ID", "STATUS_ID"):
        if not fields.get(name):
            raise RestError("", f"The field {name} is required.")
    if not fields.get("NAME"):
        raise RestError("", 'Не заполнено обязательное поле "Заголовок"')
    _complain_of_strangers(call, fields, {"ENTITY_ID", "STATUS_ID", "NAME", "SORT", "COLOR", "SEMANTICS"})
    return call.portal.crm.stages.add_checked(fields).id


@method("crm.status.update", "crm", "id fields")
def status_update(call: Call) -> Any:
    """Change a dictionary item's name, sort or colour (crm-status-update.md)."""
    status, fields = _status(call), call.mapping("fields")
    if not call.portal.people.is_admin(call.caller.user_id):
        raise RestError("400", "Access denied.")
    _complain_of_strangers(call, fields, {"NAME", "SORT", "COLOR"})
    status.name = str(fields.get("NAME", status.name))
    status.sort = whole(fields.get("SORT", status.sort))
    status.color = str(fields.get("COLOR", status.color))
    return True


@method("crm.status.delete", "crm", "id params")
def status_delete(call: Call) -> Any:
    """Delete a dictionary item nobody stands on (crm-status-delete.md)."""
    status = _status(call)
    if not call.portal.people.is_admin(call.caller.user_id):
        raise RestError("400", "Access denied.")
    if status.system and not yes(as_map(call.get("params")).get("FORCED", "N")):
        raise RestError("400", "CRM System Status can be deleted only if parameter FORCED is specified")
    shelves = call.portal.crm.items.values()
    if any(item.get("stageId") == status.status_id for shelf in shelves for item in shelf.values()):
        raise RestError("400", "There are active items in this status.")
    del call.portal.crm.stages.statuses[status.id]
    return True


@method("crm.status.entity.items", "crm", "entityId")
def entity_items(call: Call) -> Any:
    """List a dictionary by its ENTITY_ID (crm-status-entity-items.md)."""
    entity_id = str(call.get("entityId") or "")
    if not entity_id:
        raise RestError("400", "The parameter entityId is not defined or invalid.")
    rows = call.portal.crm.stages.of(entity_id)
    return [{"NAME": s.name, "SORT": s.sort, "STATUS_ID": s.status_id} for s in rows]


@method("crm.status.entity.types", "crm")
def entity_types(call: Call) -> Any:
    """List the dictionaries there are (crm-status-entity-types.md)."""
    rows: list[JSON] = []
    for name, entity_type_id, category_id in call.portal.crm.stages.stage_dictionaries():
        stages = call.portal.crm.stages.of(name)
        first = {"S": "", "F": ""} | {s.semantics: s.status_id for s in reversed(stages)}
        prefix = stages[0].status_id.partition(":")[0] if stages and ":" in stages[0].status_id else ""
        semantic = {
            "START_FIELD": stages[0].status_id if stages else "",
            "FINAL_SUCCESS_FIELD": first["S"],
            "FINAL_UNSUCCESS_FIELD": first["F"],
            "FINAL_SORT": 0,
        }
        rows.append({"ID": name, "NAME": name, "SEMANTIC_INFO": semantic, "ENTITY_TYPE_ID": entity_type_id})
        if entity_type_id != LEAD and category_id:
            rows[-1] |= {"PREFIX": prefix, "CATEGORY_ID": category_id, "FIELD_ATTRIBUTE_SCOPE": f"category_{category_id}"}
    return [*rows, {"ID": "SOURCE", "NAME": "Источники"}, {"ID": "DEAL_TYPE", "NAME": "Типы сделок"}]
