"""Secrets at rest: tokens are kept encrypted with a key made from ``SECRET_KEY``."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken

OPENED = 256
"""Secrets kept open in memory: the few of each portal are read many times a second."""


class WrongSecretKey(Exception):
    """What is stored was encrypted with another ``SECRET_KEY``."""


class Vault:
    """Encrypts and decrypts short texts; several keys may be given, the first encrypts (key rotation)."""

    def __init__(self, *keys: str) -> None:
        self._boxes = [Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys]
        self._opened = lru_cache(OPENED)(self._open)

    def lock(self, text: str) -> bytes:
        return self._boxes[0].encrypt(text.encode())

    def locked_lately(self, locked: bytes) -> bool:
        """Tell whether a text was encrypted with the first key."""
        try:
            self._boxes[0].decrypt(locked)
        except InvalidToken:
            return False
        return True

    def unlock(self, locked: bytes) -> str:
        """Decrypt, or say what it was the last time; raises `WrongSecretKey`."""
        return self._opened(locked)

    def _open(self, locked: bytes) -> str:
        for box in self._boxes:
            try:
                return box.decrypt(locked).decode()
            except InvalidToken:
                continue
        raise WrongSecretKey("a stored secret cannot be read: SECRET_KEY is not the one it was stored with")
