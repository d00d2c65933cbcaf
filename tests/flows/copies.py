"""Copies of the database taken in the middle of a day, and put back after it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Engine

import assembly
from b24app.engine.running.workers import inherit
from b24app.store.tables import metadata
from tests.flows.cuts import Cut
from tests.flows.stage import Stage, leaping

_TABLES = metadata.sorted_tables


@dataclass(slots=True)
class Copy:
    """A copy of the database as it was when the workers had sent ``at`` requests, or the first that speaks of ``on``.

    One with neither is taken by hand.
    """

    at: int = 0
    on: str = ""
    requests: int = 0
    taken: bytes = b""

    @contextmanager
    def watching(self, stage: Stage) -> Iterator[None]:
        """Count the workers' requests while the block runs, and take the copy in its time."""
        worker = stage.cut = stage.cut or Cut(0, "before")

        def note(server: str, methods: tuple[str, ...]) -> None:
            self.requests += worker.working
            spoken_of = bool(self.on) and not self.taken and any(line.startswith(self.on) for line in methods)
            if worker.working and (self.requests == self.at or spoken_of):
                self.take(stage)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stage.world, "after_request", note)
            yield

    def take(self, stage: Stage) -> None:
        """Copy the file the way an operator does, while the application runs."""
        with closing(sqlite3.connect(_file(stage))) as source, closing(sqlite3.connect(":memory:")) as copy:
            source.backup(copy)
            self.taken = copy.serialize()

    def put_back(self, stage: Stage) -> None:
        """End the application, put the copy in place of its database, and start it again."""
        assert self.taken, "no copy was taken"
        stage.application.workshop.database.close()
        for left in _file(stage).parent.glob("app.db*"):
            left.unlink()
        _file(stage).write_bytes(self.taken)
        start_again(stage)


@dataclass(slots=True)
class Rows:
    """A copy of every row, as a dump holds it; it is good for every kind of database."""

    taken: dict[str, list[dict[str, Any]]]

    @classmethod
    def of(cls, stage: Stage) -> Rows:
        with stage.application.workshop.database.read() as connection:
            return cls({t.name: [dict(row) for row in connection.execute(t.select()).mappings()] for t in _TABLES})

    def put_back(self, stage: Stage) -> None:
        """End the application, replace all rows by these, and start it again."""
        with stage.application.workshop.database.write() as connection:
            for table in reversed(_TABLES):
                connection.execute(table.delete())
            for table in _TABLES:
                if self.taken[table.name]:
                    connection.execute(table.insert(), self.taken[table.name])
        start_again(stage)


def start_again(stage: Stage) -> None:
    """Let a new process of the application take the place of the one that ran."""
    before = stage.application.workshop
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "open_database", lambda url: before.database.engine)
        stage.application = assembly.assemble(before.settings, clock=stage.clock, pace=leaping(before.pace()))
    inherit(stage.application.workshop)
    stage.holder["web"] = stage.application.web


def _engine(stage: Stage) -> Engine:
    return stage.application.workshop.database.engine


def _file(stage: Stage) -> Path:
    return Path(_engine(stage).url.database or "")
