"""The log: one JSON (or readable) line per thing that happened, with secrets masked in one place."""

from __future__ import annotations

import logging
import re
import sys
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
    """Replaces secrets in texts: known values wherever they stand, and whatever is named like a secret."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: set[str] = {secret for secret in known if len(secret) >= 6}

    def learn(self, *secrets: str) -> None:
        """Mask these values from now on."""
        self._known.update(secret for secret in secrets if len(secret) >= 6)

    def text(self, text: str) -> str:
        for secret in self._known:
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
