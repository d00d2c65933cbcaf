"""An older copy of the database is put in place: nothing that was done since is done twice, and everything goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import requests

from b24app.engine.restored import note_restored
from b24app.engine.running.lane import Lane
from b24app.engine.watching import admin
from tests.flows.busy_day import a_busy_day, differences, everything
from tests.flows.copies import Copy
from tests.flows.cuts import Cut, Killed
from tests.flows.stage import AGREED, ALEXEY, Stage, a_file
from tests.flows.theatre import Theatre, given_out

NEW, SIGNED, PAID, WRONG_DATE, MOVING, MOUNTED = range(1, 7)
"""The deals of the busy day, in the order they come."""


Play = Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What people see after a play and after what follows it; ``requests`` is how many the play took."""

    play: Play
    sequel: Play
    requests: int
    then: dict[str, Any]
    later: dict[str, Any]


def the_morning_after(stage: Stage) -> None:
    """People go on with their deals: what holds them, what follows from tasks, what timers tell has to be known."""
    stage.close(PAID, "Закупить")
    stage.move(PAID, "materials_bought")
    stage.close(WRONG_DATE, "Согласовать дату и время")
    stage.write(WRONG_DATE, install_date="2026-06-10")
    stage.move(WRONG_DATE, "date_agreed")
    stage.move(MOUNTED, "work_done")
    stage.move(NEW, "lost")
    stage.turn(hours=36)


def calm(stage: Stage) -> None:
    for _ in range(4):
        stage.turn(minutes=2)


def undisturbed(theatre: Theatre, play: Play, sequel: Play) -> Undisturbed:
    """Play without a restoration."""
    with theatre.stage() as stage:
        copy = Copy()
        with copy.watching(stage):
            play(stage)
        calm(stage)
        then = everything(stage)
        sequel(stage)
        return Undisturbed(play, sequel, copy.requests, then, everything(stage))


def restored(stage: Stage, copy: Copy) -> None:
    """Put a copy in place the way docs/operations.md tells, and let an administrator give access back where it is lost."""
    copy.put_back(stage)
    note_restored(stage.application.workshop, "Анна", "диск вышел из строя")
    stage.settle()
    if stage.application.workshop.portal(stage.portal_id).state == "reconnect":
        stage.reopen()
    calm(stage)


def a_walk(stage: Stage) -> None:
    """One deal goes through all stages, back on its way, by the clock and through the hands of many."""
    steps: tuple[Callable[[int], object], ...] = (
        lambda deal: stage.turn(hours=24),
        lambda deal: stage.move(deal, "contract_signed"),
        lambda deal: stage.write(deal, contract_file=a_file()),
        lambda deal: stage.close(deal, "Подписать договор"),
        lambda deal: stage.move(deal, "contract_signed"),
        lambda deal: stage.write(deal, prepayment_date="2026-06-05"),
        lambda deal: stage.write(deal, prepayment_date="2026-06-06"),
        lambda deal: stage.close(deal, "дату предоплаты"),
        lambda deal: stage.move(deal, "materials_paid"),
        lambda deal: stage.close(deal, "Закупить", tick=False),
        lambda deal: stage.close(deal, "Закупить"),
        lambda deal: stage.move(deal, "materials_bought"),
        lambda deal: stage.write(deal, **{**AGREED, "install_date": "2026-05-29"}),
        lambda deal: stage.close(deal, "Согласовать дату и время"),
        lambda deal: stage.move(deal, "date_agreed"),
        lambda deal: stage.write(deal, install_date="2026-06-08"),
        lambda deal: stage.move(deal, "date_agreed"),
        lambda deal: stage.turn(days=3),
        lambda deal: stage.close(deal, "Позвонить клиенту"),
        lambda deal: stage.move(deal, "installation_set"),
        lambda deal: stage.close(deal, "Выполнить монтаж", by=ALEXEY),
        lambda deal: stage.turn(hours=2),
        lambda deal: stage.close(deal, "узнать мнение"),
        lambda deal: stage.move(deal, "work_done"),
    )
    deal = stage.new_deal(contactId=1, opportunity=100000, currencyId="RUB")
    for step in steps:
        stage.turn(minutes=1)
        step(deal)


def a_week_later(stage: Stage) -> None:
    stage.turn(days=8)
    stage.close(stage.deal, "оплата за выполненные")
    stage.move(stage.deal, "paid_accepted")


@pytest.fixture(scope="module")
def the_day(theatre: Theatre) -> Undisturbed:
    return undisturbed(theatre, a_busy_day, the_morning_after)


@pytest.fixture(scope="module")
def the_walk(theatre: Theatre) -> Undisturbed:
    return undisturbed(theatre, a_walk, a_week_later)


def plays_the_same(theatre: Theatre, expected: Undisturbed, copy: Copy) -> None:
    """Play with a copy that is put back at the end, and look that nobody can tell."""
    with given_out(theatre) as stage:
        with copy.watching(stage):
            expected.play(stage)
        restored(stage, copy)
        assert differences(expected.then, everything(stage)) == []
        expected.sequel(stage)
        assert differences(expected.later, everything(stage)) == []


