"""The silence alarm: the stage history moves, and no event comes that told of it.

Nothing is lost by silence, as the reader of the history heals it; but everything happens up to a minute late, and what is
wrong with the way in (bindings, certificate, address) concerns robots too. So it is told: to the log, to operators, to the
portal's administrators at most once a day. Page: api-reference/events/index.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy.engine import Connection

from b24app.calendar import calendar_of
from b24app.core.actions import Notify
from b24app.core.item import ItemRef
from b24app.core.text import T, counted
from b24app.engine.access import reason_of
from b24app.engine.decisions.record import mark_of
from b24app.engine.figures import exports
from b24app.engine.known import people_of
from b24app.engine.notes import note_down
from b24app.engine.watching.metrics import EXPORT_FAILS, EXPORTED, HEALED, PORTALS, SILENT, SPOOL
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.store import audit, journal, queue
from b24app.store.portals import Portal
from b24app.store.spool import came_at
from b24app.store.vitals import entries_after, last_event

SILENT_AFTER = timedelta(hours=2)
"""How long a stage entry may be without any event after it before that counts as silence."""
UNREAD_AFTER = timedelta(minutes=10)
"""How long a portal may refuse to be read before operators are told."""
SKEW = timedelta(minutes=10)
"""By how much a portal's clock may be ahead of ours without its last entry counting as untold."""
ROBOT = "events_silent"
"""The name of the alarm among the runs of the journal."""

_TOLD = "silence"
"""The note of the day administrators were told of."""
_WHY = T(
    "Сделки двигаются с {since}, а портал не сообщил ни об одном событии: {entries}",
    "Deals have been moving since {since}, and the portal has told of no event: {entries}",
)
_NOTICE = T(
    "Приложение «Процессы»: портал перестал присылать события. С {since} прочитано из истории: {entries}. Работа идёт, но "
    "с опозданием до минуты. Откройте приложение и нажмите «Проверить и восстановить регистрацию» или попросите оператора "
    "запустить doctor --fix.",
    "Application “Processes”: the portal no longer sends events. Read from the history since {since}: {entries}. Work goes "
    "on, but up to a minute late. Open the application and press “Check and restore the registration”, or ask the operator "
    "to run doctor --fix.",
)

_OPEN = T(
    "Администратор портала открывает приложение: его вход возвращает доступ",
    "An administrator of the portal opens the application: that gives access back",
)
_MEND = T(
    "doctor --fix проверит и восстановит подписки; затем проверьте адрес и сертификат",
    "doctor --fix checks and restores the bindings; then see to the address and the certificate",
)

_UNREAD = T("Портал не удаётся прочитать с {since}: {why}", "The portal cannot be read since {since}: {why}")
_WAIT = T(
    "Работа ждёт и продолжится сама, когда портал ответит; при OVERLOAD_LIMIT обратитесь в поддержку Битрикс24",
    "The work waits and goes on by itself once the portal answers; with OVERLOAD_LIMIT ask the support of Bitrix24",
)
_KEPT = T(
    "База данных не приняла обращения порталов, они лежат на диске этой машины: {number}",
    "The database did not take what portals sent; it is kept on this machine's disk: {number}",
)
_FREE = T(
    "Они войдут в работу сами, как только база данных ответит: проверьте её, место на диске и папку спула",
    "It is taken in by itself once the database answers: see to the database, the disk's space and the spool's folder",
)

_log = log("alarms")


@dataclass(frozen=True, slots=True)
class Silence:
    """A portal whose history moves while no event comes: since when, how many entries, the item of the first one."""

    portal_id: int
    since: datetime
    entries: int
    item: ItemRef
    heard_at: datetime | None
    """When the last event came; None when none is kept."""

    @property
    def count(self) -> T:
        number = self.entries
        ru = counted(number, "переход", "перехода", "переходов")
        return T(f"{ru} по стадиям", f"{number} stage change{'' if number == 1 else 's'}")


def silence_of(connection: Connection, portal: Portal, at: datetime) -> Silence | None:
    """Tell whether a portal is silent now; None for one that speaks, has nothing to tell, or does not work."""
    if not portal.works:
        return None
    heard_at = last_event(connection, portal.id)
    untold = entries_after(connection, portal.id, (heard_at or portal.installed_at) + SKEW)
    if untold is None or at - untold.at < SILENT_AFTER:
        return None
    return Silence(portal.id, untold.at, untold.number, untold.item, heard_at)


