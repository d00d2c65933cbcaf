"""The story of an item: what was decided about it and why, what became of it, what is still open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from b24app.core.item import ItemRef
from b24app.core.needs import OwnTask
from b24app.engine.known import Names, Standing, names_of, standing_of
from b24app.engine.people.asks import training_of
from b24app.engine.workshop import Workshop
from b24app.store import journal, ledger, timers
from b24app.store.journal import Run, StoredAction
from b24app.store.portals import Portal
from b24app.store.timers import Timer

PAGE = 25


@dataclass(frozen=True, slots=True)
class Story:
    """What the journal tells of an item, newest first; ``older`` is where the next page begins."""

    runs: tuple[Run, ...]
    actions: Mapping[int, tuple[StoredAction, ...]]
    older: int | None
    tasks: tuple[OwnTask, ...]
    """Open tasks only."""
    timers: tuple[Timer, ...]
    """Waiting timers, by due time."""
    standing: Standing | None
    names: Names
    learned: bool
    """Whether the reader wants no training."""

    @property
    def teaches(self) -> bool:
        """Whether the stage has something to teach whoever asks for help."""
        return self.standing is not None and training_of(self.standing) is not None


def story_of(workshop: Workshop, portal: Portal, item: ItemRef, reader: int, before: int | None = None) -> Story:
    """Gather an item's story for a reader, a page of runs at a time."""
    with workshop.database.read() as connection:
        found = journal.list_runs(connection, portal_id=portal.id, item=item, before=before, limit=PAGE + 1)
        runs = tuple(run for _, run in found[:PAGE])
        actions: dict[int, tuple[StoredAction, ...]] = {}
        for action in journal.actions_of(connection, [run.id for run in runs]):
            actions[action.run_id] = (*actions.get(action.run_id, ()), action)
        memory = ledger.ledger(connection, portal.id, item)
        return Story(
            runs=runs,
            actions=actions,
            older=runs[-1].id if len(found) > PAGE else None,
            tasks=tuple(task for task in memory.tasks if task.open),
            timers=tuple(timer for _, timer in timers.listed(connection, portal_id=portal.id, item=item)),
            standing=standing_of(connection, workshop, portal, item),
            names=names_of(connection, workshop, portal),
            learned=reader in memory.learned,
        )
