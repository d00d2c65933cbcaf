"""Items of any kind, moved and looked at by people; process files of three kinds in ``files/kinds``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from b24app.core.item import ItemRef
from tests.flows.stage import ADMIN, MARIA, Stage

FILES = Path(__file__).parent / "files" / "kinds"


@dataclass(frozen=True, slots=True)
class Items:
    """The items of one process."""

    stage: Stage
    code: str

    def add(self, title: str = "Кухня", by: int = MARIA, **fields: Any) -> ItemRef:
        """Create an item the way an employee does."""
        tie = self.stage.tie(self.code)
        given: dict[str, Any] = {"title": title, "assignedById": by, **self._coded(fields)}
        if tie.entity_type_id != 1:
            given["categoryId"] = tie.category_id
        params = {"entityTypeId": tie.entity_type_id, "fields": given, "useOriginalUfNames": "Y"}
        added = self.stage.portal.as_user(by).call("crm.item.add", **params)
        self.stage.settle()
        return ItemRef(tie.entity_type_id, int(added["item"]["id"]))

    def write(self, item: ItemRef, **fields: Any) -> None:
        self._update(item, self._coded(fields))

    def move(self, item: ItemRef, key: str) -> None:
        self._update(item, {"stageId": self.stage.stage_id(key, self.code)})

    def on(self, item: ItemRef) -> str:
        """Return the stage an item stands on, by the file's name for it."""
        params = {"entityTypeId": item.entity_type_id, "id": item.id}
        found = self.stage.portal.as_user(ADMIN).call("crm.item.get", **params)["item"]
        return self.stage.tie(self.code).key_of(found["stageId"]) or str(found["stageId"])

    def tasks(self, item: ItemRef, user: int = 0) -> list[str]:
        """Return the titles of an item's open tasks."""
        params = {"filter": {"UF_CRM_TASK": item.binding}, "order": {"ID": "asc"}}
        found = self.stage.portal.as_user(ADMIN).call("tasks.task.list", **params)["tasks"]
        return [t["title"] for t in found if t["status"] in ("2", "3") and user in (0, int(t["responsibleId"]))]

    def comments(self, item: ItemRef) -> list[str]:
        filters = {"ENTITY_ID": item.id, "ENTITY_TYPE": item.timeline_type}
        rows = self.stage.portal.as_user(ADMIN).call("crm.timeline.comment.list", filter=filters, order={"ID": "ASC"})
        return [row["COMMENT"] for row in rows]

    def _coded(self, fields: dict[str, Any]) -> dict[str, Any]:
        tie = self.stage.tie(self.code)
        return {tie.fields.get(name, name): value for name, value in fields.items()}

    def _update(self, item: ItemRef, fields: dict[str, Any]) -> None:
        params = {"entityTypeId": item.entity_type_id, "id": item.id, "fields": fields, "useOriginalUfNames": "Y"}
        self.stage.portal.as_user(MARIA).call("crm.item.update", **params)
        self.stage.settle()
