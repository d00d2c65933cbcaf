"""im.notify.*, im.message.add, messageservice.*, log.blogpost.*, disk.* (chats, messageservice, log, disk)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from sandbox.apps import AppCard
from sandbox.errors import RestError, access_denied
from sandbox.messages import NewsPost, Notification, SmsProvider
from sandbox.registry import Call, method
from sandbox.wire import JSON, as_list, as_map, whole

NOTIFY = "USER_ID MESSAGE MESSAGE_OUT TAG SUB_TAG ATTACH CLIENT_ID"


def _notify(call: Call, author: int) -> int:
    user_id, text = whole(call.get("USER_ID") or 0), str(call.get("MESSAGE") or "")
    if not user_id:
        raise RestError("USER_ID_EMPTY", "User ID can't be empty")
    if not text.strip():
        raise RestError("MESSAGE_EMPTY", "Message can't be empty")
    if len(str(call.get("ATTACH") or "")) > 60000:
        raise RestError("ATTACH_OVERSIZE", "You have exceeded the maximum allowable size of attach")
    if not call.portal.people.active(user_id):
        call.complain(f"notification to {user_id}, who does not work here")
    app = call.caller.app.client_id if call.caller.app else ""
    tag, sub_tag = str(call.get("TAG") or ""), str(call.get("SUB_TAG") or "")
    number = call.portal.messages.next_id()
    note = Notification(number, user_id, author, text, tag, sub_tag, call.portal.now(), app)
    return call.portal.messages.notify(note).id


@method("im.notify.system.add", "im", NOTIFY)
def notify_system(call: Call) -> Any:
    """Notify a user from the app (im-notify-system-add.md)."""
    return _notify(call, 0)


@method("im.notify.personal.add", "im", NOTIFY)
def notify_personal(call: Call) -> Any:
    """Notify a user from the token's user (im-notify-personal-add.md)."""
    return _notify(call, call.caller.user_id)


@method("im.notify.delete", "im", "ID TAG SUB_TAG CLIENT_ID")
def notify_delete(call: Call) -> Any:
    """Take notifications away by id or tag (im-notify-delete.md)."""
    number, tag = whole(call.get("ID") or 0), str(call.get("TAG") or "")
    if not number and not tag:
        raise RestError("PARAMS_ERROR", "Incorrect params")
    kept = call.portal.messages.notifications
    call.portal.messages.notifications = [n for n in kept if n.id != number and (not tag or n.tag != tag)]
    return True


@method("im.message.add", "im", "DIALOG_ID MESSAGE ATTACH KEYBOARD MENU SYSTEM URL_PREVIEW REPLY_ID")
def message_add(call: Call) -> Any:
    """Write into a chat (im-message-add.md)."""
    dialog, text = str(call.get("DIALOG_ID") or ""), str(call.get("MESSAGE") or "")
    if not dialog:
        raise RestError("USER_ID_EMPTY", "User ID can't be empty")
    if not text:
        raise RestError("MESSAGE_EMPTY", "Message can't be empty")
    if dialog.isdigit() and not call.portal.people.active(int(dialog)):
        raise RestError("USER_NOT_FOUND", "User not found")
    number = call.portal.messages.next_id()
    row = {"id": number, "dialog": dialog, "author": call.caller.user_id, "text": text}
    call.portal.messages.chat.append(row)
    return number


def _sender_app(call: Call) -> AppCard:
    if call.caller.app is None:
        raise access_denied("Application context required")
    return call.caller.app


def _sender(call: Call) -> SmsProvider:
    app, code = _sender_app(call), str(call.get("CODE") or "")
    if not code:
        raise RestError("ERROR_SENDER_VALIDATION_FAILURE", "Empty sender code!")
    found = next((p for p in call.portal.messages.providers if p.app is app and p.code == code), None)
    if found is None:
        raise RestError("ERROR_SENDER_NOT_FOUND", "Sender not found!")
    return found


@method("messageservice.sender.add", "messageservice", "CODE TYPE HANDLER NAME DESCRIPTION", app=True, admin=True)
def sender_add(call: Call) -> Any:
    """Register the app as an SMS provider (messageservice-sender-add.md)."""
    app, code = _sender_app(call), str(call.get("CODE") or "")
    checks = (
        (not code, "Empty sender code!"),
        (not re.fullmatch(r"[A-Za-z0-9._-]*", code), "Wrong sender code!"),
        (not call.get("NAME"), "Empty sender NAME!"),
        (not call.get("TYPE"), "Empty sender message TYPE!"),
        (call.get("TYPE") != "SMS", "Unknown sender message TYPE!"),
    )
    for failed, text in checks:
        if failed:
            raise RestError("ERROR_SENDER_VALIDATION_FAILURE", text)
    if any(p.app is app and p.code == code for p in call.portal.messages.providers):
        raise RestError("ERROR_SENDER_ALREADY_INSTALLED", "Sender already installed!")
    call.portal.messages.providers.append(SmsProvider(app, code, dict(call.params)))
    return True


@method("messageservice.sender.update", "messageservice", "CODE HANDLER NAME DESCRIPTION", app=True, admin=True)
def sender_update(call: Call) -> Any:
    """Change a provider (messageservice-sender-update.md)."""
    changes = {key: value for key, value in call.params.items() if key != "CODE"}
    if not changes:
        raise RestError("ERROR_SENDER_OTHER_PARAMS_REQUIRED", "At least one other parameter is required!")
    _sender(call).fields.update(changes)
    return True


@method("messageservice.sender.list", "messageservice", app=True, admin=True)
def sender_list(call: Call) -> Any:
    """List the app's providers (messageservice-sender-list.md)."""
    app = _sender_app(call)
    return [provider.code for provider in call.portal.messages.providers if provider.app is app]


