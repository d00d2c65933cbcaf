"""The tab of forms in real windows: dependent questions, rows, mistakes, a vote on a phone, and without scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from b24app.core.item import ItemRef
from sandbox.page_desk import WHO
from sandbox.pages import PAGES
from tests.browser.conftest import DESK, PHONE, Look, Windows, opened_windows
from tests.flows.cards import open_tab
from tests.flows.kinds import Items
from tests.flows.stage import ALEXEY, HEAD, IVAN, MARIA, Stage, a_stage
from tests.flows.test_forms import FILES

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A portal with its pages and a process that asks people; Ivan reads English."""
    with a_stage(tmp_path_factory.mktemp("asking"), files=FILES, blueprints=PAGES) as stage:
        stage.portal.people.users[IVAN].language = "en"
        stage.install()
        stage.settle()
        yield stage
        assert stage.world.complaints == []
        assert stage.troubles() == []


@pytest.fixture
def orders(asking: Stage) -> Items:
    return Items(asking, "orders")


@pytest.fixture
def desk(chromium: Browser, asking: Stage) -> Iterator[Windows]:
    with opened_windows(chromium, f"http://{asking.portal.domain}") as opened:
        yield opened


def tab(page: Page, item: ItemRef, title: str = "Качество") -> FrameLocator:
    """Open the tab in the card of an order."""
    page.goto(f"/crm/deal/details/{item.id}/")
    page.get_by_role("link", name=title, exact=True).click()
    return page.frame_locator("iframe")


def analysed(asking: Stage, orders: Items, title: str) -> ItemRef:
    order = orders.add(title)
    open_tab(asking, order, HEAD).send(clean="no", violations__0__kind="calls", violations__0__fact="Не перезвонили клиенту")
    asking.settle()
    return order


def test_an_answer_opens_the_questions_that_depend_on_it(asking: Stage, orders: Items, desk: Windows, look: Look) -> None:
    page = desk.open(HEAD, "/", DESK)
    form = tab(page, orders.add("Кухня на заказ"))
    expect(form.get_by_role("heading", name="Анализ заказа")).to_be_visible()
    rows = form.get_by_role("group", name="Нарушения")
    expect(rows).to_be_hidden()
    look(page, "form-closed")

    form.get_by_label("нет", exact=True).check()
    expect(rows).to_be_visible()
    expect(form.get_by_label("Ссылка")).to_be_hidden()
    form.get_by_label("Вид").select_option(label="Документы")
    expect(form.get_by_label("Ссылка")).to_be_visible()
    look(page, "form-open")

    form.get_by_label("да", exact=True).check()
    expect(rows).to_be_hidden()
    form.get_by_role("button", name="Отправить").click()
    expect(form.get_by_role("status")).to_contain_text("Спасибо, ответы приняты.")
    asking.settle()


def test_mistakes_are_marked_rows_are_added_and_the_answers_can_be_read(
    asking: Stage, orders: Items, desk: Windows, look: Look
) -> None:
    order = orders.add("Шкаф в прихожую")
    page = desk.open(HEAD, "/", PHONE)
    form = tab(page, order)
    form.get_by_label("нет", exact=True).check()
    form.get_by_label("Вид").select_option(label="Звонки")
    form.get_by_label("Факт").fill("Не перезвонили клиенту")
    form.get_by_role("button", name="Добавить ещё").click()
    second = form.get_by_role("group", name="№ 2")
    second.get_by_label("Вид").select_option(label="Документы")
    second.get_by_label("Ссылка").fill("https://docs.test/счёт-17")
    form.get_by_role("button", name="Отправить").click()

    expect(form.get_by_role("alert")).to_contain_text("Ответы пока не отправлены")
    expect(second.get_by_label("Факт")).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_role("group", name="№ 1").get_by_label("Факт")).to_have_value("Не перезвонили клиенту")
    look(page, "form-wrong")

    page.set_viewport_size({"width": PHONE, "height": 800})
    second.get_by_label("Факт").fill("Счёт без печати")
    form.get_by_label("Кто ошибся?").select_option(label="Мария Кузнецова")
    form.get_by_role("button", name="Отправить").click()
    expect(form.get_by_role("status")).to_contain_text("Спасибо")
    expect(form.get_by_text("Счёт без печати")).to_be_visible()
    look(page, "form-told")
    asking.settle()
    assert orders.tasks(order) == []


def test_a_member_votes_on_his_phone_in_his_language(asking: Stage, orders: Items, desk: Windows, look: Look) -> None:
    order = analysed(asking, orders, "Стол")
    orders.move(order, "approval")
    page = desk.open(IVAN, "/", PHONE)
    form = tab(page, order, "Quality")
    expect(form.get_by_text("Не перезвонили клиенту")).to_be_visible()
    form.get_by_label("Against", exact=True).check()
    form.get_by_label("Why against").fill("Too dear")
    look(page, "vote-en")
    form.get_by_role("button", name="Send").press("Enter")
    expect(form.get_by_role("status")).to_contain_text("Thank you")
    asking.settle()
    assert orders.tasks(order, IVAN) == []


def test_the_responsible_sums_up_and_a_colleague_is_kept_out(
    asking: Stage, orders: Items, desk: Windows, look: Look
) -> None:
    order = analysed(asking, orders, "Гардероб")
    orders.move(order, "won")
    colleague = desk.open(ALEXEY, "/", DESK)
    kept_out = tab(colleague, order)
    expect(kept_out.get_by_text("Эту форму заполняет: Мария Кузнецова.")).to_be_visible()
    expect(kept_out.get_by_text("Не перезвонили клиенту")).to_have_count(0)
    look(colleague, "form-colleague")

    page = desk.open(MARIA, "/", PHONE)
    form = tab(page, order)
    form.get_by_label("2", exact=True).check()
    form.get_by_label("Почему нет?").fill("Долго ждал звонка")
    look(page, "survey")
    form.get_by_role("button", name="Отправить").click()
    expect(form.get_by_role("status")).to_contain_text("Спасибо")
    asking.settle()


def test_the_form_works_where_no_script_runs(asking: Stage, orders: Items, chromium: Browser) -> None:
    order = orders.add("Полка")
    base = f"http://{asking.portal.domain}"
    opened = open_tab(asking, order, HEAD)
    context = chromium.new_context(java_script_enabled=False, viewport={"width": PHONE, "height": 800}, locale="ru-RU")
    context.add_cookies([{"name": WHO, "value": str(HEAD), "url": base}])
    page = context.new_page()
    page.route(f"{opened.address}/form", lambda route: route.fulfill(body=opened.html, content_type="text/html"))
    page.goto(f"{opened.address}/form")

    expect(page.get_by_text("Только если «Замечаний нет?» — нет").first).to_be_visible()
    page.get_by_label("нет", exact=True).check()
    page.get_by_label("Вид").select_option(label="Звонки")
    page.get_by_label("Факт").fill("Не записан разговор")
    page.get_by_role("button", name="Добавить ещё").click()
    expect(page.get_by_role("group", name="№ 2")).to_be_visible()
    page.get_by_role("button", name="Отправить").last.click()
    expect(page.get_by_role("status")).to_contain_text("Спасибо")
    context.close()
    asking.settle()
    assert orders.tasks(order) == []
