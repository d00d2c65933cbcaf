"""Reading pages the way a person does, and pressing their buttons."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.test import TestResponse

from b24app.core.item import ItemRef
from b24app.core.text import Lang
from b24app.engine.workshop import Workshop
from b24app.store.portals import Portal
from b24app.web.factory import MakeBlueprint, create_web
from b24app.web.pages_auth import Visitor, sign
from tests.seeded import DEAL_12, House


class _Compiled(BytecodeCache):
    """Keeps compiled templates, so that each of many applications need not compile them anew."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def a_client(workshop: Workshop, pages: Iterable[MakeBlueprint]) -> FlaskClient:
    """Open the web application with some pages."""
    app = create_web(workshop, pages)
    app.jinja_env.bytecode_cache = _COMPILED
    return app.test_client()


BASE = "https://app.example.test"


def token_of(
    house: House, portal: Portal, user: int, *, admin: bool = False, item: ItemRef | None = DEAL_12, lang: Lang = "ru"
) -> str:
    """Sign a page token for a user of a portal."""
    return sign(house.workshop, Visitor(portal, user, admin, f"Сотрудник {user}", lang, item))


def press(client: FlaskClient, path: str, token: str, **form: Any) -> TestResponse:
    """Send a form of a page."""
    return client.post(path, data={"page_token": token, **form}, base_url=BASE, headers={"Accept": "text/html"})


def words(answer: TestResponse) -> str:
    """Return what a person reads on a page: its text without marks."""
    assert answer.status_code == 200, answer.data
    bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", answer.get_data(as_text=True), flags=re.DOTALL)
    return " ".join(unescape(bare).split())
