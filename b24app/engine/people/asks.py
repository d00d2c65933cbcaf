"""What people ask for with a button in the card: help with a stage, and to be spared what they know by heart."""

from __future__ import annotations

from typing import Any

from b24app.core.actions import Step
from b24app.core.item import ItemRef
from b24app.core.text import T
from b24app.engine.known import Standing, standing_of
from b24app.engine.workshop import Workshop
from b24app.store import audit, queue, training
from b24app.store.portals import Portal

TRAINING = "training_comment"
_WHY = T("{user} просит помощи с этапом", "{user} asks for help with the stage")


class NothingToTell(Exception):
    """The item stands in no process, or its stage has no training text."""


def training_of(standing: Standing) -> Step | None:
    """Return what the stage has to teach: its own training step, wherever the process file put it."""
    stage = standing.stage
    if stage is None:
        return None
    changes = stage.changes.then if stage.changes else ()
    steps = (*stage.enter, *stage.otherwise, *changes)
    return next((step for step in steps if step.robot == TRAINING), None)


def ask_help(workshop: Workshop, portal: Portal, item: ItemRef, user: str) -> bool:
    """Have the stage's training comment written once more; False when somebody asked within this hour.

    ``user`` is the name of who asks. Raises `NothingToTell`.
    """
    now = workshop.now()
    with workshop.database.write() as connection:
        standing = standing_of(connection, workshop, portal, item)
        step = training_of(standing) if standing else None
        if standing is None or step is None:
            raise NothingToTell(item.binding)
        props: dict[str, Any] = {**step.props, "when": "always"}
        why = _WHY.fill(user=user).at(portal.settings.lang)
        body = {"steps": [{"robot": step.robot, "props": props}], "by": user, "why": why}
        key = f"ask:help:{item.binding}:{now:%Y%m%d%H}"
        asked = queue.add_work(connection, portal.id, item, key, "ask", body, now) is not None
        if asked:
            workshop.portals.wake(connection, portal.id, now)
    if asked:
        workshop.wake(portal.id)
    return asked


def set_learned(workshop: Workshop, portal: Portal, user: int, learned: bool, by: str) -> None:
    """Remember that a user knows the process by heart and wants no training, or wants it again."""
    now = workshop.now()
    with workshop.database.write() as connection:
        training.set_learned(connection, portal.id, user, learned, now)
        audit.note(connection, portal.id, now, by, "learned", "", user=user, learned=learned)
