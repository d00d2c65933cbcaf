"""Payloads as the documentation shows them, with values of our own; one form field per line, as it travels."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def form(name: str) -> bytes:
    """Load a form body: the lines of ``name.txt`` joined by ``&``."""
    return "&".join((HERE / f"{name}.txt").read_text(encoding="ascii").split()).encode()


def answer(name: str) -> bytes:
    """Load the body of a JSON answer."""
    return (HERE / f"{name}.json").read_bytes()
