"""The forms of the loop of corrections as people see them on desks and phones: survey, analysis and vote."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from b24app.core.item import ItemRef
from sandbox.pages import PAGES
from tests.browser.conftest import DESK, PHONE, Look, Windows, opened_windows
from tests.flows.corrections import CODE, MEASURES, OFFICER, Loop
from tests.flows.stage import CEILING, HEAD, MARIA, a_stage

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """A portal with its pages, ceilings and corrections on it, and everybody named who takes part."""
    with a_stage(tmp_path_factory.mktemp("loop"), blueprints=PAGES) as stage:
        stage.install([CEILING, CODE])
        stage.settle()
        yield Loop(stage)
        assert stage.world.complaints == []
        assert stage.troubles() == []


@pytest.fixture
def desk(chromium: Browser, loop: Loop) -> Iterator[Windows]:
    with opened_windows(chromium, f"http://{loop.stage.portal.domain}") as opened:
        yield opened


def tab(page: Page, item: ItemRef) -> FrameLocator:
    """Open the tab of forms in the card of a deal or of a correction."""
    kind = "deal" if item.entity_type_id == 2 else f"type/{item.entity_type_id}"
    page.goto(f"/crm/{kind}/details/{item.id}/")
    page.get_by_role("link", name="Качество", exact=True).click()
    return page.frame_locator("iframe")


def sent(loop: Loop, form: FrameLocator) -> None:
    form.get_by_role("button", name="Отправить").click()
    expect(form.get_by_role("status")).to_contain_text("Спасибо, ответы приняты.")
    loop.stage.settle()


def test_a_deal_is_summed_up_analysed_and_voted_on(loop: Loop, desk: Windows, look: Look) -> None:
    """S3-07, S3-08, S3-11 to S3-16, S3-20, S3-21, S3-30."""
    deal = loop.lost_deal()
    phone = desk.open(MARIA, "/", PHONE)
    survey = tab(phone, deal)
    broken = survey.get_by_role("group", name="Что нарушено?")
    expect(broken).to_be_hidden()
    survey.get_by_role("group", name="Насколько доволен клиент").get_by_label("2", exact=True).check()
    survey.get_by_label("Чем клиент недоволен?").fill("Ждал монтажа лишний день")
    survey.get_by_role("group", name="Соблюдены ли сроки").get_by_label("нет", exact=True).check()
    expect(broken).to_be_visible()
    broken.get_by_label("Дата или время монтажа").check()
    survey.get_by_role("group", name="Были ли отклонения").get_by_label("нет", exact=True).check()
    survey.get_by_role("group", name="Чем закончилась сделка?").get_by_label("Мы не смогли выполнить").check()
    look(phone, "loop-survey")
    sent(loop, survey)

    (correction,) = loop.corrections()
    loop.tick(correction, "Провести анализ", OFFICER)
    officer = desk.open(OFFICER, "/", DESK)
    analysis = tab(officer, correction)
    analysis.get_by_role("group", name="Есть нарушения?").get_by_label("да", exact=True).check()
    first = analysis.get_by_role("group", name="№ 1")
    first.get_by_label("Тип").select_option(label="Нарушены сроки или нормативы")
    first.get_by_label("Факт").fill("Монтаж на день позже")
    analysis.get_by_role("button", name="Добавить ещё").click()
    second = analysis.get_by_role("group", name="№ 2")
    second.get_by_label("Тип").select_option(label="Ошибки в документах")
    second.get_by_label("Факт").fill("В акте чужой адрес")
    analysis.get_by_role("group", name="Обнаружены новые условия").get_by_label("нет", exact=True).check()
    analysis.get_by_label("Вывод").fill("Сроки не сверяются при переносе")
    look(officer, "loop-analysis")
    sent(loop, analysis)

    loop.items.move(correction, "measures")
    loop.fill(correction, OFFICER, MEASURES)
    loop.items.move(correction, "approval")
    member = desk.open(HEAD, "/", PHONE)
    vote = tab(member, correction)
    expect(vote.get_by_text("Дополнить регламент переноса монтажа")).to_be_visible()
    expect(vote.get_by_label("Что изменить?")).to_be_hidden()
    vote.get_by_label("Отклоняю").check()
    vote.get_by_label("Что изменить?").fill("Добавьте контроль склада")
    look(member, "loop-vote")
    sent(loop, vote)
    assert loop.items.on(correction) == "measures"
