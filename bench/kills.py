"""Processes killed under load: nothing may be lost and nothing done twice.

``python -m bench.kills --rounds 50 --store sqlite|postgresql`` moves deals on a pretend portal that takes its time; kills a
process at a moment of chance with SIGKILL; starts it again as a service manager does; and goes on when the application works
again. In the end every deal has to have one task, its checklist and one comment. ``--takeover`` kills the worker that has
the portal instead, and measures how long it takes until another one has it. Ends with 1 where something is lost, doubled or
late.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from statistics import median

import sqlalchemy as sa

from bench.acknowledge import database
from bench.postgres import is_there
from bench.sides import App, StandIn, application, install, stand_in, until_quiet, wait_for

LINES = 5
"""Lines in the checklist of `bench/processes/mass_move.yaml`."""
LATEST = 4.0
"""Seconds after a move within which somebody is killed."""
RESTART = 0.1
"""Seconds until a process is started again: the default of systemd's RestartSec."""
PATIENCE = 90.0
"""Seconds within which the application has to work again; what was under way when it died is looked up after 65."""
TAKEOVER = 15.0
"""Seconds within which another worker has to have a dead worker's portal."""
READER_PERIOD = 5
"""Seconds between two looks at the history without a hint; the shortest there is, so that a round is short."""
LATE = 0.5
"""The share of the requests that the portal carries out at their end: a dead worker's go on while others look for them."""
TIMES = 4
"""How much longer the portal takes to create something than in the other benches: a request for five deals lasts 8 s."""
CHILD = "web child"


@dataclass(frozen=True, slots=True)
class Running:
    """Both sides under load: deals wait in the first stage to be moved."""

    portal: StandIn
    app: App
    stage: str
    deals: list[int]

    def move(self, many: int) -> None:
        """Move the next deals at once."""
        chosen = [self.deals.pop() for _ in range(many)]
        self.portal.ask("_bench/move", ids=chosen, stage=self.stage)

    def requests(self) -> int:
        return int(self.portal.progress()["requests"])

    def works_again(self, since: float) -> float:
        """Wait until the portal is asked for something again; give the seconds since a moment."""
        before = self.requests()
        until(lambda: self.requests() > before, "nobody works any more")
        return time.monotonic() - since


def until(there: Callable[[], bool], otherwise: str, seconds: float = PATIENCE) -> None:
    """Wait for something; raises ``TimeoutError`` saying what is wrong otherwise."""
    ends = time.monotonic() + seconds
    while not there():
        if time.monotonic() > ends:
            raise TimeoutError(otherwise)
        time.sleep(0.05)


@contextmanager
def under_load(store: str, deals: int, workers: int = 2) -> Iterator[Running]:
    """Start both sides, install, and put deals into the stage before the one that wants work."""
    settings = {"workers": workers, "reader_period": READER_PERIOD}
    with (
        database(store) as url,
        stand_in(slow=True, times=TIMES, late=LATE) as portal,
        application(portal, url, **settings) as app,
    ):
        place = install(portal, app)
        until_quiet(portal, calm=0.5)
        fill = {"count": deals, "category": place["category"], "stage": place["stages"]["Очередь"]}
        ids = [int(number) for number in portal.ask("_bench/fill", **fill)["ids"]]
        until(lambda: not portal.progress()["events_waiting"], "events are not delivered")
        yield Running(portal, app, place["stages"]["В работе"], ids)


# killing ---------------------------------------------------------------------------------------------------------------


def victims(app: App) -> list[str]:
    """Name what can be killed: every process, and one of the web server's own."""
    return [*app.commands, *([CHILD] if "web" in app.commands else [])]


def kill(app: App, name: str, chance: random.Random) -> None:
    """Kill a process, and start it again where nobody else does."""
    if name == CHILD:
        master = app.processes["web"].pid
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        os.kill(int(chance.choice(children)), SIGKILL)  # its master starts another one
        return
    app.kill(name)
    time.sleep(RESTART)
    app.start(name)


def rounds(store: str, running: Running, many: int, moved: int, chance: random.Random) -> None:
    """Move, kill, wait until work goes on; print each round."""
    for number in range(1, many + 1):
        running.move(moved)
        name, moment = chance.choice(victims(running.app)), chance.uniform(0, LATEST)
        time.sleep(moment)
        began = time.monotonic()
        kill(running.app, name, chance)
        took = running.works_again(began)
        wait_for(running.app.address)
        what = f"{store}, round {number}: {name} killed {moment:.2f} s after {moved} deals moved"
        print(f"{what}, work went on {took:.1f} s later", flush=True)


