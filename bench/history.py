"""A reader that has to catch up a long stage history: requests and memory, next to fast-bitrix24 alone and b24pysdk.

All read from pretend portals without limits; what counts is how many requests each needs, which the real portal allows two a
second of.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import time
from typing import Any

from bench.https_front import https_front
from bench.sides import ADMIN, application, install, stand_in, until_quiet

SECRET = "0123456789abcdef"


def ours(rows: int) -> dict[str, Any]:
    """Let the application's own reader catch up, in a process of its own; give requests, seconds, MB and rows stored."""
    with stand_in(unlimited=True, deaf=True) as portal, application(portal) as app:
        place = install(portal, app)
        ids = portal.ask("_bench/fill", count=200, category=place["category"], stage=place["stages"]["Очередь"])["ids"]
        until_quiet(portal)
        app.end()
        long = {"ids": ids, "category": place["category"], "stage": place["stages"]["Готово"]}
        portal.ask("_bench/history", rows=rows, **long)
        since = portal.progress()["requests"]
        command = [sys.executable, "-m", "bench.history", "--read"]
        began = time.time()
        told = subprocess.run(command, env=dict(app.environment), capture_output=True, text=True, check=True).stdout.split()
        return {
            "requests": portal.progress()["requests"] - since,
            "seconds": time.time() - began,
            "memory": float(told[-1]),
            "rows": int(told[-2]),
        }


def read() -> None:
    """Read what is new of the one portal of this database, and tell how much that was and the memory it took."""
    from datetime import datetime, timedelta

    from assembly import assemble
    from b24app.engine.access import gate_of
    from b24app.engine.knowledge import field_book, known
    from b24app.engine.reading.reader import HistoryReader
    from b24app.settings import read_settings

    leap = iter(range(10**9))
    workshop = assemble(read_settings(), pace=lambda: datetime.now().astimezone() + timedelta(minutes=next(leap))).workshop
    with workshop.database.read() as connection:
        (portal,) = workshop.portals.all(connection)
    gate = gate_of(workshop, portal)
    knowledge = known(workshop, portal, gate)
    with workshop.database.read() as connection:
        book = field_book(workshop, connection, portal, knowledge)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = HistoryReader(workshop, portal, gate, book).read()
    print(found, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def others(rows: int) -> dict[str, dict[str, Any]]:
    """Read a history through an inbound webhook with the two libraries."""
    from b24pysdk import BitrixWebhook, Client
    from fast_bitrix24 import BitrixAsync

    found: dict[str, dict[str, Any]] = {}
    with stand_in(unlimited=True, deaf=True, webhook=SECRET) as portal:
        ids = portal.ask("_bench/fill", count=50, category=0, stage="NEW")["ids"]
        portal.ask("_bench/history", rows=rows, ids=ids, category=0, stage="NEW")

        def measured(name: str, work: Any) -> None:
            since, began = portal.progress()["requests"], time.time()
            try:
                got: Any = len(work())
            except Exception as trouble:  # noqa: BLE001 - what a foreign library fails with is the finding
                got = f"{type(trouble).__name__}: {trouble}"[:90]
            requests = portal.progress()["requests"] - since
            found[name] = {"requests": requests, "seconds": time.time() - began, "rows": got}

        url = f"http://{portal.portal}/rest/{ADMIN}/{SECRET}/"
        fast = BitrixAsync(url, verbose=False)
        measured("fast-bitrix24", lambda: asyncio.run(fast.get_all("crm.stagehistory.list", {"entityTypeId": 2})))
        with https_front(portal.portal) as front:
            client = Client(BitrixWebhook(domain=front, webhook_token=f"{ADMIN}/{SECRET}"))
            measured("b24pysdk", lambda: list(client.crm.stagehistory.list(entity_type_id=2).as_list().result))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--others", type=int, default=5_000, help="rows for the two libraries, 0 leaves them out")
    parser.add_argument("--read", action="store_true", help="(the reading process itself)")
    asked = parser.parse_args()
    if asked.read:
        read()
        return
    told = ours(asked.rows)
    print(
        f"ours: {told['rows']} of {asked.rows} rows, {told['requests']} requests, "
        f"{told['seconds']:.0f} s, {told['memory']:.0f} MB more"
    )
    for name, row in (others(asked.others) if asked.others else {}).items():
        print(f"{name}: {row['rows']} of {asked.others} rows, {row['requests']} requests, {row['seconds']:.0f} s")


if __name__ == "__main__":
    main()
