"""The application in the cards of deals: what people see of its work, its journal, the booking of a visit."""

from __future__ import annotations

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import DESK, PHONE, Look, Windows
from tests.flows.stage import AGREED, ALEXEY, IVAN, MARIA, Stage, a_file

pytestmark = pytest.mark.browser


def tab(page: Page, deal: int, title: str) -> FrameLocator:
    """Open a tab of the application in the card of a deal."""
    page.goto(f"/crm/deal/details/{deal}/")
    page.get_by_role("link", name=title).click()
    return page.frame_locator("iframe")


def test_a_deal_dragged_on_with_fields_forgotten_comes_back_with_the_reasons(
    company: Stage, windows: Windows, look: Look
) -> None:
    for title, stage, amount in (
        ("Потолки, ул. Полевая, 12", "contract", 64000),
        ("Потолки, пр. Мира, 40", "materials_paid", 118500),
        ("Потолки, ул. Речная, 3", "materials_bought", 92300),
        ("Потолки, ул. Новая, 21", "date_agreed", 73800),
    ):
        company.arrive(stage, title, opportunity=amount, **(AGREED if stage == "date_agreed" else {}))
    company.new_deal("Потолки, ул. Лесная, 7")
    page = windows.open(MARIA, f"/crm/deal/?category={company.tie().category_id}", DESK)
    signed = page.get_by_role("region", name="Договор подписан, счет отправлен")
    page.locator(".tile", has_text="ул. Лесная, 7").drag_to(signed)
    expect(signed.get_by_role("link", name="ул. Лесная, 7")).to_be_visible()

    company.settle()
    page.evaluate("window.sandboxPortal.refresh()")
    contract = page.get_by_role("region", name="Заключить договор")
    expect(contract.get_by_role("link", name="ул. Лесная, 7")).to_be_visible()
    look(page, "kanban", whole=False)

    contract.get_by_role("link", name="ул. Лесная, 7").press("Enter")
    expect(page.locator("#timeline")).to_contain_text("Подписанный договор")
    expect(page.locator("#tasks")).to_contain_text("Дозаполнить сделку и закончить договор")
    look(page, "card")


def test_the_journal_tells_what_happened_what_waits_and_gives_a_hint(company: Stage, windows: Windows, look: Look) -> None:
    deal = company.new_deal("Потолки, ул. Мирная, 9")
    company.move(deal, "contract_signed")
    before = len(company.comments(deal))
    page = windows.open(MARIA, "/", DESK)
    journal = tab(page, deal, "Журнал процессов")
    expect(journal.get_by_text("Продажа и монтаж подвесных потолков")).to_be_visible()
    tasks = journal.locator("section", has=journal.get_by_role("heading", name="Открытые задачи"))
    expect(tasks).to_contain_text("Подписать договор")
    expect(tasks).to_contain_text("Мария Кузнецова")
    waits = journal.locator("section", has=journal.get_by_role("heading", name="Чего ждём"))
    expect(waits).to_contain_text("в 02.06.2026 10:00")
    expect(journal.get_by_text("карточка вошла в стадию").first).to_be_visible()
    expect(journal.locator("main")).not_to_contain_text("[B]")
    look(page, "journal")

    journal.get_by_role("button", name="Мне нужна помощь").press("Enter")
    expect(journal.get_by_role("status")).to_contain_text("появится в ленте")
    company.settle()
    assert len(company.comments(deal)) == before + 1
    journal.get_by_role("button", name="Мне нужна помощь").click()
    expect(journal.get_by_role("status")).to_contain_text("уже просили")

    journal.get_by_role("button", name="Я это знаю").click()
    expect(journal.get_by_role("status")).to_have_text("Обучение для вас выключено.")
    journal.get_by_role("button", name="Снова показывать обучение").click()
    expect(journal.get_by_role("status")).to_have_text("Обучение для вас включено.")

    english = windows.open(IVAN, "/", DESK)
    story = tab(english, deal, "Process journal")
    expect(story.get_by_role("heading", name="What happened and why")).to_be_visible()
    look(english, "journal-en", widths=(PHONE,))


def test_of_two_managers_who_choose_the_same_hours_one_gets_them_and_the_other_is_told_who_has_them(
    company: Stage, windows: Windows, look: Look
) -> None:
    first = company.arrive("materials_bought", "Потолки, ул. Тихая, 1", address="ул. Тихая, 1", contract_file=a_file())
    second = company.arrive("materials_bought", "Потолки, ул. Ясная, 2", by=IVAN, address="ул. Ясная, 2")
    slot = f"[value='{ALEXEY}|2026-06-09T10:00:00+03:00']"
    ivan = windows.open(IVAN, "/", DESK)
    week = tab(ivan, second, "Installation booking")
    week.get_by_role("button", name="Later").click()
    expect(week.locator(slot)).to_be_visible()

    page = windows.open(MARIA, "/", DESK)
    mine = tab(page, first, "Бронирование монтажа")
    mine.get_by_role("button", name="Позже").press("Enter")
    expect(mine.get_by_text("08.06 – 14.06.2026")).to_be_visible()
    mine.locator(slot).press("Space")
    mine.locator(slot).press("Tab")
    expect(mine.get_by_role("button", name="Забронировать")).to_be_focused()
    page.keyboard.press("Enter")
    expect(mine.get_by_role("status")).to_contain_text("Забронировано: Алексей Морозов, 09.06.2026 10:00")
    look(page, "booking")
    company.settle()
    assert "09.06 10:00" in company.visits(ALEXEY)
    page.get_by_role("link", name="Общие").click()
    expect(page.get_by_label("Дата монтажа")).to_have_value("2026-06-09")
    expect(page.get_by_label("Время монтажа")).to_have_value("10:00")
    expect(page.get_by_label("Монтажник")).to_have_value(str(ALEXEY))

    week.locator(slot).check()
    week.get_by_role("button", name="Book").click()
    expect(week.get_by_role("status")).to_have_text("Too late: order “Потолки, ул. Тихая, 1” has this time.")
    expect(week.get_by_text("10:00–14:00 order “Потолки, ул. Тихая, 1”")).to_be_visible()
    look(ivan, "booking-taken-en")
