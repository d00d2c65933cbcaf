"""How the application comes to a portal: all of it by clicking, as an administrator does."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from demo.together import together
from tests.browser.conftest import ADMIN, DESK, MANAGER, Look, opened_windows

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
