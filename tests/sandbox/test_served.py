"""The pretend portal on real loopback sockets, with foreign clients."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests
from b24pysdk import BitrixApp, BitrixToken, Client
from b24pysdk.errors import BitrixAPIError
from fast_bitrix24.bitrix import Bitrix

from sandbox.apps import AppCard
from sandbox.clock import SandboxClock
from sandbox.company import demo_company
from sandbox.portal import Portal
from sandbox.serve import Running, serve
from sandbox.wire import decode_form
from sandbox.world import World

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


@dataclass
class Served:
    """A served world with one app."""

    running: Running
    world: World
    portal: Portal
    app: AppCard
    access: str
    refresh: str

    def ask(self, method: str, **params: Any) -> requests.Response:
        """Call a method and give the answer."""
        return requests.post(self.portal.client_endpoint + method, json={**params, "auth": self.access}, timeout=5)


@pytest.fixture
def served() -> Iterator[Served]:
    """A world served on free ports."""
    world = World(SandboxClock(START))
    portal = demo_company(Portal(world))
    app = portal.register_local_app("app", "http://127.0.0.1:9/app")
    running = serve(world)
    access, refresh = world.tokens.issue(portal, app, 1)
    yield Served(running, world, portal, app, access, refresh)
    running.close()


@pytest.fixture
def handler() -> Iterator[tuple[str, list[dict[str, Any]], threading.Event]]:
    """A listening handler, what it was told, and a flag for the first call."""
    calls: list[dict[str, Any]] = []
    rung = threading.Event()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            calls.append(decode_form(body))
            self.send_response(200)
            self.end_headers()
            rung.set()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/event", calls, rung
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_hang_up_leaves_the_client_without_a_byte(served: Served) -> None:
    served.portal.faults.add("hang_up", "crm.item.add")
    with pytest.raises(requests.ConnectionError):
        served.ask("crm.item.add", entityTypeId=2, fields={"title": "never"})

    served.portal.faults.add("lost_reply", "crm.item.add")
    with pytest.raises(requests.ConnectionError):
        served.ask("crm.item.add", entityTypeId=2, fields={"title": "done"})

    items = served.ask("crm.item.list", entityTypeId=2).json()["result"]["items"]
    assert [item["title"] for item in items] == ["done"]


def test_a_served_world_delivers_by_itself(
    served: Served, handler: tuple[str, list[dict[str, Any]], threading.Event]
) -> None:
    url, calls, rung = handler
    served.running.run(served.running.deliver_forever)
    served.ask("event.bind", event="ONCRMDEALADD", handler=url)

    served.portal.as_user(3).call("crm.item.add", entityTypeId=2, fields={"title": "A"})

    assert rung.wait(5)
    assert calls[0]["data"] == {"FIELDS": {"ID": "1"}}
    assert calls[0]["auth"]["client_endpoint"] == served.portal.client_endpoint


def test_a_moved_portal_answers_at_both_addresses(served: Served) -> None:
    old = served.portal.domain
    served.running.move(served.portal)

    reply = requests.post(f"http://{old}/rest/profile", json={"auth": served.access}, allow_redirects=False, timeout=5)

    assert reply.status_code == 302
    assert reply.headers["Location"] == f"http://{served.portal.domain}/rest/profile"
    assert served.ask("profile").status_code == 200


def test_two_portals_share_a_world_and_no_tokens(served: Served) -> None:
    other = demo_company(Portal(served.world, name="second"))
    served.running.serve_portal(other)

    assert other.domain != served.portal.domain
    strange = requests.post(f"http://{other.domain}/rest/profile", json={"auth": served.access}, timeout=5)
    assert strange.status_code == 401


def test_many_clients_at_once_keep_every_deal(served: Served) -> None:
    def work() -> None:
        for _ in range(5):
            served.ask("crm.item.add", entityTypeId=2, fields={"title": "A"})

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(served.portal.crm.items[2]) == 20
    assert [record.n for record in served.portal.requests] == list(range(1, 21))


@pytest.fixture
def sdk(served: Served, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The official SDK as a client; it knows https and the official host only, so its addresses are turned here."""
    original = requests.Session.request

    def turned(self: requests.Session, method: str, url: str, **rest: Any) -> requests.Response:
        url = url.replace("oauth.bitrix24.tech", served.world.oauth_domain).replace("https://", "http://")
        return original(self, method, url, **rest)

    monkeypatch.setattr(requests.Session, "request", turned)
    app = BitrixApp(client_id=served.app.client_id, client_secret=served.app.client_secret)
    token = BitrixToken(domain=served.portal.domain, auth_token=served.access, refresh_token=served.refresh, bitrix_app=app)
    return Client(token)


