"""Reading a long history by windows of ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.bitrix.commands import BATCH_LIMIT, Command
from b24app.bitrix.errors import LostReply, PortalError
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import Reply
from b24app.engine.reading.backlog import PAGE, Backlog, windows


@dataclass(slots=True)
class History:
    """A portal's history and what was taken from it; refuses from request number ``breaks`` on."""

    ids: Sequence[int]
    breaks: int = 10**6
    requests: int = 0
    stored: list[int] = field(default_factory=list)
    reached: int = 0

    def batch(self, commands: Sequence[Command]) -> list[Reply | PortalError]:
        assert len(commands) <= BATCH_LIMIT
        self.requests += 1
        if self.requests >= self.breaks:
            return [LostReply() for _ in commands]
        return [Reply({"items": self._page(**command.params)}) for command in commands]

    def _page(self, after: int, until: int) -> list[dict[str, Any]]:
        return [{"ID": str(n)} for n in self.ids if after < n <= until][:PAGE]

    def take(self, rows: Any, read_up_to: int) -> None:
        self.stored += [int(row["ID"]) for row in rows]
        assert read_up_to >= self.reached
        self.reached = read_up_to

    def read(self, rows_per_id: float = 1.0) -> None:
        backlog = Backlog(cast(Gate, self), lambda a, u: Command("x", {"after": a, "until": u}), self.take)
        backlog.read(0, self.ids[-1], rows_per_id)


@given(st.sets(st.integers(1, 4000), min_size=1, max_size=1500), st.floats(0.001, 1.0))
@settings(max_examples=60, deadline=None)
def test_every_row_is_read_once_however_they_lie(ids: set[int], guess: float) -> None:
    history = History(sorted(ids))
    history.read(guess)
    assert sorted(history.stored) == sorted(ids)
    assert history.reached == max(ids)


def test_ten_thousand_rows_take_a_handful_of_requests() -> None:
    history = History(range(1, 20_001, 2))
    history.read(0.5)
    assert len(history.stored) == 10_000
    assert history.requests <= 6


def test_what_was_read_before_a_failure_is_kept_and_nothing_beyond_it_counts_as_read() -> None:
    history = History(range(1, 9000), breaks=3)
    with pytest.raises(LostReply):
        history.read(0.9)
    assert all(n in history.stored for n in range(1, history.reached + 1))
    assert history.reached > 0


def test_windows_end_at_the_newest_row_and_fill_one_request_at_most() -> None:
    spans = windows(100, 10**6, 0.5)
    assert len(spans) == BATCH_LIMIT
    assert all(one.until == other.after for one, other in pairwise(spans))
    assert windows(100, 120, 0.5)[-1].until == 120
