"""The agreed day: checks, the installer's time, the visit, the call of the day before, and putting it off."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.flows.stage import AGREED, ALEXEY, DMITRY, HEAD, IVAN, MARIA, MONDAY, Stage

CALL = "Позвонить клиенту и подтвердить"
AGREE = "Согласовать дату и время проведения работ"


def agreed(stage: Stage, title: str = "Потолки, ул. Садовая, 5", **fields: Any) -> int:
    return stage.arrive("date_agreed", title, **{**AGREED, **fields})


def reasons(stage: Stage, deal: int) -> str:
    return next(comment for comment in reversed(stage.comments(deal)) if "Возвращено" in comment)


def test_agreeing_the_day_is_a_task_that_ends_with_a_visit_in_the_installers_calendar(stage: Stage) -> None:
    """S2-40, 41, 42, 46: the manager fills the fields, closes the task and moves on by hand."""
    deal = stage.arrive("materials_bought")
    assert stage.titles(deal, user=MARIA) == [AGREE]
    assert len(stage.lines(deal, AGREE)) == 4
    stage.write(deal, **AGREED)
    stage.close(deal, AGREE)
    stage.move(deal, "date_agreed")
    assert stage.stage_of(deal) == "date_agreed"
    assert stage.visits(ALEXEY) == ["08.06 10:00"]
    assert stage.waiting() == {"remind:confirm_client": "05.06 10:00", "remind:confirm_control": "05.06 18:00"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"install_date": "2026-05-29"}, "прошла"),
        ({"install_date": "2026-06-06"}, "нерабочий день"),
        ({"install_time": "наверное утром"}, "наверное утром"),
        ({"install_time": "06:00"}, "06:00"),
        ({"install_date": ""}, "Дата монтажа"),
        ({"installer": ""}, "монтажник не назначен"),
    ],
    ids=["past", "day off", "no time", "too early", "no date", "no installer"],
)
def test_a_day_that_cannot_be_kept_brings_the_deal_back_with_the_reason_and_a_task(
    stage: Stage, fields: dict[str, str], reason: str
) -> None:
    """S2-43, 44, 45."""
    deal = agreed(stage, **fields)
    assert stage.stage_of(deal) == "materials_bought"
    assert reason in reasons(stage, deal)
    mend = "Согласовать дату заново и забронировать монтажника: Потолки, ул. Садовая, 5"
    assert mend in stage.titles(deal, user=MARIA)
    assert any(reason in line for line in stage.lines(deal, mend))
    assert stage.visits(ALEXEY) == []
    assert "remind:confirm_client" not in stage.waiting()


def test_two_mistakes_are_told_together(stage: Stage) -> None:
    """S2-44: both checks run."""
    deal = agreed(stage, install_date="2026-05-29", installer="")
    assert "прошла" in reasons(stage, deal)
    assert "монтажник не назначен" in reasons(stage, deal)


def test_a_mended_day_passes_when_the_deal_is_moved_again(stage: Stage) -> None:
    """S2-45: repeat agreement and booking."""
    deal = agreed(stage, install_date="2026-05-29")
    stage.write(deal, install_date="2026-06-08")
    stage.close(deal, "Согласовать дату заново")
    for title in stage.titles(deal, user=MARIA):
        stage.close(deal, title)
    stage.move(deal, "date_agreed")
    assert stage.stage_of(deal) == "date_agreed"
    assert stage.visits(ALEXEY) == ["08.06 10:00"]


def test_an_installer_booked_by_another_order_that_day_is_told_with_that_order(stage: Stage) -> None:
    """S2-41, 44: booked for this very order."""
    first = agreed(stage)
    second = agreed(stage, "Потолки, пр. Мира, 10", install_time="12:00")
    assert stage.stage_of(first) == "date_agreed"
    assert stage.stage_of(second) == "materials_bought"
    assert "занят другим заказом «Потолки, ул. Садовая, 5»: 08.06.2026 10:00–14:00" in reasons(stage, second)
    assert stage.visits(ALEXEY) == ["08.06 10:00"]


def test_two_orders_entering_at_once_with_the_same_hour_are_decided_one_after_the_other(stage: Stage) -> None:
    """S2-41: one wins, the other is told."""
    tie = stage.tie()
    deals = []
    for title, by in (("Первый", MARIA), ("Второй", IVAN)):
        values = {"contactId": 1, **{tie.fields[name]: value for name, value in AGREED.items()}}
        fields = {"title": title, "assignedById": by, "categoryId": tie.category_id, "stageId": tie.stages["date_agreed"]}
        params = {"entityTypeId": 2, "fields": {**fields, **values}, "useOriginalUfNames": "Y"}
        deals.append(int(stage.portal.as_user(by).call("crm.item.add", **params)["item"]["id"]))
    stage.settle()
    assert sorted(stage.stage_of(deal) for deal in deals) == ["date_agreed", "materials_bought"]
    assert len(stage.visits(ALEXEY)) == 1


def test_another_hour_or_another_installer_of_the_same_day_is_free(stage: Stage) -> None:
    agreed(stage)
    later = agreed(stage, "Потолки, пр. Мира, 10", install_time="14:00")
    other = agreed(stage, "Потолки, ул. Лесная, 1", installer=DMITRY)
    assert (stage.stage_of(later), stage.stage_of(other)) == ("date_agreed", "date_agreed")
    assert stage.visits(ALEXEY) == ["08.06 10:00", "08.06 14:00"]


def test_an_absent_installer_cannot_be_booked(stage: Stage) -> None:
    """S2-41: absences."""
    start, end = datetime.fromisoformat("2026-06-08T00:00:00+03:00"), datetime.fromisoformat("2026-06-12T00:00:00+03:00")
    stage.portal.calendars.add(ALEXEY, "Отпуск", start, end, "absent")
    deal = agreed(stage)
    assert stage.stage_of(deal) == "materials_bought"
    assert "отсутствует" in reasons(stage, deal)


def test_the_day_before_the_manager_is_asked_to_call_the_client(booked: Stage) -> None:
    """S2-46: for a Monday that is Friday, ten o'clock."""
    deal = booked.deal
    booked.turn(days=3, hours=23)
    assert booked.titles(deal) == []
    booked.turn(hours=1)
    (task,) = booked.titles(deal, user=MARIA)
    assert task.startswith(CALL)
    assert len(booked.lines(deal, task)) == 3
    booked.turn(hours=8)
    assert len(booked.titles(deal, user=HEAD)) == 1


