"""What is to be registered, and the way there from what a portal has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from b24app.bitrix.errors import AccessDenied
from b24app.bitrix.replies import Reply
from b24app.engine.setup.registration import Entry, Present, differences, entries, present
from robots import CATALOGUE

URL = "https://app.example"


def wanted(url: str = URL, /, **catalogue: Any) -> list[Entry]:
    return entries(url, {**CATALOGUE, **catalogue}, 1)


def nothing() -> Present:
    return present([Reply([]), Reply([]), Reply([]), Reply([])])


def everything(of: list[Entry]) -> Present:
    robots = [entry.code for entry in of if entry.kind == "robot"]
    events = [{**entry.definition, "auth_type": "0", "offline": 0} for entry in of if entry.kind == "event"]
    tabs = [
        {"placement": e.definition["PLACEMENT"], "handler": e.definition["HANDLER"]} for e in of if e.kind == "placement"
    ]
    return present([Reply(robots), Reply(events), Reply(tabs), Reply(["b24app_sms"])])


def hashes(of: list[Entry]) -> dict[str, str]:
    return {entry.key: entry.hash for entry in of}


def test_an_empty_portal_gets_everything() -> None:
    changes = differences(wanted(), nothing(), {})
    assert {change.act for change in changes} == {"add"}
    assert len(changes) == len(wanted())


def test_a_portal_that_has_everything_is_left_alone() -> None:
    assert differences(wanted(), everything(wanted()), hashes(wanted())) == []


def test_internal_robots_are_not_offered() -> None:
    offered = {entry.code for entry in wanted() if entry.kind == "robot"}
    assert offered == {robot.code for robot in CATALOGUE.values() if robot.on_portal and not robot.internal}
    assert any(robot.internal for robot in CATALOGUE.values())


@pytest.mark.parametrize(
    "robot", [robot for robot in CATALOGUE.values() if robot.on_portal and not robot.internal], ids=lambda r: r.code
)
def test_every_robot_has_what_the_portal_asks_of_a_definition(robot: Any) -> None:
    (entry,) = [entry for entry in wanted() if entry.key == f"robot:{robot.code}"]
    assert entry.definition["HANDLER"].startswith(URL)
    assert entry.definition["AUTH_USER_ID"] == 1
    assert entry.definition["USE_SUBSCRIPTION"] in ("Y", "N")
    for described in [
        *entry.definition.get("PROPERTIES", {}).values(),
        *entry.definition.get("RETURN_PROPERTIES", {}).values(),
    ]:
        assert set(described["Name"]) == {"ru", "en"}
        assert described["Type"] in {"bool", "date", "datetime", "double", "file", "int", "select", "string", "text", "user"}


def test_a_definition_that_changed_is_sent_again() -> None:
    changed = {"autotask": replace(CATALOGUE["autotask"], waits=not CATALOGUE["autotask"].waits)}
    (change,) = differences(wanted(**changed), everything(wanted()), hashes(wanted()))
    assert (change.act, change.code) == ("change", "autotask")
    (command,) = change.commands
    assert command.method == "bizproc.robot.update"
    assert command.params["FIELDS"]["USE_SUBSCRIPTION"] != ("Y" if CATALOGUE["autotask"].waits else "N")


def test_a_tab_has_no_update_and_is_bound_anew() -> None:
    known = hashes(wanted()) | {"placement:CRM_DEAL_DETAIL_TAB https://app.example/b24/placement/journal": "older"}
    (change,) = differences(wanted(), everything(wanted()), known)
    assert [command.method for command in change.commands] == ["placement.unbind", "placement.bind"]


def test_a_hash_without_the_thing_itself_counts_for_nothing() -> None:
    changes = differences(wanted(), nothing(), hashes(wanted()))
    assert {change.act for change in changes} == {"add"}


def test_what_is_not_wanted_any_more_is_removed_first() -> None:
    old = [*wanted(), *wanted("https://old.example")]
    changes = differences(wanted(), everything([e for e in old if e.kind in ("event", "placement", "sms")] + wanted()), {})
    acts = [change.act for change in changes]
    assert acts.index("remove") == 0
    assert all("https://old.example" in change.code for change in changes if change.act == "remove")


def test_a_list_that_could_not_be_read_is_left_alone() -> None:
    refused = present([Reply([]), Reply([]), Reply([]), AccessDenied("ACCESS_DENIED")])
    assert not [change for change in differences(wanted(), refused, {}) if change.kind == "sms"]
    assert set(refused.problems) == {"sms"}


def test_php_may_write_a_list_as_a_map() -> None:
    found = present([Reply({"0": "autotask"}), Reply([]), Reply({}), Reply([])]).found
    assert list(found["robot"]) == ["autotask"]


def test_smart_processes_get_tabs_of_their_own_and_those_of_booking_where_people_are_booked() -> None:
    def tabs(kind: int) -> set[str]:
        found = entries(URL, CATALOGUE, 1, [1038, 1040], [1040])
        codes = [entry.code.split() for entry in found if entry.kind == "placement"]
        return {page.rpartition("/")[2] for tab, page in codes if tab == f"CRM_DYNAMIC_{kind}_DETAIL_TAB"}

    assert tabs(1038) == {"journal", "quality"}
    assert tabs(1040) == {"journal", "quality", "booking"}
