"""Run every bench and print the table of docs/performance.md: ``python -m bench [--quick] [--only a,b]``."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from statistics import median

from bench import acknowledge, history, idle, latency, mass_move, plain_bot, timers
from bench.postgres import is_there

Rows = Iterator[tuple[str, str]]


def mass(quick: bool) -> Rows:
    course = mass_move.run(300 if quick else 1000)
    bot = plain_bot.run(30 if quick else 60)
    ratio = course.sustained() / max(bot.sustained(), 0.001)
    yield (
        f"(a) mass move of {course.deals} deals, the bucket alone",
        f"{course.sustained():.1f} deals/s after the burst, {course.per_deal:.3f} requests a deal, "
        f"{course.seconds:.0f} s in all, {course.counts['refused']} times 503",
    )
    yield (
        "(a) a plain bot, one call per thing",
        f"{bot.sustained():.2f} deals/s after the burst, {bot.per_deal:.1f} requests a deal: {ratio:.0f} times slower",
    )


def slow(quick: bool) -> Rows:
    course = mass_move.run(100 if quick else 1000, slow=True)
    counts = course.counts
    yield (
        f"(a) mass move of {course.deals} deals, the portal takes its time",
        f"{course.deals / course.seconds:.2f} deals/s over {course.seconds:.0f} s, {counts['blocked']} times 429, "
        f"longest request {counts['slowest']:.0f} s",
    )


def webhooks(quick: bool) -> Rows:
    for kind in ("sqlite", *(("postgresql",) if is_there() else ())):
        for row in acknowledge.run(kind, seconds=4 if quick else 10):
            yield (
                f"(b) callbacks, {row['store']}, {row['rate']}/s, worker {row['worker']}",
                f"p50 {row['p50'] * 1000:.0f} ms, p99 {row['p99'] * 1000:.0f} ms, "
                f"lost {row['lost']}, refused {row['refused']}",
            )


def reaction(quick: bool) -> Rows:
    took = latency.run(8 if quick else 25)
    p99 = took[min(int(len(took) * 0.99), len(took) - 1)]
    yield "(c) from the move to the task, idle", f"median {median(took):.2f} s, p99 {p99:.2f} s of {len(took)}"


def reading(quick: bool) -> Rows:
    rows = 10_000 if quick else 100_000
    told = history.ours(rows)
    yield (
        f"(d) {rows} history rows, our reader",
        f"{told['requests']} requests, {told['seconds']:.0f} s, {told['memory']:.0f} MB more than at its start",
    )
    few = 2_000 if quick else 20_000
    for name, row in history.others(few).items():
        yield (
            f"(d) {few} history rows, {name}",
            f"{row['rows']} rows with {row['requests']} requests, {row['seconds']:.1f} s",
        )


def clocks(quick: bool) -> Rows:
    many = 1_000 if quick else 10_000
    told = timers.run(many)
    late, idle_late = told["many"], told["idle"]
    yield f"(e) {many} timers due at once", f"{told['fired']} decided, the last after {late[-1]:.0f} s"
    yield "(e) a timer when idle", f"median {median(idle_late):.2f} s late, latest {idle_late[-1]:.2f} s of {len(idle_late)}"


def rest(quick: bool) -> Rows:
    share, resident = idle.run(20 if quick else 60)
    yield "(f) serve, idle", f"{share:.1%} of a core, {resident:.0f} MB"


BENCHES: dict[str, Callable[[bool], Rows]] = {
    "a": mass,
    "slow": slow,
    "b": webhooks,
    "c": reaction,
    "d": reading,
    "e": clocks,
    "f": rest,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run: less of everything")
    parser.add_argument("--only", default=",".join(BENCHES), help="which benches, of " + ",".join(BENCHES))
    asked = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, Python {platform.python_version()}", flush=True)
    for name in asked.only.split(","):
        print(f"load before ({name}): {os.getloadavg()[0]:.1f}", flush=True)
        for what, figure in BENCHES[name](asked.quick):
            print(f"| {what} | {figure} |", flush=True)


if __name__ == "__main__":
    main()
