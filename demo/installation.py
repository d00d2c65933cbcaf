"""How the application comes to the portal: the form, the frame, the installation page, the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from demo.screens import ADMIN, Browser, forms_of
from demo.walk import PIPELINE, Walk

CREW = (6, 7, 8)
"""The installers of the company."""
ROLES: Mapping[str, int] = {
    "quality_officer": 11,
    "head_of_logistics": 5,
    "head_of_marketing": 2,
    "head_of_installation": 5,
    "chief_accountant": 9,
    "head_of_it": 12,
    "methodologist": 13,
}
"""Who has the roles the processes leave open."""

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
    "sonet_group": ("проекты отделов", "projects of departments"),
    "log": ("новости", "news"),
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


def settle(walk: Walk, gateway: Mapping[str, str]) -> None:
    """Settle on the application's page inside the portal who may be booked, how SMS go out, and the key of payments."""
    tell, page = walk.tell, Browser()
    tell.chapter("Настройки на странице приложения", "Settings on the application's page")
    page.post(*walk.portal.frame(walk.client_id, ADMIN))
    names = [walk.portal.names[user] for user in CREW]
    walk.say(ADMIN, f"отмечает бригаду: {', '.join(names)}", f"names the crew: {', '.join(names)}")
    page.submit("/b24/app/people", crew_users=[str(user) for user in CREW])
    ticked = [value for _, fields in forms_of(page.page).found for name, value in fields if name == "crew_users"]
    tell.expect("бригада сохранена", "the crew is saved", seen=len(ticked) == len(CREW), instead=ticked)
    _name_roles(walk, page)
    walk.say(ADMIN, f"описывает SMS-шлюз: {gateway['url']}", f"describes the SMS gateway: {gateway['url']}")
    fields = f"to={{phone}}\ntext={{text}}\nid={{id}}\nkey={gateway['key']}"
    page.submit("/b24/app/gateway", url=gateway["url"], method="POST JSON", fields=fields)
    seen = gateway["key"] not in page.page
    tell.expect("шлюз сохранён, пароль на странице не виден", "the gateway is saved, its password stays hidden", seen=seen)
    walk.say(ADMIN, "делает ключ платежей для бухгалтерии", "makes the payment key for the accountants")
    page.submit("/b24/app/key")
    walk.payment_key = forms_of(page.page).secret
    tell.expect("ключ показан один раз", "the key is shown once", seen=len(walk.payment_key) >= 16)
    walk.rest()


def _name_roles(walk: Walk, page: Browser) -> None:
    """Name who has the roles the processes leave open, until the page has nothing to complain of."""
    tell, people = walk.tell, walk.portal.names
    named = forms_of(page.page).marks.get("data-unnamed", "0")
    tell.expect(
        f"страница жалуется: ролей без людей — {named}",
        f"the page complains: roles without anybody: {named}",
        seen=named == str(len(ROLES)),
    )
    walk.say(
        ADMIN,
        f"называет людей: сотрудник отдела качества — {people[ROLES['quality_officer']]}, и остальных",
        f"names people: the quality officer is {people[ROLES['quality_officer']]}, and the others",
    )
    page.submit("/b24/app/people", **{f"stand_in:{role}": str(user) for role, user in ROLES.items()})
    named = forms_of(page.page).marks.get("data-unnamed", "0")
    tell.expect("у каждой роли есть человек", "every role has somebody", seen=named == "0", instead=named)


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