def test_the_official_sdk_works_with_deals_tasks_and_history(served: Served, sdk: Any) -> None:
    made = sdk.crm.item.add(entity_type_id=2, fields={"title": "Окна"}).result["item"]
    moved = sdk.crm.item.update(bitrix_id=made["id"], entity_type_id=2, fields={"stageId": "WON"}).result["item"]
    task = sdk.tasks.task.add(fields={"TITLE": "Договор", "RESPONSIBLE_ID": 3, "UF_CRM_TASK": ["D_1"]}).result["task"]
    assert sdk.task.checklistitem.add(int(task["id"]), {"TITLE": "Оформить"}).result == 2

    rows = sdk.crm.stagehistory.list(entity_type_id=2).result["items"]
    checklist = sdk.task.checklistitem.getlist(int(task["id"])).result
    listed = sdk.tasks.task.list(filter={"UF_CRM_TASK": "D_1"}, select=["ID"]).result["tasks"]

    assert moved["stageSemanticId"] == "S"
    assert [row["STAGE_ID"] for row in rows] == ["NEW", "WON"]
    assert [row["TITLE"] for row in checklist] == ["Чек-лист 1", "Оформить"]
    assert [row["id"] for row in listed] == ["1"]
    assert served.world.complaints == []


def test_the_official_sdk_reads_long_lists_whole(served: Served, sdk: Any) -> None:
    for number in range(120):
        served.portal.as_user(1).call("crm.item.add", entityTypeId=2, fields={"title": str(number)})

    by_pages = list(sdk.crm.item.list(entity_type_id=2).as_list().result)
    by_ids = list(sdk.crm.item.list(entity_type_id=2).as_list_fast().result)

    assert [item["id"] for item in by_pages] == list(range(1, 121))
    assert {item["id"] for item in by_ids} == set(range(1, 121))


def test_the_official_sdk_renews_its_token_and_understands_refusals(served: Served, sdk: Any) -> None:
    served.world.app_info_shape = "sdk"
    token = sdk.get_token() if callable(getattr(sdk, "get_token", None)) else sdk._bitrix_token
    info = token.get_app_info()
    clock = served.world.clock
    assert isinstance(clock, SandboxClock)
    clock.advance(timedelta(hours=2))

    assert sdk.user.current().result["ID"] == "1"
    assert info.result.install.member_id == served.portal.member_id
    with pytest.raises(BitrixAPIError, match="Элемент не найден"):
        _ = sdk.crm.item.get(bitrix_id=999, entity_type_id=2).result
    answers = token.call_batch({"who": ("profile", {}), "when": ("server.time", {})})["result"]["result"]
    assert answers["who"]["ADMIN"] is True


def test_fast_bitrix24_reads_everything_in_batches(served: Served) -> None:
    for number in range(120):
        served.portal.as_user(1).call("crm.item.add", entityTypeId=2, fields={"title": str(number)})
    with ThreadPoolExecutor(1) as thread:  # in the main thread it would leave an event loop behind
        thread.submit(_read_in_batches, served).result()


def _read_in_batches(served: Served) -> None:
    client = Bitrix(served.portal.add_webhook(1), verbose=False)
    deals = client.get_all("crm.item.list", {"entityTypeId": 2, "select": ["id"]})
    rows = client.get_all("crm.stagehistory.list", {"entityTypeId": 2})
    made = client.call("crm.item.add", [{"entityTypeId": 2, "fields": {"title": f"new {n}"}} for n in range(3)])

    assert {deal["id"] for deal in deals} == set(range(1, 121))
    assert len(rows) == 120
    assert [item["title"] for item in made] == ["new 0", "new 1", "new 2"]
    assert len(client.get_all("user.get")) == 9
    assert served.world.complaints == []
