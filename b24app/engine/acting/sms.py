"""Sending an SMS through the gateway an administrator described: one HTTP request, never repeated blindly.

Worked examples for SMSC.ru and SMS.ru: ``docs/sms.md``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote as quote_url

import requests

from b24app.core.portal import Gateway
from b24app.log import mask

TIMEOUT = (5.0, 20.0)
Fate = Literal["sent", "refused", "unknown", "not_sent"]


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message; ``note`` is the gateway's answer, cut and masked."""

    fate: Fate
    note: str = ""


def send(session: requests.Session, gateway: Gateway, phone: str, text: str, message_id: str) -> Sent:
    """Send once. ``unknown`` means that the request went out and no answer tells what became of it."""
    values = {"phone": phone, "text": text, "id": message_id}
    try:
        response = _request(session, gateway, gateway.url, gateway.fields, values)
    except (requests.ConnectTimeout, requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
        return Sent("not_sent", type(error).__name__)
    except requests.ConnectionError as error:
        return Sent("not_sent" if _never_connected(error) else "unknown", type(error).__name__)
    except requests.RequestException as error:
        return Sent("unknown", type(error).__name__)
    note = mask.text(response.text[:300])
    if response.status_code >= 500:
        return Sent("unknown", f"HTTP {response.status_code} {note}")
    if response.status_code >= 300 or (gateway.failed and gateway.failed in response.text):
        return Sent("refused", f"HTTP {response.status_code} {note}")
    if gateway.ok and gateway.ok not in response.text:
        return Sent("refused", note)
    return Sent("sent", note)


def look(session: requests.Session, gateway: Gateway, phone: str, message_id: str) -> Sent:
    """Ask the gateway whether it knows a message; ``unknown`` where it cannot be asked."""
    if not gateway.status_url:
        return Sent("unknown", "the gateway cannot be asked")
    values = {"phone": phone, "text": "", "id": message_id}
    try:
        response = _request_status(session, gateway, values)
    except requests.RequestException as error:
        return Sent("unknown", type(error).__name__)
    if response.status_code >= 300:
        return Sent("unknown", f"HTTP {response.status_code}")
    known = gateway.status_ok in response.text if gateway.status_ok else False
    return Sent("sent" if known else "not_sent", mask.text(response.text[:300]))


def _request(
    session: requests.Session, gateway: Gateway, url: str, fields: Mapping[str, str], values: Mapping[str, str]
) -> requests.Response:
    filled = {name: _filled(value, values) for name, value in fields.items()}
    how: dict[str, Any] = {"timeout": TIMEOUT, "allow_redirects": False, "headers": dict(gateway.headers)}
    address = _filled(url, values, quote=True)
    match gateway.method:
        case "GET":
            return session.get(address, params=filled, **how)
        case "POST":
            return session.post(address, data=filled, **how)
        case _:
            body = json.dumps(filled, ensure_ascii=False).encode()
            how["headers"] = {"Content-Type": "application/json; charset=utf-8", **gateway.headers}
            return session.post(address, data=body, **how)


def _request_status(session: requests.Session, gateway: Gateway, values: Mapping[str, str]) -> requests.Response:
    """Ask with the same key or password: the fields that are the same for every message go along."""
    constant = {name: value for name, value in gateway.fields.items() if "{" not in value}
    address = _filled(gateway.status_url, values, quote=True)
    return session.get(address, params=constant, headers=dict(gateway.headers), timeout=TIMEOUT, allow_redirects=False)


def _filled(template: str, values: Mapping[str, str], *, quote: bool = False) -> str:
    for name, value in values.items():
        template = template.replace("{" + name + "}", quote_url(value, safe="") if quote else value)
    return template


def _never_connected(error: requests.ConnectionError) -> bool:
    cause = str(error)
    return "NewConnectionError" in cause or "Name or service not known" in cause or "Failed to establish" in cause
