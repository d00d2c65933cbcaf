"""Tell the client by SMS what was agreed, once; where that cannot be done, ask the responsible to call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import phones, wording
from b24app.core.actions import SendSms
from b24app.core.call import Call
from b24app.core.giving import Assignment, Given, give
from b24app.core.item import Client, Item
from b24app.core.needs import Facts, Need, NeedClient, NeedItem, NeedLedger, NeedPeople
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role
from b24app.core.text import T

SENT = T("SMS клиенту на {phone}: «{text}»", "An SMS to the client at {phone}: “{text}”")
ALREADY = T("Этот же текст клиенту уже отправляли", "This very text was sent to the client before")
EMPTY_TEXT = T("Текст SMS пуст, отправлять нечего", "The text of the SMS is empty, there is nothing to send")
NO_CLIENT = T("у карточки нет ни контакта, ни компании", "the item has neither a contact nor a company")
NO_PHONE = T("у клиента {client} нет телефона", "the client {client} has no phone")
BAD_PHONE = T("номер клиента {client} негодный: {phones}", "the number of the client {client} is no good: {phones}")
NO_GATEWAY = T("отправка SMS не подключена", "no SMS gateway is connected")
UNKNOWN = T("шлюз не подтвердил отправку", "the gateway did not confirm that it was sent")
NOT_SENT = T("SMS не отправлена: {reason}", "The SMS was not sent: {reason}")
INCIDENT = T(
    "{reason}\n\nТекст для клиента:\n{text}\n\nТелефон: {phone}",
    "{reason}\n\nText for the client:\n{text}\n\nPhone: {phone}",
)
KEPT = T("задача «{title}» уже открыта", "the task “{title}” is open already")


@dataclass(frozen=True, slots=True)
class Props:
    text: T = prop(
        T("Текст", "Text"),
        same=True,
        help=T("Места: {client} {date} {time} {address}", "Places: {client} {date} {time} {address}"),
    )
    failed_title: T = prop(
        T("Название задачи, если не отправить", "Title of the task if it cannot be sent"),
        default=T("Сообщить клиенту самому: SMS не отправлена", "Tell the client yourself: the SMS was not sent"),
    )


@dataclass(frozen=True, slots=True)
class Returns:
    phone: str = prop(T("Телефон", "Phone"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the client and his phones in any case."""
    client = wording.client_of(facts.get(NeedItem(call.item)))
    wanted: tuple[Need[Any], ...] = (NeedItem(call.item), NeedPeople(), NeedLedger(call.item))
    return (*wanted, NeedClient(client)) if client else wanted


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Send the text unless it was sent before; without a way to send it, give the responsible an incident."""
    item, ledger = facts[NeedItem(call.item)], facts[NeedLedger(call.item)]
    if item is None:
        return Outcome(wording.GONE, returns=Returns(""))
    if call.place.passed:
        return Outcome(wording.PASSED, returns=Returns(""))
    text = wording.sms(call, props.text, wording.known(call, facts, item))
    if not text:
        return Outcome(EMPTY_TEXT, returns=Returns(""))
    if text in ledger.sms_texts:
        return Outcome(ALREADY, returns=Returns(""))
    client = _client(facts, item)
    phone = phones.for_sms(client.phones, call.house.country) if client else None
    reason = _hindrance(call, client, phone)
    if reason is not None or phone is None:
        return _incident(call, props, facts, item, reason or NO_CLIENT, text)
    otherwise = _task(call, props, facts, item, UNKNOWN, text).task
    return Outcome(SENT.fill(phone=phone, text=text), (SendSms(call.item, phone, text, otherwise),), Returns(phone))


def _hindrance(call: Call, client: Client | None, phone: str | None) -> T | None:
    if not call.house.sms:
        return NO_GATEWAY
    if client is None:
        return NO_CLIENT
    if not client.phones:
        return NO_PHONE.fill(client=client.name)
    return None if phone else BAD_PHONE.fill(client=client.name, phones=", ".join(client.phones[:5]))


def _incident(call: Call, props: Props, facts: Facts, item: Item, reason: T, text: str) -> Outcome:
    said = NOT_SENT.fill(reason=reason)
    open_task = facts[NeedLedger(call.item)].open_task(_name(call))
    if open_task is not None:
        return Outcome(wording.sentence(said, KEPT.fill(title=open_task.title)), returns=Returns(""))
    given = _task(call, props, facts, item, reason, text)
    return Outcome(wording.sentence(said, given.why), given.or_say_so(call), Returns(""))


def _task(call: Call, props: Props, facts: Facts, item: Item, reason: T, text: str) -> Given:
    client = _client(facts, item)
    values = wording.known(call, facts, item)
    values |= {
        "reason": NOT_SENT.fill(reason=reason),
        "text": text,
        "phone": ", ".join(client.phones) if client and client.phones else None,
    }
    what = Assignment(_name(call), props.failed_title, Role("responsible"), INCIDENT, purpose="incident")
    return give(call, item, facts[NeedPeople()], what, values)


def _client(facts: Facts, item: Item) -> Client | None:
    ref = wording.client_of(item)
    return facts[NeedClient(ref)] if ref else None


def _name(call: Call) -> str:
    point = call.place.point()
    return f"sms:{point.key if point else call.place.stage}"


ROBOT = Robot(
    code="send_sms",
    name=T("SMS клиенту", "SMS to the client"),
    description=T(
        "Отправляет клиенту SMS один раз; если не получается, ставит задачу ответственному",
        "Sends the client an SMS once; if that cannot be done, gives the responsible a task",
    ),
    decide=decide,
    props=Props,
    needs=needs,
    returns=Returns,
)
