"""What the doctor judges, check by check; how his answer is given; what is cleared away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskCliRunner

import app
import assembly
from b24app.bitrix.errors import AccessDenied, PortalError
from b24app.bitrix.replies import Reply, Timing
from b24app.core.actions import Notify
from b24app.core.item import ItemRef, People, User
from b24app.core.portal import Gateway, PortalSettings, Secrets
from b24app.core.text import T
from b24app.engine.watching import doctor_checks as checks
from b24app.engine.watching.doctor import Diagnosis, Examined, diagnose
from b24app.engine.watching.doctor_checks import Finding, Level
from b24app.settings import Settings
from b24app.store import journal, queue, timers
from b24app.store import tables as t
from b24app.store.portals import Reads
from b24app.store.retention import clear_inbox, clear_journal, forget_item
from b24app.store.secrets import WrongSecretKey
from b24app.store.vitals import Waiting, waiting_since
from tests.shop import START, Shop, shop
from tests.world import process_files

DEAL = ItemRef(2, 41)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Shop]:
    found = shop(tmp_path)
    found.add_portal()
    yield found
    found.workshop.database.close()


def answer(result: Any) -> Reply:
    return Reply(result, None, None, Timing())


def levels(found: Iterator[Finding]) -> list[Level]:
    return [finding.level for finding in found]


@pytest.mark.parametrize(
    ("days", "level", "mend"), [(0, "ok", ""), (34, "ok", ""), (35, "warning", "renew"), (180, "broken", "")]
)
def test_a_token_is_judged_by_its_age(opened: Shop, days: int, level: str, mend: str) -> None:
    found = checks.token_age(opened.workshop.portal(1), START + timedelta(days=days))

    assert (found.level, found.mend) == (level, mend)


@pytest.mark.parametrize(("seconds", "level"), [(-59, "ok"), (61, "warning"), (-301, "broken"), (7200, "broken")])
def test_clocks_that_are_apart_are_judged_by_how_far(seconds: int, level: str) -> None:
    there = (START + timedelta(seconds=seconds)).isoformat()
    assert checks.clock_skew(answer(there), START).level == level


def test_a_clock_that_says_nonsense_is_a_warning() -> None:
    assert checks.clock_skew(answer("soon"), START).level == "warning"
    assert checks.clock_skew(AccessDenied(), START).level == "warning"


@pytest.mark.parametrize(
    ("result", "level"),
    [({"ID": "1", "ADMIN": True}, "ok"), ({"ID": "1", "ADMIN": False}, "broken"), (AccessDenied(), "broken")],
)
def test_the_token_has_to_be_an_administrators(result: Any, level: str) -> None:
    given = result if isinstance(result, PortalError) else answer(result)
    assert checks.token_user(given).level == level


def test_either_scope_for_employees_will_do_and_optional_ones_are_only_noted() -> None:
    needed = {next(iter(wanted)) for wanted, _ in checks.SCOPES} - {"user", "user_basic"}

    assert levels(checks.scopes(answer([*needed, "user_basic"]))) == ["note"] * len(checks.OPTIONAL_SCOPES) + ["ok"]
    assert levels(checks.scopes(answer([*needed, *checks.OPTIONAL_SCOPES]))) == ["broken"]


@pytest.mark.parametrize(
    ("age", "level"),
    [(9 * MINUTE, "ok"), (11 * MINUTE, "warning"), (61 * MINUTE, "broken")],
    ids=["young", "late", "too late"],
)
def test_waiting_work_is_judged_by_its_age(age: timedelta, level: str) -> None:
    reads = Reads(1, 1, START, None)
    found = list(checks.waiting(Waiting(None, START - age, START), reads, START, MINUTE))

    assert [finding.level for finding in found if finding.code == "work"] == [level]


@pytest.mark.parametrize(
    ("read_at", "not_before", "level"),
    [(None, None, "broken"), (START - 10 * MINUTE, None, "broken"), (START - 10 * MINUTE, START + MINUTE, "note")],
    ids=["never", "long ago", "the portal asked for a pause"],
)
def test_a_history_nobody_reads_is_broken_unless_the_portal_asked_for_it(read_at: Any, not_before: Any, level: str) -> None:
    found = next(checks.waiting(Waiting(None, None, None), Reads(1, 1, read_at, not_before), START, MINUTE))
    assert found.level == level


def test_dismissed_people_are_named_where_they_are_named(opened: Shop) -> None:
    settings = PortalSettings(fallback=2, stand_ins={"head": 3}, crew_users=(1, 3))
    portal = replace(opened.workshop.portal(1), settings=settings)
    known = People({1: User(1, "Анна"), 2: User(2, "Борис", active=False)})

    found = list(checks.people(portal, known, []))

    assert [(f.level, f.text.en) for f in found] == [
        ("broken", "the last resort: Борис does not work here"),
        ("warning", "stand-in for head: № 3 does not work here"),
        ("warning", "the crew: № 3 does not work here"),
    ]


def test_an_open_role_is_complained_of_by_its_title_until_somebody_is_named(opened: Shop) -> None:
    titles = {"officer": T("Сотрудник отдела качества", "Quality officer")}
    process = replace(next(iter(process_files().values())), roles={"officer": "", "head": "user(1)"}, role_titles=titles)
    known = People({1: User(1, "Анна")})
    portal = opened.workshop.portal(1)
    chosen = replace(portal, settings=PortalSettings(stand_ins={"officer": 1}))

    (complaint,) = checks.people(portal, known, [process, process])
    assert (complaint.code, complaint.level) == ("roles", "warning")
    assert complaint.text.en.endswith("their tasks: Quality officer")
    assert complaint.remedy
    assert levels(checks.people(chosen, known, [process])) == ["ok"]


def test_a_missing_gateway_matters_where_a_process_sends_sms(opened: Shop) -> None:
    portal, files = opened.workshop.portal(1), list(process_files().values())
    sending = [process for process in files if checks.sends_sms(process)]
    ready = replace(portal, secrets=Secrets(gateway=Gateway(url="https://sms.example/")))

    assert sending
    assert checks.gateway(portal, files).level == "warning"
    assert checks.gateway(portal, [process for process in files if process not in sending]).level == "note"
    assert checks.gateway(ready, files).level == "ok"


@pytest.mark.parametrize(
    ("found", "code"), [((), 0), (("ok", "note"), 0), (("ok", "warning"), 1), (("broken", "warning"), 2)]
)
def test_the_exit_code_is_that_of_the_worst(found: tuple[Level, ...], code: int) -> None:
    findings = tuple(Finding("x", level, T.same("y")) for level in found)
    assert Diagnosis((Examined("", findings),)).exit_code == code


@pytest.mark.parametrize(
    ("seconds", "ru", "en"), [(90, "90 с", "90 s"), (600, "10 мин", "10 min"), (86_400 * 5, "5 дней", "5 days")]
)
def test_lengths_are_said_in_words(seconds: int, ru: str, en: str) -> None:
    assert checks.length(timedelta(seconds=seconds)) == T(ru, en)


# On the command line -------------------------------------------------------------------------------------------------------


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskCliRunner]:
    """The command line of an installation whose database was never migrated."""
    settings = Settings(
        public_url="https://app.example",
        client_id="local.1",
        client_secret="client-secret",
        secret_key="0123456789abcdef",
        admin_token="operators-token-1",
        database_url=f"sqlite:///{tmp_path / 'cli.db'}",
        lang="en",
    )
    monkeypatch.setattr(app, "load_processes", lambda _folder: (dict(process_files()), {}))
    made = assembly.assemble(settings)
    made.web.extensions["b24app"] = made
    app._add_commands(made.web)
    yield made.web.test_cli_runner()
    made.workshop.database.close()


def test_the_doctor_answers_on_the_command_line(runner: FlaskCliRunner) -> None:
    broken = runner.invoke(args=["doctor", "--json"])
    mended = runner.invoke(args=["doctor", "--fix"])

    (part,) = json.loads(broken.stdout)["parts"]
    assert broken.exit_code == 2
    assert [(f["code"], f["fixable"]) for f in part["findings"] if f["level"] == "broken"] == [("database", True)]
    assert mended.exit_code == 1, "there is no portal yet, which is a warning"
    assert "the database was migrated" in mended.stdout


def test_a_portal_nobody_knows_is_an_error(runner: FlaskCliRunner) -> None:
    runner.invoke(args=["doctor", "--fix"])
    said = runner.invoke(args=["doctor", "--portal", "nowhere.bitrix24.ru"])

    assert said.exit_code == 2
    assert "There is no portal nowhere.bitrix24.ru." in said.stderr


def test_another_secret_key_is_named_and_nothing_more_is_looked_at(opened: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("b24app.engine.watching.doctor.behind", lambda _connection: False)
    other = shop(Path(opened.workshop.database.engine.url.database or "").parent, secret_key="another-key-of-16")

    (part,) = diagnose(other.workshop).parts

    assert [f.remedy.en for f in part.findings if f.level == "broken"] == ["Bring back the B24APP_SECRET_KEY"]
    other.workshop.database.close()


def test_a_change_of_the_secret_key_is_followed_to_its_end(opened: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("b24app.engine.watching.doctor.behind", lambda _connection: False)
    folder, new = Path(opened.workshop.database.engine.url.database or "").parent, "the-new-key-of-16"
    changing = shop(folder, secret_key=new, secret_key_other=opened.workshop.settings.secret_key)

    def judged(fix: bool) -> list[tuple[str, bool]]:
        parts = diagnose(changing.workshop, fix=fix, sleep=lambda _seconds: None).parts
        return [(f.level, "1" in f.text.en) for f in parts[0].findings if f.code == "secret_key"]

    assert judged(fix=False) == [("warning", True)]
    assert judged(fix=True) == [("note", False)]
    assert shop(folder, secret_key=new).workshop.portal(1).grant.refresh == "refresh-1"
    with pytest.raises(WrongSecretKey):
        opened.workshop.portal(1)


# Rows ----------------------------------------------------------------------------------------------------------------------


def a_run(opened: Shop, key: str, state: journal.ActionState = "done") -> int:
    """Write down a run of the deal with one action."""
    with opened.workshop.database.write() as connection:
        run_id = journal.add_run(
            connection,
            1,
            key=key,
            item=DEAL,
            robot="notify",
            ok=True,
            why=T.same("because"),
            state="decided",
            at=opened.clock(),
            work_id=None,
            entry_id=None,
            process="",
            version="",
            stage_id="",
            cause={},
            props={},
            facts={},
            returns={},
        )
        assert run_id is not None
        journal.add_action(connection, 1, run_id, DEAL, key, Notify(1, "Привет", DEAL), state, opened.clock())
    return run_id


def ids(opened: Shop, table: Any) -> list[int]:
    with opened.workshop.database.read() as connection:
        return [row.id for row in connection.execute(table.select().order_by(table.c.id))]


def test_runs_go_with_their_actions_once_nothing_hangs_on_them(opened: Shop) -> None:
    a_run(opened, "settled")
    waits = a_run(opened, "waits", "pending")
    opened.clock.turn(days=10)
    young = a_run(opened, "young")

    with opened.workshop.database.write() as connection:
        cleared = clear_journal(connection, opened.clock() - timedelta(days=1))

    assert cleared["runs"] == 1
    assert ids(opened, t.runs) == [waits, young]
    assert len(ids(opened, t.actions)) == 2


def test_clearing_takes_portions(opened: Shop) -> None:
    for number in range(5):
        a_run(opened, f"run-{number}")
    before = opened.clock() + MINUTE

    with opened.workshop.database.write() as connection:
        assert [clear_journal(connection, before, 3)["runs"] for _ in range(3)] == [3, 2, 0]


def test_callbacks_nobody_handled_stay_however_old(opened: Shop) -> None:
    with opened.workshop.database.write() as connection:
        for number in range(2):
            queue.receive(connection, 1, "event", {"n": number}, START)
        queue.handled(connection, [1], START)
        assert clear_inbox(connection, START + timedelta(days=1)) == 1

    assert ids(opened, t.inbox) == [2]


def test_one_item_can_be_forgotten(opened: Shop) -> None:
    a_run(opened, "settled")
    with opened.workshop.database.write() as connection:
        queue.add_work(connection, 1, DEAL, "w", "entry", {}, START)
        queue.add_work(connection, 1, ItemRef(2, 42), "other", "entry", {}, START)
        queue.end_work(connection, 1, START)
        queue.end_work(connection, 2, START)
        cleared = forget_item(connection, 1, DEAL)

    assert cleared == {"runs": 1, "work": 1, "timers": 0}
    assert ids(opened, t.work) == [2]
    with opened.workshop.database.read() as connection:
        assert timers.listed(connection, portal_id=1) == []


def test_work_that_was_put_off_waits_from_then_on(opened: Shop) -> None:
    with opened.workshop.database.write() as connection:
        work_id = queue.add_work(connection, 1, DEAL, "w", "entry", {}, START)
        assert work_id is not None
        assert waiting_since(connection, 1, START).work == START
        queue.put_off(connection, work_id, START + MINUTE, "later")
        assert waiting_since(connection, 1, START).work is None
        assert waiting_since(connection, 1, START + 2 * MINUTE).work == START + MINUTE
