"""A thousand deals move at once, each wants a task with a checklist of five lines and a training comment."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

from bench.sides import application, install, stand_in, until_quiet


@dataclass(frozen=True, slots=True)
class Course:
    """How a mass move went: (seconds, deals done, requests) as it went on, and the counts at its end."""

    points: list[tuple[float, int, int]]
    counts: dict[str, Any]

    @property
    def deals(self) -> int:
        return self.points[-1][1]

    @property
    def seconds(self) -> float:
        return self.points[-1][0]

    @property
    def per_deal(self) -> float:
        return self.points[-1][2] / max(self.deals, 1)

    def sustained(self, after: int = 50) -> float:
        """Give deals a second from the moment the burst of the bucket was spent."""
        later = [point for point in self.points if point[2] >= after]
        if len(later) < 2 or later[-1][0] == later[0][0]:
            return self.deals / max(self.seconds, 0.001)
        return (later[-1][1] - later[0][1]) / (later[-1][0] - later[0][0])


def follow(portal: Any, deals: int, since: int, began: float, patience: float) -> Course:
    """Look on until all deals have what they need or patience ends."""
    points: list[tuple[float, int, int]] = []
    while True:
        seen = portal.progress(since)
        points.append((seen["now"] - began, seen["done"], seen["requests"] - since))
        if seen["done"] >= deals or time.time() - began > patience:
            return Course(points, seen)
        time.sleep(0.25)


def run(deals: int = 1000, *, slow: bool = False, database: str = "", patience: float = 900) -> Course:
    """Move ``deals`` and follow them; the bucket has been at rest and is empty when they move."""
    with stand_in(slow=slow) as portal, application(portal, database) as app:
        place = install(portal, app)
        until_quiet(portal)
        ids = portal.ask("_bench/fill", count=deals, category=place["category"], stage=place["stages"]["Очередь"])["ids"]
        until_quiet(portal, 120)
        time.sleep(0 if slow else 30)  # the bucket drains what the preparation has used
        since = portal.progress()["requests"]
        began = portal.ask("_bench/move", ids=ids, stage=place["stages"]["В работе"])["began"]
        return follow(portal, deals, since, began, patience)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=1000)
    parser.add_argument("--slow", action="store_true", help="the portal takes real time and counts operating time")
    parser.add_argument("--patience", type=float, default=900)
    asked = parser.parse_args()
    course = run(asked.deals, slow=asked.slow, patience=asked.patience)
    for point in course.points[:: max(len(course.points) // 20, 1)]:
        print(f"{point[0]:7.1f} s  {point[1]:5d} deals  {point[2]:5d} requests")
    print(course.counts)
    print(
        f"{course.deals} deals in {course.seconds:.1f} s, sustained {course.sustained():.1f}/s, "
        f"{course.per_deal:.3f} requests a deal"
    )


if __name__ == "__main__":
    main()
