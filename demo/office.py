"""The application as its operators see it: the journal and the state of portals, and where payments are told."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import requests

from demo.screens import TIMEOUT, Row, answered


class Office:
    """Speaks to the application's operator API and to its payments endpoint."""

    def __init__(self, address: str, admin_token: str) -> None:
        self.address = address
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {admin_token}"
        self._read_up_to = 0

    def ask(self, path: str, **query: Any) -> Any:
        """Read from the operator API."""
        return answered(self._http.get(f"{self.address}/admin/api/{path}", params=query, timeout=TIMEOUT))

    def portals(self) -> list[Row]:
        """Return the portals that have installed the application."""
        return list(self.ask("portals")["portals"])

    def at_rest(self) -> bool:
        """Tell whether there is nothing to do now for any portal."""
        return all(portal["at_rest"] for portal in self.portals())

    def news(self) -> Iterator[Row]:
        """Return the runs that came into the journal since the last look, oldest first, each with its actions."""
        found: list[Row] = []
        before: dict[str, int] = {}
        while True:
            page = self.ask("runs", limit=200, **before)
            fresh = [run for run in page["runs"] if run["id"] > self._read_up_to]
            found += fresh
            if len(fresh) < len(page["runs"]) or not page["next"]:
                break
            before = {"before": page["next"]}
        for run in reversed(found):
            self._read_up_to = max(self._read_up_to, run["id"])
            yield {**run, **self.ask(f"runs/{run['id']}")}

    def timers(self, deal: int, state: str = "waiting") -> list[Row]:
        """Return what waits for its time for a deal."""
        portal = self.portals()[0]["id"]
        return list(self.ask("timers", portal=portal, item=f"D_{deal}", state=state)["timers"])

    def pay(self, key: str, at: datetime, message: Mapping[str, Any]) -> int:
        """Tell of a payment as an accounting system does, and return the status of the answer."""
        body = json.dumps(dict(message)).encode()
        stamp = str(int(at.timestamp()))
        signed = hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Timestamp": stamp, "X-Signature": f"sha256={signed}"}
        return requests.post(f"{self.address}/api/payments", data=body, headers=headers, timeout=TIMEOUT).status_code
