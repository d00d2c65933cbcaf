"""What browsers are told about every page: load nothing foreign, show it in no frame but the portal's (but refusals)."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g

HTML = "text/html"
ANYWHERE = "*"
"""A frame of any page: for what has nothing on it to press or to learn, as a refusal."""


def nonce() -> str:
    """Give this response's nonce: scripts without it do not run."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    found: str = g.nonce
    return found


def allow_frame(portal_url: str) -> None:
    """Let this response be shown in a frame of one portal, or `ANYWHERE`."""
    g.frame_ancestors = portal_url


def add_headers(app: Flask, *, https: bool) -> None:
    """Send the headers with every answer of an application; ``https``: browsers are to stay with it."""

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if response.mimetype == HTML:
            response.headers["Content-Security-Policy"] = _policy()
            response.headers["Cache-Control"] = "no-store"
            response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response


def _policy() -> str:
    rules = {
        "default-src": "'none'",
        "script-src": f"'nonce-{nonce()}'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": str(g.get("frame_ancestors", "'none'")),
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())
