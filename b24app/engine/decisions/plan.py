"""A piece of work as it is about to be decided: the robots it calls, and the keys their runs will have."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from b24app.bitrix.reading.marks import Shown
from b24app.core.call import Call, Cause, House, Place
from b24app.core.robot import Robot
from b24app.core.text import T
from b24app.engine.decisions.evidence import Verdict
from b24app.engine.knowledge import Running
from b24app.store.queue import Work

Phase = Literal["leave", "check", "otherwise", "enter", "step"]


class BadStep(Exception):
    """A step that cannot be run: an unknown robot, or properties it does not understand; ``why`` says it to people."""

    def __init__(self, why: T) -> None:
        super().__init__(why.en)
        self.why = why


@dataclass(frozen=True, slots=True)
class Invocation:
    """A robot about to be called, and the key its run will have."""

    robot: Robot[Any]
    props: Any
    phase: Phase
    key: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All robots a piece of work calls. Without ``invocations`` the work has nothing to do, for the reason in ``why``."""

    work: Work
    cause: Cause
    place: Place
    house: House
    running: Running | None = None
    invocations: tuple[Invocation, ...] = ()
    stage_key: str = ""
    watched: tuple[str, ...] = ()
    asked_by: str = ""
    token: str = ""
    waits: bool = False
    gone: bool = False
    reasons: tuple[T, ...] = ()
    """Why the checks failed that led to what is done again; where checks run now, theirs count."""
    forced: bool = False
    """Done again by force: the robots are not told what was done before."""
    shown: Shown | None = None
    """What the portal shows of the item, where this work may have been dealt with in rows a restored copy lost."""
    then: datetime | None = None
    """When it was decided before, by what the portal shows."""
    verdict: Verdict = ""
    over: bool = False
    """Whether the portal shows that what came after it was dealt with."""
    left: bool = False
    """Whether the item has gone on from the stage that was entered."""

    def call(self, at: datetime, reasons: tuple[T, ...] = ()) -> Call:
        return Call(self.work.item, at, self.cause, self.place, self.house, reasons or self.reasons)

    @property
    def version(self) -> str:
        return self.running.process.version if self.running else ""


def digest(text: str) -> str:
    """Make a name of fixed length, forty hex digits, of any text."""
    return hashlib.sha256(text.encode()).hexdigest()[:40]
