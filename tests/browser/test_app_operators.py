"""The operators' pages: from the sign-in to a failure that is mended, in both languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from b24app.engine.figures import exports
from tests.browser.conftest import ADMIN, DESK, Look, Windows
from tests.flows.stage import Stage

pytestmark = pytest.mark.browser


@pytest.fixture
def failed(company: Stage) -> Iterator[int]:
    """A deal returned to its first stage whose comment the portal refused."""
    company.portal.faults.refuse("crm.timeline.comment.add", "ACCESS_DENIED", "Access denied", status=403)
    deal = company.new_deal("Потолки, ул. Верхняя, 8")
    company.move(deal, "contract_signed")
    yield deal


def sign_in(page: Page, who: str, token: str) -> None:
    page.keyboard.type(who)
    page.keyboard.press("Tab")
    page.keyboard.type(token)
    page.keyboard.press("Enter")


def test_an_operator_finds_out_why_and_mends_what_failed(company: Stage, windows: Windows, look: Look, failed: int) -> None:
    settings = company.application.workshop.settings
    page = windows.open(ADMIN, f"{settings.public_url}/admin", DESK)
    expect(page.get_by_label("Ваше имя")).to_be_focused()
    sign_in(page, "Пётр", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("Ключ не подошёл")
    expect(page.get_by_label("Ключ")).to_be_focused()
    look(page, "admin-login")
    page.keyboard.type(settings.admin_token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Обслуживание")).to_be_visible()

    page.get_by_label("Элемент").fill(f"D_{failed}")
    page.get_by_label("Робот").select_option(value="return_deal")
    page.get_by_role("button", name="Показать").press("Enter")
    expect(page.locator(".list > li")).to_have_count(1)
    look(page, "admin-runs")
    page.locator(".list a").first.click()
    look(page, "admin-run")
    page.get_by_label("Зачем").last.fill("проверяю, что вернёт")
    page.get_by_label("повторить и то, что уже сделано").press("Space")
    page.get_by_role("button", name="Посмотреть, что будет").click()
    expect(page.get_by_role("status")).to_contain_text("Было бы сделано")
    look(page, "admin-rerun")
    page.get_by_text("Что было прочитано").click()

    page.get_by_role("link", name="Сбои").click()
    look(page, "admin-incidents")
    failure = page.get_by_role("listitem").filter(has=page.get_by_role("link", name=f"D_{failed}", exact=True))
    failure.get_by_label("Зачем").fill("портал снова отвечает")
    failure.get_by_role("button", name="Повторить").press("Enter")
    company.settle()
    page.reload()
    expect(failure).to_have_count(0)

    for name, words, shot in (
        ("Ожидания", "10:00", "timers"),
        ("Порталы", company.portal.domain, "portals"),
        ("Версии процессов", "ceiling", "versions"),
    ):
        page.get_by_role("link", name=name).first.click()
        expect(page.locator("main")).to_contain_text(words)
        look(page, f"admin-{shot}")
    page.get_by_role("link", name="Изменения").click()
    expect(page.locator("tbody tr").first).to_contain_text("портал снова отвечает")
    look(page, "admin-audit")
    the_export_is_asked_for_and_seen(company, page, look)


def the_export_is_asked_for_and_seen(company: Stage, page: Page, look: Look) -> None:
    """Ask for a full export, see what came of it, and save the workbook."""
    page.get_by_role("link", name="Выгрузка").click()
    page.get_by_label("Зачем").fill("сверка с таблицей")
    page.get_by_role("button", name="Выгрузить всё заново").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("в течение минуты")
    exports.look(company.application.workshop, lambda length: None)
    page.reload()
    expect(page.locator("main")).to_contain_text("Ни на одном портале нет процесса коррекций")
    expect(page.locator("main .tag")).to_have_text("ещё не было")
    with page.expect_download() as download:
        page.get_by_role("link", name="Скачать XLSX").click()
    assert download.value.suggested_filename == "corrections.xlsx"
    look(page, "admin-export")


def test_the_operators_pages_speak_the_browsers_language(company: Stage, windows: Windows, look: Look, failed: int) -> None:
    settings = company.application.workshop.settings
    page = windows.open(ADMIN, f"{settings.public_url}/admin", DESK, locale="en-US")
    sign_in(page, "Peter", settings.admin_token)
    expect(page.get_by_role("heading", name="Operations")).to_be_visible()
    for name in ("Journal", "Incidents", "Timers", "Portals", "Export", "Audit", "Process versions"):
        page.get_by_role("link", name=name, exact=True).click()
        look(page, f"admin-en-{name.lower().split()[-1]}", widths=(DESK,))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Your name")).to_be_focused()
