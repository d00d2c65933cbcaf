from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from b24app.core.actions import AddVisit, CancelVisit
from b24app.core.needs import Ledger, Visit
from b24app.core.robot import Outcome
from robots.book_visit import ROBOT, Props
from tests.builders import DEAL_12, GONE, INSTALLER, MOSCOW, a_call, a_deal, decided, facts, utc

TEN, TWO = datetime(2026, 6, 12, 10, tzinfo=MOSCOW), datetime(2026, 6, 12, 14, tzinfo=MOSCOW)


def book(visit: Visit | None = None, **fields: Any) -> Outcome:
    agreed = {"install_date": date(2026, 6, 12), "install_time": "10:00", "installer": INSTALLER, "address": "Лесная, 5"}
    deal = a_deal(fields={**agreed, **fields})
    return decided(ROBOT, a_call(), facts(deal, ledger=Ledger(visit=visit)), Props())


def test_the_visit_is_written_with_place_and_client() -> None:
    (visit,) = book().actions
    assert visit == AddVisit(
        DEAL_12,
        INSTALLER,
        TEN,
        TWO,
        "Монтаж: Потолки на Лесной",
        "Клиент: Анна Клиентова, 8 916 123-45-67\nhttps://romashka.bitrix24.ru/crm/deal/details/12/",
        "Лесная, 5",
    )


def test_an_equal_visit_is_kept_whatever_zone_it_is_read_in() -> None:
    outcome = book(Visit(8, INSTALLER, utc(2026, 6, 12, 7), utc(2026, 6, 12, 11)))
    assert outcome.actions == ()
    assert outcome.why.ru == "Визит уже в календаре: Иван Мастеров, 12.06.2026 10:00–14:00"


def test_a_moved_visit_takes_the_earlier_one_out() -> None:
    earlier = Visit(8, GONE, TEN - timedelta(days=1), TWO - timedelta(days=1))
    outcome = book(earlier)
    assert [a.kind for a in outcome.actions] == ["cancel_visit", "add_visit"]
    assert outcome.actions[0] == CancelVisit(DEAL_12, 8, GONE)
    assert "Прежний визит 11.06.2026 10:00–14:00 отменён" in outcome.why.ru


def test_without_a_date_an_installer_or_work_there_is_no_visit() -> None:
    earlier = Visit(8, INSTALLER, TEN, TWO)
    told = {"install_date": "дата не указана", "installer": "монтажник не назначен"}
    for name, why in told.items():
        assert book(**{name: None}).why.ru == f"Визит не записан: {why}"
    assert book(installer=GONE).why.ru == "Визит не записан: Яков Уволенов не работает в компании"
    for missing in ({"install_date": None}, {"installer": None}, {"installer": GONE}):
        assert book(**missing).actions == ()
        assert [a.kind for a in book(earlier, **missing).actions] == ["cancel_visit"]
