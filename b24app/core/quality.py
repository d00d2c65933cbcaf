"""What a company agreed on the quality of its work: who sums an item up, and how corrections are made of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from b24app.core.actions import Step
from b24app.core.forms import FormDef
from b24app.core.text import EMPTY, T, folded

_GOES_ON = T("Работа продолжается, подводить итоги рано", "The work goes on, it is too early to sum it up")


@dataclass(frozen=True, slots=True)
class Quality:
    """Where items of a process end, whoever has the role ``ask`` sums them up; an officer then looks at ``analysis``."""

    stages: tuple[str, ...]
    form: FormDef
    ask: str = "responsible"
    deadline: str = ""
    """As a `Pause` is written; empty for the robot's own."""
    analysis: tuple[T, ...] = ()

    @property
    def step(self) -> Step:
        """The step by which the summing-up is asked for."""
        deadline = {"deadline": self.deadline} if self.deadline else {}
        return Step("ask_summary", {"form": self.form.name, "to": self.ask, **deadline})

    @property
    def given_up(self) -> Step:
        """The step that takes the question back where the item has not ended after all."""
        reason = _GOES_ON.both()
        return Step("wind_up", {"tasks": [self.form.name], "visit": False, "reason": reason})


@dataclass(frozen=True, slots=True)
class ViolationType:
    """A kind of violation, and the roles that sit on the commission for it."""

    name: T
    heads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """Who gets a change: the first route whose ``kind``, ``system`` and ``pipeline`` fit; an empty one fits everything."""

    group: T = EMPTY
    """The department's project, found or created by this name."""
    responsible: str = ""
    kind: str = ""
    system: str = ""
    pipeline: str = ""

    def fits(self, kind: str, system: str, pipeline: str) -> bool:
        """Tell whether a change goes this way; names are compared as people write them."""
        pairs = ((self.kind, kind), (self.system, system), (self.pipeline, pipeline))
        return all(not wanted or folded(wanted) == folded(given) for wanted, given in pairs)


@dataclass(frozen=True, slots=True)
class Board:
    """A department's project on the portal, and the columns of its kanban that the process speaks of, in order."""

    group: int
    columns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """How a commission agrees: ``quorum`` is ``all``, ``majority`` or a number; the rest as a `Pause` is written."""

    quorum: str = "majority"
    deadline: str = "2 working days"
    remind: str = "1 working day"


@dataclass(frozen=True, slots=True)
class Corrections:
    """The tables of a process of corrections."""

    violation_types: Mapping[str, ViolationType] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    kanban: tuple[T, ...] = ()
    """The columns of a department's project, in order."""
    approval: Approval = Approval()
    points: int = 10
    figures: tuple[str, ...] = ()
    """The roles that see the figures of all corrections, beside administrators."""

    def route(self, kind: str, system: str = "", pipeline: str = "") -> Route | None:
        """Return the way a change goes; None where the table knows none."""
        return next((route for route in self.routes if route.fits(kind, system, pipeline)), None)
