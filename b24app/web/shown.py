"""How the journal's values are put into words: causes, actions and their fate, moments, names instead of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, assert_never

from b24app.core import actions as a
from b24app.core.actions import Action
from b24app.core.item import DEAL, LEAD, ItemRef
from b24app.core.named_roles import NamedRole
from b24app.core.text import LANGS, T, cut, show
from b24app.engine.known import Names
from b24app.log import MASK
from b24app.store.journal import Run, StoredAction
from b24app.store.portals import Portal

BRIEF = 240
"""Characters of an action in the journal of a card."""
ACTION_STATES: Mapping[str, T] = {
    "pending": T("ждёт очереди", "waits its turn"),
    "sending": T("выполняется", "being done"),
    "unknown": T("проверяется на портале", "being looked up on the portal"),
    "done": T("сделано", "done"),
    "failed": T("не удалось", "failed"),
    "dropped": T("отменено", "dropped"),
}
TONES: Mapping[str, str] = {"done": "good", "failed": "bad", "unknown": "warn", "sending": "blue", "pending": "blue"}
RUN_STATES: Mapping[str, T] = {
    "decided": T("решено", "decided"),
    "skipped": T("пропущено", "skipped"),
    "failed": T("ошибка", "failed"),
}
TIMER_STATES: Mapping[str, T] = {
    "waiting": T("ждёт", "waits"),
    "fired": T("сработал", "went off"),
    "cancelled": T("отменён", "cancelled"),
}
PORTAL_STATES: Mapping[str, T] = {
    "installing": T("устанавливается", "being installed"),
    "active": T("работает", "works"),
    "reconnect": T("нужно переподключить", "has to be reconnected"),
    "removed": T("приложение удалено", "the application was removed"),
}
_ROBOTS: Mapping[str, T] = {
    "set_booking": T("Бронирование выезда", "Booking of a visit"),
    "events_silent": T("Портал не присылает события", "The portal sends no events"),
}
_CAUSES: Mapping[str, T] = {
    "StageEntered": T("карточка вошла в стадию", "the item entered the stage"),
    "RobotCalled": T("робот вызван автоматизацией портала", "the portal’s automation called the robot"),
    "TimerDue": T("подошёл срок", "a time had come"),
    "TaskFinished": T("задача закрыта", "a task was finished"),
    "FieldsChanged": T("изменились поля: {names}", "fields changed: {names}"),
    "PaymentConfirmed": T("подтверждён платёж {payment_id} на {amount}", "payment {payment_id} of {amount} was confirmed"),
    "EventsSilent": T("история движется, а событий нет", "the history moves but no event comes"),
    "FormSubmitted": T("заполнена форма ({name})", "a form was filled in by {name}"),
    "AskedByPerson": T("попросил(а) {user}", "{user} asked for it"),
}
_AGAIN = T("стадия проверена ещё раз", "the stage was run again")


def robot_name(names: Names, code: str) -> T:
    """Name a robot; an unknown one by its code."""
    return names.robots.get(code) or _ROBOTS.get(code) or T.same(code)


def run_state(code: str) -> T:
    """Name the state of a run."""
    return RUN_STATES.get(code) or T.same(code)


def stage_name(names: Names, stage_id: str) -> T:
    """Name a stage; one outside of all processes by its id."""
    return names.stages.get(stage_id) or T.same(stage_id or "—")


def field_name(names: Names, name: str) -> T:
    """Name a field for people."""
    return names.fields.get(name) or T.same(name)


def role(names: Names, meant: str, roles: Iterable[NamedRole] = ()) -> T:
    """Say whom a role of a process file means: ``head_of(responsible)``, ``field(installer)``, ``user(7)``, another role."""
    kind, _, inner = meant.rstrip(")").partition("(")
    match kind:
        case "responsible":
            return T("ответственный", "the responsible person")
        case "head_of":
            return _HEAD.fill(who=role(names, inner, roles))
        case "field":
            return field_name(names, inner)
        case "user" if inner.isdigit():
            return T.same(names.people.name(int(inner)))
        case _:
            return next((one.shown for one in roles if one.name == meant), T.same(meant))


_HEAD = T("руководитель ({who})", "the head of {who}")


def card_address(portal: Portal, item: ItemRef) -> str:
    """Give the address of an item's card on its portal."""
    kind = {LEAD: "lead", DEAL: "deal"}.get(item.entity_type_id) or f"type/{item.entity_type_id}"
    return f"{portal.url}/crm/{kind}/details/{item.id}/"


