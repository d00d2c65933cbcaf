"""Effects on items, their timeline and their people's notifications.

Pages: api-reference/crm/universal/, api-reference/crm/timeline/comments/, api-reference/chats/notifications/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from b24app.bitrix.commands import Command
from b24app.bitrix.effects.effect import Effect, OneCommand, Progress, Replies, Setting, Step, first_error
from b24app.bitrix.errors import AccessDenied, NotFound
from b24app.bitrix.reading.items import get_item, items_in
from b24app.bitrix.reading.marks import comments_about
from b24app.bitrix.replies import Reply, as_map
from b24app.core.actions import AddItem, AnswerRobot, Comment, MoveStage, Notify, SendSms, UpdateItem
from b24app.core.item import DEAL, LEAD, ItemRef
from b24app.core.portal import SMS_PROVIDER
from b24app.core.text import T, bb

_SMART_STAGE = re.compile(r"^DT\d+_(\d+):")
ORIGINATOR = "b24app"
SMS_FAILED = "failed"


class UpdatingItem(OneCommand):
    """Writes fields; the last write of the same values changes nothing."""

    def __init__(self, action: UpdateItem, mark: str, setting: Setting) -> None:
        super().__init__(mark, setting)
        self.action = action

    def command(self) -> Command:
        kind, fields = self.action.item.entity_type_id, {}
        for name, value in self.action.fields.items():
            fields[self.setting.book.code(kind, name) or name] = "" if value is None else value
        return _update(self.action.item, fields)


class MovingStage(Effect):
    """Moves an item once: a second look finds it there, or gone elsewhere, and leaves it alone."""

    def __init__(self, action: MoveStage, mark: str, setting: Setting) -> None:
        super().__init__(mark, setting)
        self.action = action

    def look(self, progress: Progress) -> tuple[Command, ...]:
        return () if progress.get("done") else (get_item(self.action.item),)

    def found(self, progress: Progress, replies: Replies) -> Step:
        reply = replies[0]
        if isinstance(reply, NotFound):
            return Step({**progress, "done": True, "superseded": "deleted"})
        if not isinstance(reply, Reply):
            return Step(progress, first_error(replies))
        stage = str(as_map(as_map(reply.result).get("item")).get("stageId") or "")
        if stage == self.action.to:
            return Step({**progress, "done": True})
        if stage != self.action.leaving:
            return Step({**progress, "done": True, "superseded": stage})
        return Step(progress)

    def send(self, progress: Progress) -> tuple[Command, ...]:
        if progress.get("done"):
            return ()
        fields: dict[str, Any] = {"stageId": self.action.to}
        pipeline = _SMART_STAGE.match(self.action.to)
        if pipeline:  # without it a smart process item may land in the main pipeline
            fields["categoryId"] = int(pipeline.group(1))
        return (_update(self.action.item, fields),)

    def sent(self, progress: Progress, replies: Replies) -> Step:
        error = first_error(replies)
        return Step(progress, error) if error else Step({**progress, "done": True})


class AddingItem(Effect):
    """Creates an item that carries the mark as its ``originId`` (``xmlId`` for smart processes).

    Fields are called as in process files or as on the portal; ``pipeline`` names a process.
    """

    def __init__(self, action: AddItem, mark: str, setting: Setting) -> None:
        super().__init__(mark, setting)
        self.action = action
        self._mark_field = "originId" if action.entity_type_id in (LEAD, DEAL) else "xmlId"

    def look(self, progress: Progress) -> tuple[Command, ...]:
        if progress.get("item_id"):
            return ()
        filters = {f"={self._mark_field}": self.mark}
        params = {"entityTypeId": self.action.entity_type_id, "filter": filters, "select": ["id"], "start": -1}
        return (Command("crm.item.list", params),)

    def found(self, progress: Progress, replies: Replies) -> Step:
        reply = replies[0]
        if not isinstance(reply, Reply):
            return Step(progress, first_error(replies))
        rows = items_in(reply.result)
        return Step({**progress, "item_id": int(rows[0]["id"])} if rows else progress)

    def send(self, progress: Progress) -> tuple[Command, ...]:
        if progress.get("item_id"):
            return ()
        kind, given = self.action.entity_type_id, self.action.fields.items()
        named = {name: value for name, value in given if value is not None and name != "pipeline"}
        fields: dict[str, Any] = {self.setting.book.code(kind, name) or name: value for name, value in named.items()}
        pipeline = self.action.fields.get("pipeline")
        if pipeline is not None:
            fields["categoryId"] = self.setting.pipelines.get(str(pipeline), pipeline)
        fields[self._mark_field] = self.mark
        if self._mark_field == "originId":
            fields["originatorId"] = ORIGINATOR
        params = {"entityTypeId": self.action.entity_type_id, "fields": fields, "useOriginalUfNames": "Y"}
        return (Command("crm.item.add", params),)

    def sent(self, progress: Progress, replies: Replies) -> Step:
        reply = replies[0]
        if not isinstance(reply, Reply):
            return Step(progress, first_error(replies))
        return Step({**progress, "item_id": int(as_map(as_map(reply.result).get("item"))["id"])})


class Commenting(Effect):
    """Writes one timeline comment, found again by the mark in its last line."""

    def __init__(self, item: ItemRef, text: str, mark: str, setting: Setting) -> None:
        super().__init__(mark, setting)
        self.item = item
        self.text = text

    def look(self, progress: Progress) -> tuple[Command, ...]:
        if progress.get("comment_id"):
            return ()
        return (comments_about(self.item),)

    def found(self, progress: Progress, replies: Replies) -> Step:
        reply = replies[0]
        if not isinstance(reply, Reply):
            return Step(progress, first_error(replies))
        rows = reply.result if isinstance(reply.result, list) else []
        mine = next((row for row in rows if self.mark in str(row.get("COMMENT"))), None)
        return Step({**progress, "comment_id": int(mine["ID"])} if mine else progress)

    def send(self, progress: Progress) -> tuple[Command, ...]:
        if progress.get("comment_id"):
            return ()
        fields = {
            "ENTITY_ID": self.item.id,
            "ENTITY_TYPE": self.item.timeline_type,
            "COMMENT": self.setting.signed(self.text, self.mark),
        }
        return (Command("crm.timeline.comment.add", {"fields": fields}),)

    def sent(self, progress: Progress, replies: Replies) -> Step:
        reply = replies[0]
        if not isinstance(reply, Reply):
            return Step(progress, first_error(replies))
        return Step({**progress, "comment_id": int(reply.result)})


def commenting(action: Comment, mark: str, setting: Setting) -> Commenting:
    return Commenting(action.item, action.text, mark, setting)


_SMS_SENT = T("Клиенту отправлено SMS на {phone}:\n{text}", "SMS sent to the client at {phone}:\n{text}")


class RecordingSms(Commenting):
    """Writes the SMS that went out into the timeline; the sending itself is not the portal's business."""

    def __init__(self, action: SendSms, mark: str, setting: Setting) -> None:
        text = _SMS_SENT.fill(phone=action.phone, text=bb(action.text)).at(setting.lang)
        super().__init__(action.item, text, mark, setting)


