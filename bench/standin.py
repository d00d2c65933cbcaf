"""The pretend portal in a process of its own, with the limits of the cloud: ``python -m bench.standin '{"slow": true}'``.

Prints its addresses as one line of JSON, then serves until its standard input is closed.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, jsonify, request

from sandbox.clock import SandboxClock
from sandbox.company import demo_company
from sandbox.crm import history
from sandbox.crm.schema import DEAL
from sandbox.portal import Portal
from sandbox.registry import SYSTEM
from sandbox.serve import serve
from sandbox.world import World, post_form

COSTS = {
    "tasks.task.add": 0.3,
    "task.checklistitem.add": 0.1,
    "crm.timeline.comment.add": 0.1,
    "crm.item.list": 0.2,
    "crm.stagehistory.list": 0.2,
    "tasks.task.list": 0.2,
}
"""What a method costs on the portal that takes its time, seconds; everything else takes 0.01."""
MANAGERS = (3, 4)


def bench_board(portal: Portal) -> Blueprint:
    """Build what the benches turn and read, beside what everybody may."""
    board = Blueprint("bench", __name__, url_prefix="/_bench")

    @board.post("/fill")
    def fill() -> Any:
        asked = request.get_json()
        with portal.world.lock:
            ids = [_deal(portal, n, asked) for n in range(int(asked["count"]))]
        return jsonify(ids=ids)

    @board.post("/move")
    def move() -> Any:
        asked = request.get_json()
        began = time.time()
        for deal in asked["ids"]:
            with portal.world.lock:
                portal.crm.update(DEAL, int(deal), {"stageId": asked["stage"]}, SYSTEM)
        return jsonify(began=began)

    @board.post("/history")
    def long_history() -> Any:
        asked = request.get_json()
        with portal.world.lock:
            for n in range(int(asked["rows"])):
                owner = asked["ids"][n % len(asked["ids"])]
                portal.crm.history.enter(DEAL, owner, asked["stage"], "P", int(asked["category"]), history.MOVED)
        return jsonify(rows=asked["rows"])

    @board.get("/progress")
    def progress() -> Any:
        with portal.world.lock:
            return jsonify(progress_of(portal, request.args.get("since", 0, int)))

    @board.get("/deals")
    def deals() -> Any:
        with portal.world.lock:
            return jsonify(deals_of(portal))

    return board


def deals_of(portal: Portal) -> dict[str, Any]:
    """Tell of each deal something was done for: the lines in each of its tasks, its comments."""
    found: dict[str, Any] = {}
    for comment in portal.timeline.comments.values():
        found.setdefault(f"D_{comment.item_id}", {"tasks": [], "comments": 0})["comments"] += 1
    lines = Counter(row.task_id for row in portal.tasks.checklist.values() if row.parent_id)
    for task in portal.tasks.tasks.values():
        for binding in task.fields.get("UF_CRM_TASK") or ():
            found.setdefault(str(binding), {"tasks": [], "comments": 0})["tasks"].append(lines[task.id])
    return found


def _deal(portal: Portal, number: int, asked: dict[str, Any]) -> int:
    manager = MANAGERS[number % len(MANAGERS)]
    given = {"title": f"Потолок {number}", "assignedById": manager, "categoryId": int(asked["category"])}
    if asked.get("stage"):
        given["stageId"] = asked["stage"]
    return int(portal.crm.create(DEAL, given, SYSTEM)["id"])


def progress_of(portal: Portal, since: int) -> dict[str, Any]:
    """Tell how many deals have all they need, and what the requests from number ``since`` on were."""
    lines = Counter(row.task_id for row in portal.tasks.checklist.values() if row.parent_id)
    served = Counter(
        str(binding)
        for task in portal.tasks.tasks.values()
        if lines[task.id] >= 5
        for binding in task.fields.get("UF_CRM_TASK") or ()
    )
    commented = Counter(f"D_{comment.item_id}" for comment in portal.timeline.comments.values())
    requests = portal.requests[since:]
    return {
        "now": time.time(),
        "done": sum(1 for binding in served if commented[binding]),
        "tasks": len(portal.tasks.tasks),
        "doubled": sum(1 for n in served.values() if n > 1) + sum(1 for n in commented.values() if n > 1),
        "requests": len(portal.requests),
        "commands": sum(len(record.commands) or 1 for record in requests),
        "methods": Counter(name for record in requests for name in (record.commands or (record.method,))),
        "written": sum(1 for record in portal.requests for name in record.commands if ".add" in name or ".update" in name),
        "statuses": Counter(str(record.status) for record in requests),
        "blocked": portal.limits.blocked,
        "refused": portal.limits.refused,
        "slowest": portal.limits.slowest,
        "events_waiting": len(portal.events.queue),
        "complaints": portal.world.complaints[:5],
    }


def main() -> None:
    """Serve one portal until standard input ends."""
    asked = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    deaf = asked.get("deaf", False)
    world = World(SandboxClock(datetime.now(UTC), running=True), transport=post_form)
    portal = demo_company(Portal(world))
    portal.options["license"] = "ru_pro100"
    if asked.get("webhook"):
        portal.webhooks[(1, asked["webhook"])] = frozenset({"crm"})
    portal.limits.leaky = portal.limits.real_time = not asked.get("unlimited", False)
    if asked.get("slow"):
        times = float(asked.get("times", 1))
        portal.limits.costs |= {name: cost * times if name.endswith(".add") else cost for name, cost in COSTS.items()}
        portal.limits.takes_time = True
        portal.limits.late = float(asked.get("late", 0))
        portal.limits.operating_limit = float(asked.get("operating", 480))
    running = serve(world, deliver=not deaf, blueprints=[bench_board])
    told = {"portal": portal.domain, "oauth": world.oauth_domain, "member": portal.member_id}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    ended = threading.Thread(target=sys.stdin.read)
    ended.start()
    ended.join()
    running.close()


if __name__ == "__main__":
    main()
