"""A stage for every flow, and what holds at the end of each: nobody misused the portal, and nothing failed unseen."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import assembly
from tests.flows.corrections import Loop
from tests.flows.kinds import FILES
from tests.flows.stage import AGREED, Stage, a_stage
from tests.flows.theatre import Theatre, a_theatre, given_out


@pytest.fixture(scope="session", autouse=True)
def process_files_read_once() -> Iterator[None]:
    """Read the process files once for all stages; they are the same for every test."""
    patch = pytest.MonkeyPatch()
    patch.setattr(assembly, "load_processes", cache(assembly.load_processes))
    yield
    patch.undo()


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Stage]:
    """Both sides served, the application not installed yet."""
    with a_stage(tmp_path) as stage:
        yield stage
        assert stage.world.complaints == []


@pytest.fixture(scope="session")
def theatre() -> Iterator[Theatre]:
    """Both sides served, the application installed with its pipelines, both at rest: built once."""
    with a_theatre() as built:
        yield built


@pytest.fixture(scope="session")
def theatre_of_three() -> Iterator[Theatre]:
    """The same with a process for leads, one for deals, and one for a smart process the portal had not got before."""
    with a_theatre(files=FILES) as built:
        yield built


@pytest.fixture
def stage(theatre: Theatre) -> Iterator[Stage]:
    """A portal with the application just installed; whatever other flows did has never happened."""
    with given_out(theatre) as given:
        yield given


@pytest.fixture
def three(theatre_of_three: Theatre) -> Iterator[Stage]:
    """An application with processes of three kinds, just installed."""
    with given_out(theatre_of_three) as given:
        yield given


@pytest.fixture(scope="session")
def after_booking(theatre: Theatre) -> Iterator[Theatre]:
    """The day of a deal is agreed, and its visit stands in the calendar."""
    with theatre.played(lambda stage: stage.arrive("date_agreed", **AGREED)) as given:
        yield given


@pytest.fixture
def booked(after_booking: Theatre) -> Iterator[Stage]:
    with given_out(after_booking) as given:
        yield given


# a correction on its way: each part of it is played once, and every flow goes on from where it wants to begin -----------


@pytest.fixture(scope="session")
def after_end(theatre: Theatre) -> Iterator[Theatre]:
    """A deal is lost."""
    with theatre.played(lambda stage: Loop(stage).lost_deal()) as given:
        yield given


@pytest.fixture(scope="session")
def after_summary(after_end: Theatre) -> Iterator[Theatre]:
    """And summed up: a correction is on the desk of the quality officer."""
    with after_end.played(lambda stage: Loop(stage).summed_up(Loop(stage).deal)) as given:
        yield given


@pytest.fixture(scope="session")
def after_analysis(after_summary: Theatre) -> Iterator[Theatre]:
    """And analysed, with violations found: measures are to be worded."""
    with after_summary.played(lambda stage: Loop(stage).analyse(Loop(stage).item)) as given:
        yield given


@pytest.fixture(scope="session")
def before_vote(after_analysis: Theatre) -> Iterator[Theatre]:
    """And its measures are put to the vote."""
    with after_analysis.played(lambda stage: Loop(stage).put_to_the_vote(Loop(stage).item)) as given:
        yield given


@pytest.fixture(scope="session")
def after_vote(before_vote: Theatre) -> Iterator[Theatre]:
    """And agreed on: changes are begun."""
    with before_vote.played(lambda stage: Loop(stage).agree(Loop(stage).item)) as given:
        yield given


@pytest.fixture
def loop(stage: Stage) -> Loop:
    """Nothing has ended yet that could be corrected."""
    return Loop(stage)


def begins(after: str) -> Any:
    """Make a fixture: the loop as a theatre of this name gives it out."""

    @pytest.fixture
    def given(request: pytest.FixtureRequest) -> Iterator[Loop]:
        with given_out(request.getfixturevalue(after)) as stage:
            yield Loop(stage)

    return given


ended = begins("after_end")
begun = begins("after_summary")
analysed = begins("after_analysis")
voting = begins("before_vote")
agreed = begins("after_vote")
