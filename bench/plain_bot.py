"""A plain bot for comparison: it asks the portal one thing at a time, as most do, and keeps to the portal's rate.

On each event it reads the deal, creates the task, writes the checklist line by line and the comment: eight requests. It
keeps nothing: what it had not done when it is stopped is lost. It is told of the moves directly, so that it is not charged
for receiving events.
"""

from __future__ import annotations

import argparse
import time

import requests

from bench.mass_move import Course, follow
from bench.sides import ADMIN, SCOPES, StandIn, application, install, stand_in

BURST, RATE = 50, 2.0
LINES = ("Позвонить клиенту", "Уточнить сроки", "Посчитать смету", "Отправить счёт", "Записать итог")


class Bot:
    """Calls the portal with one token; waits for its turn by the clock, and once more when it is told to."""

    def __init__(self, portal: StandIn, client_id: str) -> None:
        frame = portal.ask("_sandbox/frame", client_id=client_id, user_id=ADMIN)
        self._token = frame["form"]["AUTH_ID"]
        self._http = requests.Session()
        self._portal = portal.portal
        self._level, self._seen = 0.0, time.monotonic()
        self.calls = 0

    def call(self, method: str, **params: object) -> object:
        while True:
            self._wait()
            reply = self._http.post(f"http://{self._portal}/rest/{method}", json={**params, "auth": self._token}, timeout=65)
            self.calls += 1
            if reply.status_code != 503:
                reply.raise_for_status()
                return reply.json()["result"]
            time.sleep(1)

    def _wait(self) -> None:
        while True:
            now = time.monotonic()
            self._level = max(0.0, self._level - (now - self._seen) * RATE)
            self._seen = now
            if self._level + 1 <= BURST - 2:
                self._level += 1
                return
            time.sleep(1 / RATE)

    def serve(self, deal: int) -> None:
        """Do for a deal what its stage wants."""
        item = self.call("crm.item.get", entityTypeId=2, id=deal)["item"]  # type: ignore[index]
        fields = {
            "TITLE": f"Заняться сделкой «{item['title']}»",
            "RESPONSIBLE_ID": item["assignedById"],
            "UF_CRM_TASK": [f"D_{deal}"],
        }
        task = self.call("tasks.task.add", fields=fields)["task"]["id"]  # type: ignore[index]
        for place, line in enumerate(LINES):
            self.call("task.checklistitem.add", **{"0": task, "1": {"TITLE": line, "SORT_INDEX": place * 10}})
        text = {"ENTITY_ID": deal, "ENTITY_TYPE": "deal", "COMMENT": "Стадия «В работе»: прочитайте задачу."}
        self.call("crm.timeline.comment.add", fields=text)


def run(seconds: float = 40, *, slow: bool = False) -> Course:
    """Let the bot work through a mass move for so many seconds."""
    with stand_in(slow=slow, deaf=True) as portal:
        with application(portal) as app:
            place = install(portal, app)
            ids = portal.ask("_bench/fill", count=200, category=place["category"], stage=place["stages"]["Очередь"])["ids"]
        card = portal.ask("_sandbox/apps", name="bot", handler_url="http://127.0.0.1:9/x", scopes=SCOPES)
        bot = Bot(portal, card["client_id"])
        time.sleep(0 if slow else 25)
        since = portal.progress()["requests"]
        began = portal.ask("_bench/move", ids=ids, stage=place["stages"]["В работе"])["began"]
        points: list[tuple[float, int, int]] = []
        for deal in ids:
            if time.time() - began > seconds:
                break
            bot.serve(deal)
            points += follow(portal, 10**9, since, began, 0).points
        return Course(points, portal.progress(since))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40)
    asked = parser.parse_args()
    course = run(asked.seconds)
    print(f"{course.deals} deals in {course.seconds:.1f} s, sustained {course.sustained():.2f}/s")
    print(f"{course.per_deal:.2f} requests a deal")


if __name__ == "__main__":
    main()
