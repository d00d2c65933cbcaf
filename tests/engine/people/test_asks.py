from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from b24app.core.item import DEAL, ItemRef
from b24app.engine.people.asks import NothingToTell, ask_help, set_learned
from b24app.store import tables as t
from b24app.store import training
from tests.builders import MANAGER
from tests.seeded import DEAL_12, House, a_house, a_portal, stands_on


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


def test_a_cry_for_help_puts_the_stages_own_training_to_work(house: House) -> None:
    portal = a_portal(house)
    stands_on(house, portal, "contract")

    assert ask_help(house.workshop, portal, DEAL_12, "Мария Менова")

    (work,) = house.rows(t.work)
    assert (work["kind"], work["key"]) == ("ask", "ask:help:D_12:2026061009")
    assert work["body"] == {
        "steps": [
            {
                "robot": "training_comment",
                "props": {"text": {"ru": "Подпишите договор", "en": "Sign it"}, "when": "always"},
            }
        ],
        "by": "Мария Менова",
        "why": "Мария Менова просит помощи с этапом",
    }
    assert house.woken == [portal.id]


def test_a_second_cry_within_the_hour_changes_nothing_and_a_later_one_counts(house: House) -> None:
    portal = a_portal(house)
    stands_on(house, portal, "contract")
    ask_help(house.workshop, portal, DEAL_12, "Мария Менова")

    assert not ask_help(house.workshop, portal, DEAL_12, "Пётр Главин")
    house.pass_time(timedelta(hours=1))
    assert ask_help(house.workshop, portal, DEAL_12, "Пётр Главин")

    assert house.count(t.work) == 2


def test_a_stage_without_training_and_an_item_without_process_have_nothing_to_tell(house: House) -> None:
    portal = a_portal(house)
    stands_on(house, portal, "date_agreed")

    for item in (DEAL_12, ItemRef(DEAL, 99)):
        with pytest.raises(NothingToTell):
            ask_help(house.workshop, portal, item, "Мария Менова")

    assert house.count(t.work) == 0
    assert house.woken == []


def test_who_has_learned_it_is_remembered_until_he_takes_it_back(house: House) -> None:
    portal = a_portal(house)

    set_learned(house.workshop, portal, MANAGER, True, "Мария Менова")
    with house.database.read() as connection:
        assert training.learned_users(connection, portal.id) == {MANAGER}
    set_learned(house.workshop, portal, MANAGER, False, "Мария Менова")
    with house.database.read() as connection:
        assert training.learned_users(connection, portal.id) == set()

    assert [row["details"]["learned"] for row in house.rows(t.audit)] == [True, False]
