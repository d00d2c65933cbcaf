"""The command line's own parts."""

from __future__ import annotations

import socket

import click
import pytest
import requests

from app import counted_at


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_a_worker_tells_prometheus_what_it_counted_while_it_works() -> None:
    address = f"127.0.0.1:{a_free_port()}"
    with counted_at(address):
        assert "b24app_portal_commands" in requests.get(f"http://{address}/metrics", timeout=5).text
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://{address}/metrics", timeout=5)


def test_without_an_address_nobody_is_told() -> None:
    with counted_at(""):
        pass


@pytest.mark.parametrize("wrong", ["9101", ":9101", "127.0.0.1:", "127.0.0.1:x", "192.0.2.1:9101"])
def test_an_address_that_cannot_be_listened_at_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(click.BadParameter, match=r"127\.0\.0\.1:9101|192\.0\.2\.1"), counted_at(wrong):
        raise AssertionError("nobody works")
