"""User fields of CRM objects: definitions and options of lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.crm.schema import COMPANY, CONTACT, DEAL, LEAD, Field
from sandbox.errors import RestError
from sandbox.wire import JSON, as_list, whole, yes

ENTITY_IDS = {LEAD: "CRM_LEAD", DEAL: "CRM_DEAL", CONTACT: "CRM_CONTACT", COMPANY: "CRM_COMPANY"}
TYPES = (
    "string",
    "integer",
    "double",
    "boolean",
    "date",
    "datetime",
    "money",
    "url",
    "address",
    "enumeration",
    "file",
    "employee",
    "crm_status",
    "iblock_section",
    "iblock_element",
    "crm",
    "resourcebooking",
)


@dataclass(slots=True, eq=False)
class Option:
    """One choice of a list field."""

    id: int
    value: str
    sort: int = 100
    default: bool = False
    xml_id: str = ""


@dataclass(slots=True, eq=False)
class UserField:
    """A user field's definition."""

    id: int
    entity_id: str
    name: str
    type: str
    multiple: bool = False
    mandatory: bool = False
    label: Any = ""
    sort: int = 100
    xml_id: str | None = None
    show_filter: str = "N"
    settings: JSON = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)

    def as_field(self) -> Field:
        """Give the field as items see it."""
        label = self.label.get("ru", self.name) if isinstance(self.label, dict) else str(self.label or self.name)
        return Field(self.name, self.type, self.name, False, self.multiple, label, self.mandatory, True)


class UserFields:
    """All user fields of a portal."""

    def __init__(self) -> None:
        self.fields: dict[int, UserField] = {}
        self._last = 500
        self._last_option = 40

    def of(self, entity_id: str) -> list[UserField]:
        """Give the fields of an object."""
        return [uf for uf in self.fields.values() if uf.entity_id == entity_id]

    def named(self, name: str) -> UserField | None:
        """Find a field by its name."""
        return next((uf for uf in self.fields.values() if uf.name == name), None)

    def add(self, entity_id: str, name: str, kind: str, **rest: Any) -> UserField:
        """Define a field; raises when the name is taken or the type unknown."""
        if kind not in TYPES and not kind.startswith("rest_"):
            raise RestError("", f"The '{kind}' user type is not found")
        if any(uf.name == name for uf in self.of(entity_id)):
            raise RestError("", f"Поле {name} для объекта {entity_id} уже существует.")
        options = rest.pop("options", [])
        self._last += 2
        created = UserField(self._last, entity_id, name, kind, **rest)
        self.fields[created.id] = created
        self.set_options(created, options)
        return created

    def set_options(self, target: UserField, rows: Any) -> None:
        """Write the options of a list: rows with an id change, with ``del`` go, others are new."""
        for row in as_list(rows):
            given = {str(key).lower().replace("_", ""): value for key, value in row.items()}
            known = next((o for o in target.options if o.id == whole(given.get("id"))), None)
            if known and yes(given.get("del")):
                target.options.remove(known)
                continue
            if known is None:
                self._last_option += 2
                known = Option(self._last_option, "", len(target.options) * 10 + 10)
                target.options.append(known)
            known.value = str(given.get("value", known.value))
            known.sort = whole(given.get("sort", known.sort))
            known.default = yes(given.get("def", known.default))
            known.xml_id = str(given.get("xmlid") or known.xml_id or "")
