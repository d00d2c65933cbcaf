"""Effects on calendars: a visit is a meeting of the technical administrator's, with the installer as its guest.

Writing into somebody else's calendar depends on rights; inviting him does not.
Pages: api-reference/calendar/calendar-event/.
"""

from __future__ import annotations

from datetime import timedelta

from b24app.bitrix.commands import Command
from b24app.bitrix.effects.effect import Effect, OneCommand, Progress, Replies, Setting, Step, first_error
from b24app.bitrix.errors import Refused
from b24app.bitrix.replies import Reply
from b24app.core.actions import AddVisit, CancelVisit


class AddingVisit(Effect):
    """Creates the meeting, found again by the mark in its description."""

    def __init__(self, action: AddVisit, mark: str, setting: Setting) -> None:
        super().__init__(mark, setting)
        self.action = action

    def look(self, progress: Progress) -> tuple[Command, ...]:
        if progress.get("visit_id"):
            return ()
        first = (self.action.start - timedelta(days=1)).date().isoformat()
        last = (self.action.end + timedelta(days=1)).date().isoformat()
        params = {"type": "user", "ownerId": self.setting.admin, "from": first, "to": last}
        return (Command("calendar.event.get", params),)

    def found(self, progress: Progress, replies: Replies) -> Step:
        reply = replies[0]
        if not isinstance(reply, Reply):
            return Step(progress, first_error(replies))
        rows = reply.result if isinstance(reply.result, list) else []
        mine = next((row for row in rows if self.mark in str(row.get("DESCRIPTION") or row.get("~DESCRIPTION"))), None)
        return Step({**progress, "visit_id": int(mine["ID"])} if mine else progress)

    def send(self, progress: Progress) -> tuple[Command, ...]:
        if progress.get("visit_id"):
            return ()
        action = self.action
        params = {
            "type": "user",
            "ownerId": self.setting.admin,
            "from": action.start.isoformat(timespec="seconds"),
            "to": action.end.isoformat(timespec="seconds"),
            "name": action.title,
            "description": self.setting.signed(action.description, self.mark),
            "accessibility": "busy",
            "is_meeting": "Y",
            "attendees": [action.user],
            "crm_fields": [action.item.binding],
        }
        if action.location:
            params["location"] = action.location
        return (Command("calendar.event.add", params),)

    def sent(self, progress: Progress, replies: Replies) -> Step:
        reply = replies[0]
        if not isinstance(reply, Reply):
            return Step(progress, first_error(replies))
        return Step({**progress, "visit_id": int(reply.result)})


class CancellingVisit(OneCommand):
    """Deletes the meeting; one that is gone already is fine."""

    def __init__(self, action: CancelVisit, mark: str, setting: Setting) -> None:
        super().__init__(mark, setting)
        self.action = action

    def command(self) -> Command:
        return Command("calendar.event.delete", {"id": self.action.visit})

    def sent(self, progress: Progress, replies: Replies) -> Step:
        if isinstance(replies[0], Refused):
            return Step({**progress, "done": True, "superseded": replies[0].description})
        return super().sent(progress, replies)
