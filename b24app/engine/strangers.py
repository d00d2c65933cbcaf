"""How often strangers may make us ask others who they are.

A callback is judged by what is stored. Who opens a page or installs the application is asked for at the portal or the
authorization server instead, and whoever posts nonsense there again and again would keep our threads waiting, spend the
portal's requests and have us blocked by a server that everything depends on.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LIMIT = 30
"""Questions in a minute, in this process, that are under way or came to nothing."""
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Question:
    """A question under way; ``settled`` once it is known who it was."""

    at: datetime
    settled: bool = False


@dataclass(slots=True)
class Strangers:
    """The questions of the last minute about people nobody here knows, for all threads of a process."""

    _kept: deque[Question] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, now: datetime) -> Question | None:
        """Note that somebody is to be asked for; None when there were too many of those who turned out to be nobody."""
        with self._lock:
            self._kept = deque(d for d in self._kept if not d.settled and timedelta() <= now - d.at < MINUTE)
            if len(self._kept) >= LIMIT:
                return None
            self._kept.append(asked := Question(now))
            return asked
