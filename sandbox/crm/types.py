"""Smart processes: their cards and the two numbers each has."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sandbox.wire import JSON, yes

FLAGS = [
    "isCategoriesEnabled",
    "isStagesEnabled",
    "isBeginCloseDatesEnabled",
    "isClientEnabled",
    "isUseInUserfieldEnabled",
    "isLinkWithProductsEnabled",
    "isMycompanyEnabled",
    "isDocumentsEnabled",
    "isSourceEnabled",
    "isObserversEnabled",
    "isRecyclebinEnabled",
    "isAutomationEnabled",
    "isBizProcEnabled",
    "isSetOpenPermissions",
    "isPaymentsEnabled",
    "isCountersEnabled",
    "isExternal",
]


@dataclass(slots=True, eq=False)
class SmartType:
    """A smart process: ``id`` is the record's, ``entity_type_id`` is used everywhere else."""

    id: int
    entity_type_id: int
    title: str
    created_at: datetime
    created_by: int
    updated_at: datetime
    code: str = ""
    flags: dict[str, str] = field(default_factory=dict)
    relations: JSON = field(default_factory=dict)
    linked: JSON = field(default_factory=dict)

    def set(self, fields: JSON) -> list[str]:
        """Take over what a request says and give the names it did not understand."""
        strange = []
        for key, value in fields.items():
            if key in FLAGS:
                self.flags[key] = "Y" if yes(value) else "N"
            elif key == "title":
                self.title = str(value)
            elif key == "relations":
                self.relations = value
            elif key == "linkedUserFields":
                self.linked = value
            elif key not in {"entityTypeId", "code", "customSectionId", "customSections"}:
                strange.append(key)
        self.code = str(fields.get("code", self.code))
        return strange

    def flag(self, name: str) -> bool:
        """Tell whether a part of the process is switched on."""
        return self.flags.get(name, "N") == "Y"

    def parents(self) -> list[int]:
        """Give the types whose items may be parents."""
        rows = self.relations.get("parent", []) if isinstance(self.relations, dict) else []
        return [int(row["entityTypeId"]) for row in rows]
