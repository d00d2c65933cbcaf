"""The page of the pretend portal: what a visitor clicks through in a browser, at the portal's own address."""

from __future__ import annotations

from flask import Blueprint

from sandbox import page_apps, page_backstage, page_calendar, page_card, page_crm, page_news, page_robots, page_tasks
from sandbox.page_desk import Desk
from sandbox.portal import Portal
from sandbox.server import BlueprintMaker


def pages(portal: Portal) -> Blueprint:
    """Build the page of a portal; everything on it acts through the same engine as REST."""
    desk = Desk(portal)
    for part in (page_backstage, page_crm, page_card, page_tasks, page_news, page_calendar, page_robots, page_apps):
        part.register(desk)
    return desk.board


PAGES: tuple[BlueprintMaker, ...] = (pages,)
