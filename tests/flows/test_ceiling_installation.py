"""The installation: SMS to the client, the installer's task, acceptance, and putting it off in the last minute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from b24app.core.portal import Gateway
from tests.flows.gateways import askable, set_up_gateway
from tests.flows.stage import AGREED, ALEXEY, DMITRY, HEAD, MARIA, Stage, a_file
from tests.flows.theatre import Theatre, given_out

INSTALL = "Выполнить монтаж"
ASK = "узнать мнение о результате"


@pytest.fixture(scope="module")
def before_installation(after_booking: Theatre) -> Iterator[Theatre]:
    """The agreed day is confirmed on the Friday before, and the deal has moved on."""

    def confirm(stage: Stage) -> None:
        stage.turn(days=4)
        stage.close(stage.deal, "Позвонить клиенту")
        stage.move(stage.deal, "installation_set")

    with after_booking.played(confirm) as given:
        yield given


@pytest.fixture
def scheduled(before_installation: Theatre) -> Iterator[Stage]:
    with given_out(before_installation) as stage:
        yield stage


def test_the_client_gets_the_agreement_by_sms_and_the_card_says_so(scheduled: Stage) -> None:
    """S2-14, 48."""
    deal = scheduled.deal
    (sms,) = scheduled.world.sms.outbox
    assert sms.to == "+79161234501"
    assert sms.text.startswith("Здравствуйте! Монтаж потолка назначен: 08.06.2026 10:00. Адрес: ул. Садовая, 5. ")
    assert "Мастер: Алексей Морозов" in sms.text
    assert any(comment.startswith("Клиенту отправлено SMS на +79161234501") for comment in scheduled.comments(deal))


def test_dragging_the_deal_back_and_on_without_a_change_sends_no_second_sms(scheduled: Stage) -> None:
    """S2-48: once."""
    deal = scheduled.deal
    scheduled.move(deal, "date_agreed")
    scheduled.move(deal, "installation_set")
    assert scheduled.stage_of(deal) == "installation_set"
    assert len(scheduled.world.sms.outbox) == 1
    assert len([t for t in scheduled.titles(deal, open_only=False) if t.startswith(INSTALL)]) == 1
    assert scheduled.visits(ALEXEY) == ["08.06 10:00"]


def test_the_installer_gets_everything_he_needs_in_his_task(stage: Stage) -> None:
    """S2-12, 49."""
    more: dict[str, Any] = {
        "materials": "Полотно матовое 24 м2",
        "conditions": "4 этаж, без лифта",
        "documents": [a_file("act.pdf"), a_file("invoice.pdf")],
        "contract_file": a_file(),
    }
    deal = stage.arrive("installation_set", **AGREED, **more)
    task = stage.task(deal, INSTALL)
    assert (task["responsibleId"], task["createdBy"], task["title"]) == (
        str(ALEXEY),
        str(MARIA),
        "Выполнить монтаж 08.06.2026 10:00: Потолки, ул. Садовая, 5",
    )
    for told in ("08.06.2026 10:00", "ул. Садовая, 5", "24 м2", "без лифта", "Анна Фёдорова", "+7", "Мария Кузнецова"):
        assert told in task["description"], told
    assert "Документы" in task["description"]
    assert len(stage.lines(deal, INSTALL)) == 10


def test_the_installer_sees_the_lines_of_the_order(stage: Stage) -> None:
    """S2-49: full order data."""
    deal = stage.arrive("date_agreed", **AGREED)
    rows = [{"productName": "Полотно матовое", "quantity": 24, "price": 500, "measureCode": 55}]
    params = {"ownerType": "D", "ownerId": deal, "productRows": rows}
    stage.portal.as_user(MARIA).call("crm.item.productrow.set", **params)
    stage.turn(days=4)
    stage.close(deal, "Позвонить клиенту")
    stage.move(deal, "installation_set")
    assert "Полотно матовое — 24" in stage.task(deal, INSTALL)["description"]


def test_finished_work_is_told_to_the_manager_who_asks_the_client_and_accepts(scheduled: Stage) -> None:
    """S2-50, 51: the task waits for acceptance and goes off control with the manager's."""
    deal = scheduled.deal
    scheduled.close(deal, INSTALL, by=ALEXEY)
    assert scheduled.task(deal, INSTALL)["status"] == "4"
    assert "завершены, монтажник Алексей Морозов" in scheduled.notices(MARIA)[-1]
    assert len(scheduled.lines(deal, ASK)) == 4
    scheduled.close(deal, ASK)
    assert scheduled.task(deal, INSTALL)["status"] == "5"
    assert any("снята с контроля" in comment for comment in scheduled.comments(deal))
    scheduled.move(deal, "work_done")
    assert scheduled.stage_of(deal) == "work_done"
    assert scheduled.waiting().keys() == {"control:final_payment"}


