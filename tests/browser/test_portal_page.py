"""The page of the pretend portal in a real browser."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ADMIN, INSTALLER, MANAGER, Office

pytestmark = pytest.mark.browser


def stage_of(office: Office, deal: int) -> str:
    return str(office.portal.crm.items[2][deal]["stageId"])


def test_a_deal_is_dragged_to_another_column_and_moved_by_its_select(office: Office) -> None:
    deal = office.deal("Окна")
    page = office.open(MANAGER, "/")
    work = page.get_by_role("region", name="В работе")

    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator(".tile", has_text="Окна").drag_to(work)
    expect(work.get_by_role("link", name="Окна")).to_be_visible()
    assert stage_of(office, deal) == "EXECUTING"

    page.evaluate("window.sandboxPortal.look()")  # the board is drawn anew now, and not between choosing and pressing
    work.get_by_label("Стадия: Окна").select_option(label="Сделка успешна")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        work.get_by_role("button", name="Перенести").press("Enter")
    expect(page.get_by_role("region", name="Сделка успешна").get_by_role("link", name="Окна")).to_be_visible()
    assert stage_of(office, deal) == "WON"


def test_an_app_installs_itself_and_its_pages_get_their_words_through_the_library(office: Office) -> None:
    deal = office.deal("Окна")
    page = office.open(ADMIN, "/devops/")
    page.get_by_role("link", name="Установить").click()

    app = page.frame_locator("iframe")
    expect(app.get_by_role("heading")).to_have_text("Главная")
    expect(app.locator("#out")).to_contain_text("ru Техническая")
    assert office.app.installed

    page.goto(f"/crm/deal/details/{deal}/")
    page.get_by_role("link", name="Почему так").click()
    expect(app.get_by_role("heading")).to_have_text("Вкладка")
    expect(app.locator("#out")).to_contain_text(f'"placement":"CRM_DEAL_DETAIL_TAB","options":{{"ID":"{deal}"')

    office.portal.as_user(MANAGER).call("crm.item.update", entityTypeId=2, id=deal, fields={"title": "Двери"})
    assert office.portal.deliver() == 1
    assert office.tiny.calls[0][1]["event"] == "ONCRMDEALUPDATE"


def test_a_deal_is_filled_in_by_the_chosen_user(office: Office) -> None:
    admin = office.portal.as_user(ADMIN)
    for name, kind, label in (("UF_CRM_INSTALLER", "employee", "Монтажник"), ("UF_CRM_SCAN", "file", "Скан договора")):
        field = {"entityId": "CRM_DEAL", "fieldName": name, "userTypeId": kind, "editFormLabel": {"ru": label}}
        admin.call("userfieldconfig.add", moduleId="crm", field=field)
    deal = office.deal("Окна")
    page = office.open(MANAGER, f"/crm/deal/details/{deal}/")

    page.get_by_label("Сумма").fill("84 500,50")
    page.get_by_label("Дата завершения").fill("2026-07-01")
    page.get_by_label("Контакт").select_option(label="Анна Фёдорова")
    page.get_by_label("Монтажник").select_option(label="Алексей Морозов")
    page.get_by_label("Скан договора").set_input_files({"name": "д.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    page.get_by_role("button", name="Сохранить").click()

    expect(page.get_by_role("link", name="д.pdf")).to_be_visible()
    item = office.portal.as_user(MANAGER).call("crm.item.get", entityTypeId=2, id=deal, useOriginalUfNames="Y")["item"]
    assert (item["opportunity"], item["contactId"], item["UF_CRM_INSTALLER"]) == (84500.5, 1, INSTALLER)
    assert item["closedate"].startswith("2026-07-01")
    assert item["updatedBy"] == MANAGER
    assert list(office.portal.files.values()) == [("д.pdf", b"%PDF")]


def test_a_task_goes_from_tick_to_approval_between_two_people(office: Office) -> None:
    admin, deal = office.portal.as_user(ADMIN), office.deal()
    fields = {"TITLE": "Подписать", "RESPONSIBLE_ID": MANAGER, "TASK_CONTROL": "Y", "UF_CRM_TASK": [f"D_{deal}"]}
    task = int(admin.call("tasks.task.add", fields=fields)["task"]["id"])
    admin.call("task.checklistitem.add", TASKID=task, FIELDS={"TITLE": "Оформить"})

    page = office.open(MANAGER, f"/crm/deal/details/{deal}/")
    page.get_by_role("checkbox", name="Оформить").press("Space")
    expect(page.get_by_role("checkbox", name="Оформить")).to_have_attribute("aria-checked", "true")
    expect(page.get_by_role("checkbox", name="Оформить")).to_be_focused()
    page.get_by_role("button", name="Завершить").click()
    expect(page.locator(".tag", has_text="Ждёт контроля")).to_be_visible()

    page.get_by_label("Кто я").select_option(value=str(ADMIN))
    page.get_by_role("button", name="Принять").click()
    expect(page.locator(".tag", has_text="Завершена")).to_be_visible()
    assert office.portal.tasks.tasks[task].closed_by == ADMIN


def test_a_comment_of_the_app_appears_by_itself_and_only_its_bb_codes_are_markup(office: Office) -> None:
    deal = office.deal()
    page = office.open(MANAGER, f"/crm/deal/details/{deal}/")
    page.evaluate("window.sandboxPortal.look()")

    text = "[B]Важно[/B] <img src=x onerror=alert(1)> [URL=javascript:alert(1)]нет[/URL]"
    fields = {"ENTITY_TYPE": "deal", "ENTITY_ID": deal, "COMMENT": text}
    office.portal.as_user(ADMIN).call("crm.timeline.comment.add", fields=fields)
    page.evaluate("window.sandboxPortal.look()")

    comment = page.locator("#timeline .line-comment .text")
    expect(comment.locator("b")).to_have_text("Важно")
    expect(comment).to_contain_text("<img src=x onerror=alert(1)> [URL=javascript:alert(1)]нет[/URL]")


def test_the_time_machine_goes_to_the_next_working_morning(office: Office) -> None:
    page = office.open(MANAGER, "/tasks/")

    page.locator(".machine summary").click()
    page.get_by_role("button", name="Следующий рабочий день").click()

    expect(page.locator("#clock")).to_have_text("08.06.2026 10:00")
    assert office.clock.now() == datetime(2026, 6, 8, 7, tzinfo=UTC)


def test_a_robot_is_placed_with_its_properties_and_called_when_a_deal_comes(office: Office) -> None:
    page = office.open(ADMIN, f"/marketplace/app/{office.app.number}/")
    expect(page.frame_locator("iframe").get_by_role("heading")).to_have_text("Главная")

    page.goto("/automation/")
    page.get_by_role("region", name="В работе").get_by_role("button", name="Поставить").click()
    page.get_by_label("Слова").fill("Добрый день")
    page.get_by_role("button", name="Поставить на стадию").click()
    expect(page.get_by_role("region", name="В работе")).to_contain_text("Слова: Добрый день")

    office.deal(stageId="EXECUTING")
    office.portal.deliver()
    name, form = office.tiny.calls[-1]
    assert (name, form["properties[words]"]) == ("robot", "Добрый день")
    page.reload()
    expect(page.locator("#runs")).to_contain_text("ждёт ответа")


def test_every_page_fits_a_phone_and_speaks_english(office: Office) -> None:
    deal = office.deal("Окна, двери и подоконники в квартире на улице Лесной")
    fields = {"TITLE": "Подписать", "RESPONSIBLE_ID": MANAGER, "UF_CRM_TASK": [f"D_{deal}"]}
    office.portal.as_user(ADMIN).call("tasks.task.add", fields=fields)
    page = office.open(ADMIN, "/", width=360)
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Deals", exact=True)).to_be_visible()

    paths = "crm/deal/ crm/lead/ crm/contact/ tasks/ calendar/ automation/ devops/ notifications/ company/personal/user/3/"
    paths += f" crm/deal/details/{deal}/ crm/deal/details/{deal}/?tab=goods company/personal/user/3/tasks/task/view/1/"
    for path in f"{paths} _sandbox/troubles _sandbox/traffic _sandbox/outbox".split():
        page.goto(f"/{path}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, f"{path} is {wide} px wide"
        assert page.locator("html").get_attribute("lang") == "en"
