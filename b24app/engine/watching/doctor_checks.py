"""What is wrong with a portal, judged from what it answered and what is stored. Pure but for the words chosen.

Pages: settings/oauth/auto-renewal.md, api-reference/scopes/permissions.md, api-reference/common/system/server-time.md,
api-reference/events/test-handler.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from b24app.bitrix.errors import PortalError
from b24app.bitrix.replies import Reply, as_map
from b24app.core.item import People
from b24app.core.named_roles import roles_of, titles, unnamed
from b24app.core.process import ProcessDef
from b24app.core.text import EMPTY, T, counted
from b24app.engine.access import reason_of
from b24app.engine.setup.registration import Change, Kind, Present
from b24app.engine.watching.alarms import Silence
from b24app.store.portals import Portal, Reads
from b24app.store.views import Incident
from b24app.store.vitals import Waiting

Level = Literal["ok", "note", "warning", "broken"]
"""``note`` is worth reading and nothing to mend."""
Mend = Literal["", "migrate", "lock", "renew", "set_up", "fields", "card"]
"""What ``--fix`` does about it; empty where only a person can help."""

TOKEN_LIFE = timedelta(days=180)
IDLE = timedelta(days=35)
"""The clock renews idle tokens at thirty days: older ones tell that no clock has been running."""
SKEW, BAD_SKEW = timedelta(seconds=60), timedelta(minutes=5)
LATE, TOO_LATE = timedelta(minutes=10), timedelta(hours=1)
NOT_READ = timedelta(minutes=5)

SCOPES: tuple[tuple[frozenset[str], T], ...] = (
    (frozenset({"crm"}), T("сделки, лиды и история стадий", "deals, leads and the stage history")),
    (frozenset({"task"}), T("задачи и чек-листы", "tasks and checklists")),
    (frozenset({"bizproc"}), T("роботы", "robots")),
    (frozenset({"user", "user_basic"}), T("сотрудники", "employees")),
    (frozenset({"department"}), T("отделы и руководители", "departments and heads")),
    (frozenset({"im"}), T("уведомления", "notifications")),
    (frozenset({"calendar"}), T("выезды в календаре", "visits in calendars")),
    (frozenset({"placement"}), T("вкладки в карточках", "tabs in cards")),
    (frozenset({"userfieldconfig"}), T("создание полей", "creating fields")),
)
OPTIONAL_SCOPES: Mapping[str, T] = {
    "messageservice": T("приложение как провайдер СМС", "the application as an SMS provider"),
    "log": T("новости об изменениях процессов", "news of changed processes"),
    "sonet_group": T("проекты подразделений для задач на изменения", "projects of departments that take up changes"),
}

_KINDS: Mapping[Kind, T] = {
    "robot": T("роботы", "robots"),
    "event": T("события", "events"),
    "placement": T("вкладки", "tabs"),
    "sms": T("провайдер СМС", "SMS provider"),
}
_CODES: Mapping[Kind, str] = {"robot": "robots", "event": "events", "placement": "placements", "sms": "sms_provider"}
_OPEN_APP = T(
    "Администратор портала открывает приложение: его вход возвращает доступ",
    "An administrator of the portal opens the application: that gives access back",
)
_FIX = T("doctor --fix", "doctor --fix")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: how it stands, why in words, and what to do about it."""

    code: str
    level: Level
    text: T
    remedy: T = EMPTY
    mend: Mend = ""


