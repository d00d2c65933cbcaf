"""The tab of forms as people use it: opened by the portal in a card, filled in and sent over HTTP."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

import requests

from b24app.core.item import DEAL, LEAD, ItemRef
from tests.flows.stage import Stage


@dataclass(frozen=True, slots=True)
class Tab:
    """A page somebody has open; ``status`` is what the application answered."""

    address: str
    status: int
    html: str

    @property
    def words(self) -> str:
        """What he reads."""
        bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", self.html, flags=re.DOTALL)
        return " ".join(unescape(bare).split())

    def hidden(self, name: str) -> str:
        """Return the value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.html)
        assert found is not None, self.words
        return unescape(found.group(1))

    def send(self, **answers: str) -> Tab:
        """Fill the form in and send it; rows are written ``violations__0__kind``."""
        form = {f"q.{name.replace('__', '.')}": value for name, value in answers.items()}
        form |= {name: self.hidden(name) for name in ("page_token", "form", "round")}
        return _posted(f"{self.address}/b24/card/quality/send", form)


def open_tab(stage: Stage, item: ItemRef, user: int) -> Tab:
    """Open the tab in the card of an item as a user."""
    kind = {DEAL: "DEAL", LEAD: "LEAD"}.get(item.entity_type_id) or f"DYNAMIC_{item.entity_type_id}"
    base = stage.application.workshop.settings.public_url
    handler = f"{base}/b24/placement/quality"
    placement = f"CRM_{kind}_DETAIL_TAB"
    url, form = stage.portal.open_app_post(stage.card, user, placement, {"ID": str(item.id)}, handler=handler)
    return _posted(url, form)


def _posted(url: str, form: dict[str, str]) -> Tab:
    answer = requests.post(url, data=form, headers={"Accept": "text/html"}, timeout=10)
    base = "/".join(url.split("/")[:3])
    return Tab(base, answer.status_code, answer.text)
