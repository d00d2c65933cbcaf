"""What a robot is: typed properties, what it reads, what it decides; and the call it decides about.

A robot is declared once. Its registration on the portal, the reader of its callback, the check of process files, the form
and the docs page come from its ``Props`` and ``Returns`` (see `b24app.core.properties`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from b24app.core.actions import Action
from b24app.core.call import Call
from b24app.core.needs import Facts, Need, NeedItem
from b24app.core.text import EMPTY, T

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a robot decided: results for the portal, actions, and the reason in words.

    ``ok`` is False when a check failed; the steps after it are then not run.
    """

    why: T
    actions: tuple[Action, ...] = ()
    returns: Any = None
    ok: bool = True


def prop(
    label: T,
    *,
    default: Any = dataclasses.MISSING,
    help: T = EMPTY,
    same: bool = False,
    portal: bool = True,
    options: Mapping[str, T] | None = None,
) -> Any:
    """Declare a property of a robot (a field of its ``Props``) or a result (of its ``Returns``).

    ``same`` marks what tells two uses of the robot on one stage apart: an autotask's title. ``portal=False`` keeps a
    property of process files out of the portal's form. ``options`` makes it a select. Types understood: ``str``, ``int``,
    ``bool``, ``T``, ``date``, ``Pause``, ``Role``, tuples of ``str`` or ``T``, tuples of ``Step``, each also ``| None``.
    """
    metadata = {"label": label, "help": help, "same": same, "portal": portal, "options": dict(options or {})}
    return field(default=default, metadata={"prop": metadata})


@dataclass(frozen=True, slots=True)
class NoProps:
    """For robots without properties."""


def needs_item(call: Call, props: Any, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the item alone: enough for many robots."""
    return (NeedItem(call.item),)


@dataclass(frozen=True, slots=True)
class Robot(Generic[P]):
    """A capability, declared once and used from the portal's automation and from process files alike.

    ``needs(call, props, facts)`` is asked again with what was read until it asks for nothing new, so that one fact may
    lead to the next. ``waits`` registers the robot with ``USE_SUBSCRIPTION=Y``: the portal's workflow waits for results.
    ``internal`` robots serve the engine and are not offered to administrators.
    """

    code: str
    name: T
    description: T
    decide: Callable[[Call, P, Facts], Outcome]
    props: type[P]
    needs: Callable[[Call, P, Facts], Iterable[Need[Any]]] = needs_item
    returns: type[Any] | None = None
    waits: bool = False
    internal: bool = False
    on_portal: bool = True
    """Whether administrators find it in the portal's automation; others stand in process files only."""
    check: bool = False
    """A check may stand under ``checks`` of a stage: its ``ok`` decides whether the item stays."""
    entity_types: frozenset[int] | None = None
    """None: any kind of item."""


Catalogue = Mapping[str, Robot[Any]]
