"""What a pretend portal answers when it refuses, and what happens when the wire breaks."""

from __future__ import annotations

from typing import Any

from waitress.channel import ClientDisconnected


class RestError(Exception):
    """A refusal of one REST command: the pair of status and code is what the documentation names."""

    def __init__(self, code: str, description: str = "", status: int = 400, **extra: Any) -> None:
        super().__init__(f"{status} {code} {description}")
        self.code = code
        self.description = description
        self.status = status
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """Give the documented error envelope."""
        return {"error": self.code, "error_description": self.description, **self.extra}


class Cut(ClientDisconnected):  # type: ignore[misc]
    """The connection is closed without a single byte of an answer."""


def missing(name: str) -> RestError:
    """Give the refusal of a controller whose required parameter did not come."""
    return RestError("100", f"Could not find value for parameter {{{name}}}")


def access_denied(detail: str = "") -> RestError:
    """Give the refusal of an action the user has no right to (403)."""
    return RestError("ACCESS_DENIED", f"Access denied! {detail}".strip(), 403)
