"""On PostgreSQL: the ceiling deal from its contract to the last payment, and the jobs of workers that die."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from psycopg import sql

from b24app.core.item import ItemRef
from b24app.core.overview import Choice
from b24app.engine.figures.exporting import Exported, export
from b24app.engine.figures.exports import look
from b24app.engine.people import head_of_quality
from b24app.engine.restored import note_restored
from b24app.engine.running.queueing import TASK, apply_schema, conninfo, take_over
from tests.flows.copies import Rows
from tests.flows.corrections import Loop
from tests.flows.cuts import picture
from tests.flows.stage import ADMIN, AGREED, ALEXEY, HEAD, MONDAY, SUMMING_UP, Stage, a_file, a_stage

pytestmark = pytest.mark.postgres
SERVER = os.environ.get("B24APP_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


@pytest.fixture
def database_url() -> Iterator[str]:
    """Create a database for this test and drop it afterwards; without a server the tests are skipped."""
    name = f"b24app_flows_{uuid4().hex[:12]}"
    try:
        server = psycopg.connect(SERVER, autocommit=True, connect_timeout=2)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL at hand: {error}".partition("\n")[0])
    with server:
        server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        server.execute(sql.SQL("alter database {} set synchronous_commit = off").format(sql.Identifier(name)))
        yield f"{SERVER.rpartition('/')[0]}/{name}".replace("postgresql://", "postgresql+psycopg://")
        server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def stage(tmp_path: Path, database_url: str) -> Iterator[Stage]:
    apply_schema(database_url)
    with a_stage(tmp_path, database_url=database_url) as stage:
        stage.install()
        stage.settle()
        yield stage
        assert stage.world.complaints == []
        assert stage.troubles() == []


def test_a_deal_walks_all_stages_with_every_branch_on_its_way(stage: Stage) -> None:
    deal = stage.new_deal(contactId=1, opportunity=100000, currencyId="RUB")
    stage.turn(hours=24)
    assert len(stage.titles(deal, user=HEAD)) == 1
    stage.move(deal, "contract_signed")
    assert stage.stage_of(deal) == "contract"
    stage.write(deal, contract_file=a_file())
    stage.close(deal, "Подписать договор")
    stage.move(deal, "contract_signed")
    stage.close(deal, "дату предоплаты")
    stage.move(deal, "materials_paid")
    stage.close(deal, "Закупить", tick=False)
    assert stage.task(deal, "Закупить")["status"] in ("2", "3")
    stage.turn(minutes=1)
    stage.close(deal, "Закупить")
    stage.move(deal, "materials_bought")
    stage.write(deal, **{**AGREED, "install_date": "2026-05-29"})
    stage.close(deal, "Согласовать дату и время")
    stage.move(deal, "date_agreed")
    assert stage.stage_of(deal) == "materials_bought"
    stage.write(deal, install_date="2026-06-08")
    stage.move(deal, "date_agreed")
    assert stage.visits(ALEXEY) == ["08.06 10:00"]
    stage.turn(days=3)
    stage.close(deal, "Позвонить клиенту")
    stage.move(deal, "installation_set")
    stage.close(deal, "Выполнить монтаж", by=ALEXEY)
    stage.turn(hours=2)
    stage.close(deal, "узнать мнение")
    stage.move(deal, "work_done")
    stage.close(deal, "оплата за выполненные")
    stage.move(deal, "paid_accepted")
    assert stage.stage_of(deal) == "paid_accepted"
    assert (stage.titles(deal), list(stage.waiting())) == ([SUMMING_UP], ["control:summary"])
    assert len(stage.world.sms.outbox) == 1
    its_analysis_is_exported(Loop(stage), ItemRef(2, deal))


def its_analysis_is_exported(loop: Loop, deal: ItemRef) -> None:
    """Export a cancelled analysis while another exporter tries the same."""
    workshop, met = loop.stage.application.workshop, list[Exported]()
    loop.items.move(loop.summed_up(deal), "cancelled")

    def sleep(length: timedelta) -> None:
        loop.stage.clock.advance(length)

    def meanwhile(server: str, methods: tuple[str, ...]) -> None:
        if server == "sheets" and not met:
            met.append(export(workshop, sleep))

    loop.stage.world.before_request = meanwhile
    done = look(workshop, sleep)
    assert done is not None
    assert (done.how, done.rows, met) == ("done", 1, [Exported("busy")])
    assert look(workshop, sleep) is None
    loop.stage.clock.advance(timedelta(minutes=15))
    assert look(workshop, sleep) == Exported("done")  # an increment with nothing to write
    portal = workshop.portal(loop.stage.portal_id)
    figures = head_of_quality.look(workshop, portal, ADMIN, Choice(MONDAY.date()), "ru", admin=True)
    assert (figures.whole.cancelled, figures.pipelines) == (1, ("Продажа и монтаж подвесных потолков",))


def test_what_was_done_since_a_copy_that_is_put_back_is_not_done_again(stage: Stage) -> None:
    copy = Rows.of(stage)
    deal = stage.arrive("installation_set", **AGREED)
    stage.close(deal, "Выполнить монтаж", by=ALEXEY)
    seen = picture(stage, deal)
    copy.put_back(stage)
    note_restored(stage.application.workshop, "Анна")
    stage.settle()
    assert picture(stage, deal) == seen
    stage.close(deal, "узнать мнение")
    assert stage.task(deal, "Выполнить монтаж")["status"] == "5"


def test_two_orders_for_one_installer_are_decided_one_after_the_other(stage: Stage) -> None:
    first = stage.arrive("date_agreed", **AGREED)
    second = stage.arrive("date_agreed", "Потолки, пр. Мира, 10", **AGREED)
    assert (stage.stage_of(first), stage.stage_of(second)) == ("date_agreed", "materials_bought")
    assert "занят другим заказом" in stage.comments(second)[0]


async def after_a_worker_died(url: str) -> list[object]:
    """Let a worker die over a portal's job while the clock puts down the next one; return whose jobs others get then."""
    app = App(connector=PsycopgConnector(conninfo=conninfo(url), min_size=1, max_size=2))
    task = app.configure_task(TASK, lock="portal:7", queueing_lock="portal:7")
    async with app.open_async():
        dead, living = await app.job_manager.register_worker(), await app.job_manager.register_worker()
        await task.defer_async(portal_id=7)
        assert await app.job_manager.fetch_job(None, dead) is not None
        await task.defer_async(portal_id=7)
        with pytest.raises(AlreadyEnqueued):
            await task.defer_async(portal_id=7)
        before = await app.job_manager.fetch_job(None, living)
        await app.connector.execute_query_async(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour' WHERE id = %(dead)s", dead=dead
        )
        await take_over(app)
        got = [before, await app.job_manager.fetch_job(None, living), await app.job_manager.fetch_job(None, living)]
        return [job.task_kwargs["portal_id"] if job else None for job in got]


def test_a_dead_workers_portal_goes_to_a_living_one_though_a_job_for_it_waits_already(database_url: str) -> None:
    """The clock puts one down every second."""
    apply_schema(database_url)
    with ThreadPoolExecutor(1) as thread:  # of its own: in this one a browser's loop may be running
        assert thread.submit(asyncio.run, after_a_worker_died(database_url)).result() == [None, 7, None]
