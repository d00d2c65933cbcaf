"""The log: one JSON (or readable) line per thing that happened, with secrets masked in one place."""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog

_NAMED = re.compile(
    r"(?i)((?:access_token|refresh_token|application_token|client_secret|auth_id|refresh_id|event_token|api_id|psw|password|"
    r"secret|authorization|auth)[\"']?\]?\s*[=:]\s*[\"']?(?:bearer\s+)?)([^\s\"'&,;}\]]{6,})"
)
_WEBHOOK = re.compile(r"(/rest/(?:api/)?\d+/)[A-Za-z0-9]{8,}")
MASK = "***"


class Mask:
    """Replaces secrets in texts: known values wherever they stand, and whatever is named like a secret.

    Tokens come and go: of those learnt in passing the last ``remembered`` are known, as many as may still be written.
    """

    def __init__(self, known: Iterable[str] = (), remembered: int = 1000) -> None:
        self._known: dict[str, None] = dict.fromkeys(secret for secret in known if len(secret) >= 6)
        self._passing: OrderedDict[str, None] = OrderedDict()
        self._remembered = remembered
        self._lock = threading.Lock()

    def keep(self, *secrets: str) -> None:
        """Mask these values for good."""
        self._known = {**self._known, **dict.fromkeys(secret for secret in secrets if len(secret) >= 6)}

    def learn(self, *secrets: str) -> None:
        """Mask these values from now on."""
        with self._lock:
            for secret in secrets:
                if len(secret) >= 6:
                    self._passing[secret] = None
                    self._passing.move_to_end(secret)
            while len(self._passing) > self._remembered:
                self._passing.popitem(last=False)

    def forget(self) -> None:
        """Know nothing any more, as in a process that was just started."""
        with self._lock:
            self._known = {}
            self._passing.clear()

    def text(self, text: str) -> str:
        with self._lock:
            known = [*self._known, *self._passing]
        for secret in known:
            if secret in text:
                text = text.replace(secret, MASK)
        return _WEBHOOK.sub(rf"\1{MASK}", _NAMED.sub(rf"\1{MASK}", text))

    def value(self, value: Any) -> Any:
        """Mask a value of any shape."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.value(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(inner) for inner in value]
        return value

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: self.value(value) for key, value in event.items()}


mask = Mask()


def set_up_logging(*, readable: bool = False, level: int = logging.INFO) -> None:
    """Send every log line, of this application and of libraries, to standard error, masked."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]
    renderer: Any = structlog.dev.ConsoleRenderer(colors=False) if readable else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, mask, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("urllib3", "apscheduler", "waitress.queue", "alembic", "procrastinate"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def log(name: str) -> Any:
    """Return a logger."""
    return structlog.stdlib.get_logger(name)
