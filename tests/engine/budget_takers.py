"""What the workers of `test_budget_together` do in processes of their own."""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from b24app.bitrix.budget import Priority
from b24app.engine.access import StoredBudget
from tests.shop import shop

SPEED = 40
"""How much faster than the wall the portal's clock runs."""
THREADS = 25
SECONDS = 0.6


def take(folder: Path, out: Path) -> None:
    """Take from the budget with many threads for a while; write down at which moments requests were granted."""
    seen = threading.local()

    def pace() -> datetime:
        seen.at = time.time() * SPEED
        return datetime.fromtimestamp(seen.at, UTC)

    workshop = replace(shop(folder).workshop, pace=pace)
    granted: list[float] = []
    ends = time.monotonic() + SECONDS

    def work(priority: Priority) -> None:
        budget = StoredBudget(workshop, 1, priority)
        while time.monotonic() < ends:
            wait = budget.take()
            if wait:
                time.sleep(min(wait / SPEED, 0.05))
            else:
                granted.append(seen.at)

    threads = [threading.Thread(target=work, args=(Priority(number % 3),)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out.write_text(json.dumps(granted))


if __name__ == "__main__":
    take(Path(sys.argv[1]), Path(sys.argv[2]))