def moment(names: Names, at: datetime | None) -> str:
    """Write a moment by the company's clock."""
    return "—" if at is None else names.calendar.local(at).strftime("%d.%m.%Y %H:%M")


def cause(names: Names, run: Run) -> T:
    """Say what caused a run."""
    told = dict(run.cause)
    kind = str(told.get("kind", ""))
    if kind == "StageEntered" and told.get("again"):
        return _AGAIN
    if isinstance(changed := told.get("names"), list):
        labels = [field_name(names, str(name)) for name in changed]
        told["names"] = T(", ".join(label.ru for label in labels), ", ".join(label.en for label in labels))
    return _CAUSES.get(kind, T.same(kind)).fill(**told)


# Actions --------------------------------------------------------------------------------------------------------------


def action(names: Names, stored: StoredAction) -> T:
    """Say what an action is meant to do."""
    return _action(names, stored.action)


def brief_action(names: Names, stored: StoredAction) -> T:
    """Say what an action is meant to do, in a line or two: the whole text stands in the card."""
    said = action(names, stored)
    return T(*(cut(said.at(lang), BRIEF) for lang in LANGS))


def without_codes(text: str) -> str:
    """Take the BB codes out of a text written for the portal, as people would read it there."""
    return _CODES.sub("", text).replace("&#91;", "[").replace("&#93;", "]")


_CODES = re.compile(r"\[(?:/?(?:B|I|U|S|LIST|QUOTE)|\*|/?(?:URL|USER|COLOR|SIZE)(?:=[^\]]*)?)\]", re.IGNORECASE)


def _action(names: Names, said: Action) -> T:
    who = names.people.name
    match said:
        case a.UpdateItem():
            return _FIELDS.fill(fields=_fields(names, said.fields))
        case a.MoveStage():
            return _MOVE.fill(stage=stage_name(names, said.to))
        case a.AddItem():
            return _ITEM.fill(title=said.fields.get("title") or "—")
        case a.AddTask():
            until = _UNTIL.fill(due=moment(names, said.deadline)) if said.deadline else T("", "")
            return _TASK.fill(title=said.title, who=who(said.responsible), until=until)
        case a.SendSms():
            return _SMS.fill(text=said.text)
        case a.AddVisit():
            return _VISIT.fill(who=who(said.user), start=moment(names, said.start))
        case a.ClaimSlot():
            return _SLOT.fill(who=who(said.user), start=moment(names, said.start))
        case a.SetTimer():
            return _TIMER.fill(due=moment(names, said.due), what=said.what or robot_name(names, said.step.robot))
        case a.Notify():
            return _NOTIFY.fill(who=who(said.user), text=without_codes(said.text))
        case a.Comment():
            return _COMMENT.fill(text=without_codes(said.text))
        case _:
            return _lesser(names, said)


def _lesser(
    names: Names,
    said: a.UpdateTask
    | a.CloseTask
    | a.RenewTask
    | a.ApproveTask
    | a.CancelVisit
    | a.ReleaseSlots
    | a.CancelTimers
    | a.AwardPoints
    | a.AddNews
    | a.RunStageAgain
    | a.MarkTrained
    | a.AnswerRobot,
) -> T:
    match said:
        case a.UpdateTask():
            return T("Изменить задачу", "Change the task")
        case a.CloseTask():
            return _BECAUSE.fill(what=T("Закрыть задачу", "Close the task"), why=said.reason)
        case a.RenewTask():
            return _BECAUSE.fill(what=T("Вернуть задачу в работу", "Take the task back to work"), why=said.reason)
        case a.ApproveTask():
            return T("Снять задачу с контроля", "Accept the work of the task")
        case a.CancelVisit():
            return T("Убрать выезд из календаря", "Take the visit out of the calendar")
        case a.ReleaseSlots():
            return T("Освободить время бригады", "Give back the time held")
        case a.CancelTimers():
            return _BECAUSE.fill(what=T("Отменить ожидания", "Cancel what waits"), why=said.reason)
        case a.AwardPoints():
            return _POINTS.fill(points=said.points, who=names.people.name(said.user), why=said.why)
        case a.AddNews():
            return _NEWS.fill(title=said.title)
        case a.RunStageAgain():
            return _BECAUSE.fill(what=T("Проверить стадию ещё раз", "Run the stage again"), why=said.reason)
        case a.MarkTrained():
            return T("Запомнить, что обучение показано", "Remember that the training was shown")
        case a.AnswerRobot():
            return T("Ответить роботу портала", "Answer the portal’s robot")
        case _:
            assert_never(said)


