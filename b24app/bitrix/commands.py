"""What the application asks of a portal: one command, or up to fifty of them in one request. Pure.

Page: settings/how-to-call-rest-api/batch.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from b24app.bitrix import answers
from b24app.bitrix.errors import PortalError, ServerTrouble
from b24app.bitrix.form import encode
from b24app.bitrix.replies import Reply, as_map, count, timing

BATCH_LIMIT = 50
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_.]*\Z")


@dataclass(frozen=True, slots=True)
class Command:
    """A method and its parameters, checked so that it means the same alone and inside a batch.

    Parameters are texts, numbers, lists and maps of these: ``TypeError`` for ``True``, ``None``, dates and the
    like (a batch would write the words "True" and "None" into fields), ``ValueError`` for a malformed method.
    The order of keys is kept.
    """

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _METHOD.match(self.method):
            raise ValueError(f"{self.method!r} is no method name")
        encode(self.params)


def positional(method: str, *values: Any) -> Command:
    """Build a command for the old task methods, which know parameters by place and not by name.

    Page: settings/how-to-call-rest-api/data-encoding.md.
    """
    return Command(method, {str(place): value for place, value in enumerate(values)})


def batch_body(commands: Sequence[Command]) -> dict[str, Any]:
    """Build the parameters of ``batch`` for 1 to 50 commands; a failing one does not stop the others.

    The query part of a command is encoded once: values may hold ``+ & % #``. Raises ``ValueError`` for none or
    too many commands, and for a ``batch`` inside a batch.
    """
    if not 1 <= len(commands) <= BATCH_LIMIT:
        raise ValueError(f"a batch holds 1 to {BATCH_LIMIT} commands, not {len(commands)}")
    if any(command.method.lower() == "batch" for command in commands):
        raise ValueError("a batch cannot hold a batch")
    return {"halt": 0, "cmd": {_key(place): _line(command) for place, command in enumerate(commands)}}


def split_batch_reply(commands: Sequence[Command], reply: Reply, *, hide: Collection[str] = ()) -> list[Reply | PortalError]:
    """Give every command of a batch its own answer, in the order of the commands.

    A command that the answer does not mention has an unknown outcome (``ServerTrouble``). ``hide`` lists secrets
    that may not show up in a description.
    """
    outer = as_map(reply.result)
    parts = {name: as_map(outer.get(name)) for name in _PARTS}
    return [_answer(command, _key(place), parts, hide) for place, command in enumerate(commands)]


_PARTS = ("result", "result_error", "result_total", "result_next", "result_time")


def _answer(
    command: Command, key: str, parts: Mapping[str, Mapping[str, Any]], hide: Collection[str]
) -> Reply | PortalError:
    time = timing(parts["result_time"].get(key))
    if key in parts["result_error"]:
        error = parts["result_error"][key]
        code, description = answers.error_text(error if isinstance(error, dict) else {"error": error}, hide)
        return answers.failure(command.method, 200, code, description, time=time)
    if key not in parts["result"]:
        return ServerTrouble("", "the batch's answer does not mention this command", 200, method=command.method)
    total, following = count(parts["result_total"].get(key)), count(parts["result_next"].get(key))
    return Reply(parts["result"][key], total, following, time)


def _key(place: int) -> str:
    return f"c{place}"


def _line(command: Command) -> str:
    query = encode(command.params)
    return f"{command.method}?{query}" if query else command.method
