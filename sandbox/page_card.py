"""A card of the CRM: fields, stages, timeline, tasks, goods, robots, and the tabs of applications."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Response, redirect, request

from sandbox.apps import AppCard, Placement
from sandbox.crm import history
from sandbox.crm.items import Item
from sandbox.crm.schema import CONTACT, NAMES
from sandbox.errors import RestError
from sandbox.page_crm import SECTIONS, card_path, existing, money, section_name, section_path, tasks_of, title_of
from sandbox.page_desk import Desk
from sandbox.page_fields import edited
from sandbox.page_frame import framed
from sandbox.page_layout import shown_card
from sandbox.page_tasks import task_view
from sandbox.wire import as_map, whole

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

TIMELINE_LENGTH = 150


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of a timeline; ``kind``: comment, log, todo, stage."""

    at: datetime
    order: int
    kind: str
    author: str
    title: str
    text: str


def register(desk: Desk) -> None:
    """Add these views to the page."""

    @desk.view("/crm/<any(lead, deal, contact, company):section>/details/<int:item_id>/")
    def card(section: str, item_id: int) -> ResponseReturnValue:
        return _card(desk, SECTIONS[section], item_id)

    @desk.view("/crm/type/<int:entity_type_id>/details/<int:item_id>/")
    def smart_card(entity_type_id: int, item_id: int) -> ResponseReturnValue:
        return _card(desk, entity_type_id, item_id)

    _change_views(desk)

    @desk.view("/_sandbox/files/<int:number>")
    def attachment(number: int) -> ResponseReturnValue:
        if number not in desk.portal.files:
            raise RestError("NOT_FOUND", desk.say("Такого файла нет", "There is no such file"), 404)
        name, content = desk.portal.files[number]
        answer = Response(content, mimetype="application/octet-stream")
        answer.headers.set("Content-Disposition", "attachment", filename=name)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def _change_views(desk: Desk) -> None:
    @desk.view("/_sandbox/items/<int:entity_type_id>/<int:item_id>/save", "POST")
    def save(entity_type_id: int, item_id: int) -> ResponseReturnValue:
        before = as_map(json.loads(request.form.get("before") or "{}"))
        fields = edited(desk, entity_type_id, before, request.form, request.files)
        phones = _phones(request.form)
        if phones and "fm" in desk.portal.crm.fields(entity_type_id):
            fields["fm"] = phones
        if fields:
            desk.call("crm.item.update", entityTypeId=entity_type_id, id=item_id, fields=fields, useOriginalUfNames="Y")
        return desk.back(card_path(entity_type_id, item_id))

    @desk.view("/_sandbox/items/<int:entity_type_id>/<int:item_id>/comment", "POST")
    def comment(entity_type_id: int, item_id: int) -> ResponseReturnValue:
        kind = NAMES.get(entity_type_id, f"dynamic_{entity_type_id}").lower()
        text = request.form.get("text", "").replace("\r\n", "\n")
        fields = {"ENTITY_TYPE": kind, "ENTITY_ID": item_id, "COMMENT": text}
        desk.call("crm.timeline.comment.add", fields=fields)
        return desk.back(card_path(entity_type_id, item_id))

    @desk.view("/_sandbox/items/<int:entity_type_id>/<int:item_id>/delete", "POST")
    def delete(entity_type_id: int, item_id: int) -> ResponseReturnValue:
        desk.call("crm.item.delete", entityTypeId=entity_type_id, id=item_id)
        return redirect(section_path(entity_type_id), 303)

    @desk.view("/_sandbox/items/<int:entity_type_id>/<int:item_id>/goods", "POST")
    def goods(entity_type_id: int, item_id: int) -> ResponseReturnValue:
        _change_goods(desk, entity_type_id, item_id)
        return desk.back(card_path(entity_type_id, item_id))


def _phones(form: Any) -> dict[str, Any]:
    """Read phones and mails: new ones, and known ones whose text was changed."""
    found: dict[str, Any] = {}
    for key, text in form.items():
        if key.startswith("fm:") and text.strip() != form.get(f"was:{key}", "").strip():
            number = key.removeprefix("fm:")
            kind = {"newPHONE": "PHONE", "newEMAIL": "EMAIL"}.get(number)
            row = {"value": text.strip()}
            found[f"n{len(found)}" if kind else number] = row | ({"typeId": kind, "valueType": "WORK"} if kind else {})
    return found


def _change_goods(desk: Desk, entity_type_id: int, item_id: int) -> None:
    code, form = desk.portal.crm.short_code(entity_type_id), request.form
    if form.get("remove"):
        rows = desk.portal.crm.product_rows.get((code, item_id), [])
        kept = [row for row in rows if row["id"] != whole(form["remove"])]
        desk.call("crm.item.productrow.set", ownerType=code, ownerId=item_id, productRows=kept)
        return
    try:
        price, quantity = (float((form.get(name) or "0").replace(",", ".")) for name in ("price", "quantity"))
    except ValueError as mistake:
        raise RestError(
            "ERROR_ARGUMENT", desk.say("Цена и количество — числа", "Price and quantity are numbers")
        ) from mistake
    row = {"productName": form.get("productName", ""), "price": price, "quantity": quantity or 1}
    desk.call("crm.item.productrow.add", fields={"ownerType": code, "ownerId": item_id, **row})


