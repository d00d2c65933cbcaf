"""What the demonstration prints, in the language of the visitor, and the expectations it counts."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Lang = Literal["ru", "en"]
WIDTH = 118
LONGEST = 240
SHORT = 150


@dataclass(slots=True)
class Narrator:
    """Tells the story. Expectations that were not met are kept: they decide how the demonstration ends."""

    lang: Lang
    write: Callable[[str], object]
    met: int = 0
    missed: list[str] = field(default_factory=list)
    _chapters: int = 0

    def of(self, ru: str, en: str) -> str:
        """Choose the visitor's language."""
        return ru if self.lang == "ru" else en

    def chapter(self, ru: str, en: str) -> None:
        """Begin a chapter."""
        self._chapters += 1
        title = f"{self._chapters}. {self.of(ru, en)}"
        self.write(f"\n{title}\n{'─' * len(title)}")

    def did(self, when: str, who: str, what: str) -> None:
        """Say what a person did, and when by the company's clock."""
        self._wrapped(f"{when}  {who}: ", what)

    def why(self, text: str) -> None:
        """Say what the application decided, in the words of its journal."""
        self._wrapped(self.of("      приложение: ", "      application: "), text)

    def done(self, text: str) -> None:
        """Say what the application did."""
        self._wrapped("        → ", textwrap.shorten(text, SHORT, placeholder="…"))

    def note(self, text: str) -> None:
        """Say something beside the story."""
        self._wrapped("      ", text)

    def expect(self, ru: str, en: str, *, seen: bool, instead: object = "") -> None:
        """State an expectation and whether it was met; ``instead`` is what was seen."""
        text = self.of(ru, en)
        if seen:
            self.met += 1
            self._wrapped("      ✓ ", text)
            return
        self.missed.append(text)
        found = self.of("; увидели: ", "; seen: ") + str(instead) if instead != "" else ""
        self._wrapped("      ✗ ", self.of("НЕ СБЫЛОСЬ: ", "NOT MET: ") + text + found)

    def _wrapped(self, lead: str, text: str) -> None:
        short = textwrap.shorten(text, LONGEST, placeholder="…")
        self.write(textwrap.fill(lead + short, WIDTH, subsequent_indent=" " * (len(lead) - len(lead.lstrip()) + 2)))
