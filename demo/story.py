"""The life of one deal from the lead to the last payment, with everything that may go wrong on its way."""

from __future__ import annotations

import base64
from datetime import timedelta

from demo.quality import summed_up
from demo.screens import LEAD
from demo.visits import client_moves_it_again, client_moves_the_date, date_is_wrong, day_before, day_of, visit_is_booked
from demo.walk import CONTRACT, MATERIALS_BOUGHT, MATERIALS_PAID, PAID, SIGNED, WORK_DONE, Entry, Walk

HEAD, MARIA, DMITRY, ELENA = 2, 3, 7, 9
ANNA = 1
"""The client: a contact with a mobile phone."""
SIGN, CONTROL = "Подписать договор", "Разобраться"


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
    walk.close(
        HEAD,
        deal,
        CONTROL,
        "разобралась с менеджером, закрывает контрольную задачу",
        "has looked into it, finishes her task",
    )


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
        **{
            "Дата предоплаты": f"{walk.now() + timedelta(days=1):%Y-%m-%d}",
            "Примечание к оплате": "Половина суммы, по счёту",
        },
    )
    walk.commented(deal, "Изменились сведения о предоплате")
    walk.wait("прошли сутки", "a day goes by", days=1)
    member = walk.portal.ask("state")["portal"]["member_id"]
    message = {"portal": member, "payment_id": "1C-000042", "deal_id": deal, "amount": "50000.00", "currency": "RUB"}
    told = walk.office.pay("not the key of this portal", walk.portal.now(), message)
    walk.tell.expect("платёж с чужой подписью отвергнут", "a payment with a wrong signature is refused", seen=told == 401)
    walk.say(
        ELENA,
        "проводит платёж: учётная система сообщает о нём приложению",
        "books the payment: the accounting system tells of it",
    )
    before = walk.portal.requests()
    statuses = [walk.office.pay(walk.payment_key, walk.portal.now(), message) for _ in range(2)]
    walk.tell.expect(
        "сообщено дважды, принято один раз", "told twice, taken once", seen=statuses == [202, 200], instead=statuses
    )
    walk.follow()
    walk.entries.append(Entry(MATERIALS_PAID, walk.portal.requests() - before))
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

    walk.act(
        MARIA, "закрывает задачу, не отметив последний пункт", "finishes the task without ticking the last line", finish
    )
    walk.given(deal, MARIA, "Закупить материалы")
    walk.tell.expect(f"не отмечен пункт «{left[0]}»", f"the open line is “{left[0]}”", seen=len(left) == 1)
    walk.move(MARIA, deal, MATERIALS_BOUGHT)
    walk.stands(deal, MATERIALS_PAID)
    walk.wait("прошли сутки, материалы выданы бригаде", "a day goes by, the crew has the materials", days=1)
    walk.close(MARIA, deal, "Закупить материалы")
    ended = [row["reason"] for row in walk.office.timers(deal, "cancelled") if "Закупить материалы" in row["what"]]
    walk.tell.expect(
        "закрыта в срок: контроля не будет, причина записана",
        "finished in time: there will be no control task, the reason is written down",
        seen=bool(ended) and "завершена" in ended[-1],
        instead=ended,
    )
    walk.close(MARIA, deal, "Закончить с материалами")
    walk.move(MARIA, deal, MATERIALS_BOUGHT)
    walk.stands(deal, MATERIALS_BOUGHT)
    walk.not_given(deal, CONTROL)


def work_is_accepted(walk: Walk, deal: int) -> None:
    """The installer finishes, the client is asked, the work is accepted."""
    walk.tell.chapter("Монтаж и приёмка", "The works and their acceptance")
    day = day_of(walk, deal)
    walk.wait("день монтажа, 15:00", "the day of the works, 15:00", to=day.replace(hour=15, minute=0))
    install = int(walk.task(deal, "Выполнить монтаж")["id"])
    walk.close(DMITRY, deal, "Выполнить монтаж")
    told = [row for row in walk.portal.notifications(MARIA) if "завершены" in str(row)]
    walk.tell.expect("менеджер получил уведомление", "the manager was notified", seen=bool(told))
    walk.given(deal, MARIA, "узнать мнение о результате")
    walk.close(
        MARIA,
        deal,
        "узнать мнение о результате",
        "клиент доволен, акты подписаны: закрывает задачу",
        "the client is content, the acts are signed: finishes the task",
    )
    status = next(task["status"] for task in walk.portal.tasks(deal) if int(task["id"]) == install)
    walk.tell.expect(
        "задача монтажника снята с контроля", "the installer's task is off control", seen=status == "5", instead=status
    )
    control = [task["title"] for task in walk.portal.tasks(deal) if "почему материалы" in task["title"]]
    walk.tell.expect(
        "по материалам контрольной задачи так и не было",
        "there never was a control task about the materials",
        seen=not control,
        instead=control,
    )
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
    walk.tell.chapter("Итоги сделки", "The summing-up")
    told = {"satisfaction": "4", "terms_kept": "no", "terms_broken": "installation", "delay_days": "2"}
    summed_up(walk, deal, MARIA, **told, deviations="no", result="done")
