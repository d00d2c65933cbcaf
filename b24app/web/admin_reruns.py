"""The operators' buttons for doing again: a run, an item's stage, a robot on an item. Shown first, then confirmed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypedDict
from uuid import uuid4

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from b24app.bitrix.errors import PortalError
from b24app.core.item import ItemRef
from b24app.core.process_yaml import read_yaml
from b24app.core.properties import BadProperty
from b24app.core.text import T
from b24app.engine.decisions.plan import BadStep
from b24app.engine.decisions.rerun import NoSuchThing
from b24app.engine.watching import admin
from b24app.engine.watching.admin import NotThere
from b24app.engine.workshop import Workshop
from b24app.web import shown
from b24app.web.admin_api import item_of
from b24app.web.operators import CHANGES, Pace, Preview, Reruns
from b24app.web.sessions import Session, Sessions

_RUN = "/runs/<int(max=9007199254740991):number>"
_ITEM = "/portals/<int(max=9007199254740991):number>/items/<binding>"
LONGEST_PROPS = 20_000
LONGEST_ONCE = 64
_MAPPING = T("свойства пишутся строками «имя: значение»", "properties are written in lines “name: value”")
_LONG = T("свойства длиннее {limit} знаков", "the properties are longer than {limit} characters")

Show = Callable[..., str]
Why = Callable[[Workshop, Pace, Session], str]


class How(TypedDict):
    """Whether it is only shown, and what makes it happen once."""

    dry_run: bool
    once: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What an operator asked for with one of the forms, and what came of it: a preview, what was done, or a trouble."""

    form: str = ""
    why: str = ""
    force: bool = False
    dry_run: bool = True
    once: str = ""
    """What tells this asking from another: a button pressed twice does once."""
    robot: str = ""
    props: str = ""
    preview: Preview | None = None
    trouble: T | None = None

    @property
    def how(self) -> How:
        return {"dry_run": self.dry_run, "once": self.once}


class BadProps(ValueError):
    """Properties that are no YAML mapping; ``why`` says it to people."""

    def __init__(self, why: T) -> None:
        super().__init__(why.en)
        self.why = why


def run_page(workshop: Workshop, show: Show, number: int, asked: Asked | None = None) -> str:
    """Show a run with everything that became of it; raises `NotThere`."""
    story = admin.run_story(workshop, number)
    portal, names = admin.names_for(workshop, [story.portal_id])[story.portal_id]
    return show("admin_run.html", story=story, portal=portal, names=names, asked=asked or Asked(), pretty=pretty)


def item_page(workshop: Workshop, show: Show, portal_id: int, item: ItemRef, asked: Asked | None = None) -> str:
    """Show where an item stands and what can be done for it; raises `NotThere`."""
    portal, names = admin.names_for(workshop, [admin.find_portal(workshop, str(portal_id)).id])[portal_id]
    entry, robots = admin.newest_entry(workshop, portal.id, item), workshop.catalogue.values()
    values = {"item": item, "entry": entry, "robots": robots, "asked": asked or Asked(), "pretty": pretty}
    return show("admin_item.html", portal=portal, names=names, **values)


def pretty(value: Any) -> str:
    """Write a value of the journal so that people can read it."""
    return json.dumps(shown.as_json(value), ensure_ascii=False, indent=2, default=str)


def pages(bp: Blueprint, workshop: Workshop, sessions: Sessions, reruns: Reruns, show: Show, why_of: Why) -> None:
    """Add the buttons to the operators' pages."""
    pace = Pace(CHANGES)

    def asking(form: str, rerun: Callable[[str, Asked], Preview]) -> Asked:
        """Show what would be done, or do it where that was confirmed."""
        session = sessions.changing()
        given = request.form
        asked = Asked(
            form,
            why_of(workshop, pace, session),
            given.get("force") == "yes",
            given.get("do") != "yes",
            given.get("once", "")[:LONGEST_ONCE] if given.get("do") == "yes" else uuid4().hex,
            given.get("robot", ""),
            given.get("props", ""),
        )
        return _answered(asked, lambda: rerun(session.who, asked))

    @bp.post(f"{_RUN}/rerun")
    def rerun(number: int) -> ResponseReturnValue:
        """Run a robot once more as it was called then."""

        def again(who: str, asked: Asked) -> Preview:
            admin.run_story(workshop, number)
            return reruns.rerun_run(workshop, number, who, asked.why, **asked.how, force=asked.force)

        return run_page(workshop, show, number, asking("run", again))

    @bp.get(_ITEM)
    def item(number: int, binding: str) -> ResponseReturnValue:
        return item_page(workshop, show, number, _item(binding))

    @bp.post(f"{_ITEM}/stage")
    def rerun_stage(number: int, binding: str) -> ResponseReturnValue:
        """Run the checks and steps of the stage an item entered last once more."""

        def again(who: str, asked: Asked) -> Preview:
            entry_id = admin.last_entry_of(workshop, admin.find_portal(workshop, str(number)).id, _item(binding))
            return reruns.rerun_entry(workshop, entry_id, who, asked.why, **asked.how, force=asked.force)

        return item_page(workshop, show, number, _item(binding), asking("stage", again))

    @bp.post(f"{_ITEM}/robot")
    def run_robot(number: int, binding: str) -> ResponseReturnValue:
        """Run a robot for an item, with properties as a process file writes them."""

        def once(who: str, asked: Asked) -> Preview:
            portal_id = admin.find_portal(workshop, str(number)).id
            if asked.robot not in workshop.catalogue:
                raise NotThere(f"robot {asked.robot}")
            props, item = _props(asked.props), _item(binding)
            return reruns.run_robot(workshop, portal_id, item, asked.robot, props, who, asked.why, **asked.how)

        return item_page(workshop, show, number, _item(binding), asking("robot", once))


def _answered(asked: Asked, run: Callable[[], Preview]) -> Asked:
    """Note what came of it; raises `NotThere` for what is not stored."""
    preview: Preview | None = None
    trouble: T | None = None
    try:
        preview = run()
    except NoSuchThing as error:
        raise NotThere(str(error)) from error
    except (BadStep, BadProperty, BadProps) as error:
        trouble = error.why
    except PortalError as error:
        trouble = T.same(str(error))
    return replace(asked, preview=preview, trouble=trouble)


def _item(binding: str) -> ItemRef:
    found = item_of(binding)
    if found is None:
        raise NotThere("item")
    return found


def _props(text: str) -> dict[str, Any]:
    """Read properties as a process file writes them; raises `BadProps`."""
    if not text.strip():
        return {}
    if len(text) > LONGEST_PROPS:
        raise BadProps(_LONG.fill(limit=LONGEST_PROPS))
    written, problems = read_yaml(text, "")
    if problems:
        raise BadProps(problems[0].message)
    if written is None or written.mapping is None:
        raise BadProps(_MAPPING)
    return {name: value.plain() for name, value in written.mapping.items()}
