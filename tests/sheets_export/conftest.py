from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.clock import SandboxClock
from sandbox.serve import Running
from sandbox.sheets import sheets_app
from sandbox.world import World
from tests.sandbox.discovery import problems_of_request
from tests.sheets_export.desk import Desk


@pytest.fixture(scope="package")
def served() -> Iterator[tuple[World, SandboxClock]]:
    clock = SandboxClock(datetime(2026, 6, 1, 8, 0, tzinfo=UTC))
    world = World(clock)
    running = Running(world)
    world.sheets_domain = running.start(sheets_app(world))
    yield world, clock
    running.close()


@pytest.fixture
def desk(served: tuple[World, SandboxClock]) -> Iterator[Desk]:
    """An empty spreadsheet; afterwards every request has to be one Google knows."""
    world, clock = served
    clock.advance(timedelta(minutes=5))
    world.sheets.faults.clear()
    world.sheets.requests.clear()
    world.complaints.clear()
    yield Desk(world, clock, world.sheets.add("Отчёты"))
    assert [problem for record in world.sheets.requests for problem in problems_of_request(record)] == []
    assert world.complaints == []
