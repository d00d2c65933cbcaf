"""A stage for every flow, and what holds at the end of each: nobody misused the portal, and nothing failed unseen."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import app
from tests.flows.stage import Stage, a_stage
from tests.flows.theatre import Theatre, a_theatre


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


@pytest.fixture(scope="session")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """Both sides served, the application installed with its pipelines, both at rest: built once."""
    memory = Path("/dev/shm")  # databases of tests need not survive anything
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder, a_theatre(Path(folder)) as built:
        yield built


@pytest.fixture
def stage(theatre: Theatre) -> Iterator[Stage]:
    """A portal with the application just installed; whatever other flows did has never happened."""
    with theatre.stage() as given:
        yield given
        assert given.world.complaints == []
        assert given.troubles() == given.expected_troubles