class ReportingSms(Effect):
    """Tells the portal what became of a message it handed over.

    Page: api-reference/messageservice/messageservice-message-status-update.md.
    """

    def __init__(self, action: SendSms, mark: str, setting: Setting) -> None:
        super().__init__(mark, setting)
        self.action = action

    def send(self, progress: Progress) -> tuple[Command, ...]:
        if progress.get("done"):
            return ()
        status = "failed" if progress.get("sms") == SMS_FAILED else "sent"
        params = {"CODE": SMS_PROVIDER, "MESSAGE_ID": self.action.message_id, "STATUS": status}
        return (Command("messageservice.message.status.update", params),)

    def sent(self, progress: Progress, replies: Replies) -> Step:
        error = first_error(replies)
        return Step(progress, error) if error else Step({**progress, "done": True})


class Notifying(OneCommand):
    """Notifies a user; the tag makes a repeated notification replace the first."""

    def __init__(self, action: Notify, mark: str, setting: Setting) -> None:
        super().__init__(mark, setting)
        self.action = action

    def command(self) -> Command:
        params = {"USER_ID": self.action.user, "MESSAGE": self.action.text, "TAG": f"{ORIGINATOR}|{self.mark}"}
        return Command("im.notify.system.add", params)


class AnsweringRobot(OneCommand):
    """Gives a waiting robot its results; a token that died with its stage needs no answer any more."""

    def __init__(self, action: AnswerRobot, mark: str, setting: Setting) -> None:
        super().__init__(mark, setting)
        self.action = action

    def command(self) -> Command:
        values = dict(self.action.values)
        params: dict[str, Any] = {"EVENT_TOKEN": self.action.token, "LOG_MESSAGE": self.action.log}
        if values:
            params["RETURN_VALUES"] = values
        return Command("bizproc.event.send", params)

    def sent(self, progress: Progress, replies: Replies) -> Step:
        if isinstance(replies[0], AccessDenied):
            return Step({**progress, "done": True, "superseded": "token used up"})
        return super().sent(progress, replies)


def _update(item: ItemRef, fields: Mapping[str, Any]) -> Command:
    params = {"entityTypeId": item.entity_type_id, "id": item.id, "fields": dict(fields), "useOriginalUfNames": "Y"}
    return Command("crm.item.update", params)
