"""One installed stage for many flows: built once, put back as it was before each of them.

Serving a world and installing the application takes longer than most flows. The servers stay; the pretend portal's
state, the database and the clock are put back, and the application is assembled anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import assembly
from tests.flows.stage import MONDAY, Stage, a_stage, leaping


class Theatre:
    """Keeps a stage at rest after its installation, and gives it out again and again."""

    def __init__(self, stage: Stage, folder: Path, begin: datetime = MONDAY + timedelta(days=1)) -> None:
        self._stage = stage
        self._path = folder / "app.db"
        self._begin = begin
        """Where the clock of the budget begins: after all that the budget remembers of what was played before."""
        self._now = stage.clock()
        self._engine = stage.application.workshop.database.engine
        stage.application.workshop.database.close()
        self._database = self._path.read_bytes()
        self._state = self._copied((vars(stage.world), vars(stage.portal)))

    @contextmanager
    def played(self, opening: Callable[[Stage], object]) -> Iterator[Theatre]:
        """Play the opening of many flows once, and give a theatre whose stages begin after it.

        That theatre may in turn have openings played on it: all share one company, and each flow puts back what it needs.
        """
        with self.stage() as stage:
            opening(stage)
            yield Theatre(stage, self._path.parent, self._begin + timedelta(days=30))

    def _copied(self, state: Any) -> Any:
        """Copy a state in depth, but for what stays: the world, the portal, the clock and the lock themselves."""
        world, portal = self._stage.world, self._stage.portal
        staying = (world, portal, world.clock, world.lock)
        return deepcopy(state, {id(thing): thing for thing in staying})

    @contextmanager
    def stage(self) -> Iterator[Stage]:
        """Give out the stage as it was after the installation."""
        kept = self._stage
        kept.clock.set(self._now)
        world, portal = self._copied(self._state)
        vars(kept.world).update(world)
        vars(kept.portal).update(portal)
        for left in self._path.parent.glob("app.db*"):
            left.unlink()
        self._path.write_bytes(self._database)
        with pytest.MonkeyPatch.context() as patch:  # one engine: what it has compiled stays compiled
            patch.setattr(assembly, "open_database", lambda url: self._engine)
            application = assembly.assemble(kept.application.workshop.settings, clock=kept.clock, pace=leaping(self._begin))
        kept.holder["web"] = application.web
        card = kept.portal.apps.cards[0]
        try:
            yield Stage(
                kept.world, kept.running, kept.portal, kept.clock, application, card, kept.portal_id, holder=kept.holder
            )
        finally:
            application.workshop.database.close()


@contextmanager
def a_theatre(*, files: Path = Path("processes")) -> Iterator[Theatre]:
    """Build the stage, install the application, and keep both."""
    memory = Path("/dev/shm")  # databases of tests need not survive anything
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        with a_stage(folder, files=files) as stage:
            stage.install()
            stage.settle()
            yield Theatre(stage, folder)


@contextmanager
def given_out(theatre: Theatre) -> Iterator[Stage]:
    """Give out a stage, and look at its end that nothing was complained of and nothing failed unseen."""
    with theatre.stage() as given:
        yield given
        assert given.world.complaints == []
        assert given.troubles() == given.expected_troubles
