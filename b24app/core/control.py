"""The control of a task: after a pause somebody else is asked why it is still open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from b24app.core import wording
from b24app.core.actions import SetTimer, Step
from b24app.core.call import Call
from b24app.core.properties import plain_value
from b24app.core.roles import Role
from b24app.core.text import T
from b24app.core.worktime import Pause

HEAD = Role("head_of(responsible)")
TITLE = T("Разобраться, почему не закрыта задача «{task}»", "Find out why the task “{task}” is not closed")

_WHAT = T("контроль задачи «{task}»", "control of the task “{task}”")
_WHEN = T("контроль — {due} (пауза {pause})", "control is due on {due} (a pause of {pause})")


@dataclass(frozen=True, slots=True)
class Control:
    """After which pause whom to ask, in which words."""

    after: Pause | None
    to: Role = HEAD
    title: T = TITLE
    checklist: tuple[T, ...] = ()
    deadline: Pause | None = None
    hint: T | None = None

    def step(self, task: str) -> Step:
        """Write the control down as the step ``control_task`` of a process file."""
        said: dict[str, Any] = {
            "task": task,
            "to": self.to,
            "title": self.title,
            "checklist": self.checklist,
            "deadline": self.deadline,
            "after": self.after,
            "hint": self.hint,
        }
        return Step(
            "control_task", {name: plain_value(value) for name, value in said.items() if value not in (None, (), "")}
        )

    def timer(self, call: Call, task: str, title: str) -> SetTimer | None:
        """Set the timer of the control; None where no pause was agreed."""
        return self.timer_in(self.after, call, task, title) if self.after is not None else None

    def timer_in(self, pause: Pause, call: Call, task: str, title: str) -> SetTimer:
        """Set the timer of the control after a pause of its own."""
        return SetTimer(
            item=call.item,
            name=f"control:{task}",
            due=pause.after(call.at, call.house.calendar),
            step=self.step(task),
            what=call.say(_WHAT, task=title),
            lives="task" if task else "entry",
            task=task,
        )

    def said(self, call: Call, timer: SetTimer) -> T:
        """Say when the control is due."""
        return _WHEN.fill(due=wording.moment(call, timer.due), pause=self.after.words() if self.after else "")


class Controlled(Protocol):
    """Properties of a robot whose task may be put under control."""

    @property
    def control_after(self) -> Pause | None: ...
    @property
    def control_to(self) -> Role: ...
    @property
    def control_title(self) -> T: ...
    @property
    def control_checklist(self) -> tuple[T, ...]: ...
    @property
    def control_deadline(self) -> Pause | None: ...
    @property
    def control_hint(self) -> T | None: ...


def control_of(props: Controlled) -> Control:
    """Take the control out of a robot's properties."""
    return Control(
        props.control_after,
        props.control_to,
        props.control_title,
        props.control_checklist,
        props.control_deadline,
        props.control_hint,
    )
