"""The main page of the application inside the portal: settings for its administrator, one's own tasks for others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ADMIN, DESK, HEAD, Look, Windows
from tests.corrected import LEADS, Kept, keep, tie_corrections
from tests.flows.stage import IVAN, MARIA, MONDAY, Stage

pytestmark = pytest.mark.browser


def test_an_administrator_changes_hours_and_sms_and_a_mistake_keeps_what_he_wrote(
    company: Stage, windows: Windows, look: Look
) -> None:
    page = windows.open(ADMIN, f"/marketplace/app/{company.card.number}/", DESK)
    app = page.frame_locator("iframe")
    expect(app.get_by_role("heading", name="Настройки процессов")).to_be_visible()
    look(page, "settings")

    hours = app.locator("#company")
    hours.get_by_label("до", exact=True).fill("19:00")
    hours.get_by_label("Свои выходные").fill("11.06.2026\n31.06.2026")
    hours.get_by_role("button", name="Сохранить").click()
    expect(hours.get_by_role("status")).to_have_text("Не сохранено: исправьте отмеченные поля.")
    expect(hours.locator(".wrong .error")).to_contain_text("31.06.2026")
    expect(hours.get_by_label("Свои выходные")).to_be_focused()
    expect(hours.get_by_label("до", exact=True)).to_have_value("19:00")
    look(page, "settings-mistake")
    hours.get_by_label("Свои выходные").fill("11.06.2026")
    hours.get_by_role("button", name="Сохранить").press("Enter")
    expect(hours.get_by_role("status")).to_have_text("Сохранено.")

    sms = app.locator("#sms")
    expect(sms.get_by_label("Поля")).to_have_value("to={phone}\ntext={text}\nid={id}\nkey=••••••")
    sms.get_by_label("Номер для проверки").fill("+79161234567")
    sms.get_by_role("button", name="Отправить проверочное SMS").click()
    expect(sms.get_by_role("status")).to_contain_text("Шлюз принял сообщение")
    assert company.world.sms.outbox[-1].to.endswith("79161234567")
    sms.get_by_role("button", name="Заполнить для SMSC.ru").click()
    expect(sms.get_by_label("Адрес шлюза")).to_have_value("https://smsc.ru/sys/send.php")
    expect(sms.get_by_role("status")).to_have_text("Впишите свои данные и сохраните.")
    sms.get_by_label("Поля").fill("login=svetly")
    sms.get_by_role("button", name="Сохранить").click()
    expect(sms.locator(".error")).to_contain_text("{phone}")
    expect(sms.get_by_label("Поля")).to_have_value("login=svetly")

    settings = company.application.workshop.portal(company.portal_id)
    assert f"{settings.settings.day_ends:%H:%M}" == "19:00"
    assert settings.secrets.gateway.fields["key"] == company.world.sms.key


def test_whoever_is_no_administrator_sees_his_own_tasks_and_goes_from_them_to_the_cards(
    company: Stage, windows: Windows, look: Look
) -> None:
    deal = company.new_deal("Потолки, ул. Южная, 30", by=MARIA)
    page = windows.open(MARIA, f"/marketplace/app/{company.card.number}/", DESK)
    app = page.frame_locator("iframe")
    mine = app.get_by_role("listitem").filter(has_text="Подписать договор")
    expect(mine).to_be_visible()
    look(page, "own-tasks")
    mine.get_by_role("link", name="Открыть карточку").press("Enter")
    page.wait_for_url(f"**/crm/deal/details/{deal}/")

    english = windows.open(IVAN, f"/marketplace/app/{company.card.number}/", DESK)
    expect(english.frame_locator("iframe").locator(".empty")).to_contain_text("You have no open tasks")
    look(english, "own-tasks-en")


def a_year_of_corrections(company: Stage) -> None:
    """Have a year of corrections behind the company: every month two of them, cheaper from month to month."""
    workshop = company.application.workshop
    settings = workshop.portal(company.portal_id).settings.model_copy(update={"stand_ins": {"quality_officer": MARIA}})
    with workshop.database.write() as connection:
        tie_corrections(connection, company.portal_id, MONDAY)
        workshop.portals.set_settings(connection, company.portal_id, settings)
        for number in range(22):
            outcome = ("partial", "improvable", "correct", "improvable", "correct")[number % 5]
            kept = Kept(
                MONDAY - timedelta(days=15 * (22 - number)),
                employee=(MARIA, IVAN)[number % 3 == 0],
                officer=MARIA,
                outcome=outcome,
                violations={"partial": ("terms", "documents"), "improvable": ("unforeseen",)}.get(outcome, ()),
                pipeline=LEADS if number % 4 == 0 else "Монтаж потолков",
                hours=30 - number,
                finished=number < 20,
            )
            keep(connection, company.portal_id, number + 1, kept)


def test_the_head_of_quality_looks_at_the_figures_and_chooses_a_pipeline(
    company: Stage, windows: Windows, look: Look
) -> None:
    """S3-40, S3-47."""
    a_year_of_corrections(company)
    page = windows.open(HEAD, f"/marketplace/app/{company.card.number}/", DESK)
    app = page.frame_locator("iframe")
    app.get_by_role("button", name="Показатели качества").press("Enter")
    expect(app.get_by_role("heading", name="Показатели качества")).to_be_visible()
    expect(app.get_by_role("img")).to_have_count(6)
    expect(app.locator("#whole")).to_contain_text("Разобрано22")
    look(page, "figures")

    app.get_by_label("Воронка", exact=True).select_option(LEADS)
    app.get_by_role("button", name="Показать").click()
    expect(app.locator("#whole")).to_contain_text("Разобрано6")
    expect(app.get_by_role("region", name="Коррекции")).to_contain_text("Анализ сделки № 21")

    colleague = windows.open(IVAN, f"/marketplace/app/{company.card.number}/", DESK)
    expect(colleague.frame_locator("iframe").locator("body")).to_contain_text("open tasks")
    expect(colleague.frame_locator("iframe").get_by_role("button", name="Figures of quality")).to_have_count(0)
