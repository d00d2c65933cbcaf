"""What a person does and what follows: a click, both sides come to rest, the journal is read aloud."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from demo.office import Office
from demo.screens import DEAL, DONE, OPEN, Portal, Row
from demo.telling import actions_worth_telling, done_in_words, worth_telling
from demo.words import Narrator

COMPANY = ZoneInfo("Europe/Moscow")
PIPELINE = "Монтаж потолков"
CONTRACT = "Заключить договор"
SIGNED = "Договор подписан, счет отправлен"
MATERIALS_PAID = "Оплата за материалы поступила"
MATERIALS_BOUGHT = "Материалы закуплены"
DATE_AGREED = "Дата начала работ согласована"
INSTALLATION = "Монтаж назначен"
WORK_DONE = "Работы завершены"
PAID = "Оплата получена, работы приняты"
LOST = "Сделка не успешная"

ROUNDS = 60
PATIENCE = 20.0
POLL = 0.02


class NoRest(Exception):
    """The two sides did not come to rest in time."""


@dataclass(slots=True)
class Entry:
    """A card dragged to a stage, and how many requests to the portal the application needed for what followed."""

    stage: str
    requests: int


@dataclass(slots=True)
class Walk:
    """Plays people. What they do is checked on the portal, what the application says comes from its journal."""

    portal: Portal
    office: Office
    tell: Narrator
    client_id: str = ""
    payment_key: str = ""
    entries: list[Entry] = field(default_factory=list)
    runs: list[Row] = field(default_factory=list)
    stages: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    pipeline: int = 0

    # resting ----------------------------------------------------------------------------------------------------------

    def rest(self) -> None:
        """Deliver what is due and wait until neither side has anything to do; raises `NoRest`."""
        for _ in range(ROUNDS):
            self.portal.deliver()
            self._app_at_rest()
            if not self.portal.deliver():
                return
        raise NoRest("the portal goes on sending")

    def _app_at_rest(self) -> None:
        ends = time.monotonic() + PATIENCE
        while not self.office.at_rest():
            if time.monotonic() > ends:
                raise NoRest(f"the application is busy: {self.office.portals()}")
            time.sleep(POLL)

    def follow(self) -> list[Row]:
        """Come to rest and read aloud what the journal says; gives the new runs."""
        self.rest()
        news = list(self.office.news())
        for run in filter(worth_telling, news):
            self.tell.why(self.tell.of(run["why"]["ru"], run["why"]["en"]))
            for action in actions_worth_telling(run):
                words = done_in_words(self.tell, action, self.portal.names, self.stages)
                if words:
                    self.tell.done(words)
        self.runs += news
        return news

    # acts -------------------------------------------------------------------------------------------------------------

    def act(self, user: int, ru: str, en: str, deed: Callable[[], Any]) -> Any:
        """Let a person do something, and follow what comes of it."""
        self.say(user, ru, en)
        result = deed()
        self.follow()
        return result

    def say(self, user: int, ru: str, en: str) -> None:
        """Say what a person does at this moment."""
        self.tell.did(self.clock(), self.portal.names[user], self.tell.of(ru, en))

    def clock(self) -> str:
        """Write the moment by the company's clock."""
        return f"{self.now():%d.%m %H:%M}"

    def now(self) -> datetime:
        """Read the world's clock as the company does."""
        return self.portal.now().astimezone(COMPANY)

    def wait(self, ru: str, en: str, *, to: datetime | None = None, **by: float) -> list[Row]:
        """Let time pass, to a moment or by a while, and follow what comes due."""
        if to is None:
            self.portal.advance(timedelta(**by))
        else:
            self.portal.turn(to)
        self.tell.did(self.clock(), self.tell.of("часы", "the clock"), self.tell.of(ru, en))
        return self.follow()

    def create(self, user: int, fields: Row, ru: str, en: str) -> int:
        """Let a person create a deal in the pipeline; gives its number."""

        whole = {**fields, "categoryId": self.pipeline}
        made = self.act(
            user,
            ru,
            en,
            lambda: self.portal.click(user, "crm.item.add", entityTypeId=DEAL, fields=whole, useOriginalUfNames="Y"),
        )
        return int(made["item"]["id"])

    def write(self, user: int, deal: int, ru: str, en: str, /, **labelled: Any) -> None:
        """Let a person fill fields of a card; own fields by their codes."""
        self.act(user, ru, en, lambda: self._update(user, deal, labelled))

    def move(self, user: int, deal: int, stage: str, ru: str = "", en: str = "") -> None:
        """Let a person drag a card to a stage, and count the requests that follow."""
        ru = ru or f"переводит сделку на стадию «{stage}»"
        before = self.portal.requests()
        fields = {"stageId": self.stages[stage]}
        self.act(user, ru, en or f"moves the deal to “{stage}”", lambda: self._update(user, deal, fields))
        self.entries.append(Entry(stage, self.portal.requests() - before))

    def close(self, user: int, deal: int, title: str, ru: str = "", en: str = "") -> None:
        """Let a person tick a task's checklist and finish it."""
        task = self.task(deal, title)
        ru, en = (
            ru or f"проходит чек-лист и закрывает задачу «{task['title']}»",
            en or f"finishes the task “{task['title']}”",
        )
        self.say(user, ru, en)
        self.portal.tick(user, int(task["id"]))
        self.portal.complete(user, int(task["id"]))
        self.follow()

    def _update(self, user: int, deal: int, fields: dict[str, Any]) -> None:
        named = {self.fields.get(name, name): value for name, value in fields.items()}
        self.portal.click(user, "crm.item.update", entityTypeId=DEAL, id=deal, fields=named, useOriginalUfNames="Y")

    # looking ----------------------------------------------------------------------------------------------------------

    def stage_of(self, deal: int) -> str:
        """Name the stage a deal stands on."""
        stage_id = self.portal.deal(deal)["stageId"]
        return next((name for name, known in self.stages.items() if known == stage_id), str(stage_id))

    def open_tasks(self, deal: int, user: int | None = None) -> list[str]:
        """Return the titles of the open tasks of a deal, of one person if named."""
        return [
            str(task["title"])
            for task in self.portal.tasks(deal)
            if task["status"] in OPEN and (user is None or str(task["responsibleId"]) == str(user))
        ]

    def task(self, deal: int, title: str) -> Row:
        """Find the newest task of a deal whose title has a text in it: an open one before a closed one."""
        found = [task for task in self.portal.tasks(deal) if title in task["title"]]
        if not found:
            raise LookupError(f"no task with “{title}” for deal {deal}")
        return max(found, key=lambda task: (task["status"] in OPEN, int(task["id"])))

    def visits(self, user: int) -> list[Row]:
        """Return the visits of our orders in a person's calendar."""
        return [event for event in self.portal.visits(user, self.portal.now()) if "Монтаж" in str(event["NAME"])]

    # expecting --------------------------------------------------------------------------------------------------------

    def stands(self, deal: int, stage: str) -> None:
        """Expect a deal to stand on a stage."""
        found = self.stage_of(deal)
        self.tell.expect(f"сделка на стадии «{stage}»", f"the deal stands on “{stage}”", seen=found == stage, instead=found)

    def given(self, deal: int, user: int, title: str) -> None:
        """Expect an open task of a person."""
        found, who = self.open_tasks(deal, user), self.portal.names[user]
        seen = any(title in task for task in found)
        self.tell.expect(f"{who}: есть задача «{title}»", f"{who} has the task “{title}”", seen=seen, instead=found)

    def not_given(self, deal: int, title: str) -> None:
        """Expect no open task with such a title."""
        found = [task for task in self.open_tasks(deal) if title in task]
        self.tell.expect(f"задачи «{title}» нет", f"there is no task “{title}”", seen=not found, instead=found)

    def closed(self, deal: int, title: str) -> None:
        """Expect a task to be finished for good."""
        status = self.task(deal, title)["status"]
        self.tell.expect(f"задача «{title}» закрыта", f"the task “{title}” is finished", seen=status == DONE, instead=status)

    def commented(self, deal: int, text: str) -> None:
        """Expect a comment with a text in the timeline."""
        seen = any(text in comment for comment in self.portal.comments(deal))
        self.tell.expect(f"в ленте сделки: «{text}»", f"the timeline says: “{text}”", seen=seen)
