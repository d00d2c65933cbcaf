"""The news feed as employees read it, and the boards of projects their tasks go over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import RestError
from sandbox.messages import NewsPost
from sandbox.page_desk import Desk
from sandbox.page_tasks import task_view

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


def register(desk: Desk) -> None:
    """Add these views to the page."""
    portal = desk.portal

    @desk.view("/stream/")
    def stream() -> ResponseReturnValue:
        found = [post for post in portal.messages.posts.values() if _is_for(desk, post)]
        return desk.page("news.html", posts=sorted(found, key=lambda post: -post.id))

    @desk.view("/_sandbox/news/<int:post_id>/read", "POST")
    def read(post_id: int) -> ResponseReturnValue:
        post = portal.messages.posts.get(post_id)
        if post is None or not _is_for(desk, post):
            raise RestError("NOT_FOUND", desk.say("Такой новости нет", "There is no such post"), 404)
        if desk.who.id not in post.read_by:
            post.read_by.append(desk.who.id)
        return desk.back("/stream/")

    @desk.view("/workgroups/group/<int:group_id>/tasks/")
    def board(group_id: int) -> ResponseReturnValue:
        group = portal.groups.groups.get(group_id)
        if group is None or not portal.groups.sees(group, desk.who.id):
            raise RestError("NOT_FOUND", desk.say("Такого проекта нет", "There is no such project"), 404)
        tasks = [t for t in portal.tasks.tasks.values() if t.fields["GROUP_ID"] == group_id]
        seen = [task_view(desk, task) for task in tasks if portal.tasks.sees(task, desk.who.id)]
        columns = [(c, [v for v in seen if v.task.fields["STAGE_ID"] == c.id]) for c in portal.groups.board("G", group_id)]
        return desk.page("project.html", group=group, columns=columns)


def _is_for(desk: Desk, post: NewsPost) -> bool:
    """Tell whether the user is among those a post was written for, or wrote it."""
    who = desk.who
    mine = {"UA", f"U{who.id}", *(f"{kind}{number}" for number in who.departments for kind in ("D", "DR"))}
    return who.id == post.author or bool(mine & set(post.dest))
