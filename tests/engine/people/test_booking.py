from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from b24app.bitrix.errors import ServerTrouble
from b24app.core.actions import ClaimSlot
from b24app.core.item import DEAL, ItemRef
from b24app.engine.access import gate_of
from b24app.engine.people.booking import Chosen, NoBooking, NoCrew, OrderGone, Plan, StillWriting, Taken, choose, plan
from b24app.store import tables as t
from b24app.store import visits
from b24app.store.portals import Portal
from tests.builders import INSTALLER, MANAGER
from tests.seeded import DEAL_12, House, Refusal, Wire, a_card, a_house, a_portal, changed, portal_answers, stands_on

MOSCOW = ZoneInfo("Europe/Moscow")
FRIDAY = date(2026, 6, 12)
FRIDAY_TEN = datetime(2026, 6, 12, 10, 0, tzinfo=MOSCOW)
OTHER = ItemRef(DEAL, 13)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


@pytest.fixture
def portal(house: House) -> Portal:
    return a_portal(house)


@pytest.fixture
def wire() -> Iterator[Wire]:
    with portal_answers({"crm.item.get": a_card(), "calendar.accessibility.get": {}}) as answered:
        yield answered


def week(house: House, portal: Portal, day: date | None = None) -> Plan:
    return plan(house.workshop, gate_of(house.workshop, portal), portal, DEAL_12, day)


def pick(house: House, portal: Portal, start: datetime = FRIDAY_TEN, user: int = INSTALLER, item: ItemRef = DEAL_12) -> Any:
    return choose(house.workshop, gate_of(house.workshop, portal), portal, item, user, start, "Мария Менова")


def hours(seen: Plan, day: date, user: int = INSTALLER) -> list[str]:
    return [f"{slot.start:%H:%M}" for slot in seen.week.cells[(user, day)].slots]


def entry(start: datetime, end: datetime, how: str = "busy", **more: Any) -> dict[str, Any]:
    stamps = {"DATE_FROM_TS_UTC": str(int(start.timestamp())), "DATE_TO_TS_UTC": str(int(end.timestamp()))}
    return {"ID": "5", "NAME": "Врач", "ACCESSIBILITY": how, **stamps, **more}


def held(house: House, portal: Portal, start: datetime, item: ItemRef = OTHER, title: str = "Окна на Садовой") -> None:
    with house.database.write() as connection:
        claim = ClaimSlot(item, INSTALLER, start, start + timedelta(hours=4))
        assert visits.claim(connection, portal.id, claim, title, house.at[0]) is None


# The week --------------------------------------------------------------------------------------------------------------


def test_the_whole_week_of_the_crew_takes_one_request(house: House, portal: Portal, wire: Wire) -> None:
    seen = week(house, portal)

    assert wire.requests == 1
    assert dict(wire.commands)["calendar.accessibility.get"] == {
        "users[0]": [str(INSTALLER)],
        "from": ["2026-06-08"],
        "to": ["2026-06-15"],
    }
    assert (seen.order.title, seen.order.address) == ("Потолки на Лесной", "Лесная, 5")


def test_visits_fit_inside_the_working_hours(house: House, portal: Portal, wire: Wire) -> None:
    assert hours(week(house, portal), FRIDAY) == ["09:00", "10:00", "11:00", "12:00", "13:00", "14:00"]


def test_days_gone_and_days_off_offer_nothing(house: House, portal: Portal, wire: Wire) -> None:
    seen = week(house, portal)

    assert seen.week.cells[(INSTALLER, date(2026, 6, 9))].closed == "past"
    assert seen.week.cells[(INSTALLER, date(2026, 6, 13))].closed == "day_off"
    assert hours(seen, date(2026, 6, 10)) == ["13:00", "14:00"]


def test_time_held_for_another_order_is_shown_with_its_name(house: House, portal: Portal, wire: Wire) -> None:
    held(house, portal, FRIDAY_TEN)

    seen = week(house, portal)

    assert hours(seen, FRIDAY) == ["14:00"]
    assert [busy.what for busy in seen.week.cells[(INSTALLER, FRIDAY)].busy] == ["Окна на Садовой"]