@pytest.mark.parametrize("quarters", range(4))
def test_a_copy_of_any_hour_of_a_busy_day_put_back_at_its_end_changes_nothing_people_see(
    theatre: Theatre, the_day: Undisturbed, quarters: int
) -> None:
    """What follows the next day shows that open tasks, timers and visits are known again."""
    plays_the_same(theatre, the_day, Copy(1 + the_day.requests * quarters // 4))


def test_what_was_about_to_be_sent_when_the_copy_was_taken_is_held_against_what_came_after_it(
    theatre: Theatre, the_day: Undisturbed
) -> None:
    """The visit in it was cancelled later that day: that it is not there does not mean that it was not made."""
    plays_the_same(theatre, the_day, Copy(on="calendar.event.add"))


@pytest.mark.parametrize("thirds", range(3))
def test_a_copy_of_any_day_of_a_deal_put_back_at_its_end_changes_nothing_people_see(
    theatre: Theatre, the_walk: Undisturbed, thirds: int
) -> None:
    plays_the_same(theatre, the_walk, Copy(6 + the_walk.requests * thirds // 3))


def arrives_unseen(stage: Stage, key: str, **fields: Any) -> int:
    """Let a deal arrive while nobody works."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stage, "settle", lambda self: None)
        return stage.arrive(key, **fields)


def test_what_was_not_done_before_the_restoration_is_done_after_it(stage: Stage) -> None:
    copy = Copy()
    copy.take(stage)
    stage.arrive("contract", "Сделана")
    missed = arrives_unseen(stage, "contract")
    restored(stage, copy)
    assert stage.titles(missed) == ["Подписать договор"]
    assert [len(stage.tasks(deal)) for deal in (1, missed)] == [1, 1]


def test_a_change_of_the_date_that_was_dealt_with_is_known_again(stage: Stage) -> None:
    copy = Copy()
    copy.take(stage)
    deal = stage.arrive("date_agreed", **AGREED)
    stage.clock.advance(timedelta(minutes=1))
    stage.write(deal, install_date="2026-06-09")
    seen = everything(stage)
    restored(stage, copy)
    assert differences(seen, everything(stage)) == []
    stage.write(deal, install_date="2026-06-10")
    assert stage.visits(ALEXEY) == ["10.06 10:00"]


def test_an_sms_that_stands_in_the_timeline_went_out(stage: Stage) -> None:
    copy = Copy()
    copy.take(stage)
    deal = stage.arrive("installation_set", **AGREED)
    told = stage.comments(deal)
    restored(stage, copy)
    assert (len(stage.world.sms.outbox), stage.world.sms.repeated, stage.comments(deal)) == (1, [], told)


@dataclass(slots=True)
class AtSms(Cut):
    """A worker's death when the gateway has taken a message, before anything tells of it."""

    def strikes(self, request: requests.PreparedRequest) -> bool:
        return "/sms/" in str(request.url)


def test_an_sms_nobody_can_tell_the_fate_of_waits_for_an_administrator(stage: Stage) -> None:
    copy, workshop = Copy(), stage.application.workshop
    copy.take(stage)
    deal = arrives_unseen(stage, "installation_set", **AGREED)
    stage.portal.deliver()
    death = AtSms(0, "after")
    with pytest.raises(Killed), death.armed(workshop):
        Lane(workshop, stage.portal_id, "the one who dies").drain()
    restored(stage, copy)
    sent, workshop = len(stage.world.sms.outbox), stage.application.workshop
    (incident,) = admin.incidents(workshop)
    assert (sent, incident.what, stage.world.sms.repeated) == (1, "send_sms", [])
    assert incident.error.startswith("База восстановлена из копии: ушло ли это SMS, узнать нельзя")
    assert [t for t in stage.titles(deal) if "SMS" in t] == []
    admin.retry_incident(workshop, incident.id, "Анна", "клиент не получал SMS")
    stage.settle()
    assert len(stage.world.sms.repeated) == 1
    assert any(line.startswith("Клиенту отправлено SMS") for line in stage.comments(deal))


def test_a_copy_older_than_the_last_renewal_is_noticed_without_being_told(stage: Stage) -> None:
    copy = Copy()
    copy.take(stage)
    deal = stage.arrive("installation_set", **AGREED)
    stage.turn(hours=3)
    seen = everything(stage)
    copy.put_back(stage)
    stage.settle()
    assert stage.application.workshop.portal(stage.portal_id).state == "reconnect"
    stage.reopen()
    calm(stage)
    assert differences(seen, everything(stage)) == []
    assert stage.stage_of(deal) == "installation_set"


def test_a_copy_with_a_spare_token_is_noticed_and_goes_on_by_itself(theatre: Theatre, the_day: Undisturbed) -> None:
    """A robot's call had brought that token before the copy was taken."""
    with given_out(theatre) as stage:
        copy = Copy(1 + the_day.requests // 4)
        with copy.watching(stage):
            a_busy_day(stage)
        copy.put_back(stage)
        stage.settle()
        calm(stage)
        portal = stage.application.workshop.portal(stage.portal_id)
        assert (portal.state, portal.restored_at is not None) == ("active", True)
        assert differences(the_day.then, everything(stage)) == []


def test_access_lost_in_the_middle_of_work_is_no_restoration(stage: Stage) -> None:
    for _ in range(12):
        stage.turn(minutes=5)
        stage.world.tokens.refresh.clear()
    lost = stage.application.workshop.portal(stage.portal_id)
    assert (lost.state, lost.restored_at) == ("reconnect", None)