def test_accepting_the_next_day_does_not_begin_the_acceptance_again(scheduled: Stage) -> None:
    """S2-51: being accepted dates the end of a task anew, and is no second end."""
    deal = scheduled.deal
    scheduled.close(deal, INSTALL, by=ALEXEY)
    scheduled.turn(hours=20)
    scheduled.close(deal, ASK)
    scheduled.turn(minutes=10)
    assert scheduled.task(deal, INSTALL)["status"] == "5"
    assert len([notice for notice in scheduled.notices(MARIA) if "завершены, монтажник" in notice]) == 1
    assert [title for title in scheduled.titles(deal) if ASK in title] == []


def test_works_are_not_finished_before_they_are_accepted(scheduled: Stage) -> None:
    """S2-24, 51."""
    deal = scheduled.deal
    scheduled.close(deal, INSTALL, by=ALEXEY)
    scheduled.move(deal, "work_done")
    assert scheduled.stage_of(deal) == "installation_set"
    assert any("не закрыта задача «Связаться с клиентом" in comment for comment in scheduled.comments(deal))
    assert len(scheduled.world.sms.outbox) == 1


def test_work_given_back_by_the_manager_is_finished_again_and_accepted(scheduled: Stage) -> None:
    """S2-50, 51: the client has claims."""
    deal = scheduled.deal
    scheduled.close(deal, INSTALL, by=ALEXEY)
    scheduled.turn(hours=1)
    scheduled.portal.as_user(MARIA).call("tasks.task.disapprove", taskId=int(scheduled.task(deal, INSTALL)["id"]))
    scheduled.settle()
    assert scheduled.task(deal, INSTALL)["status"] in ("2", "3")
    scheduled.turn(hours=1)
    scheduled.close(deal, INSTALL, by=ALEXEY)
    assert len([notice for notice in scheduled.notices(MARIA) if "завершены, монтажник" in notice]) == 2
    assert len([title for title in scheduled.titles(deal, open_only=False) if ASK in title]) == 1
    scheduled.close(deal, ASK)
    assert scheduled.task(deal, INSTALL)["status"] == "5"


def test_accepting_while_the_work_was_given_back_waits_for_the_installer(scheduled: Stage) -> None:
    """S2-51: nothing unfinished goes off control."""
    deal = scheduled.deal
    scheduled.close(deal, INSTALL, by=ALEXEY)
    scheduled.turn(hours=1)
    scheduled.portal.as_user(MARIA).call("tasks.task.disapprove", taskId=int(scheduled.task(deal, INSTALL)["id"]))
    scheduled.close(deal, ASK)
    assert scheduled.task(deal, INSTALL)["status"] in ("2", "3")
    assert "рано" in scheduled.notices(MARIA)[-1]
    scheduled.turn(hours=1)
    scheduled.close(deal, INSTALL, by=ALEXEY)
    assert ASK in scheduled.titles(deal, user=MARIA)[-1]
    scheduled.close(deal, ASK)
    assert scheduled.task(deal, INSTALL)["status"] == "5"


def test_an_installer_who_skips_lines_of_his_checklist_gets_the_task_back(scheduled: Stage) -> None:
    deal = scheduled.deal
    scheduled.close(deal, INSTALL, by=ALEXEY, tick=False)
    assert scheduled.task(deal, INSTALL)["status"] in ("2", "3")
    assert "Сфотографировать" in scheduled.task_comments(deal, INSTALL)[0]
    assert scheduled.titles(deal, user=MARIA) == []


def test_an_installation_open_after_two_working_days_is_told_to_the_head(scheduled: Stage) -> None:
    """S2-28."""
    deal = scheduled.deal
    assert scheduled.waiting() == {"control:install": "09.06 18:00"}
    scheduled.turn(days=5)
    (title,) = scheduled.titles(deal, user=HEAD)
    assert title.startswith("Разобраться, почему монтаж не завершён")


