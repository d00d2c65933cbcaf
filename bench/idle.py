"""What `serve` takes when nothing happens: processor and memory, and how late a timer is."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from bench.sides import application, install, stand_in, until_quiet


def cpu_seconds(pid: int) -> float:
    """Read the processor time a process has used (proc(5))."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Read the resident memory of a process, MB."""
    line = next(x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def run(seconds: float = 60) -> tuple[float, float]:
    """Look on for a while; give the share of one core, and MB."""
    with stand_in() as portal, application(portal) as app:
        install(portal, app)
        until_quiet(portal)
        pid = app.processes["serve"].pid
        before, began = cpu_seconds(pid), time.monotonic()
        time.sleep(seconds)
        return (cpu_seconds(pid) - before) / (time.monotonic() - began), memory(pid)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    share, resident = run(parser.parse_args().seconds)
    print(f"idle serve: {share:.1%} of a core, {resident:.0f} MB")


if __name__ == "__main__":
    main()
