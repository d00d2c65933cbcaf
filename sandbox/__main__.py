"""Serve the demo company: ``python -m sandbox [--port N] [--oauth-port N] [--sms-port N] [--sheets-port N]``."""

from __future__ import annotations

import argparse
import sys
import threading
from datetime import UTC, datetime

from sandbox.clock import SandboxClock
from sandbox.company import demo_company
from sandbox.pages import PAGES
from sandbox.portal import Portal
from sandbox.serve import serve
from sandbox.world import World


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A pretend Bitrix24 on loopback.")
    parser.add_argument("--port", type=int, default=8024, help="port of the portal (0 = any free)")
    parser.add_argument("--oauth-port", type=int, default=0)
    parser.add_argument("--sms-port", type=int, default=0)
    parser.add_argument("--sheets-port", type=int, default=0)
    asked = parser.parse_args()
    world = World(SandboxClock(datetime.now(UTC), running=True))
    portal = demo_company(Portal(world))
    ports = {portal.name: asked.port, "oauth": asked.oauth_port, "sms": asked.sms_port, "sheets": asked.sheets_port}
    world.sheets.add("Отчёты", "reports")
    running = serve(world, ports=ports, deliver=True, blueprints=PAGES)
    sys.stdout.write(
        f"portal  http://{portal.domain}/\n"
        f"control http://{portal.domain}/_sandbox/state\n"
        f"oauth   http://{world.oauth_domain}/oauth/token/\n"
        f"sms     http://{world.sms.domain}/sms/send\n"
        f"sheets  http://{world.sheets_domain}/ (spreadsheet id: reports)\n"
    )
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        running.close()


if __name__ == "__main__":
    main()
