from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from b24app.core import actions
from b24app.core.actions import AddTask, SendSms, SetTimer, Step, from_json, to_json
from tests.builders import DEAL_12, INSTALLER, MANAGER, NOW

TASK = AddTask(
    DEAL_12,
    "contract",
    "Подписать 😀",
    MANAGER,
    checklist=("Оформить",),
    deadline=NOW,
    auditors=(INSTALLER,),
    done=(Step("autotask", {"title": {"ru": "а", "en": "b"}, "checklist": ["в"]}),),
)
EACH: list[actions.Action] = [
    actions.UpdateItem(DEAL_12, {"a": "b", "files": ["1"], "empty": None}),
    actions.MoveStage(DEAL_12, "C7:NEW", "C7:WON", "причина"),
    actions.AddItem(2, {"title": "x", "ids": [1, 2]}, DEAL_12),
    TASK,
    actions.UpdateTask(DEAL_12, 5, deadline=NOW),
    actions.CloseTask(DEAL_12, 5, "причина"),
    actions.RenewTask(DEAL_12, 5, "причина"),
    actions.ApproveTask(DEAL_12, 5),
    actions.Comment(DEAL_12, "текст"),
    actions.Notify(7, "текст", DEAL_12),
    actions.AddNews(DEAL_12, "Новый порядок", "текст", ("UA", "DR3"), important=True),
    actions.AwardPoints(DEAL_12, MANAGER, 10, "без замечаний"),
    SendSms(DEAL_12, "+79161234567", "текст", TASK),
    actions.AddVisit(DEAL_12, 9, NOW, NOW, "Монтаж"),
    actions.CancelVisit(DEAL_12, 8, 9),
    actions.ClaimSlot(DEAL_12, 9, NOW, NOW),
    actions.ReleaseSlots(DEAL_12),
    SetTimer(DEAL_12, "control", NOW, Step("control_task", {"task": "contract"}), lives="task", task="contract"),
    actions.CancelTimers(DEAL_12, "причина"),
    actions.RunStageAgain(DEAL_12, "причина"),
    actions.MarkTrained(DEAL_12, "contract"),
    actions.AnswerRobot("token", {"ok": "Y"}, "журнал", DEAL_12),
]


def test_every_action_of_the_union_is_tried_here() -> None:
    union = get_args(get_args(actions.Action)[0])
    assert {type(action) for action in EACH} == set(union)


@pytest.mark.parametrize("action", EACH, ids=lambda action: action.kind)
def test_an_action_is_read_back_as_it_was_written(action: actions.Action) -> None:
    assert from_json(json.loads(json.dumps(to_json(action), ensure_ascii=False))) == action


@given(st.text(max_size=100).filter(lambda text: "\ud800" not in text), st.none() | st.integers(1, 10**9))
@settings(max_examples=50, deadline=None)
def test_texts_of_all_kinds_survive_the_store(text: str, creator: int | None) -> None:
    task = replace(TASK, title=text, description=text, creator=creator)
    assert from_json(json.loads(json.dumps(to_json(task)))) == task


@pytest.mark.parametrize(
    "stored", [{}, {"kind": "format_disk"}, {"kind": "comment"}, {**to_json(TASK), "holds": "for ever"}]
)
def test_what_is_no_action_is_refused(stored: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        from_json(stored)