def silences(workshop: Workshop) -> list[Silence]:
    """Return the portals that are silent now."""
    now = workshop.now()
    with workshop.database.read() as connection:
        found = [silence_of(connection, portal, now) for portal in workshop.portals.all(connection)]
    return [silence for silence in found if silence is not None]


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something about a portal as a whole, or the export of all (no portal), that operators have to see and mend."""

    portal_id: int | None
    kind: Literal["silence", "reconnect", "unread", "export", "spool"]
    text: T
    remedy: T
    since: datetime | None = None


def alarms(workshop: Workshop) -> list[Alarm]:
    """Return what is wrong with portals and with the export now."""
    now, found = workshop.now(), list[Alarm]()
    with workshop.database.read() as connection:
        for portal in workshop.portals.all(connection):
            if portal.state == "reconnect":
                found.append(Alarm(portal.id, "reconnect", reason_of(portal), _OPEN))
            read_at = workshop.portals.reads(connection, portal.id).read_at
            if portal.works and portal.reason and read_at is not None and now - read_at > UNREAD_AFTER:
                text = _UNREAD.fill(since=_by_its_clock(portal, read_at), why=portal.reason)
                found.append(Alarm(portal.id, "unread", text, _WAIT, read_at))
            silence = silence_of(connection, portal, now)
            if silence is not None:
                found.append(Alarm(portal.id, "silence", said(portal, silence), _MEND, silence.since))
    kept = workshop.spool.names()
    if kept:
        found.append(Alarm(None, "spool", _KEPT.fill(number=len(kept)), _FREE, came_at(kept[0])))
    export = exports.status(workshop)
    if export.trouble:
        found.append(Alarm(None, "export", export.trouble, export.remedy, export.since))
    return found


def said(portal: Portal, silence: Silence) -> T:
    """Say since when a portal is silent, by its own clock."""
    return _WHY.fill(since=_by_its_clock(portal, silence.since), entries=silence.count)


def _by_its_clock(portal: Portal, moment: datetime) -> datetime:
    return moment.astimezone(calendar_of(portal.settings, moment.date()).tz)


def listen(workshop: Workshop) -> list[Silence]:
    """Look whether portals are silent; tell the log and, once a day each, their administrators."""
    found = {silence.portal_id: silence for silence in silences(workshop)}
    with workshop.database.read() as connection:
        portals = workshop.portals.all(connection)
    for portal in portals:
        silence = found.get(portal.id)
        if silence is not None:
            _tell(workshop, portal, silence)
        elif portal.works and _TOLD in portal.registered:
            _heard_again(workshop, portal)
    return list(found.values())


def measure(workshop: Workshop) -> None:
    """Set the gauges that are read from the disk and from the database."""
    SPOOL.set(len(workshop.spool.names()))
    now = workshop.now()
    SILENT.set(max(((now - silence.since).total_seconds() for silence in silences(workshop)), default=0))
    with workshop.database.read() as connection:
        portals = workshop.portals.all(connection)
        HEALED.set(sum(queue.healed(connection, portal.id).entries for portal in portals))
    states = [portal.state for portal in portals]
    for state in ("installing", "active", "reconnect", "removed"):
        PORTALS.labels(state).set(states.count(state))
    export = exports.status(workshop)
    done_at = export.row.done_at or export.since
    EXPORTED.set((now - done_at).total_seconds() if done_at else 0)
    EXPORT_FAILS.set(bool(export.trouble))


# Telling --------------------------------------------------------------------------------------------------------------


def _tell(workshop: Workshop, portal: Portal, silence: Silence) -> None:
    now = workshop.now()
    calendar = calendar_of(portal.settings, now.date())
    day = now.astimezone(calendar.tz).date().isoformat()
    if portal.registered.get(_TOLD) == json.dumps(day):
        return
    words = {"since": silence.since.astimezone(calendar.tz), "entries": silence.count}
    with workshop.database.write() as connection:
        note_down(workshop, connection, portal.id, {_TOLD: day})
        key = f"silence:{day}"
        facts = {"since": silence.since.isoformat(), "entries": silence.entries}
        run_id = _run(connection, portal, silence, key, said(portal, silence), facts, now)
        if run_id is None:
            return  # another clock told it
        text = _NOTICE.fill(**words).at(portal.settings.lang)
        _notify(connection, workshop, portal, silence, run_id, key, text)
        audit.note(connection, portal.id, now, "application", ROBOT, "", **facts)
        workshop.portals.wake(connection, portal.id, now)
    workshop.wake(portal.id)
    _log.warning("the history moves but no event comes", portal=portal.host, since=facts["since"], entries=silence.entries)


def _run(
    connection: Connection, portal: Portal, silence: Silence, key: str, why: T, facts: Mapping[str, Any], at: datetime
) -> int | None:
    """Write the alarm into the journal, at the first item that moved untold."""
    return journal.add_run(
        connection,
        portal.id,
        key=key,
        item=silence.item,
        robot=ROBOT,
        ok=False,
        why=why,
        state="decided",
        at=at,
        work_id=None,
        entry_id=None,
        process="",
        version="",
        stage_id="",
        cause={"kind": "EventsSilent"},
        props={},
        facts=facts,
        returns={},
    )


def _notify(
    connection: Connection, workshop: Workshop, portal: Portal, silence: Silence, run_id: int, key: str, text: str
) -> None:
    """Notify the administrator the application works for, and whoever the settings name as the last resort."""
    people = people_of(connection, workshop, portal)
    wanted = [portal.grant.user, portal.settings.fallback]
    users = dict.fromkeys(user for user in wanted if user and (user == portal.grant.user or people.active(user)))
    for number, user in enumerate(users):
        action = Notify(user, text, silence.item)
        mark = mark_of(portal, key, number, action.kind)
        journal.add_action(connection, portal.id, run_id, silence.item, mark, action, "pending", workshop.now())


def _heard_again(workshop: Workshop, portal: Portal) -> None:
    with workshop.database.write() as connection:
        note_down(workshop, connection, portal.id, {_TOLD: None})
        audit.note(connection, portal.id, workshop.now(), "application", "events_heard_again")
    _log.info("events come again", portal=portal.host)
