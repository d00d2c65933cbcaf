"""Actions as effects on the portal."""

from __future__ import annotations

from typing import assert_never

from b24app.bitrix.effects.crm import (
    AddingItem,
    AnsweringRobot,
    MovingStage,
    Notifying,
    RecordingSms,
    ReportingSms,
    UpdatingItem,
    commenting,
)
from b24app.bitrix.effects.effect import Effect, Progress, Setting, Step
from b24app.bitrix.effects.news import AddingNews
from b24app.bitrix.effects.tasks import AddingTask, ApprovingTask, ClosingTask, RenewingTask, UpdatingTask
from b24app.bitrix.effects.visits import AddingVisit, CancellingVisit
from b24app.core import actions as a

LOCAL = (a.ClaimSlot, a.ReleaseSlots, a.SetTimer, a.CancelTimers, a.RunStageAgain, a.MarkTrained, a.AwardPoints)
"""Actions that are rows of the application's own and take effect when they are decided."""


def effect_of(action: a.Action, mark: str, setting: Setting) -> Effect:
    """Return how an action is carried out on the portal; raises `TypeError` for one that is not the portal's."""
    match action:
        case a.UpdateItem():
            return UpdatingItem(action, mark, setting)
        case a.MoveStage():
            return MovingStage(action, mark, setting)
        case a.AddItem():
            return AddingItem(action, mark, setting)
        case a.AddTask():
            return AddingTask(action, mark, setting)
        case a.UpdateTask():
            return UpdatingTask(action, mark, setting)
        case a.CloseTask():
            return ClosingTask.of(action, mark, setting)
        case a.RenewTask():
            return RenewingTask.of(action, mark, setting)
        case a.ApproveTask():
            return ApprovingTask.of(action, mark, setting)
        case a.Comment():
            return commenting(action, mark, setting)
        case a.AddNews():
            return AddingNews(action, mark, setting)
        case a.Notify():
            return Notifying(action, mark, setting)
        case a.SendSms() if action.message_id:
            return ReportingSms(action, mark, setting)
        case a.SendSms():
            return RecordingSms(action, mark, setting)
        case a.AddVisit():
            return AddingVisit(action, mark, setting)
        case a.CancelVisit():
            return CancellingVisit(action, mark, setting)
        case a.AnswerRobot():
            return AnsweringRobot(action, mark, setting)
        case a.ClaimSlot() | a.ReleaseSlots() | a.SetTimer() | a.CancelTimers() | a.RunStageAgain() | a.MarkTrained():
            raise TypeError(f"{action.kind} is not carried out on the portal")
        case a.AwardPoints():
            raise TypeError(f"{action.kind} is not carried out on the portal")
        case _:
            assert_never(action)


__all__ = ["LOCAL", "Effect", "Progress", "Setting", "Step", "effect_of"]
