"""The pretend world: one clock, one authorization host, one SMS gateway, one Google Sheets, any number of portals."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import requests

from sandbox.sheets import Sheets
from sandbox.sms import SmsGateway
from sandbox.tokens import Tokens

if TYPE_CHECKING:
    from sandbox.portal import Portal

Transport = Callable[[str, str], int]
Hook = Callable[["str", "tuple[str, ...]"], None]


def post_form(url: str, body: str) -> int:
    """Post a form and give the status; raises ``requests.RequestException`` when nobody answers."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Bitrix24 Webhook Engine"}
    reply = requests.post(url, data=body.encode(), headers=headers, timeout=20, allow_redirects=False)
    return reply.status_code


class World:
    """Hold everything that exists; ``complaints`` is what real portals would have let pass silently.

    ``before_request``/``after_request`` are called around every HTTP request to any of its servers
    with the server's name (portal, oauth, sms, sheets) and the methods in it; they may raise ``Cut``.
    """

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 24, transport: Transport = post_form) -> None:
        self.clock = clock
        self.random = random.Random(seed)
        self.transport = transport
        self.lock = threading.RLock()
        self.portals: list[Portal] = []
        self.complaints: list[str] = []
        self.tokens = Tokens(self)
        self.sms = SmsGateway(self)
        self.sheets = Sheets(self)
        self.oauth_domain = "oauth.sandbox"
        self.sheets_domain = "sheets.sandbox"
        self.app_info_shape = "documented"
        self.before_request: Hook | None = None
        self.after_request: Hook | None = None

    def now(self) -> datetime:
        """Give the present moment of the world."""
        return self.clock()

    def hex(self, length: int) -> str:
        """Give a fresh identifier; the same seed gives the same ones."""
        return f"{self.random.getrandbits(length * 4):0{length}x}"

    def complain(self, text: str) -> None:
        """Record a misuse; tests hold this list empty."""
        self.complaints.append(text)

    def portal_of(self, member_id: str) -> Portal | None:
        """Find a portal by its member id."""
        return next((portal for portal in self.portals if portal.member_id == member_id), None)

    @property
    def server_endpoint(self) -> str:
        """Give the address of the authorization host's own REST."""
        return f"http://{self.oauth_domain}/rest/"
