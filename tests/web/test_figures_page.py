from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from b24app.core.portal import PortalSettings
from b24app.store.portals import Portal
from b24app.web import figures_page, settings_page
from tests.builders import DIRECTOR, GONE, HEAD, INSTALLER, MANAGER
from tests.corrected import LEADS, Kept, keep, tie_corrections
from tests.seeded import House, a_portal
from tests.web.pages import a_client, press, token_of, words

PAGE = "/b24/app/figures"
EVIL = "<script>alert(1)</script>"


def june(day: int) -> datetime:
    return datetime(2026, 6, day, 7, tzinfo=UTC)


CORRECTIONS = (
    Kept(datetime(2026, 5, 4, 7, tzinfo=UTC), MANAGER, INSTALLER, "partial", ("terms", "documents"), hours=8, days=4),
    Kept(june(1), MANAGER, INSTALLER, "correct", hours=2),
    Kept(june(2), HEAD, INSTALLER, "improvable", ("unforeseen",), pipeline=LEADS, hours=4),
    Kept(june(9), MANAGER, INSTALLER, finished=False, hours=1),
)


@pytest.fixture
def portal(house: House) -> Portal:
    """A portal whose quality officer is the installer; his head is the director, for his department has none."""
    return with_corrections(house, a_portal(house, stand_ins={"quality_officer": MANAGER}))


@pytest.fixture
def client(house: House) -> FlaskClient:
    return a_client(house.workshop, [figures_page.pages, settings_page.pages])


def with_corrections(house: House, portal: Portal, found: tuple[Kept, ...] = CORRECTIONS) -> Portal:
    with house.database.write() as connection:
        tie_corrections(connection, portal.id, house.at[0])
        for number, kept in enumerate(found, 1):
            keep(connection, portal.id, number, kept)
    return portal


def of_head(house: House, portal: Portal) -> str:
    return token_of(house, portal, HEAD, item=None)


def read(house: House, portal: Portal, client: FlaskClient, **form: str) -> str:
    return words(press(client, PAGE, of_head(house, portal), **form))


# Who may look ----------------------------------------------------------------------------------------------------------


