"""The visit of an order: a wrong date, the booking tab, the call of the day before, and a client who changes his mind."""

from __future__ import annotations

from datetime import datetime, timedelta

from demo.screens import Browser
from demo.walk import DATE_AGREED, INSTALLATION, MATERIALS_BOUGHT, Walk

MARIA, ALEXEY, DMITRY = 3, 6, 7
CALL = "Позвонить клиенту и подтвердить"


def date_is_wrong(walk: Walk, deal: int) -> None:
    """A day that has passed and nobody booked: back it goes, with both reasons."""
    walk.tell.chapter("Дата в прошлом, монтажник не занят", "A past date, nobody booked")
    passed = f"{walk.now() - timedelta(days=2):%Y-%m-%d}"
    walk.write(
        MARIA, deal, "ошибается в дате монтажа", "mistakes the date", **{"Дата монтажа": passed, "Время монтажа": "10:00"}
    )
    walk.close(MARIA, deal, "Согласовать дату и время")
    walk.move(MARIA, deal, DATE_AGREED)
    walk.stands(deal, MATERIALS_BOUGHT)
    walk.given(deal, MARIA, "Согласовать дату заново")
    reasons = next(comment for comment in reversed(walk.portal.comments(deal)) if "заново" in comment or "прошл" in comment)
    both = "прош" in reasons and "монтажник" in reasons.lower()
    walk.tell.expect(
        "названы обе причины: дата и монтажник", "both reasons are named: date and installer", seen=both, instead=reasons
    )


def visit_is_booked(walk: Walk, deal: int) -> None:
    """The manager chooses a free time of the crew on the booking tab of the card."""
    walk.tell.chapter("Бронирование на вкладке в карточке", "Booking on the tab of the card")
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
    walk.tell.expect(
        "дата, время и монтажник записаны в карточку", "date, time and installer are in the card", seen=right, instead=seen
    )
    _one_visit(walk, ALEXEY, day)
    walk.close(MARIA, deal, "Согласовать дату заново")
    walk.move(MARIA, deal, DATE_AGREED)
    walk.stands(deal, DATE_AGREED)
    _one_visit(walk, ALEXEY, day)


def client_moves_the_date(walk: Walk, deal: int) -> None:
    """The client wants another day: the visit is cancelled and the checks run again."""
    walk.tell.chapter("Клиент переносит дату", "The client moves the date")
    day = _working_day(day_of(walk, deal) + timedelta(days=1))
    walk.write(
        MARIA,
        deal,
        f"переносит монтаж на {day:%d.%m}",
        f"puts the works off to {day:%d.%m}",
        **{"Дата монтажа": f"{day:%Y-%m-%d}"},
    )
    walk.stands(deal, DATE_AGREED)
    _one_visit(walk, ALEXEY, day)


def day_before(walk: Walk, deal: int) -> None:
    """The day before the works the manager has to call the client; then SMS and the installer's task go out."""
    walk.tell.chapter("За день до монтажа", "The day before the works")
    day = day_of(walk, deal)
    walk.not_given(deal, CALL)
    _confirm(walk, deal, day)
    sent = walk.portal.sms()
    walk.tell.expect("клиенту ушло одно SMS", "the client was sent one SMS", seen=len(sent) == 1, instead=sent)
    walk.given(deal, ALEXEY, "Выполнить монтаж")


def client_moves_it_again(walk: Walk, deal: int) -> None:
    """Put off once more when the installer has his task: everything is taken back, the deal returns by itself."""
    walk.tell.chapter(
        "Клиент переносит монтаж ещё раз, другой монтажник", "The client moves it once more, another installer goes"
    )
    day = _working_day(day_of(walk, deal) + timedelta(days=3))
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


# Smaller things -------------------------------------------------------------------------------------------------------


def _confirm(walk: Walk, deal: int, day: datetime) -> None:
    """Wait for the day before, call the client and schedule the works."""
    before = _working_day(day - timedelta(days=1), step=-1)
    walk.wait(
        "рабочий день перед монтажом, 10:00", "the working day before the works, 10:00", to=before.replace(hour=10, minute=0)
    )
    walk.given(deal, MARIA, CALL)
    walk.close(MARIA, deal, CALL, "дозвонилась: клиент ждёт, закрывает задачу", "has reached the client, finishes the task")
    walk.move(MARIA, deal, INSTALLATION)
    walk.stands(deal, INSTALLATION)


def _one_visit(walk: Walk, user: int, day: datetime) -> None:
    """Expect one visit in a person's calendar, on a day."""
    found = [str(event["DATE_FROM"]) for event in walk.visits(user)]
    right = len(found) == 1 and f"{day:%d.%m.%Y}" in found[0]
    who = walk.portal.names[user]
    walk.tell.expect(
        f"в календаре один выезд: {who}, {day:%d.%m}",
        f"one visit in the calendar: {who}, {day:%d.%m}",
        seen=right,
        instead=found,
    )


def _tab(walk: Walk, deal: int) -> tuple[str, dict[str, str]]:
    """Open the booking tab in the card of a deal, as the manager."""
    card = next(row for row in walk.portal.ask("apps") if row["client_id"] == walk.client_id)
    handler = next(row["handler"] for row in card["placements"] if row["handler"].endswith("/booking"))
    asked = {"client_id": walk.client_id, "user_id": MARIA, "placement": "CRM_DEAL_DETAIL_TAB"}
    opened = walk.portal.ask("frame", {**asked, "options": {"ID": str(deal)}, "handler": handler})
    return opened["url"], opened["form"]


def day_of(walk: Walk, deal: int) -> datetime:
    """Read the agreed day from the card."""
    written = str(walk.portal.deal(deal)[walk.fields["Дата монтажа"]])[:10]
    return walk.now().replace(year=int(written[:4]), month=int(written[5:7]), day=int(written[8:]), hour=10, minute=0)


def _working_day(day: datetime, step: int = 1) -> datetime:
    """Give the day, or the nearest one after or before it that is neither on a weekend nor the holiday of June 12."""
    while day.weekday() >= 5 or (day.month, day.day) == (6, 12):
        day += timedelta(days=step)
    return day
