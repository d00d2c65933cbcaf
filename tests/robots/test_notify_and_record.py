from __future__ import annotations

from datetime import date, timedelta

from b24app.core.actions import Comment, Notify
from b24app.core.call import AskedByPerson, Cause, FieldsChanged, PaymentConfirmed, StageEntered
from b24app.core.item import Item
from b24app.core.roles import Role
from b24app.core.text import T
from robots import notify, record
from tests.builders import HEAD, MANAGER, NOW, a_call, a_deal, a_house, a_task, decided, facts, finished, timer_due


def test_the_role_is_notified_with_a_filled_text() -> None:
    props = notify.Props(T("Сделка {title}: {amount} {currency}", "Deal {title}"), Role("head_of(responsible)"))
    outcome = decided(notify.ROBOT, a_call(), facts(a_deal(title="[B]Х")), props)

    assert outcome.actions == (Notify(HEAD, "Сделка &#91;B&#93;Х: 120 000 RUB", a_call().item),)
    assert outcome.why.ru == "Уведомление получит Пётр Главин"


def test_nobody_is_notified_where_nobody_works() -> None:
    call = a_call(house=a_house(fallback=None))
    outcome = decided(notify.ROBOT, call, facts(a_deal(responsible_id=99)), notify.Props(T.same("Текст")))
    assert outcome.actions == ()
    assert "responsible" in outcome.why.ru


def recorded(cause: Cause | None = None, item: Item | None = None, text: str = "Что-то случилось") -> str:
    world = facts(item, tasks={500: a_task("completed", closed_by=HEAD, closed_at=NOW - timedelta(hours=1))})
    (comment,) = decided(record.ROBOT, a_call(cause), world, record.Props(T.same(text))).actions
    assert isinstance(comment, Comment)
    return comment.text


def test_a_stage_entry_is_recorded_with_who_moved_the_deal_and_when() -> None:
    deal = a_deal(moved_by=MANAGER, moved_at=NOW - timedelta(minutes=5))
    assert recorded(item=deal) == "Что-то случилось\nМария Менова, 10.06.2026 11:55"


def test_a_stage_run_again_was_moved_by_nobody() -> None:
    deal = a_deal(moved_by=MANAGER, moved_at=NOW - timedelta(days=5))
    assert recorded(StageEntered(again=True), deal) == "Что-то случилось\n10.06.2026 12:00"


def test_a_finished_task_is_recorded_with_who_closed_it() -> None:
    assert recorded(finished()).endswith("\nПётр Главин, 10.06.2026 11:00")


def test_changed_fields_are_recorded_with_their_values() -> None:
    deal = a_deal(fields={"prepayment_date": date(2026, 6, 20), "installer": MANAGER})
    text = recorded(FieldsChanged(("prepayment_date", "installer", "gone")), deal)
    assert text == "Что-то случилось\nprepayment_date: 20.06.2026\ninstaller: Мария Менова\ngone: —\n10.06.2026 12:00"


def test_a_payment_is_recorded_with_its_number_and_amount() -> None:
    assert "Платёж 77: 5000.00 RUB. от [клиента]".replace("[", "&#91;").replace("]", "&#93;") in recorded(
        PaymentConfirmed("77", "5000.00", "от [клиента]")
    )


def test_a_person_who_pressed_the_button_is_named() -> None:
    assert recorded(AskedByPerson("Ольга Дирова", "перезапуск")).endswith("Ольга Дирова, 10.06.2026 12:00")


def test_a_timer_has_no_author() -> None:
    assert recorded(timer_due()).endswith("\n10.06.2026 12:00")


def test_a_text_of_any_length_fits_into_the_timeline() -> None:
    assert len(recorded(text="ы" * 60_000)) <= 20_000
