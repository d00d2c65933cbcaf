"""A stage for every flow, and what holds at the end of each: nobody misused the portal, and nothing failed unseen."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import app
from tests.flows.stage import Stage, a_stage


@pytest.fixture(scope="session", autouse=True)
def process_files_read_once() -> Iterator[None]:
    """Read the process files once for all stages; they are the same for every test."""
    patch = pytest.MonkeyPatch()
    patch.setattr(app, "load_processes", cache(app.load_processes))
    yield
    patch.undo()


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Stage]:
    """Both sides served, the application not installed yet."""
    with a_stage(tmp_path) as stage:
        yield stage
        assert stage.world.complaints == []


@pytest.fixture
def stage(bare: Stage) -> Iterator[Stage]:
    """Both sides served, the application installed with its pipelines, both at rest."""
    bare.install()
    bare.settle()
    yield bare
    assert bare.troubles() == bare.expected_troubles