_FIELDS = T("Записать: {fields}", "Write: {fields}")
_MOVE = T("Перевести на стадию «{stage}»", "Move to stage “{stage}”")
_ITEM = T("Создать «{title}»", "Create “{title}”")
_TASK = T("Задача «{title}» — {who}{until}", "Task “{title}” — {who}{until}")
_UNTIL = T(", срок {due}", ", due {due}")
_SMS = T("SMS клиенту: {text}", "SMS to the client: {text}")
_VISIT = T("Выезд в календарь: {who}, {start}", "Visit into the calendar: {who}, {start}")
_SLOT = T("Занять время: {who}, {start}", "Hold time: {who}, {start}")
_TIMER = T("Ждать до {due}: {what}", "Wait until {due}: {what}")
_NOTIFY = T("Уведомить ({who}): {text}", "Notify {who}: {text}")
_COMMENT = T("Комментарий: {text}", "Comment: {text}")
_POINTS = T("Премиальные баллы ({who}): {points} — {why}", "Bonus points to {who}: {points} — {why}")
_NEWS = T("Новость «{title}»", "News “{title}”")
_BECAUSE = T("{what}: {why}", "{what}: {why}")


def _fields(names: Names, fields: Mapping[str, Any]) -> T:
    parts = [(field_name(names, name), _value(names, name, value)) for name, value in fields.items()]
    return T(
        "; ".join(f"{label.ru} — {value.ru}" for label, value in parts),
        "; ".join(f"{label.en} — {value.en}" for label, value in parts),
    )


def _value(names: Names, name: str, value: Any) -> T:
    if name in names.employees and isinstance(value, int):
        return T.same(names.people.name(value))
    if isinstance(value, list):
        return T.same(", ".join(str(one) for one in value))
    return T(show(value, "ru"), show(value, "en"))


# JSON -----------------------------------------------------------------------------------------------------------------


def as_json(value: Any) -> Any:
    """Write a value of the journal as JSON: moments with their zone, texts in both languages."""
    match value:
        case T():
            return value.both()
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(key): as_json(inner) for key, inner in value.items()}
        case list() | tuple():
            return [as_json(inner) for inner in value]
        case bool() | int() | float() | str() | None:
            return value
        case _:
            return str(value)


def run_json(portal_id: int, run: Run) -> dict[str, Any]:
    """Write a run down for operators' scripts."""
    told = {
        "id": run.id,
        "portal": portal_id,
        "item": run.item,
        "robot": run.robot,
        "process": run.process,
        "version": run.version,
        "stage": run.stage_id,
        "entry": run.entry_id,
        "at": run.at,
        "ok": run.ok,
        "state": run.state,
        "why": run.why,
        "cause": run.cause,
        "asked_by": run.asked_by,
    }
    return {key: as_json(value) for key, value in told.items()}


def action_json(stored: StoredAction) -> dict[str, Any]:
    """Write an action and its fate down for operators' scripts."""
    told = {
        "id": stored.id,
        "kind": stored.action.kind,
        "mark": stored.key,
        "state": stored.state,
        "tries": stored.tries,
        "error": stored.error,
        "created_at": stored.created_at,
        "sent_at": stored.sent_at,
        "ended_at": stored.ended_at,
        "not_before": stored.not_before,
        "body": a.to_json(stored.action) | ({"token": MASK} if isinstance(stored.action, a.AnswerRobot) else {}),
        "progress": stored.progress,
    }
    return {key: as_json(value) for key, value in told.items()}
