"""An SMS gateway that takes its time and says nothing holds up one message at a time, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from b24app.engine.acting import sms
from b24app.engine.acting.sms import Sent
from tests.flows.stage import MARIA, Stage
from tests.flows.test_faults import begun, created, minutes


def test_messages_behind_one_that_was_not_answered_wait_a_minute(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    honest, tried, silent = sms.send, list[str](), [True]

    def send(*how: Any) -> Sent:
        tried.append(str(how[3]))
        return Sent("unknown", "ReadTimeout") if silent[0] else honest(*how)

    monkeypatch.setattr(sms, "send", send)
    stage.portal.automation.place(2, "EXECUTING", "send_sms", {"text": "Едем к {title}"})
    for name in ("A", "B", "C"):
        fields = {"title": name, "assignedById": MARIA, "stageId": "EXECUTING", "contactId": 1}
        stage.portal.as_user(MARIA).call("crm.item.add", entityTypeId=2, fields=fields)
    other = created(stage)
    stage.settle()
    begun(stage, other)
    assert tried == ["Едем к A"]
    minutes(stage, 1)
    assert tried == ["Едем к A", "Едем к B"]

    silent[0] = False
    minutes(stage, 1)
    assert tried == ["Едем к A", "Едем к B", "Едем к C"]
    assert [message.text for message in stage.world.sms.outbox] == ["Едем к C"]
    stage.expected_troubles = stage.troubles()
    assert len(stage.expected_troubles) == 2
