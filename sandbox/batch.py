"""The batch method: commands one after another, with references to earlier answers (batch.md).

The reference rules come from the platform's source (rest_util.php): a reference that is the whole value
keeps its type; inside a longer text only texts are put in; an unresolved path gives the last value reached.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox import rest
from sandbox.errors import RestError
from sandbox.registry import Caller, Page
from sandbox.wire import JSON, as_map, decode_form, php, yes

if TYPE_CHECKING:
    from sandbox.portal import Portal

MAX_COMMANDS = 50
REFERENCE = re.compile(r"\$(result|next|total|error)(\[\S*)")
STEP = re.compile(r"\[([^\]]*)\]")


class Results:
    """What the commands of one batch have answered so far."""

    def __init__(self) -> None:
        self.result: JSON = {}
        self.error: JSON = {}
        self.total: JSON = {}
        self.next: JSON = {}
        self.time: JSON = {}

    def resolve(self, kind: str, path: str) -> Any:
        """Follow a path; what does not resolve leaves the last value reached."""
        place: Any = getattr(self, kind)
        for step in STEP.findall(path):
            if isinstance(place, dict) and step in place:
                place = place[step]
            elif isinstance(place, list) and step.isdigit() and int(step) < len(place):
                place = place[int(step)]
            else:
                break
        return place

    def fill(self, value: Any) -> Any:
        """Put earlier answers into a value, all the way down."""
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if not isinstance(value, str):
            return value
        whole = REFERENCE.fullmatch(value)
        if whole:
            return self.resolve(*whole.groups())
        return REFERENCE.sub(self._inside, value)

    def _inside(self, found: re.Match[str]) -> str:
        value = self.resolve(found.group(1), found.group(2))
        return value if isinstance(value, str) else found.group(0)

    def body(self) -> JSON:
        """Give the answer as PHP writes it."""
        return {
            "result": php(self.result),
            "result_error": php(self.error),
            "result_total": php(self.total),
            "result_next": php(self.next),
            "result_time": php(self.time),
        }


def commands_of(params: Any) -> list[tuple[str, str, str]]:
    """Give (key, method, query) of every command of a batch."""
    commands = as_map(as_map(params).get("cmd"))
    parted = [(str(key), *str(line).partition("?")[::2]) for key, line in commands.items()]
    return [(key, name.strip(), query) for key, name, query in parted]


def run(portal: Portal, caller: Caller, params: Any) -> Page:
    """Run the commands in order; a failing one stops the rest only with ``halt``."""
    results = Results()
    halt = as_map(params).get("halt", 0)
    stops = yes(halt) or str(halt).lower() == "false"
    if not isinstance(as_map(params).get("cmd"), dict | list):
        raise RestError("ERROR_ARGUMENT", "The value of an argument 'cmd' must be of type array", argument="cmd")
    for number, (key, name, query) in enumerate(commands_of(params)):
        if number >= MAX_COMMANDS:
            results.error[key] = RestError("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded").body()
            continue
        _run_one(portal, caller, results, key, name, query)
        if stops and results.error:
            break
    return Page(results.body())


def _run_one(portal: Portal, caller: Caller, results: Results, key: str, name: str, query: str) -> None:
    try:
        if name.lower() == "batch":
            raise RestError("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage", 405)
        page, block = rest.timed(portal, caller, name, results.fill(decode_form(query)))
    except RestError as refusal:
        results.error[key] = refusal.body()
        if refusal.code == "insufficient_scope":
            results.error[key]["error_description"] = ""
        return
    results.result[key] = page.result
    results.time[key] = block
    if page.total is not None:
        results.total[key] = page.total
    if page.next is not None:
        results.next[key] = page.next
