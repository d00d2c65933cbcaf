"""A second deal that is lost half-way: everything that was under way for it is wound up."""

from __future__ import annotations

from datetime import timedelta

from demo.quality import summed_up
from demo.story import a_file
from demo.walk import CONTRACT, DATE_AGREED, LOST, MATERIALS_BOUGHT, MATERIALS_PAID, SIGNED, Walk

IVAN, NIKOLAY = 4, 8
PETER = 2
"""The second client."""


def tell_the_lost_deal(walk: Walk) -> int:
    """Play the second deal and give its number."""
    walk.tell.chapter("Вторая сделка: клиент отказался на полпути", "The second deal: the client backs out half-way")
    deal = _agreed(walk)
    before = (walk.open_tasks(deal), walk.office.timers(deal), walk.visits(NIKOLAY))
    seen = bool(before[1] and before[2])
    walk.tell.expect(
        "выезд стоит в календаре, напоминания ждут", "the visit is booked and reminders wait", seen=seen, instead=before
    )
    walk.move(
        IVAN,
        deal,
        LOST,
        "клиент отказался: переводит сделку в «Сделка не успешная»",
        "the client backs out: moves the deal to “Deal lost”",
    )
    walk.stands(deal, LOST)
    visits = walk.visits(NIKOLAY)
    walk.tell.expect("выезд убран из календаря", "the visit is gone from the calendar", seen=not visits, instead=visits)
    summed_up(walk, deal, IVAN, satisfaction="4", terms_kept="yes", deviations="no", result="refused", refusal="price")
    return deal


def _agreed(walk: Walk) -> int:
    """Bring a deal to an agreed date without any trouble."""
    fields = {
        "title": "Потолки, офис на Лесной",
        "assignedById": IVAN,
        "contactId": PETER,
        "opportunity": 240000,
        walk.fields["Подписанный договор"]: a_file("contract.pdf"),
        walk.fields["Адрес монтажа"]: "Москва, Лесная ул., 9",
    }
    deal = walk.create(
        IVAN, fields, "создаёт сделку вручную, все поля заполнены", "creates a deal by hand, all fields filled in"
    )
    walk.stands(deal, CONTRACT)
    for task, stage in (
        ("Подписать договор", SIGNED),
        ("уточнить дату предоплаты", MATERIALS_PAID),
        ("Закупить материалы", MATERIALS_BOUGHT),
    ):
        walk.close(IVAN, deal, task)
        walk.move(IVAN, deal, stage)
        walk.stands(deal, stage)
    walk.close(IVAN, deal, "Согласовать дату и время")
    walk.write(
        IVAN,
        deal,
        "заполняет дату и монтажника вручную",
        "fills in date and installer by hand",
        **{"Дата монтажа": f"{_free_day(walk)}", "Время монтажа": "14:00", "Монтажник": NIKOLAY},
    )
    walk.move(IVAN, deal, DATE_AGREED)
    walk.stands(deal, DATE_AGREED)
    return deal


def _free_day(walk: Walk) -> str:
    """Give a working day next week."""
    day = walk.now() + timedelta(days=5)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return f"{day:%Y-%m-%d}"
