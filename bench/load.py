"""Calls an address at an even rate, each call on a connection of its own; prints the latencies as JSON.

``python -m bench.load URL RATE SECONDS BODYFILE``: a call's latency counts from the moment it was due, so that a server that
stalls is charged for all that waited behind. A ``{n}`` in the body becomes the number of the call.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE = 20.0


async def call(host: str, port: int, request: bytes, due: float, outcomes: list[tuple[int, float]]) -> None:
    """Send one request when it is due and note the status (0 = no answer) and the latency."""
    await asyncio.sleep(max(due - time.perf_counter(), 0))
    status = 0
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(request)
            line = await reader.readline()
            status = int(line.split()[1]) if line else 0
            await reader.read()
            writer.close()
    except (OSError, TimeoutError):
        status = 0
    outcomes.append((status, time.perf_counter() - due))


async def fire(url: str, rate: float, seconds: float, body: str) -> dict[str, object]:
    """Call for so many seconds and sum up."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    outcomes: list[tuple[int, float]] = []
    begin = time.perf_counter() + 0.5
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            content = body.replace("{n}", str(number)).encode()
            head = (
                f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(content)}\r\n\r\n"
            )
            due = begin + number / rate
            await asyncio.sleep(max(due - 0.2 - time.perf_counter(), 0))
            group.create_task(call(host, port, head.encode() + content, due, outcomes))
    took = sorted(latency for _, latency in outcomes)
    good = sum(1 for status, _ in outcomes if status == 200)
    place = {name: took[min(int(len(took) * share), len(took) - 1)] for name, share in (("p50", 0.5), ("p99", 0.99))}
    return {"sent": len(outcomes), "good": good, **place, "worst": took[-1]}


def main() -> None:
    url, rate, seconds, body = sys.argv[1:5]
    told = asyncio.run(fire(url, float(rate), float(seconds), Path(body).read_text()))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