def _card(desk: Desk, entity_type_id: int, item_id: int) -> ResponseReturnValue:
    item, crm = existing(desk, entity_type_id, item_id), desk.portal.crm
    shown = shown_card(desk, entity_type_id, item)
    inputs = [one for section in shown.sections for one in section.inputs]
    tabs = card_tabs(desk, entity_type_id)
    tab = request.args.get("tab", "")
    chosen = next((found for found in tabs if found[0] == tab), None)
    staged = crm.staged(entity_type_id)
    rows = crm.product_rows.get((crm.short_code(entity_type_id), item_id), [])
    return desk.page(
        "card.html",
        type_id=entity_type_id,
        item=item,
        title=title_of(item),
        path=card_path(entity_type_id, item_id),
        section=section_name(desk, entity_type_id),
        section_path=section_path(entity_type_id),
        shown=shown,
        before=json.dumps({one.name: one.values for one in inputs}, ensure_ascii=False),
        phones=item.get("fm") or [] if "fm" in crm.fields(entity_type_id) else None,
        client_phones=_client_phones(desk, item),
        stages=crm.stages.stages(entity_type_id, item.get("categoryId") or 0) if staged else [],
        categories=crm.stages.of_type(entity_type_id),
        entries=timeline_of(desk, entity_type_id, item_id),
        tasks=[task_view(desk, task) for task in tasks_of(desk, entity_type_id, item_id)],
        goods=rows,
        goods_total=money(sum(row["price"] * row["quantity"] for row in rows)),
        money=money,
        runs=[r for r in desk.portal.automation.runs if (r.entity_type_id, r.item_id) == (entity_type_id, item_id)],
        code=f"{crm.short_code(entity_type_id)}_{item_id}",
        tabs=tabs,
        tab=tab if chosen or tab in {"goods", "robots"} else "",
        frame=framed(desk, chosen[2], chosen[3], {"ID": str(item_id), "URI": card_path(entity_type_id, item_id)})
        if chosen
        else None,
    )


def _client_phones(desk: Desk, item: Item) -> list[str]:
    contact = desk.portal.crm.items.get(CONTACT, {}).get(item.get("contactId") or 0)
    return [str(row["value"]) for row in (contact or {}).get("fm") or []]


def card_tabs(desk: Desk, entity_type_id: int) -> list[tuple[str, str, AppCard, Placement]]:
    """Give the tabs applications added to cards of a type: (key, title, app, widget)."""
    kind = NAMES.get(entity_type_id, f"DYNAMIC_{entity_type_id}")
    found = []
    for app in desk.portal.apps.cards:
        for place, widget in enumerate(app.placements):
            if app.installed and widget.code == f"CRM_{kind}_DETAIL_TAB" and widget.user_id in {0, desk.who.id}:
                found.append((f"app{app.number}-{place}", widget_title(desk, widget), app, widget))
    return found


def widget_title(desk: Desk, widget: Placement) -> str:
    """Give a widget's title in the user's language."""
    texts = as_map(widget.lang_all.get(desk.who.language))
    return str(texts.get("TITLE") or widget.title)


def timeline_of(desk: Desk, entity_type_id: int, item_id: int) -> list[Entry]:
    """Give the records of a card, newest first."""
    line, wanted = desk.portal.timeline, (entity_type_id, item_id)
    found = [
        Entry(c.at, c.id, "comment", desk.name(c.author), "", c.text)
        for c in line.comments.values()
        if (c.entity_type_id, c.item_id) == wanted
    ]
    found += [
        Entry(row.at, row.id, "log", desk.name(row.author), row.title, row.text)
        for row in line.log.values()
        if (row.entity_type_id, row.item_id) == wanted
    ]
    found += [
        Entry(
            todo.deadline,
            todo.id,
            "todo",
            "",
            str(todo.fields.get("title") or ""),
            str(todo.fields.get("description") or ""),
        )
        for todo in line.todos.values()
        if (todo.entity_type_id, todo.item_id) == wanted
    ]
    found += _stage_entries(desk, entity_type_id, item_id)
    return sorted(found, key=lambda entry: (entry.at, entry.order), reverse=True)[:TIMELINE_LENGTH]


def _stage_entries(desk: Desk, entity_type_id: int, item_id: int) -> list[Entry]:
    field, _ = history.names(entity_type_id)
    stages = desk.portal.crm.stages

    def name(row: history.Row) -> str:
        found = stages.stage(entity_type_id, row.get("CATEGORY_ID") or 0, row[field])
        return found.name if found else str(row[field])

    return [
        Entry(row["CREATED_TIME"], 0, "stage", "", name(row), "")
        for row in desk.portal.crm.history.rows.get(entity_type_id, [])
        if row["OWNER_ID"] == item_id
    ]
