from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from b24app.core.call import TimerDue
from b24app.core.properties import from_portal, portal_text, properties_of, registration
from b24app.core.robot import Robot
from b24app.core.robots_page import robots_page
from robots import CATALOGUE
from tests.builders import a_call, facts, finished, timer_due

ROBOTS = pytest.mark.parametrize("robot", CATALOGUE.values(), ids=lambda robot: robot.code)
PAGE = Path(__file__).parents[2] / "docs" / "robots.md"


def test_the_catalogue_is_complete() -> None:
    files = {path.stem for path in (Path(__file__).parents[2] / "robots").glob("*.py")} - {"__init__", "__main__"}
    assert set(CATALOGUE) == files


def test_the_page_of_the_robots_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == robots_page(CATALOGUE), "run: python -m robots > docs/robots.md"


@ROBOTS
def test_every_robot_and_property_speaks_both_languages(robot: Robot[Any]) -> None:
    texts = [robot.name, robot.description]
    for declared in (robot.props, robot.returns):
        texts += [p.label for p in properties_of(declared)] if declared else []
        texts += [text for p in properties_of(declared) for text in p.options.values()] if declared else []
    assert all(text.ru.strip() and text.en.strip() for text in texts)


@ROBOTS
def test_a_robot_dropped_on_a_stage_works_with_few_clicks(robot: Robot[Any]) -> None:
    required = [p.name for p in properties_of(robot.props) if p.required]
    assert len(required) <= 1 or robot.internal


@ROBOTS
def test_what_a_robot_registers_with_can_be_read_back(robot: Robot[Any]) -> None:
    described = registration(robot.props)
    sent = {name: said.get("Default", "") for name, said in described.items()}
    sent |= {p.name: "Текст" for p in properties_of(robot.props) if p.required and p.portal}
    read = from_portal(robot, sent)
    assert {name: portal_text(getattr(read, name)) for name, said in described.items() if said.get("Default")} == {
        name: said["Default"] for name, said in described.items() if said.get("Default")
    }


@ROBOTS
def test_a_check_tells_whether_it_passed(robot: Robot[Any]) -> None:
    if robot.check:
        assert robot.returns is not None
        assert {"ok", "reason"} <= {p.name for p in properties_of(robot.returns)}


@pytest.mark.parametrize("robot", [robot for robot in CATALOGUE.values() if robot.code != "relay_sms"], ids=lambda r: r.code)
@pytest.mark.parametrize("cause", [None, timer_due(), finished()])
def test_a_deleted_card_is_left_in_peace(robot: Robot[Any], cause: TimerDue | None) -> None:
    required = {p.name: "Текст" for p in properties_of(robot.props) if p.required}
    props = from_portal(robot, required)
    world = facts(deleted=True, tasks={500: None}, deals=())
    call = a_call(cause)
    read = dict.fromkeys(robot.needs(call, props, world))
    outcome = robot.decide(call, props, type(world)({need: world[need] for need in read}))
    assert not [action for action in outcome.actions if action.kind not in ("cancel_timers", "release_slots")]
