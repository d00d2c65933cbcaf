"""The portal as people see it: what they click is a call in their name, what they read is the portal's own answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests

DEAL, LEAD = 2, 1
ADMIN = 1
OPEN, DONE = ("2", "3"), "5"
TIMEOUT = 30

Row = dict[str, Any]


class Refused(Exception):
    """A server answered with an error."""


class Forms(HTMLParser):
    """The forms of a page as a browser finds them: address, and fields with what is chosen or written in them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str]]]] = []
        self.marks: dict[str, str] = {}
        self.secret = ""
        self._select: tuple[str, list[tuple[str, bool]]] | None = None
        self._writes_into: Callable[[str], None] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take up a form or one of its fields."""
        given = {name: value or "" for name, value in attrs}
        self.marks |= {name: value for name, value in given.items() if name.startswith("data-")}
        if tag == "pre" and given.get("class") == "secret":
            self._writes_into = self._secret_is
        elif tag == "form":
            self.found.append((given.get("action", "").partition("#")[0], []))
        elif tag == "option" and self._select is not None:
            self._select[1].append((given.get("value", ""), "selected" in given))
            if "value" not in given:
                self._writes_into = self._option_is
        elif self.found and given.get("name"):
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        fields, name = self.found[-1][1], given["name"]
        if tag == "select":
            self._select = (name, [])
        elif tag == "textarea":
            fields.append((name, ""))
            self._writes_into = self._text_is
        elif tag == "input" and (given.get("type") not in {"checkbox", "radio"} or "checked" in given):
            fields.append((name, given.get("value", "")))

    def handle_data(self, data: str) -> None:
        """Take up what is written between two tags, where it is a value."""
        if self._writes_into is not None:
            self._writes_into(data)

    def handle_endtag(self, tag: str) -> None:
        """End a value; of a list, what is chosen or stands first."""
        self._writes_into = None
        if tag == "select" and self._select is not None:
            name, options = self._select
            chosen = [value for value, selected in options if selected] or [value for value, _ in options[:1]]
            self.found[-1][1].extend((name, value) for value in chosen)
            self._select = None

    def _text_is(self, text: str) -> None:
        self.found[-1][1][-1] = (self.found[-1][1][-1][0], text)

    def _option_is(self, text: str) -> None:
        if self._select is not None:
            self._select[1][-1] = (text, self._select[1][-1][1])

    def _secret_is(self, text: str) -> None:
        self.secret = text.strip()


def forms_of(page: str) -> Forms:
    """Read the forms of a page."""
    reader = Forms()
    reader.feed(page)
    return reader


def answered(reply: requests.Response) -> Any:
    """Return the JSON of an answer; raises `Refused` for an error."""
    if reply.status_code >= 400:
        raise Refused(f"{reply.request.method} {reply.url}: {reply.status_code} {reply.text[:300]}")
    return reply.json()


class Portal:
    """The pretend portal, through the endpoints its page uses."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = requests.Session()

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Read a control endpoint, or post to it when there is a body."""
        url = f"{self.address}/_sandbox/{path}"
        reply = self._http.get(url, timeout=TIMEOUT) if body is None else self._http.post(url, json=body, timeout=TIMEOUT)
        return answered(reply)

    def click(self, user: int, method: str, /, **params: Any) -> Any:
        """Do what a method does as this user at the screen."""
        return self.ask(f"as/{user}/{method}", params)["result"]

    # the world ------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Read the clock of the world."""
        return datetime.fromisoformat(self.ask("clock")["now"])

    def turn(self, to: datetime) -> None:
        """Turn the clock of the world to a moment."""
        self.ask("clock", {"to": to.isoformat()})

    def advance(self, by: timedelta) -> None:
        """Turn the clock of the world on."""
        self.ask("clock", {"advance_seconds": by.total_seconds()})

    def deliver(self) -> int:
        """Deliver the events and robot calls that are due, and give how many."""
        return int(self.ask("deliver", {})["delivered"])

    def requests(self) -> int:
        """Count the requests that have come to the portal's REST."""
        return int(self.ask("state")["requests"])

    def sms(self) -> list[Row]:
        """Return the messages the gateway has accepted."""
        return list(self.ask("sms"))

    @cached_property
    def names(self) -> dict[int, str]:
        """The names of the people by their numbers."""
        return {int(user["id"]): str(user["name"]) for user in self.ask("state")["users"]}

    # the pipeline -----------------------------------------------------------------------------------------------------

    def pipeline(self, name: str) -> int:
        """Find a pipeline of deals by its name."""
        found = self.click(ADMIN, "crm.category.list", entityTypeId=DEAL)["categories"]
        return next(int(row["id"]) for row in found if row["name"] == name)

    def stages(self, pipeline: int) -> dict[str, str]:
        """Return the ids of a pipeline's stages by their names, in their order."""
        rows = self.click(ADMIN, "crm.status.list", order={"SORT": "ASC"}, filter={"ENTITY_ID": f"DEAL_STAGE_{pipeline}"})
        return {str(row["NAME"]): str(row["STATUS_ID"]) for row in rows}

    def fields(self) -> dict[str, str]:
        """Return the codes of a deal's fields by the labels people see."""
        rows = self.click(ADMIN, "crm.item.fields", entityTypeId=DEAL, useOriginalUfNames="Y")["fields"]
        return {str(row["title"]): str(code) for code, row in rows.items()}

    # cards ------------------------------------------------------------------------------------------------------------

    def deals(self, **where: Any) -> list[Row]:
        """Return deals."""
        found = self.click(ADMIN, "crm.item.list", entityTypeId=DEAL, filter=where, useOriginalUfNames="Y")
        return list(found["items"])

    def deal(self, number: int) -> Row:
        """Return the card of a deal."""
        return dict(self.click(ADMIN, "crm.item.get", entityTypeId=DEAL, id=number, useOriginalUfNames="Y")["item"])

    def comments(self, deal: int) -> list[str]:
        """Return the comments in the timeline of a deal, oldest first."""
        where = {"ENTITY_ID": deal, "ENTITY_TYPE": "deal"}
        rows = self.click(ADMIN, "crm.timeline.comment.list", filter=where, order={"ID": "ASC"})
        return [str(row["COMMENT"]) for row in rows]

    def visits(self, user: int, around: datetime) -> list[Row]:
        """Return what stands in the calendar of a user in the weeks around a moment."""
        span = {"from": f"{around - timedelta(21):%Y-%m-%d}", "to": f"{around + timedelta(42):%Y-%m-%d}"}
        return list(self.click(user, "calendar.event.get", type="user", ownerId=user, **span))

    def notifications(self, user: int) -> list[Row]:
        """Return the notifications of a user."""
        return list(self.ask("state")["notifications"][str(user)])

    # tasks ------------------------------------------------------------------------------------------------------------

    def tasks(self, deal: int) -> list[Row]:
        """Return the tasks of a deal, oldest first."""
        return self.tasks_of(f"D_{deal}")

    def tasks_of(self, binding: str) -> list[Row]:
        """Return the tasks bound to a card of any kind, oldest first."""
        asked = {"filter": {"UF_CRM_TASK": binding}, "order": {"ID": "asc"}}
        select = ["ID", "TITLE", "STATUS", "RESPONSIBLE_ID", "GROUP_ID", "STAGE_ID"]
        return list(self.click(ADMIN, "tasks.task.list", **asked, select=select)["tasks"])

    def checklist(self, task: int) -> list[Row]:
        """Return the lines of the checklists of a task, without their headings."""
        rows = self.click(ADMIN, "task.checklistitem.getlist", **{"0": task})
        return [row for row in rows if str(row["PARENT_ID"]) != "0"]

    def tick(self, user: int, task: int, *, leave: int = 0) -> list[str]:
        """Tick the lines of a task but the last ``leave`` of them, and return the titles of those left open."""
        lines = self.checklist(task)
        for line in lines[: len(lines) - leave]:
            if line["IS_COMPLETE"] != "Y":
                self.click(user, "task.checklistitem.complete", **{"0": task, "1": int(line["ID"])})
        return [str(line["TITLE"]) for line in lines[len(lines) - leave :]] if leave else []

    def complete(self, user: int, task: int) -> None:
        """Press "finish" in a task."""
        self.click(user, "tasks.task.complete", taskId=task)

    # frames -----------------------------------------------------------------------------------------------------------

    def frame(self, client_id: str, user: int, placement: str = "DEFAULT", **options: Any) -> tuple[str, dict[str, str]]:
        """Open a page of the application as the portal does: the address and the form its frame posts."""
        found = self.ask("frame", {"client_id": client_id, "user_id": user, "placement": placement, "options": options})
        return found["url"], found["form"]


class Browser:
    """A person's browser inside the portal: posts what frames and forms post, keeps no cookies."""

    def __init__(self, page: str = "", address: str = "") -> None:
        self.page, self.address = page, address

    def post(self, url: str, form: Mapping[str, Any] | list[tuple[str, str]]) -> str:
        """Post a form and show the page that comes back; raises `Refused` for an error."""
        headers = {"Accept": "text/html"}
        reply = requests.post(url, data=form, headers=headers, timeout=120, allow_redirects=False)
        if reply.status_code >= 400:
            raise Refused(f"POST {url}: {reply.status_code} {reply.text[:300]}")
        self.page, self.address = reply.text, url
        return self.page

    def submit(self, ends: str, **changed: str | list[str]) -> str:
        """Press the button of the form whose address ends so, with what stands in it and a few changes."""
        action, fields = next(form for form in forms_of(self.page).found if form[0].endswith(ends))
        kept = [(name, value) for name, value in fields if name not in changed]
        for name, given in changed.items():
            kept += [(name, value) for value in ([given] if isinstance(given, str) else given)]
        return self.post(urljoin(self.address, action), kept)
