"""Pipelines and stages: dictionaries, their prefixes, semantics and limits (crm/status, universal/category)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.crm.schema import DEAL, LEAD
from sandbox.errors import RestError
from sandbox.wire import JSON

NEW_STAGES = {
    LEAD: (
        ("NEW", "Не обработан", 10, ""),
        ("IN_PROCESS", "В работе", 20, ""),
        ("PROCESSED", "Обработан", 30, ""),
        ("CONVERTED", "Качественный лид", 40, "S"),
        ("JUNK", "Некачественный лид", 50, "F"),
    ),
    DEAL: (
        ("NEW", "Новая", 10, ""),
        ("PREPARATION", "Подготовка документов", 20, ""),
        ("PREPAYMENT_INVOICE", "Cчёт на предоплату", 30, ""),
        ("EXECUTING", "В работе", 40, ""),
        ("FINAL_INVOICE", "Финальный счёт", 50, ""),
        ("WON", "Сделка успешна", 60, "S"),
        ("LOSE", "Сделка провалена", 70, "F"),
        ("APOLOGY", "Анализ причины провала", 80, "F"),
    ),
}
DYNAMIC_STAGES = (
    ("NEW", "Начало", 10, ""),
    ("PREPARATION", "Подготовка", 20, ""),
    ("CLIENT", "Согласование", 30, ""),
    ("SUCCESS", "Успех", 40, "S"),
    ("FAIL", "Провал", 50, "F"),
)


@dataclass(slots=True, eq=False)
class Status:
    """One dictionary item; of stage dictionaries it is a stage."""

    id: int
    entity_id: str
    status_id: str
    name: str
    sort: int
    semantics: str = ""
    system: bool = False
    category_id: int | None = None
    color: str = ""

    @property
    def semantic(self) -> str:
        """Give P, S or F."""
        return self.semantics or "P"


@dataclass(slots=True, eq=False)
class Category:
    """A pipeline."""

    id: int
    entity_type_id: int
    name: str
    sort: int = 200
    is_default: bool = False


@dataclass(slots=True)
class Stages:
    """All dictionaries of a portal."""

    statuses: dict[int, Status] = field(default_factory=dict)
    categories: dict[tuple[int, int], Category] = field(default_factory=dict)
    _last: int = 100
    _last_dynamic: int = 8

    def add(
        self,
        entity_id: str,
        status_id: str,
        name: str,
        sort: int = 10,
        semantics: str = "",
        *,
        system: bool = False,
        category_id: int | None = None,
        color: str = "",
    ) -> Status:
        """Add a dictionary item."""
        self._last += 2
        color = color or {"S": "#7BD500", "F": "#FF5752"}.get(semantics, "#39A8EF")
        status = Status(self._last, entity_id, status_id, name, sort, semantics, system, category_id, color)
        self.statuses[status.id] = status
        return status

    def of(self, entity_id: str) -> list[Status]:
        """Give a dictionary in its order."""
        rows = [status for status in self.statuses.values() if status.entity_id == entity_id]
        return sorted(rows, key=lambda status: (status.sort, status.id))

    def stages(self, entity_type_id: int, category_id: int = 0) -> list[Status]:
        """Give the stages of a pipeline in their order."""
        return self.of(entity_id_of(entity_type_id, category_id))

    def stage(self, entity_type_id: int, category_id: int, stage_id: str) -> Status | None:
        """Find a stage of a pipeline."""
        return next((s for s in self.stages(entity_type_id, category_id) if s.status_id == stage_id), None)

    def category_of_stage(self, entity_type_id: int, stage_id: str) -> int | None:
        """Give the pipeline a stage belongs to."""
        for type_id, category_id in self.categories:
            if type_id == entity_type_id and self.stage(type_id, category_id, stage_id):
                return category_id
        return None

    def of_type(self, entity_type_id: int) -> list[Category]:
        """Give the pipelines of a type in their order."""
        rows = [c for (type_id, _), c in self.categories.items() if type_id == entity_type_id]
        return sorted(rows, key=lambda category: (category.sort, category.id))

    def default_category(self, entity_type_id: int) -> int:
        """Give the id of the default pipeline; that of deals is 0."""
        return next((c.id for c in self.of_type(entity_type_id) if c.is_default), 0)

    def add_category(self, entity_type_id: int, name: str, sort: int = 200, *, is_default: bool = False) -> Category:
        """Add a pipeline with the stages a fresh one has."""
        if entity_type_id == DEAL:
            number = max((c.id for c in self.of_type(DEAL)), default=-1) + 1
        else:
            self._last_dynamic += 1
            number = self._last_dynamic
        category = Category(number, entity_type_id, name, sort, is_default)
        self.categories[entity_type_id, number] = category
        self.fill(entity_type_id, number)
        return category

    def fill(self, entity_type_id: int, category_id: int) -> None:
        """Give a pipeline its first stages."""
        prefix = prefix_of(entity_type_id, category_id)
        entity_id = entity_id_of(entity_type_id, category_id)
        for code, name, sort, semantics in NEW_STAGES.get(entity_type_id, DYNAMIC_STAGES):
            system = code in {"NEW", "CONVERTED", "JUNK", "WON", "LOSE", "SUCCESS", "FAIL"}
            self.add(
                entity_id,
                prefix + code,
                name,
                sort,
                semantics,
                system=system,
                category_id=None if entity_type_id in {LEAD, DEAL} and not category_id else category_id,
            )

    def drop_category(self, entity_type_id: int, category_id: int) -> None:
        """Remove a pipeline with its stages."""
        del self.categories[entity_type_id, category_id]
        entity_id = entity_id_of(entity_type_id, category_id)
        self.statuses = {k: s for k, s in self.statuses.items() if s.entity_id != entity_id}

    def stage_dictionaries(self) -> Iterator[tuple[str, int, int]]:
        """Yield (ENTITY_ID, type, pipeline) of every stage dictionary."""
        yield "STATUS", LEAD, 0
        for entity_type_id, category_id in self.categories:
            yield entity_id_of(entity_type_id, category_id), entity_type_id, category_id

    def add_checked(self, fields: JSON) -> Status:
        """Add an item as ``crm.status.add`` does: prefix, limits, places of final stages."""
        entity_id, code = str(fields["ENTITY_ID"]), str(fields["STATUS_ID"])
        sort, semantics = int(fields.get("SORT") or 10), str(fields.get("SEMANTICS") or "")
        place = {name: (type_id, number) for name, type_id, number in self.stage_dictionaries()}.get(entity_id)
        known = {status.entity_id for status in self.statuses.values()} | {"DEAL_TYPE", "SOURCE", "INDUSTRY"}
        if place is None and entity_id not in known:
            raise RestError("", "Specified entity type is not supported.")
        prefix = prefix_of(*place) if place else ""
        status_id = code if prefix and code.startswith(prefix) else prefix + code
        if len(status_id) > (22 if place and place[0] in {LEAD, DEAL} else 50):
            raise RestError("", "Error on creating status.")
        if any(status.status_id == status_id for status in self.of(entity_id)):
            raise RestError("ERROR_CORE", "Указанный идентификатор статуса, уже существует.")
        if place:
            self._check_place(entity_id, sort, semantics)
        category_id = place[1] if place and place[1] else None
        return self.add(
            entity_id,
            status_id,
            str(fields["NAME"]),
            sort,
            semantics,
            category_id=category_id,
            color=str(fields.get("COLOR") or ""),
        )

    def _check_place(self, entity_id: str, sort: int, semantics: str) -> None:
        success = next((status.sort for status in self.of(entity_id) if status.semantics == "S"), None)
        if success is None:
            return
        if not semantics and sort >= success:
            raise RestError("", "Нельзя создать промежуточную стадию после успешной")
        if semantics == "F" and sort <= success:
            raise RestError("", "Нельзя создать провальную стадию до успешной")


def entity_id_of(entity_type_id: int, category_id: int) -> str:
    """Give the ENTITY_ID of a pipeline's stages."""
    if entity_type_id == LEAD:
        return "STATUS"
    if entity_type_id == DEAL:
        return f"DEAL_STAGE_{category_id}" if category_id else "DEAL_STAGE"
    return f"DYNAMIC_{entity_type_id}_STAGE_{category_id}"


def prefix_of(entity_type_id: int, category_id: int) -> str:
    """Give what the stage ids of a pipeline begin with."""
    if entity_type_id == LEAD or (entity_type_id == DEAL and not category_id):
        return ""
    return f"C{category_id}:" if entity_type_id == DEAL else f"DT{entity_type_id}_{category_id}:"
