"""The demonstration itself: it comes true, and it says so when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo import __main__ as command
from demo.office import Office
from demo.screens import Portal
from demo.together import together
from demo.walk import Walk
from demo.words import Narrator


def told(folder: Path, lines: list[str]) -> tuple[bool, Walk]:
    with together(folder) as both:
        walk = Walk(Portal(both.portal_address), Office(both.address, both.admin_token), Narrator("en", lines.append))
        return command.play(walk, both), walk


def test_the_whole_story_comes_true(tmp_path: Path) -> None:
    lines: list[str] = []
    whole, walk = told(tmp_path, lines)
    assert walk.tell.missed == []
    assert whole
    assert {entry.stage for entry in walk.entries} == set(walk.stages) - {"Заключить договор"}
    assert max(entry.requests for entry in walk.entries) <= 9


def test_an_expectation_that_is_not_met_ends_the_command_with_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing_happens(walk: Walk) -> int:
        walk.tell.expect("сделка есть", "there is a deal", seen=bool(walk.portal.deals()), instead="none")
        return 0

    monkeypatch.setattr(command, "tell_the_deal", nothing_happens)
    monkeypatch.setattr(command, "tell_the_lost_deal", nothing_happens)
    monkeypatch.setattr(command, "summary", lambda *_: None)
    monkeypatch.setattr(command, "set_up_logging", lambda **_: None)
    monkeypatch.setattr("sys.argv", ["demo", "--once", "--lang", "en"])
    assert command.main() == 1
    assert "✗ there is a deal" in capsys.readouterr().out
