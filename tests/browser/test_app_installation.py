"""How the application comes to a portal: all of it by clicking, as an administrator does."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from demo.together import together
from sandbox.pages import PAGES
from tests.browser.conftest import ADMIN, DESK, MANAGER, Look, opened_windows
from tests.flows.stage import a_stage

pytestmark = pytest.mark.browser

LEAD_TO_DEAL, CEILING = "lead_to_ceiling_deal", "ceiling_installation"


def test_an_administrator_registers_installs_and_settles_the_application_by_clicking(
    chromium: Browser, tmp_path: Path, look: Look
) -> None:
    with together(tmp_path) as both, opened_windows(chromium, both.portal_address) as windows:
        page = windows.open(ADMIN, "/devops/", DESK)
        page.get_by_label("Название").fill("Процессы")
        page.get_by_label("Путь обработчика").fill(f"{both.address}/b24/app")
        page.get_by_label("Путь первоначальной установки").fill(f"{both.address}/b24/install")
        page.get_by_role("button", name="Сохранить").click()
        told = page.locator("#cards code")
        both.start_application(told.nth(0).inner_text(), told.nth(1).inner_text())

        page.get_by_role("link", name="Установить").click()
        app = page.frame_locator("iframe")
        expect(app.get_by_role("heading", name="Установка приложения")).to_be_visible()
        expect(app.locator(f"[value={LEAD_TO_DEAL}]")).to_be_checked()
        look(page, "install")
        for process in app.locator(f"[name=process]:not([value={CEILING}])").all():
            process.press("Space")
        app.get_by_role("button", name="Установить").press("Enter")
        expect(app.get_by_role("heading", name="Настройки процессов")).to_be_visible()
        ties = app.locator("#processes .stack")
        expect(ties.filter(has_text="Продажа и монтаж")).to_contain_text("работает")
        expect(ties.filter(has_text="Лид")).to_contain_text("не привязан к воронке")

        assert both.portal.apps.cards[0].installed
        board = windows.open(MANAGER, "/crm/deal/", DESK)
        board.get_by_label("Воронка").select_option(label="Монтаж потолков")
        expect(board.get_by_role("region", name="Сделка не успешная")).to_be_visible()
        board.get_by_label("Название").fill("Потолки, ул. Лесная, 7")
        board.get_by_role("button", name="Создать").click()

        board.get_by_role("link", name="Бронирование монтажа").click()
        week = board.frame_locator("iframe")
        expect(week.locator(".empty")).to_contain_text("Попросите администратора портала указать бригаду")
        look(board, "booking-without-crew")
        app.get_by_label("Алексей Морозов").first.check()
        app.locator("#people").get_by_role("button", name="Сохранить").click()
        expect(app.locator("#people .note")).to_have_text("Сохранено.")
        board.reload()
        expect(week.get_by_role("group", name="Алексей Морозов")).to_be_visible()

        assert both.world.complaints == []


def test_the_card_the_company_has_arranged_shows_the_fields_in_a_section_of_their_own(
    chromium: Browser, tmp_path: Path, look: Look
) -> None:
    about = {"name": "main", "title": "О заказе", "type": "section", "elements": [{"name": "TITLE"}, {"name": "CLIENT"}]}
    more = {"name": "more", "title": "Для отчётов", "type": "section", "elements": [{"name": "SOURCE_ID"}]}
    with a_stage(tmp_path, blueprints=PAGES) as stage, opened_windows(chromium, f"http://{stage.portal.domain}") as windows:
        admin = stage.portal.as_user(ADMIN)
        made = admin.call("crm.category.add", entityTypeId=2, fields={"name": "Монтаж потолков"})["category"]
        card = {"entityTypeId": 2, "scope": "C", "extras": {"dealCategoryId": made["id"]}}
        admin.call("crm.item.details.configuration.set", **card, data=[about, more])
        old = {"entityId": "CRM_DEAL", "fieldName": "UF_CRM_OLD", "userTypeId": "string", "editFormLabel": {"ru": "Архив"}}
        admin.call("userfieldconfig.add", moduleId="crm", field=old)
        stage.install([CEILING])
        deal = stage.new_deal("Потолки, ул. Лесная, 7")

        page = windows.open(MANAGER, f"/crm/deal/details/{deal}/", DESK)

        titles = page.locator("#fields h2").all_inner_texts()
        assert titles == ["О заказе", "Продажа и монтаж подвесных потолков", "Для отчётов"]
        section = page.get_by_role("region", name="Продажа и монтаж подвесных потолков")
        labels = section.locator(".field > label").all_inner_texts()
        assert labels[:5] == ["Подписанный договор", "Дата монтажа", "Монтажник", "Адрес монтажа", "Бухгалтерские документы"]
        expect(page.locator("#hidden-fields")).to_have_text("Не выведены в карточку: Архив")
        look(page, "card-arranged")
        section.get_by_label("Адрес монтажа").fill("ул. Лесная, 7")
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            page.get_by_role("button", name="Сохранить").press("Enter")
        expect(section.get_by_label("Адрес монтажа")).to_have_value("ул. Лесная, 7")
        assert stage.world.complaints == []