def length(span: timedelta) -> T:
    """Say how long something takes: seconds, minutes, hours or days."""
    seconds = abs(span.total_seconds())
    if seconds < 120:
        return T(f"{seconds:.0f} с", f"{seconds:.0f} s")
    if seconds < 7200:
        return T(f"{seconds / 60:.0f} мин", f"{seconds / 60:.0f} min")
    if seconds < 172_800:
        return T(f"{seconds / 3600:.0f} ч", f"{seconds / 3600:.0f} h")
    days = int(seconds // 86_400)
    return T(counted(days, "день", "дня", "дней"), f"{days} days")


# Access ----------------------------------------------------------------------------------------------------------------


def portal_state(portal: Portal) -> Finding:
    """Judge whether the portal is worked for."""
    match portal.state:
        case "reconnect":
            return Finding("portal", "broken", reason_of(portal), _OPEN_APP)
        case "removed":
            return Finding("portal", "note", reason_of(portal))
        case "installing":
            text = T("Установка не завершена", "The installation was not finished")
            return Finding("portal", "warning", text, _FIX, "set_up")
        case "active":
            return Finding("portal", "ok", T("Портал подключён", "The portal is connected"))


def token_age(portal: Portal, now: datetime) -> Finding:
    """Judge how far the refresh token is from its end."""
    age = now - portal.renewed_at
    text = T("Токен обновлён {age} назад, проживёт ещё {left}", "The token was renewed {age} ago and lives for {left} more")
    said = text.fill(age=length(age), left=length(max(TOKEN_LIFE - age, timedelta())))
    if age >= TOKEN_LIFE:
        return Finding(
            "token", "broken", T("Токен не обновляли 180 дней", "The token was not renewed for 180 days"), _OPEN_APP
        )
    if age >= IDLE:
        remedy = T("doctor --fix; проверьте, что работает clock (или serve)", "doctor --fix; see that clock (or serve) runs")
        return Finding("token", "warning", said, remedy, "renew")
    return Finding("token", "ok", said)


def token_user(answer: Reply | PortalError) -> Finding:
    """Judge whose token it is (``profile``): an active administrator's."""
    if isinstance(answer, PortalError):
        text = T("Портал не принял токен: {error}", "The portal did not take the token: {error}").fill(error=answer)
        return Finding("user", "broken", text, _OPEN_APP)
    user = as_map(answer.result)
    name = f"{user.get('NAME') or ''} {user.get('LAST_NAME') or ''}".strip() or f"№ {user.get('ID')}"
    if user.get("ADMIN") not in (True, "Y", 1, "1"):
        text = T("{name} больше не администратор", "{name} is no administrator any more").fill(name=name)
        remedy = T(
            "Верните права или откройте приложение другим администратором", "Give the rights back, or let another do it"
        )
        return Finding("user", "broken", text, remedy)
    said = T("Приложение работает от имени администратора: {name}", "The application works as administrator {name}")
    return Finding("user", "ok", said.fill(name=name))


def clock_skew(answer: Reply | PortalError, now: datetime) -> Finding:
    """Judge how far the clocks of the portal and of this machine are apart (``server.time``)."""
    if isinstance(answer, PortalError):
        return Finding("clock", "warning", _unread("server.time", answer))
    try:
        there = datetime.fromisoformat(str(answer.result))
    except ValueError:
        return Finding("clock", "warning", T.same(f"server.time: {answer.result!r}"))
    apart = abs(there - now) if there.tzinfo else timedelta()
    text = T("Часы портала и сервера расходятся на {apart}", "The portal's clock and ours are {apart} apart").fill(
        apart=length(apart)
    )
    remedy = T("Включите синхронизацию времени (NTP) на сервере", "Let the server keep its time by NTP")
    if apart > SKEW:
        return Finding("clock", "broken" if apart > BAD_SKEW else "warning", text, remedy)
    return Finding("clock", "ok", text)


def scopes(answer: Reply | PortalError) -> Iterator[Finding]:
    """Compare the scopes granted (``scope``) with those needed."""
    if isinstance(answer, PortalError):
        yield Finding("scopes", "warning", _unread("scope", answer))
        return
    granted = {str(scope) for scope in answer.result} if isinstance(answer.result, list) else set()
    remedy = T(
        "Добавьте право в карточке локального приложения и откройте приложение администратором",
        "Add the scope to the local application's card and let an administrator open the application",
    )
    missing = [(sorted(wanted)[0], what) for wanted, what in SCOPES if not wanted & granted]
    for scope, what in missing:
        text = T("Нет права {scope}: не работают {what}", "Scope {scope} is missing: {what} do not work")
        yield Finding("scopes", "broken", text.fill(scope=scope, what=what), remedy)
    for scope, what in OPTIONAL_SCOPES.items():
        if scope not in granted:
            text = T("Нет необязательного права {scope}: {what}", "Optional scope {scope} is missing: {what}")
            yield Finding("scopes", "note", text.fill(scope=scope, what=what))
    if not missing:
        yield Finding("scopes", "ok", T("Все нужные права выданы", "All scopes needed are granted"))


def _unread(method: str, error: PortalError) -> T:
    return T("{method} не прочитан: {error}", "{method} could not be read: {error}").fill(method=method, error=error)


# What is registered ----------------------------------------------------------------------------------------------------


def registered(changes: Iterable[Change], has: Present, refused: Collection[str]) -> Iterator[Finding]:
    """Judge what the portal has by what it should have; ``refused`` are optional things it said it does not offer."""
    changes = list(changes)
    for kind, name in _KINDS.items():
        error = has.problems.get(kind)
        mine = [change for change in changes if change.kind == kind]
        if error is not None:
            level: Level = "note" if kind == "sms" else "broken"
            yield Finding(_CODES[kind], level, T.same(f"{name.en}: {error}"), T("Проверьте права", "See the scopes"))
        elif not mine:
            number = len(has.found.get(kind, {}))
            yield Finding(_CODES[kind], "ok", T("{name}: {n} на месте", "{name}: {n} in place").fill(name=name, n=number))
        else:
            yield _different(kind, name, mine, refused)


def _different(kind: Kind, name: T, changes: Sequence[Change], refused: Collection[str]) -> Finding:
    def codes(act: str) -> list[str]:
        return [change.code.split(" ")[0] for change in changes if change.act == act]

    parts = [
        label.fill(codes=", ".join(found))
        for label, found in (
            (T("нет: {codes}", "missing: {codes}"), codes("add")),
            (T("устарели: {codes}", "out of date: {codes}"), codes("change")),
            (T("лишние: {codes}", "to be removed: {codes}"), codes("remove")),
        )
        if found
    ]
    text = T(f"{name.ru}: " + "; ".join(p.ru for p in parts), f"{name.en}: " + "; ".join(p.en for p in parts))
    if all(change.key in refused for change in changes):
        return Finding(
            _CODES[kind], "note", T("{text} (портал этого не предлагает)", "{text} (not offered there)").fill(text=text)
        )
    needed = any(change.act == "add" and change.entry and not change.entry.optional for change in changes)
    return Finding(_CODES[kind], "broken" if needed else "warning", text, _FIX, "set_up")


# Work ------------------------------------------------------------------------------------------------------------------


def waiting(found: Waiting, reads: Reads, now: datetime, period: timedelta) -> Iterator[Finding]:
    """Judge how long things wait, and whether anybody works at all."""
    remedy = T(
        "Работают ли worker и clock (или serve)? Посмотрите журнал процесса и /admin/incidents",
        "Do worker and clock (or serve) run? See the process's log and /admin/incidents",
    )
    if reads.not_before is not None and reads.not_before > now:
        text = T("Портал просил паузу: ещё {left}", "The portal asked for a pause: {left} left")
        yield Finding("reading", "note", text.fill(left=length(reads.not_before - now)))
    elif reads.read_at is None or now - reads.read_at > period + NOT_READ:
        ago = length(now - reads.read_at) if reads.read_at else T("никогда", "never")
        text = T("Историю портала не читают: последний раз {ago}", "The portal's history is not read: last {ago}")
        yield Finding("reading", "broken", text.fill(ago=ago), remedy)
    else:
        text = T("История прочитана {ago} назад", "The history was read {ago} ago").fill(ago=length(now - reads.read_at))
        yield Finding("reading", "ok", text)
    oldest = [moment for moment in (found.callback, found.work, found.action) if moment is not None]
    age = now - min(oldest, default=now)
    text = T("Самое старое дело ждёт {age}", "The oldest work waits for {age}").fill(age=length(age))
    if age > LATE:
        yield Finding("work", "broken" if age > TOO_LATE else "warning", text, remedy)
    else:
        yield Finding("work", "ok", text if oldest else T("Ничего не ждёт", "Nothing waits"))


def silence(found: Silence | None) -> Finding:
    """Judge whether events come."""
    if found is None:
        return Finding("silence", "ok", T("История не расходится с событиями", "Events keep up with the history"))
    text = T("Событий нет с {since}, а в истории {entries}", "No event since {since}, with {entries} in the history")
    said = text.fill(since=found.since.isoformat(timespec="minutes"), entries=found.count)
    remedy = T(
        "doctor --fix; затем проверьте адрес и сертификат", "doctor --fix; then see to the address and the certificate"
    )
    return Finding("silence", "broken", said, remedy, "set_up")


def failures(found: Sequence[Incident]) -> Finding:
    """Judge what failed for good and waits for a person."""
    if not found:
        return Finding("incidents", "ok", T("Сбоев нет", "There are no incidents"))
    first = found[0]
    text = T("Сбоев: {n}; последний: {item}: {error}", "Incidents: {n}; the last one: {item}: {error}")
    said = text.fill(n=len(found), item=first.item, error=first.error or first.what)
    remedy = T("/admin/incidents: причина и кнопка повтора", "/admin/incidents: the reason and a button to retry")
    return Finding("incidents", "warning", said, remedy)


# People and gateway ------------------------------------------------------------------------------------------------------


def people(portal: Portal, known: People, running: Iterable[ProcessDef]) -> Iterator[Finding]:
    """Find dismissed people where somebody is named: last resort, stand-ins, crew, roles of files; and roles without any."""
    settings, gone = portal.settings, False
    roles = {role.name: role for role in roles_of(running)}
    fixed = [
        (role.shown, int(role.meant[len("user(") : -1]))
        for role in roles.values()
        if role.meant.startswith("user(") and not known.active(settings.stand_ins.get(role.name))
    ]
    stand_ins = [(roles[name].shown if name in roles else T.same(name), user) for name, user in settings.stand_ins.items()]
    places: list[tuple[T, int | None, Level]] = [
        (T("последний ответственный", "the last resort"), settings.fallback, "broken"),
        *((_STAND_IN.fill(role=role), user, "warning") for role, user in stand_ins),
        *((T("бригада", "the crew"), user, "warning") for user in settings.crew_users),
        *((T("роль {role}", "role {role}").fill(role=role), user, "warning") for role, user in fixed),
    ]
    for place, user, level in places:
        if user is not None and not known.active(user):
            gone = True
            text = T("{place}: {name} не работает", "{place}: {name} does not work here").fill(
                place=place, name=known.name(user)
            )
            remedy = T(
                "Назначьте другого на главной странице приложения", "Name somebody else on the application's main page"
            )
            yield Finding("people", level, text, remedy)
    if nobody := unnamed(roles.values(), settings.stand_ins):
        remedy = T("Назначьте людей на главной странице приложения", "Name people on the application's main page")
        yield Finding("roles", "warning", _NOBODY.fill(roles=titles(nobody)), remedy)
    elif not gone:
        yield Finding("people", "ok", T("Все названные люди работают", "Everybody named works here"))


_STAND_IN = T("замена роли {role}", "stand-in for {role}")
_NOBODY = T(
    "На роли никто не назначен, их задачи достаются последнему ответственному: {roles}",
    "Nobody was named for these roles, the last resort gets their tasks: {roles}",
)


def gateway(portal: Portal, running: Iterable[ProcessDef]) -> Finding:
    """Judge whether SMS can be sent where a process sends any."""
    if portal.secrets.gateway.url:
        return Finding("gateway", "ok", T("СМС-шлюз настроен", "The SMS gateway is configured"))
    text = T("СМС-шлюз не настроен", "No SMS gateway is configured")
    if not any(sends_sms(process) for process in running):
        return Finding("gateway", "note", text)
    remedy = T("Опишите шлюз на главной странице приложения", "Describe the gateway on the application's main page")
    more = T("{text}, а процесс отправляет СМС", "{text}, and a process sends SMS").fill(text=text)
    return Finding("gateway", "warning", more, remedy)


def sends_sms(process: ProcessDef) -> bool:
    """Tell whether a process file has a step that sends an SMS, at any depth."""
    steps: list[Any] = []
    for stage in process.stages:
        steps += [
            *stage.checks,
            *stage.otherwise,
            *stage.enter,
            *stage.leave,
            *(stage.changes.then if stage.changes else ()),
        ]
    return any(step.robot == "send_sms" or "send_sms" in str(step.props) for step in steps)
