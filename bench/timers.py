"""Timers: many due at once, and how late a single one is when nothing else happens.

The timers are put into the application's database as a decision would have put them, each with a step that writes a comment.
"""

from __future__ import annotations

import argparse
import json
import time
from statistics import median
from typing import Any

import sqlalchemy as sa

from bench.sides import App, StandIn, application, install, stand_in, until_quiet

EPOCH_MICROSECONDS = 1_000_000
STEP = {"robot": "record", "props": {"text": {"ru": "Пора", "en": "It is time"}}}
INSERT = sa.text(
    "INSERT INTO timers (portal_id, entity_type_id, item_id, name, what, due, step, lives, task, state, reason, set_at)"
    " VALUES (1, 2, :item, :name, '', :due, :step, 'item', '', 'waiting', '', :set_at)"
)


def put(app: App, items: list[int], dues: list[float]) -> None:
    """Store timers of items, due at these unix seconds."""
    engine = sa.create_engine(app.environment["B24APP_DATABASE_URL"])
    rows = [
        {
            "item": item,
            "name": f"bench {number}",
            "due": int(due * EPOCH_MICROSECONDS),
            "step": json.dumps(STEP),
            "set_at": int(time.time() * EPOCH_MICROSECONDS),
        }
        for number, (item, due) in enumerate(zip(items, dues, strict=True))
    ]
    with engine.begin() as connection:
        connection.execute(INSERT, rows)
    engine.dispose()


def fired(app: App) -> list[float]:
    """Give by how many seconds each fired timer was late, in the order of their numbers."""
    engine = sa.create_engine(app.environment["B24APP_DATABASE_URL"])
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT ended_at - due FROM timers WHERE state = 'fired' AND name LIKE 'bench%' ORDER BY id")
        )
        late = [row[0] / EPOCH_MICROSECONDS for row in rows]
    engine.dispose()
    return late


def run(many: int = 10_000, single: int = 20) -> dict[str, Any]:
    """Measure lateness when idle first, then ``many`` at once: how long until all were decided."""
    with stand_in() as portal, application(portal) as app:
        ids = prepared(portal, app, min(many, 500))
        begin = time.time() + 2
        put(app, ids[:single], [begin + 1.37 * n for n in range(single)])
        time.sleep(2 + 1.37 * single + 4)
        idle = sorted(fired(app))
        until_quiet(portal, 60)
        due = time.time() + 1
        put(app, [ids[n % len(ids)] for n in range(many)], [due] * many)
        ends = due + 900
        while len(fired(app)) < single + many and time.time() < ends:
            time.sleep(0.5)
        late = sorted(fired(app)[len(idle) :])
        return {"idle": idle, "many": late, "fired": len(late)}


def prepared(portal: StandIn, app: App, deals: int) -> list[int]:
    """Install, fill a stage without steps and wait until all is quiet."""
    place = install(portal, app)
    until_quiet(portal)
    fill = {"count": deals, "category": place["category"], "stage": place["stages"]["Очередь"]}
    ids = [int(n) for n in portal.ask("_bench/fill", **fill)["ids"]]
    until_quiet(portal, 120)
    return ids


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=10_000)
    asked = parser.parse_args()
    told = run(asked.many)
    idle, many = told["idle"], told["many"]
    print(f"timers when idle: {len(idle)} fired, median {median(idle):.2f} s late, latest {idle[-1]:.2f} s")
    print(
        f"{asked.many} due at once: {told['fired']} fired, all decided after {many[-1]:.0f} s, {len(many) / many[-1]:.0f}/s"
    )


if __name__ == "__main__":
    main()
