"""One serving process per SQLite file: a lock on a file beside the database, given back by the system when its holder dies.

Two servers on one file would both work, and quarrel over the write lock all day; several processes belong on PostgreSQL.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url


class AlreadyServed(Exception):
    """Another living process serves this database; ``lock`` is the file it holds, ``holder`` its number where known."""

    def __init__(self, lock: Path, holder: str) -> None:
        super().__init__(f"{lock} is held by process {holder or '?'}")
        self.lock = lock
        self.holder = holder


@contextmanager
def alone(url: str) -> Iterator[None]:
    """Be the only server of a SQLite file while the block runs; nothing is locked for other databases.

    Raises `AlreadyServed`.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        yield
        return
    path = Path(parsed.database + ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise AlreadyServed(path, os.read(number, 20).decode("ascii", "replace").strip()) from taken
        os.ftruncate(number, 0)
        os.pwrite(number, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(number)  # the lock goes with it; the file stays, as another may be waiting to open it
