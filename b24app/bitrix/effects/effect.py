"""How an action is carried out on the portal: in steps, each noted before the next, each found again after a lost reply.

An `Effect` is pure: it turns what was already achieved (``progress``, JSON) into the next commands, and their replies into
more progress. Whoever drives it writes progress down between the steps. When nobody knows whether a step was done, ``look``
asks the portal first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from b24app.bitrix.commands import Command
from b24app.bitrix.errors import PortalError
from b24app.bitrix.reading.fields import FieldBook
from b24app.bitrix.reading.marks import SIGNATURE
from b24app.bitrix.replies import Reply
from b24app.core.text import Lang

Progress = Mapping[str, Any]
Replies = Sequence[Reply | PortalError]


@dataclass(frozen=True, slots=True)
class Setting:
    """What effects need to know beside the action itself."""

    book: FieldBook
    admin: int
    lang: Lang
    now: datetime
    pipelines: Mapping[str, int] = field(default_factory=dict)
    """Process code -> pipeline id, for new items."""

    def signed(self, text: str, mark: str) -> str:
        """End a text with the number it is found by, on the portal and in the journal."""
        return f"{text}\n\n{SIGNATURE.fill(mark=mark).at(self.lang)}"


@dataclass(frozen=True, slots=True)
class Step:
    """How far an effect has come, and the error that stopped it, if one did."""

    progress: Progress
    error: PortalError | None = None


class Effect:
    """One action under way. ``mark`` is its key: what it creates carries it."""

    def __init__(self, mark: str, setting: Setting) -> None:
        self.mark = mark
        self.setting = setting

    def look(self, progress: Progress) -> tuple[Command, ...]:
        """Ask what of the step under way was done already; nothing to ask where repeating is harmless."""
        return ()

    def found(self, progress: Progress, replies: Replies) -> Step:
        """Take in what ``look`` brought."""
        return Step(progress)

    def send(self, progress: Progress) -> tuple[Command, ...]:
        """Give the commands of the next step; none when all is done."""
        raise NotImplementedError

    def sent(self, progress: Progress, replies: Replies) -> Step:
        """Take in the replies to ``send``."""
        raise NotImplementedError


def first_error(replies: Replies) -> PortalError | None:
    """Return the first error among replies."""
    return next((reply for reply in replies if isinstance(reply, PortalError)), None)


class OneCommand(Effect):
    """An effect of a single command that may be repeated."""

    def command(self) -> Command:
        raise NotImplementedError

    def send(self, progress: Progress) -> tuple[Command, ...]:
        return () if progress.get("done") else (self.command(),)

    def sent(self, progress: Progress, replies: Replies) -> Step:
        error = first_error(replies)
        return Step(progress, error) if error else Step({**progress, "done": True})