def test_time_held_for_this_very_order_is_free_for_it_and_marked(house: House, portal: Portal) -> None:
    held(house, portal, FRIDAY_TEN, DEAL_12)
    own = entry(FRIDAY_TEN, FRIDAY_TEN + timedelta(hours=4))

    with portal_answers({"crm.item.get": a_card(), "calendar.accessibility.get": {str(INSTALLER): [own]}}):
        seen = week(house, portal)

    assert [f"{s.start:%H:%M}" for s in seen.week.cells[(INSTALLER, FRIDAY)].slots if s.chosen] == ["10:00"]


@pytest.mark.parametrize(("how", "free"), [("busy", 0), ("absent", 0), ("quest", 6), ("free", 6)])
def test_a_calendar_entry_takes_time_only_when_it_means_to(house: House, portal: Portal, how: str, free: int) -> None:
    all_day = entry(datetime(2026, 6, 12, tzinfo=MOSCOW), datetime(2026, 6, 12, tzinfo=MOSCOW), how, DT_SKIP_TIME="Y")

    with portal_answers({"crm.item.get": a_card(), "calendar.accessibility.get": {str(INSTALLER): [all_day, {"ID": 1}]}}):
        seen = week(house, portal)

    assert len(hours(seen, FRIDAY)) == free
    assert "Врач" not in repr(seen)


def test_without_the_right_to_read_calendars_only_orders_count(house: House, portal: Portal) -> None:
    with portal_answers({"crm.item.get": a_card(), "calendar.accessibility.get": Refusal("ACCESS_DENIED")}):
        seen = week(house, portal)

    assert seen.blind
    assert len(hours(seen, FRIDAY)) == 6


def test_a_portal_in_trouble_is_not_taken_for_an_empty_calendar(house: House, portal: Portal) -> None:
    answers = {"crm.item.get": a_card(), "calendar.accessibility.get": Refusal("INTERNAL_SERVER_ERROR")}
    with portal_answers(answers), pytest.raises(ServerTrouble):
        week(house, portal)


def test_an_order_that_is_gone_and_one_without_a_process_are_told_apart(house: House, portal: Portal) -> None:
    with portal_answers({"crm.item.get": Refusal("NOT_FOUND"), "calendar.accessibility.get": {}}), pytest.raises(OrderGone):
        week(house, portal)
    answers = {"crm.item.get": a_card(categoryId=0), "calendar.accessibility.get": {}}
    with portal_answers(answers), pytest.raises(NoBooking):
        week(house, portal)


def test_without_a_crew_nothing_is_asked(house: House, portal: Portal, wire: Wire) -> None:
    with house.database.write() as connection:
        house.workshop.portals.set_settings(connection, portal.id, changed(portal, crew_users=()))

    with pytest.raises(NoCrew):
        week(house, house.workshop.portal(portal.id))
    assert wire.requests == 0


def test_a_dismissed_installer_is_no_crew_and_a_department_is(house: House, portal: Portal, wire: Wire) -> None:
    with house.database.write() as connection:
        settings = changed(portal, crew_users=(11,), crew_departments=(2,))
        house.workshop.portals.set_settings(connection, portal.id, settings)

    seen = week(house, house.workshop.portal(portal.id))

    assert [user.name for user in seen.week.crew] == ["Мария Менова", "Пётр Главин"]


def test_a_day_far_away_shows_this_week(house: House, portal: Portal, wire: Wire) -> None:
    assert week(house, portal, date(2199, 1, 1)).week.monday == date(2026, 6, 8)


# The choice ------------------------------------------------------------------------------------------------------------


def test_a_choice_holds_the_time_and_writes_day_hour_and_person_into_the_order(
    house: House, portal: Portal, wire: Wire
) -> None:
    entry_id = stands_on(house, portal, "contract")

    chosen = pick(house, portal)

    assert isinstance(chosen, Chosen)
    (slot,) = house.rows(t.slots)
    assert (slot["item_id"], slot["user_id"], slot["start"], slot["title"]) == (
        12,
        INSTALLER,
        FRIDAY_TEN,
        "Потолки на Лесной",
    )
    (run,) = house.rows(t.runs)
    assert (run["robot"], run["entry_id"], run["asked_by"]) == ("set_booking", entry_id, "Мария Менова")
    assert run["why_ru"] == "Мария Менова: выбрано время 12.06.2026 10:00–14:00, выезжает Иван Мастеров"
    update, visit = house.rows(t.actions)
    assert update["body"]["fields"] == {"install_date": "2026-06-12", "install_time": "10:00", "installer": INSTALLER}
    assert (visit["kind"], visit["body"]["title"], visit["body"]["location"]) == (
        "add_visit",
        "Монтаж: Потолки на Лесной",
        "Лесная, 5",
    )
    assert house.woken == [portal.id]
    assert [row["what"] for row in house.rows(t.audit)] == ["booking"]