def test_a_client_who_confirmed_in_time_brings_the_head_no_task(booked: Stage) -> None:
    """S2-28 for the call; S2-48: the manager closes his task and moves on."""
    deal = booked.deal
    booked.turn(days=4)
    booked.close(deal, CALL)
    booked.move(deal, "installation_set")
    booked.turn(days=1)
    assert booked.stage_of(deal) == "installation_set"
    assert booked.titles(deal, user=HEAD) == []


def test_the_deal_does_not_go_on_while_the_client_has_not_been_called(booked: Stage) -> None:
    """S2-24, 48."""
    deal = booked.deal
    booked.turn(days=4)
    booked.move(deal, "installation_set")
    assert booked.stage_of(deal) == "date_agreed"
    assert booked.world.sms.outbox == []


def test_a_new_day_written_into_the_card_moves_visit_and_reminder(booked: Stage) -> None:
    """S2-47 on the stage itself: checks run again, the old visit and timers are cancelled."""
    deal = booked.deal
    booked.turn(minutes=10)
    booked.write(deal, install_date="2026-06-10", install_time="12:00")
    assert booked.stage_of(deal) == "date_agreed"
    assert booked.visits(ALEXEY) == ["10.06 12:00"]
    assert booked.waiting() == {"remind:confirm_client": "09.06 10:00", "remind:confirm_control": "09.06 18:00"}
    booked.turn(days=5)
    assert booked.titles(deal) == []


def test_a_new_installer_gets_the_visit_and_the_first_is_free_again(booked: Stage) -> None:
    """S2-41, 47."""
    deal = booked.deal
    booked.turn(minutes=10)
    booked.write(deal, installer=DMITRY)
    assert (booked.visits(ALEXEY), booked.visits(DMITRY)) == ([], ["08.06 10:00"])
    other = agreed(booked, "Потолки, пр. Мира, 10")
    assert (booked.stage_of(deal), booked.stage_of(other)) == ("date_agreed", "date_agreed")


def test_a_new_day_that_is_no_good_brings_the_deal_back_without_visit_and_reminder(booked: Stage) -> None:
    """S2-45, 47."""
    deal = booked.deal
    booked.turn(minutes=10)
    booked.write(deal, install_date="2026-06-07")
    assert booked.stage_of(deal) == "materials_bought"
    assert "нерабочий день" in reasons(booked, deal)
    assert booked.visits(ALEXEY) == []
    assert [name for name in booked.waiting() if name.startswith("remind")] == []
    assert agreed(booked, "Потолки, пр. Мира, 10")


def test_a_new_day_after_the_call_was_asked_for_takes_the_task_back_and_asks_again_later(booked: Stage) -> None:
    """S2-47: the client moves the date when he is called."""
    deal = booked.deal
    booked.turn(days=4)
    assert booked.titles(deal, user=MARIA)[0].startswith(CALL)
    booked.write(deal, install_date="2026-06-16")
    assert booked.titles(deal) == []
    booked.clock.set(MONDAY.replace(day=15))
    booked.settle()
    assert [title[:16] for title in booked.titles(deal, user=MARIA)] == [CALL[:16]]


def test_writing_the_same_day_again_changes_nothing(booked: Stage) -> None:
    deal = booked.deal
    before = len(booked.runs(deal))
    booked.turn(minutes=10)
    booked.write(deal, install_date="2026-06-08", conditions="4 этаж")
    booked.turn(minutes=10)
    assert len(booked.runs(deal)) == before
    assert booked.visits(ALEXEY) == ["08.06 10:00"]


def test_a_day_written_while_the_entry_is_still_unread_is_the_one_that_is_checked(stage: Stage) -> None:
    """Two changes in one drain: nothing is booked for the first day."""
    stage.portal.faults.delay_seconds = 30
    deal = agreed(stage, install_date="2026-05-29")
    stage.write(deal, install_date="2026-06-09")
    stage.turn(minutes=2)
    assert stage.stage_of(deal) == "date_agreed"
    assert stage.visits(ALEXEY) == ["09.06 10:00"]