def census(portal: StandIn, moved: int) -> list[str]:
    """Say what is lost or doubled."""
    found = portal.ask("_bench/deals")
    wrong = [f"{deal}: {json.dumps(has)}" for deal, has in found.items() if has != {"tasks": [LINES], "comments": 1}]
    if len(found) < moved:
        wrong.append(f"{moved - len(found)} deals have nothing at all")
    return wrong


def all_done(running: Running, moved: int) -> None:
    """Wait until nothing is written any more: for a while when every deal has something, much longer when one has not."""
    writes, since = -1, time.monotonic()
    while True:
        now = running.portal.progress()
        if now["written"] != writes:
            writes, since = now["written"], time.monotonic()
        calm = time.monotonic() - since
        if calm > PATIENCE or (now["done"] >= moved and calm > READER_PERIOD * 2):
            return
        time.sleep(0.2)


def run(store: str, many: int, moved: int, seed: int) -> bool:
    """Do the rounds on one kind of database; True when every deal has what it needs, once."""
    print(f"{store}: {many} rounds of {moved} deals, seed {seed}", flush=True)
    began = time.monotonic()
    with under_load(store, many * moved) as running:
        rounds(store, running, many, moved, random.Random(seed))
        all_done(running, many * moved)
        wrong, seen = census(running.portal, many * moved), running.portal.progress()
        complaints = seen["complaints"]
    print(*wrong, *complaints, sep="\n", end="\n" if wrong or complaints else "")
    print(
        f"{store}: {many} kills, {many * moved} deals, {len(wrong)} with something lost or doubled, "
        f"{seen['requests']} requests, {time.monotonic() - began:.0f} s",
        flush=True,
    )
    return not wrong and not complaints


# taking over -------------------------------------------------------------------------------------------------------------


def takeovers(many: int, moved: int) -> bool:
    """Kill the worker that has the portal, again and again; True when another one always had it in time."""
    took: list[float] = []
    with under_load("postgresql", many * moved) as running:
        engine = sa.create_engine(
            running.app.environment["B24APP_DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
        )
        for number in range(1, many + 1):
            running.move(moved)
            until(lambda: bool(holder(engine)), "nobody takes the portal")
            time.sleep(1)
            until(lambda: bool(holder(engine)), "nobody takes the portal")
            dead = holder(engine)
            name = next(name for name, process in running.app.processes.items() if process.pid == dead)
            began = time.monotonic()
            running.app.kill(name)
            until(lambda dead=dead: holder(engine) not in (None, dead), "nobody takes over")  # type: ignore[misc]
            took.append(time.monotonic() - began)
            print(f"takeover {number}: {name} killed at work, another had the portal after {took[-1]:.1f} s", flush=True)
            running.app.start(name)
        engine.dispose()
        all_done(running, many * moved)
        wrong = census(running.portal, many * moved)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{many} takeovers: median {median(took):.1f} s, longest {max(took):.1f} s; {len(wrong)} deals lost or doubled")
    return max(took) <= TAKEOVER and not wrong


def holder(engine: sa.Engine) -> int | None:
    """Give the process that has the portal's lane (`b24app.engine.running.workers.worker_name`)."""
    with engine.connect() as connection:
        owner = str(connection.execute(sa.text("SELECT lane_owner FROM portals")).scalar_one())
    return int(owner.split(":")[1]) if owner else None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--deals", type=int, default=5, help="deals moved in each round")
    parser.add_argument("--seed", type=int, default=None, help="the chance to repeat; the process's own where not given")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], help="one of them; each there is where not given")
    parser.add_argument("--takeover", action="store_true", help="kill the worker that has the portal, on PostgreSQL")
    asked = parser.parse_args()
    seed = random.randrange(10**6) if asked.seed is None else asked.seed
    stores = [asked.store] if asked.store else ["sqlite", *(["postgresql"] if is_there() else [])]
    if asked.takeover:
        fine = takeovers(asked.rounds, asked.deals)
    else:
        with ThreadPoolExecutor(len(stores)) as beside:  # most of the time is waiting
            fine = all(list(beside.map(lambda store: run(store, asked.rounds, asked.deals, seed), stores)))
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
