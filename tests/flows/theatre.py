"""One installed stage for many flows: built once, put back as it was before each of them.

Serving a world and installing the application takes longer than most flows. The servers stay; the pretend portal's
state, the database and the clock are put back, and the application is assembled anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import app
from tests.flows.stage import MONDAY, Stage, a_stage, leaping


class Theatre:
    """Keeps a stage at rest after its installation, and gives it out again and again."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self._stage = stage
        self._path = folder / "app.db"
        self._pace = leaping(MONDAY + timedelta(days=1))  # goes on, for the budget remembers how far it had come
        self._engine = stage.application.workshop.database.engine
        stage.application.workshop.database.close()
        self._database = self._path.read_bytes()
        self._state = self._copied((vars(stage.world), vars(stage.portal)))

    def _copied(self, state: Any) -> Any:
        """Copy a state in depth, but for what stays: the world, the portal, the clock and the lock themselves."""
        world, portal = self._stage.world, self._stage.portal
        staying = (world, portal, world.clock, world.lock)
        return deepcopy(state, {id(thing): thing for thing in staying})

    @contextmanager
    def stage(self) -> Iterator[Stage]:
        """Give out the stage as it was after the installation."""
        kept = self._stage
        kept.clock.set(MONDAY)
        world, portal = self._copied(self._state)
        vars(kept.world).update(world)
        vars(kept.portal).update(portal)
        for left in self._path.parent.glob("app.db*"):
            left.unlink()
        self._path.write_bytes(self._database)
        with pytest.MonkeyPatch.context() as patch:  # one engine: what it has compiled stays compiled
            patch.setattr(app, "open_database", lambda url: self._engine)
            application = app.assemble(kept.application.workshop.settings, clock=kept.clock, pace=self._pace)
        kept.holder["web"] = application.web
        card = kept.portal.apps.cards[0]
        try:
            yield Stage(
                kept.world, kept.running, kept.portal, kept.clock, application, card, kept.portal_id, holder=kept.holder
            )
        finally:
            application.workshop.database.close()


@contextmanager
def a_theatre(folder: Path) -> Iterator[Theatre]:
    """Build the stage, install the application, and keep both."""
    with a_stage(folder) as stage:
        stage.install()
        stage.settle()
        yield Theatre(stage, folder)
