"""How fast callbacks are acknowledged, and whether any is lost: at an even rate, with the worker idle and busy."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa

from bench.postgres import is_there, postgres
from bench.sides import App, StandIn, application, install, stand_in, until_quiet


def count(app: App) -> int:
    """Count the callbacks the application has written down."""
    url = sa.make_url(app.environment["B24APP_DATABASE_URL"])
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(sa.text(BENCH_ROWS)).scalar_one()
    engine.dispose()
    return int(found)


BENCH_ROWS = "SELECT count(*) FROM inbox WHERE CAST(body AS TEXT) LIKE '%700000000%'"


def shoot(app: App, portal: StandIn, rate: float, seconds: float) -> dict[str, Any]:
    """Send events of deals that do not exist, at an even rate from a process of its own; tell how that went."""
    event = {
        "event": "ONCRMDEALUPDATE",
        "event_handler_id": "1",
        "data[FIELDS][ID]": "{n}",
        "ts": "1795287696",
        "auth[domain]": portal.portal,
        "auth[member_id]": portal.member,
        "auth[application_token]": app.card["application_token"],
        "auth[client_endpoint]": f"http://{portal.portal}/rest/",
        "auth[server_endpoint]": f"http://{portal.oauth}/rest/",
    }
    body = app.folder / "event"
    body.write_text(urlencode(event).replace("%7Bn%7D", "700000000{n}"))
    before = count(app)
    command = [sys.executable, "-m", "bench.load", f"{app.address}/b24/event", str(rate), str(seconds), str(body)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {**told, "lost": told["good"] - (count(app) - before), "refused": told["sent"] - told["good"]}


@contextmanager
def database(kind: str) -> Iterator[str]:
    if kind == "postgresql":
        with postgres() as url:
            yield url
    else:
        yield ""


def run(kind: str, rates: tuple[int, ...] = (200, 500), seconds: float = 10, busy: int = 400) -> list[dict[str, Any]]:
    """Measure one database at these rates, idle, then at the same rates while ``busy`` deals are worked for each."""
    rows: list[dict[str, Any]] = []
    with database(kind) as url, stand_in() as portal, application(portal, url) as app:
        place = install(portal, app)
        until_quiet(portal)
        for rate in rates:
            rows.append({"store": kind, "rate": rate, "worker": "idle", **shoot(app, portal, rate, seconds)})
        until_quiet(portal, 30)
        for rate in rates:
            fill = {"count": busy, "category": place["category"], "stage": place["stages"]["Очередь"]}
            ids = portal.ask("_bench/fill", **fill)["ids"]
            until_quiet(portal, 60)
            portal.ask("_bench/move", ids=ids, stage=place["stages"]["В работе"])
            rows.append({"store": kind, "rate": rate, "worker": "busy", **shoot(app, portal, rate, seconds)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--rate", type=int, action="append")
    asked = parser.parse_args()
    kinds = asked.store or ["sqlite", *(["postgresql"] if is_there() else [])]
    for kind in kinds:
        for row in run(kind, tuple(asked.rate or (200, 500)), asked.seconds):
            print(
                f"{row['store']:10s} {row['rate']:4d}/s worker {row['worker']}: p50 {row['p50'] * 1000:.1f} ms, "
                f"p99 {row['p99'] * 1000:.1f} ms, worst {row['worst'] * 1000:.0f} ms, "
                f"refused {row['refused']}, lost {row['lost']}"
            )


if __name__ == "__main__":
    main()
