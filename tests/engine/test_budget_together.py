"""The request budget under many threads of two processes, against the bucket as the portal counts it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.shop import shop

CAPACITY, DRAIN = 50, 2.0


def highest_level(moments: list[float]) -> float:
    """Pour requests into the portal's leaky bucket; give how full it ever was."""
    level, highest, before = 0.0, 0.0, moments[0]
    for moment in moments:
        level = max(0.0, level - (moment - before) * DRAIN) + 1
        highest, before = max(highest, level), moment
    return highest


def test_fifty_threads_in_two_processes_never_fill_the_portals_bucket(tmp_path: Path) -> None:
    shop(tmp_path).add_portal()
    outs = [tmp_path / "one", tmp_path / "two"]
    takers = [
        subprocess.Popen([sys.executable, "-m", "tests.engine.budget_takers", str(tmp_path), str(out)]) for out in outs
    ]
    assert [taker.wait(60) for taker in takers] == [0, 0]

    shares = [json.loads(out.read_text()) for out in outs]
    moments = sorted(moment for share in shares for moment in share)
    assert len(moments) >= 40
    assert highest_level(moments) <= CAPACITY
