"""How a commission considers a correction: who sits on it, whose word counts, and what it has come to.

The forms of a process of corrections have fixed names: `ANALYSIS`, `MEASURES` and `APPROVAL`. Only what was said about the
measures as they stand counts: measures that are written anew are voted on anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from b24app.core.forms import Submission
from b24app.core.item import Item
from b24app.core.needs import Ledger
from b24app.core.text import T

ANALYSIS, MEASURES, APPROVAL = "analysis", "measures", "approval"
"""The forms: what was found, what is to be done about it, and what a member of the commission says to that."""
UNFORESEEN, UNFORESEEN_CASE = "unforeseen", "unforeseen_case"
"""Questions of the analysis: whether anything new was met with, and what it was. Its heads are those of the violation type
of the same name."""
OUTCOMES: Mapping[str, T] = {
    "correct": T("результат корректный", "the result is correct"),
    "improvable": T("результат корректный, но есть что улучшить", "the result is correct, but can be improved"),
    "partial": T("результат частично корректный", "the result is partly correct"),
}
"""What an analysis may come to; all but the first need measures."""

CONTRADICTED = T(
    "итог «абсолютно корректный» не сходится с записанными нарушениями: исправьте итог или анализ",
    "“entirely correct” does not agree with the violations that were found: mend the outcome or the analysis",
)

Verdict = Literal["approved", "rejected", "open"]


def newest(forms: tuple[Submission, ...], name: str) -> Submission | None:
    """Return the last submission of a form."""
    return next((sent for sent in reversed(forms) if sent.form == name), None)


def outcome_of(forms: tuple[Submission, ...]) -> str:
    """Return the outcome the measures were written for; empty before that."""
    sent = newest(forms, MEASURES)
    return str(sent.answers.get("outcome", "")) if sent else ""


def contradicted(forms: tuple[Submission, ...]) -> bool:
    """Tell whether work was called entirely correct though the analysis, as it stands, names violations."""
    return outcome_of(forms) == "correct" and bool(rows(newest(forms, ANALYSIS), "violations"))


def unforeseen(forms: tuple[Submission, ...]) -> str:
    """Return the new conditions or exceptions the last analysis met with; empty where there were none."""
    sent = newest(forms, ANALYSIS)
    return str(sent.answers.get(UNFORESEEN_CASE) or "") if sent and sent.answers.get(UNFORESEEN) is True else ""


def rows(sent: Submission | None, name: str) -> list[Mapping[str, Any]]:
    """Return the rows of an answer: the violations, the measures."""
    found = sent.answers.get(name) if sent else None
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list | tuple) else []


def members_of(item: Item, field: str = "commission") -> tuple[int, ...]:
    """Read who sits on the commission from the item's field; what people changed there by hand counts."""
    value = item.fields.get(field)
    listed: Iterable[object] = value if isinstance(value, tuple) else (value,)
    numbers = (int(str(one)) for one in listed if str(one).isdigit())
    return tuple(dict.fromkeys(number for number in numbers if number > 0))


def rounds_of(forms: tuple[Submission, ...]) -> int:
    """Count how many sets of measures were voted on; a card that came back with the same measures is no new round."""
    written = [place for place, sent in enumerate(forms) if sent.form == MEASURES]
    votes = [place for place, sent in enumerate(forms) if sent.form == APPROVAL]
    return len({sum(place < vote for place in written) for vote in votes})


def seat(member: int) -> str:
    """Name the task that asks a member for his word."""
    return f"{APPROVAL}:{member}"


def in_place_of(member: int) -> str:
    """Name the task that asks his head, where the member keeps silent."""
    return f"{APPROVAL}:{member}:head"


@dataclass(frozen=True, slots=True)
class Vote:
    """What was said for the seat of ``member``; ``by`` is whoever said it."""

    member: int
    by: int
    approves: bool
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """How the votes stand."""

    members: tuple[int, ...]
    votes: tuple[Vote, ...]
    needed: int

    @property
    def silent(self) -> tuple[int, ...]:
        """Members nobody has spoken for yet."""
        heard = {vote.member for vote in self.votes}
        return tuple(member for member in self.members if member not in heard)

    @property
    def yes(self) -> int:
        return sum(vote.approves for vote in self.votes)

    @property
    def verdict(self) -> Verdict:
        """Approved with enough votes for it; rejected as soon as there cannot be enough any more."""
        if self.members and self.yes >= self.needed:
            return "approved"
        return "rejected" if self.yes + len(self.silent) < self.needed else "open"


def tally(members: Sequence[int], ledger: Ledger, forms: tuple[Submission, ...], quorum: str) -> Tally:
    """Count the votes about the measures as they stand; the last word of each seat counts."""
    written = max((place for place, sent in enumerate(forms) if sent.form == MEASURES), default=-1)
    heard: dict[int, Vote] = {}
    for sent in forms[written + 1 :]:
        if sent.form == APPROVAL:
            approves, comment = sent.answers.get("decision") == "approve", str(sent.answers.get("comment") or "")
            heard |= {m: Vote(m, sent.by, approves, comment) for m in members if sent.by in speakers(m, ledger)}
    votes = tuple(heard[member] for member in members if member in heard)
    return Tally(tuple(members), votes, needed(quorum, len(members)))


def speakers(member: int, ledger: Ledger) -> frozenset[int]:
    """Tell who may speak for a seat: the member, and whoever was asked in his place."""
    asked = {task.responsible for task in ledger.tasks if task.name in (seat(member), in_place_of(member))}
    return frozenset({member, *asked})


def needed(quorum: str, members: int) -> int:
    """Tell how many have to approve: ``all``, ``majority`` or a number, and never more than there are members."""
    if quorum == "all":
        return members
    if quorum.isdigit():
        return max(1, min(int(quorum), members))
    return members // 2 + 1
