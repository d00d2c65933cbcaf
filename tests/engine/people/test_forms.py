"""Forms in the card: which is asked for, who fills it in, who reads it, and that it is kept once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from b24app.core.actions import AwardPoints
from b24app.core.process import versioned
from b24app.engine.access import gate_of
from b24app.engine.people.forms import ItemGone, NotAsked, NotYours, Problems, Sent, Sheet, look, submit
from b24app.store import forms
from b24app.store import tables as t
from b24app.store.portals import Portal
from tests.builders import DIRECTOR, GONE, HEAD, INSTALLER, MANAGER
from tests.filled import CARD, FILLED, SUMMARY, a_portal_that_asks, arrives, has_task, on
from tests.seeded import DEAL_12, FIELD_CODES, NOW, House, Refusal, a_house, portal_answers

CLEAN = {"clean": "yes"}
OFFICER = INSTALLER


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


@pytest.fixture
def portal(house: House) -> Portal:
    return a_portal_that_asks(house)


def sheet(house: House, portal: Portal, user: int, answers: Any = CARD, **told: Any) -> Sheet:
    with portal_answers(answers):
        return look(house.workshop, gate_of(house.workshop, portal), portal, DEAL_12, user, **told)


def sends(
    house: House,
    portal: Portal,
    user: int,
    raw: dict[str, Any],
    form: str = "analysis",
    round_: int = 1,
    answers: Any = CARD,
) -> Sent | Problems:
    with portal_answers(answers):
        who = (user, f"Сотрудник {user}")
        return submit(house.workshop, gate_of(house.workshop, portal), portal, DEAL_12, who, form, round_, raw)


# What is asked ------------------------------------------------------------------------------------------------------------


def test_the_stage_the_portal_names_now_asks_for_its_form(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")

    assert sheet(house, portal, OFFICER).form == sheet(house, portal, MANAGER).form
    won = sheet(house, portal, MANAGER, on("won"))
    assert (won.form, won.yours, won.round) == (SUMMARY, True, 1)


def test_an_item_of_another_pipeline_is_asked_nothing(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")
    found = sheet(house, portal, OFFICER, on("contract", categoryId=9))
    assert (found.process, found.form, found.told) == (None, None, ())


def test_a_deleted_item_is_gone(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")
    with pytest.raises(ItemGone):
        sheet(house, portal, OFFICER, {"crm.item.get": Refusal("NOT_FOUND")})


def test_rounds_count_how_often_the_item_came_and_not_how_often_its_stage_was_run_again(
    house: House, portal: Portal
) -> None:
    for key in ("contract", "date_agreed", "contract"):
        arrives(house, portal, key)
    arrives(house, portal, "contract", again=True)

    assert sheet(house, portal, OFFICER).round == 2


def test_an_arrival_not_read_from_the_history_yet_is_a_round_of_its_own(house: House, portal: Portal) -> None:
    for key in ("contract", "date_agreed"):
        arrives(house, portal, key)
    assert sheet(house, portal, OFFICER).round == 2


def test_both_ends_share_their_rounds(house: House, portal: Portal) -> None:
    for key in ("won", "lost"):
        arrives(house, portal, key)
    assert sheet(house, portal, MANAGER, on("lost")).round == 2


# Who fills it in ----------------------------------------------------------------------------------------------------------


def test_the_role_fills_the_form_in_and_nobody_else(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")

    assert sheet(house, portal, OFFICER).yours
    for other in (MANAGER, HEAD, DIRECTOR):
        assert not sheet(house, portal, other).yours
        with pytest.raises(NotYours):
            sends(house, portal, other, CLEAN)
    assert house.count(t.forms) == house.count(t.work) == 0


def test_an_administrator_reads_but_does_not_answer_for_others(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")
    found = sheet(house, portal, DIRECTOR, admin=True)
    assert (found.yours, found.takes_part) == (False, True)


def test_whoever_has_the_task_fills_the_form_in_and_whom_he_hands_it_to(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")
    has_task(house, portal, "analysis", MANAGER, 70)
    handed = {**CARD, "tasks.task.get": {"task": {"id": "70", "title": "x", "status": "2", "responsibleId": str(HEAD)}}}

    assert sheet(house, portal, HEAD, handed).fillers == (HEAD, OFFICER)
    assert sends(house, portal, HEAD, CLEAN, answers=handed) == Sent()


def test_a_vote_is_not_handed_on(house: House, portal: Portal) -> None:
    arrives(house, portal, "date_agreed")
    has_task(house, portal, f"vote:{MANAGER}", MANAGER, 71)
    task = {"task": {"id": "71", "title": "x", "status": "2", "responsibleId": str(HEAD)}}
    handed = {**on("date_agreed"), "tasks.task.get": task}

    assert sheet(house, portal, HEAD, handed).fillers == (MANAGER,)


def test_a_task_that_cannot_be_read_leaves_the_form_with_whom_it_was_given(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")
    has_task(house, portal, "analysis", MANAGER, 72)
    assert sheet(house, portal, MANAGER, {**CARD, "tasks.task.get": Refusal("ACCESS_DENIED")}).yours


def test_a_dismissed_employee_fills_nothing_in(house: House, portal: Portal) -> None:
    arrives(house, portal, "date_agreed")
    has_task(house, portal, f"vote:{GONE}", GONE, 73)
    task = {"task": {"id": "73", "title": "x", "status": "2", "responsibleId": str(GONE)}}
    assert sheet(house, portal, GONE, {**on("date_agreed"), "tasks.task.get": task}).fillers == ()


def test_a_field_of_several_employees_means_all_of_them(house: House) -> None:
    named = versioned(replace(FILLED, roles={**FILLED.roles, "officer": "field(installer)"}))
    portal = a_portal_that_asks(house, process=named)
    arrives(house, portal, "contract")

    card = on("contract", **{FIELD_CODES["installer"]: [MANAGER, HEAD, GONE]})
    assert sheet(house, portal, HEAD, card).fillers == (HEAD, MANAGER)


# Keeping ------------------------------------------------------------------------------------------------------------------


def test_what_was_sent_is_kept_and_becomes_work(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")

    assert sends(house, portal, OFFICER, CLEAN) == Sent()

    (row,) = house.rows(t.forms)
    assert (row["form"], row["round"], row["user_id"], row["answers"]) == ("analysis", 1, OFFICER, {"clean": True})
    (work,) = house.rows(t.work)
    assert work["kind"] == "form"
    assert work["body"] == {
        "form": "analysis",
        "answers": {"clean": True},
        "by": OFFICER,
        "name": f"Сотрудник {OFFICER}",
        "round": 1,
    }
    assert house.woken == [portal.id]


def test_a_form_with_mistakes_keeps_nothing(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")

    found = sends(house, portal, OFFICER, {"clean": "no", "violations": [{"kind": "papers"}]})

    assert isinstance(found, Problems)
    assert sorted(found.by_place) == ["violations.0.fact", "violations.0.proof"]
    assert house.count(t.forms) == house.count(t.work) == 0


def test_a_person_has_to_work_here(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")
    rows = [{"kind": "calls", "fact": "x"}]
    found = sends(house, portal, OFFICER, {"clean": "no", "violations": rows, "who": str(GONE)})
    assert isinstance(found, Problems)
    assert list(found.by_place) == ["who"]


def test_the_same_form_sent_twice_is_kept_once(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")

    sends(house, portal, OFFICER, CLEAN)
    assert sends(house, portal, OFFICER, {"clean": "no"}) == Sent(again=True)

    assert [row["answers"] for row in house.rows(t.forms)] == [{"clean": True}]
    assert house.count(t.work) == 1


def test_one_answer_settles_a_form_for_all_who_might_give_it(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")
    has_task(house, portal, "analysis", MANAGER, 74)
    held = {**CARD, "tasks.task.get": {"task": {"id": "74", "title": "x", "status": "2", "responsibleId": str(MANAGER)}}}

    assert sends(house, portal, OFFICER, CLEAN, answers=held) == Sent()
    assert sheet(house, portal, MANAGER, held).settled
    assert sends(house, portal, MANAGER, CLEAN, answers=held) == Sent(again=True)
    assert house.count(t.forms) == 1


def test_everybody_votes_for_himself(house: House, portal: Portal) -> None:
    arrives(house, portal, "date_agreed")
    for n, user in enumerate((MANAGER, HEAD)):
        has_task(house, portal, f"vote:{user}", user, 80 + n)
    card = {**on("date_agreed"), "tasks.task.get": {"task": {"id": "80", "title": "x", "status": "2", "responsibleId": "7"}}}

    assert sends(house, portal, MANAGER, {"vote": "for"}, "vote", answers=card) == Sent()
    assert not sheet(house, portal, HEAD, card).settled
    assert sends(house, portal, HEAD, {"vote": "against", "why": "дорого"}, "vote", answers=card) == Sent()
    assert [row["user_id"] for row in house.rows(t.forms)] == [MANAGER, HEAD]


def test_a_new_round_asks_anew_with_the_answers_of_the_last(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")
    sends(house, portal, OFFICER, CLEAN)
    for key in ("date_agreed", "contract"):
        arrives(house, portal, key)

    found = sheet(house, portal, OFFICER)
    assert (found.round, found.settled, found.before) == (2, False, {"clean": True})
    assert sends(house, portal, OFFICER, CLEAN, round_=2) == Sent()


@pytest.mark.parametrize(("form", "round_"), [("analysis", 2), ("vote", 1), ("quality", 1), ("", 0)])
def test_a_page_left_open_while_the_item_moved_on_changes_nothing(
    house: House, portal: Portal, form: str, round_: int
) -> None:
    arrives(house, portal, "contract")
    with pytest.raises(NotAsked):
        sends(house, portal, OFFICER, CLEAN, form, round_)


# Who reads it -------------------------------------------------------------------------------------------------------------


def test_answers_are_read_by_those_who_take_part_and_by_nobody_else(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")
    sends(house, portal, OFFICER, CLEAN)

    for user in (OFFICER, MANAGER):  # he filled it in; he is the responsible
        assert [told.sent.by for told in sheet(house, portal, user).told] == [OFFICER]
    assert [told.sent.by for told in sheet(house, portal, DIRECTOR, admin=True).told] == [OFFICER]
    for user in (HEAD, DIRECTOR):
        found = sheet(house, portal, user)
        assert (found.told, found.takes_part) == ((), False)


def test_a_member_with_a_task_reads_what_he_votes_on(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")
    sends(house, portal, OFFICER, CLEAN)
    arrives(house, portal, "date_agreed")
    has_task(house, portal, f"vote:{HEAD}", HEAD, 90)
    card = {**on("date_agreed"), "tasks.task.get": {"task": {"id": "90", "title": "x", "status": "2", "responsibleId": "5"}}}

    assert [told.form.name for told in sheet(house, portal, HEAD, card).told] == ["analysis"]


def test_another_portal_knows_nothing_of_it(house: House, portal: Portal) -> None:
    arrives(house, portal, "contract")
    sends(house, portal, OFFICER, CLEAN)
    other = a_portal_that_asks(house, "vektor", host="vektor.bitrix24.test")
    arrives(house, other, "contract")

    with portal_answers(CARD, host="vektor.bitrix24.test"):
        found = look(house.workshop, gate_of(house.workshop, other), other, DEAL_12, OFFICER)

    assert (found.told, found.settled, found.round) == ((), False, 1)


# Points -------------------------------------------------------------------------------------------------------------------


def test_points_are_awarded_once_for_an_item_and_a_person(house: House, portal: Portal) -> None:
    with house.database.write() as connection:
        for number in (10, 15):
            forms.award(connection, portal.id, AwardPoints(DEAL_12, MANAGER, number, "без замечаний"), NOW)
        forms.award(connection, portal.id, AwardPoints(DEAL_12, HEAD, 5, "помог"), NOW)
        assert forms.points(connection, portal.id, DEAL_12) == {MANAGER: 15, HEAD: 5}