def test_a_new_day_after_the_sms_brings_the_deal_back_and_a_second_sms_with_the_new_day(scheduled: Stage) -> None:
    """S2-47, 48: visit and installer's task are cancelled, checks run again, nothing is sent before it is confirmed."""
    deal = scheduled.deal
    scheduled.turn(minutes=10)
    scheduled.write(deal, install_date="2026-06-16")
    assert scheduled.stage_of(deal) == "date_agreed"
    assert scheduled.visits(ALEXEY) == ["16.06 10:00"]
    assert scheduled.titles(deal, user=ALEXEY) == []
    assert scheduled.titles(deal, user=MARIA) == ["Подтвердить с клиентом новую дату монтажа: Потолки, ул. Садовая, 5"]
    assert any("Перенос монтажа, теперь 16.06.2026 10:00" in comment for comment in scheduled.comments(deal))
    assert scheduled.waiting() == {"remind:confirm_client": "15.06 10:00", "remind:confirm_control": "15.06 18:00"}
    assert len(scheduled.world.sms.outbox) == 1
    scheduled.turn(days=10)
    for title in scheduled.titles(deal, user=MARIA):
        scheduled.close(deal, title)
    scheduled.move(deal, "installation_set")
    days = [sms.text.split("назначен: ")[1][:16] for sms in scheduled.world.sms.outbox]
    assert days == ["08.06.2026 10:00", "16.06.2026 10:00"]
    assert scheduled.titles(deal, user=ALEXEY) == ["Выполнить монтаж 16.06.2026 10:00: Потолки, ул. Садовая, 5"]


def test_a_new_day_that_is_no_good_after_the_sms_goes_all_the_way_back(scheduled: Stage) -> None:
    """S2-45, 47."""
    deal = scheduled.deal
    scheduled.turn(minutes=10)
    scheduled.write(deal, install_date="2026-06-07")
    assert scheduled.stage_of(deal) == "materials_bought"
    assert (scheduled.visits(ALEXEY), scheduled.titles(deal, user=ALEXEY)) == ([], [])
    assert len(scheduled.world.sms.outbox) == 1


def test_another_installer_after_the_sms_gets_the_visit_and_later_the_task(scheduled: Stage) -> None:
    deal = scheduled.deal
    scheduled.turn(minutes=10)
    scheduled.write(deal, installer=DMITRY)
    assert scheduled.stage_of(deal) == "date_agreed"
    assert (scheduled.visits(ALEXEY), scheduled.visits(DMITRY)) == ([], ["08.06 10:00"])
    assert (scheduled.titles(deal, user=ALEXEY), scheduled.titles(deal, user=DMITRY)) == ([], [])


def test_a_client_without_a_phone_is_left_to_the_manager(stage: Stage) -> None:
    """S2-48; no SMS, a task to call."""
    contact = stage.portal.crm.add_contact("Семён", "Безномерный")
    deal = stage.arrive("installation_set", **AGREED, contactId=contact["id"])
    assert stage.world.sms.outbox == []
    (title,) = stage.titles(deal, user=MARIA)
    assert title == "Сообщить клиенту о монтаже по телефону, SMS не ушло: Потолки, ул. Садовая, 5"
    assert "нет телефона" in stage.task(deal, title)["description"]
    assert len(stage.titles(deal, user=ALEXEY)) == 1


@pytest.mark.parametrize("fault", ["refuse", "hang_up_after_accepting"])
def test_a_gateway_that_fails_and_cannot_be_asked_leaves_the_telling_to_the_manager(stage: Stage, fault: str) -> None:
    """S2-48: what may have gone out is not sent again."""
    setattr(stage.world.sms, fault, -1)
    deal = stage.arrive("installation_set", **AGREED)
    stage.turn(hours=2)
    assert len(stage.world.sms.outbox) <= 1
    (title,) = stage.titles(deal, user=MARIA)
    assert title.startswith("Сообщить клиенту о монтаже по телефону")
    (trouble,) = stage.troubles()
    assert trouble.startswith("send_sms: unknown")
    stage.expected_troubles = [trouble]


def test_a_gateway_that_hangs_up_after_accepting_is_asked_and_nothing_is_sent_twice(stage: Stage) -> None:
    set_up_gateway(stage, askable(stage))
    stage.world.sms.hang_up_after_accepting = 1
    deal = stage.arrive("installation_set", **AGREED)
    stage.turn(hours=2)
    assert len(stage.world.sms.outbox) == 1
    assert stage.titles(deal, user=MARIA) == []
    assert any(comment.startswith("Клиенту отправлено SMS") for comment in stage.comments(deal))


def test_a_gateway_that_is_down_for_a_while_gets_the_message_later_once(stage: Stage) -> None:
    set_up_gateway(stage, askable(stage))
    stage.world.sms.refuse = 2
    deal = stage.arrive("installation_set", **AGREED)
    stage.turn(minutes=5)
    stage.turn(minutes=5)
    assert len(stage.world.sms.outbox) == 1
    assert stage.titles(deal, user=MARIA) == []


def test_without_a_gateway_the_manager_tells_the_client(stage: Stage) -> None:
    set_up_gateway(stage, Gateway())
    deal = stage.arrive("installation_set", **AGREED)
    (title,) = stage.titles(deal, user=MARIA)
    assert title.startswith("Сообщить клиенту о монтаже по телефону")
    assert stage.troubles() == []
