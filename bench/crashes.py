"""A death at every place: one day of everything, once for each request and each callback of it, before and after it.

``python -m bench.crashes`` plays the day of `tests/flows/busy_day.py` undisturbed, then once with a worker's death before
and once after each of its HTTP requests, then with a death of the web process before and after the commit of each callback.
What people see on the portal and get by SMS has to be the same each time. Ends with 1 where it is not.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from functools import cache

import structlog

import assembly
from tests.flows.busy_day import Course, callback_deaths, deaths, differences, play, unanswered
from tests.flows.cuts import Cut, WebCut
from tests.flows.theatre import Theatre, a_theatre


def place(quiet: Course, death: Cut | WebCut) -> str:
    """Name where somebody dies."""
    if isinstance(death, WebCut):
        return f"web {death.when} commit of callback {death.at} ({quiet.callbacks[death.at - 1]})"
    methods = Counter(quiet.requests[death.at - 1])
    told = ", ".join(f"{many} {name}" if many > 1 else name for name, many in methods.items())
    return f"worker {death.when} request {death.at} ({told})"


def replay(theatre: Theatre, quiet: Course, death: Cut | WebCut) -> list[str]:
    """Play the day with a death in it; say what is different then."""
    lost_call = isinstance(death, WebCut) and death.when == "before" and quiet.callbacks[death.at - 1].startswith("robot ")
    expected = unanswered(quiet.picture) if lost_call else quiet.picture
    try:
        return differences(expected, play(theatre, death).picture)
    except Exception as error:  # noqa: BLE001 - a day that breaks off is a finding, and the others are still played
        return [f"{type(error).__name__}: {error}"]


def run(verbose: bool = False) -> int:
    """Replay everything; give the number of days that ended differently."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    assembly.load_processes = cache(assembly.load_processes)  # they are the same every day
    with a_theatre() as theatre:
        quiet = play(theatre)
        methods = {method for request in quiet.requests for method in request}
        print(
            f"one day: {len(quiet.requests)} requests, {len(methods)} methods, {len(quiet.callbacks)} callbacks", flush=True
        )
        began, bad = time.monotonic(), 0
        places: list[Cut | WebCut] = [*deaths(quiet.requests), *callback_deaths(quiet.callbacks)]
        for death in places:
            found = replay(theatre, quiet, death)
            bad += bool(found)
            if found or verbose:
                print(f"{place(quiet, death)}: {'DIFFERENT' if found else 'the same'}", *found, sep="\n    ", flush=True)
        seconds = time.monotonic() - began
        print(f"{len(places)} deaths, {bad} days ended differently, {seconds:.0f} s, {seconds / len(places):.1f} s each")
        return bad


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.crashes", description=__doc__)
    parser.add_argument("--verbose", action="store_true", help="name every death, not only those that changed something")
    sys.exit(1 if run(parser.parse_args().verbose) else 0)


if __name__ == "__main__":
    main()
