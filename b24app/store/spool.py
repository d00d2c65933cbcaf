"""The spool: callbacks the database did not take, kept on the disk of the machine they came to.

A portal calls once and repeats nothing, so what cannot be written into the database is sealed (a callback holds tokens)
and put into a folder until it can. Page: api-reference/events/index.md.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from b24app.store.secrets import Vault

CallbackKind = Literal["event", "robot", "sms"]

MOST = 20_000
"""Callbacks kept at the most: a disk filled to the brim would take the database with it."""
SEALED = ".sealed"
_HALF = ".half"


class Full(Exception):
    """The spool takes no more: it is full, or its folder cannot be written to."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """A callback as it came: where it was sent to, and its form."""

    name: str
    kind: CallbackKind
    code: str
    body: bytes


def came_at(name: str) -> datetime:
    """Tell when a callback came, by the name it is kept under."""
    return datetime.fromtimestamp(int(name.partition("-")[0]) / 1e9, UTC)


class Spool:
    """Sealed files in a folder that is made with the first of them; several processes of a machine may share it."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self.folder = folder
        self._vault = vault
        self.in_use = False
        """Whether this process has kept something that may still lie here."""

    def keep(self, kind: CallbackKind, code: str, body: bytes) -> None:
        """Keep a callback so that it survives a power cut; raises `Full`."""
        written = json.dumps({"kind": kind, "code": code, "body": body.decode("latin-1")})
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}"
        half = self.folder / (name + _HALF)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if len(self.names()) >= MOST:
                raise Full(f"{MOST} callbacks are kept already")
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(self._vault.lock(written))
                file.flush()
                os.fsync(file.fileno())
            half.rename(self.folder / (name + SEALED))
            self._sync_folder()
        except OSError as error:
            half.unlink(missing_ok=True)  # a full disk needs the room
            raise Full(error.strerror or "the disk refuses") from error
        self.in_use = True

    def names(self) -> list[str]:
        """Return the names of what is kept, oldest first."""
        try:
            return sorted(path.name for path in self.folder.iterdir() if path.suffix == SEALED)
        except FileNotFoundError:
            return []

    def waiting(self) -> Iterator[Spooled]:
        """Go through what is kept, oldest first; raises `WrongSecretKey` at what another key sealed."""
        for name in self.names():
            try:
                sealed = (self.folder / name).read_bytes()
            except FileNotFoundError:
                continue  # another process was quicker
            read = json.loads(self._vault.unlock(sealed))
            yield Spooled(name, read["kind"], read["code"], read["body"].encode("latin-1"))

    def done(self, spooled: Spooled) -> None:
        """Let go of a callback that has been written down."""
        (self.folder / spooled.name).unlink(missing_ok=True)

    def _sync_folder(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
