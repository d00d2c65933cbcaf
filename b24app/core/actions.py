"""Everything a robot may ask for: a closed union of values, stored before any of it is done.

Each action says in its class how it is kept from happening twice; the engine derives its key from what caused it. Those
that speak to the portal are carried out by `b24app.engine.acting.perform`; timers and slots are rows and take effect in
the very transaction that stores the decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from b24app.core.item import ItemRef

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

Purpose = Literal["work", "control", "mend", "remind", "install", "client_call", "incident"]


@dataclass(frozen=True, slots=True)
class Step:
    """A robot with its properties as a process file writes them, to be run later."""

    robot: str
    props: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UpdateItem:
    """Write fields of an item, by the process file's names or the portal's codes; may be repeated."""

    item: ItemRef
    fields: Mapping[str, str | int | list[str] | None]
    kind: Literal["update_item"] = "update_item"


@dataclass(frozen=True, slots=True)
class MoveStage:
    """Move an item to another stage, unless it has left ``leaving`` meanwhile; looked at before it is repeated."""

    item: ItemRef
    to: str
    leaving: str
    reason: str
    kind: Literal["move_stage"] = "move_stage"


@dataclass(frozen=True, slots=True)
class AddItem:
    """Create an item; found again by its ``originId``."""

    entity_type_id: int
    fields: Mapping[str, str | int | list[int] | None]
    about: ItemRef
    kind: Literal["add_item"] = "add_item"


@dataclass(frozen=True, slots=True)
class AddTask:
    """Give somebody a task with a checklist; found again among the item's tasks by its ``XML_ID``.

    ``name`` is the task's name inside the process, by which later steps know it. ``holds`` tells what happens when the
    item moves on while the task is open: ``return`` it, ``remind`` of it, or nothing. ``full_checklist`` renews the task
    when it is closed with open lines. ``under_control`` makes its creator accept the work before it is closed for good;
    the technical administrator is the creator unless ``creator`` names somebody. ``group`` is the project the task belongs
    to and ``stage`` the column of its kanban. ``require_result`` lets nobody close it without a result. ``timed`` lets
    people write down the time they spend on it. ``done`` are the steps that follow.
    """

    item: ItemRef
    name: str
    title: str
    responsible: int
    description: str = ""
    checklist: tuple[str, ...] = ()
    deadline: datetime | None = None
    auditors: tuple[int, ...] = ()
    accomplices: tuple[int, ...] = ()
    creator: int | None = None
    purpose: Purpose = "work"
    holds: Literal["return", "remind", "ignore"] = "ignore"
    full_checklist: bool = False
    under_control: bool = False
    important: bool = False
    group: int | None = None
    stage: int | None = None
    require_result: bool = False
    timed: bool = False
    done: tuple[Step, ...] = ()
    kind: Literal["add_task"] = "add_task"


@dataclass(frozen=True, slots=True)
class UpdateTask:
    """Write a task's title, text or deadline anew; may be repeated."""

    item: ItemRef
    task_id: int
    title: str | None = None
    description: str | None = None
    deadline: datetime | None = None
    responsible: int | None = None
    kind: Literal["update_task"] = "update_task"


@dataclass(frozen=True, slots=True)
class CloseTask:
    """Close a task that is no longer needed, with the reason as a comment; may be repeated."""

    item: ItemRef
    task_id: int
    reason: str
    kind: Literal["close_task"] = "close_task"


@dataclass(frozen=True, slots=True)
class RenewTask:
    """Take a task back to work, with the reason as a comment; may be repeated."""

    item: ItemRef
    task_id: int
    reason: str
    kind: Literal["renew_task"] = "renew_task"


@dataclass(frozen=True, slots=True)
class ApproveTask:
    """Accept a task that waits for control, so that it is off control; may be repeated."""

    item: ItemRef
    task_id: int
    kind: Literal["approve_task"] = "approve_task"


@dataclass(frozen=True, slots=True)
class Comment:
    """Write into the item's timeline; found again by the journal's number in the last line."""

    item: ItemRef
    text: str
    kind: Literal["comment"] = "comment"


@dataclass(frozen=True, slots=True)
class Notify:
    """Notify a user; the same ``TAG`` replaces the notification, so it may be repeated."""

    user: int
    text: str
    item: ItemRef | None = None
    kind: Literal["notify"] = "notify"