def test_the_slower_of_two_orders_is_told_whose_order_has_the_time(house: House, portal: Portal) -> None:
    stands_on(house, portal, "contract")

    def somebody_else_is_faster(_asked: Any) -> Any:
        held(house, portal, FRIDAY_TEN + timedelta(hours=1))
        return {}

    with portal_answers({"crm.item.get": a_card(), "calendar.accessibility.get": somebody_else_is_faster}):
        lost = pick(house, portal)

    assert isinstance(lost, Taken)
    assert lost.by is not None
    assert lost.by.what == "Окна на Садовой"
    assert house.count(t.runs) == 0
    assert house.woken == []


def test_time_that_was_taken_before_is_refused_with_its_name(house: House, portal: Portal, wire: Wire) -> None:
    held(house, portal, FRIDAY_TEN)

    lost = pick(house, portal)

    assert isinstance(lost, Taken)
    assert lost.by is not None
    assert lost.by.item == OTHER


@pytest.mark.parametrize(
    ("start", "user"),
    [
        (datetime(2026, 6, 13, 10, tzinfo=MOSCOW), INSTALLER),
        (datetime(2026, 6, 12, 10, 30, tzinfo=MOSCOW), INSTALLER),
        (datetime(2026, 6, 9, 10, tzinfo=MOSCOW), INSTALLER),
        (FRIDAY_TEN, MANAGER),
        (datetime(2199, 1, 1, 10, tzinfo=UTC), INSTALLER),
    ],
)
def test_what_was_never_offered_cannot_be_chosen(
    house: House, portal: Portal, wire: Wire, start: datetime, user: int
) -> None:
    assert isinstance(pick(house, portal, start, user), Taken)
    assert house.count(t.slots) == 0


def test_a_double_click_books_once(house: House, portal: Portal, wire: Wire) -> None:
    pick(house, portal)

    again = pick(house, portal)

    assert isinstance(again, Chosen)
    assert again.again
    assert house.count(t.runs) == 1


def test_a_change_of_mind_drops_what_was_not_yet_written(house: House, portal: Portal, wire: Wire) -> None:
    pick(house, portal)
    house.pass_time(timedelta(seconds=3))

    pick(house, portal, FRIDAY_TEN + timedelta(hours=2))

    assert [row["state"] for row in house.rows(t.actions)] == ["dropped", "dropped", "pending", "pending"]
    assert [row["start"].hour for row in house.rows(t.slots)] == [9]


def test_a_change_of_mind_while_the_first_choice_is_being_sent_changes_nothing(
    house: House, portal: Portal, wire: Wire
) -> None:
    pick(house, portal)
    with house.database.write() as connection:
        connection.execute(t.actions.update().where(t.actions.c.id == 1).values(state="sending"))

    with pytest.raises(StillWriting):
        pick(house, portal, FRIDAY_TEN + timedelta(hours=2))

    assert [row["state"] for row in house.rows(t.actions)] == ["sending", "pending"]
    assert [row["start"] for row in house.rows(t.slots)] == [FRIDAY_TEN]


def test_moving_a_booked_visit_takes_the_old_one_out_of_the_calendar(house: House, portal: Portal, wire: Wire) -> None:
    pick(house, portal)
    with house.database.write() as connection:
        connection.execute(t.actions.update().values(state="done"))
        at = {"start": FRIDAY_TEN, "end": FRIDAY_TEN + timedelta(hours=4), "cancelled": False}
        row = {
            "portal_id": portal.id,
            "entity_type_id": 2,
            "item_id": 12,
            "action_id": 2,
            "visit_id": 77,
            "user_id": INSTALLER,
        }
        connection.execute(t.visits.insert().values(**row, **at))
    house.pass_time(timedelta(minutes=1))

    pick(house, portal, FRIDAY_TEN + timedelta(hours=2))

    assert [row["kind"] for row in house.rows(t.actions)][2:] == ["update_item", "cancel_visit", "add_visit"]
