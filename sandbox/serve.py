"""Serve a world on loopback: a port for each portal, one for the authorization host, one each for SMS and Sheets."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from sandbox.oauth import oauth_app
from sandbox.portal import Portal
from sandbox.server import BlueprintMaker, portal_app
from sandbox.sheets import sheets_app
from sandbox.sms import gateway_app
from sandbox.world import World

HOST = "127.0.0.1"
POLL = 0.05


@dataclass(slots=True)
class Running:
    """A served world; ``close`` ends every thread it started."""

    world: World
    blueprints: tuple[BlueprintMaker, ...] = ()
    _servers: list[Any] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self, application: Any, port: int = 0) -> str:
        """Serve an application and give its host:port."""
        server = create_server(application, host=HOST, port=port, threads=6, clear_untrusted_proxy_headers=True)
        self._servers.append(server)
        self.run(server.run)
        return f"{HOST}:{server.effective_port}"

    def run(self, work: Any) -> None:
        """Run something beside."""
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._threads.append(thread)

    def serve_portal(self, portal: Portal, port: int = 0) -> str:
        """Serve a portal and make the address its domain."""
        portal.domain = self.start(portal_app(portal, self.blueprints), port)
        return portal.domain

    def move(self, portal: Portal) -> str:
        """Move a portal to another address; the old one answers 302 from now on."""
        portal.former_domains.add(portal.domain)
        return self.serve_portal(portal)

    def deliver_forever(self) -> None:
        """Deliver what is due until the world is closed."""
        while not self._stop.wait(POLL):
            for portal in list(self.world.portals):
                portal.deliver()

    def close(self) -> None:
        """Stop delivering and serving."""
        self._stop.set()
        for server in self._servers:
            with suppress(OSError):  # an earlier pull may have closed everything before this one is through
                server.trigger.pull_trigger(partial(wasyncore.close_all, server._map))
        for thread in self._threads:
            thread.join(timeout=5)
        for server in self._servers:
            server.task_dispatcher.shutdown(timeout=1)


def serve(
    world: World,
    *,
    ports: Mapping[str, int] | None = None,
    deliver: bool = False,
    blueprints: Iterable[BlueprintMaker] = (),
) -> Running:
    """Serve a world; ``ports`` may fix "oauth", "sms", "sheets" and portals by name, everything else is free."""
    wanted = dict(ports or {})
    running = Running(world, tuple(blueprints))
    world.oauth_domain = running.start(oauth_app(world), wanted.get("oauth", 0))
    world.sms.domain = running.start(gateway_app(world), wanted.get("sms", 0))
    world.sheets_domain = running.start(sheets_app(world), wanted.get("sheets", 0))
    for portal in world.portals:
        running.serve_portal(portal, wanted.get(portal.name, 0))
    if deliver:
        running.run(running.deliver_forever)
    return running
