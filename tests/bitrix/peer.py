"""A peer on loopback that does exactly what a script says: answer these bytes, or hang up."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

HANG_UP = b""


def http(body: object, status: str = "200 OK", *, content_type: str = "application/json") -> bytes:
    """Write a whole HTTP answer that keeps the connection open."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(raw)}\r\n\r\n"
    return head.encode() + raw


def cut(answer: bytes) -> bytes:
    """Lose the last byte of an answer."""
    return answer[:-1]


class Peer:
    """Answers the n-th request, on whichever connection it comes, with the n-th answer of the script.

    An answer shorter than it says, and ``HANG_UP``, close the connection.
    """

    def __init__(self, script: list[bytes]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.connections = 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._open: list[socket.socket] = []
        self._threads[0].start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/rest/"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while (request := _read_request(stream)) is not None:
                with self._lock:
                    self.requests.append(request)
                    answer = self._script[len(self.requests) - 1]
                connection.sendall(answer)
                head, _, body = answer.partition(b"\r\n\r\n")
                if answer == HANG_UP or f"Content-Length: {len(body)}".encode() not in head:
                    return


@contextmanager
def peer(*script: bytes) -> Iterator[Peer]:
    """Run a peer for the length of a block."""
    running = Peer(list(script))
    try:
        yield running
    finally:
        running.close()


def _read_request(stream: Any) -> tuple[str, dict[str, Any]] | None:
    """Read one request; the method name from the path, and the JSON body."""
    try:
        start = stream.readline()
    except OSError:
        return None
    if not start:
        return None
    length = 0
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = stream.read(length)
    return start.split()[1].decode().rpartition("/")[2], json.loads(body) if body else {}
