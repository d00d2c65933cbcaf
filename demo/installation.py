"""How the application comes to the portal: the form, the frame, the installation page, the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from demo.screens import ADMIN, Browser, forms_of
from demo.walk import PIPELINE, Walk

SCOPES: Mapping[str, tuple[str, str]] = {
    "crm": ("сделки, лиды, лента", "deals, leads, the timeline"),
    "task": ("задачи и чек-листы", "tasks and checklists"),
    "tasks": ("отдельные действия с задачами", "some acts on tasks"),
    "bizproc": ("роботы", "robots"),
    "user": ("имена и должности", "names and positions"),
    "department": ("кто чей руководитель", "who leads whom"),
    "im": ("уведомления", "notifications"),
    "calendar": ("выезды и занятость", "visits and absences"),
    "placement": ("вкладки в карточке", "tabs in cards"),
    "messageservice": ("SMS", "SMS"),
    "userfieldconfig": ("поля сделки", "fields of deals"),
}


def install(walk: Walk, start_application: Callable[[str, str], None]) -> None:
    """Register, open, install and finish, as an administrator does; the portal is then known to the walk."""
    tell, portal, here = walk.tell, walk.portal, walk.office.address
    tell.chapter("Установка приложения на портал", "The application is installed on the portal")
    walk.say(
        ADMIN,
        f"заполняет форму локального приложения: {here}/b24/app",
        f"fills the form of a local application: {here}/b24/app",
    )
    asked = {
        "name": "b24app",
        "handler_url": f"{here}/b24/app",
        "install_url": f"{here}/b24/install",
        "scopes": list(SCOPES),
    }
    card = portal.ask("apps", asked)
    walk.client_id = card["client_id"]
    start_application(card["client_id"], card["client_secret"])
    walk.say(
        ADMIN,
        "открывает приложение: портал показывает страницу установки",
        "opens the application and sees its installation page",
    )
    browser = Browser()
    before = portal.requests()
    browser.post(*portal.frame(walk.client_id, ADMIN))
    offered = [value for _, fields in forms_of(browser.page).found for name, value in fields if name == "process"]
    tell.expect("страница предлагает процессы", "the page offers processes", seen=len(offered) >= 2, instead=offered)
    walk.say(ADMIN, "нажимает «Установить»", "presses “Install”")
    browser.submit("/run")
    ok = forms_of(browser.page).marks.get("data-ok")
    spent = portal.requests() - before
    tell.expect(
        f"роботы, события, вкладки, воронка и поля на месте, запросов к порталу: {spent}",
        f"robots, events, tabs, pipeline and fields are in place, requests to the portal: {spent}",
        seen=ok == "yes",
        instead=browser.page[-600:] if ok != "yes" else "",
    )
    portal.ask(f"apps/{walk.client_id}/finish", {})
    walk.rest()
    states = [row["state"] for row in walk.office.portals()]
    tell.expect("портал подключён", "the portal is connected", seen=states == ["active"], instead=states)
    _look_around(walk)


def _look_around(walk: Walk) -> None:
    """Read the pipeline and the fields the installation has made, as people see them."""
    walk.pipeline = walk.portal.pipeline(PIPELINE)
    walk.stages = walk.portal.stages(walk.pipeline)
    walk.fields = walk.portal.fields()
    robots = walk.portal.ask("automation")["robots"]
    number, named = len(walk.stages), f"«{PIPELINE}»"
    walk.tell.expect(
        f"воронка {named}: стадий {number}; роботов в автоматизации портала: {len(robots)}",
        f"pipeline {named} has {number} stages; robots in the portal's automation: {len(robots)}",
        seen=number == 9 and len(robots) >= 10,
        instead=list(walk.stages),
    )