@method("messageservice.sender.delete", "messageservice", "CODE", app=True, admin=True)
def sender_delete(call: Call) -> Any:
    """Remove a provider (messageservice-sender-delete.md)."""
    call.portal.messages.providers.remove(_sender(call))
    return True


@method("messageservice.message.status.update", "messageservice", "CODE MESSAGE_ID STATUS", app=True)
def sms_status(call: Call) -> Any:
    """Tell what became of an SMS (messageservice-message-status-update.md)."""
    provider, number = _sender(call), str(call.get("MESSAGE_ID") or "")
    found = next((m for m in call.portal.messages.sms if m.id == number and m.provider is provider), None)
    if found is None:
        raise RestError("ERROR_MESSAGE_NOT_FOUND", "Message not found!")
    if call.get("STATUS") not in {"queued", "sent", "delivered", "undelivered", "failed"}:
        raise RestError("ERROR_MESSAGE_STATUS_INCORRECT", "Message status incorrect!")
    found.status = str(call.get("STATUS"))
    return True


POST = "POST_MESSAGE POST_TITLE DEST SPERM FILES IMPORTANT IMPORTANT_DATE_END SITE_ID USER_ID TAGS BACKGROUND_CODE"


@method("log.blogpost.add", "log", f"{POST} PARSE_PREVIEW")
def post_add(call: Call) -> Any:
    """Publish news (log-blogpost-add.md)."""
    text = str(call.get("POST_MESSAGE") or "")
    if not text:
        raise RestError("SONET_CONTROLLER_LIVEFEED_BLOGPOST_ADD_ERROR", "Blog post hasn't been added")
    dest = [str(item) for item in as_list(call.get("DEST"))] or ["UA"]
    author = whole(call.get("USER_ID") or 0) or call.caller.user_id
    if author != call.caller.user_id and not call.portal.people.is_admin(call.caller.user_id):
        author = call.caller.user_id
        call.complain("USER_ID of another user needs an administrator; the token's user was taken")
    number = max(call.portal.messages.posts, default=0) + 1
    title, important = str(call.get("POST_TITLE") or ""), str(call.get("IMPORTANT") or "N") == "Y"
    call.portal.messages.posts[number] = NewsPost(number, author, title, text, dest, important, call.portal.now())
    call.portal.events.emit("ONLIVEFEEDPOSTADD", {"FIELDS": {"POST_ID": number}}, call.caller)
    return number


@method("log.blogpost.get", "log", "POST_ID LOG_RIGHTS LOG_DATE_FROM LOG_DATE_TO FIRST_ID LAST_ID LIMIT start")
def post_get(call: Call) -> Any:
    """Read news (log-blogpost-get.md)."""
    posts = call.portal.messages.posts
    wanted = [whole(call.get("POST_ID"))] if call.get("POST_ID") else sorted(posts, reverse=True)
    return [
        {
            "ID": str(number),
            "PUBLISH_STATUS": "P",
            "TITLE": posts[number].title,
            "AUTHOR_ID": str(posts[number].author),
            "DETAIL_TEXT": posts[number].text,
            "DATE_PUBLISH": call.portal.stamp(posts[number].at),
        }
        for number in wanted
        if number in posts
    ]


@method("log.blogpost.getusers.important", "log", "POST_ID")
def post_readers(call: Call) -> Any:
    """Tell who pressed "read" on important news (log-blogpost-get-users-important.md)."""
    found = call.portal.messages.posts.get(whole(call.get("POST_ID") or 0))
    if found is None:
        raise RestError("", "Wrong post ID")
    return [str(user_id) for user_id in found.read_by]


@method("disk.storage.getForApp", "disk", app=True, admin=True)
def storage(call: Call) -> Any:
    """Give the app's own storage (disk-storage-get-for-app.md)."""
    return {
        "ID": "1366",
        "NAME": _sender_app(call).name,
        "CODE": None,
        "MODULE_ID": "disk",
        "ENTITY_TYPE": "restapp",
        "ENTITY_ID": str(_sender_app(call).number),
        "ROOT_OBJECT_ID": "8910",
    }


@method("disk.folder.uploadFile", "disk", "id data fileContent rights generateUniqueName")
def upload(call: Call) -> Any:
    """Put a file into a folder (disk-folder-upload-file.md)."""
    content, name = as_list(call.get("fileContent")), str(as_map(call.get("data")).get("NAME") or "")
    if not name:
        raise RestError("DISK_BASE_SERVICE_22001", "Error: required parameter NAME (DISK_BASE_SERVICE_22001)")
    if whole(call.get("id")) != 8910:
        raise RestError("ERROR_NOT_FOUND", f"Could not find entity with id {call.get('id')}")
    try:
        raw = base64.b64decode(str(content[-1]), validate=True) if content else b""
    except binascii.Error:
        raise RestError("ERROR_COULD_NOT_SAVE_FILE", "Could not save file") from None
    return _file(call, call.portal.store_file(name, raw), name, len(raw))


def _file(call: Call, number: int, name: str, size: int) -> JSON:
    now = call.portal.stamp(call.portal.now())
    address = f"{call.portal.client_endpoint}crm.controller.item.getFile/?fileId={number}"
    return {
        "ID": number,
        "NAME": name,
        "STORAGE_ID": "1366",
        "TYPE": "file",
        "PARENT_ID": "8910",
        "DELETED_TYPE": 0,
        "FILE_ID": number,
        "SIZE": str(size),
        "CREATE_TIME": now,
        "UPDATE_TIME": now,
        "CREATED_BY": str(call.caller.user_id),
        "DOWNLOAD_URL": address,
        "DETAIL_URL": address,
    }
