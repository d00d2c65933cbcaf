"""A PostgreSQL of the benches' own: made in a folder, on a free port of loopback, gone afterwards."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.sides import free_port

SERVANT = "nobody"
"""Whom the server runs as when the benches are started by root, whom PostgreSQL refuses to serve."""


def is_there() -> bool:
    """Tell whether PostgreSQL's programs are installed."""
    return shutil.which("initdb") is not None and shutil.which("pg_ctl") is not None


@contextmanager
def postgres() -> Iterator[str]:
    """Serve an empty database while the block runs; gives its URL."""
    with tempfile.TemporaryDirectory(prefix="b24app-pg-") as made:
        folder, port = Path(made), free_port()
        if os.getuid() == 0:
            servant = pwd.getpwnam(SERVANT)
            os.chown(folder, servant.pw_uid, servant.pw_gid)
        data, log = str(folder / "data"), str(folder / "log")
        _as_servant("initdb", "-D", data, "-U", "b24app", "--auth=trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
        _as_servant("pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            yield f"postgresql://b24app@127.0.0.1:{port}/postgres"
        finally:
            _as_servant("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _as_servant(*command: str) -> None:
    before = ["setpriv", f"--reuid={SERVANT}", "--regid=nogroup", "--clear-groups"] if os.getuid() == 0 else []
    subprocess.run([*before, *command], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "USER": getpass.getuser()})
