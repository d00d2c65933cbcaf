"""``python -m demo``: a deal lives through its whole process on a pretend portal; then both sides stay up for clicking."""

from __future__ import annotations

import argparse
import io
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import requests

from b24app.log import set_up_logging
from demo.corrections import tell_the_corrections
from demo.figures import exported, looked_at
from demo.installation import install, settle
from demo.lost import tell_the_lost_deal
from demo.office import Office
from demo.screens import Portal, Refused
from demo.story import tell_the_deal
from demo.summary import summary
from demo.together import Together, together
from demo.walk import NoRest, Walk
from demo.words import Narrator
from demo.yours import leave_a_deal

PORTS = {"portal": 8024, "app": 8025}
TRY = (
    (
        "Например: перетащите «Потолок на кухне» на следующую стадию, и сделка вернётся с причинами;",
        "For example: drag “Потолок на кухне” to the next stage, and the deal comes back with the reasons;",
    ),
    (
        "переведите часы вверху страницы на сутки, и руководитель отдела продаж получит контрольную задачу;",
        "turn the clock at the top of the page by a day, and the head of sales gets a control task;",
    ),
    (
        "откройте в карточке «Журнал процессов»: там сказано, что сделано и почему. Сотрудника выбирают вверху.",
        "open the “Process journal” in the card: it says what was done and why. The top of the page says who you are.",
    ),
)


def main() -> int:
    """Tell the story; 0 when everything expected has happened. Stays up unless told otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="A deal from the lead to the last payment, on loopback."
    )
    parser.add_argument("--lang", choices=("ru", "en"), default="ru", help="language of the story")
    parser.add_argument("--once", action="store_true", help="end after the story (so it is with CI=true)")
    parser.add_argument("--portal-port", type=int, default=PORTS["portal"])
    parser.add_argument("--app-port", type=int, default=PORTS["app"])
    asked = parser.parse_args()
    once = asked.once or os.environ.get("CI", "").lower() in {"1", "true", "yes"}
    set_up_logging(readable=True, level=logging.WARNING)
    logging.getLogger("apscheduler").setLevel(
        logging.ERROR
    )  # it minds that a look at the clock may last longer than the next
    tell = Narrator(asked.lang, _print)
    ports = {} if once else {"portal": _free(asked.portal_port), "app": _free(asked.app_port)}
    memory = Path("/dev/shm")  # noqa: S108 - the database of a demonstration need not survive it
    shelf = memory if memory.is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="b24app-demo-", dir=shelf) as folder,
        together(Path(folder), ports=ports) as both,
    ):
        walk = Walk(Portal(both.portal_address), Office(both.address, both.admin_token), tell)
        try:
            whole = play(walk, both)
            if not once:
                _stay(walk, both)
        except KeyboardInterrupt:
            return 130
    return 0 if whole else 1


def play(walk: Walk, both: Together) -> bool:
    """Play the whole story; False when something expected did not happen."""
    began, tell = time.monotonic(), walk.tell
    try:
        install(walk, both.start_application)
        settle(walk, both.gateway)
        deals = [tell_the_deal(walk), tell_the_lost_deal(walk)]
        tell_the_corrections(walk, *deals)
        exported(walk, lambda: both.look_at_exports(tell.lang), both.spreadsheet_address)
        looked_at(walk)
        deals.append(leave_a_deal(walk))
        summary(walk, deals, time.monotonic() - began)
    except (Refused, NoRest, LookupError, StopIteration, requests.RequestException) as trouble:
        tell.missed.append(f"{type(trouble).__name__}: {trouble}")
    if tell.missed:
        tell.write(tell.of("\nНе сбылось:", "\nNot met:"))
        for text in tell.missed:
            tell.write(f"  ✗ {text}")
        return False
    tell.write(tell.of(f"\nВсе ожидания сбылись: {tell.met}.", f"\nAll expectations were met: {tell.met}."))
    return True


def _stay(walk: Walk, both: Together) -> None:
    """Stay up until somebody ends it."""
    tell, stop = walk.tell, threading.Event()
    both.let_run(tell.lang)
    tell.write(tell.of("\nМожно смотреть и нажимать (Ctrl+C — конец):", "\nLook around and click (Ctrl+C ends it):"))
    tell.write(f"  {tell.of('портал', 'portal'):<12} {both.portal_address}/crm/deal/?category={walk.pipeline}")
    tell.write(f"  {tell.of('приложение', 'application'):<12} {both.address}/admin")
    tell.write(f"  {tell.of('вход', 'sign in'):<12} {tell.of('ключ', 'key')} {both.admin_token}")
    tell.write(f"  {tell.of('таблица', 'spreadsheet'):<12} {both.spreadsheet_address}")
    tell.write("")
    for ru, en in TRY:
        tell.write(f"  {tell.of(ru, en)}")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()


def _free(port: int) -> int:
    """Give the port if nobody listens on it, else 0, which stands for any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def _print(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
