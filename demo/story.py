"""The life of one deal from the lead to the last payment, with everything that may go wrong on its way."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

from demo.screens import ADMIN, DEAL, LEAD, Browser, forms_of
from demo.walk import (
    CONTRACT,
    DATE_AGREED,
    INSTALLATION,
    MATERIALS_BOUGHT,
    MATERIALS_PAID,
    PAID,
    SIGNED,
    WORK_DONE,
    Walk,
)

HEAD, MARIA, ALEXEY, DMITRY, ELENA = 2, 3, 6, 7, 9
ANNA = 1
"""The client: a contact with a mobile phone."""
SIGN, CONTROL = "Подписать договор", "Разобраться"
CALL = "Позвонить клиенту и подтвердить"


def a_file(name: str) -> list[str]:
    """Give a file the way a file field is written."""
    return [name, base64.b64encode(b"%PDF-1.4 demo").decode()]


def tell_the_deal(walk: Walk) -> int:
    """Play the deal of the story and give its number."""
    deal = lead_becomes_deal(walk)
    nobody_signs(walk, deal)
    fields_are_forgotten(walk, deal)
    payment_is_told(walk, deal)
    materials_are_unfinished(walk, deal)
    date_is_wrong(walk, deal)
    visit_is_booked(walk, deal)
    client_moves_the_date(walk, deal)
    day_before(walk, deal)
    client_moves_it_again(walk, deal)
    work_is_accepted(walk, deal)
    money_comes(walk, deal)
    return deal


def lead_becomes_deal(walk: Walk) -> int:
    """A lead is won by hand; the deal is made by the application."""
    walk.tell.chapter("Лид становится сделкой", "A lead becomes a deal")
    lead = 0

    def call() -> None:
        nonlocal lead
        fields = {"title": "Потолок в гостиной, Анна Фёдорова", "assignedById": MARIA, "contactId": ANNA}
        lead = int(walk.portal.click(MARIA, "crm.item.add", entityTypeId=LEAD, fields=fields)["item"]["id"])

    walk.act(MARIA, "записывает звонок: новый лид", "writes a call down: a new lead", call)
    walk.act(
        MARIA,
        "клиент согласен: переводит лид в «Качественный лид»",
        "the client agrees: moves the lead to “Good lead”",
        lambda: walk.portal.click(MARIA, "crm.item.update", entityTypeId=LEAD, id=lead, fields={"stageId": "CONVERTED"}),
    )
    walk.wait("прошло две минуты", "two minutes go by", minutes=2)
    deals = walk.portal.deals(leadId=lead)
    walk.tell.expect("по лиду создана одна сделка", "one deal was made of the lead", seen=len(deals) == 1, instead=deals)
    deal = int(deals[0]["id"])
    walk.stands(deal, CONTRACT)
    walk.given(deal, MARIA, SIGN)
    walk.commented(deal, "Стадия «Заключить договор»")
    return deal


def nobody_signs(walk: Walk, deal: int) -> None:
    """The contract task stays open for a day; the head of sales gets a control task."""
    walk.tell.chapter("Договор не подписан за сутки", "The contract is not signed within a day")
    walk.wait("прошло 23 часа", "23 hours go by", hours=23)
    walk.not_given(deal, CONTROL)
    walk.wait("прошёл ещё час", "one more hour goes by", hours=1)
    walk.given(deal, HEAD, CONTROL)
    walk.commented(deal, "Прошли сутки, а договор не подписан")
    walk.close(HEAD, deal, CONTROL, "разобралась с менеджером, закрывает контрольную задачу", "has looked into it, finishes her task")


def fields_are_forgotten(walk: Walk, deal: int) -> None:
    """The deal is moved on without amount and contract: back it goes, with the reasons and a task."""
    walk.tell.chapter("Забытые поля", "Forgotten fields")
    walk.move(MARIA, deal, SIGNED)
    walk.stands(deal, CONTRACT)
    walk.given(deal, MARIA, "Дозаполнить сделку")
    walk.write(
        MARIA,
        deal,
        "заполняет сумму, адрес и материалы, прикладывает договор",
        "fills in amount, address and materials, attaches the contract",
        **{
            "opportunity": 100000,
            "currencyId": "RUB",
            "Подписанный договор": a_file("договор.pdf"),
            "Адрес монтажа": "Москва, ул. Садовая, 5, кв. 12",
            "Материалы": "Полотно белое матовое 18 м², профиль 20 м, 6 светильников",
        },
    )
    walk.close(MARIA, deal, SIGN)
    walk.close(MARIA, deal, "Дозаполнить сделку")
    walk.move(MARIA, deal, SIGNED)
    walk.stands(deal, SIGNED)
    walk.given(deal, MARIA, "уточнить дату предоплаты")


def payment_is_told(walk: Walk, deal: int) -> None:
    """The accounting system tells of the prepayment; the deal goes on by itself, once."""
    walk.tell.chapter("Предоплата", "The prepayment")
    walk.write(
        MARIA,
        deal,
        "клиент обещал заплатить завтра: пишет дату предоплаты",
        "the client will pay tomorrow: writes the day of the prepayment",
        **{"Дата предоплаты": f"{walk.now() + timedelta(days=1):%Y-%m-%d}", "Примечание к оплате": "Половина суммы, по счёту"},
    )
    walk.commented(deal, "Изменились сведения о предоплате")
    walk.wait("прошли сутки", "a day goes by", days=1)
    member = walk.portal.ask("state")["portal"]["member_id"]
    message = {"portal": member, "payment_id": "1C-000042", "deal_id": deal, "amount": "50000.00", "currency": "RUB"}
    told = walk.office.pay("not the key of this portal", walk.portal.now(), message)
    walk.tell.expect("платёж с чужой подписью отвергнут", "a payment with a wrong signature is refused", seen=told == 401)
    walk.say(ELENA, "проводит платёж: учётная система сообщает о нём приложению", "books the payment: the accounting system tells of it")
    statuses = [walk.office.pay(walk.payment_key, walk.portal.now(), message) for _ in range(2)]
    walk.tell.expect("сообщено дважды, принято один раз", "told twice, taken once", seen=statuses == [202, 200], instead=statuses)
    walk.follow()
    walk.stands(deal, MATERIALS_PAID)
    walk.closed(deal, "уточнить дату предоплаты")
    walk.given(deal, MARIA, "Закупить материалы")


def materials_are_unfinished(walk: Walk, deal: int) -> None:
    """A task is finished with open lines: it is renewed, and the lines are named."""
    walk.tell.chapter("Материалы: чек-лист не пройден", "Materials: an unfinished checklist")
    task = int(walk.task(deal, "Закупить материалы")["id"])
    left: list[str] = []

    def finish() -> None:
        left.extend(walk.portal.tick(MARIA, task, leave=1))
        walk.portal.complete(MARIA, task)

    walk.act(MARIA, "закрывает задачу, не отметив последний пункт", "finishes the task without ticking the last line", finish)
    walk.given(deal, MARIA, "Закупить материалы")
    walk.tell.expect(f"не отмечен пункт «{left[0]}»", f"the open line is “{left[0]}”", seen=len(left) == 1)
    walk.move(MARIA, deal, MATERIALS_BOUGHT)
    walk.stands(deal, MATERIALS_PAID)
    walk.wait("прошли сутки, материалы выданы бригаде", "a day goes by, the crew has the materials", days=1)
    walk.close(MARIA, deal, "Закупить материалы")
    walk.close(MARIA, deal, "Закончить с материалами")
    walk.move(MARIA, deal, MATERIALS_BOUGHT)
    walk.stands(deal, MATERIALS_BOUGHT)
    walk.not_given(deal, CONTROL)


def date_is_wrong(walk: Walk, deal: int) -> None:
    """A day that has passed and nobody booked: back it goes, with both reasons."""
    walk.tell.chapter("Дата в прошлом, монтажник не занят", "A past date, nobody booked")
    passed = f"{walk.now() - timedelta(days=2):%Y-%m-%d}"
    walk.write(MARIA, deal, "ошибается в дате монтажа", "mistakes the date", **{"Дата монтажа": passed, "Время монтажа": "10:00"})
    walk.close(MARIA, deal, "Согласовать дату и время")
    walk.move(MARIA, deal, DATE_AGREED)
    walk.stands(deal, MATERIALS_BOUGHT)
    walk.given(deal, MARIA, "Согласовать дату заново")
    reasons = next(comment for comment in reversed(walk.portal.comments(deal)) if "заново" in comment or "прошл" in comment)
    both = "прош" in reasons and "монтажник" in reasons.lower()
    walk.tell.expect("названы обе причины: дата и монтажник", "both reasons are named: date and installer", seen=both, instead=reasons)


def visit_is_booked(walk: Walk, deal: int) -> None:
    """The manager chooses a free time of the crew on the booking tab of the card."""
    walk.tell.chapter("Бронирование на вкладке «Выезды»", "Booking on the tab of the card")
    tab = Browser()
    day = _working_day(walk.now() + timedelta(days=4))

    def choose() -> None:
        tab.post(*_tab(walk, deal))
        tab.submit("/booking", day=f"{day:%Y-%m-%d}")
        tab.submit("/choose", slot=f"{ALEXEY}|{day:%Y-%m-%d}T10:00:00+03:00")

    walk.act(
        MARIA,
        f"выбирает на вкладке: {walk.portal.names[ALEXEY]}, {day:%d.%m}, 10:00",
        f"chooses on the tab: {walk.portal.names[ALEXEY]}, {day:%d.%m}, 10:00",
        choose,
    )
    card = walk.portal.deal(deal)
    seen = {name: card[walk.fields[name]] for name in ("Дата монтажа", "Время монтажа", "Монтажник")}
    right = str(seen["Дата монтажа"])[:10] == f"{day:%Y-%m-%d}" and str(seen["Монтажник"]) == str(ALEXEY)
    walk.tell.expect("дата, время и монтажник записаны в карточку", "date, time and installer are in the card", seen=right, instead=seen)
    _one_visit(walk, ALEXEY, day)
    walk.close(MARIA, deal, "Согласовать дату заново")
    walk.move(MARIA, deal, DATE_AGREED)
    walk.stands(deal, DATE_AGREED)
    _one_visit(walk, ALEXEY, day)


def client_moves_the_date(walk: Walk, deal: int) -> None:
    """The client wants another day: the visit is cancelled and the checks run again."""
    walk.tell.chapter("Клиент переносит дату", "The client moves the date")
    day = _working_day(_day_of(walk, deal) + timedelta(days=1))
    walk.write(MARIA, deal, f"переносит монтаж на {day:%d.%m}", f"puts the works off to {day:%d.%m}", **{"Дата монтажа": f"{day:%Y-%m-%d}"})
    walk.stands(deal, DATE_AGREED)
    _one_visit(walk, ALEXEY, day)


def day_before(walk: Walk, deal: int) -> None:
    """The day before the works the manager is told to call the client; then the client has an SMS and the installer a task."""
    walk.tell.chapter("За день до монтажа", "The day before the works")
    day = _day_of(walk, deal)
    walk.not_given(deal, CALL)
    _confirm(walk, deal, day)
    sent = walk.portal.sms()
    walk.tell.expect("клиенту ушло одно SMS", "the client was sent one SMS", seen=len(sent) == 1, instead=sent)
    walk.given(deal, ALEXEY, "Выполнить монтаж")


def client_moves_it_again(walk: Walk, deal: int) -> None:
    """Put off once more when the installer has his task: everything is taken back, the deal returns by itself."""
    walk.tell.chapter("Клиент переносит монтаж ещё раз, другой монтажник", "The client moves it once more, another installer goes")
    day = _working_day(_day_of(walk, deal) + timedelta(days=3))
    walk.write(
        MARIA,
        deal,
        f"переносит монтаж на {day:%d.%m}, поедет {walk.portal.names[DMITRY]}",
        f"puts the works off to {day:%d.%m}, {walk.portal.names[DMITRY]} will go",
        **{"Дата монтажа": f"{day:%Y-%m-%d}", "Монтажник": DMITRY},
    )
    walk.stands(deal, DATE_AGREED)
    walk.not_given(deal, "Выполнить монтаж")
    walk.tell.expect("у прежнего монтажника выезда нет", "the earlier installer has no visit", seen=not walk.visits(ALEXEY))
    _one_visit(walk, DMITRY, day)
    walk.close(MARIA, deal, "Подтвердить с клиентом новую дату")
    _confirm(walk, deal, day)
    sent = walk.portal.sms()
    new = len(sent) == 2 and f"{day:%d.%m.%Y}" in sent[-1]["text"]
    walk.tell.expect("второе SMS — с новой датой", "the second SMS has the new date", seen=new, instead=sent)
    walk.given(deal, DMITRY, "Выполнить монтаж")


def work_is_accepted(walk: Walk, deal: int) -> None:
    """The installer finishes, the client is asked, the work is accepted."""
    walk.tell.chapter("Монтаж и приёмка", "The works and their acceptance")
    day = _day_of(walk, deal)
    walk.wait("день монтажа, 15:00", "the day of the works, 15:00", to=day.replace(hour=15, minute=0))
    install = int(walk.task(deal, "Выполнить монтаж")["id"])
    walk.close(DMITRY, deal, "Выполнить монтаж")
    told = [row for row in walk.portal.notifications(MARIA) if "завершены" in str(row)]
    walk.tell.expect("менеджер получил уведомление", "the manager was notified", seen=bool(told))
    walk.given(deal, MARIA, "узнать мнение о результате")
    walk.close(MARIA, deal, "узнать мнение о результате", "клиент доволен, акты подписаны: закрывает задачу", "the client is content, the acts are signed: finishes the task")
    status = next(task["status"] for task in walk.portal.tasks(deal) if int(task["id"]) == install)
    walk.tell.expect("задача монтажника снята с контроля", "the installer's task is off control", seen=status == "5", instead=status)
    walk.move(MARIA, deal, WORK_DONE)
    walk.stands(deal, WORK_DONE)


def money_comes(walk: Walk, deal: int) -> None:
    """The last payment is confirmed by hand."""
    walk.tell.chapter("Последняя оплата", "The last payment")
    walk.given(deal, MARIA, "оплата за выполненные работы получена")
    walk.wait("прошли сутки", "a day goes by", days=1)
    walk.close(MARIA, deal, "оплата за выполненные работы получена")
    walk.move(MARIA, deal, PAID)
    walk.stands(deal, PAID)
    left, timers = walk.open_tasks(deal), walk.office.timers(deal)
    walk.tell.expect("открытых задач и ожиданий нет", "no task is open, nothing waits", seen=not left and not timers, instead=(left, timers))


# Smaller things -------------------------------------------------------------------------------------------------------


def _confirm(walk: Walk, deal: int, day: datetime) -> None:
    """Wait for the day before, call the client and schedule the works."""
    walk.wait("день перед монтажом, 10:00", "the day before the works, 10:00", to=(day - timedelta(days=1)).replace(hour=10, minute=0))
    walk.given(deal, MARIA, CALL)
    walk.close(MARIA, deal, CALL, "дозвонилась: клиент ждёт, закрывает задачу", "has reached the client, finishes the task")
    walk.move(MARIA, deal, INSTALLATION)
    walk.stands(deal, INSTALLATION)


def _one_visit(walk: Walk, user: int, day: datetime) -> None:
    """Expect one visit in a person's calendar, on a day."""
    found = [str(event["DATE_FROM"]) for event in walk.visits(user)]
    right = len(found) == 1 and f"{day:%d.%m.%Y}" in found[0]
    who = walk.portal.names[user]
    walk.tell.expect(f"в календаре один выезд: {who}, {day:%d.%m}", f"one visit in the calendar: {who}, {day:%d.%m}", seen=right, instead=found)


def _tab(walk: Walk, deal: int) -> tuple[str, dict[str, str]]:
    """Open the booking tab in the card of a deal, as the manager."""
    card = next(row for row in walk.portal.ask("apps") if row["client_id"] == walk.client_id)
    handler = next(row["handler"] for row in card["placements"] if row["handler"].endswith("/booking"))
    asked = {"client_id": walk.client_id, "user_id": MARIA, "placement": "CRM_DEAL_DETAIL_TAB"}
    opened = walk.portal.ask("frame", {**asked, "options": {"ID": str(deal)}, "handler": handler})
    return opened["url"], opened["form"]


def _day_of(walk: Walk, deal: int) -> datetime:
    """Read the agreed day from the card."""
    written = str(walk.portal.deal(deal)[walk.fields["Дата монтажа"]])[:10]
    return walk.now().replace(year=int(written[:4]), month=int(written[5:7]), day=int(written[8:]), hour=10, minute=0)


def _working_day(day: datetime) -> datetime:
    """Give the day or the next one that is neither on a weekend nor the holiday of June 12."""
    while day.weekday() >= 5 or (day.month, day.day) == (6, 12):
        day += timedelta(days=1)
    return day
