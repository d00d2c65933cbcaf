"""Which corrections are looked at: of many years only those that can have changed, or that fall into a period."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from b24app.core.item import ItemRef
from b24app.core.overview import Choice
from b24app.engine.figures.corrections import corrections
from b24app.engine.people.head_of_quality import look
from b24app.store import corrections as store
from b24app.store import entries
from b24app.store.portals import Portal
from tests.builders import INSTALLER, MANAGER
from tests.corrected import CEILINGS, KIND, LEADS, STAGES, Kept, keep, tie_corrections
from tests.seeded import NOW, House, a_house, a_portal

LONG_AGO = NOW - timedelta(days=900)
ENDED, OPEN, OPENED_AGAIN, RECENT, GONE = range(1, 6)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


@pytest.fixture
def portal(house: House) -> Portal:
    """A portal with a correction that ended long ago, one never ended, one opened again, a recent one and a deleted one."""
    portal = a_portal(house)
    with house.database.write() as connection:
        tie_corrections(connection, portal.id, NOW)
        keep(connection, portal.id, ENDED, Kept(LONG_AGO, MANAGER, INSTALLER, pipeline=LEADS))
        keep(connection, portal.id, OPEN, Kept(LONG_AGO, MANAGER, INSTALLER, finished=False))
        keep(connection, portal.id, OPENED_AGAIN, Kept(LONG_AGO, MANAGER, INSTALLER))
        keep(connection, portal.id, RECENT, Kept(LONG_AGO, MANAGER, INSTALLER, days=899))
        keep(connection, portal.id, GONE, Kept(NOW, MANAGER, INSTALLER, pipeline="Удалённая"))
        store.keep_gone(connection, portal.id, [ItemRef(KIND, GONE)])
    move(house, portal, OPENED_AGAIN, "measures", LONG_AGO + timedelta(days=5))
    return portal


def move(house: House, portal: Portal, number: int, stage: str, at: datetime) -> None:
    with house.database.write() as connection:
        entries.add(
            connection,
            portal.id,
            ItemRef(KIND, number),
            history_id=number * 10 + 9,
            stage_id=STAGES[stage],
            category_id=11,
            at=at,
            seen_at=at,
        )


def chosen(house: House, portal: Portal, since: datetime | None) -> set[int]:
    with house.database.read() as connection:
        found = corrections(house.workshop, connection, portal, since=since)
        whole = {row.item: row for row in corrections(house.workshop, connection, portal)}
    assert all(whole[row.item] == row for row in found)  # what is chosen is figured as ever
    return {row.item.id for row in found}


def test_what_ended_long_ago_is_not_looked_at_and_what_is_open_always_is(house: House, portal: Portal) -> None:
    assert chosen(house, portal, None) == {ENDED, OPEN, OPENED_AGAIN, RECENT}
    assert chosen(house, portal, NOW - timedelta(days=60)) == {OPEN, OPENED_AGAIN, RECENT}
    move(house, portal, ENDED, "measures", NOW)
    assert chosen(house, portal, NOW - timedelta(days=60)) == {ENDED, OPEN, OPENED_AGAIN, RECENT}


def test_the_moment_itself_belongs_to_what_is_looked_at(house: House, portal: Portal) -> None:
    end = LONG_AGO + timedelta(days=2)
    assert ENDED in chosen(house, portal, end)
    assert ENDED not in chosen(house, portal, end + timedelta(microseconds=1))


@pytest.mark.parametrize("start", [date.min, date(2026, 5, 1), date.max])
def test_a_period_shows_its_own_and_all_pipelines_are_there_to_choose_from(
    house: House, portal: Portal, start: date
) -> None:
    found = look(house.workshop, portal, MANAGER, Choice(start), "ru", admin=True)
    assert {row.item.id for row in found.rows} == {
        date.min: {ENDED, OPEN, OPENED_AGAIN, RECENT},
        date(2026, 5, 1): {RECENT},
        date.max: set(),
    }[start]
    assert found.pipelines == tuple(sorted((LEADS, CEILINGS)))
