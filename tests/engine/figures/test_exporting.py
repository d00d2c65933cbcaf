"""One spreadsheet for the corrections of two portals, kept in one database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from b24app.core.figures import UnclearHistory
from b24app.core.item import ItemRef
from b24app.core.process import ProcessDef
from b24app.core.process_file import read_folder
from b24app.engine.figures import corrections as figuring
from b24app.engine.figures.exporting import Exported, _Export, export
from b24app.engine.figures.exports import status
from b24app.engine.workshop import Workshop
from b24app.settings import Settings
from b24app.store import corrections, entries, processes
from b24app.store.portals import Portal
from b24app.store.processes import Tie
from robots import CATALOGUE
from sandbox.clock import SandboxClock
from sandbox.serve import Running
from sandbox.sheets import sheets_app
from sandbox.sheets_grid import Book
from sandbox.world import World
from tests.builders import MANAGER
from tests.seeded import NOW, House, a_house, a_portal

KIND, CATEGORY = 1032, 9


@cache
def process() -> ProcessDef:
    found = (one.process for one in read_folder(Path("processes"), CATALOGUE))
    return next(one for one in found if one.code == "analysis_and_corrections")


@dataclass
class Office:
    """Two portals and the spreadsheet they share."""

    house: House
    workshop: Workshop
    world: World
    book: Book
    romashka: Portal
    vasilek: Portal

    def sleep(self, length: timedelta) -> None:
        self.house.pass_time(length)

    def export(self, **options: Any) -> Exported:
        return export(self.workshop, self.sleep, **options)

    def correction(self, portal: Portal, number: int, title: str = "Разбор") -> None:
        """Begin a correction; a second time its card is read anew."""
        self.move(portal, number, "ANALYSIS", number)
        with self.house.database.write() as connection:
            corrections.keep_card(connection, portal.id, ItemRef(KIND, number), title, MANAGER, {})

    def move(self, portal: Portal, number: int, stage: str, history_id: int) -> None:
        with self.house.database.write() as connection:
            entries.add(
                connection,
                portal.id,
                ItemRef(KIND, number),
                history_id=history_id,
                stage_id=stage,
                category_id=CATEGORY,
                at=self.house.at[0],
                seen_at=self.house.at[0],
            )

    def rows(self) -> list[tuple[Any, ...]]:
        """Return key, title, and when it started, by the clock of its company."""
        sheet = next(sheet for sheet in self.book.sheets if sheet.title == "Коррекции")
        heads, *lines = sheet.cells
        places = [heads.index(title) for title in ("Ключ (не менять)", "Коррекция", "Дата старта")]
        return [tuple(line[place] for place in places) for line in lines if line and line[0]]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    house = a_house(tmp_path)
    world = World(SandboxClock(NOW))
    running = Running(world)
    world.sheets_domain = running.start(sheets_app(world))
    book = world.sheets.add("Отчёты")
    told = {"spreadsheet_id": book.id, "sheets_url": f"http://{world.sheets_domain}"}
    workshop = replace(house.workshop, settings=house.workshop.settings.model_copy(update=told))
    portals = [a_portal(house), a_portal(house, "vasilek", "vasilek.bitrix24.test", zone="Asia/Vladivostok")]
    with house.database.write() as connection:
        processes.publish(connection, process(), NOW)
        stages = {stage.key: stage.key.upper() for stage in process().stages}
        for portal in portals:
            tie = Tie(process().code, process().version, KIND, CATEGORY, stages, {}, training=True, enabled=True)
            processes.tie(connection, portal.id, tie)
    yield Office(house, workshop, world, book, *portals)
    running.close()


def test_portals_share_a_sheet_each_by_its_own_clock(office: Office) -> None:
    office.correction(office.romashka, 5, title="Ромашка")
    office.correction(office.vasilek, 5, title="Василёк")
    assert (office.export().rows, office.export().rows) == (2, 0)
    keys = [(key, title) for key, title, _ in office.rows()]
    assert keys == [("romashka/T408_5", "Ромашка"), ("vasilek/T408_5", "Василёк")]
    moscow, vladivostok = (serial for _, _, serial in office.rows())
    assert round((vladivostok - moscow) * 24, 3) == 7  # serial numbers count days


def test_only_the_portal_with_changes_is_written(office: Office) -> None:
    office.correction(office.romashka, 5)
    office.correction(office.vasilek, 5)
    office.export()
    office.correction(office.vasilek, 6)
    done = office.export()
    assert (done.rows, done.calls, done.full) == (1, 3, False)


def test_what_ended_long_ago_is_looked_at_by_a_full_export_and_counts_in_the_whole(office: Office) -> None:
    office.correction(office.romashka, 5)
    office.move(office.romashka, 5, "DONE", 55)
    office.correction(office.romashka, 6)
    office.export()
    office.house.pass_time(timedelta(days=61))
    office.export()
    for number in (5, 6):
        office.correction(office.romashka, number, title="Переименован")
    assert office.export().rows == 1
    assert status(office.workshop).row.report["rows"] == 2
    assert [title for _, title, _ in office.rows()] == ["Разбор", "Переименован"]
    assert office.export(full=True).rows == 2
    assert [title for _, title, _ in office.rows()] == ["Переименован", "Переименован"]


def test_a_correction_opened_again_after_a_long_time_is_exported(office: Office) -> None:
    office.correction(office.romashka, 5)
    office.move(office.romashka, 5, "DONE", 55)
    office.export()
    office.house.pass_time(timedelta(days=400))
    assert office.export().rows == 0
    office.move(office.romashka, 5, "MEASURES", 56)
    assert office.export().rows == 1


def test_a_portal_that_waits_for_its_administrator_is_kept_and_one_that_left_is_not(office: Office) -> None:
    office.correction(office.romashka, 5)
    office.correction(office.vasilek, 5)
    with office.house.database.write() as connection:
        office.workshop.portals.set_state(connection, office.romashka.id, "reconnect", "auth_lost")
        office.workshop.portals.set_state(connection, office.vasilek.id, "removed")
    assert office.export().rows == 1
    assert [key for key, _, _ in office.rows()] == ["romashka/T408_5"]


def test_nobody_with_corrections_is_told_and_google_is_not_asked(office: Office) -> None:
    with office.house.database.write() as connection:
        for portal in (office.romashka, office.vasilek):
            office.workshop.portals.set_state(connection, portal.id, "removed")
    assert [notice.en for notice in office.export().notices] == ["No portal has a process of corrections"]
    assert not office.world.sheets.requests


def test_another_spreadsheet_gets_everything(office: Office) -> None:
    office.correction(office.romashka, 5)
    office.export()
    other = office.world.sheets.add("Новая таблица")
    settings = office.workshop.settings.model_copy(update={"spreadsheet_id": other.id})
    office.workshop, office.book = replace(office.workshop, settings=settings), other
    done = office.export()
    assert (done.rows, done.full) == (1, True)
    assert len(office.rows()) == 1


def test_whoever_lost_the_right_writes_no_further_portal_and_remembers_nothing(office: Office) -> None:
    office.correction(office.romashka, 5)
    office.correction(office.vasilek, 5)
    run = _Export(office.workshop, office.book.id, "slow", office.sleep)
    with run.alone() as mine:
        assert mine
        assert run.pulse is not None

        def overtaken(server: str, methods: tuple[str, ...]) -> None:
            assert run.pulse is not None
            if methods == ("values.batchUpdate",) and not run.pulse.lost:
                office.house.pass_time(timedelta(minutes=1))
                run.pulse.lost = True
                assert _Export(office.workshop, office.book.id, "quick", office.sleep)._take()

        office.world.before_request = overtaken
        assert run.run(full=False).how == "failed"
    assert [key for key, _, _ in office.rows()] == ["romashka/T408_5"]
    row = status(office.workshop).row
    assert (row.state, row.trouble, row.full) == ({}, {}, True)  # the other one's row is left alone
    assert office.export() == Exported("busy")
    office.house.pass_time(timedelta(minutes=1))
    assert office.export().rows == 2
    assert len(office.rows()) == 2


def test_a_history_that_is_unclear_is_a_row_without_times_and_told(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.correction(office.romashka, 5, title="Ромашка")

    def unclear(*_: object) -> None:
        raise UnclearHistory("two stages were entered at one moment under one number")

    monkeypatch.setattr(figuring, "times_of", unclear)
    done = office.export()
    assert [notice.en for notice in done.notices] == ["No stage times, the history of the card is unclear: “Ромашка”"]
    assert [title for _, title, _ in office.rows()] == ["Ромашка"]


@pytest.mark.parametrize("written", ["1aB-c_d", "https://docs.google.com/spreadsheets/d/1aB-c_d/edit#gid=0"])
def test_a_spreadsheet_is_named_by_its_id_or_its_address(written: str) -> None:
    settings = Settings(
        public_url="https://app.example.test",
        client_id="app.1",
        client_secret="secret",
        secret_key="k" * 16,
        admin_token="t" * 16,
        spreadsheet_id=written,
    )
    assert (settings.spreadsheet_id, settings.exports) == ("1aB-c_d", False)
    assert settings.model_copy(update={"sheets_credentials": "{}"}).exports
