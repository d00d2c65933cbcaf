"""How long it takes from a move of a deal to its task on the portal, when nothing else happens."""

from __future__ import annotations

import argparse
import time
from statistics import median

from bench.acknowledge import database
from bench.sides import application, install, stand_in, until_quiet


def run(rounds: int = 20, kind: str = "sqlite") -> list[float]:
    """Move deals one at a time, each when all is quiet; give the seconds until each had task, checklist and comment."""
    took: list[float] = []
    with database(kind) as url, stand_in() as portal, application(portal, url) as app:
        place = install(portal, app)
        until_quiet(portal)
        ids = portal.ask("_bench/fill", count=rounds, category=place["category"], stage=place["stages"]["Очередь"])["ids"]
        until_quiet(portal, 60)
        for number, deal in enumerate(ids, start=1):
            began = portal.ask("_bench/move", ids=[deal], stage=place["stages"]["В работе"])["began"]
            while (seen := portal.progress())["done"] < number and seen["now"] - began < 30:
                time.sleep(0.02)
            took.append(seen["now"] - began)
            time.sleep(3.3)  # the bucket has to stay away from its rim
    return sorted(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    asked = parser.parse_args()
    took = run(asked.rounds, asked.store)
    print(f"event to task, {asked.store}: median {median(took):.2f} s, slowest of {len(took)} {took[-1]:.2f} s")


if __name__ == "__main__":
    main()
