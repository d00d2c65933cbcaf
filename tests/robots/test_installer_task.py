from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from b24app.core.actions import AddTask, SetTimer, Step, UpdateTask
from b24app.core.item import CONTACT, File, Item, ItemRef, Product, Value
from b24app.core.needs import Facts, Ledger, NeedClient
from b24app.core.robot import Outcome
from b24app.core.text import T
from b24app.core.worktime import Pause
from robots.installer_task import ROBOT, Props
from tests.builders import (
    DIRECTOR,
    HEAD,
    INSTALLER,
    MANAGER,
    MOSCOW,
    NOW,
    a_call,
    a_deal,
    a_house,
    a_place,
    an_own_task,
    decided,
    facts,
)
from tests.builders import people as staff

FULL: dict[str, Value] = {
    "install_date": date(2026, 6, 12),
    "install_time": "10:00",
    "installer": INSTALLER,
    "address": "Лесная, 5 [вход со двора]",
    "materials": "полотно 24 м², багет",
    "conditions": "3-й этаж без лифта",
    "contract_file": (File("71", "https://romashka.bitrix24.ru/file/71"),),
}
ORDER = a_deal(fields=FULL, company_id=4)
PRODUCTS = (Product("Полотно матовое", Decimal("24.50"), "м²"), Product("Багет", Decimal("20")))
PROPS = Props(checklist=(T("Снять размеры", "Measure"),), done=(Step("notify", {"text": "готово"}),))
ENDS = datetime(2026, 6, 12, 14, tzinfo=MOSCOW)


def give(deal: Item = ORDER, props: Props = PROPS, ledger: Ledger | None = None, **call: Any) -> Outcome:
    return decided(ROBOT, a_call(**call), facts(deal, ledger=ledger, products=PRODUCTS), props)


def task_of(outcome: Outcome) -> AddTask:
    task = outcome.actions[0]
    assert isinstance(task, AddTask)
    return task


def test_the_installer_gets_everything_about_the_order() -> None:
    task = task_of(give())

    assert task.title == "Монтаж 12.06.2026 10:00: Потолки на Лесной"
    assert task.description == (
        "[B]Когда:[/B] 12.06.2026 10:00–14:00\n"
        "[B]Где:[/B] Лесная, 5 &#91;вход со двора&#93;\n"
        "[B]Условия монтажа:[/B] 3-й этаж без лифта\n"
        "[B]Материалы:[/B] полотно 24 м², багет\n"
        "[B]Заказ:[/B]\n• Полотно матовое — 24.5 м²\n• Багет — 20\n"
        "[B]Документы:[/B] [URL=https://romashka.bitrix24.ru/file/71]файл 1[/URL]\n"
        "[B]Клиент:[/B] Анна Клиентова, 8 916 123-45-67\n"
        "[B]Клиент:[/B] ООО «Вектор», +7 495 123-45-67"
    )


def test_the_manager_accepts_the_work_that_has_to_be_done_by_the_end_of_the_visit() -> None:
    task = task_of(give())

    assert (task.responsible, task.creator, task.auditors) == (INSTALLER, MANAGER, (MANAGER,))
    assert (task.under_control, task.full_checklist, task.purpose, task.name) == (True, True, "install", "install")
    assert task.deadline == ENDS
    assert task.checklist == ("Снять размеры",)
    assert task.done == PROPS.done


def test_without_a_date_the_task_says_so() -> None:
    task = task_of(give(a_deal(fields={"installer": INSTALLER})))
    assert task.deadline is None
    assert "дата не указана" in task.description


def test_without_an_hour_only_the_day_is_said() -> None:
    task = task_of(give(replace(ORDER, fields={**FULL, "install_time": ""})))
    assert task.title == "Монтаж 12.06.2026: Потолки на Лесной"
    assert "[B]Когда:[/B] 12.06.2026\n" in task.description


def test_without_an_installer_somebody_has_to_see_to_it() -> None:
    outcome = give(a_deal())
    assert task_of(outcome).responsible == DIRECTOR
    assert "никого не нашла" in outcome.why.ru


def test_a_dismissed_manager_does_not_accept_anything() -> None:
    outcome = decided(ROBOT, a_call(), facts(ORDER, staff=staff(without=[MANAGER])), PROPS)
    assert task_of(outcome).creator == HEAD


def test_an_order_given_already_is_left_alone() -> None:
    own = an_own_task("install", responsible=INSTALLER, deadline=ENDS)
    assert give(ledger=Ledger(tasks=(own,))).actions == ()


def test_a_new_date_or_installer_brings_the_task_up_to_date() -> None:
    for changed in ({"deadline": ENDS - timedelta(days=1)}, {"responsible": DIRECTOR}):
        own = an_own_task("install", **{"responsible": INSTALLER, "deadline": ENDS, **changed})
        (update,) = give(ledger=Ledger(tasks=(own,))).actions
        assert isinstance(update, UpdateTask)
        assert (update.task_id, update.deadline, update.responsible) == (500, ENDS, INSTALLER)
        assert update.description is not None
        assert "Лесная" in update.description


def test_the_journal_tells_until_when_an_order_now_is() -> None:
    own = an_own_task("install", responsible=INSTALLER, deadline=NOW)
    assert give(ledger=Ledger(tasks=(own,))).why.ru.endswith("обновлена: Иван Мастеров, 12.06.2026 14:00")
    undated = give(a_deal(fields={"installer": INSTALLER}), ledger=Ledger(tasks=(own,)))
    assert undated.why.ru.endswith("обновлена: Иван Мастеров, дата не указана")


def test_a_title_may_name_the_hour_apart() -> None:
    props = replace(PROPS, title=T.same("{time}"))
    assert task_of(give(props=props)).title == "10:00"
    assert task_of(give(replace(ORDER, fields={**FULL, "install_time": ""}), props)).title == "—"


def test_a_task_the_portal_has_not_got_yet_cannot_be_changed() -> None:
    own = an_own_task("install", task_id=None, deadline=ENDS - timedelta(days=1))
    assert give(ledger=Ledger(tasks=(own,))).actions == ()


def test_finished_work_is_not_ordered_again_after_a_return() -> None:
    ledger = Ledger(tasks=(an_own_task("install", open=False),))
    assert give(ledger=ledger, place=a_place("assigned", returned=True)).actions == ()
    assert give(ledger=ledger).actions


def test_an_order_taken_back_is_given_again_after_a_return() -> None:
    ledger = Ledger(tasks=(an_own_task("install", open=False, withdrawn=True),))
    assert give(ledger=ledger, place=a_place("assigned", returned=True)).actions


def test_nobody_at_all_to_do_the_work_is_written_into_the_card() -> None:
    (comment,) = give(a_deal(), house=a_house(fallback=None)).actions
    assert comment.kind == "comment"


def test_a_client_deleted_meanwhile_is_left_out() -> None:
    world = facts(ORDER, products=PRODUCTS)
    gone = Facts({**world.values, NeedClient(ItemRef(CONTACT, 3)): None})
    assert "Анна" not in task_of(decided(ROBOT, a_call(), gone, PROPS)).description


def test_the_installer_may_be_controlled_too() -> None:
    _, timer = give(props=replace(PROPS, control_after=Pause(2, "d"))).actions
    assert isinstance(timer, SetTimer)
    assert (timer.task, timer.due) == ("install", NOW + timedelta(days=2))


def test_endless_texts_are_cut() -> None:
    deal = replace(ORDER, fields={**FULL, "materials": "м" * 60_000, "conditions": "[" * 60_000})
    assert len(task_of(give(deal)).description) <= 20_000
