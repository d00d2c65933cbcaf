"""Operators run again: shown first, written down, and nothing done twice unless by force."""

from __future__ import annotations

import re
from html import unescape

import pytest

from b24app.core.item import ItemRef
from b24app.engine.decisions.plan import BadStep
from b24app.engine.decisions.rerun import DONE, NoSuchThing, rerun_entry, rerun_run, run_robot
from b24app.store import audit
from tests.flows.stage import AGREED, MARIA, Stage


def last_run(stage: Stage, deal: int, robot: str) -> int:
    return stage.runs(deal, robot)[-1].id


def test_what_was_done_is_not_done_again(stage: Stage) -> None:
    deal = stage.new_deal()
    shop = stage.application.workshop
    shown = rerun_run(shop, last_run(stage, deal, "autotask"), "op", "trying", dry_run=False, force=False)
    stage.settle()
    assert (shown.why, shown.actions) == (DONE, [])
    assert stage.titles(deal) == ["Подписать договор"]


def test_a_preview_shows_the_actions_and_keeps_nothing(stage: Stage) -> None:
    deal = stage.new_deal()
    before = len(stage.runs(deal))
    run = last_run(stage, deal, "autotask")
    shown = rerun_run(stage.application.workshop, run, "op", "trying", dry_run=True, force=True)
    stage.settle()
    assert [action["kind"] for action in shown.actions] == ["add_task", "set_timer"]
    assert len(stage.runs(deal)) == before
    assert stage.titles(deal) == ["Подписать договор"]


def test_by_force_it_is_done_again_and_the_journal_names_who_asked(stage: Stage) -> None:
    deal = stage.new_deal()
    run = last_run(stage, deal, "training_comment")
    rerun_run(stage.application.workshop, run, "Мария", "клиент не видел", dry_run=False, force=True)
    stage.settle()
    assert len(stage.comments(deal)) == 2
    assert stage.runs(deal, "training_comment")[-1].asked_by == "Мария"
    with stage.application.workshop.database.read() as connection:
        noted = audit.audited(connection)[0]
    assert (noted["who"], noted["what"], noted["why"]) == ("Мария", "rerun", "клиент не видел")


def test_a_stage_entry_is_run_again(stage: Stage) -> None:
    deal = stage.new_deal()
    entry = stage.runs(deal)[-1].entry_id
    assert entry is not None
    shop = stage.application.workshop
    assert rerun_entry(shop, entry, "op", "trying", dry_run=False, force=False).why == DONE
    stage.close(deal, "Подписать договор")
    rerun_entry(shop, entry, "op", "the task is wanted again", dry_run=False, force=True)
    stage.settle()
    assert stage.titles(deal) == ["Подписать договор"]
    assert len(stage.titles(deal, open_only=False)) == 2


def test_a_robot_is_run_on_an_item(stage: Stage) -> None:
    deal = stage.new_deal()
    props = {"to": "responsible", "text": "Позвоните клиенту"}
    item = ItemRef(2, deal)
    run_robot(stage.application.workshop, stage.portal_id, item, "notify", props, "op", "asked", dry_run=False)
    stage.settle()
    assert stage.runs(deal, "notify")[-1].state == "decided"


def test_properties_a_robot_does_not_understand_are_refused_with_their_names(stage: Stage) -> None:
    deal = stage.new_deal()
    item = ItemRef(2, deal)
    shop = stage.application.workshop
    with pytest.raises(BadStep, match="text: a required property is missing"):
        run_robot(shop, stage.portal_id, item, "notify", {"to": "responsible"}, "op", "asked", dry_run=False)
    stage.settle()
    assert stage.runs(deal, "notify") == []


def test_there_is_no_run_of_a_number_never_given(stage: Stage) -> None:
    with pytest.raises(NoSuchThing):
        rerun_run(stage.application.workshop, 4711, "op", "trying", dry_run=True, force=False)


# On the operators' pages ---------------------------------------------------------------------------------------------------


def pressed(stage: Stage, path: str, **form: str) -> str:
    """Press a button of the operators' pages, in Russian."""
    client = stage.application.web.test_client()
    client.post("/admin/login", data={"who": "Ольга", "token": stage.application.workshop.settings.admin_token})
    (csrf,) = set(re.findall(r'name="csrf" value="([^"]+)"', client.get(path).text))
    action = form.pop("action", "")
    headers = {"Accept-Language": "ru"}
    answer = client.post(f"{path}{action}", data={"csrf": csrf, "why": "клиент ждёт", **form}, headers=headers)
    assert answer.status_code == 200
    stage.settle()
    return unescape(answer.text)


def test_a_forced_preview_of_a_return_shows_the_reasons_it_had(stage: Stage) -> None:
    deal = stage.arrive("date_agreed", **{**AGREED, "install_date": "2026-05-29"})
    run = stage.runs(deal, "return_deal")[-1]
    page = pressed(stage, f"/admin/runs/{run.id}", action="/rerun", force="yes")
    preview = page[page.index("Было бы сделано") : page.index("</form>", page.index("Было бы сделано"))]
    assert "29.05.2026" in preview
    assert "причина не указана" not in preview
    assert "move_stage" in preview
    assert stage.runs(deal, "return_deal")[-1] == run


def test_a_stage_is_run_again_on_the_page_of_its_item(stage: Stage) -> None:
    deal = stage.new_deal()
    path = f"/admin/portals/{stage.portal_id}/items/D_{deal}"
    assert "Всё уже выполнено" in pressed(stage, path, action="/stage")
    stage.close(deal, "Подписать договор")
    assert "autotask: " in pressed(stage, path, action="/stage", force="yes")
    assert stage.titles(deal) == []
    pressed(stage, path, action="/stage", force="yes", do="yes")
    assert stage.titles(deal) == ["Подписать договор"]


def test_a_robot_is_run_on_the_page_of_an_item(stage: Stage) -> None:
    deal = stage.new_deal()
    path, props = f"/admin/portals/{stage.portal_id}/items/D_{deal}", "to: responsible\ntext: Позвоните клиенту"
    refused = pressed(stage, path, action="/robot", robot="notify", props="to: responsible", do="yes")
    assert "text — обязательное свойство не задано" in refused
    shown = pressed(stage, path, action="/robot", robot="notify", props=props)
    assert "Позвоните клиенту" not in stage.notices(MARIA)
    (once,) = re.findall(r'name="once" value="([^"]+)"', shown)
    pressed(stage, path, action="/robot", robot="notify", props=props, do="yes", once=once)
    assert stage.notices(MARIA).count("Позвоните клиенту") == 1
    twice = pressed(stage, path, action="/robot", robot="notify", props=props, do="yes", once=once)
    assert "уже поручено" in twice
    assert stage.notices(MARIA).count("Позвоните клиенту") == 1
