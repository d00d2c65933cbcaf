"""A card of the smart process “Analysis and corrections”, as people move it and fill its forms in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from demo.quality import tab
from demo.screens import ADMIN, OPEN, Row
from demo.walk import Entry, Walk

SMART = "DT"


class Card:
    """One card; its stages are added to those the walk knows by name."""

    def __init__(self, walk: Walk, item: tuple[int, int]) -> None:
        self.walk, (self.kind, self.number) = walk, item
        self.binding = f"T{self.kind:x}_{self.number}"
        stages = walk.portal.click(ADMIN, "crm.status.list", order={"SORT": "ASC"})
        ours = [row for row in stages if str(row["STATUS_ID"]).startswith(f"{SMART}{self.kind}_")]
        walk.stages |= {str(row["NAME"]): str(row["STATUS_ID"]) for row in ours}
        fields = walk.portal.click(ADMIN, "crm.item.fields", entityTypeId=self.kind, useOriginalUfNames="Y")["fields"]
        self._codes = {str(row["title"]): str(code) for code, row in fields.items()}

    # looking ----------------------------------------------------------------------------------------------------------

    def item(self) -> Row:
        """Return the card as the portal tells it."""
        asked = {"entityTypeId": self.kind, "id": self.number, "useOriginalUfNames": "Y"}
        return dict(self.walk.portal.click(ADMIN, "crm.item.get", **asked)["item"])

    def field(self, label: str) -> Any:
        """Return what stands in a field, by the name people see."""
        return self.item()[self._codes[label]]

    def names(self, users: Iterable[int]) -> str:
        """Write people in a line."""
        return ", ".join(self.walk.portal.names[user] for user in users)

    def tasks(self) -> list[Row]:
        """Return all tasks of the card, oldest first."""
        return self.walk.portal.tasks_of(self.binding)

    def open_tasks(self, user: int = 0) -> list[str]:
        """Return the titles of open tasks, of one person if named."""
        rows = (task for task in self.tasks() if task["status"] in OPEN)
        return [str(task["title"]) for task in rows if user in (0, int(task["responsibleId"]))]

    def task(self, title: str) -> Row:
        """Find the newest task whose title has a text in it; raises `LookupError`."""
        found = [task for task in self.tasks() if title in task["title"]]
        if not found:
            raise LookupError(f"no task with “{title}” for {self.binding}")
        return found[-1]

    def board(self, title: str) -> tuple[str, str]:
        """Return the project and the column a task stands in."""
        task, click = self.task(title), self.walk.portal.click
        (group,) = click(ADMIN, "sonet_group.get", FILTER={"ID": task["groupId"]})
        columns = click(ADMIN, "task.stages.get", entityId=int(task["groupId"]), isAdmin="Y")
        return str(group["NAME"]), str(columns[str(task["stageId"])]["TITLE"])

    # acts -------------------------------------------------------------------------------------------------------------

    def move(self, user: int, stage: str) -> None:
        """Let a person drag the card to a stage, and count the requests that follow."""
        walk = self.walk
        before = walk.portal.requests()
        asked = {"entityTypeId": self.kind, "id": self.number, "fields": {"stageId": walk.stages[stage]}}
        walk.act(
            user,
            f"переводит карточку на стадию «{stage}»",
            f"moves the card to “{stage}”",
            lambda: walk.portal.click(user, "crm.item.update", **asked),
        )
        walk.entries.append(Entry(stage, walk.portal.requests() - before))

    def fill(self, user: int, ru: str, en: str, answers: Mapping[str, str], **rows: Sequence[Mapping[str, str]]) -> None:
        """Let a person fill in the form the card asks for; ``rows`` are answers that come as a list."""

        def send() -> None:
            page = tab(self.walk, user, self.kind, self.number)
            typed = {f"q.{name}": answer for name, answer in answers.items()}
            for name, listed in rows.items():
                for _ in listed[1:]:
                    page.submit("/quality/send", more=name, **typed)
                typed |= {f"q.{name}.{n}.{key}": said for n, row in enumerate(listed) for key, said in row.items()}
            page.submit("/quality/send", **typed)

        self.walk.act(user, f"на вкладке «Качество» {ru}", f"on the tab “Quality” {en}", send)

    def tick(self, user: int, title: str, ru: str, en: str) -> None:
        """Let a person go through the checklist of a task."""
        self.walk.act(user, ru, en, lambda: self.walk.portal.tick(user, int(self.task(title)["id"])))

    def spent(self, user: int, title: str, *, hours: int) -> None:
        """Let a person note the time a task took."""
        task = int(self.task(title)["id"])
        self.walk.say(user, f"отмечает в задаче затраченное время: {hours} ч", f"notes the time spent: {hours} h")
        self.walk.portal.click(user, "task.elapseditem.add", **{"0": task, "1": {"SECONDS": hours * 3600, "USER_ID": user}})

    def over_the_board(self, user: int, title: str, columns: Sequence[str]) -> None:
        """Let a person drag a task through the columns of its project, one after another."""
        task, click = self.task(title), self.walk.portal.click
        known = click(ADMIN, "task.stages.get", entityId=int(task["groupId"]), isAdmin="Y")
        ids = {str(column["TITLE"]): int(column["ID"]) for column in known.values()}
        way = " → ".join(columns)
        self.walk.say(user, f"ведёт задачу по канбану: {way}", f"drags the task over the board: {way}")
        for column in columns:
            click(user, "task.stages.movetask", id=int(task["id"]), stageId=ids[column])
        found = self.board(title)[1]
        self.walk.tell.expect(
            f"задача в столбце «{columns[-1]}»", f"the task is in “{columns[-1]}”", seen=found == columns[-1]
        )

    def finish(self, user: int, title: str, *, proof: str = "") -> None:
        """Let a person tick a task's checklist and finish it, with a result where one is wanted."""
        portal, task = self.walk.portal, self.task(title)

        def deed() -> None:
            number = int(task["id"])
            portal.tick(user, number)
            if proof:
                comment = portal.click(user, "task.commentitem.add", **{"0": number, "1": {"POST_MESSAGE": proof}})
                portal.click(user, "tasks.task.result.addFromComment", commentId=comment)
            portal.complete(user, number)

        self.walk.act(user, f"закрывает задачу «{task['title']}»", f"finishes the task “{task['title']}”", deed)

    def accept(self, user: int, title: str) -> None:
        """Let whoever gave a task accept it."""
        number = int(self.task(title)["id"])
        accept: Callable[[], Any] = lambda: self.walk.portal.click(user, "tasks.task.approve", taskId=number)  # noqa: E731
        self.walk.act(user, "принимает работу", "accepts the work", accept)

    # expecting --------------------------------------------------------------------------------------------------------

    def stands(self, stage: str) -> None:
        """Expect the card to stand on a stage."""
        stages, found = self.walk.stages, self.item()["stageId"]
        seen = next((name for name, known in stages.items() if known == found), found)
        self.walk.tell.expect(
            f"карточка на стадии «{stage}»", f"the card stands on “{stage}”", seen=seen == stage, instead=seen
        )

    def given(self, user: int, title: str) -> None:
        """Expect an open task of a person."""
        found, who = self.open_tasks(user), self.walk.portal.names[user]
        seen = any(title in task for task in found)
        self.walk.tell.expect(f"{who}: есть задача «{title}»", f"{who} has the task “{title}”", seen=seen, instead=found)

    def commented(self, text: str) -> None:
        """Expect a comment with a text in the timeline."""
        where = {"ENTITY_ID": self.number, "ENTITY_TYPE": f"DYNAMIC_{self.kind}"}
        rows = self.walk.portal.click(ADMIN, "crm.timeline.comment.list", filter=where, order={"ID": "ASC"})
        seen = any(text in str(row["COMMENT"]) for row in rows)
        self.walk.tell.expect(f"в ленте карточки: «{text}»", f"the timeline says: “{text}”", seen=seen)