def test_the_head_of_the_quality_officer_and_administrators_see_the_figures(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    assert "Показатели качества" in read(house, portal, client)
    admin = token_of(house, portal, DIRECTOR, admin=True, item=None)
    assert "Разобрано 4" in words(press(client, PAGE, admin))


def test_officers_members_colleagues_and_strangers_are_refused(house: House, portal: Portal, client: FlaskClient) -> None:
    """The officer himself, whose work is looked into, who was dismissed, who leads another department, and nobody."""
    for user in (MANAGER, INSTALLER, GONE, DIRECTOR, 404):
        answer = press(client, PAGE, token_of(house, portal, user, item=None))
        assert answer.status_code == 403, user
        assert "Показатели видят" in answer.get_data(as_text=True)
    for token in ("", "x", of_head(house, portal)[:-2]):
        assert press(client, PAGE, token).status_code == 403
    assert client.get(PAGE).status_code == 405


def test_a_member_of_a_commission_who_leads_no_officer_is_refused(house: House, portal: Portal, client: FlaskClient) -> None:
    chosen = PortalSettings(
        **{**portal.settings.model_dump(), "stand_ins": {"quality_officer": DIRECTOR, "chief_accountant": HEAD}}
    )
    with house.database.write() as connection:
        house.workshop.portals.set_settings(connection, portal.id, chosen)

    assert press(client, PAGE, of_head(house, portal)).status_code == 403


def test_whoever_is_named_head_of_quality_stands_beside_the_officers_head(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    named = {"quality_officer": MANAGER, "head_of_quality": INSTALLER}
    chosen = PortalSettings(**{**portal.settings.model_dump(), "stand_ins": named})
    with house.database.write() as connection:
        house.workshop.portals.set_settings(connection, portal.id, chosen)

    assert press(client, PAGE, token_of(house, portal, INSTALLER, item=None)).status_code == 200
    assert press(client, PAGE, of_head(house, portal)).status_code == 200


def test_another_portal_sees_its_own_corrections_only(house: House, portal: Portal, client: FlaskClient) -> None:
    other = a_portal(house, "lilia", "lilia.bitrix24.test", stand_ins={"quality_officer": MANAGER})
    assert press(client, PAGE, of_head(house, other)).status_code == 403  # it runs no such process
    assert press(client, PAGE, token_of(house, other, DIRECTOR, admin=True, item=None)).status_code == 403

    with_corrections(house, other, (replace(CORRECTIONS[0], title="Тайна лилии"),))

    assert "Тайна лилии" in read(house, other, client)
    assert "Тайна лилии" not in read(house, portal, client)
    assert "Анализ сделки № 2" not in read(house, other, client)


def test_the_way_there_is_shown_to_those_who_may_go(house: House, portal: Portal, client: FlaskClient) -> None:
    def shown(user: int) -> bool:
        return PAGE in press(client, "/b24/app/show", token_of(house, portal, user, item=None)).get_data(as_text=True)

    assert (shown(HEAD), shown(MANAGER)) == (True, False)


# What it shows -----------------------------------------------------------------------------------------------------------


def test_totals_groups_and_rows_say_the_same(house: House, portal: Portal, client: FlaskClient) -> None:
    page = read(house, portal, client)

    assert "Разобрано 4 Завершено 3 В работе 1 Отменено 0 Качество A / B / C 33 / 33 / 33 %" in page
    assert "Мер принято 2 Из них регламенты 2 Из них Битрикс24 и системы 0 Из них обучение 0" in page
    assert "Затраты 15,0 ч Затраты на одну 3,8 ч" in page
    assert "05.2026 1 1 0 / 0 / 100 % 1 8,0 ч 8,0 ч" in page
    assert "06.2026 2 2 50 / 50 / 0 % 1 6,0 ч 3,0 ч" in page
    assert "в работе 1 0 — 0 1,0 ч" in page
    assert "Мария Менова 3 2 50 / 0 / 50 % 1 11,0 ч" in page
    assert "Лиды 1 1 0 / 100 / 0 %" in page
    assert "Нарушены сроки или нормативы 1 1 0 / 0 / 100 % 1 8,0 ч" in page
    card = "Анализ сделки № 1 Источник: Сделка 1 Монтаж потолков Мария Менова Сотрудник ОКК: Иван Мастеров"
    told = "04.05.2026 — 08.05.2026 36,0 ч 0,0 ч 0,0 ч 8,0 ч 0"
    more = "Нарушения: Нарушены сроки или нормативы; Ошибки в документах Меры: Дополнить регламент Кругов согласования: 0"
    assert f"{card} Коррекция завершена C {told} {more}" in page


def test_a_cancelled_correction_is_counted_apart(house: House, portal: Portal, client: FlaskClient) -> None:
    with house.database.write() as connection:
        keep(connection, portal.id, 9, Kept(june(3), MANAGER, INSTALLER, "partial", hours=7, end="cancelled"))
    page = read(house, portal, client)
    assert "Разобрано 5 Завершено 3 В работе 1 Отменено 1 Качество A / B / C 33 / 33 / 33 %" in page
    assert "06.2026 2 2 50 / 50 / 0 %" in page
    assert "отменены 1 0 — 1 7,0 ч" in page


def test_an_open_correction_tells_how_long_it_stands_on_its_stage(house: House, portal: Portal, client: FlaskClient) -> None:
    page = read(house, portal, client)
    assert "Формулирование мер коррекции с 09.06.2026 09.06.2026 — в работе 1,0 ч + 10,0 ч сейчас 0,0 ч" in page
    assert page.count("сейчас") == 1


def test_new_conditions_are_counted_and_told(house: House, portal: Portal, client: FlaskClient) -> None:
    with house.database.write() as connection:
        keep(connection, portal.id, 9, Kept(june(3), MANAGER, INSTALLER, unforeseen="Оплата криптовалютой"))
    page = read(house, portal, client)
    assert "Новых условий и исключений 1 " in page
    assert "Новые условия и исключения: Оплата криптовалютой" in page


def test_the_last_two_months_are_compared(house: House, portal: Portal, client: FlaskClient) -> None:
    page = read(house, portal, client)

    assert "06.2026 по сравнению с 05.2026" in page
    assert "Затраты на одну коррекцию: 3,0 ч, было 8,0 ч −62 %" in page
    assert "06.2026 по сравнению" not in read(house, portal, client, **{"from": "2026-06-01", "to": ""})


def test_a_period_and_a_pipeline_choose(house: House, portal: Portal, client: FlaskClient) -> None:
    in_june = read(house, portal, client, **{"from": "2026-06-01", "to": "2026-06-05", "pipeline": LEADS})
    assert "Разобрано 1 " in in_june
    assert "Анализ сделки № 3" in in_june
    assert "Анализ сделки № 2" not in in_june
    assert "Разобрано 4" in read(house, portal, client, **{"from": "", "to": ""})
    assert "коррекций нет" in read(house, portal, client, **{"from": "2025-01-01", "to": "2025-02-01"})
    assert "Даты шли наоборот" in read(house, portal, client, **{"from": "2026-06-30", "to": "2026-06-01"})
    assert "Дата не прочитана" in read(house, portal, client, **{"from": "завтра", "to": ""})


def test_the_page_speaks_english(house: House, portal: Portal, client: FlaskClient) -> None:
    page = words(press(client, PAGE, token_of(house, portal, HEAD, item=None, lang="en")))

    assert "Analysed 4 Finished 3 Open 1 Cancelled 0" in page
    assert "Cost of one correction: 3.0 h, before 8.0 h −62 %" in page
    assert "Terms or norms were not kept" in page
    sums = page.partition("By month")[2].partition("By responsible")[0]
    assert sums
    assert not re.search("[А-Яа-я]", sums)


def test_charts_are_drawn_without_scripts_styles_or_anything_from_elsewhere(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    answer = press(client, PAGE, of_head(house, portal))
    page = answer.get_data(as_text=True)

    assert page.count('role="img"') == 6
    assert page.count("<svg") == 2 + 2 + 1 + 2 + 3  # two of columns, and a bar for each responsible, officer and so on
    assert "style=" not in page
    assert "<style" not in page
    assert "style-src 'self';" in answer.headers["Content-Security-Policy"]


def test_what_people_wrote_is_shown_as_text_and_no_link_of_theirs_is_a_script(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    with house.database.write() as connection:
        bad = Kept(june(3), MANAGER, INSTALLER, title=EVIL, pipeline=EVIL, link="javascript:alert(1)")
        keep(connection, portal.id, 9, bad)

    page = press(client, PAGE, of_head(house, portal)).get_data(as_text=True)

    assert EVIL not in page
    assert "javascript:" not in page


def test_many_corrections_are_listed_up_to_a_limit(
    house: House, portal: Portal, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures_page, "ROWS", 3)
    page = read(house, portal, client)
    assert "Показаны последние 3 из 4." in page
    assert ("Анализ сделки № 4" in page, "Анализ сделки № 1" in page) == (True, False)
