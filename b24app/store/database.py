"""Opening the database: SQLite with a write-ahead log, or PostgreSQL, by URL."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url

PATIENCE = 5
"""Seconds for which a writer waits for another process (a backup, a command) that has SQLite's write lock."""


def open_database(url: str) -> Engine:
    """Open a database; the folder of a SQLite file is made with it.

    SQLite: WAL, ``synchronous=FULL`` (an acknowledged callback survives a power cut), and every transaction that writes
    takes the write lock at its beginning, so that two of them never meet half-way. PostgreSQL: connections are tried
    before use.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return sa.create_engine(parsed, pool_pre_ping=True, pool_size=5, max_overflow=15)


def is_shared(url: str) -> bool:
    """Tell whether a database can be shared between processes."""
    return make_url(url).get_backend_name() == "postgresql"


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": PATIENCE})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by hand below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={PATIENCE * 1000}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


class Turns:
    """A lock that is handed on in the order in which threads came for it.

    A plain one goes to whoever asks at the right moment: a worker that writes again and again takes it every time, and
    callbacks wait.
    """

    def __init__(self) -> None:
        self._door = threading.Lock()
        self.waiting: deque[threading.Lock] = deque()
        self._taken = False

    def __enter__(self) -> None:
        with self._door:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self.waiting.append(mine)
        mine.acquire()

    def __exit__(self, *_error: object) -> None:
        with self._door:
            if self.waiting:
                self.waiting.popleft().release()
            else:
                self._taken = False


class Database:
    """Transactions on one engine.

    Threads that write to SQLite take turns here: its own waiting sleeps up to 100 ms between two tries, and a callback
    has to be answered sooner than that.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._turn: AbstractContextManager[None] = Turns() if engine.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Run a transaction that may write; committed at the end, rolled back on any exception."""
        with self._turn, self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Run a transaction that only reads."""
        with self.engine.connect() as connection:
            reading = connection.execution_options(reading=True)
            with reading.begin():
                yield reading

    @contextmanager
    def trial(self) -> Iterator[Connection]:
        """Run a transaction that may write and is rolled back at the end, whatever happens."""
        with self._turn, self.engine.connect() as connection, connection.begin() as transaction:
            try:
                yield connection
            finally:
                transaction.rollback()

    def close(self) -> None:
        self.engine.dispose()
