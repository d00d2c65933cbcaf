"""The demonstration says so when something does not come true; that it does is seen by playing it (see `.ci/run`)."""

from __future__ import annotations

import pytest

from demo import __main__ as command
from demo.walk import Walk


def test_an_expectation_that_is_not_met_ends_the_command_with_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing_happens(walk: Walk) -> int:
        walk.tell.expect("сделка есть", "there is a deal", seen=bool(walk.portal.deals()), instead="none")
        return 0

    monkeypatch.setattr(command, "tell_the_deal", nothing_happens)
    monkeypatch.setattr(command, "tell_the_lost_deal", nothing_happens)
    monkeypatch.setattr(command, "tell_the_corrections", lambda *_: None)
    monkeypatch.setattr(command, "looked_at", lambda *_: None)
    monkeypatch.setattr(command, "leave_a_deal", nothing_happens)
    monkeypatch.setattr(command, "exported", lambda *_: None)
    monkeypatch.setattr(command, "summary", lambda *_: None)
    monkeypatch.setattr(command, "set_up_logging", lambda **_: None)
    monkeypatch.setattr("sys.argv", ["demo", "--once", "--lang", "en"])
    assert command.main() == 1
    assert "✗ there is a deal" in capsys.readouterr().out
