"""A finished deal on its way through analysis, measures, approval, changes and publication, as people drive it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from b24app.core.item import ItemRef
from b24app.core.portal import PortalSettings
from b24app.engine.access import gate_of
from b24app.engine.people.forms import Problems, Sent, Sheet, look, submit
from b24app.store import forms
from sandbox.messages import NewsPost
from tests.flows.kinds import Items
from tests.flows.stage import ADMIN, ALEXEY, DMITRY, FOREMAN, HEAD, MARIA, Stage

CODE = "analysis_and_corrections"
OFFICER, ACCOUNTANT = 8, 9
"""Nikolai works as the quality officer here, Elena keeps the books."""
SUMMARY: dict[str, Any] = {"satisfaction": "5", "terms_kept": "yes", "deviations": "no", "result": "done"}
CLEAN: dict[str, Any] = {"violations_found": "no", "unforeseen": "no", "conclusion": "Без замечаний"}
LATE = {"type": "terms", "fact": "Монтаж на день позже", "link": "https://company.example/call/7"}
PAPERS = {"type": "documents", "fact": "В акте чужой адрес"}
FOUND: dict[str, Any] = {
    "violations_found": "yes",
    "violations": [LATE, PAPERS],
    "unforeseen": "no",
    "conclusion": "Сроки не сверяются при переносе",
}
REGULATION = {"kind": "regulation", "text": "Дополнить регламент переноса монтажа"}
SYSTEM = {"kind": "system", "system": "bitrix24", "text": "Проверять дату при переносе"}
LEARN = {"kind": "order", "employee": str(MARIA), "text": "Курс по договорной работе"}
MEASURES: dict[str, Any] = {"outcome": "partial", "measures": [REGULATION, SYSTEM, LEARN]}
CORRECT: dict[str, Any] = {"outcome": "correct", "praise": "Всё по регламенту"}
YES: dict[str, Any] = {"decision": "approve"}


def no(why: str) -> dict[str, Any]:
    return {"decision": "reject", "comment": why}


@dataclass(slots=True)
class Loop:
    """The loop on a stage: who plays which part, and what people fill in."""

    stage: Stage

    def __post_init__(self) -> None:
        """Name who stands in for the roles of the quality department."""
        parts = {
            "quality_officer": OFFICER,
            "head_of_logistics": FOREMAN,
            "head_of_sales": HEAD,
            "chief_accountant": ACCOUNTANT,
            "head_of_installation": FOREMAN,
            "head_of_it": DMITRY,
            "methodologist": ALEXEY,
        }
        workshop = self.stage.application.workshop
        with workshop.database.write() as connection:
            settings = PortalSettings(crew_users=(ALEXEY,), public_holidays=False, stand_ins=parts)
            workshop.portals.set_settings(connection, self.stage.portal_id, settings)

    @property
    def items(self) -> Items:
        return Items(self.stage, CODE)

    # forms -----------------------------------------------------------------------------------------------------------

    def sheet(self, item: ItemRef, user: int) -> Sheet:
        """Open the quality tab of a card."""
        workshop = self.stage.application.workshop
        portal = workshop.portal(self.stage.portal_id)
        return look(workshop, gate_of(workshop, portal), portal, item, user)

    def fill(self, item: ItemRef, user: int, answers: dict[str, Any]) -> None:
        """Fill in the form the card asks for now, and let everything come to rest."""
        self.send(item, user, answers)
        self.stage.settle()

    def send(self, item: ItemRef, user: int, answers: dict[str, Any]) -> None:
        """Send the form the card asks for now; nothing follows yet."""
        workshop = self.stage.application.workshop
        portal, sheet = workshop.portal(self.stage.portal_id), self.sheet(item, user)
        assert sheet.form is not None, "no form is asked for"
        by = (user, sheet.people.name(user))
        sent = submit(workshop, gate_of(workshop, portal), portal, item, by, sheet.form.name, sheet.round, answers)
        assert not isinstance(sent, Problems), sent
        assert sent == Sent(), sent

    # the way -----------------------------------------------------------------------------------------------------------

    def lost_deal(self, by: int = MARIA) -> ItemRef:
        """Lose a deal: the shortest way to an end."""
        return ItemRef(2, self.stage.arrive("lost", assignedById=by))

    def summed_up(self, deal: ItemRef, by: int = MARIA) -> ItemRef:
        """Sum a deal up; returns the correction that comes of it."""
        before = self.corrections()
        self.fill(deal, by, SUMMARY)
        (made,) = [item for item in self.corrections() if item not in before]
        return made

    def corrections(self) -> list[ItemRef]:
        kind = self.stage.tie(CODE).entity_type_id
        return [ItemRef(kind, number) for number in self.stage.portal.crm.items.get(kind, {})]

    def begun(self) -> ItemRef:
        """Have a lost deal on the desk of the quality officer."""
        return self.summed_up(self.lost_deal())

    def analyse(self, item: ItemRef, found: dict[str, Any] | None = None) -> None:
        """Have the analysis done and its checklist ticked, the card on «Формулирование мер»."""
        self.tick(item, "Провести анализ", OFFICER)
        self.fill(item, OFFICER, found or FOUND)
        self.items.move(item, "measures")

    def put_to_the_vote(self, item: ItemRef, measures: dict[str, Any] | None = None) -> None:
        """Have the measures worded, the card on «Согласование»."""
        self.fill(item, OFFICER, measures or MEASURES)
        self.items.move(item, "approval")

    def agree(self, item: ItemRef) -> None:
        """Have the measures agreed on, the card on «Осуществляем изменения»."""
        for member in self.commission(item):
            self.fill(item, member, YES)
        self.items.move(item, "changes")

    # looking and doing ---------------------------------------------------------------------------------------------------

    @property
    def deal(self) -> ItemRef:
        """The deal that was made first."""
        return ItemRef(2, self.stage.deal)

    @property
    def item(self) -> ItemRef:
        """The correction that was begun first."""
        return self.corrections()[0]

    def field(self, item: ItemRef, name: str) -> Any:
        params = {"entityTypeId": item.entity_type_id, "id": item.id, "useOriginalUfNames": "Y"}
        found = self.stage.portal.as_user(ADMIN).call("crm.item.get", **params)["item"]
        return found[self.stage.tie(CODE).fields.get(name, name)]

    def commission(self, item: ItemRef) -> list[int]:
        return [int(user) for user in self.field(item, "commission") or []]

    def rows(self, item: ItemRef) -> list[dict[str, Any]]:
        """Return the tasks of an item as the portal tells them, oldest first."""
        select = ["ID", "TITLE", "STATUS", "RESPONSIBLE_ID", "CREATED_BY", "GROUP_ID", "STAGE_ID", "DESCRIPTION", "DEADLINE"]
        params = {"filter": {"UF_CRM_TASK": item.binding}, "order": {"ID": "asc"}, "select": select}
        return list(self.stage.portal.as_user(ADMIN).call("tasks.task.list", **params)["tasks"])

    def task(self, item: ItemRef, title: str) -> dict[str, Any]:
        """Return the newest task whose title contains a text."""
        return next(row for row in reversed(self.rows(item)) if title in row["title"])

    def lines(self, item: ItemRef, title: str) -> list[str]:
        rows = self.stage.portal.as_user(ADMIN).call(
            "task.checklistitem.getlist", **{"0": int(self.task(item, title)["id"])}
        )
        return [row["TITLE"] for row in rows if str(row["PARENT_ID"]) != "0"]

    def tick(self, item: ItemRef, title: str, by: int) -> None:
        number, person = int(self.task(item, title)["id"]), self.stage.portal.as_user(by)
        for row in person.call("task.checklistitem.getlist", **{"0": number}):
            if str(row["PARENT_ID"]) != "0":
                person.call("task.checklistitem.complete", **{"0": number, "1": int(row["ID"])})

    def finish(self, item: ItemRef, title: str, by: int, *, proof: str = "") -> None:
        """Tick and complete a task the way its executor does, with a result where one is wanted."""
        number, person = int(self.task(item, title)["id"]), self.stage.portal.as_user(by)
        self.tick(item, title, by)
        if proof:
            comment = person.call("task.commentitem.add", **{"0": number, "1": {"POST_MESSAGE": proof}})
            person.call("tasks.task.result.addFromComment", commentId=comment)
        person.call("tasks.task.complete", taskId=number)
        self.stage.settle()

    def accept(self, item: ItemRef, title: str, by: int = OFFICER) -> None:
        self.stage.portal.as_user(by).call("tasks.task.approve", taskId=int(self.task(item, title)["id"]))
        self.stage.settle()

    def points(self, item: ItemRef) -> dict[int, int]:
        with self.stage.application.workshop.database.read() as connection:
            return forms.points(connection, self.stage.portal_id, item)

    def news(self) -> list[NewsPost]:
        return list(self.stage.portal.messages.posts.values())

    def whys(self, item: ItemRef, robot: str) -> list[str]:
        return [run.why.ru for run in self.stage.runs(item, robot)]
