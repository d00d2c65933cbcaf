"""The doctor: what is wrong with an installation and its portals, why, what to do about it, and doing what can be done.

Each portal costs a handful of requests out of its budget. Pages: api-reference/events/test-handler.md,
settings/oauth/auto-renewal.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError

from b24app.bitrix.commands import Command
from b24app.bitrix.errors import BudgetExhausted, PortalError
from b24app.bitrix.events import TEST_EVENT
from b24app.bitrix.gate import Gate
from b24app.bitrix.replies import Reply
from b24app.core.text import Lang, T
from b24app.engine.access import StoredTokens, gate_of
from b24app.engine.knowledge import known
from b24app.engine.notes import ROUND_TRIP, note_down, noted
from b24app.engine.setup import layout
from b24app.engine.setup.install import AlreadyRunning, given_hashes, progress, report_of, set_up, wanted_entries
from b24app.engine.setup.registration import READS, Change, Present, differences, present
from b24app.engine.watching import doctor_checks as checks
from b24app.engine.watching import doctor_processes as pipelines
from b24app.engine.watching.admin import find_portal
from b24app.engine.watching.alarms import silence_of
from b24app.engine.watching.doctor_cards import cards
from b24app.engine.watching.doctor_checks import Finding, Level, Mend
from b24app.engine.watching.doctor_sheets import sheets
from b24app.engine.workshop import Workshop
from b24app.settings import OFFICIAL_OAUTH_HOSTS
from b24app.store import views
from b24app.store.database import is_shared
from b24app.store.migrate import behind, migrate
from b24app.store.portals import Portal
from b24app.store.secrets import WrongSecretKey
from b24app.store.vitals import waiting_since

Sleep = Callable[[float], None]
_R = TypeVar("_R")

PATIENCE = 20.0
"""Seconds a test event may take to come back."""
LOOK = 0.5
TURNS = 30
"""How often the budget is waited for before giving up."""

_ASKED = (Command("profile"), Command("server.time"), Command("scope"), *READS)
_EXIT: dict[Level, int] = {"ok": 0, "note": 0, "warning": 1, "broken": 2}
_MARKS: dict[Level, str] = {"ok": "+", "note": ".", "warning": "!", "broken": "X"}
_MENDED: dict[Mend, T] = {
    "migrate": T("база данных обновлена", "the database was migrated"),
    "lock": T("токены зашифрованы новым ключом", "the tokens were encrypted with the new key"),
    "renew": T("токены обновлены", "the tokens were renewed"),
    "set_up": T("регистрация восстановлена", "the registration was restored"),
    "fields": T("поля созданы", "the fields were created"),
    "card": T("поля выведены в карточки", "the fields were put into cards"),
}


@dataclass(frozen=True, slots=True)
class Examined:
    """The findings of one place: a portal's host, or the installation (empty); what was mended, and what could not be."""

    place: str
    findings: tuple[Finding, ...]
    mended: tuple[T, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found."""

    parts: tuple[Examined, ...]

    @property
    def exit_code(self) -> int:
        """0: fine; 1: warnings; 2: something is broken."""
        return max((_EXIT[finding.level] for part in self.parts for finding in part.findings), default=0)

    def lines(self, lang: Lang) -> Iterator[str]:
        """Write the findings for a terminal."""
        for part in self.parts:
            yield part.place or T("Установка", "Installation").at(lang)
            for finding in part.findings:
                yield f"  {_MARKS[finding.level]} {finding.code}: {finding.text.at(lang)}"
                if finding.remedy and finding.level in ("warning", "broken"):
                    yield f"      → {finding.remedy.at(lang)}"
            yield from (f"  * {said.at(lang)}" for said in part.mended)

    def as_json(self, lang: Lang) -> dict[str, Any]:
        def told(finding: Finding) -> dict[str, Any]:
            return {
                "code": finding.code,
                "level": finding.level,
                "text": finding.text.at(lang),
                "remedy": finding.remedy.at(lang),
                "fixable": bool(finding.mend),
            }

        parts = [
            {"place": p.place, "findings": [told(f) for f in p.findings], "mended": [m.at(lang) for m in p.mended]}
            for p in self.parts
        ]
        return {"exit_code": self.exit_code, "parts": parts}


def diagnose(workshop: Workshop, portal: str = "", *, fix: bool = False, sleep: Sleep = time.sleep) -> Diagnosis:
    """Examine the installation and its portals (or one), and with ``fix`` mend what can be mended and look again.

    ``portal`` is a number, a ``member_id`` or a host. Nothing is raised for what is found wrong; raises `NotThere` for a
    portal nobody knows.
    """
    general = _installation(workshop, fix)
    if any(finding.code == "database" and finding.level == "broken" for finding in general.findings):
        return Diagnosis((general,))
    with workshop.database.read() as connection:
        stored = [known.id for known in workshop.portals.all(connection)]
    wanted = [find_portal(workshop, portal).id] if portal else stored
    return Diagnosis((general, *(_portal(workshop, number, fix, sleep) for number in wanted)))


# The installation ------------------------------------------------------------------------------------------------------


def _installation(workshop: Workshop, fix: bool) -> Examined:
    found, mended = [*_settings(workshop), *_database(workshop)], list[T]()
    if fix and any(finding.mend == "migrate" for finding in found):
        url = workshop.settings.database_url
        migrate(url)
        if is_shared(url):
            from b24app.engine.running.queueing import apply_schema

            apply_schema(url)
        found, mended = [*_settings(workshop), *_database(workshop)], [_MENDED["migrate"]]
    if fix and any(finding.mend == "lock" for finding in found):
        with workshop.database.write() as connection:
            workshop.portals.lock_again(connection)
        found, mended = [*_settings(workshop), *_database(workshop)], [*mended, _MENDED["lock"]]
    if all(finding.level != "broken" for finding in found if finding.code == "database"):
        found += sheets(workshop)
    return Examined("", tuple(found), tuple(mended))


def _settings(workshop: Workshop) -> Iterator[Finding]:
    settings = workshop.settings
    if settings.public_url.startswith("https://"):
        yield Finding("address", "ok", T("Адрес: {url}", "Address: {url}").fill(url=settings.public_url))
    else:
        text = T("Адрес без https: {url}", "The address is not https: {url}").fill(url=settings.public_url)
        remedy = T("Портал вызывает только https-адреса: B24APP_PUBLIC_URL", "Portals call https only: B24APP_PUBLIC_URL")
        yield Finding("address", "warning", text, remedy)
    strange = [host for host in settings.oauth_hosts if host not in OFFICIAL_OAUTH_HOSTS]
    if strange:
        text = T("Сервер авторизации не Битрикс24: {hosts}", "An authorization server that is not Bitrix24's: {hosts}")
        remedy = T("Уберите B24APP_OAUTH_HOSTS", "Leave B24APP_OAUTH_HOSTS out")
        yield Finding("oauth", "warning", text.fill(hosts=", ".join(strange)), remedy)
    number = len(workshop.processes) + sum(len(own) for own in workshop.portal_processes.values())
    text = T("Файлов процессов: {n}", "Process files: {n}").fill(n=number)
    yield Finding("files", "ok" if number else "note", text)


def _database(workshop: Workshop) -> Iterator[Finding]:
    try:
        with workshop.database.read() as connection:
            if behind(connection):
                text = T("База данных не обновлена до этой версии", "The database lacks migrations of this version")
                yield Finding("database", "broken", text, T.same("flask --app app migrate, doctor --fix"), "migrate")
                return
            portals = workshop.portals.all(connection)
    except WrongSecretKey:
        text = T("Токены зашифрованы другим ключом", "The tokens were encrypted with another key")
        yield Finding("database", "broken", text, T("Верните прежний B24APP_SECRET_KEY", "Bring back the B24APP_SECRET_KEY"))
        return
    except DBAPIError as trouble:
        text = T("База данных не отвечает: {error}", "The database does not answer: {error}")
        remedy = T("Проверьте B24APP_DATABASE_URL и сам сервер", "See to B24APP_DATABASE_URL and the server itself")
        yield Finding("database", "broken", text.fill(error=type(trouble.orig).__name__), remedy)
        return
    yield Finding("database", "ok", T("База данных отвечает", "The database answers"))
    if workshop.settings.secret_key_other:
        yield _secret_keys(workshop)
    if not portals:
        remedy = T("Администратор портала открывает приложение", "An administrator of the portal opens the application")
        yield Finding("portals", "warning", T("Порталов ещё нет", "There is no portal yet"), remedy)


def _secret_keys(workshop: Workshop) -> Finding:
    """Judge how far the change of the secret key has come."""
    with workshop.database.read() as connection:
        left = len(workshop.portals.locked_with_another_key(connection))
    if left:
        text = T("Порталов, чьи токены зашифрованы вторым ключом: {n}", "Portals whose tokens the other key encrypted: {n}")
        remedy = T.same("flask --app app migrate, doctor --fix")
        return Finding("secret_key", "warning", text.fill(n=left), remedy, "lock")
    text = T("Ключ сменён: уберите B24APP_SECRET_KEY_OTHER", "The key is changed: take B24APP_SECRET_KEY_OTHER away")
    return Finding("secret_key", "note", text)


# A portal --------------------------------------------------------------------------------------------------------------


def _portal(workshop: Workshop, portal_id: int, fix: bool, sleep: Sleep) -> Examined:
    findings = _examined(workshop, portal_id, sleep)
    mends = dict.fromkeys(finding.mend for finding in findings if finding.mend)
    if not fix or not mends:
        return Examined(workshop.portal(portal_id).host, tuple(findings))
    mended = [_mended(workshop, portal_id, mend, sleep) for mend in mends]
    return Examined(workshop.portal(portal_id).host, tuple(_examined(workshop, portal_id, sleep)), tuple(mended))


def _mended(workshop: Workshop, portal_id: int, mend: Mend, sleep: Sleep) -> T:
    """Mend one thing and say what came of it."""
    portal = workshop.portal(portal_id)
    try:
        match mend:
            case "renew":
                StoredTokens(workshop, portal_id, sleep).renew(portal.grant.access)
            case "set_up":
                _patiently(lambda: set_up(workshop, portal, sleep=sleep), sleep)
            case "fields":
                gate = gate_of(workshop, portal, sleep=sleep)
                _patiently(lambda: pipelines.mend_fields(workshop, portal, gate), sleep)
                _patiently(lambda: layout.place(workshop, portal, gate), sleep)
            case "card":
                gate = gate_of(workshop, portal, sleep=sleep)
                _patiently(lambda: layout.place(workshop, portal, gate), sleep)
            case _:
                return T.same(mend)
    except (AlreadyRunning, PortalError) as error:
        return T("не удалось исправить: {error}", "could not be mended: {error}").fill(error=error)
    return _MENDED[mend]


def _examined(workshop: Workshop, portal_id: int, sleep: Sleep) -> list[Finding]:
    portal = workshop.portal(portal_id)
    found = [checks.portal_state(portal)]
    if portal.state == "removed":
        return found
    found += [checks.token_age(portal, workshop.now()), *_stored(workshop, portal)]
    if portal.state == "reconnect":
        return found
    try:
        found += _patiently(lambda: list(_asked(workshop, portal, sleep)), sleep)
    except PortalError as error:
        portal = workshop.portal(portal_id)
        if portal.state == "reconnect":  # that is what the question came to
            return [checks.portal_state(portal), *found[1:]]
        text = T("Портал не отвечает: {error}", "The portal does not answer: {error}").fill(error=error)
        found.append(Finding("portal", "broken", text, T("Повторите через несколько минут", "Try again in some minutes")))
    return found


def _stored(workshop: Workshop, portal: Portal) -> Iterator[Finding]:
    """Judge what needs no question to the portal."""
    now = workshop.now()
    with workshop.database.read() as connection:
        reads = workshop.portals.reads(connection, portal.id)
        waiting = waiting_since(connection, portal.id, now)
        incidents = views.incidents(connection, portal.id)
        silent = silence_of(connection, portal, now)
    if portal.works:
        yield from checks.waiting(waiting, reads, now, timedelta(seconds=workshop.settings.reader_period))
    yield checks.silence(silent)
    yield checks.failures(incidents)


def _asked(workshop: Workshop, portal: Portal, sleep: Sleep) -> Iterator[Finding]:
    """Judge what the portal answers; raises ``PortalError`` when it does not."""
    gate = gate_of(workshop, portal, sleep=sleep)
    parts = layout.parts(workshop, portal)
    layouts = layout.reading(parts)
    answers = gate.batch([*_ASKED, *layouts.values()])
    _raise_for_all(answers)
    profile, clock, scope, *lists = answers[: len(_ASKED)]
    yield checks.token_user(profile)
    yield checks.clock_skew(clock, workshop.now())
    yield from checks.scopes(scope)
    has = present(lists)
    changes = differences(wanted_entries(workshop, portal.id), has, given_hashes(workshop, portal.id))
    yield from checks.registered(changes, has, _refused(workshop, portal, changes))
    tied = pipelines.tied_processes(workshop, portal)
    enabled = [one.process for one in tied if one.tie.enabled]
    yield from pipelines.examine(workshop, portal, tied, pipelines.seen_by(gate, tied))
    read = dict(zip(layouts, answers[len(_ASKED) :], strict=True))
    yield from cards(parts, read, layout.remembered(workshop, portal.id))
    yield from checks.people(portal, known(workshop, portal, gate).people, enabled)
    yield checks.gateway(portal, enabled)
    yield _way_in(workshop, portal, gate, has, sleep)


def _refused(workshop: Workshop, portal: Portal, changes: Iterable[Change]) -> set[str]:
    """Return the changes of optional things the last set-up tried, which the portal does not offer."""
    failed = {(line.kind, line.code) for line in report_of(progress(workshop, portal.id)).failures if line.optional}
    return {change.key for change in changes if (change.kind, change.code.split(" ")[0]) in failed}


def _way_in(workshop: Workshop, portal: Portal, gate: Gate, has: Present, sleep: Sleep) -> Finding:
    """Have the portal send a test event and wait for it to arrive at our address; raises ``PortalError``."""
    if not any(code.startswith(f"{TEST_EVENT} ") for code in has.found.get("event", {})):
        text = T("Тестовое событие не подписано", "The test event is not bound")
        return Finding("way_in", "warning", text, T.same("doctor --fix"), "set_up")
    with workshop.database.write() as connection:
        note_down(workshop, connection, portal.id, {ROUND_TRIP: None})
    gate.call(Command("event.test", {"asked_by": "doctor"}))
    waited = 0.0
    while (came := noted(workshop, portal.id, ROUND_TRIP)) is None and waited < PATIENCE:
        sleep(LOOK)
        waited += LOOK
    if came is None:
        text = T("Тестовое событие не пришло за {n} с", "The test event did not come within {n} s").fill(n=int(PATIENCE))
        remedy = T(
            "Отвечает ли {url}/b24/event из интернета, годен ли сертификат, работает ли serve (или web)?",
            "Does {url}/b24/event answer from the internet, is the certificate good, does serve (or web) run?",
        )
        return Finding("way_in", "broken", text, remedy.fill(url=workshop.settings.public_url))
    return Finding("way_in", "ok", T("Тестовое событие пришло", "The test event came"))


def _raise_for_all(answers: Sequence[Reply | PortalError]) -> None:
    """Raise what kept all of the answers from coming."""
    errors = [answer for answer in answers if isinstance(answer, PortalError)]
    if errors and (len(errors) == len(answers) or errors[0].stops_portal):
        raise errors[0]


def _patiently(do: Callable[[], _R], sleep: Sleep) -> _R:
    """Do something again while the portal's request budget is spent; raises what else it meets."""
    for _ in range(TURNS):
        try:
            return do()
        except BudgetExhausted as spent:
            sleep(spent.wait)
    return do()
