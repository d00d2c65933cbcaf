"""News in the feed. Pages: api-reference/log/log-blogpost-add.md, log-blogpost-get.md."""

from __future__ import annotations

from b24app.bitrix.commands import Command
from b24app.bitrix.effects.effect import Effect, Progress, Replies, Setting, Step, first_error
from b24app.bitrix.replies import Reply
from b24app.core.actions import AddNews


class AddingNews(Effect):
    """Posts news once; found again among the latest by the mark in its last line."""

    def __init__(self, action: AddNews, mark: str, setting: Setting) -> None:
        super().__init__(mark, setting)
        self.action = action

    def look(self, progress: Progress) -> tuple[Command, ...]:
        return () if progress.get("post_id") else (Command("log.blogpost.get", {}),)

    def found(self, progress: Progress, replies: Replies) -> Step:
        reply = replies[0]
        if not isinstance(reply, Reply):
            return Step(progress, first_error(replies))
        rows = list(reply.result.values()) if isinstance(reply.result, dict) else reply.result or []
        mine = next((row for row in rows if self.mark in str(row.get("DETAIL_TEXT"))), None)
        return Step({**progress, "post_id": int(mine["ID"])} if mine else progress)

    def send(self, progress: Progress) -> tuple[Command, ...]:
        if progress.get("post_id"):
            return ()
        params = {
            "POST_TITLE": self.action.title,
            "POST_MESSAGE": self.setting.signed(self.action.text, self.mark),
            "DEST": list(self.action.dest),
            "IMPORTANT": "Y" if self.action.important else "N",
        }
        return (Command("log.blogpost.add", params),)

    def sent(self, progress: Progress, replies: Replies) -> Step:
        reply = replies[0]
        if not isinstance(reply, Reply):
            return Step(progress, first_error(replies))
        return Step({**progress, "post_id": int(reply.result)})
