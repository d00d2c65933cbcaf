"""Items of the CRM: created, moved, changed and deleted, with their history, events and automation."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.crm import history, schema, values
from sandbox.crm.layouts import Layouts
from sandbox.crm.schema import COMPANY, CONTACT, DEAL, LEAD, Field
from sandbox.crm.stages import Stages, Status
from sandbox.crm.types import SmartType
from sandbox.crm.userfields import ENTITY_IDS, UserFields
from sandbox.errors import RestError
from sandbox.registry import Caller
from sandbox.wire import JSON, as_list, as_map, whole

if TYPE_CHECKING:
    from sandbox.portal import Portal

Item = dict[str, Any]
SWITCHES = {
    "isBeginCloseDatesEnabled": "begindate closedate",
    "isClientEnabled": "companyId contactId contactIds",
    "isObserversEnabled": "observers",
    "isSourceEnabled": "sourceId sourceDescription",
    "isMycompanyEnabled": "mycompanyId",
    "isLinkWithProductsEnabled": "currencyId isManualOpportunity opportunity taxValue",
    "isStagesEnabled": "stageId previousStageId stageSemanticId",
}


class Crm:
    """All items of one portal with the rules that bind them."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self.items: dict[int, dict[int, Item]] = {}
        self.types: dict[int, SmartType] = {}
        self.stages = Stages()
        self.user_fields = UserFields()
        self.layouts = Layouts()
        self.product_rows: dict[tuple[str, int], list[JSON]] = {}
        self.history = history.StageHistory(portal.now, lambda: bool(portal.options["rewrite_final_rows"]))
        self._last: dict[int, int] = {}
        self._last_multifield = 100

    def known(self, entity_type_id: int) -> bool:
        """Tell whether there are items of such a type."""
        return entity_type_id in schema.SPECS or entity_type_id in self.types

    def staged(self, entity_type_id: int) -> bool:
        """Tell whether items of a type have stages."""
        if entity_type_id in self.types:
            return self.types[entity_type_id].flag("isStagesEnabled")
        return entity_type_id in {LEAD, DEAL}

    def require(self, entity_type_id: int) -> dict[int, Item]:
        """Give the items of a type; raises ``NOT_FOUND``."""
        if not self.known(entity_type_id):
            raise RestError("NOT_FOUND", "Смарт-процесс не найден")
        return self.items.setdefault(entity_type_id, {})

    def item(self, entity_type_id: int, item_id: int) -> Item:
        """Find an item; raises ``NOT_FOUND``."""
        found = self.require(entity_type_id).get(item_id)
        if found is None:
            raise RestError("NOT_FOUND", "Элемент не найден")
        return found

    def uf_entity(self, entity_type_id: int) -> str:
        """Give the ENTITY_ID user fields of a type are defined for."""
        if entity_type_id in self.types:
            return f"CRM_{self.types[entity_type_id].id}"
        return ENTITY_IDS.get(entity_type_id, "")

    def fields(self, entity_type_id: int) -> dict[str, Field]:
        """Give all fields of a type: built-in, user fields, parents."""
        found = schema.system_fields(entity_type_id)
        for uf in self.user_fields.of(self.uf_entity(entity_type_id)):
            found[uf.name] = uf.as_field()
        for parent in self._parents(entity_type_id):
            found[f"parentId{parent}"] = Field(f"parentId{parent}", "crm_entity", f"PARENT_ID_{parent}")
        return found

    def switched_off(self, entity_type_id: int) -> set[str]:
        """Give the fields a smart process has not switched on; they read as null and cannot be written."""
        card = self.types.get(entity_type_id)
        if card is None:
            return set()
        return {name for flag, names in SWITCHES.items() if not card.flag(flag) for name in names.split()}

    def _parents(self, entity_type_id: int) -> list[int]:
        own = self.types[entity_type_id].parents() if entity_type_id in self.types else []
        children = [
            type_id
            for type_id, card in self.types.items()
            if any(int(row["entityTypeId"]) == entity_type_id for row in as_list(as_map(card.relations).get("child")))
        ]
        return [*own, *children]

    def option_ids(self, field: Field) -> set[int]:
        """Give the option ids of a list field."""
        uf = self.user_fields.named(field.name)
        return {option.id for option in uf.options} if uf else set()

    def short_code(self, entity_type_id: int) -> str:
        """Give the short code of a type: D for deals, T and hex for smart processes."""
        return schema.SHORT.get(entity_type_id) or f"T{entity_type_id:x}"

    def automated(self, entity_type_id: int) -> bool:
        """Tell whether robots run for a type."""
        return entity_type_id not in self.types or self.types[entity_type_id].flag("isAutomationEnabled")

    def type_of_code(self, code: str) -> int | None:
        """Give the type of a short code."""
        for entity_type_id in [*schema.SHORT, *self.types]:
            if self.short_code(entity_type_id) == code:
                return entity_type_id
        return None

    def read_fields(self, entity_type_id: int, given: JSON, where: str) -> Item:
        """Read a request's fields; unknown and read-only ones are dropped silently, and complained of."""
        fields, closed = self.fields(entity_type_id), self.switched_off(entity_type_id)
        read: Item = {}
        for name, raw in given.items():
            field = fields.get(name)
            if field is None or field.read_only or name in closed:
                what = "unknown" if field is None else "read-only or switched-off"
                self._portal.complain(f"{where}: the {what} field {name!r} was ignored")
            elif name == "fm":
                read["fm"] = raw
            else:
                read[name] = values.read(self._portal, field, raw, where)
        return read

    def create(self, entity_type_id: int, given: Item, caller: Caller, *, imported: bool = False) -> Item:
        """Create an item of already read fields: history, event and the automation of its stage follow."""
        shelf = self.require(entity_type_id)
        number = self._last.get(entity_type_id, 0) + 1
        self._last[entity_type_id] = number
        item = self._fresh(entity_type_id, number, caller)
        category, stage = self._first_place(entity_type_id, given)
        given = {key: value for key, value in given.items() if value is not None}
        item.update({key: value for key, value in given.items() if key != "fm"})
        self._write_multifields(item, given.get("fm"))
        self._tie_contacts(item, given)
        if stage is not None:
            item |= {"categoryId": category, "stageId": stage.status_id}
            self._settle(item, stage)
        if entity_type_id not in {DEAL, *self.types}:
            item.pop("categoryId", None)
        self._check_required(entity_type_id, item)
        shelf[number] = item
        if stage is not None:
            self._log(entity_type_id, item, stage, history.CREATED)
        self._tell(entity_type_id, "ADD", number, caller)
        if stage is not None and not imported:
            self._portal.automation.entered(entity_type_id, number, stage.status_id)
        return item

    def _fresh(self, entity_type_id: int, number: int, caller: Caller) -> Item:
        now = self._portal.now().replace(microsecond=0)
        actor = caller.user_id or 1
        item: Item = {name: [] if field.multiple else None for name, field in self.fields(entity_type_id).items()}
        title = self.types[entity_type_id].title if entity_type_id in self.types else schema.TITLES[entity_type_id]
        item |= {"id": number, "title": f"{title} #{number}", "assignedById": actor, "opened": "Y"}
        for name in ("createdTime", "updatedTime", "movedTime", "lastActivityTime"):
            item[name] = now
        for name in ("createdBy", "updatedBy", "movedBy", "lastActivityBy"):
            item[name] = actor
        item |= {"opportunity": 0.0, "currencyId": "RUB", "isManualOpportunity": "N", "companyId": 0, "contactId": 0}
        item |= dict.fromkeys(("isNew", "isRecurring", "isReturnCustomer", "isRepeatedApproach", "export"), "N")
        item |= {"begindate": now.date(), "closedate": now.date() + timedelta(days=7), "closed": "N"}
        known, closed = self.fields(entity_type_id), self.switched_off(entity_type_id)
        return {name: None if name in closed else value for name, value in item.items() if name in known}

    def _first_place(self, entity_type_id: int, given: Item) -> tuple[int, Status | None]:
        if not self.staged(entity_type_id):
            return 0, None
        default = self.stages.default_category(entity_type_id)
        category = default if given.get("categoryId") is None else whole(given["categoryId"])
        wanted = given.get("stageId")
        if wanted is None:
            return category, self.stages.stages(entity_type_id, category)[0]
        if given.get("categoryId") is None:
            found = self.stages.category_of_stage(entity_type_id, str(wanted))
            category = category if found is None else found
        return category, self._stage(entity_type_id, category, str(wanted))

    def _stage(self, entity_type_id: int, category: int, stage_id: str) -> Status:
        found = self.stages.stage(entity_type_id, category, stage_id)
        if found is None:
            raise RestError("CRM_FIELD_ERROR_VALUE_NOT_VALID", 'Неверное значение поля "Стадия"')
        return found

    def _settle(self, item: Item, stage: Status) -> None:
        item["stageSemanticId"] = stage.semantic
        if "closed" in item:
            item["closed"] = "N" if stage.semantic == "P" else "Y"

    def _check_required(self, entity_type_id: int, item: Item) -> None:
        if not self._portal.options["check_required"]:
            return
        for name, field in self.fields(entity_type_id).items():
            if field.required and item.get(name) in (None, "", []):
                raise RestError("CRM_FIELD_ERROR_REQUIRED", f'Поле "{field.title}" обязательно для заполнения')

    def update(self, entity_type_id: int, item_id: int, given: Item, caller: Caller) -> Item:
        """Change an item by already read fields; when nothing differs, nothing happens (crm-item-update.md)."""
        item = self.item(entity_type_id, item_id)
        before = dict(item)
        changed = {key: value for key, value in given.items() if key != "fm" and item.get(key) != value}
        if caller.app and entity_type_id in self.types and "stageId" in changed and "categoryId" not in given:
            self._portal.complain("crm.item.update: a smart process was moved by stageId without categoryId")
        stage = self._next_place(entity_type_id, item, given, changed)
        touched = self._write_multifields(item, given.get("fm"))
        item.update(changed)
        self._tie_contacts(item, changed)
        if item == before and not touched:
            return item
        if stage is not None and stage.status_id != before["stageId"]:
            try:
                self._check_required(entity_type_id, item)
            except RestError:
                item.update(before)
                raise
        now = self._portal.now().replace(microsecond=0)
        item |= {"updatedTime": now, "updatedBy": caller.user_id or item["updatedBy"]}
        self._after_change(entity_type_id, item, before, stage, caller)
        return item

    def _next_place(self, entity_type_id: int, item: Item, given: Item, changed: Item) -> Status | None:
        if not self.staged(entity_type_id) or not {"stageId", "categoryId"} & set(changed):
            return None
        category = whole(given.get("categoryId", item.get("categoryId")) or 0)
        if "categoryId" in changed and (entity_type_id, category) not in self.stages.categories:
            raise RestError("CRM_FIELD_ERROR_VALUE_NOT_VALID", 'Неверное значение поля "Воронка"')
        wanted = given.get("stageId")
        if wanted is None:
            stage = self.stages.stages(entity_type_id, category)[0]
        else:
            stage = self._stage(entity_type_id, category, str(wanted))
        changed["stageId"] = stage.status_id
        return stage

    def _after_change(self, entity_type_id: int, item: Item, before: Item, stage: Status | None, caller: Caller) -> None:
        moved = stage is not None and item["stageId"] != before["stageId"]
        pipeline = item.get("categoryId") != before.get("categoryId")
        if stage is not None and moved:
            item |= {"movedTime": item["updatedTime"], "movedBy": caller.user_id or item["movedBy"]}
            if "previousStageId" in item:
                item["previousStageId"] = before["stageId"]
            self._settle(item, stage)
            kind = history.MOVED if stage.semantic == "P" else history.FINAL
            self._log(entity_type_id, item, stage, history.CHANGED_PIPELINE if pipeline else kind)
        if pipeline and entity_type_id == DEAL:
            where = {"CATEGORY_ID": item["categoryId"], "STAGE_ID": item["stageId"]}
            payload = {"FIELDS": {"ID": item["id"], **where}}
            self._portal.events.emit("ONCRMDEALMOVETOCATEGORY", payload, caller)
        else:
            self._tell(entity_type_id, "UPDATE", item["id"], caller)
        if stage is not None and moved:
            self._portal.automation.entered(entity_type_id, item["id"], stage.status_id)
            self._maybe_convert(entity_type_id, item, caller)

    def _maybe_convert(self, entity_type_id: int, lead: Item, caller: Caller) -> None:
        by_hand = caller.app is None and caller.user_id
        if entity_type_id != LEAD or lead["stageId"] != "CONVERTED" or not by_hand:
            return
        if self._portal.options["convert_leads"]:
            copied = ("title", "contactId", "contactIds", "companyId", "opportunity", "currencyId", "assignedById")
            deal = {name: lead[name] for name in copied}
            self.create(DEAL, deal | {"leadId": lead["id"]}, caller)

    def delete(self, entity_type_id: int, item_id: int, caller: Caller) -> None:
        """Delete an item with its stage history."""
        self.item(entity_type_id, item_id)
        del self.items[entity_type_id][item_id]
        self.history.forget(entity_type_id, item_id)
        self._portal.automation.terminate(entity_type_id, item_id)
        self._tell(entity_type_id, "DELETE", item_id, caller)

    def _log(self, entity_type_id: int, item: Item, stage: Status, kind: int) -> None:
        category = whole(item.get("categoryId") or 0)
        self.history.enter(entity_type_id, item["id"], stage.status_id, stage.semantic, category, kind)

    def _tell(self, entity_type_id: int, what: str, item_id: int, caller: Caller) -> None:
        emit = self._portal.events.emit
        if entity_type_id in schema.NAMES:
            emit(f"ONCRM{schema.NAMES[entity_type_id]}{what}", {"FIELDS": {"ID": item_id}}, caller)
            return
        payload = {"FIELDS": {"ID": item_id, "ENTITY_TYPE_ID": entity_type_id}}
        emit(f"ONCRMDYNAMICITEM{what}", payload, caller)
        emit(f"ONCRMDYNAMICITEM{what}_{entity_type_id}", payload, caller)

    def _tie_contacts(self, item: Item, changed: Item) -> None:
        if item.get("contactIds") is None or "contactId" not in item:
            return
        if "contactIds" in changed:
            item["contactId"] = (changed["contactIds"] or [0])[0]
        elif "contactId" in changed:
            item["contactIds"] = [c for c in [changed["contactId"], *(item["contactIds"] or [])[1:]] if c]

    def _write_multifields(self, item: Item, given: Any) -> bool:
        """Write phones and mails: ``n0`` adds, an id changes, an id with an empty value deletes."""
        rows: list[JSON] = item.get("fm") or []
        before = [dict(row) for row in rows]
        for key, raw in as_map(given).items():
            row = {name: str(raw[name]) for name in ("typeId", "valueType", "value") if name in raw}
            known = next((r for r in rows if str(r["id"]) == str(raw.get("id", key))), None)
            if known and not row.get("value", known["value"]):
                rows.remove(known)
            elif known:
                known.update(row)
            elif row.get("value"):
                self._last_multifield += 1
                rows.append({"id": self._last_multifield, "valueType": "WORK", "typeId": "PHONE", **row})
        if "fm" in item:
            item["fm"] = rows
        return rows != before

    def add_contact(self, name: str, last_name: str, *phones: str, user_id: int = 1) -> Item:
        """Put a contact into the CRM with mobile phones."""
        fm = {f"n{n}": {"typeId": "PHONE", "valueType": "MOBILE", "value": p} for n, p in enumerate(phones)}
        return self.create(CONTACT, {"name": name, "lastName": last_name, "fm": fm}, Caller(user_id))

    def add_company(self, title: str, user_id: int = 1) -> Item:
        """Put a company into the CRM."""
        return self.create(COMPANY, {"title": title}, Caller(user_id))
