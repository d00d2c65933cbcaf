"""A front that speaks https before a server on loopback: for libraries that speak nothing else."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = "127.0.0.1"
CHUNK = 65536


@contextmanager
def https_front(behind: str) -> Iterator[str]:
    """Pass what comes by https on to ``host:port``; give the front's own ``host:port``, trusted by requests meanwhile."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server((HERE, 0)) as door:
        chain = _certificate(Path(folder))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        threading.Thread(target=_receive, args=(door, context, behind), daemon=True).start()
        before = os.environ.get("REQUESTS_CA_BUNDLE")
        os.environ["REQUESTS_CA_BUNDLE"] = str(chain)
        try:
            yield f"{HERE}:{door.getsockname()[1]}"
        finally:
            os.environ.pop("REQUESTS_CA_BUNDLE")
            if before is not None:
                os.environ["REQUESTS_CA_BUNDLE"] = before


def _certificate(folder: Path) -> Path:
    """Write a key and a certificate for loopback that signs itself, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HERE)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HERE))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain = folder / "front.pem"
    chain.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return chain


def _receive(door: socket.socket, context: ssl.SSLContext, behind: str) -> None:
    while True:
        try:
            caller, _ = door.accept()
        except OSError:  # the door was closed
            return
        threading.Thread(target=_pass_on, args=(caller, context, behind), daemon=True).start()


def _pass_on(caller: socket.socket, context: ssl.SSLContext, behind: str) -> None:
    host, _, port = behind.partition(":")
    address = host, int(port)
    with (
        suppress(OSError),
        context.wrap_socket(caller, server_side=True) as inside,
        socket.create_connection(address) as outside,
    ):
        back = threading.Thread(target=_copy, args=(outside, inside), daemon=True)
        back.start()
        _copy(inside, outside)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Copy until one side ends, and tell the other."""
    with suppress(OSError):
        while chunk := source.recv(CHUNK):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