@dataclass(frozen=True, slots=True)
class AddNews:
    """Post news to the feed for ``dest`` (``UA``, ``U7``, ``DR3``, ``SG2``); found again by the mark in its text.

    ``important`` asks everybody to confirm that he has read it.
    """

    item: ItemRef
    title: str
    text: str
    dest: tuple[str, ...] = ("UA",)
    important: bool = False
    kind: Literal["add_news"] = "add_news"


@dataclass(frozen=True, slots=True)
class AwardPoints:
    """Award bonus points for an item; one award per item and person, a later one replaces it."""

    item: ItemRef
    user: int
    points: int
    why: str
    kind: Literal["award_points"] = "award_points"


@dataclass(frozen=True, slots=True)
class SendSms:
    """Send an SMS through the configured gateway, at most once.

    ``otherwise`` is what follows when it could not be sent, or when nobody can tell whether it was. ``message_id`` is the
    portal's own number of a message it handed over: its status is told there, instead of a timeline comment.
    """

    item: ItemRef
    phone: str
    text: str
    otherwise: AddTask | None = None
    message_id: str = ""
    kind: Literal["send_sms"] = "send_sms"


@dataclass(frozen=True, slots=True)
class AddVisit:
    """Put a visit into an employee's calendar; found again by the mark in its description."""

    item: ItemRef
    user: int
    start: datetime
    end: datetime
    title: str
    description: str = ""
    location: str = ""
    kind: Literal["add_visit"] = "add_visit"


@dataclass(frozen=True, slots=True)
class CancelVisit:
    """Take a visit out of the calendar; a visit already gone is fine."""

    item: ItemRef
    visit: int
    user: int
    kind: Literal["cancel_visit"] = "cancel_visit"


@dataclass(frozen=True, slots=True)
class ClaimSlot:
    """Hold an employee's time for this item; the engine refuses it when another item holds it already."""

    item: ItemRef
    user: int
    start: datetime
    end: datetime
    kind: Literal["claim_slot"] = "claim_slot"


@dataclass(frozen=True, slots=True)
class ReleaseSlots:
    """Give back all the time held for this item."""

    item: ItemRef
    kind: Literal["release_slots"] = "release_slots"


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Run a robot at a time; a waiting timer of the same name on the item is replaced.

    ``lives`` says what ends it early: leaving the stage ``entry``, the end of the task named ``task``, or only winding up
    the ``item``.
    """

    item: ItemRef
    name: str
    due: datetime
    step: Step
    what: str = ""
    lives: Literal["entry", "task", "item"] = "entry"
    task: str = ""
    kind: Literal["set_timer"] = "set_timer"


@dataclass(frozen=True, slots=True)
class CancelTimers:
    """Cancel waiting timers of the item: those of a name, those of a task, or all of them."""

    item: ItemRef
    reason: str
    name: str = ""
    task: str = ""
    kind: Literal["cancel_timers"] = "cancel_timers"


@dataclass(frozen=True, slots=True)
class RunStageAgain:
    """Run the checks and steps of the item's stage once more, as if it had been entered anew."""

    item: ItemRef
    reason: str
    kind: Literal["run_stage_again"] = "run_stage_again"


@dataclass(frozen=True, slots=True)
class MarkTrained:
    """Remember that the training comment of a stage was written for this item."""

    item: ItemRef
    stage: str
    kind: Literal["mark_trained"] = "mark_trained"


@dataclass(frozen=True, slots=True)
class AnswerRobot:
    """Give a waiting robot its results; a token that is used up is fine."""

    token: str
    values: Mapping[str, str]
    log: str
    item: ItemRef | None = None
    kind: Literal["answer_robot"] = "answer_robot"


Action = Annotated[
    UpdateItem
    | MoveStage
    | AddItem
    | AddTask
    | UpdateTask
    | CloseTask
    | RenewTask
    | ApproveTask
    | Comment
    | Notify
    | AddNews
    | AwardPoints
    | SendSms
    | AddVisit
    | CancelVisit
    | ClaimSlot
    | ReleaseSlots
    | SetTimer
    | CancelTimers
    | RunStageAgain
    | MarkTrained
    | AnswerRobot,
    Field(discriminator="kind"),
]

_ACTION: TypeAdapter[Action] = TypeAdapter(Action)


def to_json(action: Action) -> dict[str, Any]:
    """Write an action down as JSON."""
    dumped: dict[str, Any] = _ACTION.dump_python(action, mode="json")
    return dumped


def from_json(stored: Mapping[str, Any]) -> Action:
    """Read an action back; raises `pydantic.ValidationError` for anything that is none."""
    return _ACTION.validate_python(dict(stored))
