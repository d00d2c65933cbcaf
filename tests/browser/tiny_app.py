"""A tiny application for the pretend portal: an installation page, a main page, a tab, an event, a robot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import requests
from flask import Flask, request

BINDINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("event.bind", {"event": "ONCRMDEALUPDATE", "handler": "{here}/event"}),
    ("placement.bind", {"PLACEMENT": "CRM_DEAL_DETAIL_TAB", "HANDLER": "{here}/tab", "TITLE": "Почему так"}),
    (
        "bizproc.robot.add",
        {
            "CODE": "greet",
            "HANDLER": "{here}/robot",
            "NAME": {"ru": "Поздороваться", "en": "Greet"},
            "AUTH_USER_ID": 1,
            "USE_SUBSCRIPTION": "Y",
            "PROPERTIES": {"words": {"Name": "Слова", "Type": "text", "Required": "Y", "Default": "Привет"}},
        },
    ),
)
PAGE = """<!doctype html><meta charset="utf-8"><script src="{portal}/api/v1/"></script><h1>{title}</h1><p id="out"></p>
<script>
BX24.init(function () {{
  document.getElementById("out").textContent = JSON.stringify(BX24.placement.info()) + " " + BX24.getLang();
  {script}
  BX24.fitWindow();
}});
</script>"""
PROFILE = """BX24.callMethod("profile", {}, function (answer) {
  document.getElementById("out").textContent += " " + answer.data().NAME;
});"""


@dataclass
class TinyApp:
    """The application's web face and what was sent to it."""

    address: str = ""
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def web(self) -> Flask:
        """Build the web face; every page posted to it is answered with the portal's library in it."""
        web = Flask("tiny_app")

        def page(title: str, script: str) -> str:
            return PAGE.format(portal=f"http://{request.args['DOMAIN']}", title=title, script=script)

        @web.post("/install")
        def install() -> str:
            for method, params in BINDINGS:
                told = {k: v.replace("{here}", self.address) if isinstance(v, str) else v for k, v in params.items()}
                address = f"http://{request.args['DOMAIN']}/rest/{method}"
                requests.post(address, json={**told, "auth": request.form["AUTH_ID"]}, timeout=5).raise_for_status()
            return page("Установка", "BX24.installFinish();")

        @web.post("/app")
        def main() -> str:
            return page("Главная", PROFILE)

        @web.post("/tab")
        def tab() -> str:
            return page("Вкладка", "")

        @web.post("/<name>")
        def called(name: str) -> str:
            self.calls.append((name, request.form.to_dict()))
            return ""

        return web
