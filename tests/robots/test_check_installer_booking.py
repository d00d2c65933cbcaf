from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from b24app.core.actions import ClaimSlot, ReleaseSlots
from b24app.core.item import Busy, ItemRef, Value
from b24app.core.needs import Ledger, NeedBusy, Visit
from b24app.core.robot import Outcome
from robots.check_installer_booking import ROBOT, Props
from tests.builders import DEAL_12, GONE, INSTALLER, MOSCOW, a_call, a_deal, decided, facts

DAY = date(2026, 6, 12)
TEN, TWO = datetime(2026, 6, 12, 10, tzinfo=MOSCOW), datetime(2026, 6, 12, 14, tzinfo=MOSCOW)
OTHER = ItemRef(2, 40)


def span(kind: Any, start: datetime = TEN, hours: float = 2, **more: Any) -> Busy:
    return Busy(start, start + timedelta(hours=hours), kind, **more)


def check(
    *busy: Busy,
    ledger: Ledger | None = None,
    day: Value = DAY,
    clock: Value = "10:00",
    installer: Value = INSTALLER,
    props: Props | None = None,
) -> Outcome:
    deal = a_deal(fields={"install_date": day, "install_time": clock, "installer": installer})
    user = installer if isinstance(installer, int) else 0
    need = NeedBusy(user, DAY, DEAL_12, "install_date", "install_time", "installer")
    return decided(ROBOT, a_call(), facts(deal, ledger=ledger, busy={need: busy}), props or Props())


def test_a_free_installer_is_booked_for_the_length_of_the_visit() -> None:
    outcome = check()

    assert outcome.actions == (ClaimSlot(DEAL_12, INSTALLER, TEN, TWO),)
    assert outcome.ok
    assert outcome.why.ru == "Иван Мастеров свободен и забронирован: 12.06.2026 10:00–14:00"
    assert outcome.returns.installer == "Иван Мастеров"


def test_without_an_hour_the_whole_working_day_is_taken() -> None:
    (claim,) = check(clock=None).actions
    assert isinstance(claim, ClaimSlot)
    assert (claim.start.time(), claim.end.time()) == (time(9), time(18))


def test_a_visit_takes_at_least_an_hour() -> None:
    (claim,) = check(props=Props(hours=0)).actions
    assert isinstance(claim, ClaimSlot)
    assert claim.end - claim.start == timedelta(hours=1)


def test_a_missing_installer_and_a_missing_date_are_told_at_once() -> None:
    outcome = check(installer=None, day=None)
    assert not outcome.ok
    assert (
        outcome.why.ru == "монтажник не назначен (поле «installer»); нет даты, на которую бронировать (поле «install_date»)"
    )


def test_a_dismissed_installer_is_refused_by_name() -> None:
    assert check(installer=GONE).why.ru == "Яков Уволенов больше не работает в компании"


def test_another_order_is_named_once_though_ledger_and_portal_both_tell_of_it() -> None:
    order = span("visit", what="Потолки на Садовой", item=OTHER, user=INSTALLER)
    outcome = check(order, ledger=Ledger(others=(order,)))

    assert outcome.why.ru == "Иван Мастеров занят другим заказом «Потолки на Садовой»: 12.06.2026 10:00–12:00"
    assert outcome.actions == ()


def test_another_installer_s_order_and_this_very_order_do_not_matter() -> None:
    others = (span("visit", item=OTHER, user=GONE), span("visit", item=DEAL_12, user=INSTALLER))
    assert check(ledger=Ledger(others=others)).ok


def test_visits_side_by_side_do_not_overlap() -> None:
    before = span("visit", TEN - timedelta(hours=2), item=OTHER)
    after = span("visit", TWO, item=ItemRef(2, 41))
    assert check(before, after).ok


def test_absence_and_meetings_are_told_by_name() -> None:
    outcome = check(span("absent", TEN - timedelta(days=1), 48, what="Отпуск"), span("busy", what="Планёрка"))

    assert "отсутствует: «Отпуск» 11.06.2026 10:00 – 13.06.2026 10:00" in outcome.why.ru
    assert "занят: «Планёрка» 12.06.2026 10:00–12:00" in outcome.why.ru


def test_a_meeting_after_the_visit_does_not_matter() -> None:
    assert check(span("busy", TWO)).ok


def test_the_visit_of_this_order_in_the_calendar_is_no_hindrance() -> None:
    assert check(span("busy", TEN, 4), ledger=Ledger(visit=Visit(9, INSTALLER, TEN, TWO))).ok


def test_an_equal_booking_is_left_as_it_is() -> None:
    held = span("visit", TEN, 4, item=DEAL_12, user=INSTALLER)
    assert check(ledger=Ledger(claimed=(held,))).actions == ()


def test_another_booking_of_this_order_is_given_back_first() -> None:
    held = span("visit", TEN - timedelta(days=1), 4, user=INSTALLER)
    assert [a.kind for a in check(ledger=Ledger(claimed=(held,))).actions] == ["release_slots", "claim_slot"]


def test_a_failed_check_gives_back_time_that_is_no_longer_agreed() -> None:
    held = span("visit", TEN - timedelta(days=1), 4, user=INSTALLER)
    assert check(ledger=Ledger(claimed=(held,)), day=None).actions == (ReleaseSlots(DEAL_12),)


def test_a_failed_check_keeps_the_agreed_time() -> None:
    held = span("visit", TEN, 4, user=INSTALLER)
    assert check(span("absent"), ledger=Ledger(claimed=(held,))).actions == ()
